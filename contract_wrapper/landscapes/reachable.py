"""Whether trainings from scratch come as far as a conditioned crew does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.landscapes.bounds import CONFIDENCE, FloatArray, checked_confidence, quantile

TOLERANCE = 0.05
"""Part of the crew's welfare that trainings from scratch may miss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far trainings from scratch come, in apples per episode."""

    scratch: Estimate
    """Welfare, mean over trainings from scratch, with its standard error over them (NaN for a single one)."""

    crew: Estimate
    """Welfare of the conditioned crews, mean over trainings; the error of a single number is taken as 0."""

    n_scratch: int
    """Trainings from scratch."""

    excess: float
    """Mean from scratch less (1 - tolerance) times the crew's; at least 0 is good."""

    lower: float
    """Lower bound on `excess`, one-sided."""

    upper: float
    """Upper bound on `excess`, one-sided."""

    @property
    def as_measured(self) -> bool:
        """Whether the mean from scratch is near enough, errors aside."""
        return self.excess >= 0.0

    @property
    def verdict(self) -> Literal["reachable", "not reachable", "undecided"]:
        """What the errors allow to say; a single training from scratch leaves it undecided."""
        if self.lower >= 0.0:
            return "reachable"
        return "not reachable" if self.upper < 0.0 else "undecided"

    def __str__(self) -> str:
        many = f"{self.n_scratch} training{'s' if self.n_scratch > 1 else ''}"
        share = (
            f", {self.scratch.mean / self.crew.mean:.0%} of the crew's {self.crew.mean:.2f}" if self.crew.mean else ""
        )
        return f"{self.verdict}: {self.scratch.mean:.2f} from {many} from scratch{share}"


def reachable(
    scratch: ArrayLike, crew: ArrayLike, *, tolerance: float = TOLERANCE, confidence: float = CONFIDENCE
) -> Reach:
    """Compare welfare of trainings from scratch, (n,), with that of conditioned crews, (S,) or one number.

    Decided by the mean over trainings, not by the luckiest, with Welch's t on both means (one-sided bounds, degrees
    of freedom after Satterthwaite 1946).

    Raises:
        ContractsError: there are no trainings, or a number is not finite.
    """
    scratches, crews = (np.atleast_1d(np.asarray(values, np.float64)) for values in (scratch, crew))
    for name, values in (("scratch", scratches), ("crew", crews)):
        if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
            raise ContractsError(
                f"{name} must be the welfare of at least one training, all finite, got {shown(values)}"
            )
    part = 1.0 - tolerance
    variances = [_variance_of_mean(scratches), part**2 * _variance_of_mean(crews)]
    total = sum(variances)
    spread = sum(v**2 / (len(x) - 1) for v, x in zip(variances, (scratches, crews), strict=True) if v > 0.0)
    excess, beyond = float(scratches.mean() - part * crews.mean()), 0.0
    checked_confidence(confidence)
    if len(scratches) < 2:
        beyond = math.inf
    elif total > 0.0:
        freedom = total**2 / spread
        beyond = float(_t(confidence, freedom)) * math.sqrt(total)
    return Reach(
        scratch=Estimate(mean=float(scratches.mean()), se=math.sqrt(variances[0]) if len(scratches) > 1 else math.nan),
        crew=Estimate(mean=float(crews.mean()), se=math.sqrt(_variance_of_mean(crews))),
        n_scratch=len(scratches),
        excess=excess,
        lower=excess - beyond,
        upper=excess + beyond,
    )


def _t(confidence: float, freedom: float) -> FloatArray:
    return quantile(confidence, freedom + 1.0, "trainings")


def _variance_of_mean(values: FloatArray) -> float:
    return float(values.var(ddof=1)) / len(values) if len(values) > 1 else 0.0
