"""Contracts compared by what the same trainings make of them: the best, its rivals, and how to choose among these.

All functions take plain arrays whose axes are S trainings and K contracts.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.landscapes.bounds import (
    CONFIDENCE,
    BoolArray,
    FloatArray,
    Interval,
    Unit,
    checked_confidence,
    chosen_unit,
    interval,
    quantile,
    standard_error,
)  # fmt: skip

TieBreak = Literal["lowest tax", "smallest crew", "fairest"]
"""What decides among contracts that cannot be told apart; fairest: whose worst-off agent has most."""


def best(values: ArrayLike, among: ArrayLike) -> int:
    """Number of the contract with the largest mean over trainings; values (S, K), among (K,) of bools.

    Raises:
        ContractsError: there is no contract among which to choose.
    """
    array, mask = _pair(values, among)
    return int(np.where(mask, array.mean(axis=0), -np.inf).argmax())


def difference(
    x: ArrayLike, y: ArrayLike, x_se: ArrayLike, y_se: ArrayLike, *, confidence: float = CONFIDENCE,
    unit: Unit | None = None,
) -> Interval:  # fmt: skip
    """x less y with its two-sided interval, training by training: what the trainings share cancels; all (S,).

    Over episodes the two errors add as if independent: contracts are played with the same random numbers, which
    mostly makes the true error smaller.
    """
    errors = np.hypot(np.asarray(x_se, np.float64), np.asarray(y_se, np.float64))
    return interval(np.asarray(x, np.float64) - np.asarray(y, np.float64), errors, confidence=confidence, unit=unit)


def indistinguishable(
    values: ArrayLike, errors: ArrayLike, among: ArrayLike, *, confidence: float = CONFIDENCE, unit: Unit | None = None
) -> BoolArray:
    """Which contracts cannot be told from the best: a set that holds the truly best one with the confidence, (K,).

    A contract is left out if another one is better beyond the error of their paired differences. The bounds are
    those of Hsu's comparison with the best (Hsu 1984), in which the truly best contract is compared with the n - 1
    others: one-sided, Bonferroni over n - 1. Hsu's own factor needs errors of one size, independent from contract
    to contract; here neighbouring contracts go together and small crews vary more, so each pair has its own error.

    Args:
        values: what is to be largest, (S, K).
        errors: standard errors over episodes, (S, K), used if `unit` is 'episodes': the set then says nothing of
            other trainings than these.
        among: contracts that compete, (K,) of bools, n of them.
        confidence: that the set holds the best.
        unit: what errors are over; None: trainings if there are at least two, else episodes.

    Raises:
        ContractsError: no contract competes.
    """
    array, mask = _pair(values, among)
    se, chosen = np.asarray(errors, np.float64), chosen_unit(unit, len(array))
    places = np.flatnonzero(mask)
    array, se = array[:, places], se[:, places]
    level = 1.0 - (1.0 - checked_confidence(confidence)) / max(1, len(places) - 1)
    factor = float(quantile(level, len(array), chosen))
    kept = np.ones(len(places), np.bool_)
    for j in range(len(places)):
        ahead = array[:, j : j + 1] - array
        error = standard_error(ahead, np.hypot(se[:, j : j + 1], se), chosen)
        error[j] = 0.0
        kept &= ahead.mean(axis=0) <= factor * error
    result = np.zeros(len(mask), np.bool_)
    result[places[kept]] = True
    return result


def tie_break(
    rule: TieBreak, among: ArrayLike, tax: ArrayLike, n_cleaners: ArrayLike, worst_off: ArrayLike, values: ArrayLike
) -> int:
    """Number of the contract that a rule prefers; among equals by that rule, the one with the largest mean value.

    Args:
        rule: 'lowest tax', 'smallest crew' or 'fairest'.
        among: contracts to choose from, (K,) of bools.
        tax: (K,).
        n_cleaners: (K,).
        worst_off: utility of the agent that has least, (K,).
        values: what decides among equals, (S, K).

    Raises:
        ContractsError: the rule is unknown, or there is nothing to choose from.
    """
    array, mask = _pair(values, among)
    ranks = {"lowest tax": tax, "smallest crew": n_cleaners, "fairest": -np.asarray(worst_off, np.float64)}
    if rule not in get_args(TieBreak):
        raise ContractsError(f"ties are broken by one of {', '.join(get_args(TieBreak))}, got {shown(rule)}")
    rank = np.where(mask, np.asarray(ranks[rule], np.float64), np.inf)
    return best(array, mask & (rank <= rank.min()))


def settled_from(tax: ArrayLike, holds: ArrayLike) -> FloatArray:
    """Smallest tax from which on something holds, (..., T) -> (...); infinite where it does not at the largest.

    tax: (T,), rising; holds: (..., T) of bools.

    >>> settled_from([0.1, 0.2, 0.3], [[True, False, True], [True, True, False]]).tolist()
    [0.3, inf]
    """
    taxes, good = np.asarray(tax, np.float64), np.asarray(holds, np.bool_)
    after = np.flip(np.logical_and.accumulate(np.flip(good, -1), axis=-1), -1)
    return np.asarray(np.where(after, taxes, np.inf).min(axis=-1), np.float64)


def _pair(values: ArrayLike, among: ArrayLike) -> tuple[FloatArray, NDArray[np.bool_]]:
    array, mask = np.asarray(values, np.float64), np.asarray(among)
    if array.ndim != 2 or mask.shape != array.shape[1:] or mask.dtype != np.bool_:
        raise ContractsError(
            f"contracts are compared by values (trainings, contracts) among a mask of bools, one per contract, "
            f"got {array.shape} and {mask.dtype} {mask.shape}"
        )
    if not mask.any():
        raise ContractsError("there is no contract among which to choose: the mask is empty (is nothing accepted?)")
    return array, mask
