"""Designs chosen by where they lie alone: initial and space-filling designs, and samples that stand for a space."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.candidates.trust_region import Box
from contract_wrapper.bo.gp.covariance import squared_distances
from contract_wrapper.bo.numbers_in import check_count
from contract_wrapper.errors import ContractsError

if TYPE_CHECKING:
    from contract_wrapper.bo.space import Design, DesignSpace

Floats = npt.NDArray[np.float64]

MOST_INITIAL = 10_000
"""Largest number of initial designs."""

_REFERENCE_SIZE = 1024  # Sobol wants a power of 2
_LARGEST_POOL = 16_384  # a power of 2 as well
_MOST_DISTANCES = 2000
_ROUNDS = 50  # of drawing again what repeats


def initial_designs(space: DesignSpace, n: int, rng: np.random.Generator) -> Floats:
    """Corners first, then distinct random designs: (n, d); with categories, random designs that are far apart.

    Two dimensions give the four corners and n - 4 others (the prior set of the contract paper is 4
    corners and 3 others). Where there are more corners than `n`, the first `n` in the order of
    `DesignSpace.corners` are taken. In a space with a `Categorical` there may be many more corners than `n`: there each
    design is, of a random part of the space, the farthest from those before it, so that all choices and bounds come early.

    Raises:
        ContractsError: `n` is not from 1 to `MOST_INITIAL` (10,000), or the space has fewer designs.
    """
    n = check_count(n, "number of initial designs", 1, MOST_INITIAL)
    grid = space.grid(limit=max(MOST_INITIAL, 2 * n))  # drawn at random where more than half of the designs stay free
    if grid is not None and len(grid) < n:
        raise ContractsError(f"{n} initial designs are wanted, but the space has {len(grid)}: ask for fewer")
    if space.categorical:
        return _far_apart(space, grid, n, rng)
    chosen = space.corners(limit=n)
    if grid is not None:
        rest = without(space, grid, chosen)
        others = rest[rng.permutation(len(rest))[: n - len(chosen)]]
        return np.vstack([chosen, others])
    for _ in range(_ROUNDS):  # a space too large to enumerate: a repeat is rare, and drawn again
        if len(chosen) >= n:
            return chosen
        chosen = np.vstack([chosen, space.sample(rng, n - len(chosen))])
        _, first = np.unique(space.keys(chosen), return_index=True)
        chosen = chosen[np.sort(first)]
    raise _too_few(space, n, len(chosen), _ROUNDS)


def _too_few(space: DesignSpace, n: int, got: int, rounds: int) -> ContractsError:
    return ContractsError(
        f"{n} initial designs are wanted, but the space {space.names} gave only {got} that differ in {rounds} "
        "draws: ask for fewer, or widen the space"
    )


def _far_apart(space: DesignSpace, grid: Floats | None, n: int, rng: np.random.Generator) -> Floats:
    """Return n designs (n, d), the first at random, each of the others the farthest from all before it."""
    if grid is not None:
        pool = grid[rng.permutation(len(grid))]
    else:
        inside = space.sample(rng, max(_REFERENCE_SIZE, 4 * n))
        corners = space.from_unit(rng.integers(2, size=inside.shape))
        corners[:, list(space.categorical)] = inside[:, list(space.categorical)]
        drawn = np.vstack([corners, inside])
        _, first = np.unique(space.keys(drawn), return_index=True)
        pool = drawn[rng.permutation(first)]
        if len(pool) < n:
            raise _too_few(space, n, len(pool), 1)
    unit = space.to_unit(pool)
    chosen = [0]
    distance = _distances(space, unit, unit[0])
    while len(chosen) < n:
        distance[chosen[-1]] = -1.0
        chosen.append(int(np.argmax(np.round(distance, 9))))
        distance = np.minimum(distance, _distances(space, unit, unit[chosen[-1]]))
    return pool[chosen]


def reference_designs(
    space: DesignSpace,
    evaluated: Floats,
    rng: np.random.Generator | None,
    size: int = _REFERENCE_SIZE,
    within: Box | None = None,
) -> Floats:
    """Return designs that stand for the space: all of a small grid, else a spread-out part and the evaluated ones.

    Evaluated designs (n, d) outside the space are left out. Without `rng` the part is always the same;
    its size is a power of 2. `within`: a box of the unit cube, of which alone they then are.
    """
    grid = space.grid()
    if grid is not None and len(grid) <= _REFERENCE_SIZE:
        return grid
    from scipy.stats.qmc import Sobol

    points = Sobol(len(space), scramble=False).random(size)
    if rng is not None:  # a random shift keeps the spread and moves the points from step to step
        points = (points + rng.random(len(space))) % 1.0
    inside = [row for row in evaluated if space.contains(row)]
    if within is not None:
        points = within.stretch(points)
        inside = [row for row in inside if within.holds(space.to_unit([row]))[0]]
    return np.unique(np.vstack([space.from_unit(points), *inside]), axis=0)


def farthest(space: DesignSpace, taken: Floats) -> Iterator[tuple[Design, float]]:
    """Yield designs, each farthest from all `taken` (n, d) and those before it, and how far in the unit cube.

    Without any taken design the first is the one nearest the middle, infinitely far from them. A space that is not
    enumerated is represented by a power of 2 of spread-out designs, 1024 to 16,384 and, below that, more than are
    taken. Distances are those from the last 2000 taken designs; none of the others is yielded either.
    """
    grid = space.grid()
    if grid is None:
        size = min(max(_REFERENCE_SIZE, 2 ** (2 * len(taken)).bit_length()), _LARGEST_POOL)
        grid = reference_designs(space, taken[:0], None, size)
    candidates = without(space, grid, taken)
    unit, distance = space.to_unit(candidates), np.full(len(candidates), math.inf)
    for point in space.to_unit(taken[-_MOST_DISTANCES:]):
        distance = np.minimum(distance, _distances(space, unit, point))
    if len(candidates) and not len(taken):
        middle = np.full(len(space), 0.5)
        middle[list(space.categorical)] = -1.0  # choices have none: all are equally far
        i = int(np.argmax(np.round(-_distances(space, unit, middle), 9)))
        yield space.as_design(candidates[i]), math.inf
        distance = _distances(space, unit, unit[i])
        distance[i] = -1.0
    while (distance >= 0).any():
        i = int(np.argmax(np.round(distance, 9)))  # rounded: equal distances must tie on every machine
        yield space.as_design(candidates[i]), float(distance[i])
        distance = np.minimum(distance, _distances(space, unit, unit[i]))
        distance[i] = -1.0


def _distances(space: DesignSpace, unit: Floats, point: Floats) -> Floats:
    """Distances of points (q, d) from one (d,): (q,)."""
    return np.asarray(np.sqrt(squared_distances(unit, point, space.categorical)))


def without(space: DesignSpace, designs: Floats, taken: Floats) -> Floats:
    """Return those of `designs` (n, d) that are not among `taken` (k, d)."""
    keys = set(space.keys(taken))
    return designs[[key not in keys for key in space.keys(designs)]] if len(designs) else designs
