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

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import dtrsm
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs, dpstrf

from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]
Kernel = Literal["se", "matern"]

# Weak log-normal priors (median, standard deviation of the logarithm) and hard bounds, in the unit cube
# and in units of the outputs' variance. With 3 points the likelihood is nearly flat and the priors decide:
# a variable matters over about half its range, and most of the variation is signal, and goes far.
_LENGTH = (0.5, 1.0, 0.03, 10.0)
_AMPLITUDE = (1.0, 1.0, 0.05, 20.0)
_NOISE = (1e-3, 2.0, 1e-6, 1.0)
_LOCAL_AMPLITUDE = (0.05, 1.5, 1e-4, 5.0)
_LOCAL_SHARE = (0.15, 0.7, 0.03, 0.6)  # of the length scales
_SHORTEST = 0.02  # local length scale: shorter ones could not be told from noise
_STARTS = ((0.5, 1.0, 1e-3), (0.15, 1.0, 1e-2))  # (length, amplitude, noise); with one term there are two optima
_LOCAL_STARTS = ((0.3, 1.0, 1e-3, 0.3, 0.15),)  # with two terms one start finds the better one as often
_VARIANCE_FLOOR = 1e-10
_MAX_STEPS = 40
_GRID_EXCESS = 4  # a grid may have this many times the designs asked for and still be worth its structure


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
        chol = _cholesky(k)
        object.__setattr__(self, "_chol", chol)
        object.__setattr__(self, "_alpha", _solve(chol, (self.y - self.shift) / self.scale))

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Posterior mean and standard deviation of the noise-free output at x (q, d): two arrays (q,)."""
        cross = self._covariance(self.x, x)
        v = _half_solve(self._chol, cross)
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
        paths = prior[:, : len(x)] + _solve(self._chol, missed.T).T @ self._covariance(self.x, x)
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
        terms = [amplitude * _correlation(self.kernel, gaps, lengths) for amplitude, lengths in self.hyper.terms]
        return terms[0] if len(terms) == 1 else np.asarray(terms[0] + terms[1])

    def _prior_paths(self, x: Floats, n: int, rng: np.random.Generator) -> Floats:
        """Draw `n` joint samples of the prior at x (q, d), standardised: (n, q)."""
        values, places = zip(*(np.unique(column, return_inverse=True) for column in x.T), strict=True)
        if math.prod(len(v) for v in values) > _GRID_EXCESS * len(x):
            root = _root(self._covariance(x, x))
            return np.asarray(rng.standard_normal((n, root.shape[1])) @ root.T)
        # The designs fill a grid, over which each term is a Kronecker product, and so is its root: for 505
        # contracts roots of 101 and 5 values instead of one of 505.
        total = np.zeros((n, len(x)))
        for amplitude, lengths in self.hyper.terms:
            roots = [
                _root(_correlation(self.kernel, squared_gaps(v[:, None], v[:, None]), lengths[[i]]))
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
    hyper = _fit_hyper(squared_gaps(x, x), (y - shift) / scale, (se / scale) ** 2, kernel, local)
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


def squared_gaps(a: Floats, b: Floats) -> Floats:
    """Squared differences per dimension: a (n, d), b (q, d) -> (d, n, q)."""
    return np.asarray((a.T[:, :, None] - b.T[:, None, :]) ** 2)


def negative_log_posterior(
    theta: Floats, gaps: Floats, y: Floats, noise: Floats, kernel: Kernel
) -> tuple[float, Floats]:
    """Minus the log marginal likelihood and log prior, and its gradient, at theta (d + 2,) or (d + 4,).

    theta = logarithms of (length scales, amplitude, noise), and with a local term of (its amplitude,
    its length scales as a share of the others); gaps (d, n, n); y (n,) standardised; noise (n,) known
    variances. R&W eqs. 5.8 and 5.9; constants are left out.
    """
    d, n = len(gaps), len(y)
    terms, sigma2 = _terms(theta, d)
    signals = [amplitude * _correlation(kernel, gaps, lengths) for amplitude, lengths in terms]
    k = signals[0] + signals[1] if len(signals) > 1 else signals[0].copy()
    k.flat[:: n + 1] += sigma2 + noise
    chol = _cholesky(k)
    alpha = _solve(chol, y)
    value = 0.5 * float(y @ alpha) + float(np.log(chol.flat[:: n + 1]).sum())  # R&W eq. 5.8
    inner = _inverse(chol) - alpha[:, None] * alpha  # R&W eq. 5.9, times -1
    gradient = np.zeros(len(theta))
    gradient[d + 1] = 0.5 * sigma2 * inner.flat[:: n + 1].sum()
    for place, (signal, (_, lengths)) in enumerate(zip(signals, terms, strict=True)):
        weighted = (inner * signal).ravel()
        slopes = 0.5 * _length_slopes(kernel, gaps, lengths, weighted)
        if place:
            slopes = np.where(lengths > _SHORTEST, slopes, 0.0)
            gradient[d + 3] = slopes.sum()
        gradient[:d] += slopes
        gradient[d + 2 * place] = 0.5 * weighted.sum()
    median, width, _ = _priors(d, len(theta))
    z = (theta - median) / width
    return value + 0.5 * float(z @ z), gradient + z / width


def _terms(theta: Floats, d: int) -> tuple[list[tuple[float, Floats]], float]:
    """Turn logarithms (d + 2,) or (d + 4,) into amplitudes and length scales of the terms, and the noise."""
    values = np.exp(theta)
    terms = [(float(values[d]), values[:d])]
    if len(theta) > d + 2:
        terms.append((float(values[d + 2]), np.maximum(values[d + 3] * values[:d], _SHORTEST)))
    return terms, float(values[d + 1])


@functools.cache
def _priors(d: int, size: int) -> tuple[Floats, Floats, Floats]:
    """Medians and widths (size,) of the logarithms of hyper-parameters, and their bounds (size, 2)."""
    rows = np.array([*[_LENGTH] * d, _AMPLITUDE, _NOISE, _LOCAL_AMPLITUDE, _LOCAL_SHARE])[:size]
    return np.log(rows[:, 0]), rows[:, 1], np.log(rows[:, 2:])


def _fit_hyper(gaps: Floats, y: Floats, noise: Floats, kernel: Kernel, local: bool) -> Hyper:
    from scipy.optimize import minimize

    d = len(gaps)
    starts: tuple[tuple[float, ...], ...] = _LOCAL_STARTS if local else _STARTS
    bounds = _priors(d, d + len(starts[0]) - 1)[2]
    runs = [
        minimize(
            negative_log_posterior,
            np.log([*[length] * d, *others]),
            args=(gaps, y, noise, kernel),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": _MAX_STEPS, "ftol": 1e-4},
        )
        for length, *others in starts
    ]
    (main, *rest), sigma2 = _terms(min(runs, key=lambda run: float(run.fun)).x, d)
    hyper = Hyper(lengthscales=tuple(main[1].tolist()), amplitude=main[0], noise=sigma2)
    for amplitude, lengths in rest:
        hyper = replace(hyper, local_amplitude=amplitude, local_lengthscales=tuple(lengths.tolist()))
    return hyper


def _correlation(kernel: Kernel, gaps: Floats, length: Floats) -> Floats:
    """One factor per dimension: gaps (d, n, q), length (d,) -> (n, q)."""
    d, *shape = gaps.shape
    flat = gaps.reshape(d, -1)
    if kernel == "se":
        return np.asarray(np.exp((-0.5 / length**2) @ flat).reshape(shape))  # R&W eq. 4.9 per dimension
    r = np.sqrt(5.0 * flat) / length[:, None]
    correlation = (1 + r + r**2 / 3).prod(axis=0) * np.exp(-r.sum(axis=0))  # R&W eq. 4.17 per dimension
    return np.asarray(correlation.reshape(shape))


def _length_slopes(kernel: Kernel, gaps: Floats, length: Floats, weights: Floats) -> Floats:
    """Return the sums (d,) over all pairs of d log(correlation) / d log(length), with weights (n * n,)."""
    flat = gaps.reshape(len(gaps), -1)
    if kernel == "se":
        return np.asarray((flat @ weights) / length**2)
    r = np.sqrt(5.0 * flat) / length[:, None]
    return np.asarray((r**2 * (1 + r) / (3 + 3 * r + r**2)) @ weights)


def _cholesky(k: Floats) -> Floats:
    for jitter in (0.0, 1e-8, 1e-6, 1e-4):  # repeated designs with a tiny noise may need a little help
        chol, info = dpotrf(k + jitter * np.eye(len(k)) if jitter else k, lower=1, clean=1)
        if info == 0:
            return np.asarray(chol)
    raise ContractsError(
        f"the covariance of {len(k)} designs is not positive definite: look for values that are not finite"
    )


def _root(k: Floats) -> Floats:
    """Return R (n, rank) with R R^T = k, by pivoted Cholesky up to the numerical rank."""
    factor, pivots, rank, _ = dpstrf(k, lower=1, tol=1e-10 * float(k[0, 0]))
    root = np.empty((len(k), rank))
    root[pivots - 1] = np.tril(factor[:, :rank])
    return root


def _solve(chol: Floats, b: Floats) -> Floats:
    return np.asarray(dpotrs(chol, b, lower=1)[0])


def _half_solve(chol: Floats, b: Floats) -> Floats:
    return np.asarray(dtrsm(1.0, chol, b, lower=1))


def _inverse(chol: Floats) -> Floats:
    half = np.asarray(dpotri(chol, lower=1)[0])  # the upper half is 0, as `_cholesky` left it
    inverse: Floats = half + half.T
    inverse.flat[:: len(half) + 1] *= 0.5
    return inverse
