"""Pareto fronts, the designs that no other dominates: by enumeration, or by NSGA-II.

All objectives are maximised. Source of NSGA-II: Deb et al. 2002, as implemented by pymoo.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from contract_wrapper.errors import ContractsError, require_package

if TYPE_CHECKING:
    from contract_wrapper.bo.space import DesignSpace

Floats = npt.NDArray[np.float64]
Objectives = Callable[[Floats], Floats]
"""Designs (n, d) in their own units -> objectives (n, k), to be maximised."""


def pareto_mask(values: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Mark the rows of (n, k) that no row dominates; equal rows stand or fall together.

    A row dominates another if it is nowhere smaller and somewhere larger. -inf is a value like any
    other; NaN is refused, because it compares with nothing.
    """
    f = np.asarray(values, dtype=float)
    if f.ndim != 2:
        raise ContractsError(f"objectives must have the shape (n, k), but got {f.shape}")
    if np.isnan(f).any():
        raise ContractsError("an objective is NaN and cannot be ranked: leave failed designs out")
    if f.shape[1] == 2:
        return _mask_of_two(f)
    # Rows with a large sum of ranks go first: they dominate many others and shorten the loop.
    ranks = np.argsort(np.argsort(f, axis=0), axis=0).sum(axis=1)
    left = np.argsort(-ranks, kind="stable")
    rows = f[left]
    i = 0
    while i < len(left):
        pivot = rows[i]
        keep = (rows > pivot).any(axis=1) | (rows == pivot).all(axis=1)
        i = int(keep[:i].sum()) + 1
        left, rows = left[keep], rows[keep]
    mask = np.zeros(len(f), dtype=bool)
    mask[left] = True
    return mask


def _mask_of_two(f: Floats) -> npt.NDArray[np.bool_]:
    """`pareto_mask` of two objectives, by sorting: a long front costs no more than a short one."""
    order = np.lexsort((-f[:, 1], -f[:, 0]))
    first, second = f[order].T
    start = np.searchsorted(-first, -first)  # of the rows that share the first objective
    before = np.append(-np.inf, np.maximum.accumulate(second))[start]  # best second of those larger in the first
    mask = np.zeros(len(f), dtype=bool)
    mask[order] = (second == second[start]) & ((second > before) | (start == 0))
    return mask


def pareto_front_grid(designs: Floats, objectives: Objectives) -> tuple[Floats, Floats]:
    """Non-dominated ones among the designs (D, d), with their objectives: (p, d), (p, k)."""
    values = objectives(designs)
    mask = pareto_mask(values)
    return designs[mask], values[mask]


def pareto_front_nsga2(
    space: DesignSpace, objectives: Objectives, seed: int, pop: int = 100, gens: int = 100
) -> tuple[Floats, Floats]:
    """Approximate front of a space that is not enumerated: (p, d) designs without repeats, (p, k).

    The genes live in the unit cube and are repaired to the nearest design after every mating, so
    integer and gridded dimensions mix with continuous ones. A choice without order is inherited from one of the parents
    or drawn anew, never mixed.
    """
    require_package("pymoo", "search", "a search in a continuous space")
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem
    from pymoo.core.repair import Repair
    from pymoo.optimize import minimize

    k = objectives(space.from_unit(np.full((1, len(space)), 0.5))).shape[1]

    class _Snap(Repair):  # type: ignore[misc]
        def _do(self, problem: Any, x: Floats, **kwargs: Any) -> Floats:
            return space.to_unit(space.from_unit(x))

    class _Negated(Problem):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(n_var=len(space), n_obj=k, xl=0.0, xu=1.0)

        def _evaluate(self, x: Floats, out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            out["F"] = -objectives(space.from_unit(x))  # pymoo minimises

    operators = _operators(space.categorical) if space.categorical else {}
    search = NSGA2(pop_size=pop, repair=_Snap(), **operators)
    result = minimize(_Negated(), search, ("n_gen", gens), seed=seed, verbose=False)
    found = space.from_unit(np.atleast_2d(result.pop.get("X")).astype(float))
    _, first = np.unique(found, axis=0, return_index=True)
    return pareto_front_grid(found[np.sort(first)], objectives)


def _operators(categorical: tuple[int, ...]) -> dict[str, Any]:
    """Return crossover and mutation of NSGA-II as they are by default, but for genes without order."""
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM

    columns = list(categorical)

    class _Exchange(SBX):  # type: ignore[misc]
        def _do(self, problem: Any, X: Floats, *args: Any, random_state: Any = None, **kwargs: Any) -> Floats:
            children: Floats = super()._do(problem, X, *args, random_state=random_state, **kwargs)
            swapped = random_state.random((X.shape[1], len(columns))) < 0.5  # the two children take one choice each
            children[:, :, columns] = np.where(swapped, X[::-1][:, :, columns], X[:, :, columns])
            return children

    class _Redraw(PM):  # type: ignore[misc]
        def _do(self, problem: Any, X: Floats, *args: Any, random_state: Any = None, **kwargs: Any) -> Floats:
            mutants: Floats = super()._do(problem, X, *args, random_state=random_state, **kwargs)
            shape = (len(X), len(columns))
            redrawn = random_state.random(shape) < min(0.5, 1 / problem.n_var)
            mutants[:, columns] = np.where(redrawn, random_state.random(shape), X[:, columns])
            return mutants

    return {"crossover": _Exchange(eta=15, prob=0.9), "mutation": _Redraw(eta=20)}
