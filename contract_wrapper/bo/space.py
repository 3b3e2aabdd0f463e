"""The designs among which the optimiser chooses: named dimensions, a grid where they are finite, and the unit cube.

The optimiser sees designs as rows of floats, in the order of the dimensions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.dimensions import Categorical, Dimension, Integer, Real
from contract_wrapper.bo.numbers_in import as_numbers, check_count
from contract_wrapper.errors import ContractsError, shown

Floats = npt.NDArray[np.float64]
Design = tuple[float | int, ...]

GRID_LIMIT = 10_000
"""Largest number of designs that is enumerated; beyond it a space is searched as if continuous."""

MOST_DIMENSIONS = 50
"""Largest number of dimensions."""

MOST_DESIGNS = 1_000_000
"""Largest number of designs that one call makes: a grid, corners, a sample."""

_SAME = 1e-9  # distance below which a number is a value of the grid


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignSpace:
    """Named dimensions, each real, real on a grid, integer, a choice without order, or fixed to one number.

    >>> space = DesignSpace(
    ...     dimensions=(Real(name="tax", low=0.0, high=1.0, step=0.25), Integer(name="cleaners", low=1, high=5))
    ... )
    >>> space.grid().shape
    (25, 2)
    >>> space.as_design([0.5, 3.0])
    (0.5, 3)
    """

    dimensions: Sequence[Dimension]
    """From 1 to 50, each with another name; kept as a tuple. For those of scikit-optimize see `from_skopt`."""

    _ends: tuple[tuple[float, float], ...] = field(init=False, repr=False, compare=False)
    """Least and largest value of each dimension."""

    _origin: Floats = field(init=False, repr=False, compare=False)
    """The least values on the scale of the search, logarithmic or not, (d,)."""

    _width: Floats = field(init=False, repr=False, compare=False)
    """Distance to the largest values on that scale, (d,); 0 for a fixed number."""

    def __post_init__(self) -> None:
        try:
            dimensions = tuple(itertools.islice(self.dimensions, MOST_DIMENSIONS + 1))
        except TypeError:
            raise ContractsError(
                f"a design space needs a sequence of dimensions, but got {shown(self.dimensions)}: put them into "
                "a tuple"
            ) from None
        if len(dimensions) > MOST_DIMENSIONS:
            raise ContractsError(
                f"a design space has at most {MOST_DIMENSIONS} dimensions, as a Gaussian process says little of more, "
                "but got a longer sequence: fix those that matter least, outside the space"
            )
        if not dimensions:
            raise ContractsError("a design space has no dimensions: give it at least one Real, Integer or Categorical")
        for dimension in dimensions:
            if not isinstance(dimension, Dimension):
                raise ContractsError(
                    f"a design space is made of contract_wrapper's Real, Integer and Categorical, but got {shown(dimension)}: "
                    "turn dimensions of scikit-optimize with contract_wrapper.from_skopt(dimensions)"
                )
        names = tuple(dimension.name for dimension in dimensions)
        if len(set(names)) != len(names):
            raise ContractsError(f"the dimensions of a space need different names, but got {names}: rename one")
        ends = tuple(_ends_of(dimension) for dimension in dimensions)
        scaled = np.array([_scaled(dim, pair) for dim, pair in zip(dimensions, ends, strict=True)])
        put = object.__setattr__  # the instance is frozen for everyone else
        put(self, "dimensions", dimensions)
        put(self, "_ends", ends)
        put(self, "_origin", scaled[:, 0])
        put(self, "_width", scaled[:, 1] - scaled[:, 0])

    def __len__(self) -> int:
        """Return the number of dimensions."""
        return len(self.dimensions)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the dimensions, in order."""
        return tuple(dimension.name for dimension in self.dimensions)

    @property
    def counts(self) -> tuple[int | None, ...]:
        """Number of values per dimension; None for a continuous one."""
        return tuple(dimension.count for dimension in self.dimensions)

    @property
    def categorical(self) -> tuple[int, ...]:
        """Places of the dimensions whose values have no order."""
        return tuple(i for i, dimension in enumerate(self.dimensions) if isinstance(dimension, Categorical))

    def grid(self, limit: int = GRID_LIMIT) -> Floats | None:
        """All designs, shape (D, d), last dimension fastest; None if there are more than `limit`, up to 1,000,000."""
        check_count(limit, "limit of a grid", 0, MOST_DESIGNS)
        counts = [count for count in self.counts if count is not None]
        if len(counts) < len(self) or math.prod(counts) > limit:
            return None
        values = [dim.values(np.arange(n, dtype=float)) for dim, n in zip(self.dimensions, counts, strict=True)]
        return np.stack([a.ravel() for a in np.meshgrid(*values, indexing="ij")], axis=1)

    def to_unit(self, designs: npt.ArrayLike) -> Floats:
        """Designs (n, d) -> the same shape with the bounds at 0 and 1; each of k choices is the middle of a k-th.

        A design outside the bounds extrapolates: it may be evaluated (the status quo with no cleaner),
        but is no candidate.
        """
        rows = self._rows(designs)
        columns = []
        for dimension, x, origin, width in zip(self.dimensions, rows.T, self._origin, self._width, strict=True):
            if dimension.log and (x <= 0).any():
                raise ContractsError(
                    f"{dimension.name} is on a logarithmic scale, but a design has {x.min():g} there: "
                    "give a value above 0"
                )
            scaled = np.log(x) if dimension.log else x
            columns.append((scaled - origin) / (width or 1.0))
        return np.stack(columns, axis=1)

    def from_unit(self, unit: npt.ArrayLike) -> Floats:
        """Points of the unit cube (n, d) -> the nearest designs; what lies outside is clipped first."""
        rows = np.clip(self._rows(unit), 0.0, 1.0)
        columns = []
        for i, (dimension, u) in enumerate(zip(self.dimensions, rows.T, strict=True)):
            scaled, count = self._origin[i] + u * self._width[i], dimension.count
            if dimension.log:  # exp(log(bound)) may miss the bound by one bit
                x = np.clip(np.exp(scaled), *self._ends[i])
                columns.append(np.rint(x) if isinstance(dimension, Integer) else x)
            elif isinstance(dimension, Categorical):
                columns.append(np.minimum(np.floor(u * dimension.count), dimension.count - 1))
            elif count is not None:
                columns.append(dimension.values(np.rint(u * (count - 1))))
            else:
                columns.append(np.clip(scaled, *self._ends[i]))
        return np.stack(columns, axis=1)

    def contains(self, design: Sequence[float] | Floats) -> bool:
        """Tell whether the design is within the bounds and, where there is a grid, on it."""
        (row,) = self._rows([design])
        for dimension, (low, high), x in zip(self.dimensions, self._ends, row, strict=True):
            if dimension.count is None:
                inside = low <= x <= high
            else:
                index = np.clip(np.rint(dimension.index(np.array([x]))), 0, dimension.count - 1)
                inside = bool(abs(dimension.values(index)[0] - x) <= _SAME)
            if not inside:
                return False
        return True

    def check_bounds(self, design: Sequence[float] | Floats, *, steps: bool = False) -> None:
        """Refuse a design outside the bounds, or with a fraction where the space has integers or choices.

        One between the steps of a grid is taken, unless `steps`: its result is as good as any to learn from.

        Raises:
            ContractsError: naming the dimension and its range; or the design is none, as in `as_design`.
        """
        if steps and self.contains(design):
            return
        (row,) = self._rows([design])
        for dimension, (low, high), x in zip(self.dimensions, self._ends, row, strict=True):
            whole = isinstance(dimension, (Integer, Categorical))
            slack = _SAME * max(1.0, abs(low), abs(high))
            if not low - slack <= x <= high + slack or (whole and abs(x - round(x)) > _SAME):
                raise ContractsError(
                    f"{dimension.name} must be {'an integer' if whole else 'a number'} from {low:g} to {high:g}, but "
                    f"the design {shown(design)} has {x:g}: this space has no such design; change it, or widen the space"
                )
        if steps:
            raise ContractsError(
                f"the design {shown(design)} lies between the steps of {', '.join(self.names)}: round it to the steps, or "
                "make them finer"
            )

    def sample(self, rng: np.random.Generator, n: int) -> Floats:
        """Draw `n` designs (n, d), uniform in every dimension and independent, at most 1,000,000; they may repeat."""
        n = check_count(n, "number of designs of a sample", 0, MOST_DESIGNS)
        u = rng.random((n, len(self)))
        for i, dimension in enumerate(self.dimensions):
            if isinstance(dimension, Categorical):
                continue
            if dimension.count is not None and not dimension.log:  # all values get the same share, the outer ones too
                u[:, i] = np.floor(u[:, i] * dimension.count) / max(dimension.count - 1, 1)
        return self.from_unit(u)

    def corners(self, limit: int = 1024) -> Floats:
        """Return the designs with every dimension at a bound or any choice, (at most `limit`, d); low before high."""
        check_count(limit, "limit of corners", 1, MOST_DESIGNS)
        ends = [
            sorted(range(dimension.count) if isinstance(dimension, Categorical) else set(pair))
            for dimension, pair in zip(self.dimensions, self._ends, strict=True)
        ]
        return np.array(list(itertools.islice(itertools.product(*ends), limit)), dtype=float)

    def as_design(self, row: Sequence[float] | Floats) -> Design:
        """One row of floats -> a tuple of Python numbers; integer dimensions and places of choices as int."""
        (x,) = self._rows([row])
        pairs = zip(self.dimensions, x, strict=True)
        return tuple(round(v) if isinstance(dim, (Integer, Categorical)) else float(v) for dim, v in pairs)

    def named(self, design: Sequence[float] | Floats) -> dict[str, Any]:
        """Return a design by name, with the choices themselves in place of their places.

        Raises:
            ContractsError: it is no design, as in `check_bounds`.
        """
        self.check_bounds(design)
        values = zip(self.dimensions, self.as_design(design), strict=True)
        return {d.name: d.choices[int(v)] if isinstance(d, Categorical) else v for d, v in values}

    def design_of(self, values: Mapping[str, Any]) -> Design:
        """Return the design of values by name, as `named` gives them.

        Raises:
            ContractsError: a name is missing or unknown, a choice none of the choices, a number outside its bounds.
        """
        if not isinstance(values, Mapping) or set(values) != set(self.names):
            raise ContractsError(f"a design needs a value for each of {self.names}, but got {shown(values)}")
        row = [d.place(values[d.name]) if isinstance(d, Categorical) else values[d.name] for d in self.dimensions]
        self.check_bounds(row)
        return self.as_design(row)

    def keys(self, designs: npt.ArrayLike) -> list[bytes]:
        """One hashable key per design (n, d), equal for designs that differ only by rounding."""
        unit = np.round(self.to_unit(designs), 9) + 0.0  # + 0.0 turns -0.0 into 0.0
        return [row.tobytes() for row in unit]

    def _rows(self, designs: npt.ArrayLike | Sequence[Sequence[float] | Floats]) -> Floats:
        return as_numbers(designs, f"designs of {self.names}", ("n", len(self)))


def contract_space(max_cleaners: int = 5, step: float = 0.01, *, min_cleaners: int = 1) -> DesignSpace:
    """Tax 0..1 in steps of `step` x integer numbers of cleaners: 505 designs by default."""
    for name, number in (("min_cleaners", min_cleaners), ("max_cleaners", max_cleaners)):
        check_count(number, name, -(2**53), 2**53)
    if not 0 <= min_cleaners <= max_cleaners:
        raise ContractsError(
            "a contract space needs 0 <= min_cleaners <= max_cleaners, but got "
            f"min_cleaners={min_cleaners} and max_cleaners={max_cleaners}: change one of them"
        )
    return DesignSpace(
        dimensions=(
            Real(name="tax", low=0.0, high=1.0, step=step),
            Integer(name="n_cleaners", low=min_cleaners, high=max_cleaners),
        )
    )


def _scaled(dimension: Dimension, ends: tuple[float, float]) -> tuple[float, float] | Floats:
    """Return the two ends on the scale of the search; a choice is the middle of a cell that is 1 wide."""
    if isinstance(dimension, Categorical):
        return ends[0] - 0.5, ends[1] + 0.5
    return np.asarray(np.log(ends)) if dimension.log else ends


def _ends_of(dimension: Dimension) -> tuple[float, float]:
    """Return the least and the largest value, as they stand in designs."""
    if dimension.count is None:
        return dimension.low, dimension.high
    first, last = dimension.values(np.array([0.0, dimension.count - 1.0]))
    return float(first), float(last)
