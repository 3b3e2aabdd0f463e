"""Whatever happens to the files of a run or of a tree: they are refused in one line, or nothing has changed."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damaged_files import cheap, damaged
from small_trees import pair

from contract_tree import Result, Tree, TreeError, load_result, named_tree, save_result, simulate
from contract_tree.cli import main
from contract_tree.result_files import _seal

FIELDS = ("rewards", "utilities", "regrets", "received", "shares", "payments")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_result(simulate(pair(), "oracle", horizon=20, n_games=2), tmp_path / "run")
    return tmp_path / "run"


def message_of(read: Callable[[], object]) -> str:
    """How a file is refused, in one line; empty if it is not."""
    message = ""
    try:
        read()
    except TreeError as error:
        message = str(error)
    assert "\n" not in message
    return message


def same(result: Result, other: Result) -> bool:
    numbers = all(np.array_equal(getattr(result, f), getattr(other, f), equal_nan=True) for f in FIELDS)
    plain = all(getattr(result, f) == getattr(other, f) for f in ("players", "horizon", "noise", "seed", "epochs"))
    return numbers and plain and result.tree.as_nested() == other.tree.as_nested()


@pytest.mark.parametrize("name", ["run.json", "rounds.csv", "actions.csv"])
def test_a_damaged_run_is_refused_or_the_same(folder: Path, name: str) -> None:
    original, path, found = load_result(folder), folder / name, []
    with cheap(seconds=60):
        for content in damaged(path.read_bytes(), most=300):
            path.write_bytes(content)
            loaded: list[Result] = []
            found.append(message_of(lambda loaded=loaded: loaded.append(load_result(folder))))  # type: ignore[misc]
            assert all(same(result, original) for result in loaded)
    assert sum(map(bool, found)) > 0.8 * len(found)  # the rest: indentation
    assert all(str(folder) in message for message in found if message)


def edited(folder: Path, name: str, change: Callable[[str], str]) -> None:
    """Change a table and seal the run again, as somebody could who means harm."""
    text = change((folder / name).read_text())
    (folder / name).write_text(text)
    resealed(folder, lambda run: run["tables"].update({name: hashlib.sha256(text.encode()).hexdigest()}))


def resealed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    run = json.loads((folder / "run.json").read_text())
    del run["sha256"]
    change(run)
    (folder / "run.json").write_text(json.dumps({**run, "sha256": _seal(run)}))


def cell(line: int, column: int, value: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        rows = [row.split(",") for row in text.splitlines()]
        rows[line][column] = value
        return "\n".join(map(",".join, rows)) + "\n"

    return change


def without_column(text: str) -> str:
    return "\n".join(",".join(row.split(",")[:-1]) for row in text.splitlines()) + "\n"


def shuffled(text: str) -> str:
    head, first, second, *rest = text.splitlines()
    return "\n".join([head, second, first, *rest]) + "\n"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("rounds.csv", cell(1, 0, "1"), "line 2 of rounds.csv is not that of 0, 1, boss"),
        ("rounds.csv", cell(1, 1, "2"), "line 2 of rounds.csv is not that of 0, 1, boss"),
        ("rounds.csv", cell(2, 2, "boss"), "line 3 of rounds.csv is not that of 0, 1, worker"),
        ("rounds.csv", cell(0, 3, "reward"), "rounds.csv has other columns than game, round, node, rewards"),
        ("rounds.csv", without_column, "rounds.csv has other columns"),
        ("rounds.csv", shuffled, "line 2 of rounds.csv"),
        ("rounds.csv", lambda text: text + text.splitlines()[-1] + "\n", "has more than"),
        ("rounds.csv", lambda text: "\n".join(text.splitlines()[:-1]) + "\n", "is not that of 1, 20, worker"),
        ("rounds.csv", lambda text: text + "x" * 10_000_000, "is longer than"),
        ("rounds.csv", lambda text: text[:60] + "\0" + text[60:], "run it again"),
        ("rounds.csv", cell(3, 2, "x" * 140_000), "run it again"),
        *(("rounds.csv", cell(3, column, value), "holds NaN or infinite") for column in range(3, 7)
          for value in ("nan", "inf", "-inf", "")),
        ("rounds.csv", cell(3, 3, "x"), "is damaged"),
        ("rounds.csv", cell(3, 3, "1e300"), "has rewards outside 0 and 1 per round"),
        ("rounds.csv", cell(1, 3, "-0.5"), "has rewards outside 0 and 1 per round"),
        ("rounds.csv", cell(3, 3, "0.0"), "has sums that shrink"),
        ("rounds.csv", cell(3, 4, "7.5"), "has utilities that are not reward and payments"),
        ("rounds.csv", cell(2, 6, "-1"), "has payments below 0"),
        ("actions.csv", cell(1, 1, "worker"), "line 2 of actions.csv is not that of 0, boss, 0"),
        ("actions.csv", cell(2, 2, "1"), "line 3 of actions.csv is not that of 0, worker, 0"),
        ("actions.csv", cell(2, 3, "0.9"), "has shares that do not add up to 1"),
        ("actions.csv", cell(1, 3, ""), "holds NaN or infinite"),
        ("actions.csv", cell(2, 4, "inf"), "has payments below 0 or infinite ones"),
        ("actions.csv", cell(2, 4, "-0.1"), "has payments below 0 or infinite ones"),
        ("actions.csv", cell(1, 4, "0.1"), "pays its root"),
    ],
)  # fmt: skip
def test_an_edited_table_is_refused_even_if_it_is_sealed_again(
    folder: Path, name: str, change: Callable[[str], str], message: str
) -> None:
    edited(folder, name, lambda text: text)
    load_result(folder)
    edited(folder, name, change)
    with cheap():
        assert message in message_of(lambda: load_result(folder))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"horizon": 21}, "rounds.csv"), ({"horizon": 10**12}, "horizon must be at most 1,000,000,000"),
        ({"horizon": 10**400}, "horizon must be at most"), ({"horizon": "20"}, "horizon must be an integer"),
        ({"horizon": 20.0}, "horizon must be an integer"), ({"games": 3}, "is not that of 2, 1, boss"),
        ({"games": 10**9}, "n_games must be at most"), ({"games": 10**6}, "more than 20,000,000"),
        ({"games": 0}, "n_games must be an integer"), ({"seed": -1}, "seed must be"), ({"noise": "x"}, "noise must be"),
        ({"noise": float("nan")}, "noise must be"), ({"players": {"boss": "UCB"}}, "its players are not those"),
        ({"players": 3}, "is damaged"), ({"players": {"boss": 1, "worker": 2}}, "its players are not those"),
        ({"tree": None}, "a node must be a mapping"), ({"tree": named_tree("chain").as_nested()}, "its players are not"),
        ({"tables": {}}, "is damaged"), ({"tables": None}, "is damaged"), ({"format": 1}, "has the format 1, and this"),
        ({"format": None}, "has the format None"),
        ({"epochs": []}, "begun after []"), ({"epochs": [0, 8]}, "begun after [0, 8]"), ({"epochs": [16]}, "begun after [16]"),
        ({"epochs": [0, 16, 48]}, "begun after [0, 16, 48]"), ({"epochs": [0.0]}, "begun after [0.0]"),
        ({"epochs": "0"}, "begun after '0'"), ({"epochs": [False]}, "begun after [False]"),
        ({"epochs": [0, 10**400]}, "begun after"),
    ],
)  # fmt: skip
def test_settings_of_a_run_are_checked_like_a_users(folder: Path, change: dict[str, Any], message: str) -> None:
    resealed(folder, lambda run: None)
    load_result(folder)
    resealed(folder, lambda run: run.update(change))
    with cheap():
        assert message in message_of(lambda: load_result(folder))


def test_a_run_of_a_version_without_a_format_says_so(folder: Path) -> None:
    run = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({k: run[k] for k in run if k not in ("format", "tables", "sha256")}))
    assert "run.json has the format None, and this version reads 3; run it again" in message_of(
        lambda: load_result(folder)
    )


@pytest.mark.parametrize("text", ["", "[]", "null", "3", "[" * 100_000, "9" * 5000, '{"format": 3}', "\ud800"])
def test_a_run_that_is_something_else_is_refused(folder: Path, text: str) -> None:
    (folder / "run.json").write_bytes(text.encode(errors="surrogatepass"))
    with cheap():
        assert str(folder) in message_of(lambda: load_result(folder))


def test_a_table_of_another_run_is_refused(folder: Path, tmp_path: Path) -> None:
    save_result(simulate(pair(), "oracle", horizon=20, n_games=2, seed=1), tmp_path / "other")
    (folder / "rounds.csv").write_bytes((tmp_path / "other" / "rounds.csv").read_bytes())
    assert "rounds.csv was damaged or edited, or belongs to another run" in message_of(lambda: load_result(folder))
    assert main(["report", str(folder)]) == 2
    assert not (folder / "report").exists()


def test_every_run_passes_its_own_checks(tmp_path: Path) -> None:
    for tree, players, noise in (
        ("chain", "tree", 0.1), ("ipa", {"inner": "ipa", "leaves": "informed"}, None), ("random-3-2", "oracle", 2.0),
    ):  # fmt: skip
        save_result(simulate(named_tree(tree), players, horizon=5000, n_games=2, noise=noise), tmp_path / tree)
        assert load_result(tmp_path / tree).noise == noise


# ---- trees


def chain(n: int) -> dict[str, Any]:
    node: dict[str, Any] = {"name": "leaf", "theta": [0.5]}
    for i in range(n - 1):
        node = {"name": f"n{i}", "theta": [[0.5]], "children": [node]}
    return node


def test_a_damaged_tree_is_refused_or_a_tree(tmp_path: Path) -> None:
    """A tree's file is the user's own and has no seal: what still is a tree is taken."""
    path = tmp_path / "tree.json"
    with cheap(seconds=60):
        for content in damaged(json.dumps(named_tree("chain").as_nested()).encode(), every=1):
            path.write_bytes(content)
            loaded: list[Tree] = []
            message = message_of(lambda loaded=loaded: loaded.append(Tree.from_json(path)))  # type: ignore[misc]
            assert bool(message) != bool(loaded)
            for tree in loaded:
                assert all(((table >= 0) & (table <= 1)).all() for table in tree.theta)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"), ("{", "is not JSON"), ("[]", "must be a mapping"), ("null", "must be a mapping"),
        ("[" * 200_000, "is not JSON"), ('{"name": "a", "theta": ' + "9" * 5000 + "}", "is not JSON"),
        ('{"name": "a", "theta": [' + "9" * 400 + "]}", "full table of numbers"),
        ('{"name": "a", "theta": ' + "[" * 90 + "]" * 90 + "}", "theta of 'a'"),
        ('{"name": "a", "theta": ["0.5"]}', "full table of numbers"), ('{"name": "a", "theta": [true]}', "full table"),
        ('{"name": "a", "theta": [null]}', "full table"), ('{"name": "a", "theta": [1e400]}', "holds inf"),
        ('{"name": "a", "theta": [NaN]}', "holds nan"), ('{"name": "a\\nb", "theta": [0.5]}', "can be printed"),
        ('{"name": "\\ud800", "theta": [0.5]}', "can be printed"), ('{"name": "a\\u0000", "theta": [0.5]}', "can be printed"),
        ('{"name": ' + json.dumps("x" * 201) + ', "theta": [0.5]}', "1 to 200 letters"),
        ('{"name": ' + "9" * 400 + ', "theta": [0.5]}', "1 to 200 letters"),
        (json.dumps(chain(101)), "the tree has 101 levels, more than 100"),
        (json.dumps({"name": "r", "theta": [0.5], "children": [{"name": str(i), "theta": [0.5]} for i in range(1001)]}),
         "has 1002 nodes or more"),
        (json.dumps({"name": "r", "theta": [0.5], "children": [{"name": "c", "theta": [0.1] * 5000}]}), "theta of 'r'"),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_tree_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "tree.json").write_text(text)
    with cheap():
        found = message_of(lambda: Tree.from_json(tmp_path / "tree.json"))
    assert message in found
    assert len(found) < 400


def test_an_endless_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "tree.json").open("wb") as file:
        file.truncate(10**12)
    with cheap():
        assert "is longer than" in message_of(lambda: Tree.from_json(tmp_path / "tree.json"))


def test_the_deepest_tree_can_be_played_kept_and_read(tmp_path: Path) -> None:
    tree = Tree.from_nested(chain(100))
    save_result(simulate(tree, "ucb", horizon=10, n_games=1), tmp_path)
    assert load_result(tmp_path).tree.as_nested() == tree.as_nested()


def test_descriptions_that_grow_without_end_are_refused() -> None:
    shared: dict[str, Any] = {"name": "a", "theta": [0.5]}
    for _ in range(60):  # 2**60 nodes
        shared = {"name": "a", "theta": [0.5], "children": [shared, shared]}
    with cheap(), pytest.raises(TreeError, match="nodes or more"):
        Tree.from_nested(shared)
    with cheap(), pytest.raises(TreeError, match="nodes or more"):
        Tree.from_dict({str(i): str(i - 1) if i else None for i in range(100_000)}, {})
