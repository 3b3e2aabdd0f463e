"""What an episode added up to."""

import numpy as np

from cleanup_env import make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.envs.batch_game import ContractedGame
from contract_wrapper.envs.episode_sums import EpisodeSums


def test_sums_are_those_of_the_steps():
    game = ContractedGame(Contract(tax=0.5, n_cleaners=2), n_games=3, config=make_config("contract", horizon=40))
    sums, steps = EpisodeSums(game), []
    game.reset(4)
    rng = np.random.default_rng(4)
    for _ in range(40):
        game.step(rng.integers(0, game.game.n_actions, (3, 7)))
        sums.add()
        done = game.game
        steps.append([game.raw_rewards, *game.settled, done.apples, done.cleaned, done.shots])
        steps[-1] = [array.copy() for array in steps[-1]]
    names = ("rewards", "transfers", "costs", "utilities", "apples", "cleaned", "shots")
    for name, per_step in zip(names, zip(*steps, strict=True), strict=True):
        total = np.zeros((3, 7), per_step[0].dtype)
        for array in per_step:
            total += array
        assert (total != 0).any(), name
        np.testing.assert_array_equal(getattr(sums, name), total)
    np.testing.assert_allclose(sums.welfare, sums.utilities.sum(axis=1))


def test_waste_is_the_mean_over_games_after_each_step():
    game = ContractedGame(Contract(tax=0.5, n_cleaners=2), n_games=3, config=make_config("contract", horizon=40))
    sums, waste = EpisodeSums(game), []
    game.reset(4)
    rng = np.random.default_rng(4)
    for _ in range(40):
        game.step(rng.integers(0, game.game.n_actions, (3, 7)))
        sums.add()
        waste.append(game.game.waste.tolist())
    assert len(set(waste[-1])) > 1
    assert sums.waste == [sum(row) / 3 for row in waste]


def test_shots_and_their_price_by_hand():
    game = ContractedGame(Contract(tax=0.5, n_cleaners=1), config=make_config("contract", cooldown=0, horizon=9))
    shoot = game.n_actions[0] - 1  # a cleaner's last action
    sums = EpisodeSums(game)
    game.reset(0)
    for _ in range(9):
        game.step(np.array([[4] * 5 + [shoot]]))
        sums.add()
    assert sums.shots.tolist() == [[0, 0, 0, 0, 0, 9]]
    assert sums.costs[0, 5] == sum([0.02] * 9)
