"""PPO of stable-baselines3 on the PettingZoo face of the game, joined by SuperSuit the usual way.

Needs: pip install "cleanup-contracts[sb3]". For the same thing many times faster see 06_sb3_fast.py.
"""

from typing import Any

import numpy as np
import supersuit
from stable_baselines3 import PPO
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import VecMonitor

import cleanup_env
from contract_wrapper import Contract, make_contracted


def vector_env(contract: Contract, n_games: int = 8, seed: int = 0, **settings: Any) -> VecMonitor:
    """Every agent of some games under a contract, as one sub-environment each."""

    # A vector environment has as many sub-environments as agents, so another number of cleaners needs a new one
    # and a new PPO object around it (its weights may be carried over). One network plays all roles, so all need one
    # action space: what a harvester cannot do is played as STAY.
    def game(n_cleaners: int) -> Any:
        return cleanup_env.parallel_env(n_cleaners=n_cleaners, observation="features", equal_actions=True, **settings)

    env = make_contracted(contract, game)
    env = supersuit.agent_indicator_v0(env, type_only=True)  # the network is told whose eyes it looks through
    env = supersuit.pettingzoo_env_to_vec_env_v1(env)
    env = supersuit.concat_vec_envs_v1(env, n_games, num_cpus=1, base_class="stable_baselines3")
    # SuperSuit passes no seeds on, so PPO(seed=...) fails; seed the games below it instead, once: game i gets
    # seed + i, and each episode's seed follows from the one before.
    env.venv.reset(seed=seed)
    return VecMonitor(env)


def make_ppo(env: Any, n_steps: int = 100, seed: int = 0) -> PPO:
    """PPO with four whole batches per rollout; on a CPU, where networks so small are at home."""
    set_random_seed(seed)
    batch = env.num_envs * n_steps // 4
    return PPO("MlpPolicy", env, n_steps=n_steps, batch_size=batch, n_epochs=4, device="cpu")


def main(episodes: int = 80, horizon: int = 200, n_games: int = 8) -> tuple[PPO, float]:
    """Train a crew of three; return the learner and the last episodes' mean utility per agent."""
    env = vector_env(Contract(tax=0.3, n_cleaners=3), n_games, horizon=horizon)
    # Nor does SuperSuit tell time limits from ends: PPO learns here that nothing comes after the last step. The
    # environment of 06_sb3_fast.py tells it.
    model = make_ppo(env, n_steps=min(100, horizon))
    model.learn(episodes // n_games * horizon * env.num_envs)
    utility = float(np.mean([info["r"] for info in model.ep_info_buffer]))
    print(f"{env.num_envs} sub-environments, {model.num_timesteps} agent-steps, utility per agent {utility:.2f}")
    return model, utility


if __name__ == "__main__":
    main()
