"""The interactive figures of a study: what was tried in, a model of Bokeh out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import BoxAnnotation, CDSView, ColumnDataSource, FixedTicker, HoverTool, IndexFilter
from bokeh.plotting import figure

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.participation import Acceptance
from contract_wrapper.reports.html.charts import (
    SMALL,
    Column,
    beside,
    coloured,
    empty,
    hover,
    legend_below,
    level,
    plain,
    source_of,
    upright,
)
from contract_wrapper.reports.html.tried import Tried, margins_by_agent
from contract_wrapper.reports.search_figures import UNKNOWN
from contract_wrapper.reports.style import CLEANER, CREWS, GREEN, GREY, HARVESTER, INK
from contract_wrapper.studies.record import Phase
from contract_wrapper.studies.sensitivity import Slice, slices_through

MARKS = {
    Acceptance.ACCEPTED: ("circle", "accepted by everybody"),
    Acceptance.UNDECIDED: ("square", "undecided: a margin within 2 se of 0"),
    Acceptance.REFUSED: ("x", "refused by somebody"),
    None: ("diamond", UNKNOWN),
}
"""Marker and name of each answer to who accepts, as in the pictures of the other report."""

MOST_PANELS = 12
"""Terms that have a panel of their own."""

MOST_GOOD, NEAREST = 8, 2
"""Contracts whose margins are shown: the best, and the nearest with a margin below 0."""

MOST_AGENTS = 40
"""Agents whose margins are shown one by one, those with the smallest."""


def shared_source(tried: Tried, columns: Sequence[Column]) -> ColumnDataSource:
    """The trials as the figures of contracts and the table share them, with the ends of error bars."""
    ends = [(v.mean - 2 * v.se, v.mean + 2 * v.se) for v in tried.values]
    return source_of([
        *columns, Column(key="low", title="", values=[e[0] for e in ends]),
        Column(key="high", title="", values=[e[1] for e in ends]),
    ])  # fmt: skip


def chart_map(tried: Tried, source: ColumnDataSource, columns: Sequence[Column]) -> figure:
    """Contracts of two terms: a place for each, the colour is what is maximised."""
    made = empty(tried.terms[0], tried.terms[1])
    colour = coloured(made, "value", [tried.values[k].mean for k in tried.competing], tried.axis)
    drawn = _marks(made, tried, source, "term0", "term1", fill_color=colour, size=13)
    _ring(made, tried, [tried.numbers[tried.trials.index(tried.best)][:2]] if tried.best in tried.trials else [])
    made.add_tools(hover(columns, drawn))
    return legend_below(made)


def chart_terms(tried: Tried, source: ColumnDataSource, columns: Sequence[Column]) -> Any:
    """What is maximised over each term, with bars of two standard errors."""
    panels = []
    for k, name in enumerate(tried.terms[:MOST_PANELS]):
        made = empty(name, tried.axis, width=SMALL, height=300)
        bars = CDSView(filter=IndexFilter(tried.competing))
        made.segment(f"term{k}", "low", f"term{k}", "high", source=source, view=bars, line_color=GREY, line_width=1)
        drawn = _marks(made, tried, source, f"term{k}", "value", fill_color=GREEN, size=9, legend=False)
        if tried.baseline is not None:
            level(made, tried.baseline)
        made.add_tools(hover(columns, drawn))
        panels.append(made)
    return beside(panels)


def _marks(
    made: figure, tried: Tried, source: ColumnDataSource, x: str, y: str, *, fill_color: Any, size: int, legend: bool = True
) -> list[Any]:  # fmt: skip
    """The competing contracts, a shape for each answer to who accepts."""
    drawn = []
    for answer, (marker, name) in MARKS.items():
        some = [k for k in tried.competing if tried.said[k] == answer]
        if some:
            named = {"legend_label": name} if legend else {}
            drawn.append(
                made.scatter(
                    x, y, source=source, view=CDSView(filter=IndexFilter(some)), marker=marker, size=size, line_color=INK,
                    fill_color="white" if isinstance(fill_color, str) and answer is not Acceptance.ACCEPTED else fill_color,
                    line_width=1.5 if marker == "x" else 0.8, nonselection_alpha=0.25, **named,
                )
            )  # fmt: skip
    return drawn


def _ring(made: figure, tried: Tried, places: Sequence[Sequence[float]]) -> None:
    for x, y in places:
        made.scatter(
            [x], [y], marker="circle", size=24, fill_color=None, line_color=GREEN, line_width=3, legend_label="best"
        )


def chart_progress(tried: Tried) -> figure:
    """The best contract so far without a margin below 0, by trial, beside no contract."""
    if not tried.competing:
        raise ContractsError("no contract has been evaluated yet")
    good = {t.number for t in tried.record.ranked()}
    numbers = [tried.trials[k].number for k in tried.competing]
    values = np.array([tried.values[k].mean for k in tried.competing])
    so_far = np.fmax.accumulate(np.where([n in good for n in numbers], values, np.nan))
    made = empty("evaluation (trial number)", tried.axis)
    first = [tried.trials[k].number for k in tried.competing if tried.trials[k].phase is Phase.INITIAL]
    if first:
        made.add_layout(
            BoxAnnotation(left=min(first) - 0.5, right=max(first) + 0.5, fill_color="#EEEEEE", level="underlay")
        )
    made.step(
        numbers, so_far.tolist(), mode="after", color=GREEN, line_width=3, legend_label="best so far, no margin below 0"
    )
    columns = tried.columns()
    source = shared_source(tried, columns)
    bars = CDSView(filter=IndexFilter(tried.competing))
    made.segment("number", "low", "number", "high", source=source, view=bars, line_color=GREY)
    drawn = _marks(made, tried, source, "number", "value", fill_color=GREEN, size=9)
    if tried.baseline is not None:
        level(made, tried.baseline)
    made.add_tools(hover(columns, drawn))
    return legend_below(made)


def chart_margins(tried: Tried) -> figure:
    """Margins of every agent under the best contracts and the nearest refused ones; all but two are shown by a click."""
    record = tried.record
    good, bad = record.ranked()[:MOST_GOOD], record.infeasible_trials()[:NEAREST]
    if not good and not bad:
        raise ContractsError("margins need the baseline and at least one finished contract")
    found = {t.number: margins_by_agent(record, t) for t in (*good, *bad)}
    first = found[(good or bad)[0].number]
    names = sorted(first, key=lambda name: first[name].mean)[:MOST_AGENTS][::-1]
    made = empty(f"margin ({tried.unit} per episode); bars: ± 2 se", "", height=90 + 34 * len(names) + 26 * len(found))
    made.yaxis.ticker = FixedTicker(ticks=list(range(len(names))))
    made.yaxis.major_label_overrides = {k: plain(name) for k, name in enumerate(names)}
    made.add_layout(BoxAnnotation(right=0.0, fill_color="#F3E3DA", level="underlay"))
    upright(made, 0.0, line_dash="solid")
    for i, trial in enumerate([*good, *bad]):
        shown = i == 0 or trial is (bad[0] if bad else None)
        margins = [found[trial.number].get(name) for name in names]
        rows = [
            (k + 0.6 * (0.5 - (i + 0.5) / len(found)), n, m)
            for k, (n, m) in enumerate(zip(names, margins, strict=True))
            if m
        ]
        told = [
            Column(key="contract", title="contract", values=[f"trial {trial.number}: {trial.contract}"] * len(rows)),
            Column(key="who", title="margin of", values=[name for _, name, _ in rows]),
            Column(key="margin", title="margin", values=[m.mean for *_, m in rows], digits=2),
            Column(key="se", title="± se", values=[m.se for *_, m in rows], digits=2),
        ]
        ends = [[m.mean + sign * 2 * m.se for *_, m in rows] for sign in (-1, 1)]
        source = source_of([
            *told, Column(key="y", title="", values=[y for y, *_ in rows]),
            Column(key="low", title="", values=ends[0]), Column(key="high", title="", values=ends[1]),
        ])  # fmt: skip
        colour, name = (
            CREWS[i % len(CREWS)][0],
            plain(f"{trial.number}: {trial.contract}" + ("" if trial in good else " (below 0)")),
        )
        made.segment("low", "y", "high", "y", source=source, line_color=colour, legend_label=name, visible=shown)
        dots = made.scatter(
            "margin", "y", source=source, size=9, fill_color=colour, line_color=INK, legend_label=name, visible=shown,
            marker="circle" if trial in good else "x",
        )  # fmt: skip
        made.add_tools(hover(told, [dots]))
    return legend_below(made)


def chart_gains(tried: Tried) -> figure:
    """What a lone deviator of each role gains under the contracts that have a certificate, with the bounds."""
    rows = [(c, g) for c in tried.record.certificates for g in c.gains]
    if not rows:
        raise ContractsError("no contract has a certificate, so that nobody's gain was measured")
    unit = plain(rows[0][0].counted_in)
    made = empty(
        f"gain by leaving alone ({unit} per episode); bars: bounds that hold together", "", height=130 + 34 * len(rows)
    )
    labels = [f"{c.contract}: {g.role}" for c, g in rows][::-1]
    made.yaxis.ticker = FixedTicker(ticks=list(range(len(rows))))
    made.yaxis.major_label_overrides = {k: plain(name) for k, name in enumerate(labels)}
    told = [
        Column(key="contract", title="contract", values=[str(c.contract) for c, _ in rows]),
        Column(key="role", title="who", values=[g.role for _, g in rows]),
        Column(key="deviation", title="strongest deviation", values=[g.deviation for _, g in rows]),
        Column(key="gain", title="gain", values=[g.mean for _, g in rows], digits=2),
        Column(key="low", title="at least", values=[g.lower for _, g in rows], digits=2),
        Column(key="high", title="at most", values=[g.upper for _, g in rows], digits=2),
        Column(key="verdict", title="certificate", values=[str(c.verdict) for c, _ in rows]),
    ]
    source = source_of([*told, Column(key="y", title="", values=list(range(len(rows)))[::-1])])
    made.segment("low", "y", "high", "y", source=source, line_color=HARVESTER, line_width=2)
    dots = made.scatter("gain", "y", source=source, size=10, fill_color=HARVESTER, line_color=INK)
    epsilon = rows[0][0].epsilon
    upright(made, epsilon, line_dash="dashed")
    made.scatter([epsilon, 0.0], [0, 0], size=0, alpha=0.0)  # so that the line lies in the figure
    made.add_tools(hover(told, [dots]))
    return made


def chart_sensitivity(tried: Tried) -> Any:
    """The belief of the surrogate along every term through the best contract, and what was measured on that line."""
    if tried.best is None:
        raise ContractsError("no contract is feasible, so that there is no best one to look around")
    return beside(
        [_slice(tried, k, it) for k, it in enumerate(slices_through(tried.record, tried.best.contract)[:MOST_PANELS])]
    )


def _slice(tried: Tried, k: int, it: Slice) -> figure:
    made = empty(it.term, tried.axis, width=SMALL, height=300)
    told = [
        Column(key="x", title=it.term, values=it.values.tolist(), digits=3),
        Column(key="mean", title=f"believed {tried.objective}", values=it.mean.tolist(), digits=2),
        Column(key="sd", title="± sd", values=it.sd.tolist(), digits=2),
        Column(key="accepted", title="accepted with probability", values=it.accepted.tolist(), digits=2),
    ]
    source = source_of([
        *told, Column(key="low", title="", values=(it.mean - 2 * it.sd).tolist()),
        Column(key="high", title="", values=(it.mean + 2 * it.sd).tolist()),
    ])  # fmt: skip
    made.varea("x", "low", "high", source=source, fill_color=CLEANER, fill_alpha=0.18)
    line = made.line("x", "mean", source=source, line_color=CLEANER, line_width=2)
    upright(made, it.at, line_color=GREEN)
    made.add_tools(HoverTool(tooltips=hover(told, []).tooltips, renderers=[line], mode="vline"))
    best = tried.numbers[tried.trials.index(tried.best)] if tried.best in tried.trials else ()
    same = [
        i for i in tried.competing
        if best and all(math.isclose(a, b, abs_tol=1e-9) for j, (a, b) in enumerate(zip(tried.numbers[i], best, strict=True)) if j != k)
    ]  # fmt: skip
    made.scatter(
        [tried.numbers[i][k] for i in same],
        [tried.values[i].mean for i in same],
        size=8,
        fill_color="white",
        line_color=INK,
    )
    return made
