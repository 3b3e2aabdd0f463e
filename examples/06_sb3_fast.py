"""PPO of stable-baselines3 on our own vector environment, timed against the way through SuperSuit.

Needs: pip install "cleanup-contracts[sb3]". The same PPO is a learner of the command line, too:
cleanup-contracts evaluate --tax 0.3 --cleaners 3 --learner ppo
"""

import runpy
import time
from pathlib import Path
from typing import Any

import numpy as np

from cleanup_env import make_config
from contract_wrapper import Contract, ContractedGame
from contract_wrapper.learners.ppo.train import sb3_vec_env

SLOW = runpy.run_path(str(Path(__file__).with_name("05_sb3_supersuit.py")))


def fast_env(contract: Contract, n_games: int = 8, **settings: Any) -> Any:
    """Every agent of some games as one sub-environment each; compiled, seeded, and aware of its time limit."""
    game = ContractedGame(contract, n_games=n_games, config=make_config("contract", **settings))
    return sb3_vec_env(game, reward_scale=game.reward_scale(), reward_shift=game.reward_shift())


def games_per_second(env: Any, steps: int) -> float:
    """Agent-steps per second of the environment alone, with random actions."""
    rng = np.random.default_rng(0)
    env.reset()
    env.step(rng.integers(0, env.action_space.n, env.num_envs))  # the first step may compile
    began = time.perf_counter()
    for _ in range(steps):
        env.step(rng.integers(0, env.action_space.n, env.num_envs))
    return steps * env.num_envs / (time.perf_counter() - began)


def learning_per_second(env: Any, steps: int) -> float:
    """Agent-steps per second of PPO, learning included."""
    model = SLOW["make_ppo"](env, n_steps=steps)
    began = time.perf_counter()
    model.learn(steps * env.num_envs)
    return steps * env.num_envs / (time.perf_counter() - began)


def main(steps: int = 400, n_games: int = 8, horizon: int = 200) -> dict[str, float]:
    """Time both environments; return how many times faster ours is, alone and under PPO."""
    contract, ratios = Contract(tax=0.3, n_cleaners=3), {}
    for what, speed in (("alone", games_per_second), ("under PPO", learning_per_second)):
        slow = speed(SLOW["vector_env"](contract, n_games, horizon=horizon), steps)
        fast = speed(fast_env(contract, n_games, horizon=horizon), steps)
        ratios[what] = fast / slow
        print(f"{what}: {fast:,.0f} agent-steps per second, {slow:,.0f} through SuperSuit: {ratios[what]:.1f} times")
    return ratios


if __name__ == "__main__":
    main()
