"""Families of contracts by name, and as plain data: what a file can say of them, and what it cannot.

A file names a family and its bounds, and never a function, class or module: what a name stands for is decided by the
program that reads it.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from contract_wrapper.contracts.contract import as_items
from contract_wrapper.contracts.families import (
    CellPriceContracts,
    CellTaxContracts,
    ContractFamily,
    TaxContracts,
)
from contract_wrapper.contracts.linear_families import LinearContracts
from contract_wrapper.contracts.tax_families import FreeTaxContracts, HarvesterTaxContracts, PieceRateContracts
from contract_wrapper.errors import ContractsError, shown

Ranges = Mapping[str, tuple[float, float]]

_MEMBERS = ("terms", "bounds", "n_shown", "payment", "shown", "scale")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a name stands for."""

    kind: type
    """Class of its families."""

    build: Callable[..., ContractFamily]
    """From the numbers that a user gives."""

    read: Callable[[Ranges], ContractFamily]
    """From the bounds of all terms."""


def _one(kind: Any) -> _Known:
    """A family with one term between `low` and `high`."""

    def read(bounds: Ranges) -> ContractFamily:
        low, high = _exactly(kind.terms, bounds)[0]
        family: ContractFamily = kind(low=low, high=high)
        return family

    return _Known(kind=kind, build=kind, read=read)


def _several(kind: Any) -> _Known:
    """A family with a field for the bounds of each term."""

    def read(bounds: Ranges) -> ContractFamily:
        family: ContractFamily = kind(**dict(zip(kind.terms, _exactly(kind.terms, bounds), strict=True)))
        return family

    return _Known(kind=kind, build=kind, read=read)


def _harvester_taxes(bounds: Ranges) -> ContractFamily:
    names = [f"tax_{j}" for j in range(len(bounds))]
    if not bounds or len(set(_exactly(names, bounds))) != 1:
        raise ContractsError(f"the taxes tax_0, tax_1, ... of all harvesters have the same bounds, got {shown(bounds)}")
    low, high = bounds["tax_0"]
    return HarvesterTaxContracts(n_harvesters=len(bounds), low=low, high=high)


def _exactly(names: Any, bounds: Ranges) -> list[tuple[float, float]]:
    if set(names) != set(bounds):
        raise ContractsError(f"these contracts have bounds of {', '.join(names)}, got {shown(list(bounds))}")
    return [bounds[name] for name in names]


_FAMILIES: dict[str, _Known] = {
    "tax": _one(TaxContracts),
    "tax-by-cells": _one(CellTaxContracts),
    "price-per-cell": _one(CellPriceContracts),
    "tax-per-harvester": _Known(kind=HarvesterTaxContracts, build=HarvesterTaxContracts, read=_harvester_taxes),
    "tax-and-piece-rate": _several(PieceRateContracts),
    "linear": _several(LinearContracts),
    "free-tax": _several(FreeTaxContracts),
}
_BUILT_IN = frozenset(_FAMILIES)
_OLD_NAMES = {
    "TaxContracts": "tax", "CellTaxContracts": "tax-by-cells", "CellPriceContracts": "price-per-cell",
}  # fmt: skip
"""As files named families before there were names: by class."""


def family_names() -> tuple[str, ...]:
    """Return the names that `get_family` knows: the built-in ones, then those that this program registered."""
    return tuple(_FAMILIES)


def get_family(name: str, **numbers: Any) -> ContractFamily:
    """Return a family of contracts by its name.

    Args:
        name: one of `family_names()`.
        numbers: fields of the family, such as `low` and `high` of a tax, or bounds of its terms by name; left out,
            its defaults.

    Raises:
        ContractsError: the name or a field is unknown, one is missing, or a number is out of range.

    >>> get_family("tax-per-harvester", n_harvesters=2, high=0.5).bounds
    ((0.0, 0.5), (0.0, 0.5))
    """
    known = _known(name)
    try:
        inspect.signature(known.build).bind(**numbers)
    except TypeError as error:
        fields = ", ".join(inspect.signature(known.build).parameters)
        raise ContractsError(f"contracts of the name {name!r} are given by {fields}: {error}") from None
    return known.build(**numbers)


def register_family(name: str, family: ContractFamily) -> None:
    """Give a family of yours a name, by which files can speak of it and `get_family` returns it.

    Call it in every program that writes or reads such files, before it does: a file holds the name and the bounds, and
    this program decides what the name stands for. So give another name to another function: a file cannot notice.
    Registering the same family again changes nothing.

    Args:
        name: not that of another family.
        family: for example `FunctionContracts(...)`, or an object with the members of `ContractFamily`. With a method
            `with_bounds(bounds by term)` the name stands for the family with any bounds, else for this one alone.

    Raises:
        ContractsError: the name is no text, or another family has it; the family lacks a member.
    """
    if not isinstance(name, str) or not name or not name.isprintable() or len(name) > 100:
        raise ContractsError(f"the name of a family must be a text of 1 to 100 printable characters, got {shown(name)}")
    missing = [member for member in _MEMBERS if not hasattr(family, member)]
    if missing or isinstance(family, type):
        raise ContractsError(
            f"a family of contracts has {', '.join(_MEMBERS)}, but {shown(family)} "
            + ("is a class: register an object of it" if isinstance(family, type) else f"lacks {', '.join(missing)}")
        )
    taken = _FAMILIES.get(name)
    if name in _BUILT_IN or name in _OLD_NAMES or (taken is not None and not _same(_as_registered(taken), family)):
        raise ContractsError(f"the name {name!r} belongs to other contracts: choose another one")
    with_bounds = getattr(family, "with_bounds", None)

    def read(bounds: Ranges) -> ContractFamily:
        if with_bounds is not None:
            other: ContractFamily = with_bounds(bounds)
            return other
        if _bounds_of(family) != dict(bounds):
            raise ContractsError(
                f"contracts of the name {name!r} have the bounds {_bounds_of(family)} here, got {shown(dict(bounds))}"
            )
        return family

    def build(**numbers: Any) -> ContractFamily:
        if set(numbers) - set(family.terms):
            raise ContractsError(
                f"contracts of the name {name!r} are given by bounds of {', '.join(family.terms)}, "
                f"got {', '.join(numbers)}"
            )
        return read({**_bounds_of(family), **{term: _pair(term, pair) for term, pair in numbers.items()}})

    _FAMILIES[name] = _Known(kind=type(family), build=build, read=read)


def name_of(family: ContractFamily) -> str | None:
    """Return the name of a family, built-in or registered, whatever its bounds; None if it has none."""
    for name, known in _FAMILIES.items():
        if type(family) is known.kind and (name in _BUILT_IN or _same(_as_registered(known), family)):
            return name
    return None


def family_as_dict(family: ContractFamily) -> dict[str, Any]:
    """Return a family as plain data, for JSON: `{"family": name, "bounds": {term: [least, largest]}}`.

    Raises:
        ContractsError: it has no name, so that no file can speak of it.
    """
    name = name_of(family)
    if name is None:
        raise ContractsError(
            f"the contracts {shown(family)} cannot be kept in a file, which can name {', '.join(_FAMILIES)} alone: "
            "call register_family(name, family) first, here and in every program that reads the file"
        )
    return {"family": name, "bounds": {term: list(pair) for term, pair in _bounds_of(family).items()}}


def family_from_dict(data: Mapping[str, Any]) -> ContractFamily:
    """Return the family that `family_as_dict` wrote; nothing is imported.

    Raises:
        ContractsError: the data is of another form, a name that this program does not know, or bounds that the family
            cannot have.
    """
    if not isinstance(data, Mapping) or set(data) != {"family", "bounds"} or not isinstance(data["bounds"], Mapping):
        raise ContractsError(f"a family of contracts is written as its 'family' and its 'bounds', got {shown(data)}")
    name = data["family"]
    known = _known(_OLD_NAMES.get(name, name) if isinstance(name, str) else name)
    return known.read({str(term): _pair(str(term), pair) for term, pair in data["bounds"].items()})


def _known(name: object) -> _Known:
    if not isinstance(name, str) or name not in _FAMILIES:
        near = difflib.get_close_matches(name, _FAMILIES, n=1) if isinstance(name, str) else []
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ContractsError(
            f"there are no contracts of the name {shown(name)}{hint}: the names are {', '.join(_FAMILIES)}; "
            "a family of yours gets one by register_family(name, family)"
        )
    return _FAMILIES[name]


def _pair(term: str, given: object) -> tuple[float, float]:
    pair = as_items(given)
    if pair is None or len(pair) != 2:
        raise ContractsError(f"the bounds of {term} are its least and its largest value, got {shown(given)}")
    return pair


def _bounds_of(family: ContractFamily) -> dict[str, tuple[float, float]]:
    return dict(zip(family.terms, family.bounds, strict=True))


def _as_registered(known: _Known) -> ContractFamily:
    return known.build()


def _same(registered: ContractFamily, family: ContractFamily) -> bool:
    """Whether two families differ in their bounds at most."""
    if type(registered) is not type(family) or registered.terms != family.terms:
        return False
    if dataclasses.is_dataclass(registered) and hasattr(registered, "with_bounds"):
        return bool(registered.with_bounds(_bounds_of(family)) == family)
    return bool(registered == family)
