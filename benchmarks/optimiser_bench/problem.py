"""A problem with a known answer, as the optimisers see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.candidates.sampling import initial_designs
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import Design, DesignSpace

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An objective to be maximised and margins that are good when >= 0."""

    name: str
    space: DesignSpace
    constraints: tuple[str, ...]
    evaluate: Callable[[Design], tuple[float, list[float]]]
    """Design -> objective and one margin per constraint."""
    best: float
    """The largest feasible objective."""
    worst: float
    """What having nothing feasible counts for, in the unit of the objective."""
    participation: int | None = None
    binary: tuple[int, ...] = ()

    def begin(self, corners: bool, n: int, rng: np.random.Generator) -> History:
        """Evaluate a prior set of n designs: `corners` first and then others, or all at random."""
        designs = initial_designs(self.space, n, rng) if corners else self.space.sample(rng, n)
        history = History.empty(self.space, self.constraints, participation=self.participation, binary=self.binary)
        for row in designs:
            history = self.add(history, self.space.as_design(row))
        return history

    def add(self, history: History, design: Design) -> History:
        """Return the history with the design evaluated."""
        objective, margins = self.evaluate(design)
        return history.add(design, objective, margins)

    def regrets(self, history: History) -> Floats:
        """What the best feasible result so far lacks of the best there is, (n,), after each result."""
        found = np.where(history.feasible(), history.objective, -np.inf)
        so_far = np.maximum.accumulate(found)
        return self.best - np.where(np.isfinite(so_far), so_far, self.worst)
