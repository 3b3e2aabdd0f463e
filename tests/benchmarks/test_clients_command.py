"""The command that runs every client tells a failure as one, and plays each client as its environment says."""

import sys
from pathlib import Path

import pytest

import clients
from clients import GROUPS, Group, Row, chosen_of, environments_of, last_line, main, play, requirements_of, table

HERE = Path(sys.executable)
RESULT = '{"client": "made up", "version": "1.0", "what": "nothing", "ends": %s}'


def judged(folder: Path, text: str, seconds: float = 60.0) -> Row:
    script = folder / "some_client.py"
    script.write_text(text)
    return play(HERE, script, "core", path=None, seconds=seconds)


def test_a_client_that_says_what_it_did_works(tmp_path: Path) -> None:
    row = judged(tmp_path, f"print('chatter')\nprint('''{RESULT % 2}''')")
    assert (row.client, row.version, row.what, row.ends, row.verdict) == ("made up", "1.0", "nothing", 2, "works")
    assert judged(tmp_path, f"print('''{RESULT % 'null'}''')").verdict == "works"  # plays no episodes


def test_what_a_client_works_without_is_told_below_the_table(tmp_path: Path) -> None:
    result = (RESULT % 2).replace("}", ', "note": "no masks"}')
    row = judged(tmp_path, f"print({result!r})")
    assert row.verdict == "works, see note"
    assert table([row])[-1] == "made up: no masks."


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("raise ValueError('no such thing')", "ValueError: no such thing"),
        (f"print('''{RESULT % 5}''')\nraise KeyError('r')", "KeyError: 'r'"),  # after its result
        (f"print('''{RESULT % 1}''')", "only 1 of at least 2 ends of episodes"),
        ("print(2)", "its last line is no result: 2"),
        ("print('done')", "its last line is no result: done"),
        ('print(\'{"client": "made up", "won": 1}\')', "its last line is no result"),
        ("", "its last line is no result: it said nothing"),
        ("import time\ntime.sleep(60)", "not done after 0.5 seconds"),
    ],
)
def test_a_client_that_fails_is_a_row_that_says_so(tmp_path: Path, text: str, why: str) -> None:
    row = judged(tmp_path, text, seconds=0.5 if "sleep" in text else 60.0)
    assert row.client == "some_client"
    assert row.verdict.startswith(f"fails: {why}")
    assert row.verdict in "\n".join(table([row]))


def test_a_client_sees_no_path_of_the_one_who_runs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    text = f"import os\nassert 'PYTHONPATH' not in os.environ\nassert os.listdir() == []\nprint('''{RESULT % 2}''')"
    assert judged(tmp_path, text).verdict == "works"


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two groups with a client that fails and one that works; the results go to the returned folder."""
    (tmp_path / "bad.py").write_text("raise ValueError('no such thing')")
    (tmp_path / "good.py").write_text(f"print('''{RESULT % 3}''')")
    monkeypatch.setattr(clients, "SCRIPTS", tmp_path)
    monkeypatch.setattr(clients, "RESULTS", tmp_path)
    monkeypatch.setattr(clients, "GROUPS", {"one": Group(scripts=("bad",)), "two": Group(scripts=("good",))})
    return tmp_path


def verdicts(text: str) -> list[str]:
    return [line.split("|")[-2].strip() for line in text.splitlines() if line.startswith("|")][2:]


@pytest.mark.parametrize(("more", "second"), [([], "not run"), (["--keep-going"], "works")])
def test_a_failure_ends_the_command_unless_it_keeps_going(
    made_up: Path, capsys: pytest.CaptureFixture[str], more: list[str], second: str
) -> None:
    given = [f"--environment={group}={HERE}" for group in ("one", "two")]
    assert main([*given, *more]) == 1
    told = capsys.readouterr().out
    assert verdicts(told) == ["fails: ValueError: no such thing", second]
    assert (made_up / "clients.txt").read_text() == told
    assert str(HERE) not in told  # no path of this machine in what is committed


def test_clients_that_work_are_a_success_and_some_do_not_overwrite_all(
    made_up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"--environment=two={HERE}", "--only", "good"]) == 0
    assert verdicts(capsys.readouterr().out) == ["works"]
    assert not (made_up / "clients.txt").exists()
    assert (made_up / "clients-chosen.txt").exists()


def test_an_environment_that_cannot_be_made_fails_all_its_clients(
    made_up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--python", str(made_up / "no-python"), "--folder", str(made_up / "made"), "--keep-going"]) == 1
    found = verdicts(capsys.readouterr().out)
    assert len(found) == 2
    assert all(verdict.startswith("fails: installing: ") and "no-python" in verdict for verdict in found)


def test_every_script_is_run_by_a_group_and_every_group_by_its_name() -> None:
    there = {path.stem for path in clients.SCRIPTS.glob("*.py")}
    assert {script for group in GROUPS.values() for script in group.scripts} == there
    assert chosen_of("optuna") == [("optuna", script) for script in GROUPS["optuna"].scripts]
    assert chosen_of("pettingzoo_tests") == [("core", "pettingzoo_tests"), ("oldest", "pettingzoo_tests")]
    assert len(chosen_of(None)) == sum(len(group.scripts) for group in GROUPS.values())


def test_names_that_are_none_are_refused() -> None:
    with pytest.raises(SystemExit, match="no group or script sb4"):
        chosen_of("sb3,sb4")
    with pytest.raises(SystemExit, match="got 'sb3'"):
        environments_of(["sb3"])


def test_the_oldest_environment_has_the_oldest_versions_that_are_allowed() -> None:
    assert "pettingzoo==1.24.3" in requirements_of(GROUPS["oldest"])
    assert not any("pettingzoo" in requirement for requirement in requirements_of(GROUPS["sb3"]))


def test_a_failure_is_told_by_the_last_line_that_says_something() -> None:
    assert last_line("Traceback\n  File\nKeyError: 'r'\n\n") == "KeyError: 'r'"
