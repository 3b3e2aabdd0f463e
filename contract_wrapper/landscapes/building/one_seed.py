"""One seed of a landscape: train crews that know all contracts and agents that deviate, play, put together.

The work of a seed is divided into parts that leave a file each, so that processes can share it: a part is done where
those that it builds on are there. The strongest deviation is chosen on some episodes and measured on others, as the
certificate needs it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic

import numpy as np

from contract_wrapper.evaluation.by_crews.crew_folder import one_crews
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.evaluation.deviators import Deviator, train_deviator
from contract_wrapper.evaluation.evaluate import EvaluationStopped, evaluate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.files import make_folder
from contract_wrapper.landscapes.building.measured import Measured
from contract_wrapper.landscapes.building.plan import Plan, Table
from contract_wrapper.landscapes.building.seed_tables import SeedTables
from contract_wrapper.landscapes.certifying.alike import role_of

BASELINE, CREWS, DEVIATORS, TRYING, PLAYING, MEASURING = KINDS = tuple(range(6))
"""Kinds of parts, in an order in which they can be done."""

PARTS = ("baseline", "crews", "deviators", "trying deviations", "playing contracts", "measuring gains")
"""What is done for a seed, by kind; contracts without cleaners are the baseline alone."""

SHARES = (0.03, 0.42, 0.22, 0.08, 0.11, 0.14)
"""About what part of the time each kind takes."""

BUILDS_ON: dict[int, tuple[int, ...]] = {
    BASELINE: (), CREWS: (), DEVIATORS: (CREWS,), TRYING: (DEVIATORS,), PLAYING: (CREWS,), MEASURING: (TRYING, PLAYING),
}  # fmt: skip
"""Kinds of which all parts have to be there before a part of a kind can be done."""

STOPPED = "the landscape was stopped; run the same command to go on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the work of a seed."""

    kind: int
    """Its place in `PARTS`."""

    index: int = 0
    """Which of its kind: a deviator, or a crew size."""

    @property
    def name(self) -> str:
        """What is being done."""
        return PARTS[self.kind]


def kinds_of_deviators(settings: Plan[Any]) -> list[tuple[str, bool]]:
    """Role and start of each deviator that is trained: anew, or on from the crew's own network.

    A deviator sees its contract: one that learned as the first of its role serves all of the role.
    """
    agents = settings.agents_of(max(settings.sizes))
    roles = dict.fromkeys(role_of(who, agents) for who in settings.roles)
    return [(role, warm) for role in roles for warm in (False, True)]


def parts_of(settings: Plan[Any]) -> list[Part]:
    """All parts of a seed, in an order in which they can be done."""
    many = (1, 1, len(kinds_of_deviators(settings)), *[len(settings.sizes)] * 3)
    return [Part(kind=kind, index=i) for kind in KINDS for i in range(many[kind])]


class SeedBuilder(Generic[Table]):
    """Makes the parts of one seed in its folder, and the table of all."""

    def __init__(
        self, settings: Plan[Table], seed: int, folder: Path, tell: Callable[[float], None],
        should_stop: Callable[[], bool],
    ) -> None:  # fmt: skip
        """Prepare to build.

        Args:
            settings: what is made.
            seed: of everything drawn.
            folder: of this seed.
            tell: called with how much of the present part is done (0 to 1).
            should_stop: asked between contracts and vector episodes.
        """
        self._settings, self._seed, self._folder = settings, seed, make_folder(folder)
        self._report, self._should_stop = tell, should_stop
        self._evaluation = settings.evaluation(seed)

    def do(self, part: Part) -> None:
        """Make the file of a part, unless it is there.

        Raises:
            EvaluationStopped: a stop was asked for.
            ContractsError, LearnerError: the folder cannot be used, a file in it is broken, or a learner diverged.
        """
        self._tell(0.0)
        if part.kind == BASELINE:
            self.baseline()
        elif part.kind == CREWS:
            _ = self.crews
        elif part.kind == DEVIATORS:
            self.deviator(part.index)
        elif part.kind == TRYING:
            self.tables().try_size(part.index)
        elif part.kind == PLAYING:
            self.tables(deviators=False).play_size(part.index)
        else:
            tables = self.tables()
            tables.measure_size(part.index, tables.play_size(part.index), tables.try_deviations()[1])

    def baseline(self) -> Outcome:
        """Agents without a contract, trained and judged."""
        return evaluate(
            self._settings.none(), self._evaluation, self._seed, folder=self._folder, on_progress=self._training,
            should_stop=self._should_stop,
        )  # fmt: skip

    @cached_property
    def crews(self) -> Crews:
        """Crews that know all contracts."""
        found = one_crews(self._folder, self._evaluation, 0, on_progress=self._training, should_stop=self._should_stop)
        if found is None:
            raise EvaluationStopped("the training of the crews was stopped; run the same command to go on")
        return found

    def deviator(self, index: int) -> Deviator:
        """One of `kinds_of_deviators`, trained."""
        role, warm = kinds_of_deviators(self._settings)[index]
        found = train_deviator(
            self.crews, role, warm=warm, config=self._settings.deviators, seed=self._seed,
            checkpoint=self._folder / f"{role}-{'on' if warm else 'anew'}.npz", on_progress=self._training,
            should_stop=self._should_stop,
        )  # fmt: skip
        if not found.finished:
            raise EvaluationStopped("the training of a deviator was stopped; run the same command to go on")
        return found

    @cached_property
    def deviators(self) -> list[Deviator]:
        """All of `kinds_of_deviators`, trained."""
        return [self.deviator(i) for i in range(len(kinds_of_deviators(self._settings)))]

    def tables(self, *, deviators: bool = True) -> SeedTables:
        """What plays; without deviators contracts alone."""
        learned = self.deviators if deviators else []
        return SeedTables(self._settings, self._seed, self._folder, self.crews, learned, self._tell)

    def table(self) -> Table:
        """The landscape of this seed; parts that are missing are made."""
        none, tables = self.baseline(), self.tables()
        tried, strongest = tables.try_deviations()
        played = tables.play_contracts()
        gains = tables.measure_gains(played, strongest)
        seconds = np.array([[self.crews.cpu_seconds, sum(d.cpu_seconds for d in self.deviators), tables.cpu_seconds]])
        measured = Measured(played=played, tried=tried, strongest=strongest, gains=gains, cpu_seconds=seconds)
        return self._settings.table(self._seed, none, measured)

    def _tell(self, done: float) -> None:
        if self._should_stop():
            raise EvaluationStopped(STOPPED)
        self._report(done)

    def _training(self, p: Any) -> None:
        if not self._should_stop():  # a training that is asked to stop leaves a checkpoint first
            with contextlib.suppress(EvaluationStopped):
                self._tell(p.episode / p.episodes)


def weights_of(parts: Sequence[Part]) -> list[float]:
    """About what share of a seed's work each part is; together 1."""
    many = [sum(part.kind == kind for part in parts) for kind in KINDS]
    return [SHARES[part.kind] / many[part.kind] for part in parts]
