"""No error leaves the command line as a traceback, whatever its output goes to."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from process_table import environment

from contract_wrapper import cli
from contract_wrapper.cli import main

BROKEN = (
    "import sys\nfrom contract_wrapper import cli\n"
    "def fail(options, output):\n    print('x' * 10)\n    {}\n"
    "cli.show.report = fail\nsys.exit(cli.main(['report', 'study']))"
)


def python(program: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command, env = [sys.executable, "-c", program], {**environment(), "TMPDIR": str(cwd), **variables}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60)


def shell(command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, shell=True, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=120)


def ends(fault: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Exit code of a command, run in this process, in which a statement goes wrong; temporary files are in the folder."""

    def fail(*_: object) -> int:
        print("x" * 10)
        exec(fault)
        return 0

    monkeypatch.setattr(cli.show, "report", fail)
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
    assert line.startswith("cleanup-contracts: internal error: ")
    (file,) = tmp_path.glob("cleanup-contracts-*.txt")
    assert line.endswith(f"the traceback in {file}")
    assert "Traceback (most recent call last)" in file.read_text()


def test_a_process_that_ends_by_such_an_error_says_no_more_than_that_line(tmp_path: Path) -> None:
    result = python(BROKEN.format("[][1]"), tmp_path)
    assert result.returncode == 70
    (line,) = result.stderr.splitlines()
    assert line.startswith("cleanup-contracts: internal error: IndexError: ")
    assert len(list(tmp_path.glob("cleanup-contracts-*.txt"))) == 1


@pytest.mark.parametrize("fault", ["raise MemoryError('8 GiB')", "raise OSError(28, 'No space left on device')"])
def test_what_the_machine_lacks_is_the_users_to_put_right(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends(fault, tmp_path, monkeypatch) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is how Linux plays a full disk")
def test_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    play = f"{sys.executable} -m contract_wrapper play --steps 2"
    full = shell(f"{play} > /dev/full", tmp_path)
    assert full.returncode == 2
    assert full.stderr.splitlines()[-1] == "cleanup-contracts: error: No space left on device"
    gone = shell(f"{play} --fps 1e9 | true", tmp_path)
    assert "Error" not in gone.stderr
    assert shell(f"{play} --gif a.gif >&- 2>&-", tmp_path).returncode == 0
    assert (tmp_path / "a.gif").exists()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_that_was_closed_swallows_what_is_written(
    tmp_path: Path, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, stream, None)  # as Python has it where a shell closed it
    assert main(["play", "--steps", "2", "--gif", str(tmp_path / "a.gif")]) == 0
    assert (tmp_path / "a.gif").exists()


def test_a_terminal_that_knows_ascii_alone_shows_what_it_can(tmp_path: Path) -> None:
    program = BROKEN.format("print('1 ± 2 → 3'); return 0")
    result = python(program, tmp_path, PYTHONIOENCODING="ascii")
    assert result.stdout.splitlines()[-1] == "1 +- 2 ? 3"
    assert result.returncode == 0
