"""The pictures of a landscape of designs: what every contract is worth, and what somebody gains by leaving it.

Up to two numbers besides the size of the crew span a map or a line; of more of them each has a panel of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.bounds import BoolArray, FloatArray, chosen_unit, quantile, standard_error
from contract_wrapper.landscapes.designs.design_landscape import DesignLandscape
from contract_wrapper.reports.figure_style import SCREEN, FigureStyle, empty_figure, legend, named, plain
from contract_wrapper.reports.landscape_style import line_with_band, panels
from contract_wrapper.reports.style import GREY, INK, colour_bar, crew_name, crew_style

CREW = "n_cleaners"
"""Name of the term that recruits."""


@dataclass(frozen=True)
class DesignFindings:
    """What a landscape of designs shows, found once for all pictures and texts."""

    landscape: DesignLandscape

    @cached_property
    def feasible(self) -> BoolArray:
        """Contracts that are feasible as measured, (K,); no contract is none of them."""
        return self.landscape.feasible() & self._some

    @cached_property
    def certified(self) -> BoolArray:
        """Contracts that are certified, (K,)."""
        return self.landscape.certified() & self._some

    @property
    def _some(self) -> BoolArray:
        return np.asarray(np.arange(len(self.landscape.numbers)) > 0)

    @property
    def competing(self) -> BoolArray:
        """Contracts among which the best is chosen: the certified, or if there are none, the feasible, (K,)."""
        return self.certified if self.certified.any() else self.feasible

    @property
    def word(self) -> str:
        """What the competing contracts are."""
        return "certified" if self.certified.any() else "feasible"

    @cached_property
    def best(self) -> int | None:
        """Number of the competing contract with the highest objective; None: nothing competes."""
        return self.landscape.best(self.competing) if self.competing.any() else None

    @cached_property
    def free(self) -> list[int]:
        """Columns of the terms besides the size of the crew."""
        return [k for k, name in enumerate(self.landscape.terms) if name != CREW]

    @cached_property
    def crews(self) -> list[tuple[str, int, NDArray[np.int64]]]:
        """Name, size and numbers of the contracts of each crew size; one without a name where none is recruited."""
        table = self.landscape
        everything: NDArray[np.int64] = np.arange(1, len(table.numbers))
        if CREW not in table.terms:
            return [("", 1, everything)]
        sizes = table.numbers[1:, table.terms.index(CREW)]
        return [(crew_name(int(n)), int(n), everything[sizes == n]) for n in np.unique(sizes)]

    def interval(self, values: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean over axis 0, the trainings, and half its 95 % interval."""
        unit = chosen_unit(None, len(values))
        beyond = quantile(0.975, len(values), unit) * standard_error(values, errors, unit)
        return values.mean(axis=0), np.asarray(beyond)


class Level(NamedTuple):
    """A line across a picture."""

    at: float
    name: str


def draw_values(found: DesignFindings, *, style: FigureStyle = SCREEN) -> Figure:
    """What is maximised, over the numbers of the contracts, crew size by crew size."""
    table = found.landscape
    mean, beyond = found.interval(*table.objective())
    n, best = len(table.numbers) - 1, found.best
    title = f"None of {n} contracts is feasible as measured"
    if best is not None:
        title = (
            f"Best {found.word} contract: {table.contracts()[best]}, {table.maximised} {mean[best]:.1f} ± {beyond[best]:.1f}; of "
            f"{n} contracts {int(found.feasible.sum())} are feasible, {int(found.certified.sum())} certified"
        )
    label = f"{table.maximised} per episode"
    return _drawn(
        found, mean, beyond, label, title, style, mark=best, level=Level(float(mean[0]), "no contract"), cmap="cividis"
    )


def draw_gains(found: DesignFindings, *, style: FigureStyle = SCREEN) -> Figure:
    """What the agent gains that gains most by leaving the others' play alone."""
    table = found.landscape
    if not np.isfinite(table.gains).any():
        raise ContractsError("no gain was measured")
    known = np.where(np.isfinite(table.gains), table.gains, -np.inf)
    role = known.mean(axis=0).argmax(axis=1)
    at = (slice(None), np.arange(len(role)), role)
    mean, beyond = found.interval(table.gains[at], table.gains_se[at])
    above = int((mean[1:] > table.default_epsilon()).sum())
    title = (
        f"Under {above} of {len(mean) - 1} contracts somebody gains more than {table.default_epsilon():.2f} by leaving the "
        "others' play alone"
    )
    mean[0] = beyond[0] = np.nan
    return _drawn(found, mean, beyond, "largest gain of a lone deviator per episode", title, style,
                  level=Level(table.default_epsilon(), "epsilon: taken for nothing"), cmap="RdBu_r", centre=True)  # fmt: skip


def _drawn(
    found: DesignFindings, mean: FloatArray, beyond: FloatArray, label: str, title: str, style: FigureStyle, *,
    level: Level, cmap: str, mark: int | None = None, centre: bool = False,
) -> Figure:  # fmt: skip
    """Lines, maps or panels, by the number of terms."""
    n = len(found.free)
    if n == 1:
        return _lines(found, mean, beyond, label, title, style, mark, level)
    if n == 2:
        return _maps(found, mean, label, title, style, mark, cmap, centre)
    return _scatter(found, mean, beyond, label, title, style, mark, level)


def _lines(
    found: DesignFindings, mean: FloatArray, beyond: FloatArray, label: str, title: str, style: FigureStyle,
    mark: int | None, level: Level,
) -> Figure:  # fmt: skip
    table, column = found.landscape, found.free[0]
    figure = empty_figure(*style.size(8.2, 4.8, 2.6), title, style)
    ax: Any = figure.subplots()
    plain(ax, style)
    for name, crew, numbers in found.crews:
        some = numbers[np.argsort(table.numbers[numbers, column])]
        colour, _ = crew_style(crew)
        line_with_band(ax, table.numbers[some, column], mean[some], (mean - beyond)[some], (mean + beyond)[some],
                       colour=colour, label=name or None, lw=style.points(1.4))  # fmt: skip
        sure = some[found.certified[some]]
        ax.plot(table.numbers[sure, column], mean[sure], "o", ms=style.points(4.5), color=colour, zorder=4)
    ax.axhline(level.at, color=INK, ls="--", lw=style.points(1.1), label=level.name)
    if found.certified.any():
        ax.plot([], [], "o", ms=style.points(4.5), color=INK, label="certified")
    if mark is not None:
        ax.plot(table.numbers[mark, column], mean[mark], "*", ms=style.points(15), mfc="white", mec=INK, zorder=6)
    ax.set(xlabel=table.terms[column], ylabel=label)
    legend(figure, *named(ax), style, "outside lower center")
    return figure


def _maps(
    found: DesignFindings, mean: FloatArray, label: str, title: str, style: FigureStyle, mark: int | None, cmap: str,
    centre: bool,
) -> Figure:  # fmt: skip
    table, (x, y) = found.landscape, found.free
    n = len(found.crews)
    shown = mean[1:][np.isfinite(mean[1:])]
    low, high = float(shown.min()), float(max(shown.max(), shown.min() + 1e-9))
    if centre:
        high = max(abs(low), abs(high))
        low = -high
    norm = Normalize(low, high)
    columns = min(n, 2) if style.narrow else min(n, 3)
    rows = -(-n // columns)
    figure = empty_figure(*style.size(2.0 + 3.1 * columns, 1.5 + 2.9 * rows, 2.2 * rows), title, style)
    image: Any = None
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for ax, (name, _, numbers) in zip(grid.ravel(), found.crews, strict=False):
        plain(ax, style)
        xs, ys = (np.unique(table.numbers[numbers, c]) for c in (x, y))
        order = numbers[np.lexsort((table.numbers[numbers, x], table.numbers[numbers, y]))].reshape(len(ys), len(xs))
        edges = edges_of(xs), edges_of(ys)
        image = ax.pcolormesh(*edges, mean[order], cmap=cmap, norm=norm, edgecolors="face", linewidth=0.2)
        for mask, look in (
            (found.feasible, {"ls": (0, (3, 1.5)), "lw": 1.1}),
            (found.certified, {"ls": "-", "lw": 1.9}),
        ):
            ax.add_collection(LineCollection(borders(mask[order], *edges), colors=INK, zorder=3, **look))
        if mark is not None and mark in numbers:
            ax.plot(
                table.numbers[mark, x],
                table.numbers[mark, y],
                "*",
                ms=style.points(15),
                mfc="white",
                mec=INK,
                zorder=5,
                clip_on=False,
            )
        ax.set_title(name, fontsize=style.points(10), loc="left")
        ax.margins(0.012)
    for ax in grid.ravel()[n:]:
        ax.remove()
    for ax in grid.ravel()[max(0, n - columns) : n]:  # the last of each column
        ax.set_xlabel(table.terms[x])
        ax.tick_params(labelbottom=True)
        ax.xaxis.set_major_locator(MaxNLocator(4))
    for ax in grid[:, 0]:
        ax.set_ylabel(table.terms[y])
    colour_bar(figure, image, grid.ravel()[:n].tolist(), label, style)
    looks: list[tuple[bool, dict[str, Any], str]] = [
        (bool(found.feasible.any()), {"color": INK, "ls": (0, (3, 1.5)), "lw": 1.1}, "feasible: no margin below 0 as measured"),
        (bool(found.certified.any()), {"color": INK, "lw": 1.9}, "certified"),
        (mark is not None, {"ls": "none", "marker": "*", "ms": 13, "mfc": "white", "mec": INK}, f"best {found.word} contract"),
    ]  # fmt: skip
    there = [(Line2D([], [], **look), text) for seen, look, text in looks if seen]
    legend(figure, [handle for handle, _ in there], [text for _, text in there], style, "outside lower center")
    return figure


def _scatter(
    found: DesignFindings, mean: FloatArray, beyond: FloatArray, label: str, title: str, style: FigureStyle,
    mark: int | None, level: Level,
) -> Figure:  # fmt: skip
    table, columns = found.landscape, range(len(found.landscape.terms))
    across = 1 if style.narrow else 3
    down = -(-len(columns) // across)
    figure = empty_figure(*style.size(3.3 * across + 1.0, 2.7 * down + 1.2, 2.3 * down), title, style)
    axes = panels(figure, len(columns), style) if style.narrow else _grid(figure, down, across, len(columns), style)
    everything = np.arange(1, len(mean))
    kinds: tuple[tuple[str, BoolArray, dict[str, Any]], ...] = (
        ("certified", found.certified, {"marker": "o", "mfc": INK}),
        ("feasible", found.feasible & ~found.certified, {"marker": "o", "mfc": "white"}),
        ("not feasible", ~found.feasible & ~found.certified, {"marker": "x", "mfc": "none"}),
    )
    for ax, column in zip(axes, columns, strict=True):
        for name, mask, look in kinds:
            some = everything[mask[1:]]
            ax.errorbar(table.numbers[some, column], mean[some], yerr=beyond[some], ls="none", mec=INK, ecolor=GREY,
                        ms=style.points(4), elinewidth=style.points(0.6), label=name, **look)  # fmt: skip
        ax.axhline(level.at, color=INK, ls="--", lw=style.points(1.1), label=level.name)
        if mark is not None:
            ax.plot(table.numbers[mark, column], mean[mark], "*", ms=style.points(15), mfc="white", mec=INK, zorder=6)
        ax.set_xlabel(table.terms[column])
    figure.supylabel(label, fontsize=style.points(10))
    legend(figure, *named(axes[0]), style, "outside lower center")
    return figure


def _grid(figure: Figure, down: int, across: int, n: int, style: FigureStyle) -> list[Axes]:
    axes = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for ax in axes[n:]:
        ax.remove()
    for ax in axes[:n]:
        plain(ax, style)
    return list(axes[:n])


def edges_of(values: FloatArray) -> FloatArray:
    """Edges of the cells of rising values, (T,) -> (T + 1,): halfway to the next, and no further than the range."""
    if len(values) == 1:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    middle = (values[1:] + values[:-1]) / 2.0
    return np.array([values[0], *middle, values[-1]])


def borders(mask: BoolArray, xs: FloatArray, ys: FloatArray) -> list[list[tuple[float, float]]]:
    """Lines around the cells (Y, X) that a mask holds, between edges (X + 1,) and (Y + 1,).

    >>> len(borders(np.array([[True, True]]), np.arange(3.0), np.arange(2.0)))
    6
    """
    padded = np.pad(mask, 1)
    lines = []
    for row, column in zip(*np.nonzero(padded[:, 1:] != padded[:, :-1]), strict=True):
        lines.append([(xs[column], ys[row - 1]), (xs[column], ys[row])])
    for row, column in zip(*np.nonzero(padded[1:] != padded[:-1]), strict=True):
        lines.append([(xs[column - 1], ys[row]), (xs[column], ys[row])])
    return lines
