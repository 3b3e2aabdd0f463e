"""Kernels of the surrogates, and their hyper-parameters (Rasmussen & Williams 2006, chapter 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Kernel = Literal["se", "matern"]
"""Squared exponential, or Matern 5/2; one factor per design variable."""

MANY = 100
"""Where a process has so many designs or more, differences of pairs lie in memory one dimension after the other.

Sums over them are up to five times as fast there, and differ in their last digits. With fewer designs calls cost more
than sums, and reported searches of up to 100 evaluations can be repeated digit by digit.
"""

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
    """Variance of the noise beyond the known standard errors, and beyond noise that varies over designs, in units of the
    outputs' variance."""

    local_amplitude: float = 0.0
    """Prior variance of the local term, in the same units; 0: there is none."""

    local_lengthscales: tuple[float, ...] = ()
    """One per design variable, shorter than the others; empty without a local term."""

    @property
    def terms(self) -> tuple[Floats, Floats]:
        """Amplitudes (t,) and length scales (t, d) of the terms of the kernel, one or two."""
        if not self.local_amplitude:
            return np.array([self.amplitude]), np.array([self.lengthscales])
        return np.array([self.amplitude, self.local_amplitude]), np.array([self.lengthscales, self.local_lengthscales])

    @property
    def variance(self) -> float:
        """Prior variance of the output as a whole."""
        return self.amplitude + self.local_amplitude


def squared_gaps(a: Floats, b: Floats, categorical: tuple[int, ...] = (), *, many: bool = False) -> Floats:
    """Squared differences per dimension: a (n, d), b (q, d) -> (d, n, q).

    In `categorical` dimensions, which have no order, different values are 1 apart. A kernel then has one factor for all
    pairs of different choices there, as between corners of a simplex (the overlap kernel; Ru et al. 2020,
    arXiv 1906.08878, section 4.2), and its length scale says how much the choice matters.

    `many`: whether they lie in memory one dimension after the other (`MANY`), else one pair after the other.
    """
    shape = (a.shape[1], len(a), len(b))
    gaps = np.asarray(np.subtract(a.T[:, :, None], b.T[:, None, :], out=np.empty(shape) if many else None))
    gaps *= gaps
    if categorical:
        rows = list(categorical)
        gaps[rows] = gaps[rows] > _SAME
    return gaps


def gaps_among(x: Floats, categorical: tuple[int, ...] = ()) -> Floats:
    """Squared differences of all pairs of designs x (n, d), as a process of these takes them: (d, n, n)."""
    return squared_gaps(x, x, categorical, many=len(x) >= MANY)


def squared_distances(unit: Floats, point: Floats, categorical: tuple[int, ...] = ()) -> Floats:
    """Squared distances of points (q, d) of the unit cube from one (d,): (q,); `categorical` as in `squared_gaps`."""
    if categorical:
        return np.asarray(squared_gaps(unit, point[None], categorical)[:, :, 0].sum(axis=0))
    return np.asarray(((unit - point) ** 2).sum(axis=1))


def correlation(kernel: Kernel, gaps: Floats, length: Floats) -> Floats:
    """One factor per dimension: gaps (d, n, q), length (d,) -> (n, q)."""
    return Correlations(kernel, gaps, 1).at(length[None]).reshape(gaps.shape[1:])


class Correlations:
    """Correlations of pairs of designs in each of t terms, at some length scales after others.

    A fit asks for them a hundred times: what does not depend on length scales is computed once, and the arrays of pairs
    are written again in place.
    """

    def __init__(self, kernel: Kernel, gaps: Floats, terms: int) -> None:
        """Take the squared differences of pairs, (d, n, q), and t, the number of terms."""
        d = len(gaps)
        self._gaps: Floats = gaps.reshape(d, -1)
        self._values = np.empty((terms, self._gaps.shape[1]))
        self._slopes, self._squares = np.empty((terms, d)), np.empty((terms, d))
        self._matern = kernel == "matern"
        if self._matern:
            # Row by row is faster. NumPy adds up to 7 numbers in their order, however they lie in memory, but not more.
            rows = np.ascontiguousarray(self._gaps) if d < 8 else self._gaps
            self._roots = np.sqrt(5.0 * rows)
            self._farthest = float(self._roots.max())
            self._r = [np.empty_like(rows) for _ in range(terms)]
            self._polynomial, self._linear = np.empty_like(rows), np.empty_like(rows)

    def at(self, lengths: Floats) -> Floats:
        """Return the correlations (t, n * q) at length scales (t, d); the next call writes over them."""
        if self._matern:
            for length, r, values in zip(lengths, self._r, self._values, strict=True):
                self._matern_at(length, r, values)
            return self._values
        np.multiply(lengths, lengths, out=self._squares)
        for factors, exponents in zip(-0.5 / self._squares, self._values, strict=True):
            np.matmul(factors, self._gaps, out=exponents)
        return np.exp(self._values, out=self._values)  # R&W eq. 4.9 per dimension

    def slopes(self, weights: Floats) -> Floats:
        """Return for each term the sums over pairs of d log(correlation) / d log(length), with weights (t, n * q): (t, d)."""
        if self._matern:
            for r, row, slopes in zip(self._r, weights, self._slopes, strict=True):
                np.matmul(self._matern_slopes(r), row, out=slopes)
            return self._slopes
        for row, slopes in zip(weights, self._slopes, strict=True):
            np.matmul(self._gaps, row, out=slopes)
        return np.divide(self._slopes, self._squares, out=self._slopes)

    def _matern_at(self, length: Floats, r: Floats, values: Floats) -> None:
        """Write the distances in length scales, (d, n * q), and the correlations, (n * q,)."""
        np.divide(self._roots, length[:, None], out=r)
        if self._farthest / length.min() > _FAR:
            np.minimum(r, _FAR, out=r)
        polynomial = np.multiply(r, r, out=self._polynomial)
        polynomial /= 3
        polynomial += np.add(r, 1, out=self._linear)
        np.multiply.reduce(polynomial, axis=0, out=values)
        decay = np.add.reduce(r, axis=0)
        np.negative(decay, out=decay)
        values *= np.exp(decay, out=decay)  # R&W eq. 4.17 per dimension

    def _matern_slopes(self, distances: Floats) -> Floats:
        """Return d log(correlation) / d log(length) of each pair, (d, n * q), of distances in length scales."""
        r = np.empty_like(self._gaps)
        r[:] = distances
        squared, divisor = r * r, 3 * r
        divisor += 3
        divisor += squared
        r += 1
        squared *= r
        squared /= divisor
        return squared
