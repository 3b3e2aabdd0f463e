"""One action space for all agents: what a role cannot do is STAY, and masked."""

import copy
import pickle

import gymnasium
import numpy as np
import pettingzoo
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test

import cleanup_env
from cleanup_env import PRESETS, Action, CentralizedCleanup, CleanupError, parallel_env

from same import assert_equal  # isort: skip

MIX = {"n_harvesters": 2, "n_cleaners": 1, "n_free": 1, "penalty_beam": True}  # 7, 7, 8 and 9 actions
every_preset = pytest.mark.parametrize("preset", PRESETS)


def test_all_agents_have_the_actions_of_the_agent_that_has_most():
    game = parallel_env(equal_actions=True, **MIX)
    _, infos = game.reset(seed=0)
    assert {game.action_space(agent).n for agent in game.agents} == {9}
    assert [info["action_mask"].tolist() for info in infos.values()] == [
        [1, 1, 1, 1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 1, 1, 1, 1, 0],
        [1, 1, 1, 1, 1, 1, 1, 1, 1],
    ]
    assert {parallel_env(equal_actions=True).action_space(f"harvester_{i}").n for i in range(5)} == {7}


def test_what_a_role_cannot_do_is_played_as_stay_and_all_else_as_it_is():
    game, other = parallel_env(equal_actions=True, **MIX), parallel_env(**MIX)
    rng, stayed = np.random.default_rng(0), 0
    game.reset(seed=5)
    other.reset(seed=5)
    while game.agents:
        actions = {agent: int(rng.integers(9)) for agent in game.agents}
        able = {agent: action < other.action_space(agent).n for agent, action in actions.items()}
        stayed += sum(not can for can in able.values())
        *played, infos = game.step(actions)
        *expected, told = other.step({agent: a if able[agent] else Action.STAY for agent, a in actions.items()})
        assert_equal(played, expected)
        for agent, info in infos.items():
            mask, own = info.pop("action_mask"), told[agent].pop("action_mask")
            assert mask[: len(own)].tolist() == own.tolist()
            assert not mask[len(own) :].any()
        assert_equal(infos, told)
    assert stayed > 100


@every_preset
def test_pettingzoos_own_tests(preset):
    settings = {"preset": preset, "equal_actions": True, "n_harvesters": 1, "n_cleaners": 1}
    parallel_api_test(parallel_env(horizon=40, **settings), num_cycles=100)
    api_test(cleanup_env.env(horizon=20, **settings), num_cycles=100)
    parallel_seed_test(lambda: parallel_env(**settings), num_cycles=20)
    seed_test(lambda: cleanup_env.env(**settings), num_cycles=20)


@pytest.mark.skipif(not hasattr(pettingzoo, "make"), reason="this PettingZoo has no registry")
def test_the_registered_names_take_the_option():
    for kind in ("parallel", "aec"):
        game = pettingzoo.make(kind, "cleanup/cleanup-v0", n_cleaners=1, equal_actions=True)
        assert game.action_space("harvester_0") == game.action_space("cleaner_0")


@pytest.mark.filterwarnings("error")
def test_one_player_may_have_equal_actions_too():
    check_env(gymnasium.make("CentralizedCleanup-v0", n_cleaners=1, equal_actions=True).unwrapped)
    game = CentralizedCleanup(n_harvesters=1, n_cleaners=1, equal_actions=True)
    game.reset(seed=0)
    assert game.action_space.nvec.tolist() == [8, 8]
    assert game.action_masks().tolist() == [True] * 7 + [False] + [True] * 8
    *_, info = game.step([7, 7])
    assert [agent["shots"] for agent in info["agents"].values()] == [0, 1]


@pytest.mark.parametrize("way", ["pickle", "deepcopy"])
def test_a_saved_game_keeps_the_option(way):
    game = parallel_env(equal_actions=True, **MIX)
    game.reset(seed=0)
    other = pickle.loads(pickle.dumps(game)) if way == "pickle" else copy.deepcopy(game)
    actions = dict.fromkeys(game.agents, 8)
    assert_equal(game.step(actions), other.step(actions))


def test_what_no_agent_can_do_is_refused():
    game = parallel_env(equal_actions=True, **MIX)
    game.reset(seed=0)
    for action in (-1, 9):
        with pytest.raises(CleanupError, match=rf"action {action} of 'harvester_0' .* actions 0\.\.8"):
            game.step(dict.fromkeys(game.agents, action))
    with pytest.raises(CleanupError, match=r"integer 0\.\.8, got 'up'"):
        game.step(dict.fromkeys(game.agents, "up"))
    with pytest.raises(CleanupError, match="equal_actions must be True or False, got 1"):
        parallel_env(equal_actions=1)
