"""PPO and DQN of stable-baselines3 on the PettingZoo game under a contract, joined by SuperSuit the standard way."""

import json
from importlib.metadata import version

import numpy as np
import supersuit
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.vec_env import VecMonitor

import cleanup_env
from contract_wrapper import Contract, make_contracted


def game(n_cleaners):
    return cleanup_env.parallel_env(n_cleaners=n_cleaners, observation="features", horizon=20, equal_actions=True)


env = supersuit.agent_indicator_v0(make_contracted(Contract(tax=0.3, n_cleaners=2), game), type_only=True)
env = supersuit.pettingzoo_env_to_vec_env_v1(env)
env = VecMonitor(supersuit.concat_vec_envs_v1(env, 2, num_cpus=1, base_class="stable_baselines3"))
algorithms = {
    PPO: {"n_steps": 40, "batch_size": 140, "n_epochs": 2},
    DQN: {"learning_starts": 140, "buffer_size": 2_000},
}
ends = 0
for algorithm, settings in algorithms.items():
    model = algorithm("MlpPolicy", env, **settings, device="cpu")
    model.learn(60 * env.num_envs)
    episodes = list(model.ep_info_buffer)  # one per agent and episode
    assert all(e["l"] == 20 and np.isfinite(e["r"]) for e in episodes)
    ends += len(episodes) // 7
what = "PPO and DQN by SuperSuit, 2 games"
versions = f"{version('stable_baselines3')}, SuperSuit {version('supersuit')}"
print(json.dumps({"client": "stable-baselines3", "version": versions, "what": what, "ends": ends}))
