"""Test problems of the literature, with optima found again by dense search and local refinement.

Sources: Gardner et al. 2014; Gramacy et al. 2016; Townsend 2014 (modified); Gomez & Levy 1982; Floudas
& Pardalos 1990 (G24); Floudas 1995 (MI-2, one integer). Published as min f with c <= 0
feasible; here the signs are turned. Nothing is tuned on any of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from contract_wrapper.bo.dimensions import Integer, Real
from contract_wrapper.bo.space import Design, DesignSpace
from optimiser_bench.problem import Problem

Function = Callable[[Any, Any], Any]
"""(x, y), numbers or arrays -> of the same shape."""


@dataclass(frozen=True)
class PublicProblem:
    """min f subject to every c <= 0, as published."""

    f: Function
    constraints: tuple[Function, ...]
    x: tuple[float, float]
    """Bounds of the first variable."""
    y: tuple[float, float]
    """Bounds of the second variable."""
    optimum: float
    integer: bool = False
    """Whether the second variable is an integer."""

    def space(self) -> DesignSpace:
        """Return the space of designs."""
        low, high = self.y
        second = (
            Integer(name="y", low=round(low), high=round(high)) if self.integer else Real(name="y", low=low, high=high)
        )
        return DesignSpace(dimensions=(Real(name="x", low=self.x[0], high=self.x[1]), second))

    def problem(self, name: str) -> Problem:
        """Return it as optimisers see it; nothing feasible counts as the worst feasible value."""

        def evaluate(design: Design) -> tuple[float, list[float]]:
            return -float(self.f(*design)), [-float(c(*design)) for c in self.constraints]

        ys = np.arange(self.y[0], self.y[1] + 1) if self.integer else np.linspace(*self.y, 401)
        x, y = np.meshgrid(np.linspace(*self.x, 401), ys)
        holds = np.all([c(x, y) <= 0 for c in self.constraints], axis=0)
        return Problem(
            name=name,
            space=self.space(),
            constraints=tuple(f"c{k}" for k in range(len(self.constraints))),
            evaluate=evaluate,
            best=-self.optimum,
            worst=-float(self.f(x, y)[holds].max()),
        )


def _townsend(x: Any, y: Any) -> Any:
    t = np.arctan2(x, y)
    radius = 2 * np.cos(t) - 0.5 * np.cos(2 * t) - 0.25 * np.cos(3 * t) - 0.125 * np.cos(4 * t)
    return x**2 + y**2 - radius**2 - (2 * np.sin(t)) ** 2


PROBLEMS = {
    "gardner-1": PublicProblem(
        f=lambda x, y: np.cos(2 * x) * np.cos(y) + np.sin(x),
        constraints=(lambda x, y: np.cos(x + y) + 0.5,),
        x=(0.0, 6.0), y=(0.0, 6.0), optimum=-1.8887514,
    ),
    "gramacy": PublicProblem(
        f=lambda x, y: x + y,
        constraints=(
            lambda x, y: 1.5 - x - 2 * y - 0.5 * np.sin(2 * math.pi * (x**2 - 2 * y)),
            lambda x, y: x**2 + y**2 - 1.5,
        ),
        x=(0.0, 1.0), y=(0.0, 1.0), optimum=0.5997880,
    ),
    "townsend": PublicProblem(
        f=lambda x, y: -(np.cos((x - 0.1) * y) ** 2) - x * np.sin(3 * x + y),
        constraints=(_townsend,),
        x=(-2.25, 2.25), y=(-2.5, 1.75), optimum=-2.0239884,
    ),
    "gomez-3": PublicProblem(
        f=lambda x, y: (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (-4 + 4 * y**2) * y**2,
        constraints=(lambda x, y: -np.sin(4 * math.pi * x) + 2 * np.sin(2 * math.pi * y) ** 2,),
        x=(-1.0, 1.0), y=(-1.0, 1.0), optimum=-0.9711041,
    ),
    "g24": PublicProblem(
        f=lambda x, y: -x - y,
        constraints=(
            lambda x, y: -2 * x**4 + 8 * x**3 - 8 * x**2 + y - 2,
            lambda x, y: -4 * x**4 + 32 * x**3 - 88 * x**2 + 96 * x + y - 36,
        ),
        x=(0.0, 3.0), y=(0.0, 4.0), optimum=-5.5080133,
    ),
    "floudas-mi2": PublicProblem(
        f=lambda x, y: -y + 2 * x - np.log(x / 2),
        constraints=(lambda x, y: -x - np.log(x / 2) + y,),
        x=(0.5, 1.4), y=(0.0, 1.0), optimum=2.1244676, integer=True,
    ),
}  # fmt: skip
"""Name -> problem."""
