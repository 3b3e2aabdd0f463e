"""What a landscape is made of: the axes of its arrays, and the rules that they keep, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import Contract, as_int
from contract_wrapper.errors import ContractsError, shown

FloatArray = NDArray[np.float64]

ROLES = ("cleaner", "harvester")
"""Roles whose deviations are measured, in the order of the axis R."""

PER_CONTRACT = ("welfare", "harvest", "shots", "waste")
MEASURED_AXES: Mapping[str, str] = {
    "strongest": "SKR", "tried_at": "C", "cpu_seconds": "S3",
    **{name + end: "SK" for name in PER_CONTRACT for end in ("", "_se")},
    **{name + end: "SKA" for name in ("utilities",) for end in ("", "_se")},
    **{name + end: "SKR" for name in ("gains",) for end in ("", "_se")},
    **{name + end: "SCRD" for name in ("tried",) for end in ("", "_se")},
}  # fmt: skip
"""Axes of every measured array: S trainings, K contracts, A agents, R roles, D deviations, C contracts where all were
tried, P terms."""

LISTS = ("seeds", "agents", "deviations")
"""Names that stand beside the arrays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Of which arrays and lists a kind of table is made."""

    kind: str
    """What a file says that it is."""

    axes: Mapping[str, str]
    """Axes of every array, by letter; the first one is that of the contracts, in full precision."""

    whole: tuple[str, ...] = ("strongest", "tried_at")
    """Arrays of integers."""

    lists: tuple[str, ...] = LISTS
    """Names that stand beside the arrays."""

    @property
    def measured(self) -> tuple[str, ...]:
        """Figures that have an error beside them, an array of the same shape whose name ends in `_se`."""
        return tuple(name for name in self.axes if f"{name}_se" in self.axes)

    @property
    def first(self) -> str:
        """The array that says which contracts there are, or a part of it."""
        return next(iter(self.axes))


TAX_FORM = Form(
    kind="landscape",
    axes={"tax": "K", "n_cleaners": "K", **MEASURED_AXES},
    whole=("n_cleaners", "strongest", "tried_at"),
)
"""A landscape of taxes and crews."""

MOST_CONTRACTS, MOST_NAMES = 32_000, 1_000
"""Contracts that a file can number; agents, deviations or seeds that a landscape may have."""

_AGENT = re.compile(r"[a-z][a-z_]{0,30}_[0-9]{1,6}")
_ROLE = re.compile(r"[a-z][a-z_]{0,30}(_[0-9]{1,6})?")
_WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,+()_-]{0,59}")


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda item: isinstance(item, str) and bool(pattern.fullmatch(item))


_WORDED = "at most 60 letters, digits, spaces and simple punctuation", _matching(_WORDS)
_NAMES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "seeds": ("integers of at least 0", lambda item: as_int(item) is not None and (as_int(item) or 0) >= 0),
    "agents": ("role_number", _matching(_AGENT)),
    "deviations": _WORDED,
    "roles": ("small letters, or role_number", _matching(_ROLE)),
    "terms": _WORDED,
}
"""What the entries of each list must be, in words and as a test."""


def sizes(lists: Mapping[str, Any], n_contracts: int, n_tried: int) -> dict[str, int]:
    """Length of every axis, by its letter; lists: by name, those of a form."""
    return {
        "S": len(lists["seeds"]), "K": n_contracts, "A": len(lists["agents"]), "R": len(lists.get("roles", ROLES)),
        "D": len(lists["deviations"]), "C": n_tried, "3": 3, "P": len(lists.get("terms", ())),
    }  # fmt: skip


def check_names(about: Any, lists: Mapping[str, Any]) -> None:
    """Refuse names that are none: they end up in tables, file names and web pages.

    Raises:
        ContractsError: one of them is of another form, or comes twice.
    """
    if not isinstance(about, Mapping) or not all(isinstance(key, str) for key in about):
        raise ContractsError(f"about of a landscape is a mapping from names to plain values, got {shown(about)}")
    for name, items in lists.items():
        rule, good = _NAMES[name]
        if not isinstance(items, tuple) or len(items) > MOST_NAMES or not all(map(good, items)):
            raise ContractsError(
                f"{name} of a landscape is a tuple of at most {MOST_NAMES:,}, each {rule}, got {shown(items)}"
            )
        if len(set(items)) < len(items):
            raise ContractsError(f"{name} of a landscape must differ from each other, got {shown(items)}")
    if not lists["seeds"]:
        raise ContractsError("a landscape has at least one seed")


def check_arrays(arrays: Mapping[str, Any], form: Form = TAX_FORM) -> None:
    """Refuse arrays of other shapes or kinds, and contract numbers and errors that are none.

    Raises:
        ContractsError: as above, naming the array.
    """
    lists = {name: arrays[name] for name in form.lists}
    lengths = sizes(lists, *(len(np.atleast_1d(arrays[name])) for name in (form.first, "tried_at")))
    for name, axes in form.axes.items():
        array, shape = arrays[name], tuple(lengths[axis] for axis in axes)
        kind = "i" if name in form.whole else "f"
        if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype.kind != kind:
            got = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else shown(array)
            raise ContractsError(
                f"{name} of a landscape must be {'integers' if kind == 'i' else 'floats'} of the shape {shape}, got {got}"
            )
    k, d = lengths["K"], lengths["D"]
    if not 2 <= k <= MOST_CONTRACTS:
        raise ContractsError(f"a landscape has no contract and 1 to {MOST_CONTRACTS:,} others, got {k} contracts")
    for name in (*PER_CONTRACT, "cpu_seconds"):
        if not np.isfinite(arrays[name]).all():
            raise ContractsError(f"{name} of a landscape must be finite")
    for name in form.measured:
        values, errors = arrays[name], arrays[f"{name}_se"]
        if np.isinf(values).any() or not np.isfinite(errors[~np.isnan(values)]).all() or (errors < 0).any():
            raise ContractsError(
                f"{name} of a landscape must be finite or NaN, with a finite error of at least 0 beside every number"
            )
    if (arrays["strongest"] >= d).any() or (arrays["strongest"] < -1).any():
        raise ContractsError(f"strongest of a landscape numbers its {d} deviations, or is -1")
    if ((arrays["strongest"] < 0) & ~np.isnan(arrays["gains"])).any():
        raise ContractsError("strongest of a landscape names the deviation of every gain, but somewhere is -1")
    if ((arrays["tried_at"] < 0) | (arrays["tried_at"] >= k)).any():
        raise ContractsError(f"tried_at of a landscape numbers its {k} contracts")


def check_presence(agents: tuple[str, ...], n_cleaners: Any, utilities: Any) -> None:
    """Refuse utilities of agents that are not there, and their lack for agents that are.

    Raises:
        ContractsError: as above, or there are not as many cleaners as the largest crew needs, or no harvester.
    """
    roles = np.array([agent.rpartition("_")[0] for agent in agents])
    cleaners, harvesters = np.flatnonzero(roles == "cleaner"), np.flatnonzero(roles == "harvester")
    if not len(harvesters) or n_cleaners.max(initial=0) > len(cleaners):
        raise ContractsError(
            f"a landscape has a harvester and a cleaner for each place of its largest crew, "
            f"{n_cleaners.max(initial=0)}, got {shown(agents)}"
        )
    there = np.ones((len(n_cleaners), len(agents)), np.bool_)
    there[:, cleaners] = np.arange(len(cleaners)) < n_cleaners[:, None]
    if (np.isfinite(utilities) != there).any():
        raise ContractsError(
            "utilities of a landscape are numbers for agents that a contract has, and NaN for cleaners that it does "
            "not recruit"
        )


def joined_fields(parts: Sequence[Mapping[str, Any]], form: Form = TAX_FORM) -> dict[str, Any]:
    """Fields of landscapes side by side: those over seeds, which are put one after another.

    Raises:
        ContractsError: there are none, or they differ in more than their seeds.
    """
    if not parts:
        raise ContractsError("a landscape needs at least one seed")
    over_seeds = [name for name, axes in form.axes.items() if axes[0] == "S"]
    first = parts[0]
    for other in parts[1:]:
        alike = (name for name in form.axes if name not in over_seeds)
        same = all(np.array_equal(first[name], other[name], equal_nan=True) for name in alike)
        if not same or any(first[name] != other[name] for name in ("about", *form.lists) if name != "seeds"):
            raise ContractsError("these landscapes differ in more than their seeds: make them by one command")
    stacked: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in over_seeds}
    return {**stacked, "seeds": tuple(seed for part in parts for seed in part["seeds"])}


def number_of(tax: FloatArray, n_cleaners: NDArray[np.int64], contract: Contract) -> int:
    """Number of a contract among K, tax and n_cleaners (K,).

    Raises:
        ContractsError: it is none of them; nothing is interpolated.
    """
    found = np.flatnonzero((n_cleaners == contract.n_cleaners) & (np.abs(tax - contract.tax) < 1e-9))
    if not len(found):
        taxes = tax[n_cleaners == contract.n_cleaners]
        known = f"{len(taxes)} taxes from {taxes.min():g} to {taxes.max():g}" if len(taxes) else "no contract"
        raise ContractsError(
            f"{contract} is not in this landscape, which has {known} with {contract.n_cleaners} cleaners"
        )
    return int(found[0])
