"""The Gymnasium face: one player moves all agents."""

import copy
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from cleanup_env import PRESETS, Action, CentralizedCleanup, CleanupError, parallel_env
from cleanup_env.config import OBSERVATIONS

from same import assert_equal  # isort: skip

MIXES = {"contract": {"n_cleaners": 2, "n_free": 1}, "original": {}, "meltingpot-like": {"n_harvesters": 1}}
every_case = pytest.mark.parametrize(("preset", "kind"), [(p, k) for p in PRESETS for k in OBSERVATIONS])


@pytest.fixture(autouse=True)
def no_screen(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


def build(preset="contract", kind="symbolic", **settings):
    return CentralizedCleanup(preset, observation=kind, **settings)


@pytest.mark.filterwarnings("error")
@every_case
def test_gymnasium_checks_every_preset_and_observation(preset, kind):
    for mix in ({}, MIXES[preset]):
        check_env(gymnasium.make("cleanup_env/CentralizedCleanup-v0", preset=preset, observation=kind, **mix).unwrapped)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["CentralizedCleanup-v0", "cleanup_env/CentralizedCleanup-v0"])
def test_gymnasium_makes_and_checks_every_name(name):
    game = gymnasium.make(name, n_cleaners=2)
    check_env(game.unwrapped)
    assert game.unwrapped.agents[-2:] == ("cleaner_0", "cleaner_1")


def test_the_name_with_a_colon_imports_the_package_by_itself():
    game = gymnasium.make("cleanup_env:CentralizedCleanup-v0", n_cleaners=2)
    observations, _ = game.reset(seed=0)
    assert observations.shape == (7, 15, 15)


@every_case
def test_one_player_plays_what_the_agents_play(preset, kind):
    """Step by step, over the end of an episode and into the next ones."""
    settings = {**MIXES[preset], "horizon": 15}
    game, players = build(preset, kind, **settings), parallel_env(preset, observation=kind, **settings)
    names, rng = players.possible_agents, np.random.default_rng(0)
    for seed in (6, None, None):
        seen, info = game.reset(seed=seed)
        expected, infos = players.reset(seed=seed)
        assert_equal(seen, np.stack([expected[name] for name in names]))
        assert_equal(info, {"rewards": dict.fromkeys(names, 0.0), "agents": infos})
        while players.agents:
            action = rng.integers(0, game.action_space.nvec)
            seen, reward, terminated, truncated, info = game.step(action)
            expected, rewards, _, _, infos = players.step(dict(zip(names, action.tolist(), strict=True)))
            assert_equal(seen, np.stack([expected[name] for name in names]))
            assert_equal((reward, terminated), (sum(rewards.values()), False))
            assert truncated is not bool(players.agents)
            assert_equal(info, {"rewards": rewards, "agents": infos})


def test_the_action_space_has_the_actions_of_each_agent_and_all_samples_can_be_played():
    game = build(n_harvesters=1, n_cleaners=1, n_free=1, penalty_beam=True, horizon=30)
    assert game.action_space.nvec.tolist() == [7, 8, 9]
    game.action_space.seed(0)
    game.reset(seed=0)
    truncated = False
    while not truncated:
        seen, *_, truncated, _ = game.step(game.action_space.sample())
        assert game.observation_space.contains(seen)


def test_every_step_from_a_seed_is_the_same_again():
    traces = []
    for used in (False, True):
        game = build("meltingpot-like", "features", horizon=25)
        if used:  # what was played before does not matter
            game.reset(seed=8)
            game.step(game.action_space.sample())
        game.action_space.seed(1)
        trace = [game.reset(seed=3)]
        for _ in range(3):
            while trace[-1][3:4] != (True,):  # truncated
                trace.append(game.step(game.action_space.sample()))
            trace.append(game.reset())
        traces.append(trace)
    assert len(traces[0]) == 1 + 3 * 26
    assert_equal(*traces)


@pytest.mark.parametrize("way", ["pickle", "deepcopy"])
def test_a_saved_game_continues_identically(way):
    game = build(n_cleaners=1, horizon=20)
    game.reset(seed=1)
    plan = np.random.default_rng(0).integers(0, game.action_space.nvec, (20, 6))
    for action in plan[:10]:
        game.step(action)
    other = pickle.loads(pickle.dumps(game)) if way == "pickle" else copy.deepcopy(game)
    assert_equal([game.step(a) for a in plan[10:]], [other.step(a) for a in plan[10:]])
    assert_equal(game.reset(), other.reset())


def test_masks_stand_one_after_the_other_as_sb3_contrib_reads_them():
    game = build(n_harvesters=1, n_cleaners=1, n_free=1, cooldown=1)
    game.reset(seed=0)
    assert game.action_masks().tolist() == [True] * (7 + 8 + 8)
    game.step([Action.STAY, 7, Action.STAY])
    assert game.action_masks().tolist() == [True] * 7 + [True] * 7 + [False] + [True] * 8


def test_the_picture_and_the_text_are_those_of_the_game():
    for mode in ("rgb_array", "ansi"):
        game, players = build(render_mode=mode), parallel_env(render_mode=mode)
        game.reset(seed=0)
        players.reset(seed=0)
        assert_equal(game.render(), players.render())
    assert build().render() is None


def test_a_window_closes_with_the_game():
    import pygame

    game = build(render_mode="human", render_scale=4)
    game.reset(seed=0)
    assert pygame.display.get_surface() is not None
    game.close()
    assert pygame.display.get_surface() is None


def test_gymnasium_records_the_sum_of_all_rewards():
    game = gymnasium.wrappers.RecordEpisodeStatistics(gymnasium.make("CentralizedCleanup-v0", horizon=10))
    game.reset(seed=0)
    for _ in range(10):
        *_, info = game.step(np.full(5, Action.FORWARD))
    assert info["episode"]["l"] == 10
    assert info["episode"]["r"] == sum(agent["total_reward"] for agent in info["agents"].values())


def test_gymnasium_vectorizes_games_of_one_player():
    envs = gymnasium.make_vec("cleanup_env:CentralizedCleanup-v0", num_envs=2, horizon=3)
    observations, _ = envs.reset(seed=[4, 5])
    for b, seed in enumerate((4, 5)):
        assert_equal(observations[b], build(horizon=3).reset(seed=seed)[0])
    for _ in range(3):
        *_, truncated, infos = envs.step(np.full((2, 5), Action.STAY))
    assert truncated.tolist() == [True, True]
    assert infos["agents"]["harvester_0"]["steps"].tolist() == [3, 3]


def test_bad_settings_reach_the_user_as_they_are():
    with pytest.raises(CleanupError, match="unknown setting 'cleaners'"):
        gymnasium.make("cleanup_env/CentralizedCleanup-v0", cleaners=2)
