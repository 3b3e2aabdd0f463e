"""Crews played under every contract of a grid, with common random numbers."""

import numpy as np
import pytest

from cleanup_env import make_config
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.contract_grid import mean_and_error, play_grid
from contract_wrapper.evaluation.crews import train_crews
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from mtmfq.policy import play

GAME = make_config("contract", horizon=30)
FIELDS = ("welfare", "utilities", "harvest", "shots", "waste")


@pytest.fixture(scope="module")
def crews():
    config = get_mtmfq_profile("smoke", episodes=16, n_games=4, hidden=(8,), n_step=5, test_temperature=1.0)
    return train_crews(sizes=(1, 2), config=config, game=GAME)


def test_every_contract_has_its_episodes(crews):
    told = []
    grid = play_grid(crews, 2, [[0.1], [0.5], [0.9]], episodes=5, seed=3, on_contract=told.append)
    assert told == [1, 2, 3]
    assert grid.terms.tolist() == [[0.1], [0.5], [0.9]]
    assert grid.agents[-2:] == ("cleaner_0", "cleaner_1")
    for name in FIELDS:
        assert getattr(grid, name).shape == ((3, 5, 7) if name == "utilities" else (3, 5))
    assert grid.shots.sum() > 0
    np.testing.assert_allclose(grid.utilities.sum(axis=2), grid.welfare)
    np.testing.assert_allclose(grid.harvest - 0.02 * grid.shots, grid.welfare)


def test_a_contract_is_played_as_if_it_were_alone_and_with_the_episodes_of_all(crews):
    grid = play_grid(crews, 2, [[0.1], [0.5], [0.5]], episodes=5)
    alone = play_grid(crews, 2, [[0.5]], episodes=5)
    for name in FIELDS:
        assert np.array_equal(getattr(grid, name)[1], getattr(alone, name)[0])
        assert np.array_equal(getattr(grid, name)[1], getattr(grid, name)[2])
    assert not np.array_equal(play_grid(crews, 2, [[0.5]], episodes=5, seed=1).welfare, alone.welfare)


def test_utilities_and_waste_are_those_of_a_played_episode(crews):
    grid = play_grid(crews, 1, [[0.4]], episodes=4, seed=6)
    game, waste = crews.games(1, [[0.4]], 4), []
    number = int(np.random.SeedSequence([6, 1]).generate_state(1, np.uint32)[0])
    utilities = play(game, crews.policy, number, on_step=lambda *_: waste.append(game.game.waste.copy()))
    assert np.array_equal(grid.utilities[0], utilities)
    np.testing.assert_allclose(grid.waste[0], np.mean(waste, axis=0))


def test_what_agents_do_not_know_is_not_played(crews):
    with pytest.raises(ContractsError, match="know crews of 1, 2 cleaners, got 3"):
        play_grid(crews, 3, [[0.5]])
    with pytest.raises(ContractsError, match=r"tax must lie in \[0, 1\] here, got 1.5"):
        play_grid(crews, 2, [[1.5]])
    with pytest.raises(ContractsError, match="integer of at least 2 episodes, got 1"):
        play_grid(crews, 2, [[0.5]], episodes=1)


def test_means_and_errors_are_over_episodes():
    mean, error = mean_and_error([[[1.0, 0.0], [3.0, 0.0]], [[2.0, 4.0], [2.0, 8.0]]])
    assert mean.tolist() == [[2.0, 0.0], [2.0, 6.0]]
    assert error.tolist() == [[1.0, 0.0], [0.0, 2.0]]
