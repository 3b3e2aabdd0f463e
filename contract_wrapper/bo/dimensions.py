"""Dimensions of a design space: their bounds, steps and scales, checked at birth.

Values of a grid are numbered from 0 and computed when asked for, so that a range of a billion costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.numbers_in import LARGEST, in_range
from contract_wrapper.errors import ContractsError, shown

Floats = npt.NDArray[np.float64]

SMALLEST_STEP = 1e-8
"""Values of a `Real` with a step are rounded to 10 decimals; a smaller step would be lost there."""

MOST_CHOICES = 1000
"""Largest number of choices of a `Categorical`."""

_DECIMALS = 10
_NARROWEST = 1e-60  # distance of unequal bounds, as squares of designs in units of it must stay finite
_RESOLUTION = 1e-12  # of the larger bound: floats are 2e-16 of their size apart
_EXACT = 2**53  # largest integer up to which floats hold every integer


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """A real design variable: any number between its bounds, or on a grid.

    >>> Real(name="tax", low=0.0, high=1.0, step=0.25).count
    5
    """

    name: str
    """Name of the variable, unlike those of the other dimensions of a space."""

    low: float
    """Lower bound, at most 1e60 in size; above 0 with `log`."""

    high: float
    """Upper bound, at most 1e60 in size; equal to `low` for a fixed number, else more by 1e-12 of the larger size."""

    step: float | None = None
    """Distance of neighbouring values, from the lower bound to the upper, at least 1e-8; None: any number between."""

    log: bool = False
    """Whether the variable is searched on a logarithmic scale, where equal ratios are equally far apart."""

    def __post_init__(self) -> None:
        _check_name(self)
        low, high = _number(self, "low"), _number(self, "high")
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        _check_bounds(self)
        size = max(abs(low), abs(high))
        if low < high and (high - low < max(_NARROWEST, _RESOLUTION * size)):
            raise ContractsError(
                f"{_title(self)} needs bounds that differ by at least {_RESOLUTION:g} of the larger, and by "
                f"{_NARROWEST:g}, but got low={shown(low)} and high={shown(high)}: take another unit, or give the same number "
                "twice to fix it"
            )
        if self.step is None:
            return
        step = _number(self, "step")
        object.__setattr__(self, "step", step)
        if self.log:
            raise ContractsError(
                f"{_title(self)} has step={step:g} and log=True, of which a dimension may have one: "
                "leave the step out, or make the exponent the variable"
            )
        steps = (high - low) / step if step >= SMALLEST_STEP else -1.0
        if 0 < step < _RESOLUTION * size:
            raise ContractsError(
                f"{_title(self)} needs a step of at least {_RESOLUTION:g} of its larger bound, but got step={step:g} "
                f"and bounds up to {size:g}: take another origin, or leave the step out"
            )
        if steps < 0 or abs(steps - round(steps)) > 1e-6 or (round(steps) == 0) != (low == high):
            raise ContractsError(
                f"{_title(self)} needs a step of at least {SMALLEST_STEP:g} that fits a whole number of times between "
                f"low={low:g} and high={high:g}, but got step={step:g}: change the step or a bound, or leave the "
                "step out for a continuous dimension"
            )

    @property
    def count(self) -> int | None:
        """Number of values; None for a continuous dimension."""
        if self.low == self.high:
            return 1
        return None if self.step is None else round((self.high - self.low) / self.step) + 1

    def values(self, index: Floats) -> Floats:
        """Return the values with these indices (n,), whole numbers from 0: (n,); only where there is a `count`."""
        if self.step is None:
            return np.full(len(index), self.low)
        # rounded, so that 7 * 0.01 is the decimal 0.07 and a design reads as it was written
        return np.array([round(self.low + i * self.step, _DECIMALS) for i in index.tolist()])

    def index(self, values: Floats) -> Floats:
        """Return the index, not yet rounded, of each of the values (n,): (n,)."""
        return (values - self.low) / (self.step or 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer:
    """An integer design variable, both bounds included.

    >>> Integer(name="cleaners", low=1, high=5).count
    5
    """

    name: str
    """Name of the variable, unlike those of the other dimensions of a space."""

    low: int
    """Lower bound; above 0 with `log`."""

    high: int
    """Upper bound; equal to `low` for a fixed number."""

    log: bool = False
    """Whether the variable is searched on a logarithmic scale, where equal ratios are equally far apart."""

    def __post_init__(self) -> None:
        _check_name(self)
        for end in ("low", "high"):
            number = getattr(self, end)
            if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or abs(int(number)) > _EXACT:
                raise ContractsError(
                    f"{_title(self)} needs integers of at most 2**53 in size as bounds, but got "
                    f"{end}={shown(number)}: "
                    "use Real for other numbers"
                )
            object.__setattr__(self, end, int(number))
        _check_bounds(self)

    @property
    def count(self) -> int:
        """Number of values."""
        return self.high - self.low + 1

    def values(self, index: Floats) -> Floats:
        """Return the values with these indices (n,), whole numbers from 0: (n,)."""
        return self.low + index

    def index(self, values: Floats) -> Floats:
        """Return the index, not yet rounded, of each of the values (n,): (n,)."""
        return values - self.low


Choice = None | bool | int | float | str
"""What may be chosen in a `Categorical`: plain values, which any file can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Categorical:
    """A choice among a few things that have no order; in a design it is a place among the choices, from 0.

    Two different choices are all equally far apart, at the distance of the two ends of another dimension.

    >>> rule = Categorical(name="rule", choices=("equal", "by work", None))
    >>> rule.count, rule.place("by work")
    (3, 1)
    """

    name: str
    """Name of the variable, unlike those of the other dimensions of a space."""

    choices: Sequence[Choice]
    """From 1 to 1000 different ones, kept as a tuple; 1, 1.0 and True are different. Their order says nothing."""

    def __post_init__(self) -> None:
        _check_name(self)
        try:
            choices = () if isinstance(self.choices, (str, bytes)) else tuple(self.choices)
        except TypeError:
            choices = ()
        choices = tuple(choice.item() if isinstance(choice, np.generic) else choice for choice in choices)
        if not 1 <= len(choices) <= MOST_CHOICES:
            raise ContractsError(
                f"{_title(self)} needs a sequence of 1 to {MOST_CHOICES} choices, but got {shown(self.choices)}: "
                "pass a tuple of texts"
            )
        for choice in choices:
            if choice is not None and not isinstance(choice, (bool, int, float, str)):
                raise ContractsError(
                    f"{_title(self)} needs None, booleans, numbers or texts as choices, but got {shown(choice)}: "
                    "give it a name, and look the thing up by that"
                )
        if len(set(map(_identity, choices))) < len(choices):
            raise ContractsError(f"{_title(self)} needs choices that differ, but got {shown(choices)}: leave one out")
        object.__setattr__(self, "choices", choices)

    @property
    def count(self) -> int:
        """Number of choices."""
        return len(self.choices)

    @property
    def low(self) -> int:
        """Place of the first choice."""
        return 0

    @property
    def high(self) -> int:
        """Place of the last choice."""
        return len(self.choices) - 1

    @property
    def log(self) -> bool:
        """Whether it is searched on a logarithmic scale: never."""
        return False

    def place(self, choice: Choice) -> int:
        """Return where a choice stands, from 0.

        Raises:
            ContractsError: it is none of the choices.
        """
        found = list(map(_identity, self.choices))
        if _identity(choice) not in found:
            raise ContractsError(f"{self.name} must be one of {shown(self.choices)}, but got {shown(choice)}")
        return found.index(_identity(choice))

    def values(self, index: Floats) -> Floats:
        """Return the values with these indices (n,), whole numbers from 0: (n,); they are the same."""
        return index

    def index(self, values: Floats) -> Floats:
        """Return the index, not yet rounded, of each of the values (n,): (n,)."""
        return values


def _identity(choice: Choice) -> tuple[str, str]:
    """What a choice is told from others by: its kind and value, so that True is not 1, and a NaN is itself."""
    return type(choice).__name__, repr(choice)


Dimension = Real | Integer | Categorical


def _title(dimension: Dimension) -> str:
    return f"{type(dimension).__name__} {shown(dimension.name)}"


def _check_name(dimension: Dimension) -> None:
    if not isinstance(dimension.name, str) or not dimension.name:
        raise ContractsError(f"a dimension needs a name, but got {shown(dimension.name)}: pass a string as name=...")


def _number(dimension: Real, name: str) -> float:
    """Return a field as a float, if it is a finite number."""
    value = getattr(dimension, name)
    if not in_range(value):
        raise ContractsError(
            f"{_title(dimension)} needs a finite number of at most {LARGEST:g} in size as {name}, but got "
            f"{shown(value)}: pass one, or take another unit"
        )
    return float(value)


def _check_bounds(dimension: Real | Integer) -> None:
    if dimension.low > dimension.high:
        raise ContractsError(
            f"{_title(dimension)} needs low <= high, but got low={dimension.low:g} and high={dimension.high:g}: "
            "swap them, or give the same number twice to fix it"
        )
    if not isinstance(dimension.log, bool):
        raise ContractsError(f"{dimension.name}: log must be True or False, but got {shown(dimension.log)}")
    if dimension.log and dimension.low <= 0:
        raise ContractsError(
            f"{_title(dimension)} has log=True and so needs low > 0, but got low={dimension.low:g}: "
            "raise the bound, or leave log out"
        )
