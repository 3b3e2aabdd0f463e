"""How the variance of the noise varies over designs, as far as results of designs that were measured again say so.

Of a design with nu + 1 results the sample variance s^2 is distributed as v chi^2(nu) / nu, v its noise variance. The
logarithm of v is a level, the same for all designs, plus a field that is smooth over them: a Gaussian process of zero mean
and standard deviation tau. So the variance of a repeated design is shrunk towards that of others, the more the fewer
results it has (empirical Bayes; Smyth 2004 for variances that are exchangeable, Binois et al. 2018, arXiv 1611.05902,
for smooth ones), and far from all repeated designs it is the common one. Whether the noise varies is a question of
evidence: how likely the sample variances are with each tau, 0 among them (Laplace's approximation, Rasmussen & Williams
2006, section 3.4). What is taken is the mean of v over all that is left open: to take less costs more than to take more,
as a surrogate that believes in too little noise follows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.gp.covariance import correlation, squared_gaps
from contract_wrapper.bo.gp.linalg import cholesky, half_solve, solve

Floats = npt.NDArray[np.float64]

LENGTH = 0.4
"""Length scale of the field, in units of the unit cube; its kernel is squared exponential."""

SPREADS = (1.0, 2.0)
"""Standard deviations tau of the field that are tried, of the logarithm of the variance; before, each is as likely."""

CONVINCED = 0.5
"""Probability that the noise varies, one half before the results, above which it is taken to."""

_LEVEL = 2.0  # standard deviation of the level about the logarithm of the pooled variance
_MOST = 60  # repeated designs that are looked at, those with the most results
_LARGEST = 1e12  # of known variances, in pooled ones: beyond it nothing can be told of the rest
_STEPS = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Belief:
    """Logarithm of the variance as believed with one tau: its mean and variance at any design."""

    tau: float
    share: float
    """Probability of this tau."""
    alpha: Floats
    """(k,); the mean is the prior covariance with the repeated designs times this."""
    root: Floats
    """(k, k); what is known, of the prior variance, is the square of this times the prior covariance."""

    def variance_at(self, field: Floats) -> Floats:
        """Mean of the variance (q,) at designs whose field correlates with that of the repeated ones as given (k, q)."""
        cross = _LEVEL**2 + self.tau**2 * field
        left = _LEVEL**2 + self.tau**2 - ((self.root @ cross) ** 2).sum(axis=0)
        return np.asarray(np.exp(self.alpha @ cross + 0.5 * np.maximum(left, 0.0)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VaryingNoise:
    """The variance of the noise as a function of the design, beyond stated errors."""

    x: Floats
    """Designs that were measured again, (k, d), in the unit cube."""
    beliefs: tuple[_Belief, ...]
    """One for each tau; their shares add up to 1."""
    pooled: float
    """Variance of which beliefs tell multiples, in the output's own unit, squared."""
    categorical: tuple[int, ...] = ()
    """Columns of x without order."""

    @property
    def probability(self) -> float:
        """That the noise varies."""
        return sum(belief.share for belief in self.beliefs if belief.tau)

    def at(self, x: Floats) -> Floats:
        """Variances (q,) of a result at x (q, d) of the unit cube, in the output's own unit, squared."""
        field = _correlations(self.x, x, self.categorical)
        return np.asarray(self.pooled * sum(belief.share * belief.variance_at(field) for belief in self.beliefs))


def fit_varying_noise(
    x: Floats, degrees: Floats, variances: Floats, known: Floats, categorical: tuple[int, ...] = ()
) -> VaryingNoise | None:
    """Fit to sample variances (k,) of repeated designs x (k, d), in the unit cube; None where they do not say that the noise varies.

    `degrees`: results of each less one, (k,); `known`: mean squares of the errors that these results state, (k,), which
    are no part of what is fitted.
    """
    if len(x) > _MOST:
        kept = np.lexsort((*x.T[::-1], -degrees))[:_MOST]
        x, degrees, variances, known = x[kept], degrees[kept], variances[kept], known[kept]
    pooled = float(degrees @ variances / degrees.sum()) if len(x) > 1 else 0.0
    if pooled <= 0.0:
        return None
    variances, known = variances / pooled, np.minimum(known, _LARGEST * pooled) / pooled
    field = _correlations(x, x, categorical)
    spreads = (0.0, *SPREADS)
    fits = [_laplace(_LEVEL**2 + tau**2 * field, degrees, variances, known) for tau in spreads]
    evidence = np.array([fit[0] for fit in fits])
    shares = np.exp(evidence - evidence.max()) * np.array([0.5, *[0.5 / len(SPREADS)] * len(SPREADS)])
    shares /= shares.sum()
    if shares[0] >= 1 - CONVINCED:
        return None
    beliefs = tuple(
        _Belief(tau=tau, share=float(share), alpha=alpha, root=root)
        for tau, share, (_, alpha, root) in zip(spreads, shares, fits, strict=True)
    )
    return VaryingNoise(x=x, beliefs=beliefs, pooled=pooled, categorical=categorical)


def _correlations(a: Floats, b: Floats, categorical: tuple[int, ...]) -> Floats:
    """Correlations of the field between a (k, d) and b (q, d): (k, q)."""
    gaps = squared_gaps(a, b, categorical)
    return correlation("se", gaps, np.full(len(gaps), LENGTH))


def _laplace(prior: Floats, degrees: Floats, variances: Floats, known: Floats) -> tuple[float, Floats, Floats]:
    """Log evidence of sample variances (k,) under the prior covariance (k, k) of log variances, and a `_Belief`'s alpha and root.

    The mode by Newton's method (R&W algorithm 3.1), with steps halved until they gain; curvature there as expected.
    """
    identity = np.eye(len(prior))

    def gain(f: Floats, alpha: Floats) -> float:
        total = np.exp(f) + known
        return -0.5 * float(degrees @ (np.log(total) + variances / total) + f @ alpha)

    def half_of(f: Floats, excess: Floats) -> tuple[Floats, Floats]:
        half = np.sqrt(0.5 * degrees * excess) * np.exp(f) / (np.exp(f) + known)
        return half, cholesky(identity + half[:, None] * prior * half)

    f, alpha = np.zeros(len(prior)), np.zeros(len(prior))
    value = gain(f, alpha)
    for _ in range(_STEPS):
        total = np.exp(f) + known
        half, chol = half_of(f, np.maximum(variances / total, 1.0))
        target = half**2 * f + 0.5 * degrees * np.exp(f) / total * (variances / total - 1)
        step = target - half * solve(chol, half * (prior @ target)) - alpha
        size = 1.0
        while (better := gain(f + size * (prior @ step), alpha + size * step)) < value and size > 1e-3:
            size *= 0.5
        gained, value, alpha = better - value, better, alpha + size * step
        f = prior @ alpha
        if gained < 1e-6:
            break
    half, chol = half_of(f, np.ones(len(f)))
    return value - float(np.log(np.diag(chol)).sum()), alpha, half_solve(chol, np.diag(half))
