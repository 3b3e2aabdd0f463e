"""What all figures share: colours, and an empty figure whose title is its finding; no display is touched.

Colours are those of Okabe and Ito (readable for colour-blind people).
"""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, GREY, FAINT = "#222222", "#777777", "#BBBBBB"
HARVESTER, CLEANER, GREEN = "#D55E00", "#0072B2", "#009E73"


def empty_figure(width: float, height: float, title: str) -> Figure:
    """Return an empty figure of so many inches with its finding as title, wrapped to its width."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(textwrap.fill(title, int(width * 11)), x=0.01, ha="left", weight="bold", fontsize=11)
    return figure


def canvas(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """Return an empty figure with one pair of axes."""
    figure = empty_figure(width, height, title)
    ax: Any = figure.subplots()
    plain(ax)
    return figure, ax


def plain(ax: Axes) -> None:
    """Take away what axes do not need."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=9.5)
