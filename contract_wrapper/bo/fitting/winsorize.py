"""Winsorise or compress results before a fit: what is far off is drawn towards the rest, and stays on its side.

A surrogate standardises its output, so that one crew which costs 1000 apples makes a difference of 100
look like noise. A bad value need only stay the worst, and a large margin need only keep its side.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_OUTLIERS = 0.1  # share of the results that may lie apart from the rest, at least one of them
_REACH = 0.25  # of the distance between the best value and the lowest that is no outlier
_ORDERS = 10.0  # how many times the median size the largest tenth must have to be of another order of magnitude
_LEAST_UNIT = 1e-100  # of the largest size, so that quotients stay finite


def winsorize_objective(values: Floats) -> Floats:
    """Lift the outliers among values (n,) to be maximised: (n,), in the same order.

    The lowest tenth lies no farther below the next value than a quarter of the way from there to the
    best. Where all but the outliers are equal, there is no scale to tell what is far, and nothing changes.

    >>> winsorize_objective(np.array([-500.0, 150.0, 150.0, 250.0])).tolist()
    [125.0, 150.0, 150.0, 250.0]
    """
    if len(values) < 2:
        return values
    usual = float(np.quantile(values, _OUTLIERS, method="higher"))
    reach = _REACH * (float(values.max()) - usual)
    return np.maximum(values, usual - reach) if reach > 0 else values


def winsorize_margins(margins: Floats) -> Floats:
    """Draw the outliers among margins (n, m) towards 0: (n, m), with the same signs, column by column.

    The largest tenth in size is at most twice as large as the next; a column that is 0 apart from
    them stays as it is.

    >>> winsorize_margins(np.array([[-1.0], [0.0], [1.0], [500.0]])).tolist()
    [[-1.0], [0.0], [1.0], [2.0]]
    """
    if len(margins) < 2:
        return margins
    far = 2 * np.quantile(np.abs(margins), 1 - _OUTLIERS, axis=0, method="lower")
    far = np.where(far > 0, far, np.inf)
    return np.clip(margins, -far, far)


def margin_units(margins: Floats, feasible: bool) -> Floats:
    """Return the units (m,) by which columns of margins (n, m) are taken in logarithms; infinite where they are not.

    They are where the largest tenth is more than 10 times the median size, as is usual where a constraint is a power or an
    exponential of the design: winsorised, most of them would be equal, and say nothing of the way to where the
    constraint holds. The unit is the median size, so that what is near 0 stays as it is. While no result is `feasible`, it is
    the tenth smallest of a hundred, so that the way is seen from afar.
    """
    units = np.full(margins.shape[1], np.inf)
    for j, sizes in enumerate(np.abs(margins).T):
        some = sizes[sizes > 0]
        if len(some) < 2:
            continue
        low, middle, high = np.quantile(some, [_OUTLIERS, 0.5, 1 - _OUTLIERS], method="lower")
        if high > _ORDERS * middle:
            units[j] = max(middle if feasible else low, _LEAST_UNIT * float(some.max()))
    return units


def in_units(margins: Floats, units: Floats) -> Floats:
    """Return asinh(margin / unit) of margins (n, m), with their signs, where the unit (m,) is finite, else the margin.

    (Bilog, Eriksson & Poloczek 2021, arXiv 2002.08526, is nearly the same with the unit 1.)
    """
    finite = np.isfinite(units)
    return np.where(finite, np.arcsinh(margins / np.where(finite, units, 1.0)), margins)


def compress_margins(margins: Floats, feasible: bool) -> Floats:
    """Take margins (n, m) of several orders of magnitude in logarithms, and winsorise the others: (n, m), column by column.

    >>> far = np.array([[-1e6], [-1e3], [-1.0], [1.0]])
    >>> np.round(compress_margins(far, feasible=False)[:, 0], 1).tolist()
    [-14.5, -7.6, -0.9, 0.9]
    """
    units = margin_units(margins, feasible)
    return np.where(np.isfinite(units), in_units(margins, units), winsorize_margins(margins))
