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

import functools
import math
from dataclasses import InitVar, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.gp.covariance import MANY, Correlations, Hyper, Kernel, correlation, squared_gaps
from contract_wrapper.bo.gp.linalg import cholesky, half_solve, root_of, solve
from contract_wrapper.bo.gp.varying_noise import VaryingNoise

Floats = npt.NDArray[np.float64]

_VARIANCE_FLOOR = 1e-10
_GRID_EXCESS = 4  # a grid may have this many times the designs asked for and still be worth its structure


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """The distinct values of each of d design variables, and which of them each of q designs has."""

    values: tuple[Floats, ...]
    """Of each variable, (v,)."""
    places: tuple[Any, ...]
    """Which of them each design has, (q,) of integers for each variable."""
    categorical: tuple[int, ...]
    """Variables without order (`squared_gaps`)."""

    @functools.cached_property
    def gaps(self) -> tuple[Floats, ...]:
        """Squared differences of the values of each variable, (1, v, v)."""
        columns = (v[:, None] for v in self.values)
        return tuple(squared_gaps(v, v, (0,) if i in self.categorical else ()) for i, v in enumerate(columns))


def columns_of(x: Floats, categorical: tuple[int, ...] = ()) -> Columns:
    """Return the columns of designs x (q, d), of which some are `categorical`."""
    values, places = zip(*(np.unique(column, return_inverse=True) for column in x.T), strict=True)
    return Columns(values=values, places=places, categorical=categorical)


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
    varying: VaryingNoise | None = None
    """Noise that varies over designs, in place of most of the fitted one; None: it does not vary."""
    gaps: InitVar[Floats | None] = None
    """Squared differences of the inputs, (d, n, n), if they are known already."""
    _chol: Floats = field(init=False, repr=False)
    _alpha: Floats = field(init=False, repr=False)

    def __post_init__(self, gaps: Floats | None) -> None:
        k = self._kernel_of(self.gaps_to(self.x) if gaps is None else gaps)
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
        return self._gaps(self.x, x)

    def noise_at(self, x: Floats) -> Floats:
        """Standard deviations (q,) of one more result at x (q, d) about the noise-free output: what is fitted, and errors as
        known so far."""
        fitted = np.full(len(x), self.scale * math.sqrt(self.hyper.noise))
        if self.varying is not None:
            fitted = np.hypot(fitted, np.sqrt(self.varying.at(x)))
        return np.asarray(np.hypot(fitted, np.sqrt((self.noise_sd**2).mean())))

    def posterior_paths(
        self, x: Floats, n: int, rng: np.random.Generator, gaps: Floats | None = None, columns: Columns | None = None
    ) -> Floats:
        """Draw `n` joint samples of the noise-free output at x (q, d): (n, q).

        If they are known already: `gaps` as in `predict`, and the `columns_of` x and the inputs below it.
        """
        # Matheron's rule: draws from the prior, corrected by what they miss of the data (Wilson et al. 2020)
        every = np.vstack([x, self.x])
        prior = self._prior_paths(every, n, rng, columns_of(every, self.categorical) if columns is None else columns)
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
        fitted: float | Floats = self.hyper.noise
        if self.varying is not None:
            fitted = fitted + self.varying.at(self.x) / self.scale**2
        return np.asarray(
            (fitted if self.repeats is None else fitted / self.repeats) + (self.noise_sd / self.scale) ** 2
        )

    def _covariance(self, a: Floats, b: Floats) -> Floats:
        """Prior covariance between a (n, d) and b (q, d): (n, q)."""
        return self._kernel_of(self._gaps(a, b))

    def _gaps(self, a: Floats, b: Floats) -> Floats:
        """Squared differences of a (n, d) and b (q, d): (d, n, q)."""
        return squared_gaps(a, b, self.categorical, many=len(self.x) >= MANY)

    def _kernel_of(self, gaps: Floats) -> Floats:
        """Prior covariance of pairs with the squared differences gaps (d, n, q): (n, q)."""
        correlations, total = Correlations(self.kernel, gaps, 1), None
        for amplitude, length in zip(*self.hyper.terms, strict=True):
            term = amplitude * correlations.at(length[None])[0]
            total = term if total is None else total + term
        return np.asarray(total).reshape(gaps.shape[1:])

    def _prior_paths(self, x: Floats, n: int, rng: np.random.Generator, columns: Columns) -> Floats:
        """Draw `n` joint samples of the prior at x (q, d) with these `columns_of`, standardised: (n, q)."""
        shape = tuple(len(v) for v in columns.values)
        if math.prod(shape) > _GRID_EXCESS * len(x):
            root = root_of(self._covariance(x, x))
            return np.asarray(rng.standard_normal((n, root.shape[1])) @ root.T)
        # The designs fill a grid, over which each term is a Kronecker product, and so is its root: for 505
        # contracts roots of 101 and 5 values instead of one of 505.
        total = np.zeros((n, *shape))
        for amplitude, lengths in zip(*self.hyper.terms, strict=True):
            roots = [root_of(correlation(self.kernel, gaps, lengths[[i]])) for i, gaps in enumerate(columns.gaps)]
            draws = rng.standard_normal((n, *(root.shape[1] for root in roots)))
            for root in roots:  # each turn takes the next axis away and appends it, so that the order returns
                draws = np.tensordot(draws, root, axes=(1, 1))
            draws *= math.sqrt(amplitude)
            total += draws
        return total.reshape(n, -1)[:, np.ravel_multi_index(columns.places, shape)]
