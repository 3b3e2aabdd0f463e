"""MaskablePPO of sb3-contrib on `sb3_vec_env`, which says what each agent may do."""

import json
from importlib.metadata import version

from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks

from cleanup_env import make_config
from contract_wrapper import Contract, ContractedGame, sb3_vec_env

game = ContractedGame(Contract(tax=0.3, n_cleaners=2), n_games=4, config=make_config("contract", horizon=20))
env = sb3_vec_env(game, reward_scale=game.reward_scale(), reward_shift=game.reward_shift())
model = MaskablePPO("MlpPolicy", env, n_steps=40, batch_size=280, n_epochs=2, seed=0, device="cpu")
model.learn(60 * env.num_envs)
ends, observations = game.n_games * model.num_timesteps // env.num_envs // game.horizon, env.reset()
for _ in range(20):
    masks = get_action_masks(env)
    actions, _ = model.predict(observations, action_masks=masks)
    assert masks[range(env.num_envs), actions].all()
    observations, _, dones, _ = env.step(actions)
ends += int(dones.sum()) // game.n_agents
what = "MaskablePPO on sb3_vec_env, trained, then played"
print(json.dumps({"client": "sb3-contrib", "version": version("sb3_contrib"), "what": what, "ends": ends}))
