"""Replay over vector steps: a ring of slots, and one compiled kernel that gathers n-step samples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtmfq.checks import check_memory
from mtmfq.config import MTMFQConfig
from mtmfq.interface import LearnerError, Signature
from mtmfq.numba_tools import kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """R samples of each of M types; the tensors are reused by the next `sample`, an empty type is zeros."""

    rows: Tensor
    """Features and mean actions at t, (M, R, features + means), float32."""

    cells: Tensor
    """Cells of a symbolic observation at t, (M, R, n_cells), int32 numbers cell * n_classes + class."""

    actions: Tensor
    """Actions at t, (M, R), int64."""

    returns: Tensor
    """Discounted sum of the m = min(n_step, steps left) rewards from t on, (M, R), float32."""

    discounts: Tensor
    """gamma^m, (M, R), float32."""

    next_rows: Tensor
    """Features and mean actions for the target at t + m, (M, R, features + means), float32."""

    next_cells: Tensor
    """Cells at t + m, (M, R, n_cells), int32."""


OtherContexts = Callable[[np.random.Generator, NDArray[np.int64]], tuple[NDArray[np.float32], NDArray[np.float64]]]
"""Draws contexts for agents, and weights of the parts of their rewards: `RelabelGame.other_contexts`."""


class Replay:
    """The last `n_slots` vector steps of all games.

    A slot holds what is known when an agent acts, o_t and abar_{t-1}, then the actions of that step and
    its n-step return, to which each later reward of the episode is added as it comes. Every episode of
    T steps takes T + 1 slots: the last one holds the final observation and mean actions, and is never
    a start. The newest slot is open: it has no actions yet. The operating system gives memory for a
    slot when it is first written.

    With `n_parts`, the parts of which rewards are made are kept, too, in the same way, and a part of the samples
    (`MTMFQConfig.relabel`) is shown as it would have been under a context drawn by `other_contexts`. What others did
    under the context that was played stays as it was.
    """

    def __init__(
        self, signature: Signature, config: MTMFQConfig, n_slots: int,
        n_parts: int = 0, other_contexts: OtherContexts | None = None,
    ) -> None:  # fmt: skip
        b, n, self.horizon = config.n_games, len(signature.agent_types), signature.horizon
        self.n_slots, self.n_written = n_slots, 0
        self.n_step, self.paper_timing = config.n_step, config.timing == "paper"
        self.n_features, self.n_classes = signature.n_features, max(signature.n_classes, 1)
        width = signature.n_features + signature.n_means
        needed = n_slots * b * n * (4 * width + signature.n_cells + 5 + 4 * n_parts)
        what = f"a replay of {n_slots} steps of {b} games with {n} agents"
        check_memory(what, needed, "lower replay_capacity or n_games")
        self.arrays: dict[str, NDArray[Any]] = {
            "rows": np.zeros((n_slots, b, n, width), np.float32),  # features, then mean actions
            "cells": np.zeros((n_slots, b, n, signature.n_cells), np.uint8),
            "actions": np.zeros((n_slots, b, n), np.int8),
            "returns": np.zeros((n_slots, b, n), np.float32),
        }
        self._gathered = tuple(self.arrays.values())
        self._parts = np.zeros((n_parts, n_slots, b, n), np.float32)
        self.arrays |= {f"part_{k}": part for k, part in enumerate(self._parts)}
        self._relabel = config.relabel if n_parts else 0.0
        self._other_contexts, self._n_context = other_contexts, signature.n_context
        types = np.array(signature.agent_types, np.int64)
        self._n_actions = np.array(signature.n_actions)[types]  # of each agent, (N,)
        n_types = len(signature.n_actions)
        self.members = np.zeros((n_types, n), np.int64)
        for m in range(n_types):
            self.members[m, : signature.population[m]] = np.flatnonzero(types == m)
        self.choices = np.array(signature.population, np.int64) * b
        self.present = torch.from_numpy((self.choices > 0).astype(np.float32))  # of each type, 1 or 0, (M,)
        ahead = np.arange(min(config.n_step, signature.horizon) + 1)
        gammas = np.array(config.gammas(signature.type_names), np.float64)
        self.powers: NDArray[np.float64] = np.power(gammas[:, None], ahead)  # (M, n + 1)
        self._agent_powers = np.ascontiguousarray(self.powers[types].T, np.float32)  # (n + 1, N)
        shape = (n_types, config.batch_size)
        self._samples: dict[str, NDArray[Any]] = {
            "rows": np.zeros((*shape, width), np.float32),
            "cells": np.zeros((*shape, signature.n_cells), np.int32),
            "actions": np.zeros(shape, np.int64),
            "returns": np.zeros(shape, np.float32),
            "discounts": np.zeros(shape, np.float32),
            "next_rows": np.zeros((*shape, width), np.float32),
            "next_cells": np.zeros((*shape, signature.n_cells), np.int32),
        }
        self._picks = np.zeros(shape, np.int64)
        self._batch = Batch(**{name: torch.from_numpy(array) for name, array in self._samples.items()})

    def start(self, features: NDArray[np.float32], cells: NDArray[np.uint8]) -> None:
        """Open the first slot of an episode: features and cells (B, N, ...), no mean actions yet."""
        self._open(features, cells, np.float32(0.0))

    def add(
        self,
        actions: NDArray[np.int64],
        rewards: NDArray[np.float64],
        features: NDArray[np.float32],
        cells: NDArray[np.uint8],
        means: NDArray[np.float32],
        parts: NDArray[np.float64] | None = None,
    ) -> None:
        """Close the open slot with actions, rewards (B, N) and their parts (P, B, N); open the next with what followed."""
        number = self.n_written - 1
        self.arrays["actions"][number % self.n_slots] = actions
        steps_back = min(self.n_step - 1, number % (self.horizon + 1), self.n_slots - 1)
        _spread(rewards, self._agent_powers, number, steps_back, self.arrays["returns"])
        if len(self._parts):
            assert parts is not None  # a rollout hands them over for every game that has them
            for part, values in zip(self._parts, parts, strict=True):
                _spread(values, self._agent_powers, number, steps_back, part)
        self._open(features, cells, means)

    def _open(
        self,
        features: NDArray[np.float32],
        cells: NDArray[np.uint8],
        means: NDArray[np.float32] | np.float32,
    ) -> None:
        slot = self.n_written % self.n_slots
        rows = self.arrays["rows"][slot]
        rows[..., : self.n_features] = features
        rows[..., self.n_features :] = means
        self.arrays["cells"][slot] = cells
        for sums in (self.arrays["returns"], *self._parts):
            sums[slot] = 0.0
        self.n_written += 1

    def starts(self) -> tuple[int, int]:
        """Range [first, stop) of steps that can be sampled, counted over all episodes since the beginning.

        Step k is step k % T of episode k // T and stands in slot number k + k // T. It can be sampled
        while its own slot is kept and the one n steps later, or the final one, has been written.
        """
        if self.n_written == 0:
            return 0, 0
        episode, step = divmod(max(0, self.n_written - self.n_slots), self.horizon + 1)
        first = episode * self.horizon + step
        episode, step = divmod(self.n_written - 1, self.horizon + 1)
        whole = self.horizon if step == self.horizon else max(0, step - self.n_step + 1)
        return first, max(first, episode * self.horizon + whole)

    def is_ready(self) -> bool:
        """Whether there is a step to sample."""
        first, stop = self.starts()
        return first < stop

    def sample(self, rng: np.random.Generator) -> Batch:
        """R samples of each type that has agents, uniform over (step, game, agent), with replacement."""
        first, stop = self.starts()
        for m in np.flatnonzero(self.choices):
            count = int(self.choices[m])
            self._picks[m] = rng.integers(first * count, stop * count, size=self._picks.shape[1])
        _gather(
            self._picks,
            self.members,
            self.choices,
            self.powers,
            self.horizon,
            int(self.paper_timing),
            self.n_features,
            self.n_classes,
            *self._gathered,
            *self._samples.values(),
        )
        if self._relabel:
            for m in np.flatnonzero(self.choices):
                self._show_otherwise(int(m), rng)
        return self._batch

    def _show_otherwise(self, m: int, rng: np.random.Generator) -> None:
        """Show a part of a type's samples as they would have been under other contexts."""
        assert self._other_contexts is not None  # comes with the parts
        some = np.flatnonzero(rng.random(self._picks.shape[1]) < self._relabel)
        agent = self.members[m, self._picks[m, some] % self.choices[m] // self.arrays["actions"].shape[1]]
        contexts, weights = self._other_contexts(rng, agent)
        shapes = ((len(some), self._n_context), (len(some), len(self._parts)))
        if (np.shape(contexts), np.shape(weights)) != shapes:
            raise LearnerError(
                f"other_contexts must return contexts and weights of shapes {shapes[0]} and {shapes[1]} for {len(some)} "
                f"agents, got {np.shape(contexts)} and {np.shape(weights)}"
            )
        seen = slice(self.n_features - self._n_context, self.n_features)
        for name in ("rows", "next_rows"):
            self._samples[name][m, some, seen] = contexts
        _reweigh(
            some, agent, self._picks[m], int(self.choices[m]), self.horizon,
            self._parts, np.asarray(weights, np.float64), self._samples["returns"][m],
        )  # fmt: skip

    def state(self) -> dict[str, NDArray[Any]]:
        """The slots in use, for a checkpoint; the rings as they lie, without a copy."""
        used = min(self.n_written, self.n_slots)
        return {name: array[:used] for name, array in self.arrays.items()}

    def written_after(self, episodes: int) -> int:
        """Slots written by so many whole episodes, those that were overwritten included."""
        return episodes * (self.horizon + 1)

    def check(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Make sure that the content of slots, as of `state`, can be learned from.

        Raises:
            LearnerError: actions or cells are none of this game.
        """
        actions = arrays["actions"]
        if (actions < 0).any() or (actions >= self._n_actions).any() or (arrays["cells"] >= self.n_classes).any():
            raise LearnerError("its replay holds actions or cells that this game does not have")

    def restore(self, arrays: dict[str, NDArray[Any]], n_written: int) -> None:
        """Take back what `state` gave."""
        for name, array in self.arrays.items():
            array[: len(arrays[name])] = arrays[name]
        self.n_written = n_written


@kernel
def _spread(
    rewards: NDArray[np.float64],
    powers: NDArray[np.float32],
    number: int,
    steps_back: int,
    returns: NDArray[np.float32],
) -> None:
    """Rewards (B, N) of slot `number`, powers (n + 1, N) -> added, discounted, to the last steps' returns."""
    n_games, n_agents = rewards.shape
    for back in range(steps_back + 1):
        slot = (number - back) % returns.shape[0]
        for b in range(n_games):
            for n in range(n_agents):
                returns[slot, b, n] += powers[back, n] * np.float32(rewards[b, n])


@kernel
def _reweigh(
    some: NDArray[np.int64],
    agents: NDArray[np.int64],
    picks: NDArray[np.int64],
    choices: int,
    horizon: int,
    parts: NDArray[np.float32],
    weights: NDArray[np.float64],
    out_returns: NDArray[np.float32],
) -> None:
    """Samples `some` (S,) and their agents (S,), picks (R,), parts (P, slots, B, N), weights (S, P) -> returns (R,)."""
    n_parts, n_slots, n_games, _ = parts.shape
    for i in range(some.size):
        step, place = divmod(picks[some[i]], choices)
        slot, game = (step + step // horizon) % n_slots, place % n_games
        total = 0.0
        for p in range(n_parts):
            total += weights[i, p] * parts[p, slot, game, agents[i]]
        out_returns[some[i]] = total


@kernel
def _gather(
    picks: NDArray[np.int64],  # (M, R): step * choices + place of the (game, agent)
    members: NDArray[np.int64],
    choices: NDArray[np.int64],
    powers: NDArray[np.float64],
    horizon: int,
    means_delay: int,  # slots between a step's observation and the mean actions given to its Q
    n_features: int,
    n_classes: int,
    rows: NDArray[np.float32],
    cells: NDArray[np.uint8],
    actions: NDArray[np.int8],
    returns: NDArray[np.float32],
    out_rows: NDArray[np.float32],
    out_cells: NDArray[np.int32],
    out_actions: NDArray[np.int64],
    out_returns: NDArray[np.float32],
    out_discounts: NDArray[np.float32],
    out_next_rows: NDArray[np.float32],
    out_next_cells: NDArray[np.int32],
) -> None:
    n_slots, n_games, _, width = rows.shape
    for m in range(picks.shape[0]):
        if choices[m] == 0:
            continue
        for i in range(picks.shape[1]):
            step, place = divmod(picks[m, i], choices[m])
            game, agent = place % n_games, members[m, place // n_games]
            number = step + step // horizon
            ahead = min(powers.shape[1] - 1, horizon - step % horizon)
            slot, end = number % n_slots, (number + ahead) % n_slots
            out_actions[m, i] = actions[slot, game, agent]
            out_returns[m, i] = returns[slot, game, agent]
            out_discounts[m, i] = powers[m, ahead]
            for f in range(width):
                out_rows[m, i, f] = rows[slot, game, agent, f]
                out_next_rows[m, i, f] = rows[end, game, agent, f]
            if means_delay:
                known = (number + means_delay) % n_slots
                for f in range(n_features, width):
                    out_rows[m, i, f] = rows[known, game, agent, f]
            for c in range(cells.shape[3]):
                out_cells[m, i, c] = c * n_classes + cells[slot, game, agent, c]
                out_next_cells[m, i, c] = c * n_classes + cells[end, game, agent, c]
