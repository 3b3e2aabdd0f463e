"""B copies of a game whose steps are settled: what all batches under contracts share, whatever the game.

A game says how an episode begins and what a step gives; here its rewards become utilities.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.settlement import Settled, StepSettlement

FloatArray = NDArray[np.float64]
Rows = NDArray[np.int64] | slice
"""Some copies of a batch: their numbers, or all of them."""

ALL = slice(None)


class SettledGames(ABC):
    """B games in lockstep whose steps are settled, in the shape that batched learners take (`mtmfq.BatchGame`).

    A subclass sets the attributes below, calls `_begin_unsettled`, and says how an episode begins (`_start`) and what
    a step gives (`_play`).
    """

    type_names: tuple[str, ...]
    """Names of the M types: agents of one role are one type."""

    no_op: int | None = None
    """Number of the action that does nothing, the same for all types; None if the game has none."""

    n_games: int
    """Copies in lockstep, B."""

    n_agents: int
    """Agents of one copy, N."""

    horizon: int
    """Steps of one episode."""

    roles: Roles
    """Roles of the N agents."""

    agent_types: NDArray[np.int64]
    """Type of each agent, (N,)."""

    n_actions: tuple[int, ...]
    """Number of actions of each type."""

    observation_shape: tuple[int, ...]
    """Shape of one agent's observation."""

    n_classes: int
    """Number of classes of a symbolic observation; 0 for features."""

    settlement: StepSettlement
    """How steps are settled."""

    _nobody_leaves: ClassVar[bool] = True

    def _begin_unsettled(self) -> None:
        """Fill in what is known before the first step: nothing was done, earned or paid."""
        nothing: FloatArray = np.zeros((self.n_games, self.n_agents))
        self.raw_rewards = nothing
        """Rewards of the last step before settlement, (B, N) in apples; overwritten by the next step."""
        self.activity = Activity(nothing, nothing, nothing)
        """What the agents did in the last step, (B, N) each; counts that the game does not tell are 0."""
        self.here: NDArray[np.bool_] = np.ones((self.n_games, self.n_agents), np.bool_)
        """(B, N): did agent i act in the last step? Who did not is absent: it neither pays nor is paid."""
        self.settled = Settled(transfers=nothing, costs=nothing, utilities=nothing)
        """Transfers, costs and utilities of the last step, (B, N) each in apples."""

    def reset(self, seed: int, *, seeds: Any = None) -> NDArray[Any]:
        """Start an episode in every copy; observations (B, N, ...).

        seeds: (B,) seeds of the copies in place of those derived from `seed`.
        """
        self._offer(seed)
        return self._start(seed, seeds)

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], FloatArray]:
        """Play actions (B, N); observations (B, N, ...) and utilities (B, N) in apples."""
        observations = self._play(actions)
        self.settled = self._settle()
        return observations, self.settled.utilities

    @abstractmethod
    def visible(self) -> NDArray[np.bool_]:
        """(B, N, N): does agent i see agent j now? False on the diagonal."""

    @abstractmethod
    def action_mask(self) -> NDArray[np.bool_]:
        """(B, N, A): which actions are of use now? A is the largest number of actions of a type."""

    @property
    def waste(self) -> NDArray[Any] | None:
        """Waste cells of each copy now, (B,); None in a game without waste."""
        return None

    @abstractmethod
    def _start(self, seed: int, seeds: Any) -> NDArray[Any]:
        """Start an episode in every copy; observations (B, N, ...)."""

    @abstractmethod
    def _play(self, actions: NDArray[np.int64]) -> NDArray[Any]:
        """Play actions (B, N), and say in `raw_rewards`, `activity` and `here` what came of it; observations."""

    def _offer(self, seed: int) -> None:  # noqa: B027
        """Offer the contracts of the episode to come; a game under one contract has nothing to do."""

    def _settlement_of(self, rows: Rows) -> StepSettlement:
        """How some of the copies are settled."""
        return self.settlement

    def _settle(self) -> Settled:
        """Settle the last step; copies in which the same agents are absent are settled together."""
        if self._nobody_leaves or self.here.all():
            return self.settlement.settle(self.raw_rewards, self.activity)
        settled = Settled(*np.zeros((3, *self.here.shape)))
        for rows, here in self._by_presence():
            part = self._settlement_of(rows).settle(
                self.raw_rewards[rows], Activity(*(count[rows] for count in self.activity)), self._roles_of(here)
            )
            for whole, some in zip(settled, part, strict=True):
                whole[rows] = some
        return settled

    def _by_presence(self) -> list[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
        """Numbers of copies, and which of the N agents act in them; copies in which nobody acts are left out."""
        patterns, group = np.unique(self.here, axis=0, return_inverse=True)
        group = group.reshape(-1)  # numpy 2.0 kept an axis
        return [(np.flatnonzero(group == k), here) for k, here in enumerate(patterns) if here.any()]

    def _roles_of(self, here: NDArray[np.bool_]) -> Roles:
        return self.roles if here.all() else self.roles.present(here.tolist())


def mean_of_equals(values: FloatArray) -> float:
    """Return the mean; of equal numbers that number itself, where the mean may round.

    >>> mean_of_equals(np.full(3, 0.1))
    0.1
    """
    return float(values[0] if (values == values[0]).all() else values.mean())
