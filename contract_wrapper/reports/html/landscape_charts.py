"""The interactive figures of a landscape, by the number of terms: lines, maps, or a panel for each term."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import CDSView, ColumnDataSource, HoverTool, IndexFilter
from bokeh.plotting import figure
from numpy.typing import NDArray

from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.bounds import FloatArray
from contract_wrapper.landscapes.thresholds import Threshold
from contract_wrapper.reports.html.charts import (
    MOST_ROWS,
    PALETTE,
    SMALL,
    WIDE,
    Column,
    beside,
    coloured,
    empty,
    hover,
    legend_below,
    level,
    plain,
    source_of,
)
from contract_wrapper.reports.html.shown_landscape import Crew, Shown
from contract_wrapper.reports.landscape_findings import Findings
from contract_wrapper.reports.landscape_style import cell_edges
from contract_wrapper.reports.problems.design_landscape_figures import borders, edges_of
from contract_wrapper.reports.style import CLEANER, GREEN, GREY, HARVESTER, INK, crew_style

MOST_PANELS = 12
"""Terms that have a panel of their own."""

AROUND_ZERO = ("#2166AC", "#67A9CF", "#D1E5F0", "#FDDBC7", "#EF8A62", "#B2182B")
"""Colours of gains: below 0 blue, above 0 red."""

GOOD_ABOVE_ZERO = AROUND_ZERO[::-1]
"""Colours of margins: below 0 red, above 0 blue."""


def is_map(shown: Shown) -> bool:
    """Whether contracts are cells of maps: of one term and several crew sizes, or of two terms on a whole grid."""
    if len(shown.free) == 1:
        return len(shown.crews) > 1
    return len(shown.free) == 2 and all(_grid(shown, crew) is not None for crew in shown.crews)


def chart_values(shown: Shown, source: ColumnDataSource, columns: Sequence[Column]) -> Any:
    """What is maximised, as a map if there are crews or two terms; the sets are outlined."""
    if len(shown.free) == 1 and is_map(shown):
        return _map_of_crews(shown, source, columns)
    return _over_terms(shown, shown.value, shown.axis, source, columns, PALETTE, sets=True, at=float(shown.value[0][0]))


def chart_lines(shown: Shown) -> Any:
    """What is maximised over the only term, a line with its interval for each crew size."""
    return _lines(shown, shown.value, shown.axis, float(shown.value[0][0]))


def chart_gains(shown: Shown, source: ColumnDataSource, columns: Sequence[Column]) -> Any:
    """What whoever gains most gains by leaving alone; above epsilon a contract is no equilibrium."""
    if not np.isfinite(shown.table.gains).any():
        raise ContractsError("no gain was measured")
    label, epsilon = f"largest gain ({shown.unit})", shown.table.default_epsilon()
    mean, beyond = (array.copy() for array in shown.largest_gain)
    mean[0] = beyond[0] = np.nan
    return _over_terms(shown, (mean, beyond), label, source, columns, AROUND_ZERO, at=epsilon)


def chart_margins(shown: Shown, source: ColumnDataSource, columns: Sequence[Column]) -> Any:
    """What the worst-off agent of each role has more than without the contract, or than elsewhere."""
    nothing = np.zeros(len(shown.numbers))
    if len(shown.free) == 1:
        found = [
            _lines(shown, (shown.margin_of(role), nothing), f"smallest margin of a {role}", 0.0, width=480)
            for role in shown.roles
        ]
        return beside(found, 2)
    label = "smallest margin"
    return _over_terms(shown, (shown.smallest_margin, nothing), label, source, columns, GOOD_ABOVE_ZERO, at=0.0)


def chart_thresholds(found: Findings) -> figure:
    """The tax from which nobody free-rides, by crew size: measured, and predicted from marginal harvests."""
    made = empty("cleaners", "tax from which nobody free-rides", height=320)
    seen = False
    for name, by_crew, colour, marker in (
        ("measured", found.thresholds, CLEANER, "circle"), ("predicted", found.predictions, HARVESTER, "diamond"),
    ):  # fmt: skip
        some = [(n, float(np.mean(it.per_training)), it) for n, it in by_crew.items() if isinstance(it, Threshold)]
        some = [row for row in some if np.isfinite(row[1])]
        if not some:
            continue
        seen = True
        told = [
            Column(key="n", title="cleaners", values=[n for n, *_ in some], digits=0),
            Column(key="tax", title=f"{name} tax", values=[tax for _, tax, _ in some], digits=3),
            Column(key="words", title="over trainings", values=[str(it) for *_, it in some]),
        ]
        source = source_of(told)
        made.line("n", "tax", source=source, line_color=colour, line_width=2, legend_label=name)
        dots = made.scatter(
            "n", "tax", source=source, marker=marker, size=11, fill_color=colour, line_color=INK, legend_label=name
        )
        made.add_tools(hover(told, [dots]))
    if not seen:
        raise ContractsError("no tax was found from which nobody free-rides, in every training")
    return legend_below(made)


def _map_of_crews(shown: Shown, source: ColumnDataSource, columns: Sequence[Column]) -> figure:
    """A row for each crew size and a cell for each contract of the only term."""
    column, rows = shown.free[0], {int(n): i for i, n in enumerate(source.data["number"])}
    mean = shown.value[0]
    left, right, low, high = (np.full(len(rows), np.nan) for _ in range(4))
    made = empty(shown.terms[column], "cleaners", height=150 + 46 * len(shown.crews))
    lines: dict[str, list[Any]] = {"feasible": [], "certified": []}
    for crew in shown.crews:
        some = crew.numbers[np.argsort(shown.numbers[crew.numbers, column])]
        edges = cell_edges(shown.numbers[some, column])
        for name, found in lines.items():
            found += borders(getattr(shown, name)[some][None], edges, np.array([crew.size - 0.42, crew.size + 0.42]))
        for k, number in enumerate(some):
            if int(number) in rows:
                i = rows[int(number)]
                left[i], right[i], low[i], high[i] = edges[k], edges[k + 1], crew.size - 0.42, crew.size + 0.42
    for key, array in (("left", left), ("right", right), ("bottom", low), ("top", high)):
        source.data[key] = array.tolist()
    colour = coloured(made, "value", mean[1:], shown.axis)
    cells = made.quad(left="left", right="right", bottom="bottom", top="top", source=source, fill_color=colour, line_color=None,
                      nonselection_alpha=0.35)  # fmt: skip
    _outlines(made, lines)
    at = shown.numbers[:, [column, shown.terms.index("n_cleaners")]]
    _dots(made, shown, at, np.arange(1, len(at)))
    made.add_tools(hover(columns, [cells]))
    return legend_below(made)


def _outlines(made: figure, lines: dict[str, list[Any]]) -> None:
    looks: dict[str, dict[str, Any]] = {
        "feasible": {"line_dash": "dashed", "line_width": 1.5},
        "certified": {"line_width": 3},
    }
    for name, found in lines.items():
        if found:
            xs, ys = [[x for x, _ in line] for line in found], [[y for _, y in line] for line in found]
            made.multi_line(xs, ys, line_color=INK, legend_label=name, **looks[name])


def _dots(made: figure, shown: Shown, at: FloatArray, numbers: NDArray[np.int64]) -> None:
    """Dots for what cannot be told from the best, and a star for it, among some contracts."""
    some = numbers[shown.alike[numbers]]
    if len(some):
        made.scatter(at[some, 0].tolist(), at[some, 1].tolist(), marker="circle", size=4, fill_color="white", line_color=INK,
                     legend_label="cannot be told from the best")  # fmt: skip
    if shown.best is not None and shown.best in numbers:
        x, y = at[shown.best]
        made.scatter(
            [x], [y], marker="star", size=20, fill_color="white", line_color=INK, legend_label=f"best {shown.word}"
        )


def _over_terms(
    shown: Shown, told: tuple[FloatArray, FloatArray], label: str, source: ColumnDataSource, columns: Sequence[Column],
    palette: Any, *, sets: bool = False, at: float,
) -> Any:  # fmt: skip
    """Lines over one term, maps over two, and a panel for each of more, or where contracts are no grid."""
    if len(shown.free) == 1:
        return _lines(shown, told, label, at)
    if is_map(shown):
        return beside([_map(shown, crew, told[0], label, columns, palette, sets) for crew in shown.crews])
    return _panels(shown, told[0], label, source, columns, at)


def _lines(shown: Shown, told: tuple[FloatArray, FloatArray], label: str, at: float, width: int = WIDE) -> figure:
    column, (mean, beyond) = shown.free[0], told
    made = empty(shown.terms[column], label, width=width)
    for crew in shown.crews:
        some = crew.numbers[np.argsort(shown.numbers[crew.numbers, column])]
        colour, _ = crew_style(crew.size)
        name = crew.name or "contracts"
        columns = [
            Column(key="x", title=shown.terms[column], values=shown.numbers[some, column].tolist(), digits=3),
            Column(key="y", title=label, values=mean[some].tolist(), digits=2),
        ]
        ends = list[Column]()
        if np.nan_to_num(beyond[some]).any():
            columns.append(Column(key="beyond", title="± 95 %", values=beyond[some].tolist(), digits=2))
            ends = [
                Column(key=key, title="", values=(mean + sign * beyond)[some].tolist())
                for key, sign in (("low", -1.0), ("high", 1.0))
            ]
        source = source_of([*columns, *ends])
        if ends:
            made.varea("x", "low", "high", source=source, fill_color=colour, fill_alpha=0.18, legend_label=name)
        line = made.line("x", "y", source=source, line_color=colour, line_width=2, legend_label=name)
        sure = CDSView(filter=IndexFilter(np.flatnonzero(shown.certified[some]).tolist()))
        made.scatter(
            "x", "y", source=source, view=sure, size=5, fill_color=colour, line_color=colour, legend_label=name
        )
        told_there = [("crew", name), *hover(columns, []).tooltips]
        made.add_tools(HoverTool(tooltips=told_there, renderers=[line], mode="mouse", line_policy="nearest"))
    level(made, at)
    return legend_below(made)


def _grid(shown: Shown, crew: Crew) -> tuple[FloatArray, FloatArray, NDArray[np.int64]] | None:
    """Values of both terms and the numbers of the contracts of a crew, (Y, X); None where they are no whole grid."""
    x, y = shown.free
    at = shown.numbers[crew.numbers]
    xs, ys = np.unique(at[:, x]), np.unique(at[:, y])
    if len(xs) * len(ys) != len(crew.numbers):
        return None
    return xs, ys, crew.numbers[np.lexsort((at[:, x], at[:, y]))].reshape(len(ys), len(xs))


def _map(
    shown: Shown, crew: Crew, mean: FloatArray, label: str, columns: Sequence[Column], palette: Any, sets: bool
) -> figure:  # fmt: skip
    found = _grid(shown, crew)
    assert found is not None  # the caller saw to it
    xs, ys, numbers = found
    across, up = edges_of(xs), edges_of(ys)
    flat = numbers.ravel()
    cells = {"left": np.tile(across[:-1], len(ys)), "right": np.tile(across[1:], len(ys)),
             "bottom": np.repeat(up[:-1], len(xs)), "top": np.repeat(up[1:], len(xs)), "shown": mean[flat]}  # fmt: skip
    told = shown.columns(flat) if len(shown.numbers) <= MOST_ROWS else shown.few_columns(flat)
    source = source_of([*told, *(Column(key=k, title="", values=v.tolist()) for k, v in cells.items())])
    x, y = shown.free
    width = SMALL if len(shown.crews) > 1 else 720
    made = empty(
        f"{shown.terms[x]}{', ' if crew.name else ''}{crew.name}",
        shown.terms[y],
        width=width,
        height=430 if sets else 330,
    )
    known = mean[1:][np.isfinite(mean[1:])]
    limits = (
        {}
        if palette is PALETTE or not len(known)
        else dict(zip(("low", "high"), (-np.abs(known).max(), np.abs(known).max()), strict=True))
    )
    colour = coloured(made, "shown", mean[1:], "", palette, **{k: float(v) for k, v in limits.items()})
    drawn = made.quad(
        left="left", right="right", bottom="bottom", top="top", source=source, fill_color=colour, line_color=None
    )
    if sets:
        _outlines(
            made, {name: borders(getattr(shown, name)[numbers], across, up) for name in ("feasible", "certified")}
        )
        _dots(made, shown, shown.numbers[:, [x, y]], flat)
    made.add_tools(hover([Column(key="shown", title=label, values=(), digits=2), *told], [drawn]))
    return legend_below(made)


def _panels(
    shown: Shown, mean: FloatArray, label: str, source: ColumnDataSource, columns: Sequence[Column], at: float
) -> Any:  # fmt: skip
    """A panel for each term, in which every contract is a point."""
    key = f"shown{sum(name.startswith('shown') for name in source.data)}"
    rows = np.asarray(source.data["number"], np.int64)
    source.data[key] = [float(v) for v in mean[rows]]
    kinds = (
        ("certified", shown.certified, "circle", GREEN), ("feasible", shown.feasible & ~shown.certified, "circle", "white"),
        ("not feasible", ~shown.feasible & ~shown.certified & shown.some, "x", GREY),
    )  # fmt: skip
    panels = []
    for k, name in enumerate(shown.terms[:MOST_PANELS]):
        made = empty(name, label, width=SMALL, height=360)
        drawn = []
        for word, mask, marker, colour in kinds:
            some = np.flatnonzero(mask[rows]).tolist()
            if some:
                drawn.append(
                    made.scatter(
                        f"term{k}", key, source=source, view=CDSView(filter=IndexFilter(some)), marker=marker, size=7,
                        fill_color=colour, line_color=INK, nonselection_alpha=0.2, legend_label=plain(word),
                    )
                )  # fmt: skip
        level(made, at)
        made.add_tools(hover(columns, drawn))
        panels.append(legend_below(made))
    return beside(panels)
