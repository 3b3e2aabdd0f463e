"""What one more noisy evaluation tells of the constrained best value f*: a pure function of means and deviations.

Without noise an evaluation shows the outputs themselves, and its information about f* is -log(1 - P), P the probability
that the design is feasible and better than f* (Takeno et al. 2022, arXiv 2102.09788: `acquisition.cmes_ibo`). With
noise it shows y = outputs + noise, and less can be learned the larger the noise is beside what is uncertain: a design
that is known well is hardly worth another evaluation, one that was measured once may be. With a(y) the probability,
once y is known, of that same event, the information is

    E_y[ g log g ],  g = (1 - a(y)) / (1 - P),

as what is excluded is the event alone. E[g] is 1, so that g log g - g + 1, which is never negative, has the same mean
and a smaller variance. It is estimated from points of a Sobol sequence: half of y as they are expected, half as they
would be in the event, weighted by how likely each is under both (the balance heuristic, Veach & Guibas 1995).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo import acquisition

Floats = npt.NDArray[np.float64]

N_POINTS = 16
"""Points of each half, for each draw of f*; a power of 2."""

_SD_FLOOR = 1e-12
_DIMENSIONS = 1000  # of the sequence; outputs beyond repeat its columns


def noisy_information(
    mean: Floats, sd: Floats, noise: Floats, best: Floats, rng: np.random.Generator, weights: Floats | None = None
) -> Floats:
    """Information about f* of one noisy evaluation at q designs, (q,), in nats; never negative.

    Args:
        mean: of the outputs, the objective first, then the margins, (1 + m, q).
        sd: their standard deviations, (1 + m, q).
        noise: standard deviations of an evaluation about the outputs, (1 + m, q).
        best: draws of f*, (K,), -inf where a draw holds nothing feasible.
        rng: of the points.
        weights: of the draws, (K,); None: alike.
    """
    total = np.zeros(mean.shape[1])
    shares = np.full(len(best), 1 / len(best)) if weights is None else weights / weights.sum()
    uniform = _points(rng, 2 * len(mean))
    for share, value in zip(shares, best, strict=True):
        if share > 0:  # each draw has the same points: designs are told apart by what they are
            total += share * _information(mean, sd, noise, float(value), uniform)
    return total


def _points(rng: np.random.Generator, dimensions: int) -> Floats:
    """Return points of a scrambled Sobol sequence, (N_POINTS, dimensions), away from 0 and 1."""
    from scipy.stats.qmc import Sobol

    points = Sobol(min(dimensions, _DIMENSIONS), scramble=True, rng=rng).random(N_POINTS)
    columns = np.arange(dimensions) % points.shape[1]
    return np.asarray(np.clip(points[:, columns], 1e-9, 1 - 1e-9))


def _information(mean: Floats, sd: Floats, noise: Floats, best: float, uniform: Floats) -> Floats:
    """Information about whether a design beats one value of f*, (q,)."""
    from scipy.special import log_ndtr, ndtri, ndtri_exp

    o = len(mean)
    sd = np.maximum(sd, _SD_FLOOR)
    gamma = -mean / sd  # the event: each output, standardised, at or above gamma
    gamma[0] = (best - mean[0]) / sd[0]
    gamma = np.clip(gamma, -35.0, 1e4)  # as in `acquisition`
    log_tail = log_ndtr(-gamma)
    log_p = log_tail.sum(axis=0)
    log_rest = acquisition.log1mexp(log_p)

    spread = np.sqrt(sd**2 + noise**2)
    first, second = uniform[:, :o, None], uniform[:, o:, None]
    expected = ndtri(first) * spread  # y less its mean, (N, o, q)
    # In the event an output is a normal beyond gamma, by the inverse of its tail; then comes the noise.
    inside = -ndtri_exp(np.log(first) + log_tail) * sd + ndtri(second) * noise
    total = np.zeros(mean.shape[1])
    for y in (expected, inside):
        # Given y an output has the mean share * y and the deviation sd * noise / spread about the old mean.
        share, left = (sd / spread) ** 2, np.maximum(sd * noise / spread, _SD_FLOOR * sd)
        log_a = log_ndtr((share * y - gamma * sd) / left).sum(axis=1)  # (N, q)
        log_g = acquisition.log1mexp(log_a) - log_rest
        g = np.exp(np.minimum(log_g, 700.0))
        likely = 2.0 / (1.0 + np.exp(np.minimum(log_a - log_p, 700.0)))
        total += 0.5 * (likely * (g * log_g - g + 1.0)).mean(axis=0)
    return np.asarray(np.maximum(total, 0.0))
