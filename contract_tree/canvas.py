"""What all figures share: colours, and an empty figure whose title is its finding; no display is touched.

Colours are those of Okabe and Ito (readable for colour-blind people).
"""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, GREY, FAINT = "#222222", "#777777", "#DDDDDD"
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
LEVELS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Colours of the levels of a tree, from the root on, from the start again after the last."""

MOST_LETTERS = 24
"""Longest name in a figure."""


def plain(text: str) -> str:
    """Return a name so that matplotlib shows it as it is and takes no part of it for a formula; long ones lose their middle."""
    short = text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS // 2 - 1]}…{text[-MOST_LETTERS // 2 :]}"
    return short.replace("$", r"\$")


def canvas(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """Return a figure of so many inches with its finding as title, and one pair of axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(textwrap.fill(title, int(width * 11)), x=0.01, ha="left", weight="bold", fontsize=11)
    ax: Any = figure.subplots()
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=9.5)
    return figure, ax
