"""What every command can do besides its work: documents, loudness, versions, completion, formats, games of one's own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands_here import Command
from made_up_landscapes import made_up_landscape
from process_table import environment

from cleanup_env.maps import default_map
from contract_wrapper.cli import build_parser, main
from contract_wrapper.commands.configured import Configured, configure
from contract_wrapper.commands.documents import plain, to_json
from contract_wrapper.commands.output import folded
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscape_job import command_of
from contract_wrapper.landscape_job import folder_name as landscape_name
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.main_job import folder_name as study_name
from contract_wrapper.playback import play

SMALL = ["--profile", "smoke", "--episodes", "64", "--set", "learner.hidden=[16]", "--set", "game.horizon=200"]
EVALUATE = ["evaluate", "--tax", "0.04", "--cleaners", "2", *SMALL]
COMMANDS = ("optimize", "evaluate", "certify", "landscape", "play", "report", "show")


def cli(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "contract_wrapper", *arguments]
    return subprocess.run(
        command, cwd=cwd, env={**environment(), **(env or {})}, capture_output=True, text=True, timeout=300
    )


def parsed(*arguments: str) -> Any:
    return build_parser().parse_args(arguments)


def configured(command: str, *arguments: str) -> Configured:
    return configure(parsed(command, *arguments), command)


# ---- documents


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """One contract, evaluated with a document and event files."""
    folder = tmp_path_factory.mktemp("evaluated")
    return folder, cli(*EVALUATE, "--json", "--log", "tensorboard", cwd=folder)


def test_a_document_is_all_of_stdout_and_has_every_digit(
    evaluated: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, result = evaluated
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    assert (said["format"], said["version"], said["program"]["name"]) == (
        "cleanup-contracts evaluate",
        1,
        "cleanup-contracts",
    )
    assert said["options"]["tax"] == 0.04
    known = said["configuration"]
    assert (known["learner"]["episodes"], known["learner"]["name"], known["crews"]) == (64, "mtmfq", None)
    told = said["result"]
    kept = [json.loads(path.read_text()) for path in (folder / "studies" / "evaluations").glob("*.json")]
    welfare = {
        json.dumps(it["outcome"]["contract"], sort_keys=True): it["outcome"]["welfare"] for it in map(inside, kept)
    }
    for outcome in (*told["baselines"], told["mean"]):
        assert outcome["welfare"] == welfare[json.dumps(outcome["contract"], sort_keys=True)]
    assert told["outcomes"] == [told["mean"]]
    assert set(told["margins"]) == {*(f"harvester_{i}" for i in range(5)), "participation"}
    assert told["feasible"] is all(margin["mean"] >= 0 for margin in told["margins"].values())
    assert "trained" in result.stderr


def inside(kept: Any) -> Any:
    """The outcome in a file, whatever is around it."""
    if isinstance(kept, dict) and "outcome" in kept:
        return kept
    return next(inside(value) for value in kept.values() if isinstance(value, dict) and "outcome" in json.dumps(value))


def test_the_command_line_writes_event_files_that_tensorboard_reads(
    evaluated: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder, result = evaluated
    told = json.loads(result.stdout)["result"]
    runs = sorted((folder / "studies" / "evaluations" / "tensorboard").iterdir())
    assert [run.name.rpartition("-")[0] for run in runs] == ["no-contract-seed0", "tax0.04-cleaners2-seed0"]
    for run, outcome in zip(runs, (told["baselines"][0], told["mean"]), strict=True):
        events = EventAccumulator(str(run))
        events.Reload()
        np.testing.assert_allclose(
            [event.value for event in events.Scalars("return/harvester")],
            outcome["training_curve"]["harvester"],
            rtol=1e-6,
        )


def test_quiet_leaves_the_result_and_nothing_else(
    evaluated: tuple[Path, subprocess.CompletedProcess[str]], command: Command
) -> None:
    folder, _ = evaluated
    for words in ([*EVALUATE, "-q"], ["--quiet", *EVALUATE]):
        result = command(*words, cwd=folder)
        assert result.returncode == 0
        assert result.stderr == ""
        assert result.stdout.startswith("tax 0.04, 2 cleaners")
        assert max(map(len, result.stdout.splitlines())) <= 80


def test_verbose_says_settings_versions_and_each_training(command: Command, tmp_path: Path) -> None:
    result = command(*EVALUATE, "-v", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    said = dict(line.partition(": ")[::2] for line in result.stderr.splitlines())
    assert json.loads(said["settings"])["costs"] == "cleaner:per_shot=0.02"
    assert json.loads(said["versions"])["numpy"] == np.__version__
    for name in ("no-contract-seed0-", "tax0.04-cleaners2-seed0-"):
        assert f"training {name}" in result.stderr
    assert result.stderr.count(" begins (episode 64)") == result.stderr.count(" ends at episode 64: return") == 2


def test_an_error_with_a_document_is_an_exit_code_and_a_line_on_stderr(command: Command, tmp_path: Path) -> None:
    result = command("evaluate", "--tax", "1.5", "--cleaners", "2", "--json", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "tax" in result.stderr


def test_what_a_library_prints_does_not_reach_a_document(tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(
        "import os, sys\nfrom contract_wrapper.playback import play\nwhole = play.play_command\n"
        "def noisy(**how):\n    print('printed')\n    os.write(1, b'written')\n    os.system('echo shouted')\n    return whole(**how)\n"
        "play.play_command = noisy\nfrom contract_wrapper.cli import main\n"
        "sys.exit(main(['play', '--cleaners', '2', '--steps', '2', '--json']))\n"
    )
    result = subprocess.run(
        [sys.executable, "noisy.py"], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["format"] == "cleanup-contracts play"
    assert {"printed", "shouted"} <= set(result.stderr.replace("written", "").split())


def test_what_is_printed_in_the_same_process_does_not_reach_a_document(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = play.play_command

    def noisy(**how: Any) -> Any:
        print("printed")
        return whole(**how)

    monkeypatch.setattr(play, "play_command", noisy)
    assert main(["play", "--cleaners", "2", "--steps", "2", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["format"] == "cleanup-contracts play"
    assert said.err.startswith("printed")


def test_play_says_every_step_in_its_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["play", "--tax", "0.5", "--cleaners", "2", "--steps", "30", "--gif", "a.gif", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["result"]
    assert [step["step"] for step in told["steps"]] == list(range(31))
    assert told["agents"][-2:] == ["cleaner_0", "cleaner_1"]
    paid = sum(-min(0.0, t) for step in told["steps"] for t in step["transfers"])
    assert paid == pytest.approx(told["steps"][-1]["tax"])
    assert paid > 0
    assert told["files"] == ["a.gif"]


def test_a_study_and_its_report_are_documents(
    fake_study: Any,
    unrendered: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("contract_wrapper.studies.study.read_study", lambda *_, **__: fake_study)
    assert main(["report", str(tmp_path), "--json", "--format", "svg"]) == 0
    told = json.loads(capsys.readouterr().out)["result"]
    assert (told["kind"], told["best"], len(told["trials"])) == ("study", 10, len(fake_study.trials))
    best = told["trials"][10]
    assert (best["contract"], best["feasible"], best["acceptance"]) == (
        {"tax": 0.19, "n_cleaners": 5},
        True,
        "accepted",
    )
    assert best["outcome"]["welfare"]["mean"] == 538.5
    assert told["confirmation"]["outcome"]["welfare"]["mean"] == pytest.approx(539.5)
    assert [t["number"] for t in told["trials"] if t["state"] == "failed"] == [
        t.number for t in fake_study.trials if t.failure
    ]
    assert "welfare_over_designs.svg" in {Path(file).name for file in told["files"]}


def test_a_landscape_is_a_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract_wrapper.reports.landscape_report.write_landscape_report", lambda *_, **__: [])
    made_up_landscape(3, n_taxes=4).save(tmp_path / "landscape.npz")
    landscape = Landscape.load(tmp_path / "landscape.npz")
    assert main(["report", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["result"]
    assert (told["kind"], told["seeds"], told["epsilon"]) == (
        "landscape",
        list(landscape.seeds),
        landscape.default_epsilon(),
    )
    assert [c["welfare"] for c in told["contracts"]] == landscape.welfare.T.tolist()
    assert [c["certified"] for c in told["contracts"]] == landscape.certified().tolist()
    assert told["best"]["verdict"] == "certified"
    assert told["contracts"][0]["utilities"][0][-1] is None  # no cleaner without a contract


def test_certify_is_a_document(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    landscape = made_up_landscape(3, n_taxes=4)
    contract = landscape.contracts()[3]
    made = landscape.certificate(contract)
    monkeypatch.setattr("contract_wrapper.landscapes.certify.certify_command", lambda *_, **__: made)
    assert main(["certify", "--tax", str(contract.tax), "--cleaners", "1", *SMALL, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    told = said["result"]
    assert said["configuration"]["learner"]["episodes"] == 64
    assert told["verdict"] == made.verdict.value
    assert [m["lower"] for m in told["margins"]] == [m.lower for m in made.margins]
    assert told["deciding"]["name"] == made.deciding.name


def test_json_is_strict_whatever_is_in_it() -> None:
    odd = {
        1: (float("nan"), np.float64("inf"), np.int64(3)),
        "a": np.array([[1.0, np.nan]]),
        "p": Path("x"),
        "s": np.bool_(True),
    }
    assert json.loads(to_json(odd)) == {"1": [None, None, 3], "a": [[1.0, None]], "p": "x", "s": True}
    assert plain(0.1 + 0.2) == 0.30000000000000004


# ---- the program


def test_every_command_can_be_quiet_verbose_and_a_document() -> None:
    needed = {
        "evaluate": ["--tax", "0", "--cleaners", "1"],
        "certify": ["--tax", "0", "--cleaners", "1"],
        "report": ["x"],
    }
    for name in COMMANDS:
        words = [name, *needed.get(name, [])]
        assert parsed(*words, "--json").json
        assert parsed(*words, "-q").quiet
        assert parsed("-v", *words).verbose
        assert not parsed(*words).quiet


def test_version_is_that_of_what_is_installed(command: Command) -> None:
    import importlib.metadata

    result = command("--version")
    assert result.returncode == 0
    assert result.stdout == f"cleanup-contracts {importlib.metadata.version('cleanup-contracts')}\n"


def test_bash_completes_commands_options_and_choices(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("shtab")
    (tmp_path / "completion").write_text(command("--print-completion", "bash").stdout)
    asks = {"ev": ["evaluate"], "evaluate --see": ["--seed", "--seeds"], "report --format p": ["png", "pdf"]}
    for words, wanted in asks.items():
        line = ["cleanup-contracts", *words.split()]
        script = (
            f"source completion; COMP_WORDS=({' '.join(line)}); COMP_CWORD={len(line) - 1}; "
            f"_shtab_cleanup_contracts cleanup-contracts '{line[-1]}' '{line[-2]}'; echo \"${{COMPREPLY[@]}}\""
        )
        found = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
        assert found.stdout.split() == wanted, found.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_for_other_shells_names_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    with pytest.raises(SystemExit) as end:
        main(["--print-completion", shell])
    assert end.value.code == 0
    script = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in script] == []


def test_completion_without_its_package_names_the_extra(tmp_path: Path) -> None:
    program = "import sys\nsys.modules['shtab'] = None\nfrom contract_wrapper.cli import main\nmain(['--print-completion', 'bash'])"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert 'pip install "cleanup-contracts[completion]"' in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_into_80_columns(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


# ---- games and payments of one's own


def test_harvesters_and_a_map_make_another_game(tmp_path: Path) -> None:
    lines = [row.replace("B", " ") for row in default_map()[:5]] + list(default_map()[5:])
    (tmp_path / "mine.txt").write_text("\n".join(lines) + "\n")
    game = configured("optimize", "--harvesters", "3", "--map", str(tmp_path / "mine.txt")).evaluation().game
    assert (game.n_harvesters, game.map) == (3, tuple(lines))
    assert configured("optimize").evaluation().game.map == default_map()


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), (b"\xff\xfe", "other letters"), (b"@" * 1_000_001, "1,000,000 bytes")],
)
def test_a_file_that_is_no_map_is_refused(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ContractsError, match=message):
        configured("optimize", "--map", str(path))


def test_another_game_lies_in_another_folder(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("\n".join(default_map()))
    for command, name in (("optimize", study_name), ("landscape", landscape_name)):
        names = [name(configured(command, *words)) for words in ((), ("--harvesters", "3"), ("--map", str(path)))]
        assert len(set(names)) == 3
        assert "3-harvesters" in names[1]
        assert "map-" in names[2]
    path.rename(tmp_path / "my map.txt")
    again = command_of(configured("landscape", "--harvesters", "3", "--map", str(tmp_path / "my map.txt")), 2)
    assert f"--harvesters 3 --map '{tmp_path / 'my map.txt'}'" in again


@pytest.mark.parametrize(("rule", "tax"), [("cells", "0.5"), ("price:0.5", "0")])
def test_a_payment_rule_pays_cleaners_by_what_they_clean(
    rule: str, tax: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["play", "--tax", tax, "--cleaners", "2", "--steps", "60", "--payment", rule, "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)["result"]["steps"]
    transfers = np.array([step["transfers"] for step in steps])
    assert transfers.sum(axis=1) == pytest.approx(0.0)
    assert not np.allclose(transfers[:, -1], transfers[:, -2])  # equal parts would be equal


def test_a_contract_is_evaluated_under_another_payment_without_a_file(command: Command, tmp_path: Path) -> None:
    result = command(*EVALUATE, "--payment", "cells", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "is not kept" in result.stdout
    assert list(tmp_path.rglob("*.json")) == []


@pytest.mark.parametrize("rule", ["gold", "price", "price:", "price:much", "price:-1", "price:nan"])
def test_a_payment_that_there_is_not_is_one_line(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", "--cleaners", "2", "--payment", rule, "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "price" in said.err


@pytest.mark.parametrize("rule", ["sharing", "sharing:", "sharing:much", "sharing:-1", "sharing:1.5", "sharing:nan"])
def test_a_share_that_there_is_not_is_one_line(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", "--cleaners", "2", "--payment", rule, "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "shar" in said.err


@pytest.mark.parametrize("cleaners", ["0", "2"])
def test_rewards_are_shared_with_a_crew_and_without(cleaners: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--tax", "0", "--cleaners", cleaners, "--steps", "60", "--payment", "sharing:0.2", "--json"]
    assert main(["play", *options]) == 0
    transfers = np.array([s["transfers"] for s in json.loads(capsys.readouterr().out)["result"]["steps"]])
    assert transfers.sum(axis=1) == pytest.approx(0.0)
    assert (transfers != 0).any()


@pytest.mark.parametrize(
    ("tax", "cleaners", "words"),
    [
        ("0.3", "2", "takes 0.0: give both the same tax"),
        ("0", "0", "without cleaners there is no contract, which is wh"),
    ],
)
def test_a_contract_that_sharing_does_not_go_with_is_refused(
    tax: str,
    cleaners: str,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--tax", tax, "--cleaners", cleaners, *SMALL, "--processes", "1", "--payment", "sharing:0.2"]
    assert main(["evaluate", *options]) == 2
    assert words in capsys.readouterr().err


# ---- figures


@pytest.fixture
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report of a landscape has its first figure alone; `reports` tests that it has all of them."""

    def leave_out(*_: Any, **__: Any) -> None:
        raise ContractsError("left out")

    for name in ("draw_gains", "draw_margins", "draw_alike", "draw_free_riding"):
        monkeypatch.setattr(f"contract_wrapper.reports.landscape_report.{name}", leave_out)


@pytest.mark.parametrize(("format", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_a_report_has_figures_of_the_format_asked_for(
    format: str, begins: bytes, one_figure: None, tmp_path: Path
) -> None:
    made_up_landscape(2, n_taxes=3).save(tmp_path / "landscape.npz")
    first = {}
    for _ in range(2):
        assert main(["-q", "report", str(tmp_path), "--format", format]) == 0
        files = {path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir() if path.suffix != ".md"}
        first = first or files
        assert files == first  # the same bytes each time
    assert list(first) == [f"landscape_welfare.{format}"]
    assert all(data.startswith(begins) for data in first.values())
    page = (tmp_path / "figures" / "report.md").read_text()
    assert [name for name in first if f"]({name})" not in page] == []


def test_a_report_for_a_paper_has_the_width_of_a_column_and_no_titles(one_figure: None, tmp_path: Path) -> None:
    made_up_landscape(2, n_taxes=3).save(tmp_path / "landscape.npz")
    words = ["-q", "report", str(tmp_path), "--format", "svg", "--no-titles", "--width"]
    assert main([*words, "column"]) == 0
    figure = (tmp_path / "figures" / "landscape_welfare.svg").read_text()
    assert 'width="244.8pt"' in figure  # 3.4 inches of 72 points
    assert main([*words, "5.0"]) == 0
    assert 'width="360pt"' in (tmp_path / "figures" / "landscape_welfare.svg").read_text()
    for width in ("wide", "1", "nan"):
        assert main([*words, width]) == 2


def test_lines_are_folded_at_blanks_and_paths_stay_whole() -> None:
    path = "/a" * 60
    assert folded(f"figures: {path}", 20) == f"figures:\n    {path}"
    assert folded("short\n  indented", 20) == "short\n  indented"
