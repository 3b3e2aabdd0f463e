"""Small exact Gaussian processes: the posterior of one output, its paths, and conditioning.

The maths is that of Rasmussen & Williams 2006, chapters 2 and 5 (equation numbers beside the
lines); paths by Wilson et al. 2020, arXiv 2002.09309. Inputs lie in the unit cube, outputs are
standardised, the prior mean is zero. Kernels are an amplitude times one factor per design
variable, squared exponential ("se") or Matern 5/2 ("matern"), or the sum of two such terms: how the
output goes over the whole space, and how it departs from that over short distances. With the first
alone, what is local looks like noise, and predictions claim to know what they do not. Length scales,
amplitudes and noise are fitted by maximum a posteriori from a fixed set of starts, so a fit is a
function of the data alone; known standard errors enter as extra noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.gp.covariance import Hyper, Kernel, correlation, squared_gaps
from contract_wrapper.bo.gp.linalg import cholesky, half_solve, root_of, solve

Floats = npt.NDArray[np.float64]

_VARIANCE_FLOOR = 1e-10
_GRID_EXCESS = 4  # a grid may have this many times the designs asked for and still be worth its structure


Columns = tuple[tuple[Floats, ...], tuple[Any, ...]]
"""Distinct values of each design variable, and which of them each of q designs has, (q,) of integers."""


def columns_of(x: Floats) -> Columns:
    """Return the distinct values of each column of x (q, d), and the places (q,) of the rows among them."""
    values, places = zip(*(np.unique(column, return_inverse=True) for column in x.T), strict=True)
    return values, places


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GaussianProcess:
    """A fitted exact Gaussian process; immutable, `condition` returns another."""

    x: Floats
    """Inputs, (n, d), in the unit cube or extrapolated from it."""
    y: Floats
    """Outputs, (n,), in their own unit."""
    noise_sd: Floats
    """Known standard errors, (n,), in the unit of `y`."""
    kernel: Kernel
    hyper: Hyper
    shift: float = 0.0
    """Subtracted from the outputs before they meet the zero-mean prior."""
    scale: float = 1.0
    """Divides the outputs before they meet the prior."""
    repeats: Floats | None = None
    """Number of results of which each output is the mean, (n,); None: one each."""
    categorical: tuple[int, ...] = ()
    """Which columns of the inputs have no order (`squared_gaps`)."""
    _chol: Floats = field(init=False, repr=False)
    _alpha: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        k = self._covariance(self.x, self.x)
        k.flat[:: len(k) + 1] += self._noise()
        chol = cholesky(k)
        object.__setattr__(self, "_chol", chol)
        object.__setattr__(self, "_alpha", solve(chol, (self.y - self.shift) / self.scale))

    def predict(self, x: Floats, gaps: Floats | None = None) -> tuple[Floats, Floats]:
        """Posterior mean and standard deviation of the noise-free output at x (q, d): two arrays (q,).

        `gaps`: squared differences of inputs and x, (d, n, q), if they are known already.
        """
        cross = self._kernel_of(self.gaps_to(x) if gaps is None else gaps)
        v = half_solve(self._chol, cross)
        mean = cross.T @ self._alpha  # R&W eq. 2.25
        variance = self.hyper.variance - np.einsum("ij,ij->j", v, v)  # R&W eq. 2.26
        floor = _VARIANCE_FLOOR * self.hyper.variance
        return self.shift + self.scale * mean, self.scale * np.sqrt(np.maximum(variance, floor))

    def gaps_to(self, x: Floats) -> Floats:
        """Squared differences of inputs and x (q, d): (d, n, q)."""
        return squared_gaps(self.x, x, self.categorical)

    @property
    def noise(self) -> float:
        """Standard deviation of one more result about the noise-free output: what is fitted, and errors as known so far."""
        return float(np.hypot(self.scale * math.sqrt(self.hyper.noise), np.sqrt((self.noise_sd**2).mean())))

    def posterior_paths(
        self, x: Floats, n: int, rng: np.random.Generator, gaps: Floats | None = None, columns: Columns | None = None
    ) -> Floats:
        """Draw `n` joint samples of the noise-free output at x (q, d): (n, q).

        If they are known already: `gaps` as in `predict`, and the `columns_of` x and the inputs below it.
        """
        # Matheron's rule: draws from the prior, corrected by what they miss of the data (Wilson et al. 2020)
        every = np.vstack([x, self.x])
        prior = self._prior_paths(every, n, rng, columns_of(every) if columns is None else columns)
        noise = np.sqrt(self._noise())
        seen = prior[:, len(x) :] + noise * rng.standard_normal((n, len(self.x)))
        missed = (self.y - self.shift) / self.scale - seen
        cross = self._kernel_of(self.gaps_to(x) if gaps is None else gaps)
        paths = prior[:, : len(x)] + solve(self._chol, missed.T).T @ cross
        return np.asarray(self.shift + self.scale * paths)

    def condition(self, x: Floats, y: Floats) -> GaussianProcess:
        """Return the process that also knows y (q,) at x (q, d); hyper-parameters and scaling stay."""
        return replace(
            self,
            x=np.vstack([self.x, x]),
            y=np.concatenate([self.y, y]),
            noise_sd=np.concatenate([self.noise_sd, np.zeros(len(y))]),
            repeats=None if self.repeats is None else np.concatenate([self.repeats, np.ones(len(y))]),
        )

    def prior_covariance(self, x: Floats) -> Floats:
        """Return the prior covariance of the standardised outputs at x (q, d): (q, q)."""
        return self._covariance(x, x)

    def _noise(self) -> Floats:
        """Variances of the standardised outputs about the noise-free ones, (n,)."""
        fitted = self.hyper.noise if self.repeats is None else self.hyper.noise / self.repeats
        return np.asarray(fitted + (self.noise_sd / self.scale) ** 2)

    def _covariance(self, a: Floats, b: Floats) -> Floats:
        """Prior covariance between a (n, d) and b (q, d): (n, q)."""
        return self._kernel_of(squared_gaps(a, b, self.categorical))

    def _kernel_of(self, gaps: Floats) -> Floats:
        """Prior covariance of pairs with the squared differences gaps (d, n, q): (n, q)."""
        terms = [amplitude * correlation(self.kernel, gaps, lengths) for amplitude, lengths in self.hyper.terms]
        return terms[0] if len(terms) == 1 else np.asarray(terms[0] + terms[1])

    def _prior_paths(self, x: Floats, n: int, rng: np.random.Generator, columns: Columns) -> Floats:
        """Draw `n` joint samples of the prior at x (q, d) with these `columns_of`, standardised: (n, q)."""
        values, places = columns
        if math.prod(len(v) for v in values) > _GRID_EXCESS * len(x):
            root = root_of(self._covariance(x, x))
            return np.asarray(rng.standard_normal((n, root.shape[1])) @ root.T)
        # The designs fill a grid, over which each term is a Kronecker product, and so is its root: for 505
        # contracts roots of 101 and 5 values instead of one of 505.
        total = np.zeros((n, len(x)))
        for amplitude, lengths in self.hyper.terms:
            roots = [
                root_of(correlation(self.kernel, self._gaps_along(i, v[:, None]), lengths[[i]]))
                for i, v in enumerate(values)
            ]
            draws = rng.standard_normal((n, *(root.shape[1] for root in roots)))
            for root in roots:  # each turn takes the next axis away and appends it, so that the order returns
                draws = np.tensordot(draws, root, axes=(1, 1))
            total += math.sqrt(amplitude) * draws[(slice(None), *places)]
        return total

    def _gaps_along(self, column: int, values: Floats) -> Floats:
        """Squared differences of values (q, 1) of one column: (1, q, q)."""
        return squared_gaps(values, values, (0,) if column in self.categorical else ())
