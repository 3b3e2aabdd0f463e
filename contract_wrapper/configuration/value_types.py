"""Whether a value of a file is of the type of a field, and what that type is called."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type; which text or number it must be is for the settings to check.

    A whole number is a number, too; a list stands for a tuple.

    >>> fits(1, float), fits(1.0, int), fits(True, int), fits([1, 2], tuple[int, ...])
    (True, False, False, True)
    """
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is typing.Literal:
        return any(type(value) is type(part) for part in parts)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            return False
        if parts[1:] == (...,):
            return all(fits(item, parts[0]) for item in value)
        return len(value) == len(parts) and all(map(fits, value, parts))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(fits(k, parts[0]) and fits(v, parts[1]) for k, v in value.items())
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint) if hint in (bool, str, type(None)) else True


def has_parts(hint: Any) -> bool:
    """Whether values of a type can be a table from names to values."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(map(has_parts, typing.get_args(hint)))
    return isinstance(origin, type) and issubclass(origin, Mapping)


def called(hint: Any, optional: bool = False) -> str:
    """What a type is called.

    >>> called(tuple[int, ...])
    'a list of whole numbers'
    >>> called(float, optional=True)
    'a number or "none"'
    """
    return f'{_name(hint)} or "none"' if optional else _name(hint)


_ONE = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_MANY = {int: "whole numbers", float: "numbers", bool: "true or false", str: "texts"}


def _name(hint: Any) -> str:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_name(part) for part in parts)
    if origin is typing.Literal:
        return "one of " + ", ".join(f'"{part}"' for part in parts)
    if origin is tuple:
        return f"a list of {_many(hint)}"
    if has_parts(hint):
        return f"a table from names to {_MANY.get(parts[1], 'values')}"
    return _ONE.get(hint, "a value")


def _many(hint: Any) -> str:
    parts = typing.get_args(hint)
    inner = parts[0]
    if typing.get_origin(inner) is tuple:
        return f"lists of {_many(inner)}"
    return _MANY.get(inner, "values") if parts[1:] == (...,) else f"{len(parts)} {_MANY.get(inner, 'values')}"
