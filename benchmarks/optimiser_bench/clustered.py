"""Intervals where several runs share an instance: the instances are the independent unit, not the runs.

What makes an instance easy or hard is the same for all of its runs. Taken for independent ones, they would promise a
certainty about other instances that only more instances can give. So the runs of each instance are averaged first,
and every interval is over the instances.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with half the width of its 95 % interval."""

    mean: float
    """NaN from no values."""

    half: float
    """Infinite from a single unit; NaN from units that are all alike, which do not tell how much others differ."""

    units: int
    """Independent units: instances, or runs where one instance is all that is asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share with its 95 % interval, from 0 to 1."""

    share: float
    low: float
    high: float
    units: int
    """Independent units, as in `Interval`."""


def unit_means(values: npt.ArrayLike, units: Sequence[Hashable]) -> Floats:
    """Average the values of each unit, (n, ...) and n labels -> (units, ...), in the order of their first values.

    >>> unit_means([1.0, 3.0, 8.0], ["a", "a", "b"]).tolist()
    [2.0, 8.0]
    """
    array, names = np.asarray(values, np.float64), list(dict.fromkeys(units))
    places: dict[Hashable, list[int]] = {name: [] for name in names}
    for place, name in enumerate(units):
        places[name].append(place)
    return np.array([array[places[name]].mean(axis=0) for name in names])


def interval(values: npt.ArrayLike, units: Sequence[Hashable]) -> Interval:
    """Return the mean of the units' means, each unit with the same weight, with Student's t over the units.

    The units' means may have different variances, as instances do: then the interval at 95 % is too wide rather than
    too narrow (Bakirov & Szekely 2005; Ibragimov & Mueller 2010, "t-statistic based correlation and heterogeneity robust
    inference"), for means that are about normal. To repeat a run changes nothing.

    Args:
        values: one per run, (n,); for a comparison the differences within pairs.
        units: what each run belongs to, n labels.
    """
    from scipy.special import stdtrit

    means = unit_means(values, units)
    n = len(means)
    if n < 2:
        return Interval(mean=float(means[0]) if n else math.nan, half=math.inf, units=n)
    mean = float(means.mean())
    if np.allclose(means, means[0], rtol=1e-12, atol=0.0):
        return Interval(mean=mean, half=math.nan, units=n)
    half = float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2) * means.std(ddof=1)) / math.sqrt(n)
    return Interval(mean=mean, half=half, units=n)


def share(flags: npt.ArrayLike, units: Sequence[Hashable]) -> Share:
    """Return the share of runs of which something is true, each unit with the same weight, and its exact interval.

    The interval of Clopper and Pearson (1934), with the units as trials: as wide as if all runs of a unit had ended
    alike, which is the worst case. A unit whose runs differ counts as a part of a success; taking an effective number
    of trials there is the way of Korn & Graubard (1998). With 10 instances, 50 successes in 50 runs allow a true share of 69 %.

    >>> found = share([True] * 50, [k // 5 for k in range(50)])
    >>> round(found.low, 3), found.high
    (0.692, 1.0)
    """
    from scipy.special import betaincinv

    shares = unit_means(np.asarray(flags, np.float64), units)
    n, off = len(shares), (1.0 - CONFIDENCE) / 2
    if not n:
        return Share(share=math.nan, low=0.0, high=1.0, units=0)
    mean = float(shares.mean())
    low = 0.0 if not shares.any() else float(betaincinv(n * mean, n - n * mean + 1, off))
    high = 1.0 if (shares == 1.0).all() else float(betaincinv(n * mean + 1, n - n * mean, 1.0 - off))
    return Share(share=mean, low=low, high=high, units=n)


def plus_minus(mean: float, half: float, form: str) -> str:
    """Write a mean with half its interval; 'in all' where there is none, because all units are alike.

    Half an interval is never written as 0: where it would be, both get the decimals that it takes.

    >>> plus_minus(3.0, 0.5, ".1f"), plus_minus(0.0, math.nan, ".0f"), plus_minus(0.02, 0.04, ".0f")
    ('3.0 ± 0.5', '0 in all', '0.02 ± 0.04')
    """
    if math.isnan(half):
        return f"{mean:{form}} in all"
    if half > 0.0 and float(f"{half:{form}}") == 0.0:
        form = f".{-math.floor(math.log10(half))}f"
    return f"{mean:{form}} ± {half:{form}}"
