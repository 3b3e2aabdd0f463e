"""What the pictures of a landscape share: names, panels, and where lines and labels go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from contract_wrapper.landscapes.bounds import FloatArray
from contract_wrapper.reports.figure_style import FigureStyle, plain


def in_words(text: str) -> str:
    """Return text as a figure shows it letter by letter: `$` does not begin a formula."""
    return text.replace("$", r"\$")


def count(n: int, noun: str) -> str:
    """A number of things: '1 contract', '2 contracts'."""
    return f"{n} {noun}{'s' if n != 1 else ''}"


def width(n_crews: int, style: FigureStyle) -> float:
    """Inches of a figure with a panel for each crew size; on a screen narrower ones could not hold their notes."""
    return max(9.6, 1.6 + 2.15 * n_crews) if style.inches is None else style.inches


def panels(part: Any, n: int, style: FigureStyle, **shared: Any) -> list[Axes]:
    """Return n axes of a figure or a part of it: side by side, or two to a row where it is narrow."""
    columns = min(n, 2) if style.narrow else n
    axes = part.subplots(-(-n // columns), columns, squeeze=False, **shared).ravel()
    for ax in axes[n:]:
        axes[n - columns].tick_params(labelbottom=True)
        ax.remove()
    for ax in axes[:n]:
        plain(ax, style)
    return list(axes[:n])


def tax_axis(ax: Axes) -> None:
    """Show all taxes, with few numbers, so that those of neighbouring panels stay apart."""
    ax.set_xlim(-0.03, 1.03)
    ax.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])


def note(part: Any, text: str, inches: float, style: FigureStyle) -> None:
    """Write a remark below the panels, wrapped to the width of the figure."""
    part.supxlabel(style.wrapped(text, inches, 9.5), fontsize=style.points(9))


def line_with_band(
    ax: Axes, tax: FloatArray, mean: FloatArray, low: FloatArray, high: FloatArray, *, colour: str, **how: Any
) -> None:
    """Draw means over tax with their intervals; a lone tax, too, is seen."""
    if len(tax) == 1:
        ax.vlines(tax, low, high, color=colour, alpha=0.4, lw=2.5, zorder=2)
    else:
        ax.fill_between(tax, low, high, color=colour, alpha=0.2, lw=0, zorder=1.5)
    ax.plot(tax, mean, color=colour, marker="." if len(tax) <= 30 else None, **{"zorder": 3, "ms": 5, **how})


def cell_edges(taxes: ArrayLike) -> FloatArray:
    """Edges of the cells of rising taxes, (T,) -> (T + 1,): halfway to the next tax, within 0 and 1.

    >>> cell_edges([0.0, 0.5, 1.0]).tolist()
    [0.0, 0.25, 0.75, 1.0]
    """
    tax = np.asarray(taxes, np.float64)
    if len(tax) == 1:
        return np.array([max(tax[0] - 0.02, 0.0), min(tax[0] + 0.02, 1.0)])
    middle = (tax[1:] + tax[:-1]) / 2.0
    ends = 2.0 * tax[0] - middle[0], 2.0 * tax[-1] - middle[-1]
    return np.array([max(ends[0], 0.0), *middle, min(ends[1], 1.0)])


def runs(mask: ArrayLike) -> list[tuple[int, int]]:
    """First and last place of every run of true values.

    >>> runs([True, True, False, True])
    [(0, 1), (3, 3)]
    """
    places = np.flatnonzero(mask).tolist()
    starts = [p for p in places if p - 1 not in places]
    ends = [p for p in places if p + 1 not in places]
    return list(zip(starts, ends, strict=True))


def apart(values: Sequence[float], gap: float) -> list[float]:
    """Move values as little as it takes to have a gap between any two, in their order.

    >>> apart([1.0, 1.0, 5.0], 1.0)
    [0.5, 1.5, 5.0]
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    groups: list[list[int]] = []
    centres: list[float] = []
    for i in order:
        groups.append([i])
        centres.append(values[i])
        while len(groups) > 1:
            need = gap * (len(groups[-1]) + len(groups[-2])) / 2.0
            if centres[-1] - centres[-2] >= need - 1e-12:
                break
            merged = groups[-2] + groups[-1]
            groups[-2:] = [merged]
            centres[-2:] = [float(np.mean([values[j] for j in merged]))]
    placed = list(values)
    for group, centre in zip(groups, centres, strict=True):
        for n, i in enumerate(group):
            placed[i] = centre + gap * (n - (len(group) - 1) / 2.0)
    return placed
