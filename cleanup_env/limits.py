"""What the game takes as a number, and the sizes above which it refuses to allocate."""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np

from cleanup_env.errors import CleanupError

MOST_CELLS = 2**15 - 1
"""Cells of a map with its padding: cell numbers are 16-bit integers."""

MOST_APPLES = 1e9
"""Apples that one event may cost or pay; sums over any episode then stay finite and accurate."""

MOST_BYTES = 2 * 2**30
"""Memory of the arrays of one object (a batch of games, sums of an episode)."""

MOST_TABLE_BYTES = 640 * 2**20
"""Memory while a map is indexed: what each cell's window shows (one to two seconds at this size)."""

MOST_PICTURE_BYTES = 256 * 2**20
"""Memory of one rendered picture: 9,000 x 9,000 pixels, far above any screen."""


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


def check_memory(what: str, needed: int, way_out: str, most: int = MOST_BYTES) -> None:
    """Refuse an allocation before it is made.

    Args:
        what: what takes the memory, for the message.
        needed: bytes that it would take.
        way_out: how to make it smaller, for the message.
        most: bytes that are allowed.

    Raises:
        CleanupError: more is needed.
    """
    if needed > most:
        raise CleanupError(f"{what} would take {size_text(needed)} of memory, at most {size_text(most)}: {way_out}")


def size_text(n_bytes: int) -> str:
    """Return a number of bytes, however large, as text with a binary unit, for example '1.5 GiB'."""
    tenths = 10 * n_bytes // 2**30
    if tenths < 10:
        return f"{n_bytes // 2**20} MiB"
    if tenths < 10**9:
        return f"{tenths // 10:,}.{tenths % 10} GiB"
    return "more than 100,000,000 GiB"
