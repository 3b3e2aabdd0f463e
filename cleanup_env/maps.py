"""Maps: lines of text in, flat index arrays out.

A map is drawn with the letters of :data:`LEGEND`. Inside, it is padded with walls by the
window radius on each side, so that no window and no beam ever leaves the array, and cells
are numbered row by row in the padded board.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanup_env.errors import CleanupError, shown
from cleanup_env.limits import MOST_CELLS, MOST_TABLE_BYTES, check_memory

FLOOR, WALL, RIVER, WASTE, STREAM, ORCHARD, APPLE, AGENT, SELF, BEAM = range(10)
CLASS_NAMES = ("floor", "wall", "river", "waste", "stream", "orchard", "apple", "agent", "self", "beam")
"""Names of the cell classes of a `symbolic` observation, by their number."""

LEGEND = {
    "@": "wall",
    " ": "floor",
    "B": "orchard cell",
    "R": "river cell, clean in the original reset",
    "H": "river cell, waste in the original reset",
    "S": "stream: never waste, not counted in the waste density",
    "P": "spawn point",
}
_GROUND = {"@": WALL, " ": FLOOR, "P": FLOOR, "B": ORCHARD, "R": RIVER, "H": RIVER, "S": STREAM}

_TABLE_BYTES = 40
"""Memory that `build_world` takes per cell that is not a wall and cell of its window, at its peak (measured)."""


class World(NamedTuple):
    """A map, ready for the compiled rules. Cell numbers are those of the padded board."""

    width: int  # of the padded board
    height: int  # of the padded board
    radius: int  # of the observation window, and the padding
    ground: NDArray[np.uint8]  # (cells,) classes of the clean board
    row: NDArray[np.int32]  # (cells,) row on the padded board
    column: NDArray[np.int32]  # (cells,)
    open: NDArray[np.int32]  # cells that are not walls
    orchard: NDArray[np.int32]  # cells on which apples may grow
    river: NDArray[np.int32]  # cells that may become waste
    soiled: NDArray[np.int32]  # river cells that start as waste in the original reset
    start: NDArray[np.int32]  # cells where agents may start
    turned: NDArray[np.uint16]  # (4, cells) number of the cell when each heading is turned up
    near_orchard: NDArray[np.int16]  # (cells, k) orchard cells in the window, nearest first
    near_river: NDArray[np.int16]  # (cells, k) the same for river cells
    n_near_orchard: NDArray[np.int16]  # (cells,) how many of them there are
    n_near_river: NDArray[np.int16]  # (cells,)
    bit: NDArray[np.uint64]  # (cells,) number of the bit that marks an orchard or river cell
    n_orchard_words: int  # words of 64 bits for the orchard; those of the river come after
    window_bits: NDArray[np.uint64]  # (cells, words) orchard and river cells in the window


def default_map() -> tuple[str, ...]:
    """The published Clean-up map (Hughes et al. 2018): 25 rows of 18 columns."""
    text = resources.files("cleanup_env").joinpath("clean-up-map.txt").read_text(encoding="ascii")
    return tuple(text.splitlines())


def check_map(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the map as a tuple of lines, or say by row, column and character what is wrong."""
    if isinstance(lines, str):
        lines = lines[: 2 * MOST_CELLS].splitlines()
    try:
        rows = tuple(islice(lines, MOST_CELLS + 1))
    except TypeError:  # nothing to iterate over
        rows = ()
    if not rows or not all(isinstance(row, str) for row in rows) or not rows[0]:
        raise CleanupError("a map is a non-empty sequence of lines of text, for example default_map()")
    if len(rows) * len(rows[0]) > MOST_CELLS:
        raise CleanupError(
            f"the map is too large: {len(rows):,} rows or more of {len(rows[0]):,} columns, at most {MOST_CELLS} cells"
        )
    for r, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise CleanupError(
                f"the map is ragged: row {r} has {len(row)} columns, row 0 has {len(rows[0])}; "
                "pad short rows with spaces"
            )
        for c, letter in enumerate(row):
            if letter not in LEGEND:
                raise CleanupError(
                    f"the map has an unknown character {shown(letter)} in row {r}, column {c}; "
                    f"the legend is {', '.join(repr(k) for k in LEGEND)}"
                )
    whole = "".join(rows)
    if "P" not in whole:
        raise CleanupError("the map has no spawn point: mark at least one floor cell with 'P'")
    if "R" not in whole and "H" not in whole:
        raise CleanupError("the map has no river: mark at least one cell with 'R' or 'H'")
    return rows


def check_size(rows: tuple[str, ...], radius: int) -> None:
    """Refuse a checked map that is too large with its padding, before anything of that size is made.

    Raises:
        CleanupError: its cells cannot be numbered, or what their windows show takes too much memory.
    """
    n_cells = (len(rows) + 2 * radius) * (len(rows[0]) + 2 * radius)
    if n_cells > MOST_CELLS:
        raise CleanupError(
            f"the map is too large: {n_cells} cells with its padding of {radius} walls on each side, at most "
            f"{MOST_CELLS}: use a smaller map or a smaller radius"
        )
    n_open = sum(len(row) - row.count("@") for row in rows)
    check_memory(
        f"indexing the windows of {n_open} cells with radius {radius}",
        _TABLE_BYTES * n_open * (2 * radius + 1) ** 2,
        "use a smaller map or a smaller radius",
        MOST_TABLE_BYTES,
    )


def _near(
    wanted: NDArray[np.int32], open_cells: NDArray[np.int32], width: int, n_cells: int, radius: int
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """For every open cell, the wanted cells inside its window, by Manhattan distance."""
    d_row, d_column = (k.ravel() for k in np.mgrid[-radius : radius + 1, -radius : radius + 1])
    order = np.argsort(np.abs(d_row) + np.abs(d_column), kind="stable")
    seen = open_cells[:, None] + (d_row * width + d_column)[order]
    hit = np.isin(np.arange(n_cells), wanted)[seen]
    count = hit.sum(axis=1)
    k = max(1, int(count.max(initial=0)))
    first = np.argsort(~hit, axis=1, kind="stable")[:, :k]
    near, n_near = np.zeros((n_cells, k), np.int16), np.zeros(n_cells, np.int16)
    near[open_cells] = np.take_along_axis(seen, first, axis=1)
    n_near[open_cells] = count
    return near, n_near


def _turn(height: int, width: int) -> NDArray[np.uint16]:
    """(4, cells): where a cell lies on the board turned so that a heading is up."""
    row, column = np.divmod(np.arange(height * width), width)
    south, east = height - 1 - row, width - 1 - column
    turned = [row * width + column, east * height + row, south * width + east, column * height + south]
    return np.array(turned, dtype=np.uint16)


@lru_cache(maxsize=32)
def build_world(rows: tuple[str, ...], radius: int, spawn_anywhere: bool = False) -> World:
    """Pad a checked map (`check_map`, `check_size`) and index it. Cached: worlds are immutable and shared by games."""
    letters = np.array([list(row) for row in rows])
    letters = np.pad(letters, radius, constant_values="@")
    height, width = letters.shape
    flat = letters.ravel()
    n_cells = flat.size
    ground = np.array([_GROUND[letter] for letter in flat], dtype=np.uint8)

    def where(*wanted: str) -> NDArray[np.int32]:
        return np.flatnonzero(np.isin(flat, wanted)).astype(np.int32)

    orchard, river, open_cells = where("B"), where("R", "H"), np.flatnonzero(flat != "@").astype(np.int32)
    near_orchard, n_near_orchard = _near(orchard, open_cells, width, n_cells, radius)
    near_river, n_near_river = _near(river, open_cells, width, n_cells, radius)

    n_orchard_words = -(-orchard.size // 64)
    bit = np.zeros(n_cells, np.uint64)
    bit[orchard] = np.arange(orchard.size)
    bit[river] = 64 * n_orchard_words + np.arange(river.size)
    window_bits = np.zeros((n_cells, n_orchard_words - (-river.size // 64)), np.uint64)
    for near, count in ((near_orchard, n_near_orchard), (near_river, n_near_river)):
        cell, k = np.nonzero(np.arange(near.shape[1]) < count[:, None])
        seen = bit[near[cell, k]]
        np.bitwise_or.at(window_bits, (cell, seen >> np.uint64(6)), np.uint64(1) << (seen & np.uint64(63)))

    row, column = np.divmod(np.arange(n_cells, dtype=np.int32), np.int32(width))
    world = World(
        width=width, height=height, radius=radius, ground=ground, row=row, column=column, open=open_cells,
        orchard=orchard, river=river, soiled=where("H"), start=where(*" P") if spawn_anywhere else where("P"),
        turned=_turn(height, width), near_orchard=near_orchard, near_river=near_river,
        n_near_orchard=n_near_orchard, n_near_river=n_near_river,
        bit=bit, n_orchard_words=n_orchard_words, window_bits=window_bits,
    )  # fmt: skip
    for array in world:
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    return world
