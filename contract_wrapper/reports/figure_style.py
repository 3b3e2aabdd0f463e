"""How a figure comes to its size, its letters and its file: one style for all figures of a report.

No display is touched. `contract_tree` has the same module, as neither package may import the other.
"""

from __future__ import annotations

import contextlib
import io
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from contract_wrapper.errors import ContractsError as StyleError

FORMATS = ("png", "pdf", "svg")
"""Formats of a figure's file."""

WIDTHS = {"column": 3.4, "text": 7.0}
"""Inches of a column and of the text of a paper with two columns."""

NARROW = 6.5
"""Inches below which panels stand below each other, and legends and titles make a figure taller."""

LEAST_WIDTH, MOST_WIDTH = 3.0, 40.0
"""Inches between which a figure's labels find room."""

LEAST_DPI, MOST_DPI = 30, 600
"""Pixels per inch between which a figure can be read and its file be opened."""

PAPER = 0.76
"""Letters, lines and markers of a figure with a width for a paper, as a share of those on a screen: 10 points become 7.6."""

_PLAIN: Any = {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "figure"}
"""Letters in a PDF are embedded as TrueType, as publishers ask for; in SVG they are shapes, which need no font."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureStyle:
    """How figures are drawn and saved.

    >>> FigureStyle(format="pdf", titles=False, width="column").inches
    3.4
    """

    format: str = "png"
    """Format of the file: "png", or "pdf" and "svg", in which lines, letters and markers are shapes."""

    dpi: int = 120
    """Pixels per inch of PNG, 30 to 600."""

    titles: bool = True
    """Whether the finding stands above a figure; a paper has it in the caption."""

    width: str | float | None = None
    """"column" (3.4 inches), "text" (7 inches) or inches, 3 to 40, with letters for a paper; None: as each figure needs."""

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise StyleError(f"a figure's format must be one of {', '.join(FORMATS)}, got {self.format!r:.60}")
        if type(self.dpi) is not int or not LEAST_DPI <= self.dpi <= MOST_DPI:
            raise StyleError(
                f"dpi must be a whole number of {LEAST_DPI} to {MOST_DPI} pixels per inch, got {self.dpi!r:.60}"
            )
        if type(self.titles) is not bool:
            raise StyleError(f"titles must be True or False, got {self.titles!r:.60}")
        width = self.width
        known = width is None or (isinstance(width, str) and width in WIDTHS)
        if not known and (isinstance(width, (str, bool)) or not _in_range(width)):
            raise StyleError(
                f"width must be {', '.join(map(repr, WIDTHS))}, {LEAST_WIDTH:g} to {MOST_WIDTH:g} inches, or None, "
                f"got {width!r:.60}"
            )

    @property
    def inches(self) -> float | None:
        """Width of every figure; None: as each figure needs."""
        if self.width is None:
            return None
        return WIDTHS[self.width] if isinstance(self.width, str) else float(self.width)

    @property
    def narrow(self) -> bool:
        """Whether a figure holds two small panels side by side and not more."""
        return self.inches is not None and self.inches < NARROW

    def points(self, size: float) -> float:
        """Points of letters, lines or markers that have `size` points on a screen."""
        return size if self.width is None else PAPER * size

    def size(self, width: float, height: float, narrow_height: float | None = None) -> tuple[float, float]:
        """Inches of a figure that would take width x height on a screen.

        narrow_height: its height where it is narrow, without title and legends, which add theirs.
        """
        if self.inches is None:
            return width, height
        if self.narrow:
            return self.inches, narrow_height or 0.5 * height
        return self.inches, height * max(PAPER, min(1.0, self.inches / width))

    def wrapped(self, text: str, inches: float, size: float) -> str:
        """Break lines of text so that they fit into a width, in letters of `size` points on a screen."""
        letters = max(12, int(inches * 121.0 / self.points(size)))
        return "\n".join(textwrap.fill(line, letters) for line in text.splitlines())


def _in_range(width: Any) -> bool:
    try:
        return bool(LEAST_WIDTH <= width <= MOST_WIDTH)
    except (TypeError, ValueError):
        return False


SCREEN = FigureStyle()
"""Figures as they stand in a report on a screen."""


def empty_figure(width: float, height: float, finding: str, style: FigureStyle) -> Figure:
    """Return an empty figure of so many inches, with its finding as title if the style has titles.

    The finding is also the figure's label (`get_label`), so that a page can tell it where the figure does not.
    """
    title = style.wrapped(finding, width, 12.0)  # bold letters are wider
    if style.titles:
        lines = title.count("\n") + 1
        height += max(0, lines if style.narrow else lines - 2) * 1.3 * style.points(11) / 72.0  # else two have room
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.set_label(finding)
    if style.titles:
        figure.suptitle(title, x=0.01, ha="left", weight="bold", fontsize=style.points(11))
    return figure


def canvas(width: float, height: float, finding: str, style: FigureStyle) -> tuple[Figure, Axes]:
    """Return an empty figure (see `empty_figure`) with one pair of axes."""
    figure = empty_figure(width, height, finding, style)
    ax: Any = figure.subplots()
    plain(ax, style)
    return figure, ax


def plain(ax: Axes, style: FigureStyle) -> None:
    """Take away what axes do not need, and give the rest the letters of the style."""
    ax.spines[["top", "right"]].set_visible(False)
    lettered(ax, style)


def lettered(ax: Axes, style: FigureStyle) -> None:
    """Give labels and numbers of axes the letters of the style."""
    line = style.points(0.8)
    for spine in ax.spines.values():
        spine.set_linewidth(line)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(style.points(10))
    ax.tick_params(labelsize=style.points(9.5), width=line, length=style.points(3.5), pad=style.points(3.5))
    ax.tick_params(which="minor", width=0.75 * line, length=style.points(2))


def legend(part: Any, handles: Sequence[Any], labels: Sequence[str], style: FigureStyle, loc: str, **more: Any) -> None:
    """Put a legend outside of the axes of a figure or a part of it, in as many columns as its width holds."""
    if not handles:
        return
    figure, width = part.get_figure(root=True), part.bbox.width
    renderer, inches = figure.canvas.get_renderer(), width / figure.dpi
    texts = [style.wrapped(label, inches - style.points(40) / 72.0, 9.0) for label in labels]
    for columns in range(len(texts), 0, -1):
        drawn = part.legend(
            list(handles), texts, loc=loc, ncols=columns, frameon=False, fontsize=style.points(9),
            **{"columnspacing": 1.6, "labelspacing": 0.4, **more},
        )  # fmt: skip
        with _whatever_letters():
            box = drawn.get_window_extent(renderer)
        if box.width <= width or columns == 1:
            if style.narrow:
                figure.set_figheight(figure.get_figheight() + box.height / figure.dpi)
            return
        drawn.remove()


@contextlib.contextmanager
def _whatever_letters() -> Iterator[None]:
    """Draw names in letters that the font lacks as empty boxes, and warn of none."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield


def named(ax: Axes) -> tuple[list[Any], list[str]]:
    """Handles and labels of what axes show under a name, each once."""
    handles, labels = ax.get_legend_handles_labels()
    return list(handles), list(labels)


def file_content(figure: Figure, style: FigureStyle) -> bytes:
    """A figure as the content of a file in the style's format, the same bytes for the same figure.

    All figures of reports are saved by this function.
    """
    buffer = io.BytesIO()
    finding = str(figure.get_label())
    about: dict[str, dict[str, Any]] = {
        "png": {"Software": None},
        "pdf": {"Title": finding, "CreationDate": None, "Producer": None},
        "svg": {"Title": finding, "Date": None},
    }
    with rc_context(_PLAIN), _whatever_letters():
        figure.savefig(buffer, format=style.format, dpi=style.dpi, metadata=about[style.format])
    return buffer.getvalue()
