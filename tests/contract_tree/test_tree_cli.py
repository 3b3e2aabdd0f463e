"""The command line, in small real runs: what it writes, what it says, and how it refuses."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from small_trees import pair

from contract_tree import TreeError, load_result, named_tree, save_result, simulate
from contract_tree.cli import build_parser, main, parse_players
from contract_tree.progress import STARTING, Progress
from contract_tree.report import closing_table

FIGURES = ("welfare.png", "regret.png", "payments.png", "tree.png")


def run(folder: Path, *options: str) -> int:
    return main(["run", "--horizon", "3000", "--games", "3", "--folder", str(folder), *options])


def test_a_run_is_kept_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert run(tmp_path / "run") == 0
    said = capsys.readouterr()
    assert "3 games of 3,000 rounds, seed 0, Gaussian noise sd 0.1" in said.out
    assert "best welfare per round:    2.0500 (nobody pays: 1.8000)" in said.out
    assert " of 3 nodes keep less than where nobody pays" in said.out
    assert "unknown" not in said.out
    assert said.err.startswith("starting ...")
    assert said.err.splitlines()[-1].startswith("round 3,000 of 3,000 (100 %), took 0:0")
    assert "\x1b" not in said.err
    assert main(["report", str(tmp_path / "run")]) == 0
    names = {path.name for path in (tmp_path / "run" / "report").iterdir()}
    assert names == {*FIGURES, "nodes.csv", "welfare.csv"}
    assert min((tmp_path / "run" / "report" / name).stat().st_size for name in FIGURES) > 10_000
    with (tmp_path / "run" / "report" / "nodes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["node"] for row in rows] == ["root", "middle", "leaf"]
    assert [row["best_action"] for row in rows] == ["1", "1", "1"]
    assert [float(row["needed"]) for row in rows] == pytest.approx([0.0, 0.15, 0.2])
    assert [float(row["alone"]) for row in rows] == pytest.approx([0.5, 0.7, 0.6])
    assert [float(row["margin"]) for row in rows] == pytest.approx(
        [float(row["utility"]) - float(row["alone"]) for row in rows]
    )


def test_players_without_contracts_take_part_in_nothing_and_lose_what_they_explore(tmp_path: Path) -> None:
    result = simulate(named_tree("chain"), "ucb", horizon=3000, n_games=3)
    text = closing_table(result)
    below = int((result.margins().mean(axis=0) < -1e-9).sum())
    assert below > 0
    assert f"participation:             {below} of 3 nodes keep less than where nobody pays," in text
    least = result.margins().mean(axis=0)
    assert f"least margin of a node:    {least.min():.4f} ± " in text
    assert f"({result.tree.names[least.argmin()]})" in text


def test_players_that_do_not_know_the_horizon_are_said_to_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Epochs of 256, 512, 1024 and 2048 rounds, the last of which is cut."""
    assert run(tmp_path / "run", "--unknown-horizon", "-v") == 0
    said = capsys.readouterr()
    assert "the horizon is unknown to the players, who begin anew 3 times, last in round 1,792" in said.out
    assert 'epochs: {"begin": [0, 256, 768, 1792]}' in said.err
    assert load_result(tmp_path / "run").epochs == (0, 256, 768, 1792)
    assert run(tmp_path / "run", "--unknown-horizon", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["result"]["epochs"] == [0, 256, 768, 1792]
    assert document["options"]["unknown_horizon"] is True


def test_a_tree_comes_from_a_file_and_players_stand_by_place(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(pair().as_nested()))
    assert run(tmp_path / "run", "--tree", str(path), "--players", "boss=oracle,leaves=ucb", "--bernoulli") == 0
    kept = json.loads((tmp_path / "run" / "run.json").read_text())
    assert kept["players"] == {"boss": "Oracle(inflation=1.0, spread=2.0)", "worker": "UCB(spread=2.0)"}
    assert kept["noise"] is None


def test_the_run_of_a_single_game_is_reported_too(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert run(tmp_path / "run", "--games", "1", "--players", "ucb", "--tree", "random-4-3") == 0
    assert main(["report", str(tmp_path / "run")]) == 0


def test_a_result_comes_back_exactly_as_it_was_saved(tmp_path: Path) -> None:
    result = simulate(named_tree("chain"), "tree", horizon=2000, n_games=2, seed=5)
    save_result(result, tmp_path)
    again = load_result(tmp_path)
    for what in ("rounds", "rewards", "utilities", "regrets", "received", "shares", "payments"):
        assert_array_equal(getattr(again, what), getattr(result, what), what)
    assert (again.players, again.horizon, again.noise, again.seed) == (result.players, 2000, 0.1, 5)
    assert np.isnan(again.payments[:, :2]).all()  # nobody pays the root


def test_a_folder_without_a_run_or_with_half_of_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match=r"holds no run \(run.json is missing\)"):
        load_result(tmp_path)
    save_result(simulate(pair(), "ucb", horizon=100, n_games=2), tmp_path)
    text = (tmp_path / "rounds.csv").read_text()
    (tmp_path / "rounds.csv").write_text("\n".join(text.splitlines()[:-3]))
    with pytest.raises(TreeError, match=r"rounds\.csv was damaged or edited, or belongs to another run; run it again"):
        load_result(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(TreeError, match="is damaged"):
        load_result(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tree", "chian"], "unknown tree 'chian'"),
        (["--tree", "nowhere/tree.json"], "cannot read the tree file nowhere/tree.json: No such file"),
        (["--players", "nobody"], "unknown player 'nobody'"),
        (["--players", "inner=tree,ucb"], "'ucb' is neither"),
        (["--horizon", "200"], "the horizon of 200 rounds is too short for the tree learner at 'root'"),
        (["--horizon", "0"], "horizon must be an integer of at least 10, got 0"),
        (["--horizon", "250", "--unknown-horizon"], "a game of 250 rounds is shorter than the first epoch"),
        (["--noise", "nan"], "noise must be a standard deviation"),
        (["--games", "0"], "n_games must be an integer of at least 1, got 0"),
        (["--noise", "-1"], "noise must be a standard deviation"),
        (["--players", "ipa", "--tree", "random-2-2"], "IPA is a principal of one agent"),
    ],
)
def test_a_users_error_is_one_line_and_exit_code_2(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "run", *options) == 2
    said = capsys.readouterr()
    assert said.err.startswith("contract-tree: error: ")
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file" / "run") == 2
    assert "contract-tree: error: cannot write" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "nothing")]) == 2


@pytest.mark.parametrize("text", ["=ucb", "leaf=", "a=b,,"])
def test_players_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(TreeError, match="separated by commas"):
        parse_players(text)


def test_help_answers_without_the_engine() -> None:
    program = (
        "import sys; from contract_tree.cli import build_parser; build_parser().format_help(); "
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
    assert "report" in build_parser().format_help()


def test_progress_in_a_log_is_a_line_now_and_then_and_one_at_the_end() -> None:
    log = io.StringIO()
    progress = Progress(log, horizon=1000, every=3600.0)
    for played in (100, 500, 1000):
        progress.show(played)
    assert log.getvalue() == "round 1,000 of 1,000 (100 %), took 0:00\n"
    log = io.StringIO()
    progress = Progress(log, horizon=1000, every=0.0)
    for played in (0, 1, 500):
        progress.show(played)
    assert log.getvalue().splitlines() == [STARTING, "round 500 of 1,000 (50 %), 0:00 left"]


# ---- documents, loudness, versions, completion, formats


def test_a_run_is_a_document_with_every_digit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "run", "--json", "--seed", "3") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["format"], said["version"]) == ("contract-tree run", 1)
    told, result = said["result"], load_result(tmp_path / "run")
    assert told["gap"] == result.gap().tolist()
    assert told["growth"] == result.slopes().tolist()
    assert [node["node"] for node in told["nodes"]] == ["root", "middle", "leaf"]
    assert told["best_welfare"] == result.solution.welfare
    assert (told["seed"], told["games"], told["players"]) == (
        3,
        3,
        dict(zip(told["players"], result.players, strict=True)),
    )


def test_a_single_game_has_no_interval_and_its_document_says_null(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "run", "--json", "--games", "1") == 0
    assert json.loads(capsys.readouterr().out)["result"]["nodes"][0]["utility_half"] is None


def test_quiet_says_no_progress_and_verbose_says_who_plays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "run", "-q") == 0
    assert capsys.readouterr().err == ""
    assert (
        main(["-v", "run", "--horizon", "100", "--games", "2", "--players", "ucb", "--folder", str(tmp_path / "b")])
        == 0
    )
    assert 'players: {"root": "UCB(spread=2.0)"' in capsys.readouterr().err


@pytest.mark.parametrize("tree", ["chain", "random-4-3"])
def test_the_table_fits_into_80_columns(tree: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "run", "--tree", tree, "-q") == 0
    table = capsys.readouterr().out.split("the run is kept")[0]
    assert max(map(len, table.splitlines())) <= 80


def test_names_that_are_long_are_shortened_in_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nested = json.dumps(pair().as_nested()).replace('"boss"', f'"{"b" * 60}"')
    (tmp_path / "long.json").write_text(nested)
    assert run(tmp_path / "run", "--tree", str(tmp_path / "long.json"), "-q", "--players", "ucb") == 0
    table = capsys.readouterr().out.split("the run is kept")[0]
    assert "bbbbbb..bbbbbb" in table
    assert max(map(len, table.splitlines())) <= 80


def test_version_and_completion_come_from_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("contract-tree ")
    for shell in ("bash", "zsh", "fish"):
        assert main(["--print-completion", shell]) == 0
        assert "--horizon" in capsys.readouterr().out or shell == "fish"


@pytest.mark.parametrize(("format", "begins"), [("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_a_report_has_figures_of_the_format_asked_for(format: str, begins: bytes, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert run(tmp_path / "run", "-q") == 0
    first: dict[str, bytes] = {}
    for _ in range(2):
        assert main(["report", str(tmp_path / "run"), "--format", format]) == 0
        files = {path.name: path.read_bytes() for path in (tmp_path / "run" / "report").glob(f"*.{format}")}
        first = first or files
        assert files == first
    assert set(first) == {name.replace("png", format) for name in FIGURES}
    assert all(data.startswith(begins) for data in first.values())
