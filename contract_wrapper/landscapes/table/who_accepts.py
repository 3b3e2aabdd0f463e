"""Who accepts the contracts of a landscape, in the three words of every evaluation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.participation import acceptance
from contract_wrapper.landscapes.bounds import FloatArray, Unit, chosen_unit, standard_error


def who_accepts(margins: FloatArray, errors: FloatArray, unit: Unit | None = None) -> NDArray[np.str_]:
    """Say of K contracts whether they are accepted, refused or undecided, by `participation.acceptance`: (K,).

    It is a statement on margins alone, each by itself; a certificate bounds all of them and the gains together.

    Args:
        margins: of S trainings, (S, K, A); NaN for agents that a contract does not have.
        errors: their standard errors over episodes, (S, K, A); used where `unit` is 'episodes'.
        unit: what errors are over; None: trainings if there are at least two, else episodes.

    >>> who_accepts(np.array([[[1.0, 2.0], [-1.0, 2.0], [0.1, 2.0]]]), np.full((1, 3, 2), 0.4)).tolist()
    ['accepted', 'refused', 'undecided']
    """
    mean, se = margins.mean(axis=0), standard_error(margins, errors, chosen_unit(unit, len(margins)))
    there = np.isfinite(mean)
    return np.array([acceptance(estimates(mean[k, there[k]], se[k, there[k]])).value for k in range(len(mean))])


def estimates(means: FloatArray, errors: FloatArray) -> list[Estimate]:
    """Return n means and their standard errors, (n,) each, as estimates."""
    return [Estimate(mean=float(m), se=float(e)) for m, e in zip(means, errors, strict=True)]
