"""The loop of CleanRL's `ppo.py` on Gymnasium's vector environments: one player moves all agents."""

import json
from importlib.metadata import version

import gymnasium

import cleanup_env  # noqa: F401  registers the game


def thunk():
    env = gymnasium.make("cleanup_env/CentralizedCleanup-v0", n_cleaners=2, horizon=20, observation="features")
    return gymnasium.wrappers.RecordEpisodeStatistics(gymnasium.wrappers.FlattenObservation(env))


lengths = []
for mode in (gymnasium.vector.AutoresetMode.SAME_STEP, gymnasium.vector.AutoresetMode.NEXT_STEP):
    envs = gymnasium.vector.SyncVectorEnv([thunk, thunk], autoreset_mode=mode)
    envs.action_space.seed(0)
    envs.reset(seed=1)
    for _ in range(45):
        *_, infos = envs.step(envs.action_space.sample())
        told = infos.get("final_info", infos)
        if "episode" in told:
            lengths += told["episode"]["l"][told["_episode"]].tolist()
assert set(lengths) == {20}
what = "the loop of ppo.py, SyncVectorEnv, SAME_STEP and NEXT_STEP"
versions = f"Gymnasium {version('gymnasium')}"
print(json.dumps({"client": "CleanRL's Gymnasium loop", "version": versions, "what": what, "ends": len(lengths)}))
