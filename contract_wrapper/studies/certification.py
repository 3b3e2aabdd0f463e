"""Certify the contract that a search recommends: what deviating alone from the crews' play brings.

Each training's crews are measured by a job of their own, and the measurements are put together.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.by_crews.crew_folder import CREWS_FILES, read_crews
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.certificate import Bound, Certificate, GainBound, RoleGain, certify
from contract_wrapper.landscapes.certify import CHOOSING_TIMES, MEASURING_TIMES, measure_certificate
from contract_wrapper.landscapes.certifying.subject import AT_ONE_CONTRACT, subject_of_crews
from contract_wrapper.problems.problem import DesignProblem

if TYPE_CHECKING:
    from contract_wrapper.evaluation.crews import Crews

FOLDER = "deviators"
"""Where the agents that learned to deviate are kept, in the folder of the outcomes."""

SHARE = 10
"""A deviator learns at one contract for a tenth of the episodes in which the crews learned all of them."""

DEVIATORS_PER_ROLE = 2
"""One learns anew, and one goes on from the crew."""

PLAYING_PART = 0.4
"""Part of the measurement's time in which nobody learns, roughly, to tell how far it is."""


def certificate_of_training(
    folder: Path,
    crews: Crews,
    contract: AnyContract,
    *,
    baseline: Outcome,
    episodes: int,
    seed: int,
    problem: DesignProblem | None = None,
    say: Callable[[str], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Certificate:
    """Measure what deviations from the crews of one training bring under a contract.

    Args:
        folder: of the outcomes; in its `deviators/` those that learned are kept, and not trained again.
        crews: of one training.
        contract: under which they play.
        baseline: outcome without a contract.
        episodes: that judge a contract; the measurement takes 20 times as many.
        seed: of deviators and episodes.
        problem: whose contract it is; None: Clean-up's tax and crew.
        say: told in a few words what is being done, after each vector episode of a deviator.
        should_stop: asked while deviators learn.

    Raises:
        EvaluationStopped, ContractsError, LearnerError: as `measure_certificate`.
    """
    return measure_certificate(
        [subject_of_crews(crews, contract, seed, problem=problem)], baseline, folder=folder / FOLDER,
        deviator_episodes=deviator_episodes(crews.policy.config.episodes), choosing=CHOOSING_TIMES * episodes,
        measuring=MEASURING_TIMES * episodes, say=say, should_stop=should_stop,
    )  # fmt: skip


def deviators_per_training(settings: EvaluationSettings) -> int:
    """Agents that learn to deviate from the crews of one training: two for each role, of which there is one alone where
    nobody is recruited."""
    alone = settings.problem is not None and not settings.problem.recruits
    return DEVIATORS_PER_ROLE * (1 if alone else 2)


def deviator_episodes(crews_episodes: int) -> int:
    """Episodes for which a deviator learns against crews that learned for so many."""
    return max(1, crews_episodes // SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far a measurement is, as trainings tell it: `episode` parts of `episodes`."""

    episode: int
    episodes: int
    total: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyJob:
    """The measurement for the crews of one training; its result is a Certificate of this training alone."""

    number: int
    """Below 0, so that it is no evaluation's."""

    training: int
    """Number of the training among those of the settings."""

    contract: AnyContract
    """What is certified."""

    baseline: Outcome
    """Outcome without a contract."""

    seed: int
    """Of deviators and episodes."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Crews, and deviators that were trained before."""
        return CREWS_FILES, f"{FOLDER}/*"

    def do(self, settings: EvaluationSettings, folder: Path | None, on_progress: Any, should_stop: Any) -> Certificate:
        """Measure."""
        if folder is None:
            raise ContractsError("deviators are trained into a folder, got none")
        crews = read_crews(folder, settings)[self.training]
        learning = deviators_per_training(settings) * math.ceil(
            deviator_episodes(crews.policy.config.episodes) / AT_ONE_CONTRACT.n_games
        )
        parts, done = math.ceil(learning / (1 - PLAYING_PART)), itertools.count(1)
        return certificate_of_training(
            folder, crews, self.contract, baseline=self.baseline, episodes=settings.episodes, seed=self.seed,
            problem=settings.problem,
            say=lambda _: on_progress(Step(episode=min(next(done), parts), episodes=parts)), should_stop=should_stop,
        )  # fmt: skip

    def __str__(self) -> str:
        return f"deviators of crews {self.training + 1}"


def together(certificates: Sequence[Certificate]) -> Certificate:
    """Put the certificates of single trainings together to one, with means over trainings.

    Its errors are those of episodes: it speaks of the crews of these trainings. What other trainings would bring takes
    more of them than judge a contract (a t of two trainings bounds nothing).

    Raises:
        ContractsError: they are of different contracts, or measured other agents.
    """
    first = certificates[0]
    alike = {(c.contract, tuple(m.name for m in c.margins), tuple(g.role for g in c.gains)) for c in certificates}
    if len(alike) > 1:
        raise ContractsError("certificates of other contracts or agents cannot be put together")
    margins = {m.name: [_estimate(c.margins[i]) for c in certificates] for i, m in enumerate(first.margins)}
    gains = [
        RoleGain(
            role=g.role, gains=[_estimate(c.gains[i]) for c in certificates],
            deviations=[c.gains[i].deviation for c in certificates],
            utility=sum(c.gains[i].utility for c in certificates) / len(certificates),
        )
        for i, g in enumerate(first.gains)
    ]  # fmt: skip
    return certify(
        first.contract,
        margins,
        gains,
        epsilon=first.epsilon,
        confidence=first.confidence,
        unit="episodes",
        needed=(*(g.role for g in first.gains), *first.missing),
        counted_in=first.counted_in,
    )


def _estimate(bound: Bound | GainBound) -> Estimate:
    return Estimate(mean=bound.mean, se=bound.se)
