"""The one boundary to scikit-optimize: its spaces taken and given out, and results as it and scipy store them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.dimensions import Categorical, Choice, Dimension, Integer, Real
from contract_wrapper.bo.gp.blas_threads import one_thread
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.bo.surrogates import SurrogateSet, fit
from contract_wrapper.errors import ContractsError, require_package, shown

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

Floats = npt.NDArray[np.float64]


def from_skopt(dimensions: Iterable[Any], steps: Mapping[str, float] | None = None) -> DesignSpace:
    """Turn a `skopt.space.Space`, or a list of its dimensions, into a design space.

    Args:
        dimensions: `skopt.space.Real` and `Integer`, uniform or log-uniform, and `Categorical`, each with a name. One with
            a single number is a fixed number.
        steps: name of a `Real` dimension -> step of its grid, which scikit-optimize does not know.

    Raises:
        ContractsError: a dimension is of another kind, or `steps` names none of the `Real` dimensions.

    >>> import skopt.space
    >>> from_skopt([skopt.space.Real(0.0, 1.0, name="tax")], steps={"tax": 0.25}).counts
    (5,)
    """
    dimensions, steps = list(dimensions), steps or {}
    turned = tuple(_from_skopt(dimension, steps) for dimension in dimensions)
    real = [dimension.name for dimension in turned if isinstance(dimension, Real)]
    if unknown := sorted(set(steps) - set(real)):
        raise ContractsError(f"steps are for Real dimensions, here {real}, but got some for {unknown}: leave these out")
    return DesignSpace(dimensions=turned)


def _from_skopt(dimension: Any, steps: Mapping[str, float]) -> Dimension:
    require_package("skopt", "search", "from_skopt")
    from skopt import space as skopt

    if not isinstance(dimension, skopt.Dimension):
        raise ContractsError(
            f"from_skopt takes scikit-optimize's Real, Integer and Categorical, but got {shown(dimension)}"
        )
    name, log = dimension.name, getattr(dimension, "prior", "") == "log-uniform"
    if isinstance(dimension, skopt.Real):
        return Real(name=name, low=dimension.low, high=dimension.high, step=steps.get(name), log=log)
    if isinstance(dimension, skopt.Integer):
        return Integer(name=name, low=int(dimension.low), high=int(dimension.high), log=log)
    numbers = [c for c in dimension.categories if isinstance(c, (int, float, np.number)) and not isinstance(c, bool)]
    if len(dimension.categories) == len(numbers) == 1:
        (fixed,) = numbers
        if float(fixed).is_integer():
            return Integer(name=name, low=int(fixed), high=int(fixed))
        return Real(name=name, low=float(fixed), high=float(fixed))
    return Categorical(name=name, choices=dimension.categories)


def to_skopt(space: DesignSpace) -> Any:
    """Return the dimensions as a `skopt.space.Space`, which knows no steps; a fixed number is a `Categorical`.

    Choices are texts there where they are of several kinds, which scikit-optimize could not tell apart.
    """
    require_package("skopt", "search", "a space of scikit-optimize")
    from skopt import space as skopt

    def turned(dimension: Dimension) -> Any:
        if isinstance(dimension, Categorical):
            return skopt.Categorical(_written(dimension), name=dimension.name)
        if dimension.low == dimension.high:
            return skopt.Categorical([dimension.low], name=dimension.name)
        kind = skopt.Integer if isinstance(dimension, Integer) else skopt.Real
        return kind(dimension.low, dimension.high, "log-uniform" if dimension.log else "uniform", name=dimension.name)

    return skopt.Space([turned(dimension) for dimension in space.dimensions])


def _written(dimension: Categorical) -> list[Choice]:
    """Return the choices as scikit-optimize holds them, in an array of one type."""
    alike = len({type(choice) for choice in dimension.choices}) == 1 and dimension.choices[0] is not None
    return list(dimension.choices) if alike else [repr(choice) for choice in dimension.choices]


def _shown(space: DesignSpace, row: Floats) -> list[Any]:
    """Return a design as a point of `to_skopt`; a place that is none of a dimension's stays a number."""
    pairs = zip(space.dimensions, space.as_design(row), strict=True)
    return [_written(d)[int(x)] if isinstance(d, Categorical) and 0 <= x < d.count else x for d, x in pairs]


def _read(space: DesignSpace, point: Sequence[Any]) -> list[float]:
    """Return a point of `to_skopt` as a design."""
    pairs = zip(space.dimensions, point, strict=True)
    return [float(_written(d).index(x)) if isinstance(d, Categorical) else float(x) for d, x in pairs]


@dataclass(frozen=True, eq=False)
class ObjectiveModel:
    """What the results say of minus the objective, as scikit-optimize's plots ask a model; fitted when first asked."""

    space: DesignSpace
    """Where the designs come from."""

    history: History
    """The results."""

    @functools.cached_property
    def _fitted(self) -> SurrogateSet | None:
        with one_thread():
            return fit(self.space, self.history)

    def predict(self, X: npt.ArrayLike, return_std: bool = False) -> Floats | tuple[Floats, Floats]:
        """Return means (q,), and standard deviations (q,) if asked for, at points (q, t) as `space.transform` gives them.

        Where the results say nothing of other designs, the mean of all results and their standard deviation.
        """
        rows = to_skopt(self.space).inverse_transform(np.asarray(X, dtype=float))
        designs = np.array([_read(self.space, row) for row in rows], dtype=float).reshape(-1, len(self.space))
        mean, sd = (
            np.full(len(designs), self.history.objective.mean()),
            np.full(len(designs), self.history.objective.std()),
        )
        if self._fitted is not None:
            with one_thread():
                mean, sd = self._fitted.parts[0].predict(self.space.to_unit(designs))
        return (-mean, sd) if return_std else -mean


def as_optimize_result(space: DesignSpace, history: History, models: Iterable[Any] | None = None) -> OptimizeResult:
    """Return the results as a `scipy.optimize.OptimizeResult` that scikit-optimize's plots can draw.

    Its fields follow their conventions, which minimise: `x` and `fun` are the best feasible design
    and minus its objective; `x_iters` all designs; `func_vals` (n,) minus the objectives, where a
    result that is not feasible counts as the worst of all, so that no plot takes it for the best.
    Of ours: `objective` (n,), `margins` (n, m) and `feasible` (n,) as measured. While nothing is
    feasible `success` is False, `fun` NaN and `x` the design whose smallest margin is largest.

    `models` are what plots ask about other designs; None for one model, the surrogate of minus the objective (without
    the constraints) that cPMES fits to these results.

    Raises:
        ContractsError: there are no results.
    """
    from scipy.optimize import OptimizeResult

    if not len(history):
        raise ContractsError("there are no results to write down: evaluate a design first")
    feasible, loss = history.feasible(), -history.objective
    counted = np.where(feasible, loss, loss.max())
    designs = [_shown(space, row) for row in history.designs]
    found = bool(feasible.any())
    best = int(np.argmin(np.where(feasible, loss, np.inf)) if found else np.argmax(history.margins.min(axis=1)))
    return OptimizeResult(
        x=designs[best],
        fun=float(loss[best]) if found else float("nan"),
        success=found,
        message="best feasible result" if found else "no result holds every constraint; x comes nearest to it",
        x_iters=designs,
        func_vals=counted,
        space=to_skopt(space),
        models=[ObjectiveModel(space, history)] if models is None else list(models),
        nfev=len(history),
        objective=history.objective,
        margins=history.margins,
        feasible=feasible,
        specs={"args": {}},
    )
