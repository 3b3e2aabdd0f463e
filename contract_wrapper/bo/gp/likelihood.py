"""How well hyper-parameters explain results, with the gradient (Rasmussen & Williams 2006, section 5.4)."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.gp.covariance import Correlations, Kernel
from contract_wrapper.bo.gp.linalg import cholesky, invert, solve

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


class NegativeLogPosterior:
    """Minus the log marginal likelihood and log prior of hyper-parameters, and its gradient; constants are left out.

    theta, (d + 2,) or with a local term (d + 4,), are logarithms of (length scales, amplitude, noise), and of (the local
    term's amplitude, its length scales as a share of the others). R&W eqs. 5.8 and 5.9.

    A fit asks for it some twenty times, and with few results the calls cost more than the arithmetic. So what does not
    depend on theta is computed once, and every array of pairs is written again in place.
    """

    def __init__(
        self,
        gaps: Floats,
        y: Floats,
        noise: Floats,
        kernel: Kernel,
        *,
        local: bool,
        repeats: Floats | None = None,
        within: Floats | None = None,
        noisy: bool = False,
    ) -> None:
        """Take squared differences (d, n, n), standardised outputs y (n,) and known variances of their noise (n,).

        Where y are means of repeated results, their numbers `repeats` (n,) and sums of squared differences `within`
        (n,) give the likelihood of all results (Binois et al. 2018, arXiv 1611.05902, eq. 2.9). `local`: whether there
        is a local term; `noisy`: whether the prior of the noise is that of results which are known to be noisy.
        """
        self.d, n = len(gaps), len(y)
        self._y, self._noise, self._within = y, noise, within
        self._many: Floats | float = 1.0 if repeats is None else repeats
        self._median, self._width, self.bounds = _priors(self.d, self.d + (4 if local else 2), noisy)
        self._correlations = Correlations(kernel, gaps, 2 if local else 1)
        self._k, self._inner, self._outer = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
        self._chol = np.empty((n, n), order="F")
        self._last = (b"", np.empty(0))

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """Return the value and the gradient, (d + 2,) or (d + 4,), at theta.

        Raises:
            ContractsError: the covariance is far from positive definite.
        """
        d, many, step = self.d, self._many, len(self._y) + 1
        amplitudes, lengths, sigma2 = unpack(theta, d)
        signals = self._correlations.at(lengths)
        signals *= amplitudes[:, None]
        k = np.add.reduce(signals, axis=0, out=self._k.reshape(-1))
        k[::step] += sigma2 / many + self._noise
        chol = cholesky(self._k, out=self._chol)
        alpha = solve(chol, self._y)
        value = 0.5 * float(self._y @ alpha) + float(np.add.reduce(np.log(chol.diagonal().copy())))  # R&W eq. 5.8
        inner = invert(chol, out=self._inner)
        inner -= np.multiply(alpha[:, None], alpha, out=self._outer)  # R&W eq. 5.9, times -1
        every = inner.reshape(-1)
        signals *= every
        slopes = self._correlations.slopes(signals)
        slopes *= 0.5
        gradient = np.empty(len(theta))
        gradient[d::2] = np.add.reduce(signals, axis=1)
        gradient[d::2] *= 0.5
        gradient[d + 1] = 0.5 * sigma2 * np.add.reduce(every[::step] / many)
        if len(lengths) > 1:
            slopes[1] *= lengths[1] > _SHORTEST
            gradient[d + 3] = np.add.reduce(slopes[1])
        np.add.reduce(slopes, axis=0, out=gradient[:d])
        if self._within is not None:
            single = sigma2 + many * self._noise  # variance of one result
            value += 0.5 * float(((many - 1) * np.log(single) + self._within / single).sum())
            gradient[d + 1] += 0.5 * sigma2 * float(((many - 1) / single - self._within / single**2).sum())
        z = (theta - self._median) / self._width
        return value + 0.5 * float(z @ z), gradient + z / self._width

    def value(self, theta: Floats) -> float:
        """Return the value alone; the gradient at the same theta is kept."""
        value, gradient = self(theta)
        self._last = (theta.tobytes(), gradient)
        return value

    def gradient(self, theta: Floats) -> Floats:
        """Return the gradient alone."""
        at, gradient = self._last
        return gradient if at == theta.tobytes() else self(theta)[1]


def unpack(theta: Floats, d: int) -> tuple[Floats, Floats, float]:
    """Turn logarithms (d + 2,) or (d + 4,) into amplitudes (t,) and length scales (t, d) of t terms, and the noise."""
    values = np.exp(theta)
    if len(theta) == d + 2:
        return values[d : d + 1], values[None, :d], float(values[d + 1])
    lengths = np.empty((2, d))
    lengths[0] = values[:d]
    np.maximum(values[d + 3] * values[:d], _SHORTEST, out=lengths[1])
    return values[d::2], lengths, float(values[d + 1])


@functools.cache
def _priors(d: int, size: int, noisy: bool) -> tuple[Floats, Floats, Floats]:
    """Medians and widths (size,) of the logarithms of hyper-parameters, and their bounds (size, 2)."""
    noise = _NOISE_STATED if noisy else _NOISE
    rows = np.array([*[_LENGTH] * d, _AMPLITUDE, noise, _LOCAL_AMPLITUDE, _LOCAL_SHARE])[:size]
    return np.log(rows[:, 0]), rows[:, 1], np.log(rows[:, 2:])
