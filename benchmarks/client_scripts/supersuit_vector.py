"""SuperSuit joins games under a contract into one vector environment; random play."""

import json
from importlib.metadata import version

import numpy as np
import supersuit

import cleanup_env
from contract_wrapper import Contract, make_contracted


def game(n_cleaners):
    # All agents need one action space here: what a harvester cannot do is played as "stay".
    return cleanup_env.parallel_env(n_cleaners=n_cleaners, observation="features", horizon=20, equal_actions=True)


env = supersuit.pettingzoo_env_to_vec_env_v1(make_contracted(Contract(tax=0.3, n_cleaners=2), game))
env = supersuit.concat_vec_envs_v1(env, 3, num_cpus=1, base_class="gymnasium")
env.reset(seed=0)
rng, ends = np.random.default_rng(0), 0
for _ in range(70):
    _, rewards, terminations, truncations, infos = env.step(rng.integers(0, 8, env.num_envs))
    assert np.isfinite(rewards).all()
    assert len(infos) == env.num_envs
    assert not terminations.any()
    ends += int(truncations.sum()) // 7  # the 7 agents of a game end together
what = "concat_vec_envs_v1, 3 games, random play"
print(json.dumps({"client": "SuperSuit", "version": version("supersuit"), "what": what, "ends": ends}))
