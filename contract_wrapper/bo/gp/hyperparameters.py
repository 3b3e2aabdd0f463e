"""Hyper-parameters by maximum a posteriori, from fixed starts (Rasmussen & Williams 2006, chapter 5)."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.gp.covariance import Hyper, Kernel, correlation, length_slopes
from contract_wrapper.bo.gp.linalg import cholesky, inverse, solve

Floats = npt.NDArray[np.float64]

# Weak log-normal priors (median, standard deviation of the logarithm) and hard bounds, in the unit cube
# and in units of the outputs' variance. With 3 points the likelihood is nearly flat and the priors decide:
# a variable matters over about half its range, and most of the variation is signal, and goes far.
_LENGTH = (0.5, 1.0, 0.03, 10.0)
_AMPLITUDE = (1.0, 1.0, 0.05, 20.0)
_NOISE = (1e-4, 2.0, 1e-9, 1.0)  # the bound is there for numerics alone: more would blur what is known exactly
_NOISE_STATED = (0.03, 1.5, 1e-9, 1.0)  # of results known to be noisy, whose noise the local term takes for signal else
_LOCAL_AMPLITUDE = (0.05, 1.5, 1e-4, 5.0)
_LOCAL_SHARE = (0.15, 0.7, 0.03, 0.6)  # of the length scales
_SHORTEST = 0.02  # local length scale: shorter ones could not be told from noise
_STARTS = ((0.5, 1.0, 1e-3), (0.15, 1.0, 1e-2))  # (length, amplitude, noise); with one term there are two optima
_LOCAL_STARTS = ((0.3, 1.0, 1e-3, 0.3, 0.15),)  # with two terms one start finds the better one as often
_MAX_STEPS = 40


def negative_log_posterior(
    theta: Floats,
    gaps: Floats,
    y: Floats,
    noise: Floats,
    kernel: Kernel,
    repeats: Floats | None = None,
    within: Floats | None = None,
    noisy: bool = False,
) -> tuple[float, Floats]:
    """Minus the log marginal likelihood and log prior, and its gradient, at theta (d + 2,) or (d + 4,).

    theta = logarithms of (length scales, amplitude, noise), and with a local term of (its amplitude,
    its length scales as a share of the others); gaps (d, n, n); y (n,) standardised; noise (n,) known
    variances. R&W eqs. 5.8 and 5.9; constants are left out.

    Where y are means of repeated results, their numbers `repeats` (n,) and sums of squared differences `within` (n,)
    give the likelihood of all results (Binois et al. 2018, arXiv 1611.05902, eq. 2.9). `noisy`: whether the prior of the
    noise is that of results which are known to be noisy.
    """
    d, n = len(gaps), len(y)
    terms, sigma2 = _terms(theta, d)
    signals = [amplitude * correlation(kernel, gaps, lengths) for amplitude, lengths in terms]
    k = signals[0] + signals[1] if len(signals) > 1 else signals[0].copy()
    many = np.ones(n) if repeats is None else repeats
    k.flat[:: n + 1] += sigma2 / many + noise
    chol = cholesky(k)
    alpha = solve(chol, y)
    value = 0.5 * float(y @ alpha) + float(np.log(chol.flat[:: n + 1]).sum())  # R&W eq. 5.8
    inner = inverse(chol) - alpha[:, None] * alpha  # R&W eq. 5.9, times -1
    gradient = np.zeros(len(theta))
    gradient[d + 1] = 0.5 * sigma2 * (inner.flat[:: n + 1] / many).sum()
    for place, (signal, (_, lengths)) in enumerate(zip(signals, terms, strict=True)):
        weighted = (inner * signal).ravel()
        slopes = 0.5 * length_slopes(kernel, gaps, lengths, weighted)
        if place:
            slopes = np.where(lengths > _SHORTEST, slopes, 0.0)
            gradient[d + 3] = slopes.sum()
        gradient[:d] += slopes
        gradient[d + 2 * place] = 0.5 * weighted.sum()
    if within is not None:
        single = sigma2 + many * noise  # variance of one result
        value += 0.5 * float(((many - 1) * np.log(single) + within / single).sum())
        gradient[d + 1] += 0.5 * sigma2 * float(((many - 1) / single - within / single**2).sum())
    median, width, _ = _priors(d, len(theta), noisy)
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
def _priors(d: int, size: int, noisy: bool) -> tuple[Floats, Floats, Floats]:
    """Medians and widths (size,) of the logarithms of hyper-parameters, and their bounds (size, 2)."""
    noise = _NOISE_STATED if noisy else _NOISE
    rows = np.array([*[_LENGTH] * d, _AMPLITUDE, noise, _LOCAL_AMPLITUDE, _LOCAL_SHARE])[:size]
    return np.log(rows[:, 0]), rows[:, 1], np.log(rows[:, 2:])


def fit_hyper(
    gaps: Floats,
    y: Floats,
    noise: Floats,
    kernel: Kernel,
    local: bool,
    repeats: Floats | None = None,
    within: Floats | None = None,
    noisy: bool = False,
) -> Hyper:
    """Fit to standardised outputs y (n,): squared gaps (d, n, n), known noise variances (n,).

    `local`: whether the kernel has its second term; `repeats`, `within` and `noisy` as in `negative_log_posterior`.
    """
    from scipy.optimize import minimize

    d = len(gaps)
    starts: tuple[tuple[float, ...], ...] = _LOCAL_STARTS if local else _STARTS
    bounds = _priors(d, d + len(starts[0]) - 1, noisy)[2]
    runs = [
        minimize(
            negative_log_posterior,
            np.log([*[length] * d, *others]),
            args=(gaps, y, noise, kernel, repeats, within, noisy),
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
