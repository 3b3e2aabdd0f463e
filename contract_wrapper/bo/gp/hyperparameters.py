"""Hyper-parameters by maximum a posteriori, from fixed starts (Rasmussen & Williams 2006, chapter 5)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.gp.covariance import Hyper
from contract_wrapper.bo.gp.likelihood import NegativeLogPosterior, unpack

Floats = npt.NDArray[np.float64]

_STARTS = ((0.5, 1.0, 1e-3), (0.15, 1.0, 1e-2))  # (length, amplitude, noise); with one term there are two optima
_LOCAL_STARTS = ((0.3, 1.0, 1e-3, 0.3, 0.15),)  # with two terms one start finds the better one as often
_MAX_STEPS = 40
_TOLERANCE = 1e-4  # a step that gains less than this share of the value is the last


def fit_hyper(posterior: NegativeLogPosterior) -> Hyper:
    """Return the hyper-parameters that are most likely."""
    from scipy.optimize import fmin_l_bfgs_b  # as `minimize` does it, at half the cost of a call

    d, bounds = posterior.d, posterior.bounds
    starts: tuple[tuple[float, ...], ...] = _LOCAL_STARTS if len(bounds) > d + 2 else _STARTS
    runs = [
        fmin_l_bfgs_b(
            posterior.value,
            np.log([*[length] * d, *others]),
            fprime=posterior.gradient,
            bounds=bounds,
            factr=_TOLERANCE / np.finfo(float).eps,
            maxiter=_MAX_STEPS,
        )
        for length, *others in starts
    ]
    best, *_ = min(runs, key=lambda run: float(run[1]))
    amplitudes, lengths, noise = unpack(best, d)
    hyper = Hyper(lengthscales=tuple(lengths[0].tolist()), amplitude=float(amplitudes[0]), noise=noise)
    if len(lengths) == 1:
        return hyper
    return replace(hyper, local_amplitude=float(amplitudes[1]), local_lengthscales=tuple(lengths[1].tolist()))
