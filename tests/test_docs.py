"""The pages keep their word: their Python runs, their messages come, their tables, numbers and pictures are right.

`test_site.py` looks at the site that is built from them.
"""

import argparse
import dataclasses
import doctest
import importlib.util
import inspect
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import command_line
import draw
import numpy as np
import pytest
import situations

import cleanup_env
from cleanup_env import CLASS_NAMES, FEATURE_NAMES, PRESETS, Action, make_config
from cleanup_env.maps import AGENT, APPLE, BEAM, SELF, WALL, WASTE
from contract_wrapper import COSTS, RIVALS, Contract, ContractedGame, CPMESConfig, sb3_vec_env
from contract_wrapper.learners.mtmfq_profiles import MTMFQ_PROFILES as PROFILES
from mtmfq import MTMFQConfig

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def text(page: str) -> str:
    """A page as one line, so that no line break hides a sentence."""
    return " ".join((DOCS / page).read_text().split())


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), flags=re.MULTILINE | re.DOTALL)


# ---- what the pages run

FEATURES: dict[str, Callable[[], bool]] = {
    "equal_actions": lambda: "equal_actions" in inspect.signature(cleanup_env.parallel_env).parameters,
    "flat_infos": lambda: "total_reward" in cleanup_env.parallel_env().reset(seed=0)[1]["harvester_0"],
    "action_masks": lambda: hasattr(sb3_vec_env(ContractedGame(Contract.none())), "action_masks"),
}
"""What a block may need besides packages."""


def runnable(page: str) -> Iterator[tuple[str, list[str]]]:
    """The Python blocks of a page, each with what is missing of all that was said to be needed before it."""
    needed: list[str] = []
    pattern = r"^<!-- needs: ([\w, ]+) -->$|^```python\n(.*?)^```"
    for needs, block in re.findall(pattern, (DOCS / page).read_text(), flags=re.MULTILINE | re.DOTALL):
        needed += needs.split(", ") if needs else []
        if block:
            yield block, [need for need in needed if not there(need)]


def there(need: str) -> bool:
    return FEATURES[need]() if need in FEATURES else importlib.util.find_spec(need) is not None


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_every_python_block_of_a_page_runs_one_after_another(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {"__name__": "__main__"}
    for block, missing in runnable(page):
        if missing:
            pytest.skip(f"from here on the page needs {', '.join(missing)}")
        exec(compile(block, page, "exec"), scope)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "pycon")])
def test_every_session_on_a_page_gives_what_the_page_shows(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    session = doctest.DocTestParser().get_doctest("\n".join(blocks(page, "pycon")), {}, page, page, 0)
    told: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF).run(session, out=told.append)
    assert result.failed == 0, "".join(told)
    assert result.attempted >= 1


WITHOUT = """
import importlib.machinery, sys
missing, program, *arguments = sys.argv[1:]
find = importlib.machinery.PathFinder.find_spec
importlib.machinery.PathFinder.find_spec = classmethod(
    lambda cls, name, *where: None if name.partition(".")[0] == missing else find(name, *where)
)
from importlib import import_module
main = import_module({"cleanup-contracts": "contract_wrapper.cli", "contract-tree": "contract_tree.cli"}[program]).main
sys.exit(main(arguments))
"""
"""Runs a command as if a package were not installed."""


def commands() -> list[tuple[str, str, str, str]]:
    """Page, missing package (or nothing), command and what it prints, of every `console` block."""
    found = []
    for page in PAGES:
        pattern = r"(?:<!-- without: (\w+) -->\n\n)?^```console\n(.*?)^```"
        for missing, block in re.findall(pattern, (DOCS / page).read_text(), flags=re.MULTILINE | re.DOTALL):
            for command, printed in re.findall(r"^\$ (.+)\n((?:(?!\$ ).+\n)*)", block, flags=re.MULTILINE):
                found.append((page, missing, command, printed))
    return found


@pytest.mark.parametrize(("page", "missing", "command", "printed"), commands())
def test_every_command_that_fails_on_a_page_prints_what_the_page_shows(
    page: str,
    missing: str,
    command: str,
    printed: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if missing:
        words = [sys.executable, "-c", WITHOUT, missing, *shlex.split(command)]
        ran = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env=with_path())
        code, told = ran.returncode, ran.stderr
    else:
        monkeypatch.chdir(tmp_path)
        program, *arguments = shlex.split(command)
        code, told = main_of(program)(arguments), capsys.readouterr().err
    assert code == 2
    assert told.endswith(printed), f"{page}: {told}"
    assert printed


def main_of(program: str) -> Callable[[list[str]], int]:
    from contract_tree.cli import main as tree
    from contract_wrapper.cli import main as contracts

    return {"cleanup-contracts": contracts, "contract-tree": tree}[program]


def with_path() -> dict[str, str]:
    """The environment, with the packages of this repository where a command in another folder finds them."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "agents")])}


def test_the_reference_of_the_command_line_is_what_the_parsers_say() -> None:
    again = "write it anew: python docs/command_line.py"
    assert command_line.PAGE.read_text() == command_line.text(), again


def test_the_reference_of_the_command_line_has_every_option() -> None:
    from contract_tree.cli import build_parser as tree
    from contract_wrapper.cli import build_parser as contracts

    page = command_line.text()
    for parser in (contracts(), tree()):
        assert f"## {parser.prog}\n" in page
        for word in re.findall(r"--[a-z][\w-]+", "".join(helps(parser))):
            assert word == "--help" or f"`{word}" in page, word


def helps(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The help of a program and of its commands."""
    yield parser.format_help()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from helps(command)


def test_every_option_in_a_shell_block_is_one_of_the_command_line() -> None:
    from contract_wrapper.cli import build_parser

    lines = [
        line.split("#")[0].strip() for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()
    ]
    ours = [line.removeprefix("cleanup-contracts ").split() for line in lines if line.startswith("cleanup-contracts ")]
    assert len(ours) >= 5
    for arguments in ours:
        build_parser().parse_args(arguments)


def test_every_option_for_trees_in_a_shell_block_is_one_of_their_command_line() -> None:
    from contract_tree.cli import build_parser

    lines = [
        line.split("#")[0].split() for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()
    ]
    ours = [words[1:] for words in lines if words[:1] == ["contract-tree"]]
    assert len(ours) >= 3
    for arguments in ours:
        build_parser().parse_args(arguments)


def test_extras_and_scripts_that_are_named_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for page in PAGES:
        assert set(re.findall(r"\.\[(\w+)\]", text(page))) <= set(extras), page
        assert set(re.findall(r"extra `(\w+)`", text(page))) <= set(extras), page
        for script in re.findall(r"`(?:python )?((?:examples|benchmarks|docs)/\w+\.py)", text(page)):
            assert (ROOT / script).is_file(), f"{page} names {script}"
        for module in re.findall(r"`python -m (\w+)", text(page)):
            assert importlib.util.find_spec(module), f"{page} names {module}"


def places() -> list[tuple[str, str, str]]:
    """Page, file and name (or nothing) of every place in the code that a page names as `file.py:name`."""
    pattern = r"`((?:agents/mtmfq|benchmarks|cleanup_env|contract_tree|contract_wrapper|tests)/[\w./]*)(?::(\w+))?`"
    return [(page, *found) for page in PAGES for found in re.findall(pattern, (DOCS / page).read_text())]


def test_places_in_the_code_that_pages_name_exist() -> None:
    found = places()
    assert len([page for page, _, _ in found if page == "glossary.md"]) >= 40
    assert len([page for page, _, _ in found if page == "layout.md"]) >= 20
    for page, path, name in found:
        assert (ROOT / path).exists(), f"{page} names {path}"
        if name:
            defined = rf"^\s*(?:(?:def|class) {name}\b|{name}(?::| =))"
            assert re.search(defined, (ROOT / path).read_text(), re.MULTILINE), f"{path} defines no {name} ({page})"


# ---- tables


def table_of(page: str, first: str) -> dict[str, list[str]]:
    """The rows of the table whose header begins with `first`: name in the first cell -> the other cells."""
    rows: dict[str, list[str]] = {}
    inside = False
    for line in (DOCS / page).read_text().splitlines():
        line = re.sub(r"<!--.*?-->", "", line)
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        inside = bool(cells) and (inside or cells[0] == first)
        if inside and cells[0] != first and not set(cells[0]) <= {"-", ":"}:
            rows[cells[0].removesuffix(" (default)").strip("`")] = [cell.strip("`") for cell in cells[1:]]
    return rows


def plain(value: Any) -> str:
    """A setting as the profile table writes it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(v)}" for name, v in value.items())
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return ", ".join(f"{t:g} at {x:g}" for x, t in value)
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def test_the_profile_table_is_the_one_that_the_code_gives() -> None:
    rows, names = table_of("learner.md", "setting"), ["fast", *(name for name in PROFILES if name != "fast")]
    assert list(rows) == [f.name for f in dataclasses.fields(MTMFQConfig)]
    for setting, cells in rows.items():
        usual, *others = (plain(getattr(PROFILES[name], setting)) for name in names)
        assert cells == [usual, *(value if value != usual else "" for value in others)], setting


def test_the_preset_table_lists_what_presets_change() -> None:
    rows = table_of("game.md", "setting")
    assert set(rows) == {name for changes in PRESETS.values() for name in changes}
    for setting, cells in rows.items():
        assert cells == [str(getattr(make_config(name), setting)) for name in PRESETS], setting


def test_the_cost_table_lists_the_named_costs() -> None:
    rows = table_of("contracts.md", "name")
    assert {name: cells[0] for name, cells in rows.items()} == {name: str(rule) for name, rule in COSTS.items()}


def test_the_table_of_search_settings_has_every_field() -> None:
    rows = table_of("optimiser.md", "setting")
    usual, printed = CPMESConfig(), CPMESConfig.paper()
    expected = {f.name: [str(getattr(c, f.name)) for c in (usual, printed)] for f in dataclasses.fields(CPMESConfig)}
    assert rows == expected


def test_the_table_of_rivals_lists_them() -> None:
    assert list(table_of("optimiser.md", "name")) == list(RIVALS)


def test_the_class_table_names_and_numbers_the_classes() -> None:
    assert table_of("game.md", "number") == {str(number): [name] for number, name in enumerate(CLASS_NAMES)}


def test_the_action_table_names_and_numbers_the_actions() -> None:
    def listed(actions: tuple[Action, ...], start: int = 0) -> str:
        return ", ".join(f"{number} {action.name.lower()}" for number, action in list(enumerate(actions))[start:])

    config, rows = make_config("original"), table_of("game.md", "role")
    assert rows["harvester"][-1] == listed(config.actions("harvester"))
    assert rows["cleaner"][-1] == "the same, and " + listed(config.actions("cleaner"), 7)
    assert make_config("contract").actions("free") == config.actions("cleaner")
    free = f"the same, and {listed(config.actions('cleaner'), 7)}; with the penalty beam {listed(config.actions('free'), 7)}"
    assert rows["free"][-1] == free


# ---- pictures


def named_pictures() -> dict[str, str]:
    found = {}
    for page in PAGES:
        for alt, path in re.findall(r"!\[([^]]*)\]\(([^)]+)\)", (DOCS / page).read_text()):
            assert alt, f"{page} shows {path} without a text for those who cannot see it"
            found[path] = page
    return found


def test_the_pages_show_every_picture_that_is_drawn_and_no_other() -> None:
    assert set(named_pictures()) == {f"images/{name}.png" for name in draw.PICTURES}


@pytest.mark.parametrize("name", draw.PICTURES)
def test_a_picture_is_small_and_what_the_code_draws_today(name: str) -> None:
    from PIL import Image

    path = DOCS / "images" / f"{name}.png"
    assert path.stat().st_size < 60_000
    drawn = draw.PICTURES[name]()
    again = f"draw it again: python docs/draw.py {name}"
    with Image.open(path) as stored:
        if isinstance(drawn, draw.Chart):
            assert stored.info["data"] == drawn.digest(), again
        else:
            assert np.array_equal(np.asarray(stored.convert("RGB")), drawn), again


# ---- captions


def cells(board: Any, what: int) -> set[tuple[int, int]]:
    return {(int(row), int(column)) for row, column in np.argwhere(board == what)}


def after(scene: Any) -> tuple[Any, set[tuple[int, int]], set[tuple[int, int]]]:
    """The game after a scene's step, the cells of its beam, and its waste."""
    game = scene.after()
    return game, cells(game.board()[0], BEAM), cells(game.ground()[0], WASTE)


@pytest.mark.parametrize(("scene", "length"), [(situations.REACH[0], 5), (situations.REACH[1], 3)])
def test_a_beam_has_three_lanes_and_the_side_lanes_start_beside_the_agent(scene: Any, length: int) -> None:
    _, beam, _ = after(scene)
    side = {(row, 1 + k) for row in (1, 3) for k in range(length)}
    assert beam == {(2, 2 + k) for k in range(length)} | side


def test_a_lane_ends_at_the_first_waste_cell_and_one_shot_cleans_three() -> None:
    game, beam, waste = after(situations.ENDS_AT_WASTE)
    assert game.cleaned.tolist() == [[3]]
    assert waste == {(1, 4), (2, 5), (3, 2)}  # the second of each lane
    assert not beam & waste
    assert max(column for row, column in beam if row == 2) == 4
    _, rewards, _ = game.step(np.array([[7]]))  # a second shot, which pays nothing either
    assert rewards.tolist() == [[0.0]]


def test_a_lane_ends_at_the_first_agent_and_an_agent_beside_the_shooter_shuts_its_lane() -> None:
    game, beam, waste = after(situations.ENDS_AT_AGENT)
    assert waste == {(2, 4), (3, 2)}
    assert {row for row, _ in beam} == {1, 2}
    assert {column for row, column in beam if row == 2} == {2}
    assert game.cleaned[0].tolist() == [0, 0, 1]


def test_a_lane_ends_at_a_wall() -> None:
    _, beam, waste = after(situations.ENDS_AT_WALL)
    assert waste == {(1, 4), (2, 5)}
    assert {row: max(column for r, column in beam if r == row) for row in (1, 2, 3)} == {1: 2, 2: 3, 3: 5}


def test_a_lot_decides_who_gets_a_contested_cell_and_the_other_stays() -> None:
    position = situations.CONTEST.after(n_games=400).position
    first = (position[:, 0] == [2, 2]).all(axis=1)
    second = (position[:, 1] == [2, 2]).all(axis=1)
    assert (first ^ second).all()
    assert 140 < first.sum() < 260  # six standard deviations
    assert (position[first, 1] == [1, 2]).all()
    assert (position[second, 0] == [2, 1]).all()


def test_two_who_would_swap_stay_and_a_ring_of_four_moves_on() -> None:
    assert situations.SWAP.after().position[0].tolist() == situations.SWAP.before().position[0].tolist()
    before = situations.RING.before().position[0].tolist()
    assert situations.RING.after().position[0].tolist() == [*before[1:], before[0]]


def test_the_chance_of_an_apple_falls_in_a_straight_line_to_zero() -> None:
    density, chance = situations.apple_chances()
    np.testing.assert_allclose(chance, np.maximum(0.0, 0.05 * (1 - density / 0.4)), atol=1e-12)


def test_waste_rises_by_a_cell_per_step_to_its_ceiling_and_without_one_the_river_clogs() -> None:
    loop, free, late = (situations.waste_curve(settings) for settings in situations.WASTE_MODES.values())
    assert (loop == np.minimum(np.arange(1, 301), 48)).all()
    assert free[-1] > 115
    assert free[99] == pytest.approx(50, abs=4)
    assert (late[:50] == 0).all()
    assert late[50:].max() > 100


def test_without_cleaners_the_orchard_empties_and_more_cleaners_leave_less_waste() -> None:
    curves = [situations.field_curves(n_cleaners) for n_cleaners in situations.CREWS]
    assert curves[0][1, -1] < 1
    waste = [curve[0].mean() for curve in curves]
    assert waste == sorted(waste, reverse=True)


def test_presets_start_as_the_picture_says_and_without_cleaning_come_to_what_it_says() -> None:
    start = {name: situations.preset_games(name) for name in PRESETS}
    later = {name: situations.preset_games(name, situations.UNCLEANED_STEPS) for name in PRESETS}
    apples = {name: (game.ground() == APPLE).sum() for name, game in start.items()}
    assert apples == {"contract": 103, "original": 0, "meltingpot-like": 0}
    assert {name: int(game.waste[0]) for name, game in start.items()} == {
        "contract": 0, "original": 56, "meltingpot-like": 56,
    }  # fmt: skip
    assert int(later["contract"].waste[0]) == 48
    assert (later["original"].ground() == start["original"].ground()).all()
    assert later["meltingpot-like"].waste[0] > 80
    assert later["contract"].apple_chance[0] == later["original"].apple_chance[0] == 0.0


def test_a_window_is_the_map_around_the_agent_turned_so_that_it_faces_up_with_walls_outside() -> None:
    game = situations.field_of_view()
    board, seen, r = game.board()[0], situations.what_is_seen("symbolic"), game.config.radius
    padded = np.pad(board, r, constant_values=WALL)
    for i in situations.WATCHED:
        row, column = game.position[0, i]
        window = np.rot90(padded[row : row + 2 * r + 1, column : column + 2 * r + 1], k=int(game.heading[0, i]))
        expected = window.copy()
        assert window[r, r] == AGENT
        expected[r, r] = SELF
        assert (seen[i] == expected).all()
    assert game.heading[0, situations.WATCHED].tolist() == [1, 0]  # east, and north
    corner = game.position[0, situations.WATCHED[1]]
    assert (corner < r).all()  # its window leaves the map above and to the left


def test_contracts_bring_the_chain_of_three_to_its_best_and_one_contract_alone_does_not() -> None:
    missed = {name: result.gap().mean() for name, result in draw.chain_results(horizon=20_000, n_games=2).items()}
    assert missed["everybody learns what to pay"] < 0.01
    assert missed["nobody pays"] == pytest.approx(0.122, abs=0.01)
    assert missed["only the leaf is paid"] == pytest.approx(0.122, abs=0.01)


def test_oneself_is_white_in_rgb_and_a_cell_is_in_one_plane() -> None:
    assert situations.what_is_seen("rgb")[0, 7, 7].tolist() == [255, 255, 255]
    planes, classes = situations.what_is_seen("one_hot")[0], situations.what_is_seen("symbolic")[0]
    assert (planes.sum(axis=0) == 1).all()
    assert (planes.argmax(axis=0) == classes).all()
    features = situations.what_is_seen("features")[0]
    assert features.shape == (len(FEATURE_NAMES),)
    assert np.abs(features).max() <= 1
    assert features[FEATURE_NAMES.index("heading_east")] == 1


def test_seeing_is_mutual_and_walls_hide_nothing() -> None:
    game = situations.stage(("@@@@@@@@@", "@P@P   R@", "@@@@@@@@@"), [(1, 1, "N"), (1, 3, "E")], n_harvesters=2)
    assert game.visible()[0].tolist() == [[False, True], [True, False]]
