"""The designs with which a search begins, before any surrogate can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from contract_wrapper.errors import ContractsError

if TYPE_CHECKING:
    from contract_wrapper.space import DesignSpace

Floats = npt.NDArray[np.float64]


def initial_designs(space: DesignSpace, n: int, rng: np.random.Generator) -> Floats:
    """Corners first, then distinct random designs: (n, d).

    Two dimensions give the four corners and n - 4 others (the prior set of the contract paper is 4
    corners and 3 others). Where there are more corners than `n`, the first `n` in the order of
    `DesignSpace.corners` are taken. A finite space with fewer than `n` designs is an error.
    """
    if n < 1:
        raise ContractsError(f"initial_designs needs n >= 1, but came {n}")
    grid = space.grid()
    if grid is not None and len(grid) < n:
        raise ContractsError(f"{n} initial designs are wanted, but the space has {len(grid)}: ask for fewer")
    chosen = space.corners(limit=n)
    if grid is not None:
        taken = set(space.keys(chosen))
        rest = grid[[key not in taken for key in space.keys(grid)]]
        others = rest[rng.permutation(len(rest))[: n - len(chosen)]]
        return np.vstack([chosen, others])
    while len(chosen) < n:  # a space too large to enumerate: a repeat is rare, and drawn again
        chosen = np.vstack([chosen, space.sample(rng, n - len(chosen))])
        _, first = np.unique(space.keys(chosen), return_index=True)
        chosen = chosen[np.sort(first)]
    return chosen
