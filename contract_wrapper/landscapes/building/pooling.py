"""Gains pooled over neighbouring taxes: what one agent gains by deviating changes slowly with the tax.

At fifty episodes a harvester's gain at one contract has an error of more than an apple; a hundred contracts in a row,
each measured on episodes of its own, know much more. Local linear regression (Cleveland 1979) takes it from them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.landscapes.bounds import FloatArray

REACH = (0.02, 0.2)
"""Taxes that count lie nearer than 0.02 + 0.2 x tax: pay is proportional to the tax, so a fifth of it changes little."""


def pooled_gains(
    gains: FloatArray, errors: FloatArray, tax: FloatArray, n_cleaners: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """Smooth gains along the tax, each training and crew size by itself.

    A straight line is fitted to the gains of the contracts around each contract, with tricube weights that fall to 0
    at the reach; its value there is the pooled gain. On gains that are linear in the tax this changes nothing.

    Args:
        gains: (S, K, R), measured on episodes that no two contracts share; NaN: none.
        errors: standard errors over those episodes, (S, K, R).
        tax, n_cleaners: of the contracts, (K,).

    Returns:
        Pooled gains and their standard errors over episodes, (S, K, R); NaN where there was none.
    """
    weights = _weights(tax, n_cleaners)  # (K, K): of contract l in the gain of k
    there = np.isfinite(gains)
    if not (there == there[:1]).all() or not (there.any(axis=(0, 2)) == there.all(axis=(0, 2))).all():
        return gains, errors  # some agents were not measured everywhere
    known = there.all(axis=(0, 2))
    mean, error = np.full_like(gains, np.nan), np.full_like(errors, np.nan)
    part = weights[np.ix_(known, known)]
    mean[:, known] = np.einsum("kl,slr->skr", part, gains[:, known])
    error[:, known] = np.sqrt(np.einsum("kl,slr->skr", part**2, errors[:, known] ** 2))
    return mean, error


def _weights(tax: FloatArray, n_cleaners: NDArray[np.int64]) -> FloatArray:
    """Weights (K, K) with which local linear regression takes its value at a contract from all; rows sum to 1."""
    away = tax[None, :] - tax[:, None]
    reach = REACH[0] + REACH[1] * tax[:, None]
    near = np.where(n_cleaners[None, :] == n_cleaners[:, None], np.abs(away) / reach, 1.0)
    weight = np.clip(1.0 - near**3, 0.0, None) ** 3
    total, first, second = (np.sum(weight * away**power, axis=1, keepdims=True) for power in range(3))
    spread = total * second - first**2
    # Where there is no second contract in reach, no line can be fitted: the contract stands for itself.
    sloped = spread > 1e-12
    line = weight * (second - first * away) / np.where(sloped, spread, 1.0)
    weights: FloatArray = np.where(sloped, line, np.eye(len(tax)))
    return weights
