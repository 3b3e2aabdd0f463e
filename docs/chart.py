"""A picture of the pages that is a chart: a figure, and a digest of the data that it shows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Chart:
    """A figure and the arrays that it shows."""

    figure: Figure
    data: tuple[NDArray[Any], ...]

    def digest(self) -> str:
        """A hash of the data, rounded so that it is the same on every machine."""
        rounded = [np.round(np.asarray(array, np.float64), 4) + 0.0 for array in self.data]
        return hashlib.sha256(b"".join(array.tobytes() for array in rounded)).hexdigest()[:16]


def figure_of(width: float, height: float, columns: int, rows: int = 1) -> tuple[Figure, Any]:
    """A figure of so many inches and its axes, (rows, columns)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def tidy(ax: Any, x: str, y: str) -> None:
    """Name the axes, let the upward one begin at 0, and take away what they do not need."""
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.set_ylim(bottom=0)
    ax.spines[["top", "right"]].set_visible(False)
