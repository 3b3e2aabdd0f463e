"""How much the results of designs that were measured again differ, and what that says of the noise over designs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.fitting.training_set import outputs_of
from contract_wrapper.bo.gp.varying_noise import VaryingNoise, fit_varying_noise
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import DesignSpace

Floats = npt.NDArray[np.float64]


def varying_noises(space: DesignSpace, history: History) -> list[VaryingNoise | None]:
    """Return the noise of the objective and of each margin, (1 + m), where repeats say that it varies over designs, else None.

    Results are taken as they are fitted, winsorised: one that is far off counts as one that is off. A design whose results
    are equal only because all of them were winsorised says nothing. Binary constraints have None: two results of 1 do not
    say that a third would be 1.
    """
    outputs = 1 + history.margins.shape[1]
    places: dict[bytes, list[int]] = {}
    for i, key in enumerate(space.keys(history.designs)):
        places.setdefault(key, []).append(i)
    repeated = [rows for _, rows in sorted(places.items()) if len(rows) > 1]
    if len(repeated) < 2 or not history.is_noisy:
        return [None] * outputs
    y, se = outputs_of(history)
    read = np.column_stack([history.objective, history.margins])
    x = space.to_unit(np.array([history.designs[rows[0]] for rows in repeated]))
    degrees = np.array([len(rows) - 1.0 for rows in repeated])
    variances = np.array([y[rows].var(axis=0, ddof=1) for rows in repeated])
    known = np.array([(se[rows] ** 2).mean(axis=0) for rows in repeated])
    telling = np.array([(np.ptp(y[rows], axis=0) > 0) | (np.ptp(read[rows], axis=0) == 0) for rows in repeated])
    return [
        None
        if j - 1 in history.binary
        else fit_varying_noise(x[kept], degrees[kept], variances[kept, j], known[kept, j], space.categorical)
        for j, kept in enumerate(telling.T)
    ]
