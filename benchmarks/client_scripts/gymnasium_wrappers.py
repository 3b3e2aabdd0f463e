"""Gymnasium's own vector wrappers on `cleanup_env.vector_env`, in each autoreset mode that they take."""

import json
from importlib.metadata import version

import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import (
    ClipReward,
    DictInfoToList,
    FlattenObservation,
    NormalizeObservation,
    NormalizeReward,
    RecordEpisodeStatistics,
)

import cleanup_env

SAME_STEP, NEXT_STEP, DISABLED = AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED
# A wrapper that changes observations refuses SAME_STEP by itself: an episode's last one would pass by it.
WRAPPERS = {
    RecordEpisodeStatistics: (SAME_STEP, NEXT_STEP, DISABLED),
    ClipReward: (SAME_STEP, NEXT_STEP, DISABLED),
    DictInfoToList: (SAME_STEP, NEXT_STEP, DISABLED),
    FlattenObservation: (NEXT_STEP, DISABLED),
    NormalizeReward: (NEXT_STEP, DISABLED),
    NormalizeObservation: (NEXT_STEP,),
}


def play(wrapper, mode):
    """Random play of two games; how many ended."""
    envs = cleanup_env.vector_env(n_games=2, n_cleaners=2, horizon=20, observation="features", autoreset_mode=mode)
    envs = wrapper(envs, 0.0, 1.0) if wrapper is ClipReward else wrapper(envs)
    envs.reset(seed=0)
    envs.action_space.seed(0)
    ends = 0
    for _ in range(45):
        _, rewards, _, truncations, _ = envs.step(envs.action_space.sample())
        assert np.isfinite(rewards).all()
        ends += int(truncations.sum()) // 7
        if truncations.any() and mode is DISABLED:
            envs.reset(options={"reset_mask": truncations.copy()})
    return ends


ends = sum(play(wrapper, mode) for wrapper, modes in WRAPPERS.items() for mode in modes)
what = f"{len(WRAPPERS)} vector wrappers, three autoreset modes"
print(json.dumps({"client": "Gymnasium", "version": version("gymnasium"), "what": what, "ends": ends}))
