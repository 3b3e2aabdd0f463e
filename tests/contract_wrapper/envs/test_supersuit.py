"""SuperSuit's wrappers on the game and on the game under a contract, each across several episodes."""

import math
import warnings

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test

import cleanup_env
from contract_wrapper import Contract, make_contracted

supersuit = pytest.importorskip("supersuit")

HORIZON = 6


def bare(**settings):
    return cleanup_env.parallel_env(n_harvesters=2, n_cleaners=2, horizon=HORIZON, **settings)


def contracted(**settings):
    return make_contracted(
        Contract(tax=0.3, n_cleaners=2),
        lambda n: cleanup_env.parallel_env(n_harvesters=2, n_cleaners=n, horizon=HORIZON, **settings),
    )


both = pytest.mark.parametrize("build", [bare, contracted])

WRAPPERS = {
    "frame_skip": (lambda env: supersuit.frame_skip_v0(env, 4), "symbolic"),
    "frame_skip_range": (lambda env: supersuit.frame_skip_v0(env, (2, 4)), "features"),
    "sticky_actions": (lambda env: supersuit.sticky_actions_v0(env, 0.5), "symbolic"),
    "black_death": (lambda env: supersuit.black_death_v3(env), "features"),
    "pad_observations": (lambda env: supersuit.pad_observations_v0(env), "one_hot"),
    "pad_action_space": (lambda env: supersuit.pad_action_space_v0(env), "features"),
    "agent_indicator": (lambda env: supersuit.agent_indicator_v0(env), "features"),
    "agent_indicator_by_role": (lambda env: supersuit.agent_indicator_v0(env, type_only=True), "rgb"),
    "frame_stack": (lambda env: supersuit.frame_stack_v1(env, 3), "rgb"),
    "frame_stack_2": (lambda env: supersuit.frame_stack_v2(env, 3), "symbolic"),
    "delay_observations": (lambda env: supersuit.delay_observations_v0(env, 2), "symbolic"),
    "clip_reward": (lambda env: supersuit.clip_reward_v0(env, -0.5, 0.5), "symbolic"),
    "normalize_obs": (lambda env: supersuit.normalize_obs_v0(supersuit.dtype_v0(env, np.float32)), "rgb"),
    "dtype": (lambda env: supersuit.dtype_v0(env, np.float32), "one_hot"),
    "flatten": (lambda env: supersuit.flatten_v0(env), "one_hot"),
    "color_reduction": (lambda env: supersuit.color_reduction_v0(env, "full"), "rgb"),
    "resize": (lambda env: supersuit.resize_v1(env, 8, 8), "rgb"),
    "max_observation": (lambda env: supersuit.max_observation_v0(env, 2), "symbolic"),
    "nan_noop": (lambda env: supersuit.nan_noop_v0(env, cleanup_env.Action.STAY), "symbolic"),
    "a_usual_stack": (
        lambda env: supersuit.frame_stack_v1(supersuit.resize_v1(supersuit.color_reduction_v0(env), 8, 8), 3),
        "rgb",
    ),
}


def play(env, seeds=(5, None, None)):
    """Random episodes with these seeds; the observations and rewards of every step."""
    trace, rng = [], np.random.default_rng(0)
    for seed in seeds:
        seen, _ = env.reset(seed=seed)
        trace.append((seen, {}))
        while env.agents:
            actions = {agent: int(rng.integers(env.action_space(agent).n)) for agent in env.agents}
            seen, rewards, *_ = env.step(actions)
            for agent, observation in seen.items():
                assert env.observation_space(agent).contains(observation)
            trace.append((seen, rewards))
    return trace


@both
@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper_plays_several_episodes_that_its_seed_fixes(build, name):
    wrap, kind = WRAPPERS[name]
    # SuperSuit draws repeated actions from fresh entropy after a reset without a seed.
    seeds = (5, 6, 7) if name == "sticky_actions" else (5, None, None)
    first, again = (play(wrap(build(observation=kind)), seeds) for _ in range(2))
    steps = {"frame_skip": math.ceil(HORIZON / 4), "frame_skip_range": None, "black_death": HORIZON + 1}
    wanted = steps.get(name, HORIZON)
    assert wanted is None or len(first) == 3 * (wanted + 1)
    assert len(first) == len(again)
    for (seen, rewards), (expected, same) in zip(first, again, strict=True):
        assert rewards == same
        assert all((seen[agent] == expected[agent]).all() for agent in seen)


@both
@pytest.mark.parametrize("name", ["frame_skip", "pad_action_space", "agent_indicator"])
def test_a_wrapped_game_passes_pettingzoos_test(build, name):
    wrap, kind = WRAPPERS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parallel_api_test(wrap(build(observation=kind)), num_cycles=20)


@both
def test_frames_skipped_at_random_depend_on_the_seed(build):
    def lengths(seed):
        env = supersuit.frame_skip_v0(build(observation="features"), (1, 3))
        return [len(play(env, seeds=(seed + k,))) for k in range(12)]

    assert lengths(0) == lengths(0)
    assert len(set(lengths(0))) > 1


@both
def test_a_turn_based_game_is_wrapped_too(build):
    env = supersuit.black_death_v3(supersuit.frame_stack_v1(cleanup_env.env(n_cleaners=2, horizon=HORIZON), 2))
    for _ in range(2):
        env.reset(seed=1)
        for agent in env.agent_iter():
            _, _, terminated, truncated, _ = env.last()
            env.step(None if terminated or truncated else env.action_space(agent).sample())
        assert env.agents == []


@both
@pytest.mark.parametrize("copies", [1, 3])
def test_joined_games_go_on_across_the_ends_of_episodes(build, copies):
    env = supersuit.pettingzoo_env_to_vec_env_v1(build(observation="features", equal_actions=True))
    env = supersuit.concat_vec_envs_v1(env, copies, num_cpus=1, base_class="gymnasium")
    observations, infos = env.reset(seed=3)
    assert observations.shape == (4 * copies, 49)
    assert len(infos) == 4 * copies
    ends = 0
    for t in range(1, 3 * HORIZON + 1):
        _, rewards, terminated, truncated, infos = env.step(np.full(4 * copies, t % 8))
        assert rewards.shape == (4 * copies,)
        assert not terminated.any()
        assert truncated.all() == truncated.any() == (t % HORIZON == 0)
        assert all(("terminal_observation" in info) == truncated.any() and "episode" not in info for info in infos)
        ends += truncated.all()
    assert ends == 3
