"""`gymnasium.make_vec`: so many agents, which make so many games; and single games that Gymnasium joins itself."""

import json
from importlib.metadata import version

import gymnasium

import cleanup_env  # noqa: F401  registers the games

together = gymnasium.make_vec("cleanup_env/CleanupVector-v0", num_envs=14, n_cleaners=2, max_episode_steps=20)
assert together.n_games == 2
joined = gymnasium.make_vec("cleanup_env/CentralizedCleanup-v0", num_envs=2, vectorization_mode="sync", horizon=20)
ends = 0
for envs, agents in ((together, 7), (joined, 1)):
    envs.reset(seed=0)
    envs.action_space.seed(0)
    for _ in range(45):
        _, _, _, truncations, _ = envs.step(envs.action_space.sample())
        ends += int(truncations.sum()) // agents
    envs.close()
what = "make_vec, of all agents and of one player for all"
print(json.dumps({"client": "Gymnasium", "version": version("gymnasium"), "what": what, "ends": ends}))
