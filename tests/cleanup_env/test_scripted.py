"""Scripted players reproduce the check figures: the yardstick for learners."""

import numpy as np
import pytest

from cleanup_env import BatchCleanup, make_config
from cleanup_env.scripted import ScriptedCrew, play_episode


def total(n_cleaners, noise, episodes=128):
    game = BatchCleanup(make_config(n_cleaners=n_cleaners), episodes, observation=None)
    crew = ScriptedCrew(game, "greedy", noise=noise, rng=np.random.default_rng(0))
    return play_episode(game, crew, seed=1)


def test_greedy_baseline_lies_within_one_sd_of_148_9():
    sums = total(0, 0.0)["rewards"].sum(axis=1)
    assert sums.mean() == pytest.approx(148.9, abs=5.4)
    assert sums.std() == pytest.approx(5.4, abs=2.0)


def test_growth_dies_at_step_48_of_the_baseline():
    waste = total(0, 0.0, 16)["waste"]
    assert (waste[:, 46] == 47).all()
    assert (waste[:, 47:] == 48).all()


@pytest.mark.parametrize(("n_cleaners", "figure"), [(0, 143), (1, 197), (2, 418), (3, 512), (4, 532), (5, 534)])
def test_totals_with_harvesters_that_err_and_cleaners_that_do_not(n_cleaners, figure):
    sums = total(n_cleaners, {"harvester": 0.15, "cleaner": 0.0}, 400)["rewards"].sum(axis=1)
    # With two cleaners the episodes differ most (sd 80): a tipping point.
    assert sums.mean() == pytest.approx(figure, rel=0.08)


def test_five_cleaners_without_error_come_near_594():
    assert total(5, 0.0)["rewards"].sum(axis=1).mean() == pytest.approx(594, rel=0.04)


def test_idle_and_random_players():
    game = BatchCleanup(make_config(n_cleaners=1), 4, observation=None)
    idle = play_episode(game, ScriptedCrew(game, "idle", rng=np.random.default_rng(0)), seed=0)
    assert idle["rewards"].sum() == 0
    players = {"harvester": "random", "cleaner": "idle"}
    mixed = play_episode(game, ScriptedCrew(game, players, rng=np.random.default_rng(0)), seed=0)
    assert mixed["rewards"].sum() > 0
    assert mixed["shots"].sum() == 0


def test_a_crew_plays_the_same_from_the_same_seeds():
    one, other = (total(3, 0.1, 4) for _ in range(2))
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("preset", ["original", "meltingpot-like"])
def test_greedy_free_agents_clean(preset):
    game = BatchCleanup(make_config(preset, horizon=100), 4, observation=None)
    played = play_episode(game, ScriptedCrew(game, rng=np.random.default_rng(0)), seed=0)
    assert played["waste"][:, -1].max() < 48
    assert (played["rewards"] == played["apples"]).all()  # nobody fires the penalty beam
