"""The picture of the tax from which nobody free-rides, by crew size: findings in, a matplotlib Figure out."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.thresholds import Threshold
from contract_wrapper.reports.figure_style import SCREEN, FigureStyle, empty_figure, legend, plain
from contract_wrapper.reports.landscape_findings import Findings
from contract_wrapper.reports.landscape_style import note
from contract_wrapper.reports.style import CLEANER, FAINT, GREY, HARVESTER, crew_name


def draw_free_riding(found: Findings, *, style: FigureStyle = SCREEN) -> Figure:
    """The tax from which nobody free-rides, by crew size, beside its prediction."""
    kinds = (
        ("measured", found.thresholds, -0.14, HARVESTER, "o"),
        ("predicted", found.predictions, 0.14, CLEANER, "D"),
    )
    known = [t for _, by_crew, *_ in kinds for t in by_crew.values() if isinstance(t, Threshold)]
    if not known:
        why = next((str(t) for t in found.thresholds.values()), "the landscape has no contract with cleaners")
        raise ContractsError(why)
    points = style.points
    figure = empty_figure(*style.size(8.4, 5.8, 3.3), free_riding_title(found), style)
    body: Any = figure.subfigures(1, 1)  # its legend then stands below the title
    ax = body.subplots()
    plain(ax, style)
    never = 1.25
    for kind, by_crew, aside, colour, marker in kinds:
        for place, crew in enumerate(found.crews):
            it = by_crew[crew.n_cleaners]
            if isinstance(it, Threshold):
                _threshold(ax, it, place + aside, never, colour, marker, kind, style)
            elif kind == "measured":
                ax.annotate("not\nmeasured", (place + aside, 0.0), (0, points(6)), textcoords="offset points", ha="center",
                            fontsize=points(8.5), color=GREY)  # fmt: skip
    beyond = any(not np.isfinite(t.per_training).all() for t in known)
    ax.set_yscale("function", functions=(lambda tax: np.sqrt(np.maximum(tax, 0.0)), np.square))
    ticks = [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0]
    ax.set_yticks(
        [*ticks, *([never] if beyond else [])], [*(f"{t:g}" for t in ticks), *(["at none"] if beyond else [])]
    )
    room = max(0.0, (3 - len(found.crews)) / 2)
    ax.set(
        xticks=range(len(found.crews)), xticklabels=[crew_name(c.n_cleaners).replace(" ", "\n" if style.narrow else " ") for c in found.crews],
        xlim=(-0.6 - room, len(found.crews) - 0.4 + room), ylim=(0.0, 1.35 if beyond else 1.03),
        ylabel="tax from which nobody free-rides\n(share of harvest income, square-root scale)",
    )  # fmt: skip
    ax.grid(axis="y", color=FAINT, lw=points(0.5))
    names = [
        (Line2D([], [], marker="o", color=HARVESTER, ms=points(8), lw=points(1.6)), "measured: a cleaner that never works gains nothing beyond its error"),
        (Line2D([], [], marker="D", mfc="white", color=CLEANER, ms=points(8), lw=points(1.6)),
         "predicted: its share of what a cleaner adds pays for its shots"),
    ]  # fmt: skip
    if any(t.at_smallest.any() for t in known):
        small = Line2D([], [], marker="v", color=GREY, ms=points(6), ls="none")
        names.append((small, "the lowest tax compared: the true one may lie below"))
    handles, labels = zip(*names, strict=True)
    legend(body, handles, labels, style, "outside upper left")
    n = len(found.landscape.seeds)
    several = f"Small markers: one training each. Large: their mean, with the 95 % interval over {n} trainings."
    note(
        body,
        several if n > 1 else "One training: nothing is known of others, so there is no interval.",
        figure.get_figwidth(),
        style,
    )
    return figure


def _threshold(
    ax: Axes, it: Threshold, x: float, never: float, colour: str, marker: str, gid: str, style: FigureStyle
) -> None:
    """Draw a threshold: a small marker per training, and mean and interval where there are any."""
    points = style.points
    several, side = len(it.per_training) > 1, -1 if gid == "measured" else 1
    shift = np.linspace(-0.07, 0.07, len(it.per_training)) if several else np.zeros(1)
    for value, small, dx in zip(it.per_training, it.at_smallest, shift, strict=True):
        y = float(value) if np.isfinite(value) else never
        ax.plot(x + dx, y, "v" if small else "^" if y == never else marker, ms=points(5 if several else 8), color=colour, alpha=0.5 if several else 1.0,
                mec="none" if several else colour, mfc=colour if several else "white", zorder=2, gid=f"{gid}, one training")  # fmt: skip
    if it.interval is not None:
        mean, low, high = it.interval.mean, max(it.interval.low, 0.0), min(it.interval.high, 1.0)
        ax.errorbar([x], [mean], yerr=[[max(mean - low, 0.0)], [max(high - mean, 0.0)]], fmt=marker, color=colour, ms=points(9), capsize=points(4),
                    mfc=colour if gid == "measured" else "white", mew=points(1.6), elinewidth=points(1.6), zorder=3)  # fmt: skip
    value = it.interval.mean if it.interval is not None else float(it.per_training[0])
    if (it.interval is not None or not several) and np.isfinite(value) and not style.narrow:  # else no room
        ax.annotate(f"{value:.2f}", (x, value), (points(13 * side), 0), textcoords="offset points", va="center", fontsize=points(9),
                    ha="right" if side < 0 else "left", color=colour)  # fmt: skip


def free_riding_title(found: Findings) -> str:
    """What the picture of free-riding shows, in a sentence."""
    parts = [
        f"{it.interval.mean:.2f} ({crew_name(n)})" if it.interval else f"{it.per_training[0]:g} ({crew_name(n)})"
        for n, it in found.thresholds.items()
        if isinstance(it, Threshold)
        and (it.interval or (len(it.per_training) == 1 and np.isfinite(it.per_training[0])))
    ]
    if not parts:
        return "From which tax on nobody free-rides is not known for any crew size"
    return f"Nobody free-rides from a tax of {', '.join(parts)} on"
