"""The table of scripted players."""

import re

import numpy as np
import pytest

from cleanup_env import BatchCleanup, CleanupError, make_config
from cleanup_env.__main__ import main
from cleanup_env.scripted import ScriptedCrew, play_episode
from cleanup_env.yardsticks import CREWS, table, yardstick


def test_a_yardstick_is_the_mean_of_the_crews_harvest_with_its_interval():
    found = yardstick("greedy, no errors", 2, episodes=9, seed=5)
    game = BatchCleanup(make_config(n_cleaners=2), 9, observation=None)
    crew = ScriptedCrew(game, rng=np.random.default_rng(0))  # without errors nothing is drawn
    harvest = play_episode(game, crew, 5)["apples"].sum(axis=1)
    assert found.mean == pytest.approx(harvest.mean())
    assert found.sd == pytest.approx(harvest.std(ddof=1))
    assert found.half_interval == pytest.approx(1.96 * found.sd / 3)


def test_crews_are_worth_less_the_more_they_err():
    random, erring, greedy = (yardstick(crew, 3, episodes=64).mean for crew in CREWS)
    assert random < erring < greedy


def test_the_command_prints_one_row_per_number_of_cleaners(capsys):
    assert main(["yardsticks", "--cleaners", "1", "--episodes", "8"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["0", "1"]
    assert len(re.findall(r"\d+\.\d ± \d+\.\d \(\d+\.\d\)", lines[2])) == len(CREWS)
    assert "\n".join(lines) == table(1, episodes=8)


def test_wrong_numbers_are_refused(capsys):
    assert main(["yardsticks", "--episodes", "1"]) == 2
    assert "at least 2" in capsys.readouterr().err
    with pytest.raises(CleanupError, match="unknown crew 'clever': choose one of random"):
        yardstick("clever", 0, episodes=2)
