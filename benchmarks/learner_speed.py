"""Speed of the learner without a game: `python benchmarks/learner_speed.py`.

A dummy game shows random features of 48 numbers, drawn once, to 5 + 5 agents with 8 and 7 actions.
Prints agent-steps per CPU-second by gradient steps per vector step, and the parts: acting rows and training samples.
"""

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray

from mtmfq import get_profile, train
from mtmfq.interface import Signature
from mtmfq.learner import Learner
from mtmfq.policy import Actor, one_thread
from mtmfq.replay import Replay


class DummyGame:
    """Random observations and rewards from a small store, so that a step costs next to nothing."""

    n_agents, horizon, n_classes = 10, 200, 0
    type_names = ("a", "b")
    agent_types = np.array([0] * 5 + [1] * 5)
    n_actions = (8, 7)
    observation_shape: tuple[int, ...] = (48,)

    def __init__(self, n_games: int) -> None:
        rng = np.random.default_rng(0)
        self.n_games, self._t = n_games, 0
        self._observations = rng.random((16, n_games, 10, *self.observation_shape), dtype=np.float32)
        self._rewards = (rng.random((16, n_games, 10)) < 0.05).astype(np.float64)
        self._visible = (rng.random((16, n_games, 10, 10)) < 0.3) & ~np.eye(10, dtype=bool)

    def reset(self, seed: int) -> NDArray[np.float32]:
        self._t = seed % 16
        return self._observations[self._t]

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        self._t = (self._t + 1) % 16
        return self._observations[self._t], self._rewards[self._t]

    def visible(self) -> NDArray[np.bool_]:
        return self._visible[self._t]


def parts(game: DummyGame, repeats: int) -> None:
    """Time acting, sampling and the whole update on their own."""
    config, signature, rng = get_profile("fast"), Signature.of(game), np.random.default_rng(0)
    one_thread()
    learner, replay = Learner(signature, config, 0), Replay(signature, config, config.replay_capacity)
    actor = Actor(learner.networks, game.agent_types, game.n_games)
    means = np.zeros((game.n_games, 10, 15), np.float32)
    actions, empty = np.zeros((game.n_games, 10), np.int64), np.empty((game.n_games, 10, 0), np.uint8)
    for t in range(config.replay_capacity):
        observations, rewards = game.step(actions)
        if t % 201 == 0:
            replay.start(observations, empty)
        else:
            replay.add(actions, rewards, observations, empty, means)
    rows, samples = game.n_games * 10, 2 * config.batch_size
    inputs = torch.rand(2, game.n_games * 5, signature.n_features + signature.n_means)

    def forward() -> None:
        with torch.inference_mode():
            learner.networks(inputs)

    for name, unit, count, call in (
        ("forward alone", "rows", rows, forward),
        ("acting", "rows", rows, lambda: actor.act(observations, empty, means, 0.1, rng)),
        ("sampling", "samples", samples, lambda: replay.sample(rng)),
        ("update, sampling included", "samples", samples, lambda: learner.update(replay, 0.1, rng)),
    ):
        for _ in range(10):
            call()
        began = time.process_time()
        for _ in range(repeats):
            call()
        spent = (time.process_time() - began) / repeats
        print(f"{name:28s} {count / spent:12,.0f} {unit}/s {1e6 * spent:10.0f} us")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=1_280, help="episodes per row")
    parser.add_argument("--repeats", type=int, default=300, help="calls timed of each part")
    arguments = parser.parse_args()
    game = DummyGame(64)
    train(game, get_profile("fast", episodes=64), np.random.default_rng(0))  # compiles
    parts(game, arguments.repeats)
    print(f"\n{'per step':>12s} {'agent-steps/CPU-s':>18s} {'updates':>8s} {'CPU-s':>7s}")
    for updates in (0.0, 0.3125, 1.25, 2.5):
        config = get_profile("fast", episodes=arguments.episodes, updates_per_step=updates)
        result = train(game, config, np.random.default_rng(0))
        rate = result.agent_steps / result.cpu_seconds
        print(f"{updates:12.4f} {rate:18,.0f} {result.updates:8d} {result.cpu_seconds:7.1f}")


if __name__ == "__main__":
    main()
