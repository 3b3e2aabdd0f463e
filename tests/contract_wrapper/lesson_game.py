"""A game so small that its best play is known, in the shape that learners take."""

import numpy as np

from contract_wrapper.learners.ppo.config import PPOConfig


class Lesson:
    """A pupil (six actions) and a teacher (seven) see a bit each and earn 1 by naming it; the teacher loses 1 a step.

    An episode takes four steps; what an agent sees is (bit, step / 4).
    """

    type_names = ("pupil", "teacher")
    n_actions = (6, 7)
    no_op = 4
    n_classes = 0
    observation_shape = (2,)
    agent_types = np.array([0, 1, 1])
    n_agents = 3
    horizon = 4

    def __init__(self, n_games: int = 2) -> None:
        self.n_games = n_games
        self.seeds: list[int] = []
        self.played: list[np.ndarray] = []
        self._seen = np.zeros((n_games, 3, 2), np.float32)  # reused, as is allowed

    def reset(self, seed: int) -> np.ndarray:
        self.seeds.append(seed)
        self._rng, self._clock = np.random.default_rng(seed), 0
        return self._show()

    def _show(self) -> np.ndarray:
        self._bits = self._rng.integers(0, 2, (self.n_games, 3))
        self._seen[..., 0], self._seen[..., 1] = self._bits, self._clock / 4
        return self._seen

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.played.append(actions.copy())
        rewards = (actions == self._bits) - 1.0 * (self.agent_types == 1)
        self._clock += 1
        return self._show(), rewards

    def visible(self) -> np.ndarray:
        return np.zeros((self.n_games, 3, 3), bool)


SCHOOL = PPOConfig(episodes=16, n_games=2, n_steps=8, batch_size=16, hidden=(8,), epochs=2)
"""Settings for it: four rollouts of two episodes each, in every game."""
