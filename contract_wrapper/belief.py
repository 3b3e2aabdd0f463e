"""What results say of designs that were not evaluated: surrogates of all outputs of a history."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from contract_wrapper.errors import ContractsError
from contract_wrapper.extremes import clipped, floored
from contract_wrapper.history import History
from contract_wrapper.kernels import Kernel
from contract_wrapper.space import DesignSpace
from contract_wrapper.surrogate import SurrogateSet
from contract_wrapper.threads import one_thread

Floats = npt.NDArray[np.float64]

_MINIMUM_RESULTS = 3  # fewer say nothing of length scales


def fit(space: DesignSpace, history: History, *, local: bool = True) -> SurrogateSet | None:
    """Surrogates of the objective and of every margin; a binary phi is shifted so that >= 0 is good.

    `local`: whether kernels have a second term, of short range. None while the results say nothing of
    where to look: too few, or no output that varies.
    """
    margins = history.margins.copy()
    margins[:, list(history.binary)] -= 0.5
    n, m = margins.shape
    if n < _MINIMUM_RESULTS:
        return None
    objective_se = np.zeros(n) if history.objective_se is None else history.objective_se
    margins_se = np.zeros((n, m)) if history.margins_se is None else history.margins_se
    kernels: list[Kernel] = ["matern" if j == history.participation else "se" for j in range(m)]
    surrogates = SurrogateSet.fit(
        space.to_unit(history.designs),
        np.column_stack([floored(history.objective), clipped(margins)]),
        ["se", *kernels],
        np.column_stack([objective_se, margins_se]),
        local=local,
    )
    return surrogates if surrogates.varies else None


def believe_objective(
    space: DesignSpace, history: History, designs: Sequence[Sequence[float]] | Floats
) -> tuple[Floats, Floats]:
    """What the results say of the objective at designs (q, d): mean and standard deviation, two arrays (q,).

    One measurement flatters the best of many designs; this also counts what was measured near it.

    Raises:
        ContractsError: there are too few results, or none that differ, to say anything.
    """
    with one_thread():
        surrogates = fit(space, history)
        if surrogates is None:
            raise ContractsError(f"{len(history)} results say nothing of other designs: evaluate more")
        mean, sd = surrogates.parts[0].predict(space.to_unit(np.asarray(designs, dtype=float).reshape(-1, len(space))))
    return mean, sd


def best_so_far(history: History, surrogates: SurrogateSet, held: Floats) -> float | None:
    """The best feasible result, or belief about a pending design (w, d) in the unit cube; None if there is neither."""
    values = history.objective[history.feasible()]
    if len(held):
        mean, _ = surrogates.predict(held)
        values = np.append(values, mean[0, (mean[1:] >= 0).all(axis=0)])
    return float(values.max()) if len(values) else None
