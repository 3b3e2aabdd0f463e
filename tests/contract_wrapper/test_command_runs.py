"""The commands that a study and a landscape keep, and print: exact, in order, without passwords."""

import json
import shlex
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_landscapes import made_up_landscape

from contract_wrapper.cli import build_parser, main
from contract_wrapper.command_runs import LIBRARY, MOST_SHOWN, UNKNOWN, CommandRun, read_runs, shell_line, told
from contract_wrapper.commands.options import typed
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.building import commands_file
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.study import Study, read_study

RUN = CommandRun(command="cleanup-contracts optimize", version="0.1.0", code="abc", began="2026-01-02T03:04:05+00:00")


@pytest.mark.parametrize(
    "word",
    [
        "postgresql+psycopg://me:hunter2@host/db",
        "postgresql://me:hun/ter2@more@host/db",
        "--storage=postgresql://me:hunter2@host/db",
        "postgresql://host/db?user=me&password=hunter2&sslmode=require",
        "host=h password='hunter2 and more' dbname=d",
        "host=h password = hunter2",
        "https://hunter2@tracking.example.org/",
        "wandb:api_key=hunter2",
        "MY_TOKEN=hunter2",
    ],
)
def test_a_password_is_left_out(word):
    line = shell_line(["cleanup-contracts", "optimize", word])
    assert "hunter2" not in line
    assert "ter2" not in line
    assert "***" in line


def test_a_password_in_the_word_after_its_option_is_left_out():
    assert shell_line(["x", "--db-password", "hunter2", "--quick"]) == "x --db-password '***' --quick"


@pytest.mark.parametrize(
    "word", ["sqlite:///a/b.db", "postgresql://me@host/db", "cleaner:5;cleaner_2:8", "a@b", "tax=0.3"]
)
def test_what_is_no_password_stays(word):
    assert shlex.split(shell_line(["x", word])) == ["x", word]


@settings(max_examples=15)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), max_size=4))
def test_a_line_gives_a_shell_the_words_back(words):
    safe = [word for word in words if not set(word) & set(":=@-")]
    line = shell_line(["printf", "%s\\0", *safe])
    assert line.isprintable()
    got = subprocess.run(["bash", "-c", line], capture_output=True, check=True).stdout if len(safe) > 2 else None
    assert got is None or got.decode().split("\0")[:-1] == safe


def test_commands_are_told_in_order_the_first_and_the_latest():
    assert told([]) == [UNKNOWN]
    some = [CommandRun(command=f"x {k}", version="1", code="", began=RUN.began) for k in range(30)]
    lines = told(some)
    assert len(lines) == MOST_SHOWN + 1
    assert lines[0].startswith("begun by:     x 0 ")
    assert "22 commands between" in lines[1]
    assert lines[-1].startswith("continued by: x 29 ")


@pytest.mark.parametrize(
    "data",
    [None, {}, [1], [{"command": ""}], [{**RUN.to_dict(), "more": ""}], [{**RUN.to_dict(), "command": "\x1b[2J"}],
     [{**RUN.to_dict(), "began": 3}], [{**RUN.to_dict(), "code": "x" * 100_001}]],
)  # fmt: skip
def test_what_is_no_list_of_commands_is_refused(data):
    with pytest.raises(ContractsError, match=r"what made a result|that made a result"):
        read_runs(data)


def test_a_study_keeps_and_prints_every_command_and_call(tmp_path, capsys):
    mine, search = EvaluationSettings(), SearchSettings()
    options = build_parser().parse_args(["optimize", "--seed", "0"])
    options.words = ["optimize", "--folder", "a b", "--x", "postgresql://me:hunter2@host/d"]
    Study(tmp_path, mine, search, command=typed(options)).close()
    Study(tmp_path, mine, search).close()
    first, second = read_study(tmp_path).commands
    line = "cleanup-contracts optimize --folder 'a b' --x 'postgresql://me:***@host/d'"
    assert (first.command, second.command) == (line, "")
    assert first.began <= second.began
    assert first.code == mine.versions()["code"]
    assert json.loads((tmp_path / "run.json").read_text())["commands"] == [first.to_dict(), second.to_dict()]
    assert b"hunter2" not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert main(["show", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert f"# begun by: {line} (version" in shown
    assert f"# continued by: {LIBRARY} (version" in shown
    (tmp_path / "run.json").unlink()
    assert main(["show", str(tmp_path)]) == 0
    assert f"# begun by: {line} (version" in capsys.readouterr().out


def test_the_command_line_hands_on_what_was_typed(monkeypatch):
    got = []
    monkeypatch.setattr("contract_wrapper.main_job.optimize", lambda options, _output: got.append(typed(options)) or 0)
    words = ["optimize", "--tax-free"]
    with pytest.raises(SystemExit):
        main(words)  # refused, and nothing is kept
    monkeypatch.setattr(sys, "argv", ["/somewhere/cleanup-contracts", "optimize", "--folder", "a b"])
    assert main() == 0
    assert main(["optimize", "--quick"]) == 0
    assert got == ["cleanup-contracts optimize --folder 'a b'", "cleanup-contracts optimize --quick"]


def test_a_landscape_keeps_and_prints_its_commands(tmp_path, capsys):
    runs = [commands_file.add_command(tmp_path, RUN)][-1]
    runs = commands_file.add_command(tmp_path, CommandRun.now("", {}))
    assert [str(run) for run in runs] == ["cleanup-contracts optimize", LIBRARY]
    about = {**LandscapeSettings(episodes=9).about(), "command": "again", "commands": [run.to_dict() for run in runs]}
    made_up_landscape(2, n_taxes=3, about=about).save(tmp_path / "landscape.npz")
    for command in (["show", str(tmp_path)], ["report", str(tmp_path)]):
        assert main(command) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert "begun by: cleanup-contracts optimize (version 0.1.0, 2026-01-02 03:04 UTC)" in said
        assert f"continued by: {LIBRARY}" in said
    page = (tmp_path / "figures" / "report.md").read_text()
    assert "begun by:     cleanup-contracts optimize" in page
    assert "| commands |" not in page


def test_a_landscape_keeps_no_more_than_a_file_can_hold(tmp_path):
    for _ in range(commands_file.MOST_KEPT + 3):
        runs = commands_file.add_command(tmp_path, RUN)
    assert len(runs) == commands_file.MOST_KEPT


def test_an_older_landscape_tells_the_command_that_makes_it_again():
    assert commands_file.told_commands({"command": "cleanup-contracts  landscape\x1b"}) == [
        "made by:      cleanup-contracts landscape"
    ]
    assert commands_file.told_commands({}) == [UNKNOWN]
