"""What stands where on the field at a moment, as plain data: for pictures that are drawn as shapes, and their legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanup_env import BatchCleanup
from cleanup_env.colours import COLOURS, agent_colours
from cleanup_env.maps import APPLE, BEAM, CLASS_NAMES, FLOOR, ORCHARD

Colour = tuple[float, float, float]
"""Red, green and blue, 0 to 1."""

AHEAD = ((-1, 0), (0, 1), (1, 0), (0, -1))
"""Step (rows, columns) in the direction of each heading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The field of one game at a moment. Places are (row, column)."""

    ground: NDArray[np.int64]
    """(rows, columns) cell classes of what lies on the ground, apples and beams apart."""

    apples: NDArray[np.int64]
    """(apples, 2) places."""

    beams: NDArray[np.int64]
    """(cells, 2) places that a beam covers."""

    agents: NDArray[np.int64]
    """(N, 2) places."""

    ahead: NDArray[np.int64]
    """(N, 2) step towards what each agent faces."""

    roles: tuple[str, ...]
    """Role of each agent."""

    colours: tuple[Colour, ...]
    """Colour of each agent."""


class Swatch(NamedTuple):
    """One entry of the legend of a field."""

    name: str
    """What it is."""

    colours: tuple[Colour, ...]
    """Its colours; agents of a role have one each."""

    disc: bool
    """Whether it is drawn as a disc on its cell, else as the cell."""

    agents: bool = False
    """Whether these are agents, whose discs have a rim."""


def colour_of(cell_class: int) -> Colour:
    """Colour of a cell class."""
    red, green, blue = COLOURS[cell_class]
    return red / 255, green / 255, blue / 255


BEAM_COLOUR, APPLE_COLOUR = colour_of(BEAM), colour_of(APPLE)


def board_of(game: BatchCleanup) -> Board:
    """The board of the first of some games."""
    ground, board = game.ground()[0], game.board()[0]
    return Board(
        ground=np.where(ground == APPLE, ORCHARD, ground).astype(np.int64),
        apples=np.argwhere(ground == APPLE),
        beams=np.argwhere(board == BEAM),
        agents=np.array(game.position[0], np.int64).reshape(-1, 2),
        ahead=np.array([AHEAD[h] for h in game.heading[0]], np.int64).reshape(-1, 2),
        roles=tuple(game.roles),
        colours=tuple((r / 255, g / 255, b / 255) for r, g, b in agent_colours(game.roles)),
    )


NAMES = {FLOOR: "path"}
"""Cell classes that a reader of pictures knows by another name."""


def swatches(boards: list[Board]) -> list[Swatch]:
    """The legend of some boards: each kind of cell and of agent that any of them shows."""
    classes = sorted({int(c) for board in boards for c in np.unique(board.ground)})
    found = [Swatch(NAMES.get(c, CLASS_NAMES[c]), (colour_of(c),), False) for c in classes]
    if any(len(board.beams) for board in boards):
        found.append(Swatch("beam of a shot", (BEAM_COLOUR,), False))
    if any(len(board.apples) for board in boards):
        found.append(Swatch("apple", (APPLE_COLOUR,), True))
    for role in dict.fromkeys(role for board in boards for role in board.roles):
        shades = [c for board in boards for r, c in zip(board.roles, board.colours, strict=True) if r == role]
        found.append(Swatch(f"{role}s", tuple(dict.fromkeys(shades)), True, True))
    return found
