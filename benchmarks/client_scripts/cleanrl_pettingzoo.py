"""The loop of CleanRL's `ppo_pettingzoo_ma_atari.py`, without the network: SuperSuit joins, the loop reads infos."""

import json
from importlib.metadata import version

import numpy as np
import supersuit

import cleanup_env
from contract_wrapper import Contract, make_contracted


def game(n_cleaners):
    return cleanup_env.parallel_env(n_cleaners=n_cleaners, observation="features", horizon=20, equal_actions=True)


env = supersuit.agent_indicator_v0(make_contracted(Contract(tax=0.3, n_cleaners=2), game), type_only=False)
envs = supersuit.pettingzoo_env_to_vec_env_v1(env)
envs = supersuit.concat_vec_envs_v1(envs, 2, num_cpus=0, base_class="gymnasium")
envs.single_observation_space, envs.single_action_space = envs.observation_space, envs.action_space
next_obs, _ = envs.reset(seed=1)
rng, ends, returns = np.random.default_rng(0), 0, []
for _ in range(70):
    actions = rng.integers(0, envs.single_action_space.n, envs.num_envs)
    next_obs, reward, termination, truncation, infos = envs.step(actions)
    next_done = np.logical_or(termination, truncation)
    returns += [item["episode"]["r"] for item in infos if "episode" in item]  # as CleanRL reads them
    ends += int(next_done.sum()) // 7
assert returns == []  # without a statistics wrapper there are no statistics, and nothing that looks like them
what = "the loop of ppo_pettingzoo_ma_atari.py, 2 games"
versions = f"SuperSuit {version('supersuit')}"
print(json.dumps({"client": "CleanRL's PettingZoo loop", "version": versions, "what": what, "ends": ends}))
