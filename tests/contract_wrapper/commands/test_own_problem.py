"""`--problem`: a design problem of the user's own on the command line, from its file to the report."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands_here import Command

from contract_wrapper.cli import main
from contract_wrapper.problems import registry

CODE = '''
"""Two herders: who grazes (action 1) gains 2 and costs both 1."""
import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

import contract_wrapper as cw


class Commons(ParallelEnv):
    possible_agents, horizon = ["herder_0", "herder_1"], 5
    observation_space = lambda self, agent: spaces.Box(0.0, 1.0, (1,), np.float32)
    action_space = lambda self, agent: spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        self.agents, self.time = list(self.possible_agents), 0
        return {agent: [1.0] for agent in self.agents}, {agent: {} for agent in self.agents}

    def step(self, actions):
        self.time += 1
        rewards = {agent: 2.0 * grazes - sum(actions.values()) for agent, grazes in actions.items()}
        over = dict.fromkeys(actions, self.time == self.horizon)
        self.agents = [agent for agent in actions if not over[agent]]
        return {a: [1.0] for a in actions}, rewards, dict.fromkeys(actions, False), over, {a: {} for a in actions}


def games(numbers, n_games, observation):
    part = numbers["part"] if numbers else 0.0
    share = lambda rewards, activity, roles: part * (rewards.mean(axis=-1, keepdims=True) - rewards)
    return cw.PettingZooGames(Commons, n_games=n_games, payment=share)


PASTURE = cw.DesignProblem(
    name="pasture", terms=(cw.Term(name="part", low=0, high=1, step=0.5),), games=games, unit="sheep"
)
NUMBER = 7
'''
SMALL = ("--profile", "smoke", "--episodes", "16")


@pytest.fixture
def pasture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a problem, in the folder in which commands run; forgotten afterwards."""
    (tmp_path / "pasture_file.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(registry, "_known", {})
    monkeypatch.delitem(sys.modules, "pasture_file", raising=False)
    return tmp_path / "pasture_file.py"


def run(*words: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "contract_wrapper", *words], capture_output=True, text=True, timeout=300, check=False
    )


def test_a_file_of_ones_own_goes_through_search_resume_certificate_and_report(
    pasture: Path, command: Command, unrendered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search begins in processes of its own, so that workers import the file by themselves."""
    words = ("optimize", "--problem", f"{pasture}:PASTURE", *SMALL, "--folder", "study", "--confirm", "0", "-q")
    few = run(*words, "--initial", "3", "--evaluations", "0")
    assert few.returncode == 0, few.stderr
    assert "pasture: sheep per episode" in few.stdout
    monkeypatch.syspath_prepend(pasture.parent)
    more = command(*words, "--initial", "3", "--evaluations", "1", "--json")
    assert more.returncode == 0, more.stderr
    document = json.loads(more.stdout)
    assert document["configuration"]["contract"] == "pasture"
    report = command("report", "study", "--problem", "pasture_file:PASTURE")
    assert report.returncode == 0, report.stderr
    assert Path("study/figures/report.md").is_file()
    shown = command("show", "study", "--problem", "pasture_file:PASTURE")
    assert shown.returncode == 0, shown.stderr
    assert 'contract = "pasture"' in shown.stdout
    certify = ("certify", "--problem", f"{pasture}:PASTURE", *SMALL, "--deviator-episodes", "4", "--terms", "part=0.5")
    certified = command(*certify, "--folder", "kept", "-q")
    assert certified.returncode == 0, certified.stderr
    assert "sheep per episode" in certified.stdout


def test_a_study_of_a_problem_that_nobody_named_says_how_to(pasture: Path, workers_here: None, capsys: Any) -> None:
    words = ["--problem", f"{pasture}:PASTURE", *SMALL, "--folder", "study", "--confirm", "0"]
    assert main(["optimize", *words, "--initial", "3", "--evaluations", "0", "-q"]) == 0
    registry._known.clear()
    assert main(["report", "study"]) == 2
    assert "no design problem 'pasture'" in (said := capsys.readouterr().err)
    assert "--problem FILE.py:NAME" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--problem", "missing.py:X"], "there is no file missing.py"),
        (["--problem", ":X"], "FILE.py:NAME or MODULE:NAME"),
        (["--problem", "pasture_file.py:"], "FILE.py:NAME or MODULE:NAME"),
        (["--problem", "pasture_file.py:NUMBER"], "NUMBER is no design problem there (7); problems in pasture_file: PASTURE"),
        (["--problem", "pasture_file.py:NOBODY"], "NOBODY is no design problem there; problems in pasture_file: PASTURE"),
        (["--problem", "no_such_module:X"], "there is no module no_such_module, here or installed"),
        (["--problem", "broken.py:X"], "its module raises ZeroDivisionError: division by zero (broken.py, line 2)"),
        (["--problem", "lacking.py:X"], "its module raises ModuleNotFoundError: No module named 'no_such_package'"),
        (["--problem", "elsewhere/pasture_file.py:X"], "another module is called pasture_file"),
        (["--problem", "nowhere"], "there is no design problem 'nowhere'"),
        (["--problem", "pasture_file.py:PASTURE", "--contract", "tax"], "leave out --contract"),
        (["--problem", "pasture_file.py:PASTURE", "--costs", "paper"], "says for itself"),
        (["--problem", "pasture_file.py:PASTURE", "--preset", "original"], "says for itself"),
        (["--problem", "pasture_file.py:PASTURE", "--objective", "worst"], "leave out objective"),
        (["--problem", "pasture_file.py:PASTURE", "--inner", "crews"], "cannot be conditioned"),
        (["--problem", "pasture_file.py:PASTURE", "--terms", "tax=0.5"], "part (0 to 1)"),
    ],
)  # fmt: skip
def test_what_is_no_problem_is_one_line(pasture: Path, capsys: Any, words: list[str], message: str) -> None:
    Path("broken.py").write_text("\n1 / 0\n")
    Path("lacking.py").write_text("import no_such_package\n")
    Path("elsewhere").mkdir()
    Path("elsewhere/pasture_file.py").write_text(CODE)
    if "elsewhere" in words[1]:
        main(["evaluate", "--problem", "pasture_file.py:NOBODY"])
        capsys.readouterr()
    assert main(["evaluate", *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not Path("studies").exists()


def test_no_landscape_is_made_of_contracts_that_agents_cannot_be_shown(pasture: Path, capsys: Any) -> None:
    main(["evaluate", "--problem", "pasture_file.py:PASTURE"])  # known from here on
    capsys.readouterr()
    assert main(["landscape", "--contract", "pasture"]) == 2
    assert "those of pasture cannot be shown to them" in capsys.readouterr().err


def test_a_configuration_names_a_problem_and_imports_nothing(pasture: Path, capsys: Any) -> None:
    Path("run.toml").write_text('contract = "pasture_file.py:PASTURE"\n')
    assert main(["evaluate", "--config", "run.toml", "--terms", "part=0.5"]) == 2
    assert "pasture_file" not in sys.modules
    capsys.readouterr()
    Path("run.toml").write_text('problem = "pasture_file.py:PASTURE"\n')
    assert main(["evaluate", "--config", "run.toml", "--terms", "part=0.5"]) == 2
    assert "problem" in capsys.readouterr().err
    assert "pasture_file" not in sys.modules
