"""What learners take as a number, and the memory above which they refuse their settings."""

import math
import reprlib
from collections.abc import Collection
from numbers import Integral, Real
from typing import Any

import numpy as np

from mtmfq.interface import LearnerError

MOST_BYTES = 8 * 2**30
"""Memory of one part of a learner (its replay, its networks); the largest profile, `faithful`, takes 3 GiB."""

MOST_LAYERS = 100
"""Hidden layers of a network."""


_SHORT = reprlib.Repr()
"""Looks at no more of a value than a message shows: a list of a million numbers, or nested a thousand deep."""
_SHORT.maxlevel = 4
_SHORT.maxtuple = _SHORT.maxlist = _SHORT.maxdict = _SHORT.maxset = _SHORT.maxfrozenset = _SHORT.maxarray = 20
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 100


def shown(value: object, most: int = 100) -> str:
    """Return a value as a message shows it: its `repr` in one line, cut to a number of characters."""
    try:
        text = " ".join(_SHORT.repr(value).split())
    except Exception:  # Python writes no integer of more than 4,300 digits; a class may have no repr at all
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 3]}..."


def as_int(value: object) -> int | None:
    """Return an integer, numpy's included, as a plain int; None for anything else and for booleans."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        return None
    return int(value)


def as_float(value: object) -> float | None:
    """Return a real number, numpy's included, as a plain float; None for anything else and for booleans.

    Numbers too large for a float are infinite, so that a test of the range refuses them.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def as_items(value: object) -> tuple[Any, ...] | None:
    """Return the items of a finite collection, None for anything else and for text."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Collection):
        return None
    try:
        return tuple(value)
    except TypeError:  # an array without dimensions
        return None


def as_widths(value: object) -> tuple[int, ...] | None:
    """Return the widths of hidden layers, one to MOST_LAYERS positive integers; None for anything else."""
    widths = [as_int(width) for width in (as_items(value) or ())[: MOST_LAYERS + 1]]
    whole = tuple(width for width in widths if width is not None and 1 <= width < 2**31)
    return whole if len(whole) == len(widths) and 1 <= len(whole) <= MOST_LAYERS else None


def check_memory(what: str, needed: int, way_out: str) -> None:
    """Refuse an allocation before it is made.

    Args:
        what: what takes the memory, for the message.
        needed: bytes that it would take.
        way_out: how to make it smaller, for the message.

    Raises:
        LearnerError: more than MOST_BYTES are needed.
    """
    if needed > MOST_BYTES:
        gib = needed // 2**30
        size = f"{gib:,} GiB" if gib < 10**9 else "more than 1,000,000,000 GiB"
        raise LearnerError(f"{what} would take {size} of memory, at most {MOST_BYTES // 2**30} GiB: {way_out}")


def check_networks(widths: tuple[int, ...], batch_size: int) -> None:
    """Refuse networks whose weights and activations are too large, whatever the game's observations are.

    Raises:
        LearnerError: they would take more than MOST_BYTES.
    """
    weights = sum(one * other for one, other in zip((1, *widths), (*widths, 1), strict=True))
    # Six copies in float32: weights, target, average, gradient, and Adam's two moments; activations with gradients.
    needed = 4 * (6 * weights + 4 * batch_size * sum(widths))
    what = f"networks with hidden layers {shown(widths)} and batch_size {batch_size}"
    check_memory(what, needed, "choose smaller ones")
