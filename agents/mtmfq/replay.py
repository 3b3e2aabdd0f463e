"""Replay over vector steps: a ring of slots, from which n-step samples are gathered."""

import math
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
from mtmfq.replay_kernels import gather, reweigh, spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Up to R samples of each of M types; the tensors are reused by the next `sample`, and mean nothing behind a
    type's last sample."""

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

    temperatures: Tensor
    """Temperature at which t was played, (M, R), float32; ones unless `target_temperature` asks for it."""


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
        self._temperatures = np.ones(n_slots if config.target_temperature == "sample" else 0, np.float32)
        self._gathered = (*self.arrays.values(), self._temperatures)
        if len(self._temperatures):
            self.arrays["temperatures"] = self._temperatures
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
        self._joint_steps = config.batch_size if config.batch_of == "joint_steps" else 0
        rows = [self._joint_steps * n or config.batch_size * (n > 0) for n in signature.population]
        self._filled = np.array(rows, np.int64)
        shape = (n_types, max(rows))
        needed = 8 * math.prod(shape) * (width + signature.n_cells + 4)
        check_memory(f"a batch of {shape[1]} rows for each of {n_types} types", needed, "lower batch_size")
        self._samples: dict[str, NDArray[Any]] = {
            "rows": np.zeros((*shape, width), np.float32),
            "cells": np.zeros((*shape, signature.n_cells), np.int32),
            "actions": np.zeros(shape, np.int64),
            "returns": np.zeros(shape, np.float32),
            "discounts": np.zeros(shape, np.float32),
            "next_rows": np.zeros((*shape, width), np.float32),
            "next_cells": np.zeros((*shape, signature.n_cells), np.int32),
            "temperatures": np.ones(shape, np.float32),
        }
        for name in ("cells", "next_cells"):  # of rows that are never filled: the first class everywhere
            self._samples[name][:] = np.arange(signature.n_cells) * self.n_classes
        alike = len(set(rows)) == 1 or not self._joint_steps
        self.parts = (
            [(slice(0, n_types), shape[1])] if alike else [(slice(m, m + 1), n) for m, n in enumerate(rows) if n]
        )
        """Types whose samples are learned from at once, and how many each of them has."""
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
        temperature: float = 1.0,
    ) -> None:
        """Close the open slot with actions, rewards (B, N) and their parts (P, B, N); open the next with what followed."""
        number = self.n_written - 1
        if len(self._temperatures):
            self._temperatures[number % self.n_slots] = temperature
        self.arrays["actions"][number % self.n_slots] = actions
        steps_back = min(self.n_step - 1, number % (self.horizon + 1), self.n_slots - 1)
        spread(rewards, self._agent_powers, number, steps_back, self.arrays["returns"])
        if len(self._parts):
            assert parts is not None  # a rollout hands them over for every game that has them
            for part, values in zip(self._parts, parts, strict=True):
                spread(values, self._agent_powers, number, steps_back, part)
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
        """Samples of each type that has agents, drawn with replacement: R rows, uniform over (step, game, agent), or
        all agents' rows of joint steps, uniform over (step, game) and the same for all types."""
        first, stop = self.starts()
        n_games = self.arrays["actions"].shape[1]
        if self._joint_steps:
            step, game = divmod(rng.integers(first * n_games, stop * n_games, size=self._joint_steps), n_games)
        for m in np.flatnonzero(self.choices):
            count = int(self.choices[m])
            if self._joint_steps:
                place = game[:, None] + np.arange(0, count, n_games)
                self._picks[m, : self._filled[m]] = (step[:, None] * count + place).ravel()
            else:
                self._picks[m] = rng.integers(first * count, stop * count, size=self._picks.shape[1])
        gather(
            self._picks,
            self._filled,
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
        some = np.flatnonzero(rng.random(int(self._filled[m])) < self._relabel)
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
        reweigh(
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
        if "temperatures" in arrays and (arrays["temperatures"] <= 0).any():
            raise LearnerError("its replay holds temperatures that are not above 0")

    def restore(self, arrays: dict[str, NDArray[Any]], n_written: int) -> None:
        """Take back what `state` gave."""
        for name, array in self.arrays.items():
            array[: len(arrays[name])] = arrays[name]
        self.n_written = n_written
