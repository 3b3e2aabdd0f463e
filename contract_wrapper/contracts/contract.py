"""The contract: a tax and a number of recruited cleaners."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from contract_wrapper.errors import ContractsError, shown

MOST_CLEANERS = 1_000_000
"""Cleaners that a contract may recruit: far above any game, and below what sums of them would overflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract (alpha, N_a) of the Clean-up game (Molina Concha et al. 2024, section on Clean-up).

    Checked at birth; numpy scalars become plain Python numbers, and nothing is rounded.
    Two contracts are equal when their numbers are, so a contract can be a dictionary key.

    >>> str(Contract(tax=0.04, n_cleaners=5))
    'tax 0.04, 5 cleaners'
    """

    tax: float
    """Share of every harvester's income that goes to the cleaners, in [0, 1] (the paper's alpha)."""

    n_cleaners: int
    """Number of recruited cleaners, 0 to 1,000,000 (the paper's N_a; there 0..5)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tax", check_tax(self.tax))
        object.__setattr__(self, "n_cleaners", _check_count(self.n_cleaners))
        if self.tax > 0.0 and self.n_cleaners == 0:
            raise ContractsError(
                f"a tax is shared among the cleaners, but the contract has tax {_short(self.tax)} and no "
                "cleaners: recruit at least one (n_cleaners=1), or use Contract.none()"
            )

    @classmethod
    def none(cls) -> Contract:
        """Return the baseline: nobody is recruited and nothing is taxed."""
        return cls(tax=0.0, n_cleaners=0)

    @property
    def is_none(self) -> bool:
        """Whether this is the baseline without recruited agents."""
        return self.n_cleaners == 0

    def __str__(self) -> str:
        if self.is_none:
            return "no contract (tax 0, 0 cleaners)"
        return f"tax {_short(self.tax)}, {self.n_cleaners} cleaner{'s' if self.n_cleaners > 1 else ''}"

    def as_dict(self) -> dict[str, float | int]:
        """Return the contract as plain data, for JSON: `{"tax": ..., "n_cleaners": ...}`."""
        return {"tax": self.tax, "n_cleaners": self.n_cleaners}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Contract:
        """Build the contract that `as_dict` wrote.

        Raises:
            ContractsError: a key is missing or unknown, or a number is no contract.
        """
        if not isinstance(data, Mapping):
            raise ContractsError(f"a contract is written as a mapping of 'tax' and 'n_cleaners', got {shown(data)}")
        if set(data) != {"tax", "n_cleaners"}:
            found = shown(list(data))
            raise ContractsError(f"a contract has the keys 'tax' and 'n_cleaners', got {found}")
        return cls(tax=data["tax"], n_cleaners=data["n_cleaners"])


def check_tax(tax: object) -> float:
    """Return a tax as a plain float in [0, 1].

    Raises:
        ContractsError: it is not a real number, is NaN, or lies outside [0, 1].
    """
    number = as_number(tax)
    if number is None:
        raise ContractsError(f"tax must be a number in [0, 1], got {shown(tax)}")
    if not 0.0 <= number <= 1.0:  # false for NaN too
        raise ContractsError(
            f"tax must lie in [0, 1], got {number}: it is a share of harvest income, so 4 % is tax=0.04"
        )
    return number + 0.0  # -0.0 becomes 0.0, one text for one contract


def as_number(value: object) -> float | None:
    """Return a real number, numpy's included, as a plain float; None for anything else and for booleans.

    Numbers too large for a float are infinite, so that a test of the range refuses them.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def as_int(value: object) -> int | None:
    """Return an integer, numpy's included, as a plain int; None for anything else and for booleans."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        return None
    return int(value)


def as_items(value: object) -> tuple[Any, ...] | None:
    """Return the items of a finite collection, None for anything else and for text."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Collection):
        return None
    try:
        return tuple(value)
    except TypeError:  # an array without dimensions
        return None


def _check_count(count: object) -> int:
    whole = as_int(count)
    if whole is None:
        number = as_number(count)
        way_out = f": write n_cleaners={number:.0f}" if number is not None and number.is_integer() else ""
        raise ContractsError(f"n_cleaners must be an integer of at least 0, got {shown(count)}{way_out}")
    if whole < 0:
        raise ContractsError(f"n_cleaners must be at least 0, got {shown(whole)}: 0 recruits nobody")
    if whole > MOST_CLEANERS:
        raise ContractsError(f"n_cleaners must be at most {MOST_CLEANERS:,}, got {shown(whole)}")
    return whole


def _short(tax: float) -> str:
    """Shortest text that reads back as the same number, without a trailing `.0`."""
    return repr(tax).removesuffix(".0")
