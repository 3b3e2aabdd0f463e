"""Pictures of the game: text and RGB arrays, with numpy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cleanup_env.colours import COLOURS, agent_colours, palette
from cleanup_env.errors import CleanupError, shown
from cleanup_env.limits import MOST_PICTURE_BYTES, as_int, check_memory
from cleanup_env.maps import APPLE, BEAM, FLOOR, ORCHARD, RIVER, STREAM, WALL, WASTE

if TYPE_CHECKING:
    from cleanup_env.batch import BatchCleanup
    from cleanup_env.config import CleanupConfig

_LETTERS = {FLOOR: " ", WALL: "#", RIVER: "~", WASTE: "%", STREAM: "-", ORCHARD: ".", APPLE: "o", BEAM: "*"}
_ARROWS = "^>v<"

RIM = (45, 45, 45)
"""RGB of the rim of agents in pictures."""

LEAST_RIM = 12
"""Pixels per cell from which on a rim is drawn: in less, it would be no circle."""


def ansi(game: BatchCleanup, copy: int = 0) -> str:
    """One game as text. Legend: # wall, ~ river, % waste, - stream, . orchard, o apple, * beam;
    agents are arrows along their heading, followed by a line that names them."""
    board = game.board()[copy]
    lines = [[_LETTERS.get(int(cell), "?") for cell in row] for row in board]
    for (row, col), heading in zip(game.position[copy], game.heading[copy], strict=True):
        lines[row][col] = _ARROWS[heading]
    status = f"step {game.clock[copy]}  waste {game.waste[copy]}  apples {(board == APPLE).sum()}"
    return "\n".join("".join(line) for line in lines) + "\n" + status


def check_scale(config: CleanupConfig, scale: object, name: str = "scale") -> int:
    """Return the pixels per cell of a picture, after checking that the picture can be made.

    Raises:
        CleanupError: it is no number of pixels, or the picture would be too large; the message calls it by `name`.
    """
    pixels = as_int(scale)
    if pixels is None or pixels < 1:
        raise CleanupError(f"{name} must be a whole number of pixels per cell, got {shown(scale)}")
    cells = len(config.map) * len(config.map[0])
    # A picture, and the coordinates of the pixels of one cell in floats.
    needed = 3 * cells * pixels**2 + 64 * pixels**2
    check_memory(f"a picture with {name}={shown(pixels)}", needed, f"choose a smaller {name}", MOST_PICTURE_BYTES)
    return pixels


def rgb(game: BatchCleanup, copy: int = 0, *, scale: int = 16) -> NDArray[np.uint8]:
    """One game as a picture, (rows*scale, columns*scale, 3) uint8.

    Apples are discs on the orchard, agents larger discs in their own colour with a dark rim (from 12 pixels on), which tells them from
    apples without colour, too, and a white mark at the side they face; beams are drawn translucent, so that what lies below can be seen.
    """
    scale = check_scale(game.config, scale)
    ground, board = game.ground()[copy], game.board()[copy]
    under = np.where(ground == APPLE, ORCHARD, ground)
    picture: NDArray[np.uint8] = palette()[under].repeat(scale, axis=0).repeat(scale, axis=1)
    y, x = (np.mgrid[:scale, :scale] + 0.5) / scale - 0.5
    apple = x**2 + y**2 < 0.32**2
    body, inside = x**2 + y**2 < 0.45**2, x**2 + y**2 < 0.39**2
    for row, col in np.argwhere(ground == APPLE):
        _tile(picture, row, col, scale)[apple] = COLOURS[APPLE]
    for row, col in np.argwhere(board == BEAM):
        tile = _tile(picture, row, col, scale)
        tile[:] = (0.2 * tile + 0.8 * np.array(COLOURS[BEAM])).astype(np.uint8)
    colours = agent_colours(game.roles)
    for i, (row, col) in enumerate(game.position[copy]):
        tile = _tile(picture, row, col, scale)
        tile[body] = RIM if scale >= LEAST_RIM else colours[i]
        tile[inside] = colours[i]
        ahead_y, ahead_x = ((-0.26, 0.0), (0.0, 0.26), (0.26, 0.0), (0.0, -0.26))[game.heading[copy, i]]
        tile[(x - ahead_x) ** 2 + (y - ahead_y) ** 2 < 0.17**2] = (255, 255, 255)
    return picture


def _tile(picture: NDArray[np.uint8], row: int, col: int, scale: int) -> NDArray[np.uint8]:
    return picture[row * scale : (row + 1) * scale, col * scale : (col + 1) * scale]
