"""PPO of stable-baselines3 on the PettingZoo face of the game, joined by SuperSuit, with the traps on the way solved.

Needs: pip install "cleanup-contracts[sb3]". For the same thing many times faster see 06_sb3_fast.py.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import supersuit
from stable_baselines3 import PPO
from supersuit.vector.sb3_vector_wrapper import SB3VecEnvWrapper

import cleanup_env
from contract_wrapper import Contract, make_contracted


class Mended(SB3VecEnvWrapper):
    """SuperSuit's bridge to stable-baselines3, after three repairs."""

    first_seed: int | None = None

    # Trap 1, seeds: PPO(seed=...) calls env.seed, which SuperSuit passes on to an object that has no such
    # method, and its reset drops the seed. Kept here, the seed reaches the games at the next reset (game i
    # gets seed + i), and one seed fixes all episodes of a game.
    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        self.first_seed = seed
        return [seed] * self.num_envs

    def reset(self, seed: int | None = None, options: Any = None) -> np.ndarray:
        observations, self.reset_infos = self.venv.reset(seed=self.first_seed)
        self.first_seed = None
        return observations

    def step_wait(self) -> Any:
        observations, rewards, terminations, truncations, infos = self.venv.step_wait()
        for ended, cut, info in zip(terminations, truncations, infos, strict=True):
            # Trap 2, time limits: an episode is cut after 200 steps, the world does not end there. Without this
            # entry PPO learns that nothing comes after; with it, it adds the value of `terminal_observation`.
            info["TimeLimit.truncated"] = bool(cut and not ended)
            # Trap 3, names: what our game reports under `episode`, stable-baselines3 reads as its Monitor's.
            if "episode" in info:
                info["episode"] = {"r": info["episode"]["reward"], "l": info["episode"]["length"]}
        return observations, rewards, terminations.astype(bool) | truncations.astype(bool), infos


def vector_env(contract: Contract, n_games: int = 8, **settings: Any) -> Mended:
    """Every agent of some games under a contract, as one sub-environment each."""

    # A vector environment has as many sub-environments as agents, so another number of cleaners needs a new one
    # and a new PPO object around it (its weights may be carried over).
    def game(n_cleaners: int) -> Any:
        return cleanup_env.parallel_env(n_cleaners=n_cleaners, observation="features", **settings)

    env = make_contracted(contract, game)
    # One network plays all roles, so all need one action space. Harvesters cannot clean: SuperSuit plays their
    # eighth action as action 0 (a step to the left). And the network must be told whose eyes it looks through.
    env = supersuit.pad_action_space_v0(env)
    env = supersuit.agent_indicator_v0(env, type_only=True)
    env = supersuit.pettingzoo_env_to_vec_env_v1(env)
    return Mended(supersuit.concat_vec_envs_v1(env, n_games, num_cpus=1, base_class="gymnasium"))


def make_ppo(env: Any, n_steps: int = 100, seed: int = 0) -> PPO:
    """PPO with four whole batches per rollout; on a CPU, where networks so small are at home."""
    batch = env.num_envs * n_steps // 4
    return PPO("MlpPolicy", env, n_steps=n_steps, batch_size=batch, n_epochs=4, seed=seed, device="cpu")


def main(episodes: int = 80, horizon: int = 200, n_games: int = 8) -> tuple[PPO, float]:
    """Train a crew of three; return the learner and the last episodes' mean utility per agent."""
    env = vector_env(Contract(tax=0.3, n_cleaners=3), n_games, horizon=horizon)
    model = make_ppo(env, n_steps=min(100, horizon))
    model.learn(episodes // n_games * horizon * env.num_envs)
    utility = float(np.mean([info["r"] for info in model.ep_info_buffer]))
    print(f"{env.num_envs} sub-environments, {model.num_timesteps} agent-steps, utility per agent {utility:.2f}")
    return model, utility


if __name__ == "__main__":
    main()
