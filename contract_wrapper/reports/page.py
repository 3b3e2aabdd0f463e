"""A folder of figures and the page beside them, which is Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure

from contract_wrapper.errors import ContractsError
from contract_wrapper.files import write_bytes, write_text
from contract_wrapper.reports.figure_style import FORMATS, SCREEN, FigureStyle, file_content

NAME = "report.md"
"""Name of a page."""


@dataclass(slots=True)
class Page:
    """What goes onto a page while its figures are drawn."""

    folder: Path
    """Where page and figures lie; it must be there."""

    style: FigureStyle = SCREEN
    """How its figures are drawn and saved."""

    files: list[Path] = field(default_factory=list)
    """Figures drawn so far."""

    sections: list[str] = field(default_factory=list)
    """Their sections."""

    left_out: list[str] = field(default_factory=list)
    """Why some could not be drawn, a line each."""

    def add(self, name: str, draw: Callable[[], Figure], text: Callable[[], str], *, heading: str) -> None:
        """Draw a figure and its section, or note why it cannot be drawn; older ones of that name then go.

        Browsers do not show PDF within a page, so that the page links to it. Where figures have no titles, the page tells
        their findings.

        Raises:
            ContractsError: the folder cannot be written.
        """
        path = self.folder / f"{name}.{self.style.format}"
        try:
            figure = draw()
        except ContractsError as error:
            self.left_out.append(f"- `{path.name}`: {escaped(str(error))}")
            for ending in FORMATS:
                _remove(path.with_suffix(f".{ending}"))
            return
        write_bytes(path, file_content(figure, self.style))
        self.files.append(path)
        shown = "" if self.style.format == "pdf" else "!"
        finding = "" if self.style.titles else f"**{escaped(str(figure.get_label()))}.** "
        self.sections.append(f"## {heading}\n\n{shown}[{heading}]({path.name})\n\n{finding}{text()}")

    def write(self, head: Sequence[str], tail: Sequence[str] = ()) -> list[Path]:
        """Write the page: head, figures, what was left out, tail; return the page first, then the figures."""
        parts = [*head, *self.sections]
        if self.left_out:
            parts.append("## Left out\n\n" + "\n".join(self.left_out))
        write_text(self.folder / NAME, "\n\n".join([*parts, *tail]) + "\n")
        return [self.folder / NAME, *self.files]


def escaped(text: str) -> str:
    r"""Text that Markdown shows letter by letter, in one line: what stands in a file may hold markup.

    >>> escaped("<b>[x](y)</b>")
    '&lt;b&gt;\\[x\\](y)&lt;/b&gt;'
    """
    plain = "".join(c for c in " ".join(text.split()) if c.isprintable())
    plain = re.sub(r"([\\`*_\[\]|~$#])", r"\\\1", plain.replace("&", "&amp;"))
    for mark, entity in (("<", "&lt;"), (">", "&gt;"), ("://", "&#58;//"), ("www.", "www&#46;")):
        plain = plain.replace(mark, entity)
    return plain


def code_block(text: str) -> str:
    """Text as a block of code: indented, so that nothing in it can end the block."""
    lines = ("".join(c for c in line if c.isprintable()) for line in text.splitlines())
    return "\n".join(f"    {line}".rstrip() for line in lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of texts that are already escaped."""
    rule = "|".join(["---", *["---:"] * (len(head) - 1)])
    return "\n".join([f"| {' | '.join(head)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)])


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ContractsError(f"cannot remove the outdated {path}: {error.strerror or error}") from error
