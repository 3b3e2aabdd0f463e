"""Pictures of who gains what in a landscape: by leaving the crew's play, by the contract, and where free-riding ends.

Findings in, a matplotlib Figure out; amounts are apples per episode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.fields import ROLES
from contract_wrapper.landscapes.thresholds import FREE_RIDER, Threshold
from contract_wrapper.reports.landscape_findings import LEARNED, Band, Findings, Rows
from contract_wrapper.reports.landscape_style import TAX, crew_name, in_words, runs
from contract_wrapper.reports.style import CLEANER, FAINT, GREY, HARVESTER, INK, empty_figure, plain

_LEARNED_STYLES = (("#CC79A7", (0, (4, 1.5))), ("#0072B2", (0, (1, 1))), ("#009E73", (0, (5, 1, 1, 1))))
_STRONGEST = "strongest of all that were tried, measured on other episodes"


class _Series(NamedTuple):
    """One line of a panel of gains."""

    name: str
    tax: np.ndarray
    band: Band
    colour: str
    style: object
    width: float


def draw_gains(found: Findings) -> Figure:
    """Gains by deviating alone, over tax: a row for each role, a column for each crew size."""
    table = found.landscape
    rows = [
        r
        for r in range(len(ROLES))
        if np.isfinite(table.gains[..., r]).any() or np.isfinite(table.tried[:, :, r]).any()
    ]
    if not rows or not found.crews:
        raise ContractsError("no gain of any deviation was measured in this landscape")
    figure = empty_figure(_width(found), 2.0 + 2.6 * len(rows), gains_title(found))
    body: Any = figure.subfigures(1, 1)  # its legend then stands below the title
    axes = body.subplots(len(rows), len(found.crews), sharex=True, sharey="row", squeeze=False)
    names: dict[str, Line2D] = {}  # own handles: a drawn line does not give its dashes back
    for line, role in zip(axes, rows, strict=True):
        panels = [_series(found, role, crew) for crew in found.crews]
        low, high = _gain_limits(panels, found.epsilon)
        for ax, crew, some in zip(line, found.crews, panels, strict=True):
            plain(ax)
            ax.axhspan(found.epsilon, high, color="#F3E3DA", lw=0, zorder=0)
            ax.axhline(0.0, color=INK, lw=0.9, zorder=1)
            ax.axhline(found.epsilon, color=HARVESTER, lw=1, ls=(0, (4, 2)), zorder=1, gid="epsilon")
            for s in some:
                ax.fill_between(s.tax, s.band.low, s.band.high, color=s.colour, alpha=0.2, lw=0, zorder=2)
                ax.plot(s.tax, s.band.mean, color=s.colour, ls=s.style, lw=s.width, zorder=3,
                        marker="." if len(s.tax) <= 15 else None, ms=4, gid=s.name)  # fmt: skip
                names.setdefault(s.name, Line2D([], [], color=s.colour, ls=s.style, lw=s.width))
            if not some:
                ax.text(0.5, 0.4, "not measured", transform=ax.transAxes, ha="center", color=GREY, fontsize=9)
            ax.set(ylim=(low, high), xlim=(-0.03, 1.03))
            if role == rows[0]:
                ax.set_title(crew_name(crew.n_cleaners), fontsize=10, loc="left")
        line[0].set_ylabel(f"gain of a lone {ROLES[role]}\n(apples per episode)")
        line[0].annotate(f"epsilon {found.epsilon:.2f}", (0.0, found.epsilon), (2, 3), textcoords="offset points",
                         fontsize=8, color=HARVESTER)  # fmt: skip
    body.legend(
        names.values(), [in_words(n) for n in names], loc="outside upper left", ncols=4, frameon=False, fontsize=9
    )
    body.supxlabel(
        f"{TAX}\nBands: 95 % intervals over {found.over}, contract by contract. Shaded: who leaves gains more than epsilon. "
        "Lines that leave a\npanel at its lower edge go on below: who leaves loses more.",
        fontsize=9,
    )  # fmt: skip
    return figure


def gains_title(found: Findings) -> str:
    """What the picture of gains shows, in a sentence."""
    gains = found.gains.mean[[n for c in found.crews for n in c.numbers]]
    measured = np.isfinite(gains)
    if not measured.any():
        return "No gain by the strongest deviation was measured"
    worst = [
        f"a lone {role} {_at_most(float(np.nanmax(gains[:, r])))}"
        for r, role in enumerate(ROLES)
        if measured[:, r].any()
    ]
    over = int((np.nan_to_num(gains, nan=-np.inf) > found.epsilon).any(axis=1).sum())
    who = (
        f"Under {over} of {len(gains)} contracts somebody gains"
        if over
        else f"Under none of {len(gains)} contracts anybody gains"
    )
    return (
        f"{who} more than epsilon ({found.epsilon:.2f}) by leaving alone; {' and '.join(worst)} (means over trainings)"
    )


def _at_most(gain: float) -> str:
    return f"gains at most {gain:.2f}" if gain >= 0.0 else f"loses at least {-gain:.2f}"


def _series(found: Findings, role: int, crew: Rows) -> list[_Series]:
    """What a panel shows, as far as it was measured: strongest, free rider, learned deviators."""
    table = found.landscape
    some = []
    places = [c for c, k in enumerate(table.tried_at) if k in crew.numbers]
    places.sort(key=lambda c: float(table.tax[table.tried_at[c]]))
    styles = iter(_LEARNED_STYLES * len(table.deviations))
    for d, name in enumerate(table.deviations):
        free, learned = name == FREE_RIDER, name.startswith(LEARNED)
        colour, style = next(styles) if learned else (HARVESTER, "-")
        if (free or learned) and places:
            band = Band(*(values[places] for values in found.tried(role, d)))
            label = f"the free rider ({name})" if free else name
            some.append(_Series(label, table.tax[table.tried_at[places]], band, colour, style, 1.8))
    some.append(
        _Series(_STRONGEST, crew.tax, Band(*(values[crew.numbers, role] for values in found.gains)), INK, "-", 1.2)
    )
    return [s for s in some if np.isfinite(s.band.mean).any()]


def _gain_limits(panels: Sequence[Sequence[_Series]], epsilon: float) -> tuple[float, float]:
    """Limits of a row: all that lies above epsilon, and some of what lies below 0."""
    finite = [v[np.isfinite(v)] for some in panels for s in some for v in (s.band.mean, s.band.high)]
    most = max((float(v.max()) for v in finite if len(v)), default=epsilon)
    unit = max(epsilon, 1e-6)
    high = max(1.15 * most, 2.5 * unit)
    least = min((float(v.min()) for v in finite if len(v)), default=-unit)
    usual = np.concatenate([s.band.mean for some in panels for s in some if s.name == _STRONGEST] or [np.zeros(1)])
    deep = max(4.0 * unit, 1.2 * high, -1.4 * float(np.nanmedian(usual)) if np.isfinite(usual).any() else 0.0)
    return max(least - 0.1 * high, -deep), high


def draw_margins(found: Findings) -> Figure:
    """What the contract brings the worst-off and the best-off agent of each role, over tax, by crew size."""
    if not found.crews:
        raise ContractsError("the landscape has no contract with cleaners")
    figure = empty_figure(_width(found), 4.4, margins_title(found))
    body: Any = figure.subfigures(1, 1)  # its legend then stands below the title
    axes = body.subplots(1, len(found.crews), sharey=True, squeeze=False)[0]
    for ax, crew in zip(axes, found.crews, strict=True):
        plain(ax)
        ax.axhline(0.0, color=INK, lw=1, zorder=1)
        for role, colour in (("harvester", HARVESTER), ("cleaner", CLEANER)):
            worst, best = found.margins_of(role, "worst"), found.margins_of(role, "best")
            at = crew.numbers
            ax.fill_between(crew.tax, worst.low[at], worst.high[at], color=colour, alpha=0.2, lw=0, zorder=2)
            mark = "." if len(crew.tax) <= 15 else None
            ax.plot(crew.tax, worst.mean[at], color=colour, lw=2.0, zorder=3, marker=mark, gid=f"worst {role}")
            ax.plot(crew.tax, best.mean[at], color=colour, lw=1.0, ls=(0, (3, 1.5)), zorder=3, gid=f"best {role}")
        ax.set_title(crew_name(crew.n_cleaners), fontsize=10, loc="left")
        ax.set(xlim=(-0.03, 1.03))
    low, high = axes[0].get_ylim()
    for ax, crew in zip(axes, found.crews, strict=True):
        ax.axhspan(low, 0.0, color="#F3E3DA", lw=0, zorder=0)
        for first, last in runs(found.accepted[crew.numbers]):
            ax.plot(crew.tax[[first, last]], [low, low], color=INK, lw=9, solid_capstyle="butt", zorder=4,
                    gid="accepted")  # fmt: skip
        ax.set_ylim(low, high)
    axes[0].set_ylabel("margin (apples per episode)")
    names = [
        (Line2D([], [], color=colour, lw=lw, ls=ls), f"{which} {role}")
        for role, colour in (("harvester", HARVESTER), ("cleaner", CLEANER))
        for which, lw, ls in (("worst-off", 2.0, "-"), ("best-off", 1.0, (0, (3, 1.5))))
    ]
    names.append((Line2D([], [], color=INK, lw=6), "taxes that everybody accepts, as measured"))
    handles, labels = zip(*names, strict=True)
    body.legend(handles, labels, loc="outside upper left", ncols=5, frameon=False, fontsize=9)
    body.supxlabel(
        f"{TAX}\nMargin: a harvester's utility less that without a contract; a cleaner's utility. Bands: 95 % intervals over "
        f"{found.over}.",
        fontsize=9,
    )  # fmt: skip
    return figure


def margins_title(found: Findings) -> str:
    """What the picture of margins shows, in a sentence."""
    if found.best is None:
        return "Under every contract somebody has less than without it"
    contract = found.named(found.best)
    low, high = ([found.margins_of(r, w).mean[found.best] for r in ("harvester", "cleaner")] for w in ("worst", "best"))
    return (
        f"The best contract ({contract}) brings every harvester {span(low[0], high[0])} apples more than no contract, "
        f"and every cleaner {span(low[1], high[1])}"
    )


def span(low: float, high: float) -> str:
    """A range in words, with one decimal.

    >>> span(8.61, 8.64), span(8.6, 12.0)
    ('8.6', '8.6 to 12.0')
    """
    return f"{low:.1f}" if f"{low:.1f}" == f"{high:.1f}" else f"{low:.1f} to {high:.1f}"


def draw_free_riding(found: Findings) -> Figure:
    """The tax from which nobody free-rides, by crew size, beside its prediction."""
    kinds = (
        ("measured", found.thresholds, -0.14, HARVESTER, "o"),
        ("predicted", found.predictions, 0.14, CLEANER, "D"),
    )
    known = [t for _, by_crew, *_ in kinds for t in by_crew.values() if isinstance(t, Threshold)]
    if not known:
        why = next((str(t) for t in found.thresholds.values()), "the landscape has no contract with cleaners")
        raise ContractsError(why)
    figure = empty_figure(8.4, 5.8, free_riding_title(found))
    body: Any = figure.subfigures(1, 1)  # its legend then stands below the title
    ax = body.subplots()
    plain(ax)
    never = 1.25
    for kind, by_crew, aside, colour, marker in kinds:
        for place, crew in enumerate(found.crews):
            it = by_crew[crew.n_cleaners]
            if isinstance(it, Threshold):
                _threshold(ax, it, place + aside, never, colour, marker, kind)
            elif kind == "measured":
                ax.annotate("not\nmeasured", (place + aside, 0.0), (0, 6), textcoords="offset points", ha="center",
                            fontsize=8, color=GREY)  # fmt: skip
    beyond = any(not np.isfinite(t.per_training).all() for t in known)
    ax.set_yscale("function", functions=(lambda tax: np.sqrt(np.maximum(tax, 0.0)), np.square))
    ticks = [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0]
    ax.set_yticks(
        [*ticks, *([never] if beyond else [])], [*(f"{t:g}" for t in ticks), *(["at none"] if beyond else [])]
    )
    ax.set(
        xticks=range(len(found.crews)), xticklabels=[crew_name(c.n_cleaners) for c in found.crews],
        xlim=(-0.6, len(found.crews) - 0.4), ylim=(0.0, 1.35 if beyond else 1.03),
        ylabel="tax from which nobody free-rides\n(share of harvest income, square-root scale)",
    )  # fmt: skip
    ax.grid(axis="y", color=FAINT, lw=0.5)
    names = [
        (Line2D([], [], marker="o", color=HARVESTER, ms=8, lw=1.6), "measured: a cleaner that never works gains nothing beyond its error"),
        (Line2D([], [], marker="D", mfc="white", color=CLEANER, ms=8, lw=1.6),
         "predicted: its share of what a cleaner adds pays for its shots"),
    ]  # fmt: skip
    if any(t.at_smallest.any() for t in known):
        small = Line2D([], [], marker="v", color=GREY, ms=6, ls="none")
        names.append((small, "the lowest tax compared: the true one may lie below"))
    handles, labels = zip(*names, strict=True)
    body.legend(handles, labels, loc="outside upper left", ncols=1, frameon=False, fontsize=9)
    n = len(found.landscape.seeds)
    note = (
        f"Small markers: one training each. Large: their mean, with the 95 % interval over {n} trainings."
        if n > 1
        else "One training: nothing is known of others, so there is no interval."
    )
    body.supxlabel(note, fontsize=9)
    return figure


def _threshold(ax: Axes, it: Threshold, x: float, never: float, colour: str, marker: str, gid: str) -> None:
    """Draw a threshold: a small marker per training, and mean and interval where there are any."""
    shift = np.linspace(-0.07, 0.07, len(it.per_training)) if len(it.per_training) > 1 else np.zeros(1)
    for value, small, dx in zip(it.per_training, it.at_smallest, shift, strict=True):
        y = float(value) if np.isfinite(value) else never
        ax.plot(x + dx, y, "v" if small else "^" if y == never else marker, ms=5, color=colour, alpha=0.5, mec="none",
                zorder=2, gid=f"{gid}, one training")  # fmt: skip
    if it.interval is not None:
        mean, low, high = it.interval.mean, max(it.interval.low, 0.0), min(it.interval.high, 1.0)
        ax.errorbar([x], [mean], yerr=[[max(mean - low, 0.0)], [max(high - mean, 0.0)]], fmt=marker, color=colour, ms=9, capsize=4,
                    mfc=colour if gid == "measured" else "white", mew=1.6, elinewidth=1.6, zorder=3)  # fmt: skip
        side = -1 if gid == "measured" else 1
        ax.annotate(f"{mean:.2f}", (x, mean), (11 * side, 0), textcoords="offset points", va="center", fontsize=9,
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


def _width(found: Findings) -> float:
    return max(7.0, 1.6 + 2.15 * len(found.crews))
