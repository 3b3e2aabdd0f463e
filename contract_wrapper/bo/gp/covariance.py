"""Kernels of the surrogates, and their hyper-parameters (Rasmussen & Williams 2006, chapter 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Kernel = Literal["se", "matern"]
"""Squared exponential, or Matern 5/2; one factor per design variable."""

_SAME = 1e-12  # squared difference up to which two choices are one; of 1000 choices they differ by 1e-6
_FAR = 1e3  # exp(-1000) is 0; farther, the polynomial beside it would overflow in many dimensions


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyper:
    """Hyper-parameters of one Gaussian process, for standardised outputs."""

    lengthscales: tuple[float, ...]
    """One per design variable, in units of the unit cube."""

    amplitude: float
    """Prior variance, in units of the outputs' variance."""

    noise: float
    """Variance of the noise beyond the known standard errors, in units of the outputs' variance."""

    local_amplitude: float = 0.0
    """Prior variance of the local term, in the same units; 0: there is none."""

    local_lengthscales: tuple[float, ...] = ()
    """One per design variable, shorter than the others; empty without a local term."""

    @property
    def terms(self) -> tuple[tuple[float, Floats], ...]:
        """Amplitude and length scales (d,) of each term of the kernel."""
        main = (self.amplitude, np.asarray(self.lengthscales))
        return (main, (self.local_amplitude, np.asarray(self.local_lengthscales))) if self.local_amplitude else (main,)

    @property
    def variance(self) -> float:
        """Prior variance of the output as a whole."""
        return self.amplitude + self.local_amplitude


def squared_gaps(a: Floats, b: Floats, categorical: tuple[int, ...] = ()) -> Floats:
    """Squared differences per dimension: a (n, d), b (q, d) -> (d, n, q).

    In `categorical` dimensions, which have no order, different values are 1 apart. A kernel then has one factor for all
    pairs of different choices there, as between corners of a simplex (the overlap kernel; Ru et al. 2020,
    arXiv 1906.08878, section 4.2), and its length scale says how much the choice matters.
    """
    gaps = np.asarray((a.T[:, :, None] - b.T[:, None, :]) ** 2)
    if categorical:
        rows = list(categorical)
        gaps[rows] = gaps[rows] > _SAME
    return gaps


def squared_distances(unit: Floats, point: Floats, categorical: tuple[int, ...] = ()) -> Floats:
    """Squared distances of points (q, d) of the unit cube from one (d,): (q,); `categorical` as in `squared_gaps`."""
    if categorical:
        return np.asarray(squared_gaps(unit, point[None], categorical)[:, :, 0].sum(axis=0))
    return np.asarray(((unit - point) ** 2).sum(axis=1))


def correlation(kernel: Kernel, gaps: Floats, length: Floats) -> Floats:
    """One factor per dimension: gaps (d, n, q), length (d,) -> (n, q)."""
    d, *shape = gaps.shape
    flat = gaps.reshape(d, -1)
    if kernel == "se":
        return np.asarray(np.exp((-0.5 / length**2) @ flat).reshape(shape))  # R&W eq. 4.9 per dimension
    r = np.minimum(np.sqrt(5.0 * flat) / length[:, None], _FAR)
    correlation = (1 + r + r**2 / 3).prod(axis=0) * np.exp(-r.sum(axis=0))  # R&W eq. 4.17 per dimension
    return np.asarray(correlation.reshape(shape))


def length_slopes(kernel: Kernel, gaps: Floats, length: Floats, weights: Floats) -> Floats:
    """Return the sums (d,) over all pairs of d log(correlation) / d log(length), with weights (n * n,)."""
    flat = gaps.reshape(len(gaps), -1)
    if kernel == "se":
        return np.asarray((flat @ weights) / length**2)
    r = np.minimum(np.sqrt(5.0 * flat) / length[:, None], _FAR)
    return np.asarray((r**2 * (1 + r) / (3 + 3 * r + r**2)) @ weights)
