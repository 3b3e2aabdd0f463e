"""Where a function of a design is largest: all of a grid, else a spread-out search that closes in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from contract_wrapper.designs import reference_designs
from contract_wrapper.space import DesignSpace

Floats = npt.NDArray[np.float64]

_ROUNDS = 20  # of steps that halve: the last ones are 5e-7 of the space's width
_LEADERS = 8
_AROUND = 32  # new designs around each leader and round


def maximise(space: DesignSpace, worth: Callable[[Floats], Floats], known: Floats, rng: np.random.Generator) -> Floats:
    """Return designs (q, d) among which the best ones of the space are: a grid as a whole.

    Otherwise 1024 spread-out designs and the known ones (n, d), then rounds of normal steps around
    the 8 best so far, with steps half as long in each round. `worth`: (q, d) -> (q,).
    """
    grid = space.grid()
    if grid is not None:
        return grid
    designs = reference_designs(space, known, rng)
    values = worth(designs)
    for size in 0.25 * 0.5 ** np.arange(_ROUNDS):
        leaders = designs[np.argsort(-values, kind="stable")[:_LEADERS]]
        unit = np.repeat(space.to_unit(leaders), _AROUND, axis=0)
        near = space.from_unit(unit + size * rng.standard_normal(unit.shape))
        designs, values = np.vstack([designs, near]), np.append(values, worth(near))
    return designs
