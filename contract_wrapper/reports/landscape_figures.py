"""Pictures of the welfare of all contracts of a landscape: findings in, a matplotlib Figure out.

Amounts are apples per episode. Colour tells welfare (map `cividis`); outlines tell who accepts and what is certified.
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
from contract_wrapper.reports.landscape_findings import Findings, Rows
from contract_wrapper.reports.landscape_style import (
    TAX,
    WELFARE,
    apart,
    cell_edges,
    count,
    crew_name,
    crew_style,
    line_with_band,
    note,
    runs,
    width,
)
from contract_wrapper.reports.style import FAINT, GREEN, GREY, INK, empty_figure, plain

ACCEPTED, CERTIFIED = "accepted", "certified"
"""Names (gid) of the outlines in the picture of all contracts."""

_HALF = 0.36
"""Half the height of a row of the map, whose rows stand 1 apart."""

_CASING = [withStroke(linewidth=3.4, foreground="white")]


def draw_welfare(found: Findings) -> Figure:
    """Welfare of all contracts: as a map over tax and cleaners, and as lines over tax, whole and near the best."""
    if not found.crews:
        raise ContractsError("the landscape has no contract with cleaners")
    n = max(3, len(found.crews))
    figure = empty_figure(10.4, 5.6 + 0.55 * n, welfare_title(found))
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.45 + 0.55 * n, 4.2))
    _map(parts[0], parts[0].subplots(), found)
    left, right = parts[1].subplots(1, 2)
    for ax in (left, right):
        plain(ax)
        ax.set(xlabel=TAX, xlim=(-0.01, max(1.0, *(c.tax.max() for c in found.crews)) + 0.01))
        for crew in found.crews:
            _line(ax, found, crew)
        _base(ax, found)
    left.set_ylabel(WELFARE)
    left.set_title("all contracts", fontsize=10, loc="left")
    _near_the_best(right, found)
    if found.best is not None:
        for ax in (left, right):
            ax.plot(found.landscape.tax[found.best], found.welfare.mean[found.best], "*", ms=15, mfc="white",
                    mec=INK, mew=1.4, zorder=6)  # fmt: skip
    _label_lines(left, found)
    parts[1].supxlabel(
        f"Lines: means over {len(found.landscape.seeds)} training{'s' if len(found.landscape.seeds) > 1 else ''}, "
        f"thick where the contract is certified. Bands: 95 % intervals over {found.over}, contract by contract.",
        fontsize=9, color=GREY,
    )  # fmt: skip
    return figure


def welfare_title(found: Findings) -> str:
    """What the picture of all contracts shows, in a sentence."""
    k = int((found.landscape.n_cleaners > 0).sum())
    if found.best is None:
        return f"None of {count(k, 'contract')} is accepted by everybody"
    best = found.named(found.best)
    return (
        f"Best {found.competing_word} contract: {best}, welfare {found.welfare.mean[found.best]:.0f}; of {count(k, 'contract')} "
        f"{found.accepted.sum()} are accepted by everybody, {found.certified.sum() or 'none'} certified, and "
        f"{_rest(found)}"
    )


def _rest(found: Findings) -> str:
    n, competing = int(found.alike.sum()), int(found.competing.sum())
    if n == 1:
        return "every other of these is worse" if competing > 1 else f"no other one is {found.competing_word}"
    return f"{n} cannot be told from the best (itself among them)"


def _map(part: SubFigure, ax: Axes, found: Findings) -> None:
    table, values = found.landscape, found.welfare.mean
    norm = Normalize(values.min(), max(values.max(), values.min() + 1e-9))
    outlines: tuple[tuple[str, Any, float, dict[str, Any]], ...] = (
        (ACCEPTED, found.accepted, _HALF + 0.045, {"ec": INK, "lw": 1.1, "ls": (0, (3, 1.5))}),
        (CERTIFIED, found.certified, _HALF - 0.07, {"ec": INK, "lw": 1.8, "path_effects": _CASING}),
    )
    for place, crew in enumerate(found.crews):
        edges = cell_edges(crew.tax)
        image = ax.pcolormesh(
            edges, [place - _HALF, place + _HALF], values[crew.numbers][None], cmap="cividis", norm=norm, zorder=1
        )
        for gid, mask, half, style in outlines:
            for first, last in runs(mask[crew.numbers]):
                corner, width = (edges[first], place - half), edges[last + 1] - edges[first]
                ax.add_patch(Rectangle(corner, width, 2 * half, fill=False, gid=gid, zorder=3, **style))
        some = crew.numbers[found.alike[crew.numbers]]
        ax.plot(table.tax[some], np.full(len(some), place), ".", ms=4.5, mfc="white", mec=INK, mew=0.5, zorder=4,
                gid="alike")  # fmt: skip
        if found.best in crew.numbers:
            ax.plot(table.tax[found.best], place, "*", ms=17, mfc="white", mec=INK, mew=1.4, zorder=5, gid="best")
    ax.set(
        xlabel=TAX, ylabel="cleaners recruited", yticks=range(len(found.crews)), xlim=(-0.012, 1.012),
        yticklabels=[str(crew.n_cleaners) for crew in found.crews], ylim=(-0.55, len(found.crews) - 0.45),
    )  # fmt: skip
    plain(ax)
    ax.spines["left"].set_visible(False)
    bar = part.colorbar(image, ax=ax, label=WELFARE, pad=0.035, aspect=16)
    bar.ax.axhline(values[0], color="white", lw=1.6)
    bar.ax.axhline(values[0], color=INK, lw=1.6, ls=(0, (2, 1)))
    bar.ax.set_xlabel(f"dashed:\nno contract,\n{values[0]:.0f}", fontsize=8)
    _legend(part, found)


def _legend(part: SubFigure, found: Findings) -> None:
    """Name what the map shows, and only that."""
    names: list[tuple[Artist, str]] = []
    if found.accepted.any():
        names.append((Patch(fc="none", ec=INK, lw=1.1, ls=(0, (3, 1.5))), "accepted by everybody, as measured"))
    if found.certified.any():
        names.append(
            (
                Patch(fc="none", ec=INK, lw=1.8),
                f"certified: nobody loses or gains by leaving (up to {found.epsilon:.1f})",
            )
        )
    if found.best is not None:
        names.append((Line2D([], [], ls="none", marker="*", ms=13, mfc="white", mec=INK), "best of these"))
        names.append((Line2D([], [], ls="none", marker=".", ms=6, mfc="white", mec=INK), "cannot be told from it"))
    if names:
        handles, labels = zip(*names, strict=True)
        part.legend(handles, labels, loc="outside upper center", ncols=len(names), frameon=False, fontsize=9)


def _line(ax: Axes, found: Findings, crew: Rows) -> None:
    colour, _ = crew_style(crew.n_cleaners)
    mean, low, high = (values[crew.numbers] for values in found.welfare)
    line_with_band(ax, crew.tax, mean, low, high, colour=colour, lw=1.2, gid="mean")
    thick = np.where(found.certified[crew.numbers], mean, np.nan)
    ax.plot(crew.tax, thick, color=colour, lw=3.4, zorder=3, solid_capstyle="butt", gid=CERTIFIED)


def _base(ax: Axes, found: Findings) -> None:
    mean, low, high = (float(values[0]) for values in found.welfare)
    ax.axhspan(low, high, color=GREY, alpha=0.15, lw=0)
    ax.axhline(mean, color=INK, ls=(0, (4, 2)), lw=1.1)


def _near_the_best(ax: Axes, found: Findings) -> None:
    """Show the upper end only, where contracts are hard to tell apart."""
    mean = found.welfare.mean
    top = float(np.nanmax(found.welfare.high[1:]))
    peak = float(mean[found.best]) if found.best is not None else float(mean[1:].max())
    depth = max(0.08 * abs(peak), 1.5 * (top - peak), 1e-6)
    ax.set_ylim(peak - depth, max(top, peak) + 0.1 * depth)
    ax.set_title("the same near the best", fontsize=10, loc="left")


def _label_lines(ax: Axes, found: Findings) -> None:
    """Write each crew's name at the end of its line, and that of no contract, moved apart where they would overlap."""
    mean = found.welfare.mean
    texts = [(float(mean[c.numbers[-1]]), crew_name(c.n_cleaners), crew_style(c.n_cleaners)[0]) for c in found.crews]
    texts.append((float(mean[0]), "no contract", INK))
    low, high = ax.get_ylim()
    places = apart([value for value, *_ in texts], 0.055 * (high - low))
    for (value, name, colour), place in zip(texts, places, strict=True):
        ax.annotate(
            name, (1.0, value), (1.05, place), xycoords=("axes fraction", "data"), textcoords=("axes fraction", "data"),
            fontsize=9, va="center", annotation_clip=False, color=INK,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 1.6, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip


def draw_alike(found: Findings) -> Figure:
    """Welfare of the competing contracts less that of the best, with bounds that hold for all of them together."""
    if found.best is None:
        raise ContractsError("no contract is accepted by everybody, so there is no best one to compare others with")
    rows = [c for c in found.crews if found.competing[c.numbers].any()]
    bounds = found.behind
    mean, lower, upper = bounds.mean[0].copy(), bounds.lower[0], bounds.upper[0]
    mean[found.best] = 0.0
    n, competing, inches = int(found.alike.sum()), int(found.competing.sum()), width(len(rows))
    if n > 1:
        title = f"{n} of {competing} {found.competing_word} contracts cannot be told from the best, {found.named(found.best)}"
    elif competing > 1:
        title = f"The best contract, {found.named(found.best)}, is better than every other {found.competing_word} one"
    else:
        title = f"Only one contract is {found.competing_word}: {found.named(found.best)}"
    figure = empty_figure(inches, 4.4, title)
    axes = np.atleast_1d(figure.subplots(1, len(rows), sharey=True))
    near = found.alike & (np.arange(len(mean)) != found.best)
    depth = max(
        1e-6, 1.25 * -float(np.nanmin(lower[near])) if near.any() else 0.04 * abs(found.welfare.mean[found.best])
    )
    for ax, crew in zip(axes, rows, strict=True):
        plain(ax)
        ax.axhline(0.0, color=INK, lw=1)
        for mask, colour, gid in ((found.competing & ~found.alike, FAINT, "told apart"), (near, GREEN, "alike")):
            some = crew.numbers[mask[crew.numbers]]
            ax.vlines(found.landscape.tax[some], lower[some], upper[some], color=colour, lw=0.9, alpha=0.55, zorder=1)
            ax.plot(found.landscape.tax[some], mean[some], "o", ms=4, color=colour, mec="white", mew=0.4, zorder=2,
                    gid=gid)  # fmt: skip
        if found.best in crew.numbers:
            ax.plot(found.landscape.tax[found.best], 0.0, "*", ms=15, mfc="white", mec=INK, mew=1.4, zorder=4)
        ax.set_title(crew_name(crew.n_cleaners), fontsize=10, loc="left")
        ax.set(xlim=(-0.03, 1.03), ylim=(-depth, max(0.2 * depth, 1.1 * float(np.nanmax(upper[near], initial=0.0)))))
        nearest = float(np.nanmax(mean[crew.numbers]))
        if nearest < -depth:
            ax.text(0.5, -0.07 * depth, f"at best {-nearest:.0f} less\n(below the picture)", ha="center", va="top",
                    color=GREY, fontsize=9)  # fmt: skip
    axes[0].set_ylabel("welfare less that of the best\n(apples per episode)")
    note(
        figure,
        f"{TAX}\nGreen: cannot be told from the best (star); grey: worse than it, or than another, beyond the error. Bars: bounds "
        f"on paired differences, each side holding for all {count(competing, 'contract')} together with 95 %, over {found.over}.",
        inches,
    )
    return figure
