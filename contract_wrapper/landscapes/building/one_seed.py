"""One seed of a landscape: train crews that know all contracts and agents that deviate, play, put together.

Page by page as the certificate needs it: the strongest deviation is chosen on some episodes and measured on others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contract_wrapper.evaluation.by_crews.crew_folder import one_crews
from contract_wrapper.evaluation.deviators import Deviator, train_deviator
from contract_wrapper.evaluation.evaluate import EvaluationStopped, evaluate
from contract_wrapper.files import make_folder
from contract_wrapper.landscapes.building.measured import Measured
from contract_wrapper.landscapes.building.plan import Plan, Table
from contract_wrapper.landscapes.building.seed_tables import SeedTables
from contract_wrapper.landscapes.certifying.alike import role_of

PARTS = ("baseline", "crews", "deviators", "trying deviations", "playing contracts", "measuring gains")
"""What is done for a seed, in this order; contracts without cleaners are the baseline alone."""

_SHARES = (0.03, 0.38, 0.22, 0.1, 0.12, 0.15)
"""About what part of the time each takes."""


def part_at(done: float) -> str:
    """What is being done when so much of a seed's work is done (0 to 1).

    >>> part_at(0.0), part_at(0.2)
    ('baseline', 'crews')
    """
    ends = np.cumsum(_SHARES)
    return PARTS[min(int(np.searchsorted(ends, done, side="right")), len(PARTS) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStatus:
    """How far a seed is."""

    number: int
    """Number of the seed in its command."""

    part: str
    """What is being done."""

    done: float
    """Part of the seed's work that is done, 0 to 1."""


class Stop:
    """Asks between two contracts whether to go on, and tells how far a seed is."""

    def __init__(self, number: int, tell: Callable[[BuildStatus], None], should_stop: Callable[[], bool]) -> None:
        self._number, self._tell, self.asked = number, tell, should_stop

    def tell(self, part: int, done: float, what: str = "") -> None:
        """Say that part number `part` is done to `done` (0 to 1).

        Raises:
            EvaluationStopped: a stop was asked for.
        """
        if self.asked():
            raise EvaluationStopped("the landscape was stopped; run the same command to go on")
        name = PARTS[part] + (f" ({what})" if what else "")
        self._tell(BuildStatus(number=self._number, part=name, done=sum(_SHARES[:part]) + _SHARES[part] * done))


def build_seed(
    settings: Plan[Table], seed: int, folder: Path, number: int,
    tell: Callable[[BuildStatus], None], should_stop: Callable[[], bool],
) -> Table:  # fmt: skip
    """Make the landscape of one seed; everything finished lies in `folder`, and the same call goes on from there.

    Args:
        settings: what is made.
        seed: of everything drawn.
        folder: of this seed.
        number: of the seed, for `tell`.
        tell: called with a `BuildStatus` now and then.
        should_stop: asked between contracts and vector episodes.

    Raises:
        EvaluationStopped: a stop was asked for; finished parts are kept, trainings leave a checkpoint.
        ContractsError, LearnerError: the folder cannot be used, a file in it is broken, or a learner diverged.
    """
    make_folder(folder)
    watch = Stop(number, tell, should_stop)

    def training(part: int, what: str = "", first: float = 0.0, share: float = 1.0) -> Callable[[Any], None]:
        def on_progress(p: Any) -> None:
            if not should_stop():  # a training that is asked to stop leaves a checkpoint first
                watch.tell(part, first + share * p.episode / p.episodes, what)

        return on_progress

    evaluation = settings.evaluation(seed)
    watch.tell(0, 0.0)
    none = evaluate(settings.none(), evaluation, seed, folder=folder, on_progress=training(0), should_stop=should_stop)
    crews = one_crews(folder, evaluation, 0, on_progress=training(1), should_stop=should_stop)
    if crews is None:
        raise EvaluationStopped("the training of the crews was stopped; run the same command to go on")
    learned: list[Deviator] = []
    agents = settings.agents_of(max(settings.sizes))
    # A deviator sees its contract: one that learned as the first of its role serves all of the role.
    roles = dict.fromkeys(role_of(who, agents) for who in settings.roles)
    kinds = [(role, warm) for role in roles for warm in (False, True)]
    for i, (role, warm) in enumerate(kinds):
        what = f"{role} {'goes on' if warm else 'learns anew'}"
        deviator = train_deviator(
            crews, role, warm=warm, config=settings.deviators, seed=seed,
            checkpoint=folder / f"{role}-{'on' if warm else 'anew'}.npz",
            on_progress=training(2, what, i / len(kinds), 1 / len(kinds)), should_stop=should_stop,
        )  # fmt: skip
        if not deviator.finished:
            raise EvaluationStopped("the training of a deviator was stopped; run the same command to go on")
        learned.append(deviator)
    tables = SeedTables(settings, seed, folder, crews, learned, lambda part, done: watch.tell(3 + part, done))
    tried, strongest = tables.try_deviations()
    played = tables.play_contracts()
    gains = tables.measure_gains(played, strongest)
    seconds = np.array([[crews.cpu_seconds, sum(d.cpu_seconds for d in learned), tables.cpu_seconds]])
    measured = Measured(played=played, tried=tried, strongest=strongest, gains=gains, cpu_seconds=seconds)
    return settings.table(seed, none, measured)
