"""Where a function of a design is largest: all of a grid, else a spread-out search that closes in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.candidates.pareto import pareto_mask
from contract_wrapper.bo.candidates.sampling import reference_designs
from contract_wrapper.bo.candidates.trust_region import Box
from contract_wrapper.bo.space import DesignSpace

Floats = npt.NDArray[np.float64]

_ROUNDS = 20  # of steps that halve: the last ones are 5e-7 of the space's width
_LEADERS = 8
_AROUND = 32  # new designs around each leader and round
_SPREAD_OUT = 512  # designs over the whole space on which paths are drawn, a power of 2
_SWITCHED = 0.2  # share of steps that take another choice of a dimension without order
_MOST_ON_FRONT = 256  # that a refinement keeps, those with the best score


def maximise(
    space: DesignSpace,
    score: Callable[[Floats], Floats],
    evaluated: Floats,
    rng: np.random.Generator,
    within: Box | None = None,
) -> Floats:
    """Return designs (q, d) among which the best ones of the space are: a grid as a whole.

    Otherwise 1024 spread-out designs and the evaluated ones (n, d), then rounds of normal steps around
    the 8 best so far, with steps half as long in each round. `score`: (q, d) -> (q,). `within`: the part of a space
    that is no grid where all of that happens.
    """
    grid = space.grid()
    if grid is not None:
        return grid
    start = reference_designs(space, evaluated, rng, within=within)
    *_, (designs, _) = _closing_in(space, score, start, rng, within)
    return designs


def dense_near_best(
    space: DesignSpace, score: Callable[[Floats], Floats], evaluated: Floats, rng: np.random.Generator
) -> Floats:
    """Return designs (q, d) that stand for the space, the denser the nearer to where `score` is largest.

    All of a small grid; otherwise 512 spread-out designs, the evaluated ones (n, d), and the 8 best after each round
    of the search of `maximise`. The best value of a path is to be found among them: were they spread out only,
    it would lie below what is already measured as soon as a search closes in.
    """
    designs = reference_designs(space, evaluated, rng, _SPREAD_OUT)
    grid = space.grid()
    if grid is not None and len(grid) <= len(designs):
        return designs
    leaders = [_leaders(*found) for found in _closing_in(space, score, designs, rng)]
    return np.unique(np.vstack([designs, *leaders]), axis=0)


def _closing_in(
    space: DesignSpace,
    score: Callable[[Floats], Floats],
    designs: Floats,
    rng: np.random.Generator,
    within: Box | None = None,
) -> Iterator[tuple[Floats, Floats]]:
    """Yield after each round all designs so far (q, d) and their scores (q,)."""
    values = score(designs)
    for size in step_sizes(_ROUNDS):
        near = _new(space, around(space, designs, values, size, rng, within), designs)
        if len(near):
            designs, values = np.vstack([designs, near]), np.append(values, score(near))
        yield designs, values


def _leaders(designs: Floats, values: Floats) -> Floats:
    return designs[np.argsort(-values, kind="stable")[:_LEADERS]]


def step_sizes(rounds: int) -> list[float]:
    """Return standard deviations of steps, in widths of the space: each round's is half that of the one before."""
    return [0.25 * 0.5**k for k in range(rounds)]


def around(
    space: DesignSpace,
    designs: Floats,
    values: Floats,
    size: float,
    rng: np.random.Generator,
    within: Box | None = None,
) -> Floats:
    """Draw new designs a normal step away from those of the designs (q, d) with the highest values (q,).

    Steps are measured in widths of the space, or of the part `within` which they stay. Where a dimension has no order there are no small steps: a fifth of the new designs take any choice, whatever the size.
    """
    unit = np.repeat(space.to_unit(_leaders(designs, values)), _AROUND, axis=0)
    steps = size * rng.standard_normal(unit.shape)
    moved = unit + steps if within is None else within.clip(unit + steps * within.width)
    for i in space.categorical:
        moved[:, i] = np.where(rng.random(len(unit)) < _SWITCHED, rng.random(len(unit)), unit[:, i])
    return space.from_unit(moved)


def _new(space: DesignSpace, near: Floats, designs: Floats) -> Floats:
    """Return those of near (k, d) that are not among designs (q, d), each once, where choices make repeats likely."""
    if not space.categorical:
        return near
    _, first = np.unique(np.vstack([designs, near]), axis=0, return_index=True)
    return near[np.sort(first[first >= len(designs)]) - len(designs)]


def refine_front(
    space: DesignSpace,
    designs: Floats,
    objectives: Callable[[Floats], Floats],
    score: Callable[[Floats], Floats],
    rounds: int,
    rng: np.random.Generator,
) -> Floats:
    """Return the non-dominated ones of designs (q, d) and of others found near those with the best score.

    Objectives: (q, d) -> (q, k), all maximised; score: (q, d) -> (q,). A front found by spreading out is
    coarse where it matters: this is what closes in on a single design.
    """
    values = objectives(designs)
    designs, values = _on_front(designs, values)
    scores = score(designs)
    for size in step_sizes(rounds):
        near = _new(space, around(space, designs, scores, size, rng), designs)
        if not len(near):
            continue
        designs, values = _on_front(np.vstack([designs, near]), np.vstack([values, objectives(near)]))
        scores = score(designs)
        kept = np.sort(np.argsort(-scores, kind="stable")[:_MOST_ON_FRONT])
        designs, values, scores = designs[kept], values[kept], scores[kept]
    return designs


def _on_front(designs: Floats, values: Floats) -> tuple[Floats, Floats]:
    mask = pareto_mask(values)
    return designs[mask], values[mask]
