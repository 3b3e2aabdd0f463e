"""The colours of the game, of its pictures as of its `rgb` observations."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

from cleanup_env.maps import APPLE, BEAM, CLASS_NAMES, FLOOR, ORCHARD, RIVER, SELF, STREAM, WALL, WASTE

COLOURS = {
    FLOOR: (238, 232, 213),
    WALL: (110, 110, 110),
    RIVER: (99, 156, 194),
    WASTE: (113, 75, 24),
    STREAM: (150, 196, 222),
    ORCHARD: (214, 222, 170),
    APPLE: (52, 160, 44),
    BEAM: (255, 225, 40),
    SELF: (255, 255, 255),
}
"""RGB of the cell classes; agents have colours of their own (see `agent_colour`)."""


def palette() -> NDArray[np.uint8]:
    """Colours by cell class, (classes, 3)."""
    colours = np.zeros((len(CLASS_NAMES), 3), np.uint8)
    for number, colour in COLOURS.items():
        colours[number] = colour
    return colours


def agent_colour(role: str, number: int, count: int) -> tuple[int, int, int]:
    """A colour for one of `count` agents: cleaners violet, harvesters red to orange, others any hue."""
    share = number / max(1, count)
    low, high = {"cleaner": (0.74, 0.88), "harvester": (0.95, 1.09)}.get(role, (0.0, 1.0))
    red, green, blue = colorsys.hsv_to_rgb((low + (high - low) * share) % 1.0, 0.85, 0.80)
    return round(255 * red), round(255 * green), round(255 * blue)


def agent_colours(roles: tuple[str, ...]) -> list[tuple[int, int, int]]:
    """A colour for every agent."""
    return [agent_colour(role, roles[:i].count(role), roles.count(role)) for i, role in enumerate(roles)]
