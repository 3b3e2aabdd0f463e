"""Pictures of the game side by side, before and after, framed: arrays of pixels, (rows, columns, 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from situations import Scene

from cleanup_env.render import rgb

Picture = NDArray[np.uint8]


def beside(pictures: Sequence[Picture], gap: int = 16) -> Picture:
    """Join pictures from left to right on white."""
    tall = max(picture.shape[0] for picture in pictures)
    parts: list[Picture] = []
    for k, picture in enumerate(pictures):
        if k:
            parts.append(np.full((tall, gap, 3), 255, np.uint8))
        padded = np.full((tall, picture.shape[1], 3), 255, np.uint8)
        padded[: picture.shape[0]] = picture
        parts.append(padded)
    return np.hstack(parts)


def above(pictures: Sequence[Picture], gap: int = 16) -> Picture:
    """Join pictures from top to bottom on white."""
    return beside([picture.transpose(1, 0, 2) for picture in pictures], gap).transpose(1, 0, 2)


def arrow(height: int, size: int = 14) -> Picture:
    """A grey triangle that points right, in the middle of a white strip."""
    strip = np.full((height, 3 * size, 3), 255, np.uint8)
    for x in range(size):
        reach = (size - x) // 2
        strip[height // 2 - reach : height // 2 + reach + 1, size + x] = 120
    return strip


def step_of(scene: Scene, scale: int) -> Picture:
    """A scene before its step, an arrow, and after it."""
    before, after = rgb(scene.before(), scale=scale), rgb(scene.after(), scale=scale)
    return beside([before, arrow(len(before)), after], gap=0)


def framed(picture: Picture, row: int, column: int, side: int, colour: tuple[int, int, int]) -> None:
    """Draw a square frame of three pixels into a picture."""
    lines = picture[row : row + side, column : column + side]
    for part in (lines[:3], lines[-3:], lines[:, :3], lines[:, -3:]):
        part[:] = colour
