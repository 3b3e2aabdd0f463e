"""Designs chosen by where they lie alone: initial and space-filling designs, and samples that stand for a space."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from contract_wrapper.errors import ContractsError

if TYPE_CHECKING:
    from contract_wrapper.bo.space import Design, DesignSpace

Floats = npt.NDArray[np.float64]

_REFERENCE_SIZE = 1024  # Sobol wants a power of 2


def initial_designs(space: DesignSpace, n: int, rng: np.random.Generator) -> Floats:
    """Corners first, then distinct random designs: (n, d).

    Two dimensions give the four corners and n - 4 others (the prior set of the contract paper is 4
    corners and 3 others). Where there are more corners than `n`, the first `n` in the order of
    `DesignSpace.corners` are taken. A finite space with fewer than `n` designs is an error.
    """
    if n < 1:
        raise ContractsError(f"initial_designs needs n >= 1, but got {n}")
    grid = space.grid()
    if grid is not None and len(grid) < n:
        raise ContractsError(f"{n} initial designs are wanted, but the space has {len(grid)}: ask for fewer")
    chosen = space.corners(limit=n)
    if grid is not None:
        rest = without(space, grid, chosen)
        others = rest[rng.permutation(len(rest))[: n - len(chosen)]]
        return np.vstack([chosen, others])
    while len(chosen) < n:  # a space too large to enumerate: a repeat is rare, and drawn again
        chosen = np.vstack([chosen, space.sample(rng, n - len(chosen))])
        _, first = np.unique(space.keys(chosen), return_index=True)
        chosen = chosen[np.sort(first)]
    return chosen


def reference_designs(
    space: DesignSpace, evaluated: Floats, rng: np.random.Generator | None, size: int = _REFERENCE_SIZE
) -> Floats:
    """Return designs that stand for the space: all of a small grid, else a spread-out part and the evaluated ones.

    Evaluated designs (n, d) outside the space are left out. Without `rng` the part is always the same;
    its size is a power of 2.
    """
    grid = space.grid()
    if grid is not None and len(grid) <= _REFERENCE_SIZE:
        return grid
    from scipy.stats.qmc import Sobol

    points = Sobol(len(space), scramble=False).random(size)
    if rng is not None:  # a random shift keeps the spread and moves the points from step to step
        points = (points + rng.random(len(space))) % 1.0
    inside = [row for row in evaluated if space.contains(row)]
    return np.unique(np.vstack([space.from_unit(points), *inside]), axis=0)


def farthest(space: DesignSpace, taken: Floats) -> tuple[Design, float] | None:
    """Return the design farthest from all `taken` (n, d), and how far in the unit cube; None if none is left.

    Without any taken design it is the one nearest the middle, infinitely far from them.
    """
    grid = space.grid()
    pool = reference_designs(space, taken[:0], None) if grid is None else grid
    candidates = without(space, pool, taken)
    if not len(candidates):
        return None
    unit = space.to_unit(candidates)
    if len(taken):
        gaps = unit[:, None, :] - space.to_unit(taken)[None]
        distance = np.sqrt((gaps**2).sum(axis=2)).min(axis=1)
    else:
        distance = -np.sqrt(((unit - 0.5) ** 2).sum(axis=1))
    i = int(np.argmax(np.round(distance, 9)))  # rounded: equal distances must tie on every machine
    return space.as_design(candidates[i]), float(distance[i]) if len(taken) else math.inf


def without(space: DesignSpace, designs: Floats, taken: Floats) -> Floats:
    """Return those of `designs` (n, d) that are not among `taken` (k, d)."""
    keys = set(space.keys(taken))
    return designs[[key not in keys for key in space.keys(designs)]] if len(designs) else designs
