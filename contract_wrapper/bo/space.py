"""The designs among which the optimiser chooses: named dimensions, an optional grid, and the unit cube.

The dimensions are those of scikit-optimize; this is the only module that imports it. Everything
else sees designs as rows of floats, in the order of the dimensions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]
Design = tuple[float | int, ...]

GRID_LIMIT = 10_000
"""Largest number of designs that is enumerated; beyond it a space is searched as if continuous."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignSpace:
    """Named dimensions, each real, real on a grid, integer, or fixed to one number.

    >>> from skopt.space import Integer, Real
    >>> space = DesignSpace(
    ...     dimensions=(Real(0.0, 1.0, name="tax"), Integer(1, 5, name="cleaners")), steps={"tax": 0.25}
    ... )
    >>> space.grid().shape
    (25, 2)
    >>> space.as_design([0.5, 3.0])
    (0.5, 3)
    """

    dimensions: Sequence[Any]
    """`skopt.space.Real` or `Integer` (uniform or log-uniform), or a `Categorical` with a single number."""

    steps: Mapping[str, float] = field(default_factory=dict)
    """Name of a `Real` dimension -> step of its grid, in its own unit; from the lower to the upper bound."""

    names: tuple[str, ...] = field(init=False)
    """Names of the dimensions, in order."""

    _values: tuple[Floats | None, ...] = field(init=False, repr=False, compare=False)
    _log: tuple[bool, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        dimensions = tuple(self.dimensions)
        names = tuple(str(dimension.name) for dimension in dimensions)
        if not dimensions:
            raise ContractsError("a design space has no dimensions: give it at least one")
        if len(set(names)) != len(names) or any(dimension.name is None for dimension in dimensions):
            raise ContractsError(f"every dimension needs a name of its own, but they are called {names}: pass name=...")
        if unknown := sorted(set(self.steps) - set(names)):
            raise ContractsError(f"steps are given for {unknown}, but the dimensions are {names}")
        put = object.__setattr__  # the instance is frozen for everyone else
        put(self, "dimensions", dimensions)
        put(self, "names", names)
        put(self, "_values", tuple(_values_of(dim, self.steps.get(str(dim.name))) for dim in dimensions))
        put(self, "_log", tuple(getattr(dim, "prior", "") == "log-uniform" for dim in dimensions))

    def __len__(self) -> int:
        """Return the number of dimensions."""
        return len(self.names)

    @property
    def counts(self) -> tuple[int | None, ...]:
        """Number of values per dimension; None for a continuous one."""
        return tuple(None if values is None else len(values) for values in self._values)

    def grid(self, limit: int = GRID_LIMIT) -> Floats | None:
        """All designs, shape (D, d), last dimension fastest; None if there are more than `limit`."""
        values = [v for v in self._values if v is not None]
        if len(values) < len(self) or math.prod(len(v) for v in values) > limit:
            return None
        return np.stack([a.ravel() for a in np.meshgrid(*values, indexing="ij")], axis=1)

    def as_skopt(self) -> Any:
        """Return the dimensions as a `skopt.space.Space`, which knows no steps."""
        from skopt.space import Space

        return Space(list(self.dimensions))

    def to_unit(self, designs: npt.ArrayLike) -> Floats:
        """Designs (n, d) -> the same shape with the bounds at 0 and 1.

        A design outside the bounds extrapolates: it may be known (the status quo with no cleaner),
        only it is no candidate.
        """
        x = self._rows(designs)
        low, width = self._scale()
        return np.stack(
            [(self._bend(x[:, i], i) - low[i]) / width[i] if width[i] else x[:, i] - low[i] for i in self._range],
            axis=1,
        )

    def from_unit(self, unit: npt.ArrayLike) -> Floats:
        """Points of the unit cube (n, d) -> the nearest designs; what lies outside is clipped first."""
        u = np.clip(self._rows(unit), 0.0, 1.0)
        low, width = self._scale()
        columns = []
        for i in self._range:
            values, bent = self._values[i], low[i] + u[:, i] * width[i]
            if self._log[i]:  # exp(log(bound)) may miss the bound by one bit
                straight = np.clip(np.exp(bent), *self._bounds(i))
                columns.append(straight if values is None else np.rint(straight))
            elif values is not None:
                columns.append(values[np.rint(u[:, i] * (len(values) - 1)).astype(int)])
            else:
                columns.append(np.clip(bent, *self._bounds(i)))
        return np.stack(columns, axis=1)

    def contains(self, design: Sequence[float] | Floats) -> bool:
        """Tell whether the design is within the bounds and, where there is a grid, on it."""
        (row,) = self._rows(np.asarray(design, dtype=float)[None])
        for i, x in enumerate(row):
            values = self._values[i]
            low, high = self._bounds(i)
            inside = low <= x <= high if values is None else bool(np.isclose(values, x, rtol=0, atol=1e-9).any())
            if not inside:
                return False
        return True

    def sample(self, rng: np.random.Generator, n: int) -> Floats:
        """Draw `n` designs (n, d), uniform in every dimension and independent; repeats may occur."""
        u = rng.random((n, len(self)))
        for i in self._range:
            values = self._values[i]
            if values is not None and not self._log[i]:  # every value gets the same share, the outer ones too
                u[:, i] = np.floor(u[:, i] * len(values)) / max(len(values) - 1, 1)
        return self.from_unit(u)

    def corners(self, limit: int = 1024) -> Floats:
        """Return the designs with every dimension at a bound, (at most `limit`, d); low before high."""
        ends = [sorted(set(self._bounds(i))) for i in self._range]
        return np.array(list(itertools.islice(itertools.product(*ends), limit)), dtype=float)

    def as_design(self, row: Sequence[float] | Floats) -> Design:
        """One row of floats -> a tuple of Python numbers; integer dimensions as int."""
        (x,) = self._rows(np.asarray(row, dtype=float)[None])
        whole = [type(dim).__name__ == "Integer" or _is_whole(dim) for dim in self.dimensions]
        return tuple(round(v) if w else float(v) for v, w in zip(x, whole, strict=True))

    def keys(self, designs: npt.ArrayLike) -> list[bytes]:
        """One hashable key per design (n, d), equal for designs that differ only by rounding."""
        unit = np.round(self.to_unit(designs), 9) + 0.0  # + 0.0 turns -0.0 into 0.0
        return [row.tobytes() for row in unit]

    @property
    def _range(self) -> range:
        return range(len(self.names))

    def _bounds(self, i: int) -> tuple[float, float]:
        values = self._values[i]
        if values is not None:
            return float(values[0]), float(values[-1])
        return float(self.dimensions[i].low), float(self.dimensions[i].high)

    def _bend(self, x: Floats, i: int) -> Floats:
        if not self._log[i]:
            return x
        if (x <= 0).any():
            raise ContractsError(
                f"{self.names[i]} is log-uniform, but a design has {x.min():g} there: give a value above 0"
            )
        return np.log(x)

    def _scale(self) -> tuple[Floats, Floats]:
        ends = np.array([self._bend(np.array(self._bounds(i)), i) for i in self._range])
        return ends[:, 0], ends[:, 1] - ends[:, 0]

    def _rows(self, designs: npt.ArrayLike) -> Floats:
        x = np.asarray(designs, dtype=float)
        if x.ndim != 2 or x.shape[1] != len(self):
            raise ContractsError(
                f"designs must have the shape (n, {len(self)}) for {self.names}, but came as {x.shape}"
            )
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The numbers that one design variable may take."""

    low: float
    high: float
    step: float | None = None
    """From the lower bound on; None: any number between the bounds."""
    log: bool = False
    """Whether equal ratios are equally far apart."""
    whole: bool = False
    """Whether the numbers are integers."""


def contract_space(max_cleaners: int = 5, step: float = 0.01, *, min_cleaners: int = 1) -> DesignSpace:
    """Tax 0..1 in steps of `step` x whole numbers of cleaners: 505 designs by default."""
    from skopt.space import Categorical, Integer, Real

    if not 0 <= min_cleaners <= max_cleaners:
        raise ContractsError(
            f"cleaners run from {min_cleaners} to {max_cleaners}: the first must be >= 0 and not the larger"
        )
    if min_cleaners < max_cleaners:
        cleaners = Integer(min_cleaners, max_cleaners, name="cleaners")
    else:  # scikit-optimize refuses an integer that has no room
        cleaners = Categorical([max_cleaners], name="cleaners")
    return DesignSpace(dimensions=(Real(0.0, 1.0, name="tax"), cleaners), steps={"tax": step})


def numeric_space(ranges: Mapping[str, Range]) -> DesignSpace:
    """Return the space of named ranges, in their order; what has more values than `GRID_LIMIT` is left continuous."""
    from skopt.space import Integer, Real

    dimensions, steps = [], {}
    for name, r in ranges.items():
        prior, count = "log-uniform" if r.log else "uniform", (r.high - r.low) / r.step + 1 if r.step else math.inf
        if r.step == 1 and r.whole and count <= GRID_LIMIT:
            dimensions.append(Integer(round(r.low), round(r.high), prior, name=name))
            continue
        dimensions.append(Real(float(r.low), float(r.high), prior, name=name))
        if r.step and 1 < count <= GRID_LIMIT and r.step > 1e-8:  # smaller steps are lost in rounding
            steps[name] = float(r.step)
    return DesignSpace(dimensions=dimensions, steps=steps)


def _values_of(dimension: Any, step: float | None) -> Floats | None:
    """Return the values of one dimension in order, None if it is continuous."""
    from skopt.space import Categorical, Integer, Real

    name = dimension.name
    if step is not None and not isinstance(dimension, Real):
        raise ContractsError(f"{name} has a step, but is no Real dimension: leave the step out")
    if isinstance(dimension, Integer):
        return np.arange(dimension.low, dimension.high + 1, dtype=float)
    if isinstance(dimension, Categorical):
        if len(dimension.categories) == 1 and isinstance(dimension.categories[0], (int, float, np.number)):
            return np.array([dimension.categories[0]], dtype=float)
        raise ContractsError(
            f"{name} is Categorical with {len(dimension.categories)} choices, between which "
            "no distance is known: use Integer or Real, or one number in a Categorical for a fixed value"
        )
    if not isinstance(dimension, Real):
        raise ContractsError(f"{name} must be a skopt.space Real or Integer, but is {type(dimension).__name__}")
    if step is None:
        return None
    low, high = float(dimension.low), float(dimension.high)
    steps = (high - low) / step if step > 0 else 0.0
    if dimension.prior != "uniform" or steps < 1 or abs(steps - round(steps)) > 1e-6:
        raise ContractsError(
            f"{name} runs from {low:g} to {high:g} with prior {dimension.prior!r} and step {step:g}: a step "
            "must be positive, fit a whole number of times between the bounds, and goes with prior 'uniform'"
        )
    # rounded, so that 7 * 0.01 is the decimal 0.07 and a design reads as it was written
    values: list[float] = [round(low + k * step, 10) for k in range(round(steps) + 1)]
    return np.array(values)


def _is_whole(dimension: Any) -> bool:
    categories: Any = getattr(dimension, "categories", ())
    return len(categories) == 1 and float(categories[0]).is_integer()
