"""Figures and sortable tables of Bokeh: columns of plain values in, a model out. No model holds code of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.layouts import gridplot
from bokeh.models import ColorBar, ColumnDataSource, DataTable, HoverTool, Legend, NumberFormatter, StringFormatter
from bokeh.models import TableColumn as BokehColumn
from bokeh.plotting import figure
from bokeh.transform import linear_cmap

from contract_wrapper.reports.html.document import text
from contract_wrapper.reports.style import FAINT, INK

FONT = "13px"
"""Size of letters in figures."""

MOST_ROWS = 1000
"""Rows of a table of contracts; a landscape's page says where the others are."""

PALETTE = "Cividis256"
"""Colours of what is maximised, as in the pictures of the other report."""

WIDE = 900
"""Width of a figure that may grow and shrink with the page."""

SMALL = 340
"""Width of one of several panels, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Values of one kind, one for each contract, in figures, hover and table alike."""

    key: str
    """Name for this program; a Python name, and none of a user's."""

    title: str
    """Name for the reader, which may be a user's."""

    values: Sequence[Any]
    """Numbers (NaN: not known) or texts."""

    digits: int | None = None
    """Decimals of numbers; None: texts, or numbers as they are."""


def source_of(columns: Iterable[Column]) -> ColumnDataSource:
    """The data of figures and tables that show the same contracts; what is chosen in one is chosen in all."""
    return ColumnDataSource({c.key: [_plain(v) for v in c.values] for c in columns})


def hover(columns: Iterable[Column], renderers: Sequence[Any]) -> HoverTool:
    """What a figure tells of the contract below the pointer; values are shown as text."""
    told = [(plain(c.title), f"@{c.key}" + _format(c)) for c in columns]
    return HoverTool(tooltips=told, renderers=list(renderers), point_policy="follow_mouse")


def empty(x: str, y: str, *, width: int = WIDE, height: int = 380, **more: Any) -> figure:
    """A figure with named axes, in which one can move and zoom."""
    made = figure(
        x_axis_label=plain(x), y_axis_label=plain(y), width=width, height=height, tools="pan,wheel_zoom,box_zoom,reset,save,tap",
        sizing_mode="fixed" if width < WIDE else "stretch_width", min_width=min(width, SMALL), **more,
    )  # fmt: skip
    made.toolbar.logo = None
    made.toolbar.autohide = True
    made.grid.grid_line_color = "#E8E8E8"
    made.axis.axis_label_text_font_style = "normal"
    made.axis.axis_label_text_font_size = made.axis.major_label_text_font_size = FONT
    made.outline_line_color = FAINT
    return made


def coloured(
    made: figure, key: str, values: Iterable[float], title: str, palette: str = PALETTE, **limits: float
) -> Any:
    """A colour for each value of a column, and the bar beside the figure that says which."""
    known = [v for v in values if math.isfinite(v)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    low, high = limits.get("low", low), limits.get("high", high)
    colour = linear_cmap(key, palette, low, high if high > low else low + 1.0, nan_color="#FFFFFF")
    bar = ColorBar(
        color_mapper=colour["transform"], title=plain(title), width=12, label_standoff=6, title_text_font_size=FONT
    )
    made.add_layout(bar, "right")
    return colour


def legend_below(made: figure) -> figure:
    """Put the legend below; a click on an entry hides what it names."""
    found: list[Legend] = list(made.legend)
    for legend in found:
        legend.click_policy = "hide"
        legend.orientation, legend.location = "horizontal", "left"
        legend.ncols = 3 if made.width > SMALL else 1
        legend.label_text_font_size = FONT
        legend.border_line_color = None
        made.add_layout(legend, "below")
    return made


def level(made: figure, at: float, **look: Any) -> None:
    """A line across a figure."""
    from bokeh.models import Span

    made.add_layout(Span(location=at, dimension="width", **{"line_color": INK, "line_dash": "dashed", **look}))


def upright(made: figure, at: float, **look: Any) -> None:
    """A line from the bottom of a figure to its top."""
    from bokeh.models import Span

    made.add_layout(Span(location=at, dimension="height", **{"line_color": INK, "line_dash": "dotted", **look}))


def beside(figures: Sequence[figure], columns: int = 3) -> Any:
    """Several panels in rows."""
    return gridplot([list(figures[i : i + columns]) for i in range(0, len(figures), columns)], toolbar_location="right")


def sortable(source: ColumnDataSource, columns: Iterable[Column], *, height: int = 420) -> DataTable:
    """A table that a click on a heading sorts; headings are escaped here, for Bokeh takes them for HTML."""
    shown = [
        BokehColumn(
            field=c.key, title=text(c.title), width=max(70, min(260, 9 * max(len(c.title), _widest(c)) + 18)),
            formatter=StringFormatter() if c.digits is None else NumberFormatter(format=_number(c), nan_format="-", text_align="right"),
        )
        for c in columns
    ]  # fmt: skip
    return DataTable(
        source=source, columns=shown, height=height, sizing_mode="stretch_width", index_position=None, autosize_mode="none",
        selectable=True, reorderable=False,
    )  # fmt: skip


def plain(words: str) -> str:
    r"""Words of a figure as they are: what Bokeh would take for a formula is divided.

    >>> plain("$$x$$")
    '$ $x$ $'
    """
    for mark in ("$$", r"\(", r"\["):
        words = words.replace(mark, " ".join(mark))
    return "".join(c for c in words if c.isprintable())


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return "".join(c for c in value if c.isprintable())
    if hasattr(value, "item"):
        value = value.item()
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _number(column: Column) -> str:
    return "0" if not column.digits else f"0.{'0' * column.digits}"


def _format(column: Column) -> str:
    return "" if column.digits is None else f"{{{_number(column)}}}"


def _widest(column: Column) -> int:
    if column.digits is not None:
        return 8
    return max((len(str(value)) for value in column.values), default=0)
