"""Where a search of many dimensions looks: a box around the best design, the smaller the more is known in it.

With few results in a space of three dimensions or more, nearly all of it is far from all of them. There surrogates
extrapolate, and what they promise most is in corners that are then refused, one after the other. So a step looks in a
box around the best design that holds all constraints, or misses the least (trust region; for constrained problems Eriksson & Poloczek 2021,
arXiv 2002.08526). Theirs grows and shrinks with successes and failures, in the order of time; here the box is a function
of the results as a set: its side is halved until no more than `MOST_INSIDE` designs are in it. Where the best design
moves to a place of which little is known, the box is large again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.space import DesignSpace

Floats = npt.NDArray[np.float64]

LEAST_DIMENSIONS = 3
"""Choices without order and fixed numbers not counted. In a space of fewer, a few results tell of all of it, and boxes find one of several optima less often."""

MOST_INSIDE = 3
"""Designs that a box holds at most, its centre among them, unless it is the smallest."""

LARGEST_SIDE, SMALLEST_SIDE = 0.8, 0.8 * 0.5**10
"""In widths of the space."""

WORTHWHILE = 1e-4
"""Expected improvement for which the box alone is searched, in standard deviations of the objective, or probability of
feasibility while nothing is feasible; for less, every second trial looks everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Box:
    """Part of the unit cube of a space."""

    low: Floats
    """(d,), from 0 to 1."""
    high: Floats
    """(d,), from 0 to 1, not below `low`."""

    @classmethod
    def whole(cls, d: int) -> Self:
        """Return the cube itself."""
        return cls(low=np.zeros(d), high=np.ones(d))

    @classmethod
    def around(cls, space: DesignSpace, centre: Floats, known: Floats) -> Self:
        """Return the box around a point of the unit cube (d,), given known ones (n, d); equal ones count once.

        It has all choices of a dimension without order, as none of them is nearer than another.
        """
        centre = np.clip(centre, 0.0, 1.0)
        ordered = np.ones(len(space), dtype=bool)
        ordered[list(space.categorical)] = False
        reach = np.abs(np.unique(known, axis=0) - centre)[:, ordered].max(axis=1, initial=0.0)
        side = LARGEST_SIDE
        while side > SMALLEST_SIDE and (reach <= side / 2).sum() > MOST_INSIDE:
            side /= 2
        low = np.where(ordered, np.maximum(centre - side / 2, 0.0), 0.0)
        high = np.where(ordered, np.minimum(centre + side / 2, 1.0), 1.0)
        return cls(low=low, high=high)

    @property
    def width(self) -> Floats:
        """Sides, (d,)."""
        return self.high - self.low

    def holds(self, unit: Floats) -> npt.NDArray[np.bool_]:
        """Tell which points (n, d) are inside, (n,)."""
        return np.asarray(((unit >= self.low) & (unit <= self.high)).all(axis=1))

    def clip(self, unit: Floats) -> Floats:
        """Return the nearest points inside, (n, d)."""
        return np.clip(unit, self.low, self.high)

    def stretch(self, unit: Floats) -> Floats:
        """Return where points of the unit cube (n, d) lie if the cube is shrunk to the box, (n, d)."""
        return self.low + unit * self.width


def has_room(space: DesignSpace) -> bool:
    """Tell whether boxes are of use in a space: it is no grid, and so many of its dimensions have an order, and are not fixed."""
    free = sum(count != 1 and i not in space.categorical for i, count in enumerate(space.counts))
    return free >= LEAST_DIMENSIONS and space.grid() is None
