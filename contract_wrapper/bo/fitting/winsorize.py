"""Winsorise results before a fit: outliers are drawn towards the rest, and stay on their side of it.

A surrogate standardises its output, so that one crew which costs 1000 apples makes a difference of 100
look like noise. A bad value need only stay the worst, and a large margin need only keep its side.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_OUTLIERS = 0.1  # share of the results that may lie apart from the rest, at least one of them
_REACH = 0.25  # of the distance between the best value and the lowest that is no outlier


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
