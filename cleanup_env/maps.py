"""Maps: lines of text in, flat index arrays out.

A map is drawn with the letters of :data:`LEGEND`. Inside, it is padded with walls by the
window radius on each side, so that no window and no beam ever leaves the array, and cells
are numbered row by row in the padded board.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanup_env.errors import CleanupError

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


class World(NamedTuple):
    """A map, ready for the compiled rules. Cell numbers are those of the padded board."""

    width: int  # of the padded board
    height: int  # of the padded board
    radius: int  # of the observation window, and the padding
    ground: NDArray[np.uint8]  # (cells,) classes of the clean board
    orchard: NDArray[np.int32]  # cells on which apples may grow
    river: NDArray[np.int32]  # cells that may become waste
    soiled: NDArray[np.int32]  # river cells that start as waste in the original reset
    start: NDArray[np.int32]  # cells where agents may start
    near_orchard: NDArray[np.int16]  # (cells, k) orchard cells in the window, nearest first
    near_river: NDArray[np.int16]  # (cells, k) the same for river cells
    n_near_orchard: NDArray[np.int16]  # (cells,) how many of them there are
    n_near_river: NDArray[np.int16]  # (cells,)


def default_map() -> tuple[str, ...]:
    """The published Clean-up map (Hughes et al. 2018): 25 rows of 18 columns."""
    text = resources.files("cleanup_env").joinpath("clean-up-map.txt").read_text(encoding="ascii")
    return tuple(text.splitlines())


def check_map(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the map as a tuple of lines, or say by row, column and character what is wrong."""
    if isinstance(lines, str):
        lines = lines.splitlines()
    rows = tuple(lines)
    if not rows or not all(isinstance(row, str) for row in rows) or not rows[0]:
        raise CleanupError("a map is a non-empty sequence of lines of text, for example default_map()")
    for r, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise CleanupError(
                f"the map is ragged: row {r} has {len(row)} columns, row 0 has {len(rows[0])}; "
                "pad short rows with spaces"
            )
        for c, letter in enumerate(row):
            if letter not in LEGEND:
                raise CleanupError(
                    f"the map has an unknown character {letter!r} in row {r}, column {c}; "
                    f"the legend is {', '.join(repr(k) for k in LEGEND)}"
                )
    whole = "".join(rows)
    if "P" not in whole:
        raise CleanupError("the map has no spawn point: mark at least one floor cell with 'P'")
    if "R" not in whole and "H" not in whole:
        raise CleanupError("the map has no river: mark at least one cell with 'R' or 'H'")
    return rows


def _nearest_first(
    cells: NDArray[np.int32], width: int, n_cells: int, radius: int
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """For every board cell, the given cells inside its window, by Manhattan distance."""
    here = np.arange(n_cells)
    d_row = np.abs(cells[None, :] // width - here[:, None] // width)
    d_col = np.abs(cells[None, :] % width - here[:, None] % width)
    inside = (d_row <= radius) & (d_col <= radius)
    order = np.argsort(np.where(inside, d_row + d_col, 10_000), axis=1, kind="stable")
    count = inside.sum(axis=1)
    k = max(1, int(count.max(initial=0)))
    return np.ascontiguousarray(cells[order[:, :k]].astype(np.int16)), count.astype(np.int16)


@lru_cache(maxsize=32)
def build_world(rows: tuple[str, ...], radius: int, spawn_anywhere: bool = False) -> World:
    """Pad a checked map and index it. Cached: worlds are immutable and shared by games."""
    letters = np.array([list(row) for row in rows])
    letters = np.pad(letters, radius, constant_values="@")
    height, width = letters.shape
    if letters.size > np.iinfo(np.int16).max:
        raise CleanupError(
            f"the map is too large: {letters.size} cells with its padding of {radius}, at most 32767"
        )
    flat = letters.ravel()
    ground = np.array([_GROUND[letter] for letter in flat], dtype=np.uint8)

    def where(*wanted: str) -> NDArray[np.int32]:
        return np.flatnonzero(np.isin(flat, wanted)).astype(np.int32)

    orchard, river = where("B"), where("R", "H")
    near_orchard, n_near_orchard = _nearest_first(orchard, width, flat.size, radius)
    near_river, n_near_river = _nearest_first(river, width, flat.size, radius)
    world = World(
        width, height, radius, ground, orchard, river, where("H"),
        where(" ", "P") if spawn_anywhere else where("P"),
        near_orchard, near_river, n_near_orchard, n_near_river,
    )  # fmt: skip
    for array in world:
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    return world
