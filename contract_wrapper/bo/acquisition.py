"""Acquisition functions, what a further evaluation is worth: pure functions of means and standard deviations.

Sources: Srinivas et al. 2012 (UCB); Jones et al. 1998 (EI); Perrone et al. 2019, arXiv 1910.07003
(cMES); Takeno et al. 2022, arXiv 2102.09788 (CMES-IBO); Wang & Jegelka 2017 (MES). Every value is
to be maximised, every margin is good when >= 0. Shapes: q designs, m margins, K draws of the best
value f*.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]

_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)
_SD_FLOOR = 1e-12
# Beyond -35 the truncated share 1 - P is at the end of double precision (1e-268), and beyond 1e4 the ratio
# phi/S loses its digits; P is 0 long before. Clipping both terms at one place keeps them in balance.
_GAMMA_RANGE = (-35.0, 1e4)


def beta_t(t: int, count: int, delta: float = 0.1) -> float:
    """Weight of the variance in step t >= 1: 2 ln(D pi^2 t^2 / (6 delta)) (Srinivas et al. 2012, Theorem 1).

    `count` is D: the number of designs in the theorem, the sum |alpha| + |N_a| as the contract
    paper prints it. `delta` in (0, 1) is the probability with which the bound may fail.
    """
    if t < 1 or count < 1 or not 0 < delta < 1:
        raise ContractsError(f"beta_t needs t >= 1, count >= 1 and 0 < delta < 1, but got {t}, {count} and {delta}")
    return 2 * math.log(count * math.pi**2 * t**2 / (6 * delta))


def ucb(mean: Floats, sd: Floats, beta: float) -> Floats:
    """Upper confidence bound, mean + sqrt(beta) sd; any shape."""
    return np.asarray(mean + math.sqrt(beta) * sd)


def log_probability_feasible(mean: Floats, sd: Floats) -> Floats:
    """Logarithm of Pr(all margins >= 0): mean, sd (m, q) -> (q,); 0 where there are no margins."""
    from scipy.special import log_ndtr

    return np.asarray(log_ndtr(mean / np.maximum(sd, _SD_FLOOR)).sum(axis=0))


def expected_improvement(mean: Floats, sd: Floats, best: float) -> Floats:
    """E[max(0, f - best)] for f ~ N(mean, sd^2); any shape (Jones et al. 1998, eq. 15)."""
    return np.asarray(np.exp(log_expected_improvement(mean, sd, best)))


def log_expected_improvement(mean: Floats, sd: Floats, best: float) -> Floats:
    """Logarithm of the expected improvement, exact where the improvement itself underflows."""
    from scipy.special import erfcx, ndtr

    s = np.maximum(sd, _SD_FLOOR)
    z = (mean - best) / s
    low, high = np.minimum(z, -1.0), np.maximum(z, -1.0)
    # h(z) = phi(z) + z Phi(z); below -1 phi(z) (1 - |z| M(|z|)), M the Mills ratio; far below phi / z^2
    tail = np.where(
        low < -1e3,
        -2 * np.log(-low),
        np.log1p(np.maximum(low * math.sqrt(math.pi / 2) * erfcx(-low / math.sqrt(2)), -1 + 1e-15)),
    )
    near = np.log(np.exp(-0.5 * high**2 - _LOG_SQRT_2PI) + high * ndtr(high))
    return np.asarray(np.log(s) + np.where(z < -1, -0.5 * low**2 - _LOG_SQRT_2PI + tail, near))


def log_constrained_improvement(mean: Floats, sd: Floats, best: float | None) -> Floats:
    """Logarithm of expected improvement times probability of feasibility: mean, sd (1 + m, q) -> (q,).

    Objective first. Without a best feasible value, the probability alone (Gardner et al. 2014, eq. 7).
    """
    value = log_probability_feasible(mean[1:], sd[1:])
    return value if best is None else value + log_expected_improvement(mean[0], sd[0], best)


def best_values(paths: Floats) -> Floats:
    """f* of each draw: paths (1 + m, K, q), objective first -> (K,); -inf where no design holds every margin."""
    holds = (paths[1:] >= 0).all(axis=0)
    return np.asarray(np.where(holds, paths[0], -np.inf).max(axis=1))


def cmes(
    mean: Floats,
    sd: Floats,
    best: Floats,
    margin_mean: Floats,
    margin_sd: Floats,
    binary_probability: Floats | None = None,
) -> Floats:
    """Mutual information between one evaluation and the constrained best value, (q,); may be negative.

    mean, sd (q,) of the objective; best (K,) draws of f*, -inf where a draw holds nothing
    feasible; margin_mean, margin_sd (m, q), m may be 0; binary_probability (b, q), Pr(phi = 1) of
    outputs that are observed as 0 or 1 only. Perrone et al. 2019 in the form derived for the
    contract paper's eq. 8: with S = 1 - Phi and P = S(gamma_f) prod_k S(gamma_k),

        mean over f* of  -log(1 - P) + P / (1 - P) [1/2 (h(gamma_f) + sum_k h(gamma_k)) - ln p - H_b(p)],

    h(g) = g phi(g) / S(g), and P times p where a binary output is observed. Without constraints it
    is MES (Wang & Jegelka 2017, eq. 6).
    """
    log_p, odd_terms = _joint(mean, sd, best, margin_mean, margin_sd, hazards=True)
    if binary_probability is not None and len(binary_probability):
        p = np.clip(binary_probability, 1e-12, 1 - 1e-12)
        entropy = -p * np.log(p) - (1 - p) * np.log1p(-p)
        log_p = log_p + np.log(p).sum(axis=0)
        odd_terms = odd_terms - (np.log(p) + entropy).sum(axis=0)
    log_rest = log1mexp(log_p)
    return np.asarray((-log_rest + np.exp(log_p - log_rest) * odd_terms).mean(axis=0))


def cmes_ibo(
    mean: Floats,
    sd: Floats,
    best: Floats,
    margin_mean: Floats,
    margin_sd: Floats,
    weights: Floats | None = None,
) -> Floats:
    """Lower bound of the mutual information, mean of -log(1 - P), (q,); never negative.

    Arguments as in `cmes`; a binary output enters as one more margin. Takeno et al. 2022.
    Where f* = -inf it is -log(1 - probability of feasibility), so that "nothing feasible yet" needs
    no special case. Draws of f* count by their weights (K,), by default alike.
    """
    log_p, _ = _joint(mean, sd, best, margin_mean, margin_sd, hazards=False)
    return np.average(-log1mexp(log_p), axis=0, weights=weights)


def gains(best: Floats, incumbent: float | None) -> Floats | None:
    """What each draw of f* (K,) holds above the best value so far: weights for `cmes_ibo`; None if none holds more.

    Information is blind to amounts: without noise, the last digits of a value that is nearly certain give as many
    nats as a region never visited, and a search on a continuum never leaves the first optimum that it finds.
    """
    if incumbent is None:
        return None
    weights = np.maximum(best - incumbent, 0.0)
    return weights if weights.any() else None


def _joint(
    mean: Floats, sd: Floats, best: Floats, margin_mean: Floats, margin_sd: Floats, *, hazards: bool
) -> tuple[Floats, Floats]:
    """Return log P (K, q) and, if asked for, 1/2 (h(gamma_f) + sum_k h(gamma_k)) of the same shape."""
    from scipy.special import log_ndtr

    gamma_f = np.clip((best[:, None] - mean) / np.maximum(sd, _SD_FLOOR), *_GAMMA_RANGE)
    gamma_k = np.clip(-margin_mean / np.maximum(margin_sd, _SD_FLOOR), *_GAMMA_RANGE)
    log_s_f, log_s_k = log_ndtr(-gamma_f), log_ndtr(-gamma_k)
    log_p = log_s_f + log_s_k.sum(axis=0)
    if not hazards:
        return log_p, np.zeros_like(log_p)
    half = 0.5 * (_hazard(gamma_f, log_s_f) + _hazard(gamma_k, log_s_k).sum(axis=0))
    return log_p, half


def _hazard(gamma: Floats, log_s: Floats) -> Floats:
    """Return gamma phi(gamma) / S(gamma), through logarithms because both vanish together."""
    return np.asarray(gamma * np.exp(-0.5 * gamma**2 - _LOG_SQRT_2PI - log_s))


def log1mexp(log_p: Floats) -> Floats:
    """Return log(1 - P) of log P <= 0, any shape, exact near P = 0 and near P = 1; P itself is capped below 1."""
    near = np.clip(log_p, -0.5, -1e-300)
    far = np.minimum(log_p, -0.5)
    return np.asarray(np.where(log_p > -0.5, np.log(-np.expm1(near)), np.log1p(-np.exp(far))))
