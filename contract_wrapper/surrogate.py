"""Small exact Gaussian processes: what the optimiser believes about each output.

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
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from contract_wrapper.cholesky import cholesky, half_solve, root_of, solve
from contract_wrapper.errors import ContractsError
from contract_wrapper.hyperfit import fit_hyper
from contract_wrapper.kernels import Hyper, Kernel, correlation, squared_gaps

Floats = npt.NDArray[np.float64]

_VARIANCE_FLOOR = 1e-10
_GRID_EXCESS = 4  # a grid may have this many times the designs asked for and still be worth its structure


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
    _chol: Floats = field(init=False, repr=False)
    _alpha: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        k = self._covariance(self.x, self.x)
        k.flat[:: len(k) + 1] += self.hyper.noise + (self.noise_sd / self.scale) ** 2
        chol = cholesky(k)
        object.__setattr__(self, "_chol", chol)
        object.__setattr__(self, "_alpha", solve(chol, (self.y - self.shift) / self.scale))

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Posterior mean and standard deviation of the noise-free output at x (q, d): two arrays (q,)."""
        cross = self._covariance(self.x, x)
        v = half_solve(self._chol, cross)
        mean = cross.T @ self._alpha  # R&W eq. 2.25
        variance = self.hyper.variance - np.einsum("ij,ij->j", v, v)  # R&W eq. 2.26
        floor = _VARIANCE_FLOOR * self.hyper.variance
        return self.shift + self.scale * mean, self.scale * np.sqrt(np.maximum(variance, floor))

    def posterior_paths(self, x: Floats, n: int, rng: np.random.Generator) -> Floats:
        """Draw `n` joint samples of the noise-free output at x (q, d): (n, q)."""
        # Matheron's rule: draws from the prior, corrected by what they miss of the data (Wilson et al. 2020)
        prior = self._prior_paths(np.vstack([x, self.x]), n, rng)
        noise = np.sqrt(self.hyper.noise + (self.noise_sd / self.scale) ** 2)
        seen = prior[:, len(x) :] + noise * rng.standard_normal((n, len(self.x)))
        missed = (self.y - self.shift) / self.scale - seen
        paths = prior[:, : len(x)] + solve(self._chol, missed.T).T @ self._covariance(self.x, x)
        return np.asarray(self.shift + self.scale * paths)

    def condition(self, x: Floats, y: Floats) -> GaussianProcess:
        """Return the process that also knows y (q,) at x (q, d); hyper-parameters and scaling stay."""
        return GaussianProcess(
            x=np.vstack([self.x, x]),
            y=np.concatenate([self.y, y]),
            noise_sd=np.concatenate([self.noise_sd, np.zeros(len(y))]),
            kernel=self.kernel,
            hyper=self.hyper,
            shift=self.shift,
            scale=self.scale,
        )

    def prior_covariance(self, x: Floats) -> Floats:
        """Return the prior covariance of the standardised outputs at x (q, d): (q, q)."""
        return self._covariance(x, x)

    def _covariance(self, a: Floats, b: Floats) -> Floats:
        """Prior covariance between a (n, d) and b (q, d): (n, q)."""
        gaps = squared_gaps(a, b)
        terms = [amplitude * correlation(self.kernel, gaps, lengths) for amplitude, lengths in self.hyper.terms]
        return terms[0] if len(terms) == 1 else np.asarray(terms[0] + terms[1])

    def _prior_paths(self, x: Floats, n: int, rng: np.random.Generator) -> Floats:
        """Draw `n` joint samples of the prior at x (q, d), standardised: (n, q)."""
        values, places = zip(*(np.unique(column, return_inverse=True) for column in x.T), strict=True)
        if math.prod(len(v) for v in values) > _GRID_EXCESS * len(x):
            root = root_of(self._covariance(x, x))
            return np.asarray(rng.standard_normal((n, root.shape[1])) @ root.T)
        # The designs fill a grid, over which each term is a Kronecker product, and so is its root: for 505
        # contracts roots of 101 and 5 values instead of one of 505.
        total = np.zeros((n, len(x)))
        for amplitude, lengths in self.hyper.terms:
            roots = [
                root_of(correlation(self.kernel, squared_gaps(v[:, None], v[:, None]), lengths[[i]]))
                for i, v in enumerate(values)
            ]
            draws = rng.standard_normal((n, *(root.shape[1] for root in roots)))
            for root in roots:  # each turn takes the next axis away and appends it, so that the order returns
                draws = np.tensordot(draws, root, axes=(1, 1))
            total += math.sqrt(amplitude) * draws[(slice(None), *places)]
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantSurrogate:
    """The belief about an output that never varied: its value, and a wide doubt of its own everywhere."""

    value: float
    sd: float

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the value and the doubt at each of x (q, d): two arrays (q,)."""
        return np.full(len(x), self.value), np.full(len(x), self.sd)

    def posterior_paths(self, x: Floats, n: int, rng: np.random.Generator) -> Floats:
        """Draw (n, q) values, independent between designs: nothing is known of how the output varies."""
        return self.value + self.sd * rng.standard_normal((n, len(x)))

    def condition(self, x: Floats, y: Floats) -> ConstantSurrogate:
        """Return the same belief: there is no kernel by which one design could tell of another."""
        return self


Surrogate = GaussianProcess | ConstantSurrogate


def fit(
    x: Floats, y: Floats, *, kernel: Kernel = "se", noise_sd: Floats | None = None, local: bool = True
) -> Surrogate:
    """Fit one output: x (n, d) in the unit cube, y (n,), known standard errors (n,) -> a surrogate.

    `local`: whether the kernel has its second term, for what happens over short distances.

    Outputs that are all equal get a constant whose standard deviation is its own size (1 if it is
    0): a margin that has always been good is then good elsewhere with probability 0.84.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    se = np.zeros(len(y)) if noise_sd is None else np.asarray(noise_sd, dtype=float)
    if x.ndim != 2 or y.shape != (len(x),) or se.shape != y.shape or len(y) == 0:
        raise ContractsError(
            f"a surrogate needs x (n, d), y (n,) and noise_sd (n,) with n >= 1, "
            f"but came {x.shape}, {y.shape} and {se.shape}"
        )
    shift, scale = float(y.mean()), float(y.std())
    if scale <= 1e-12 * max(1.0, abs(shift)):
        return ConstantSurrogate(value=shift, sd=abs(shift) or 1.0)
    hyper = fit_hyper(squared_gaps(x, x), (y - shift) / scale, (se / scale) ** 2, kernel, local)
    return GaussianProcess(x=x, y=y, noise_sd=se, kernel=kernel, hyper=hyper, shift=shift, scale=scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurrogateSet:
    """Independent surrogates of several outputs."""

    parts: tuple[Surrogate, ...]

    @property
    def varies(self) -> bool:
        """Whether any output varied, so that designs can be told apart."""
        return any(isinstance(part, GaussianProcess) for part in self.parts)

    @classmethod
    def fit(
        cls,
        x: Floats,
        y: Floats,
        kernels: Sequence[Kernel],
        noise_sd: Floats | None = None,
        *,
        local: bool = True,
    ) -> SurrogateSet:
        """Fit one surrogate per column of y (n, outputs), with known standard errors of the same shape."""
        se = np.zeros_like(y) if noise_sd is None else noise_sd
        columns = zip(y.T, kernels, se.T, strict=True)
        return cls(parts=tuple(fit(x, column, kernel=k, noise_sd=s, local=local) for column, k, s in columns))

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Means and standard deviations at x (q, d): two arrays (outputs, q)."""
        moments = [part.predict(x) for part in self.parts]
        return np.stack([m for m, _ in moments]), np.stack([s for _, s in moments])

    def posterior_paths(self, x: Floats, n: int, rng: np.random.Generator) -> Floats:
        """Draw `n` joint samples at x (q, d): (outputs, n, q)."""
        return np.stack([part.posterior_paths(x, n, rng) for part in self.parts])

    def condition(self, x: Floats, y: Floats) -> SurrogateSet:
        """Return the set that also knows y (outputs, q) at x (q, d)."""
        return SurrogateSet(parts=tuple(part.condition(x, column) for part, column in zip(self.parts, y, strict=True)))

    def believe(self, x: Floats) -> SurrogateSet:
        """Return the set that takes its own means at x (q, d) for results ("kriging believer")."""
        return self.condition(x, self.predict(x)[0]) if len(x) else self
