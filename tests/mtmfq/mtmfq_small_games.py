"""Games small enough to know their best play by heart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtmfq import MTMFQConfig, Policy, get_profile


class Relay:
    """A cook's work feeds a guest one step later, on a corridor of two places.

    Each guest sees a bit and earns 1 by naming it, provided the cook worked in the step before.
    The cook (actions: rest, work, shout) earns what the guest earns, one step after its work.
    Best play earns the guest and the cook `horizon - 1` each; the first step has no work behind it.
    """

    type_names = ("guest", "cook")
    n_actions = (2, 3)
    n_classes = 0
    observation_shape: tuple[int, ...] = (3,)

    def __init__(self, n_games: int = 16, horizon: int = 6, population: tuple[int, int] = (1, 1)) -> None:
        self.n_games, self.horizon, self.n_agents = n_games, horizon, sum(population)
        self.agent_types = np.array([0] * population[0] + [1] * population[1])
        self.seeds: list[int] = []
        self._observations = np.zeros((n_games, self.n_agents, 3), np.float32)  # reused, as is allowed

    def reset(self, seed: int) -> NDArray[Any]:
        self.seeds.append(seed)
        self._rng = np.random.default_rng(seed)
        self._worked = np.zeros(self.n_games, bool)
        return self._show()

    def _show(self) -> NDArray[Any]:
        self._bits = self._rng.integers(0, 2, self.n_games)
        self._observations[:] = 0.0
        self._observations[:, :, 0] = self._bits[:, None]
        self._observations[:, :, 1] = self._worked[:, None]
        self._observations[:, :, 2] = 1.0
        return self._observations

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        assert actions.shape == (self.n_games, self.n_agents)
        named = (actions == self._bits[:, None]) & (self.agent_types == 0)
        fed = named.any(axis=1) & self._worked
        rewards = np.where(self.agent_types == 1, fed[:, None], named & self._worked[:, None]).astype(float)
        self._worked = ((actions == 1) & (self.agent_types == 1)).any(axis=1)
        return self._show(), rewards

    def visible(self) -> NDArray[np.bool_]:
        return np.repeat(~np.eye(self.n_agents, dtype=bool)[None], self.n_games, axis=0)


class Choice:
    """One agent, one observation, two actions: action 0 pays 1 at once, action 1 pays nothing."""

    type_names = ("only",)
    n_actions = (2,)
    n_classes = 0
    observation_shape: tuple[int, ...] = (1,)
    agent_types = np.array([0])
    n_agents = 1

    def __init__(self, n_games: int = 8, horizon: int = 5) -> None:
        self.n_games, self.horizon = n_games, horizon
        self.played: list[NDArray[np.int64]] = []

    def reset(self, seed: int) -> NDArray[Any]:
        return np.ones((self.n_games, 1, 1), np.float32)

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        self.played.append(actions.copy())
        return np.ones((self.n_games, 1, 1), np.float32), (actions == 0).astype(float)

    def visible(self) -> NDArray[np.bool_]:
        return np.zeros((self.n_games, 1, 1), bool)


class Letters:
    """Symbolic: an agent sees a 3 x 3 board of three classes and earns 1 by naming the middle one."""

    type_names = ("reader", "absent")
    n_actions = (3, 2)
    n_classes = 3
    observation_shape: tuple[int, ...] = (3, 3)
    agent_types = np.array([0, 0])
    n_agents = 2

    def __init__(self, n_games: int = 8, horizon: int = 5) -> None:
        self.n_games, self.horizon = n_games, horizon

    def reset(self, seed: int) -> NDArray[Any]:
        self._rng = np.random.default_rng(seed)
        return self._show()

    def _show(self) -> NDArray[Any]:
        self._boards = self._rng.integers(0, 3, (self.n_games, 2, 3, 3), dtype=np.uint8)
        return self._boards

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        rewards = (actions == self._boards[:, :, 1, 1]).astype(float)
        return self._show(), rewards

    def visible(self) -> NDArray[np.bool_]:
        return np.zeros((self.n_games, 2, 2), bool)


class Wish:
    """One or more agents see nothing but a context: a wish, drawn at reset, for one of two actions, which pays `pay`.

    Wishes of the copies alternate, beginning with the parity of the seed. The second number of the context is 1.
    Best play earns horizon * pay in every episode; who does not see the wish earns half of it.
    """

    type_names = ("giver", "absent")
    n_actions = (2, 2)
    n_classes = 0
    observation_shape: tuple[int, ...] = (1,)
    n_context = 2

    def __init__(self, n_games: int = 16, horizon: int = 4, n_agents: int = 1, pay: float = 1.0) -> None:
        self.n_games, self.horizon, self.n_agents, self.pay = n_games, horizon, n_agents, pay
        self.agent_types = np.zeros(n_agents, np.int64)
        self.seeds: list[int] = []

    def reset(self, seed: int) -> NDArray[Any]:
        self.seeds.append(seed)
        self.wishes = (np.arange(self.n_games) + seed) % 2
        return np.zeros((self.n_games, self.n_agents, 1), np.float32)

    def context(self) -> NDArray[np.float32]:
        shown = np.ones((self.n_games, self.n_agents, 2), np.float32)
        shown[:, :, 0] = self.wishes[:, None]
        return shown

    def episode_scale(self) -> NDArray[np.float64]:
        return np.full((self.n_games, self.n_agents), 1.0 / self.pay)

    def episode_shift(self) -> NDArray[np.float64]:
        return np.zeros((self.n_games, self.n_agents))

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        rewards = self.pay * (actions == self.wishes[:, None])
        return np.zeros((self.n_games, self.n_agents, 1), np.float32), rewards

    def visible(self) -> NDArray[np.bool_]:
        return np.repeat(~np.eye(self.n_agents, dtype=bool)[None], self.n_games, axis=0)


class TellingWish(Wish):
    """A `Wish` that can say what its rewards would have been: 1 - |wish - action|, which has parts 1, action and 1.

    Learned from under the wish w, a step with action a pays (1 - w) * (1 - a) + w * a. Only wish 0 is ever played.
    """

    n_parts = 2

    def reset(self, seed: int) -> NDArray[Any]:
        shown = super().reset(seed)
        self.wishes = np.zeros(self.n_games, np.int64)
        return shown

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        self.parts = np.stack([actions == 0, actions == 1]).astype(np.float64)
        return super().step(actions)

    def reward_parts(self) -> NDArray[np.float64]:
        return self.parts

    def other_contexts(
        self, rng: np.random.Generator, agents: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        wishes = rng.integers(0, 2, len(agents))
        shown = np.ones((len(agents), 2), np.float32)
        shown[:, 0] = wishes
        return shown, np.stack([wishes == 0, wishes == 1], axis=1).astype(np.float64)


def quick(**changes: object) -> MTMFQConfig:
    """Small enough for seconds: 16 games, 16-16 networks, a fast and loud learner."""
    values: dict[str, object] = {
        "episodes": 1_600,
        "n_games": 16,
        "hidden": (16, 16),
        "gamma": 0.9,
        "n_step": 3,
        "learning_rate": 3e-3,
        "batch_size": 64,
        "updates_per_step": 1.5,
        "replay_capacity": 200,
        "tau": 0.05,
        "temperature": ((0.0, 0.5), (0.8, 0.02)),
    }
    return get_profile("fast", **{**values, **changes})


def flat(policy: Policy) -> np.ndarray:
    return policy.networks.flat.numpy()
