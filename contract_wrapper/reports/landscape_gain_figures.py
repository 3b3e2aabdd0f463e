"""Pictures of who gains what in a landscape: by leaving the crew's play, and by the contract.

Findings in, a matplotlib Figure out; amounts are apples per episode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.table.fields import ROLES
from contract_wrapper.landscapes.thresholds import FREE_RIDER
from contract_wrapper.reports.figure_style import SCREEN, FigureStyle, empty_figure, legend, plain
from contract_wrapper.reports.landscape_findings import LEARNED, Band, Findings, Rows
from contract_wrapper.reports.landscape_style import (
    count,
    in_words,
    line_with_band,
    note,
    panels,
    runs,
    tax_axis,
    width,
)
from contract_wrapper.reports.style import CLEANER, GREY, HARVESTER, INK, TAX, crew_name

_LEARNED_STYLES = (("#CC79A7", (0, (4, 1.5))), ("#0072B2", (0, (1, 1))), ("#009E73", (0, (5, 1, 1, 1))))
_STRONGEST = "strongest of all that were tried, measured on other episodes"


class _Series(NamedTuple):
    """One line of a panel of gains."""

    name: str
    tax: np.ndarray
    band: Band
    colour: str
    dash: object
    width: float


def draw_gains(found: Findings, *, style: FigureStyle = SCREEN) -> Figure:
    """Gains by deviating alone, over tax: a row for each role, a column for each crew size; the other way where narrow.

    Gains are drawn to scale up to twice epsilon, and beyond it by their logarithm.
    """
    table = found.landscape
    rows = [
        r
        for r in range(len(ROLES))
        if np.isfinite(table.gains[..., r]).any() or np.isfinite(table.tried[:, :, r]).any()
    ]
    if not rows or not found.crews:
        raise ContractsError("no gain of any deviation was measured in this landscape")
    points, n = style.points, len(found.crews)
    inches = width(n, style)
    size = style.size(inches, 2.0 + 2.6 * len(rows), 1.1 + 1.3 * n)
    figure = empty_figure(*size, gains_title(found), style)
    body: Any = figure.subfigures(1, 1)  # its legend then stands below the title
    shape = (n, len(rows)) if style.narrow else (len(rows), n)
    axes = body.subplots(*shape, sharex=True, sharey="col" if style.narrow else "row", squeeze=False)
    names: dict[str, Line2D] = {}  # own handles: a drawn line does not give its dashes back
    for line, role in zip(axes.T if style.narrow else axes, rows, strict=True):
        shown = [_series(found, role, crew) for crew in found.crews]
        low, high = _gain_limits(shown, found.epsilon)
        for ax, crew, some in zip(line, found.crews, shown, strict=True):
            plain(ax, style)
            ax.set_yscale("symlog", linthresh=2.0 * max(found.epsilon, 1e-6), linscale=0.7)
            ax.yaxis.set_major_locator(FixedLocator(_ticks(low, high, 2.0 * found.epsilon)))
            ax.yaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_minor_locator(NullLocator())
            ax.axhspan(found.epsilon, high, color="#F3E3DA", lw=0, zorder=0)
            ax.axhline(0.0, color=INK, lw=points(0.9), zorder=1)
            ax.axhline(found.epsilon, color=HARVESTER, lw=points(1), ls=(0, (4, 2)), zorder=1, gid="epsilon")
            for s in some:
                line_with_band(
                    ax, s.tax, *s.band, colour=s.colour, ls=s.dash, lw=points(s.width), ms=points(5), gid=s.name
                )
                names.setdefault(s.name, Line2D([], [], color=s.colour, ls=s.dash, lw=points(s.width)))
            if not some:
                ax.text(0.5, 0.4, "not measured", transform=ax.transAxes, ha="center", color=GREY, fontsize=points(9))
            ax.set_ylim(low, high)
            tax_axis(ax)
            if role == rows[0] or style.narrow:
                ax.set_title(crew_name(crew.n_cleaners), fontsize=points(10), loc="left")
        what = f"gain of a lone {ROLES[role]}\n(apples per episode)"
        if style.narrow:
            line[0].set_title(f"{what}\n\n{crew_name(found.crews[0].n_cleaners)}", fontsize=points(10), loc="left")
        else:
            line[0].set_ylabel(what)
    handles = [*names.values(), Line2D([], [], color=HARVESTER, lw=points(1), ls=(0, (4, 2)))]
    labels = [*map(in_words, names), f"epsilon, {found.epsilon:.2f}"]
    legend(body, handles, labels, style, "outside upper left")
    note(
        body,
        f"{TAX}\nBands: 95 % intervals over {found.over}, contract by contract. Shaded: who leaves gains more than epsilon. "
        f"To scale within ± {2 * found.epsilon:.1f}, logarithmic beyond. Lines that leave a panel at its lower edge go on "
        "below: who leaves loses more.",
        inches, style,
    )  # fmt: skip
    return figure


def _ticks(low: float, high: float, linear: float) -> list[float]:
    """Numbers of an axis that is logarithmic beyond ± linear: 0, and powers of ten outside of it, few enough to read."""
    powers = [10.0**k for k in range(-6, 7) if 10.0**k >= 0.8 * linear]
    found = [-p for p in reversed(powers) if -p >= low] + [0.0] + [p for p in powers if p <= high]
    return found


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
        f"Under {over} of {count(len(gains), 'contract')} somebody gains"
        if over
        else f"Under none of {count(len(gains), 'contract')} anybody gains"
    )
    return f"{who} more than epsilon ({found.epsilon:.2f}) by leaving alone; {' and '.join(worst)} ({_of(found)})"


def _of(found: Findings) -> str:
    return "means over trainings" if len(found.landscape.seeds) > 1 else "one training"


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
        colour, dash = next(styles) if learned else (HARVESTER, "-")
        if (free or learned) and places:
            band = Band(*(values[places] for values in found.tried(role, d)))
            label = f"the free rider ({name})" if free else name
            some.append(_Series(label, table.tax[table.tried_at[places]], band, colour, dash, 1.8))
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


def draw_margins(found: Findings, *, style: FigureStyle = SCREEN) -> Figure:
    """What the contract brings the worst-off and the best-off agent of each role, over tax, by crew size."""
    if not found.crews:
        raise ContractsError("the landscape has no contract with cleaners")
    points, n = style.points, len(found.crews)
    inches = width(n, style)
    figure = empty_figure(*style.size(inches, 4.4, 0.7 + 1.5 * -(-n // 2)), margins_title(found), style)
    body: Any = figure.subfigures(1, 1)  # its legend then stands below the title
    axes = panels(body, n, style, sharex=True, sharey=True)
    roles = (("harvester", HARVESTER), ("cleaner", CLEANER))
    dashed = (0, (3, 1.5))
    for ax, crew in zip(axes, found.crews, strict=True):
        ax.axhline(0.0, color=INK, lw=points(1), zorder=1)
        for role, colour in roles:
            worst, best = found.margins_of(role, "worst"), found.margins_of(role, "best")
            at = crew.numbers
            line_with_band(ax, crew.tax, *(v[at] for v in worst), colour=colour, lw=points(2), ms=points(5),
                           gid=f"worst {role}")  # fmt: skip
            ax.plot(crew.tax, best.mean[at], color=colour, lw=points(1), ls=dashed, zorder=3, gid=f"best {role}")
        ax.set_title(crew_name(crew.n_cleaners), fontsize=points(10), loc="left")
        tax_axis(ax)
    low, high = axes[0].get_ylim()
    for ax, crew in zip(axes, found.crews, strict=True):
        ax.axhspan(low, 0.0, color="#F3E3DA", lw=0, zorder=0)
        for first, last in runs(found.feasible[crew.numbers]):
            ax.plot(crew.tax[[first, last]], [low, low], color=INK, lw=points(9), solid_capstyle="butt", zorder=4,
                    gid="feasible")  # fmt: skip
        ax.set_ylim(low, high)
    body.supylabel("margin (apples per episode)", fontsize=points(10))
    names = [
        (Line2D([], [], color=colour, lw=points(lw), ls=ls), f"{which} {role}")
        for role, colour in roles
        for which, lw, ls in (("worst-off", 2.0, "-"), ("best-off", 1.0, dashed))
    ]
    if found.feasible.any():
        names.append((Line2D([], [], color=INK, lw=points(6)), "feasible taxes: no margin below 0 as measured"))
    legend(body, [handle for handle, _ in names], [name for _, name in names], style, "outside upper left")
    note(
        body,
        f"{TAX}\nMargin: a harvester's utility less that without a contract; a cleaner's utility. Bands: 95 % intervals "
        f"over {found.over}.",
        inches, style,
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
