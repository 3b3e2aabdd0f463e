"""Problems as the literature writes them, min f subject to g <= 0, turned into those that optimisers see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.dimensions import Real
from contract_wrapper.bo.space import Design, DesignSpace
from optimiser_bench.problem import Problem

Floats = npt.NDArray[np.float64]
Formulas = Callable[[Floats], tuple[float, list[float]]]
"""Design (d,) -> f to be minimised, and every g, good where <= 0."""

NOTHING = 1e15
"""Regret while nothing feasible is found; larger than any other."""


@dataclass(frozen=True)
class MinimisedProblem:
    """A problem as published."""

    formulas: Formulas
    low: tuple[float, ...]
    high: tuple[float, ...]
    best: float
    """f of the best known design."""

    def problem(self, name: str) -> Problem:
        """Return it as optimisers see it."""

        def evaluate(design: Design) -> tuple[float, list[float]]:
            with np.errstate(all="ignore"):
                f, constraints = self.formulas(np.array(design, dtype=float))
            return -float(f), [-float(g) for g in constraints]

        dimensions = tuple(
            Real(name=f"x{k}", low=a, high=b) for k, (a, b) in enumerate(zip(self.low, self.high, strict=True))
        )
        m = len(self.formulas((np.array(self.low) + np.array(self.high)) / 2)[1])
        return Problem(
            name=name, space=DesignSpace(dimensions=dimensions), constraints=tuple(f"g{k}" for k in range(m)),
            evaluate=evaluate, best=-self.best, worst=-NOTHING,
        )  # fmt: skip
