"""Pictures of the welfare of all contracts of a landscape: findings in, a matplotlib Figure out.

Amounts are apples per episode. Colour tells welfare (map `cividis`); outlines tell what is feasible and what is certified.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.bounds import FloatArray
from contract_wrapper.reports.figure_style import SCREEN, FigureStyle, empty_figure, legend, named, plain
from contract_wrapper.reports.landscape_findings import Findings, Rows
from contract_wrapper.reports.landscape_style import (
    cell_edges,
    count,
    line_with_band,
    note,
    panels,
    runs,
    tax_axis,
    width,
)
from contract_wrapper.reports.style import FAINT, GREEN, GREY, INK, TAX, WELFARE, colour_bar, crew_name, crew_style

FEASIBLE, CERTIFIED = "feasible", "certified"
"""Names (gid) of the outlines in the picture of all contracts."""

_HALF = 0.36
"""Half the height of a row of the map, whose rows stand 1 apart."""

DASHES = ("-", (0, (5, 1)), (0, (3, 1, 1, 1)), "-", (0, (1, 1)))
"""Dashes of the line of each crew size, so that colour is not all that tells them apart."""

_CASING = [withStroke(linewidth=3.4, foreground="white")]


def draw_welfare(found: Findings, *, style: FigureStyle = SCREEN) -> Figure:
    """Welfare of all contracts: as a map over tax and cleaners, and as lines over tax, whole and near the best."""
    if not found.crews:
        raise ContractsError("the landscape has no contract with cleaners")
    n = max(3, len(found.crews))
    upper, lower = 1.45 + 0.55 * n, 4.5
    if style.narrow:
        upper, lower = 0.9 + 0.3 * n, 4.0
    figure = empty_figure(*style.size(10.4, upper + lower, upper + lower), welfare_title(found), style)
    parts: Any = figure.subfigures(2, 1, height_ratios=(upper, lower))
    _map(parts[0], parts[0].subplots(), found, style)
    left, right = parts[1].subplots(*((2, 1) if style.narrow else (1, 2)))
    for ax in (left, right):
        plain(ax, style)
        ax.set(xlabel=TAX, ylabel=WELFARE, xlim=(-0.01, max(1.0, *(c.tax.max() for c in found.crews)) + 0.01))
        for crew in found.crews:
            _line(ax, found, crew, style)
        _base(ax, found, style)
        if found.best is not None:
            ax.plot(found.landscape.tax[found.best], found.welfare.mean[found.best], "*", ms=style.points(15),
                    mfc="white", mec=INK, mew=style.points(1.4), zorder=6)  # fmt: skip
    left.set_title("all contracts", fontsize=style.points(10), loc="left")
    _near_the_best(right, found, style)
    legend(parts[1], *named(left), style, "outside upper left")
    note(
        parts[1],
        f"Lines: means over {count(len(found.landscape.seeds), 'training')}, thick where the contract is certified. "
        f"Bands: 95 % intervals over {found.over}, contract by contract.",
        figure.get_figwidth(), style,
    )  # fmt: skip
    return figure


def welfare_title(found: Findings) -> str:
    """What the picture of all contracts shows, in a sentence."""
    k = int((found.landscape.n_cleaners > 0).sum())
    if found.best is None:
        return f"None of {count(k, 'contract')} is feasible"
    best = found.named(found.best)
    return (
        f"Best {found.competing_word} contract: {best}, welfare {found.welfare.mean[found.best]:.0f}; of {count(k, 'contract')} "
        f"{found.feasible.sum()} are feasible, {found.certified.sum() or 'none'} certified, and "
        f"{_rest(found)}"
    )


def _rest(found: Findings) -> str:
    n, competing = int(found.alike.sum()), int(found.competing.sum())
    if n == 1:
        return "every other of these is worse" if competing > 1 else f"no other one is {found.competing_word}"
    return f"{n} cannot be told from the best (itself among them)"


def _map(part: SubFigure, ax: Axes, found: Findings, style: FigureStyle) -> None:
    points = style.points
    table, values = found.landscape, found.welfare.mean
    norm = Normalize(values.min(), max(values.max(), values.min() + 1e-9))
    outlines: tuple[tuple[str, Any, float, dict[str, Any]], ...] = (
        (FEASIBLE, found.feasible, _HALF + 0.045, {"ec": INK, "lw": points(1.1), "ls": (0, (3, 1.5))}),
        (CERTIFIED, found.certified, _HALF - 0.07, {"ec": INK, "lw": points(1.8), "path_effects": _CASING}),
    )
    for place, crew in enumerate(found.crews):
        edges = cell_edges(crew.tax)
        image = ax.pcolormesh(
            edges,
            [place - _HALF, place + _HALF],
            values[crew.numbers][None],
            cmap="cividis",
            norm=norm,
            zorder=1,
            edgecolors="face",
            linewidth=0.2,  # else viewers of PDF show gaps between the cells
        )
        for gid, mask, half, look in outlines:
            for first, last in runs(mask[crew.numbers]):
                corner, width = (edges[first], place - half), edges[last + 1] - edges[first]
                ax.add_patch(Rectangle(corner, width, 2 * half, fill=False, gid=gid, zorder=3, **look))
        some = crew.numbers[found.alike[crew.numbers]]
        ax.plot(table.tax[some], np.full(len(some), place), ".", ms=points(4.5), mfc="white", mec=INK, mew=points(0.5), zorder=4,
                gid="alike")  # fmt: skip
        if found.best in crew.numbers:
            ax.plot(table.tax[found.best], place, "*", ms=points(17), mfc="white", mec=INK, mew=points(1.4), zorder=5,
                    gid="best")  # fmt: skip
    ax.set(
        xlabel=TAX, ylabel="cleaners recruited", yticks=range(len(found.crews)), xlim=(-0.012, 1.012),
        yticklabels=[str(crew.n_cleaners) for crew in found.crews], ylim=(-0.55, len(found.crews) - 0.45),
    )  # fmt: skip
    plain(ax, style)
    ax.spines["left"].set_visible(False)
    bar = colour_bar(part, image, ax, WELFARE, style, pad=0.035, aspect=16)
    bar.ax.axhline(values[0], color="white", lw=points(1.6))
    bar.ax.axhline(values[0], color=INK, lw=points(1.6), ls=(0, (2, 1)))
    _legend(part, found, style)


def _legend(part: SubFigure, found: Findings, style: FigureStyle) -> None:
    """Name what the map shows, and only that."""
    points, names = style.points, list[tuple[Artist, str]]()
    if found.feasible.any():
        look = Patch(fc="none", ec=INK, lw=points(1.1), ls=(0, (3, 1.5)))
        names.append((look, "feasible: no margin below 0 as measured"))
    if found.certified.any():
        look = Patch(fc="none", ec=INK, lw=points(1.8))
        names.append((look, f"certified: nobody loses or gains by leaving (up to {found.epsilon:.1f})"))
    if found.best is not None:
        for marker, size, text in (("*", 13, "best of these"), (".", 6, "cannot be told from it")):
            names.append((Line2D([], [], ls="none", marker=marker, ms=points(size), mfc="white", mec=INK), text))
    look_of_bar = Line2D([], [], color=INK, lw=points(1.6), ls=(0, (2, 1)))
    names.append((look_of_bar, f"in the bar: no contract, {found.welfare.mean[0]:.0f}"))
    legend(part, [handle for handle, _ in names], [text for _, text in names], style, "outside upper left")


def _line(ax: Axes, found: Findings, crew: Rows, style: FigureStyle) -> None:
    colour, _ = crew_style(crew.n_cleaners)
    mean, low, high = (values[crew.numbers] for values in found.welfare)
    line_with_band(
        ax, crew.tax, mean, low, high, colour=colour, lw=style.points(1.2), ms=style.points(5), gid="mean",
        label=crew_name(crew.n_cleaners), ls=DASHES[(crew.n_cleaners - 1) % len(DASHES)],
    )  # fmt: skip
    for first, last in runs(found.certified[crew.numbers]):
        some = slice(first, last + 1)
        ax.plot(crew.tax[some], mean[some], color=colour, lw=style.points(3.4), zorder=3, gid=CERTIFIED,
                solid_capstyle="butt" if last > first else "round")  # fmt: skip


def _base(ax: Axes, found: Findings, style: FigureStyle) -> None:
    mean, low, high = (float(values[0]) for values in found.welfare)
    ax.axhspan(low, high, color=GREY, alpha=0.15, lw=0)
    ax.axhline(mean, color=INK, ls=(0, (4, 2)), lw=style.points(1.1), label="no contract")


def _near_the_best(ax: Axes, found: Findings, style: FigureStyle) -> None:
    """Show the upper end only, where contracts are hard to tell apart: what lies far below does not set the limits."""
    mean, high = found.welfare.mean[1:], found.welfare.high[1:]
    peak = float(found.welfare.mean[found.best]) if found.best is not None else float(mean.max())
    depth = max(0.08 * abs(peak), 1e-6)
    near = mean >= peak - depth
    top = float(np.nanmax(high[near], initial=peak))
    ax.set_ylim(peak - max(depth, 1.5 * (top - peak)), top + 0.1 * depth)
    ax.set_title("the same near the best", fontsize=style.points(10), loc="left")


def draw_alike(found: Findings, *, style: FigureStyle = SCREEN) -> Figure:
    """Welfare of the competing contracts less that of the best, with bounds that hold for all of them together."""
    if found.best is None:
        raise ContractsError("no contract is feasible, so there is no best one to compare others with")
    rows = [c for c in found.crews if found.competing[c.numbers].any()]
    bounds = found.behind
    mean, lower, upper = bounds.mean[0].copy(), bounds.lower[0], bounds.upper[0]
    mean[found.best] = 0.0
    n, competing, inches = int(found.alike.sum()), int(found.competing.sum()), width(len(rows), style)
    if n > 1:
        title = f"{n} of {competing} {found.competing_word} contracts cannot be told from the best, {found.named(found.best)}"
    elif competing > 1:
        title = f"The best contract, {found.named(found.best)}, is better than every other {found.competing_word} one"
    else:
        title = f"Only one contract is {found.competing_word}: {found.named(found.best)}"
    size = style.size(inches, 4.4, 1.2 + 1.5 * -(-len(rows) // 2))
    figure = empty_figure(*size, title, style)
    near = found.alike & (np.arange(len(mean)) != found.best)
    depth = max(1e-6, _depth(-lower[near]) if near.any() else 0.04 * abs(found.welfare.mean[found.best]))
    above = max(0.2 * depth, 1.1 * min(float(np.nanmax(upper[near], initial=0.0)), depth))
    beyond = int(((lower < -depth) | (upper > above))[near].sum())
    points = style.points
    for ax, crew in zip(panels(figure, len(rows), style, sharex=True, sharey=True), rows, strict=True):
        ax.axhline(0.0, color=INK, lw=points(1))
        for mask, colour, marker, gid in (
            (found.competing & ~found.alike, FAINT, "s", "told apart"), (near, GREEN, "o", "alike"),
        ):  # fmt: skip
            some = crew.numbers[mask[crew.numbers]]
            ax.vlines(found.landscape.tax[some], lower[some], upper[some], color=colour, lw=points(0.9), alpha=0.55,
                      zorder=1)  # fmt: skip
            ax.plot(found.landscape.tax[some], mean[some], marker, ls="none", ms=points(4), color=colour, mec="white",
                    mew=points(0.4), zorder=2, gid=gid)  # fmt: skip
        if found.best in crew.numbers:
            ax.plot(found.landscape.tax[found.best], 0.0, "*", ms=points(15), mfc="white", mec=INK, mew=points(1.4),
                    zorder=4)  # fmt: skip
        ax.set_title(crew_name(crew.n_cleaners), fontsize=points(10), loc="left")
        ax.set_ylim(-depth, above)
        tax_axis(ax)
        nearest = float(np.nanmax(mean[crew.numbers]))
        if nearest < -depth:
            ax.text(0.5, -0.07 * depth, f"at best {-nearest:.0f} less\n(below the picture)", ha="center", va="top",
                    color=GREY, fontsize=points(9))  # fmt: skip
    figure.supylabel("welfare less that of the best\n(apples per episode)", fontsize=points(10))
    note(
        figure,
        f"{TAX}\nGreen discs: cannot be told from the best (star); grey squares: worse than it, or than another, beyond the "
        f"error. Bars: bounds on paired differences, each side holding for all {count(competing, 'contract')} together with "
        f"95 %, over {found.over}." + (f" Bars of {count(beyond, 'green disc')} go on outside of the picture." if beyond else ""),
        inches, style,
    )  # fmt: skip
    return figure


def _depth(reach: FloatArray) -> float:
    """How far below the best a picture goes: to the ends of the bars, but for a few that are far longer than most."""
    usual = float(np.quantile(reach, 0.9))
    return 1.25 * min(float(reach.max()), 2.0 * usual)
