"""Our learner is trained in games of PettingZoo, and learns what it should."""

from functools import partial

import numpy as np
import pytest
from pettingzoo.utils.conversions import aec_to_parallel
from small_zoo import Meadow, Well

import cleanup_env
from contract_wrapper import (
    ConditionedPettingZooGames,
    Contract,
    ContractedGame,
    CustomPayment,
    PettingZooGames,
    get_costs,
)
from contract_wrapper.envs.episode_sums import EpisodeSums
from contract_wrapper.learners.population import Population
from mtmfq import MTMFQConfig

pytest.importorskip("torch")
pytest.importorskip("stable_baselines3")
from contract_wrapper import sb3_vec_env
from mtmfq import play, train

PUMPING = get_costs("cleaner:per_shot=0.1")


def learner(**changes):
    """Small enough for a second: 16 games, one narrow layer, a fast and loud learner."""
    values = {
        "episodes": 640, "n_games": 16, "hidden": (16,), "gamma": 0.5, "n_step": 2, "learning_rate": 3e-3,
        "batch_size": 64, "updates_per_step": 1.0, "replay_capacity": 200, "tau": 0.05,
        "temperature": ((0.0, 0.5), (0.8, 0.02)),
    }  # fmt: skip
    return MTMFQConfig(**{**values, **changes})


def judged(game, policy):
    """Harvest and shots of each agent, mean over the copies."""
    sums = EpisodeSums(game)
    play(game, policy, seed=1, on_step=sums.add)
    return sums.rewards.mean(axis=0), sums.shots.mean(axis=0)


@pytest.mark.parametrize(("tax", "wells"), [(0.0, 0.0), (0.5, 1.0)])
def test_a_cleaner_pumps_for_a_share_of_the_harvest_and_rests_without(tax, wells):
    contract = Contract(tax=tax, n_cleaners=1)
    game, test = (PettingZooGames(Well, contract, n_games=n, costs=PUMPING) for n in (16, 64))
    trained = train(
        game, learner(), np.random.default_rng(0), reward_scale=game.reward_scale() if tax else None,
        reward_shift=game.reward_shift(),
    )  # fmt: skip
    (harvest, _), (_, shots) = judged(test, trained.policy)
    state_1 = wells * 8 / 2  # of eight steps, half are in state 1
    assert harvest == pytest.approx(state_1, abs=0.5)
    assert shots == pytest.approx(state_1, abs=0.5)


def test_one_training_serves_every_tax_and_the_cleaner_pumps_from_the_tax_on_that_pays_its_shot():
    family_game = ConditionedPettingZooGames(Well, n_games=16, costs=PUMPING)
    policy = train(family_game, learner(episodes=1_920, relabel=0.5), np.random.default_rng(0)).policy
    pumped = {}
    for tax in (0.02, 0.5, 0.9):
        test = ConditionedPettingZooGames(Well, terms=[[tax]], n_games=32, costs=PUMPING)
        pumped[tax] = judged(test, policy)[1][1]
    assert pumped[0.02] < 1  # in state 1 a shot costs 0.1 and brings 0.02
    assert min(pumped[0.5], pumped[0.9]) > 3


def test_one_training_on_a_batch_of_another_interface_gives_the_same_weights():
    """Clean-up through PettingZoo, and by its own batch: not a bit of a training differs."""
    contract = Contract(tax=0.3, n_cleaners=1)
    make = partial(cleanup_env.parallel_env, "contract", observation="features", horizon=12, n_cleaners=1)
    config = cleanup_env.make_config("contract", horizon=12)
    games = [
        PettingZooGames(make, contract, n_games=2, visible=lambda env: env.game.visible()[0]),
        ContractedGame(contract, n_games=2, config=config),
    ]
    small = learner(n_games=2, episodes=6, n_step=5)
    first, second = (train(game, small, np.random.default_rng(0)).policy for game in games)
    assert (first.networks.flat == second.networks.flat).all()


def test_a_game_of_mpe2_is_trained_under_a_contract():
    pytest.importorskip("mpe2")
    from mpe2 import simple_tag_v3

    make = partial(simple_tag_v3.parallel_env, num_good=1, num_adversaries=2, num_obstacles=0, max_cycles=5)
    lead = CustomPayment(function=lambda r, activity, roles: (r.mean(-1, keepdims=True) - r) * 0.5)
    game = PettingZooGames(make, n_games=2, roles=lambda agent: agent.rpartition("_")[0], payment=lead)
    assert (game.type_names, game.n_actions, game.horizon) == (("adversary", "agent"), (5, 5), 5)
    trained = train(game, learner(n_games=2, episodes=8), np.random.default_rng(0))
    sums = play(game, trained.policy, seed=0)
    assert trained.updates > 0
    assert np.isfinite(sums).all()
    assert game.settled.utilities.sum(axis=1) == pytest.approx(game.raw_rewards.sum(axis=1))


def test_a_converted_game_in_turns_is_played_as_the_parallel_one():
    build = partial(cleanup_env.env, observation="features", horizon=3, n_cleaners=1)
    deal = Contract(tax=0.3, n_cleaners=1)
    games = [
        PettingZooGames(lambda: aec_to_parallel(build()), deal),
        PettingZooGames(partial(cleanup_env.parallel_env, observation="features", horizon=3, n_cleaners=1), deal),
    ]
    assert (games[0].reset(1) == games[1].reset(1)).all()
    for _ in range(3):
        (seen, utilities), (other, also) = (game.step(np.ones((1, 6), int)) for game in games)
        assert (seen == other).all()
        assert (utilities == also).all()


def test_agents_that_come_and_go_can_be_learned_with_and_one_can_be_told_what_to_do():
    make = partial(Meadow, comes={"harvester_1": 2}, leaves={"cleaner_0": 4})
    game = PettingZooGames(make, Contract(tax=0.3, n_cleaners=1), n_games=2)
    policy = train(game, learner(n_games=2, episodes=8), np.random.default_rng(0)).policy
    crowd = Population(game, policy)
    crowd.reset(3)
    total = sum(crowd.step(crowd.choose()) for _ in range(game.horizon))
    assert (total == play(game, policy, seed=3)).all()


def test_ppo_takes_the_games_with_their_masks():
    env = sb3_vec_env(PettingZooGames(Meadow, Contract(tax=0.3, n_cleaners=1), n_games=2, no_op=0))
    env.seed(0)
    assert env.reset().shape == (6, 4)
    env.step_async(np.array([3, 0, 3] * 2))  # a harvester has no action 3: it does nothing
    _, rewards, dones, _ = env.step_wait()
    assert rewards[0] == rewards[1] == 0
    assert rewards[2] < 0
    assert not dones.any()
    assert env.action_masks().tolist() == [[True, True, True, False]] * 2 + [[True] * 4] + [
        [True, True, True, False]
    ] * 2 + [[True] * 4]
