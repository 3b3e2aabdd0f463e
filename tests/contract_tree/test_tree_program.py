"""No error leaves the command line as a traceback, whatever its options are and its output goes to."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from contract_tree import TreeError, cli, get_player, misaligned_tree, named_tree, simulate
from contract_tree.cli import main
from contract_tree.files import write_whole

BROKEN = (
    "import sys\nfrom contract_tree import cli\n"
    "def fail(options):\n    print('x' * 10)\n    {}\n"
    "cli._report = fail\nsys.exit(cli.main(['report', 'run']))"
)


def environment(**variables: str) -> dict[str, str]:
    """Output is buffered, as it is by default: argparse swallows what goes wrong when it writes help unbuffered."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return {**own, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, filter(None, sys.path))), **variables}


def python(program: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command, env = [sys.executable, "-c", program], environment(TMPDIR=str(cwd), **variables)
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60)


def shell(command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, shell=True, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=120)


def ends(fault: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Exit code of a command, run in this process, in which a statement goes wrong; temporary files are in the folder."""

    def fail(_: object) -> int:
        print("x" * 10)
        exec(fault)
        return 0

    monkeypatch.setattr(cli, "_report", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return main(["report", "run"])


@pytest.mark.parametrize(
    "fault", ["[][1]", "1 / 0", "raise ValueError('odd')", "raise RecursionError('deep')", "{}['a']", "raise TypeError"]
)
def test_an_error_nobody_foresaw_is_one_line_with_its_traceback_in_a_file(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends(fault, tmp_path, monkeypatch) == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("contract-tree: internal error: ")
    (file,) = tmp_path.glob("contract-tree-*.txt")
    assert line.endswith(f"the traceback in {file}")
    assert "Traceback (most recent call last)" in file.read_text()


def test_a_process_that_ends_by_such_an_error_says_no_more_than_that_line(tmp_path: Path) -> None:
    result = python(BROKEN.format("[][1]"), tmp_path)
    assert result.returncode == 70
    (line,) = result.stderr.splitlines()
    assert line.startswith("contract-tree: internal error: IndexError: ")
    assert len(list(tmp_path.glob("contract-tree-*.txt"))) == 1


@pytest.mark.parametrize(
    "fault",
    ["raise MemoryError('8 GiB')", "raise OSError(28, 'No space left on device')", "import nothing_of_this_name"],
)
def test_what_the_machine_lacks_is_the_users_to_put_right(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends(fault, tmp_path, monkeypatch) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is how Linux plays a full disk")
def test_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    command = f"{sys.executable} -m contract_tree"
    run = f"{command} run --players ucb --horizon 100 --games 2"
    full = shell(f"{run} > /dev/full", tmp_path)
    assert full.returncode == 2
    assert full.stderr.splitlines()[-1] == "contract-tree: error: No space left on device"
    helped = shell(f"{command} --help > /dev/full", tmp_path)
    assert (helped.returncode, helped.stderr) == (2, "contract-tree: error: No space left on device\n")
    gone = shell(f"{run} | true", tmp_path)
    assert "Error" not in gone.stderr
    assert shell(f"{run} --folder a >&- 2>&-", tmp_path).returncode == 0
    assert (tmp_path / "a" / "run.json").exists()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_that_was_closed_swallows_what_is_written(
    tmp_path: Path, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, stream, None)  # as Python has it where a shell closed it
    run = ["run", "--players", "ucb", "--horizon", "100", "--games", "2"]
    assert main([*run, "--folder", str(tmp_path / "run")]) == 0
    assert (tmp_path / "run" / "run.json").exists()


def test_a_terminal_that_knows_ascii_alone_shows_what_it_can(tmp_path: Path) -> None:
    program = BROKEN.format("print('1 ± 2 → 3'); return 0")
    result = python(program, tmp_path, PYTHONIOENCODING="ascii")
    assert result.stdout.splitlines()[-1] == "1 +- 2 ? 3"
    assert result.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_writes_nothing_and_says_so(tmp_path: Path, number: signal.Signals) -> None:
    options = ["run", "--horizon", "2000000", "--games", "200", "--players", "ucb", "--folder", "run"]
    process = subprocess.Popen(
        [sys.executable, "-m", "contract_tree", *options], cwd=tmp_path, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline().startswith("starting")
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "stopped; nothing was written"
    assert list(tmp_path.iterdir()) == []


def test_exit_codes_of_the_parser_stay_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert main(["run", "--horizon", "x"]) == 2
    assert main(["run", "--horizon", "9" * 5000]) == 2
    assert "Traceback" not in capsys.readouterr().err


HUGE = "9" * 400


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tree", "random-99999999999-1"], "depth of a random tree must be at most 100"),
        (["--tree", "random-2-99999999999"], "branching of a random tree must be at most 1,000"),
        (["--tree", "random-3-12"], "has a table of 8192 cells, more than 4096"),
        (["--tree", "random-2-900"], "cells, more than 4096"),
        (["--tree", "random-100-2"], "more than 1000"),
        (["--tree", f"random-{HUGE}-1"], "unknown tree 'random-999"),
        (["--tree", "random-2-2-99999999999999999999"], "seed of a random tree must be at most"),
        (["--tree", "x" * 5000], "unknown tree 'xxx"),
        (["--tree", "x" * 5000 + ".json"], "cannot read the tree file"),
        (["--tree", "a\0.json"], "cannot read the tree file"),
        (["--tree", "/dev/zero/x"], "cannot read the tree file"),
        (["--tree", "/dev/zero"], "is longer than"),
        (["--horizon", HUGE], "horizon must be at most 1,000,000,000, got 999"),
        (["--horizon", "1000000001"], "horizon must be at most 1,000,000,000, got 1000000001"),
        (["--horizon", f"-{HUGE}"], "horizon must be an integer of at least 10, got -999"),
        (["--games", HUGE], "n_games must be at most 1,000,000"),
        (["--games", "1000000000"], "n_games must be at most 1,000,000"),
        (["--games", "1000000"], "numbers, more than 20,000,000: play "),
        (["--seed", HUGE], "seed must be at most 18,446,744,073,709,551,615"),
        (["--threads", HUGE], "threads must be at most 1,024"),
        (["--noise", "nan"], "noise must be a standard deviation"),
        (["--noise", "inf"], "noise must be a standard deviation"),
        (["--noise", "1e300"], "noise must be a standard deviation of at least 0 and at most 1e+06"),
        (["--players", "x" * 5000], "unknown player 'xxx"),
        (["--players", f"{'x' * 5000}=ucb"], "there is no node 'xxx"),
    ],
)
def test_numbers_and_names_beyond_all_limits_are_refused_at_once(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.process_time()
    assert main(["run", "--players", "ucb", "--folder", str(tmp_path / "run"), *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("contract-tree: error: ")
    assert message in line
    assert time.process_time() - began < 10
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [10**400, -1, float("nan"), float("inf"), "1", None, True, 1e300])
def test_settings_of_players_beyond_all_limits_are_refused(value: object) -> None:
    for name, setting in (("ucb", "spread"), ("tree", "growth"), ("belgic", "batch"), ("oracle", "inflation")):
        if (setting, value) != ("batch", None):
            with pytest.raises(TreeError, match=f"{setting} must be"):
                get_player(name, **{setting: value})


def test_random_trees_of_all_forms_are_found_or_refused_soon() -> None:
    for depth, branching in ((100, 1), (9, 2), (6, 3), (2, 11)):
        began = time.monotonic()
        with contextlib.suppress(TreeError):
            assert named_tree(f"random-{depth}-{branching}").n_nodes == sum(branching**i for i in range(depth))
        assert time.monotonic() - began < 20
    with pytest.raises(TreeError, match="has anything to choose"):
        misaligned_tree(depth=3, branching=2, n_actions=1)


def test_an_integer_of_any_length_gets_a_message() -> None:
    with pytest.raises(TreeError, match="horizon must be at most 1,000,000,000, got an endless int"):
        simulate(named_tree("chain"), "ucb", horizon=10**5000)
    with pytest.raises(TreeError, match="spread must be at most 1e\\+06, got an endless int"):
        get_player("ucb", spread=10**5000)


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match="zero byte"):
        write_whole(tmp_path / "a\0b", b"")
