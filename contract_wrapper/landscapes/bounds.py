"""Means with bounds: over conditioned trainings by Student's t, over episodes by the normal distribution.

The trainings are the independent unit: all contracts of one training share its crews. Where there is one training
alone, or where only the crews at hand are asked about, the episodes' standard errors serve, and the result says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contract_wrapper.contracts.contract import as_number
from contract_wrapper.errors import ContractsError, require_package, shown

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

Unit = Literal["trainings", "episodes"]
"""What an error is over: trainings (of other crews one would find the same) or episodes (of these crews alone)."""

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with a two-sided interval."""

    mean: float
    """In the units of what was averaged, mostly apples per episode."""

    se: float
    """Standard error of the mean, over `unit`."""

    low: float
    """Lower end of the interval."""

    high: float
    """Upper end of the interval."""

    confidence: float
    """Probability with which such intervals hold the truth."""

    unit: Unit
    """What the error is over."""

    n_trainings: int
    """Trainings over which the mean was taken."""

    def __str__(self) -> str:
        over = f"{self.n_trainings} training{'s' if self.n_trainings > 1 else ''}"
        if self.unit == "episodes":
            over = f"episodes of {over}"
        return f"{self.mean:.2f} ({self.low:.2f} to {self.high:.2f}, {self.confidence:.0%} interval over {over})"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounds:
    """One-sided bounds on K x M means: all M of a row hold together with the confidence, above and below each."""

    mean: FloatArray
    """(K, M); NaN for what a row does not have."""

    se: FloatArray
    """Standard errors, (K, M)."""

    lower: FloatArray
    """With the confidence, all means of a row are at least these, (K, M)."""

    upper: FloatArray
    """With the confidence, all means of a row are at most these, (K, M)."""

    unit: Unit
    """What the errors are over."""


def simultaneous(
    values: ArrayLike, errors: ArrayLike, *, confidence: float = CONFIDENCE, unit: Unit | None = None
) -> Bounds:
    """Bound all means of a row at once (Bonferroni over the M of them that it has).

    Args:
        values: (S, K, M), means of S trainings; NaN for what does not exist or was not measured.
        errors: their standard errors over episodes, (S, K, M); used where `unit` is 'episodes'.
        confidence: that all bounds of a row hold, on one side.
        unit: None: 'trainings' where there are at least two, else 'episodes'.

    Raises:
        ContractsError: the shapes differ, or confidence or unit are none.
    """
    array, se = np.asarray(values, np.float64), np.asarray(errors, np.float64)
    if array.ndim != 3 or array.shape != se.shape or not len(array):
        raise ContractsError(
            f"values and errors must both have the shape (trainings, contracts, margins), got {array.shape} and {se.shape}"
        )
    chosen, mean, error = chosen_unit(unit, len(array)), array.mean(axis=0), _error(array, se, unit)
    count = np.maximum(np.isfinite(mean).sum(axis=1, keepdims=True), 1)
    beyond = quantile(1.0 - (1.0 - checked_confidence(confidence)) / count, len(array), chosen) * error
    return Bounds(mean=mean, se=error, lower=mean - beyond, upper=mean + beyond, unit=chosen)


def interval(
    values: ArrayLike, errors: ArrayLike | None = None, *, confidence: float = CONFIDENCE, unit: Unit | None = None
) -> Interval:
    """Return the mean of S trainings, (S,), with its two-sided interval.

    With one training and no standard error over episodes nothing bounds the mean: the interval is infinite.

    Raises:
        ContractsError: there are no numbers, or not as many errors.
    """
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not len(array):
        raise ContractsError(f"an interval is taken over at least one number per training, got {shown(values)}")
    se = np.full(array.shape, np.inf) if errors is None else np.asarray(errors, np.float64)
    if se.shape != array.shape:
        raise ContractsError(f"there must be one error per training, got {se.shape} for {array.shape}")
    chosen, error = chosen_unit(unit, len(array)), float(_error(array, se, unit))
    beyond = float(quantile(0.5 + checked_confidence(confidence) / 2.0, len(array), chosen)) * error
    mean = float(array.mean())
    return Interval(
        mean=mean, se=error, low=mean - beyond, high=mean + beyond, confidence=float(confidence), unit=chosen,
        n_trainings=len(array),
    )  # fmt: skip


def standard_error(values: FloatArray, errors: FloatArray, unit: Unit) -> FloatArray:
    """Return standard errors of means over axis 0, (S, ...) -> (...).

    Over trainings: their standard deviation / sqrt(S). Over episodes: the root of the summed squares / S.
    """
    if unit == "trainings":
        return np.asarray(values.std(axis=0, ddof=1) / math.sqrt(len(values)), np.float64)
    return np.asarray(np.sqrt((errors**2).sum(axis=0)) / len(values), np.float64)


def quantile(probability: ArrayLike, n_trainings: float, unit: Unit) -> FloatArray:
    """Return how many standard errors a mean stays within: Student's t with S - 1 degrees of freedom, or normal.

    >>> quantile(0.95, 5, "trainings").round(3).tolist(), quantile(0.95, 1, "episodes").round(3).tolist()
    (2.132, 1.645)
    """
    require_package("scipy", "search", "a bound over trainings")
    from scipy.special import ndtri, stdtrit

    wanted = np.asarray(probability, np.float64)
    return np.asarray(ndtri(wanted) if unit == "episodes" else stdtrit(n_trainings - 1, wanted), np.float64)


def chosen_unit(unit: Unit | None, n_trainings: int) -> Unit:
    """Return what errors are over: as asked, or trainings where there are at least two.

    Raises:
        ContractsError: the unit is unknown, or one training has no error over trainings.
    """
    if unit not in (None, "trainings", "episodes"):
        raise ContractsError(
            f"an error is over 'trainings' or 'episodes' (None: the better of both), got {shown(unit)}"
        )
    if unit == "trainings" and n_trainings < 2:
        raise ContractsError("one training says nothing of others: add seeds, or take the error over 'episodes'")
    return unit or ("trainings" if n_trainings > 1 else "episodes")


def checked_confidence(confidence: object) -> float:
    """Return a confidence as a plain float.

    Raises:
        ContractsError: it does not lie between 0.5 and 1.
    """
    number = as_number(confidence)
    if number is None or not 0.5 <= number < 1.0:
        raise ContractsError(
            f"confidence must be a number from 0.5 to below 1, for example 0.95, got {shown(confidence)}"
        )
    return number


def _error(values: FloatArray, errors: FloatArray, unit: Unit | None) -> FloatArray:
    return standard_error(values, errors, chosen_unit(unit, len(values)))
