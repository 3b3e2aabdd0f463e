"""SuperSuit's wrappers around the game under a contract, one after another; each plays three episodes."""

import json
from importlib.metadata import version

import numpy as np
import supersuit

import cleanup_env
from contract_wrapper import Contract, make_contracted

WRAPPERS = {
    "frame_skip": (lambda env: supersuit.frame_skip_v0(env, 4), "features"),
    "sticky_actions": (lambda env: supersuit.sticky_actions_v0(env, 0.5), "features"),
    "black_death": (supersuit.black_death_v3, "features"),
    "pad_observations": (supersuit.pad_observations_v0, "features"),
    "pad_action_space": (supersuit.pad_action_space_v0, "features"),
    "agent_indicator": (supersuit.agent_indicator_v0, "features"),
    "frame_stack": (lambda env: supersuit.frame_stack_v1(env, 3), "rgb"),
    "delay_observations": (lambda env: supersuit.delay_observations_v0(env, 2), "features"),
    "clip_reward": (lambda env: supersuit.clip_reward_v0(env, -0.5, 0.5), "features"),
    "normalize_obs": (lambda env: supersuit.normalize_obs_v0(supersuit.dtype_v0(env, np.float32)), "rgb"),
    "flatten": (supersuit.flatten_v0, "one_hot"),
    "color_reduction": (lambda env: supersuit.color_reduction_v0(env, "full"), "rgb"),
    "resize": (lambda env: supersuit.resize_v1(env, 8, 8), "rgb"),
    "max_observation": (lambda env: supersuit.max_observation_v0(env, 2), "symbolic"),
    "nan_noop": (lambda env: supersuit.nan_noop_v0(env, cleanup_env.Action.STAY), "symbolic"),
}


def play(name):
    """Three episodes of random actions; how many ended."""
    wrap, kind = WRAPPERS[name]
    contract = Contract(tax=0.3, n_cleaners=2)
    env = wrap(
        make_contracted(contract, lambda n: cleanup_env.parallel_env(n_cleaners=n, horizon=20, observation=kind))
    )
    rng, ends = np.random.default_rng(0), 0
    for episode in range(3):
        env.reset(seed=episode)
        while env.agents:
            seen, *_ = env.step({agent: int(rng.integers(env.action_space(agent).n)) for agent in env.agents})
            assert all(env.observation_space(agent).contains(x) for agent, x in seen.items()), name
        ends += 1
    return ends


ends = sum(play(name) for name in WRAPPERS)
what = f"{len(WRAPPERS)} wrappers, random play under a contract"
print(json.dumps({"client": "SuperSuit", "version": version("supersuit"), "what": what, "ends": ends}))
