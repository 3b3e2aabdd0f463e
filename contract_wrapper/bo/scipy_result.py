"""What a search found, as scipy and scikit-optimize write it down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.errors import ContractsError

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult


def as_optimize_result(space: DesignSpace, history: History, models: Any = ()) -> OptimizeResult:
    """Return the results as a `scipy.optimize.OptimizeResult` that scikit-optimize's plots can draw.

    Its fields follow their conventions, which minimise: `x` and `fun` are the best feasible design
    and minus its objective; `x_iters` all designs; `func_vals` (n,) minus the objectives, where a
    result that is not feasible counts as the worst of all, so that no plot takes it for the best.
    Of ours: `objective` (n,), `margins` (n, m) and `feasible` (n,) as measured. While nothing is
    feasible `success` is False and `x` None. `models` is handed on.

    Raises:
        ContractsError: there are no results.
    """
    from scipy.optimize import OptimizeResult

    if not len(history):
        raise ContractsError("there are no results to write down: evaluate a design first")
    feasible, loss = history.feasible(), -history.objective
    counted = np.where(feasible, loss, loss.max())
    designs = [list(space.as_design(row)) for row in history.designs]
    best = int(np.argmin(np.where(feasible, loss, np.inf)))
    found = bool(feasible.any())
    return OptimizeResult(
        x=designs[best] if found else None,
        fun=float(loss[best]) if found else float("nan"),
        success=found,
        message="best feasible result" if found else "no result holds every constraint",
        x_iters=designs,
        func_vals=counted,
        space=space.as_skopt(),
        models=list(models),
        nfev=len(history),
        objective=history.objective,
        margins=history.margins,
        feasible=feasible,
        specs={"args": {}},
    )
