"""PPO of stable-baselines3 on `sb3_vec_env`: every agent of every game is one sub-environment."""

import json
from importlib.metadata import version

from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor

from cleanup_env import make_config
from contract_wrapper import Contract, ContractedGame, sb3_vec_env

game = ContractedGame(Contract(tax=0.3, n_cleaners=2), n_games=4, config=make_config("contract", horizon=20))
env = VecMonitor(sb3_vec_env(game, reward_scale=game.reward_scale(), reward_shift=game.reward_shift()))
model = PPO("MlpPolicy", env, n_steps=40, batch_size=280, n_epochs=2, seed=0, device="cpu")
model.learn(60 * env.num_envs)
episodes = list(model.ep_info_buffer)  # one per agent and episode, the last 100
assert all(e["l"] == 20 for e in episodes)
ends = game.n_games * model.num_timesteps // env.num_envs // game.horizon
assert len(episodes) == min(100, ends * game.n_agents)
what = "PPO on sb3_vec_env, 4 games"
print(json.dumps({"client": "stable-baselines3", "version": version("stable_baselines3"), "what": what, "ends": ends}))
