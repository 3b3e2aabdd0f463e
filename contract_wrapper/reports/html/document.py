"""One HTML page that needs no network: its texts are escaped, its data are plain JSON, and nothing else is loaded.

The content security policy in its head forbids the page to load anything, or to make code of text. Scripts are those of
Bokeh and of this folder; what comes from a study or a landscape enters as data alone.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contract_wrapper.errors import ContractsError, require_package
from contract_wrapper.files import write_text

NAME = "report.html"
"""Name of the page."""

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)
"""What browsers may load for the page: nothing; `unsafe-eval` is not among it, so that no text becomes code."""

PARTS = ("bokeh", "bokeh-widgets", "bokeh-tables")
"""Parts of Bokeh that are written into the page, about 2 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How a result was made, as the page tells it."""

    made_by: tuple[str, ...] = ()
    """Lines that say by which commands it was begun and continued; empty: not known."""

    command: str = ""
    """Command that makes it again; empty: not known."""

    remark: str = ""
    """What has to be said of the command."""

    settings: str = ""
    """Its configuration as `cleanup-contracts show` prints it; empty: not known."""

    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of code and packages that made it."""


@dataclass(slots=True)
class HtmlPage:
    """What goes onto a page while it is made."""

    title: str
    """Heading, and title of the window."""

    body: list[str] = field(default_factory=list)
    """Sections as HTML; only the methods below write it."""

    links: list[tuple[str, str]] = field(default_factory=list)
    """Anchor and heading of each section."""

    left_out: list[str] = field(default_factory=list)
    """Why some sections could not be made, a line each."""

    charts: int = 0
    """Figures and tables of contracts so far."""

    def section(self, heading: str, *parts: str) -> None:
        """Add a section of parts that are HTML already (`paragraph`, `block`, `table`, `chart`, `data`)."""
        anchor = f"section-{len(self.links)}"
        self.links.append((anchor, heading))
        self.body.append(f'<section id="{anchor}"><h2>{text(heading)}</h2>\n' + "\n".join(parts) + "\n</section>")

    def leave_out(self, heading: str, error: Exception) -> None:
        """Note why a section is missing."""
        self.left_out.append(f"{heading}: {error}")

    def figure(self, heading: str, draw: Callable[[], Any], words: str) -> None:
        """Add a section of a text and a figure that `draw` makes, or note why it cannot be drawn."""
        try:
            model = draw()
        except ContractsError as error:
            self.leave_out(heading, error)
            return
        self.section(heading, paragraph(words), self.chart(model, heading))

    def chart(self, model: Any, label: str) -> str:
        """A figure or a layout of Bokeh; `label` says in words what it shows, for who cannot see it."""
        from bokeh.embed import json_item

        self.charts += 1
        name = f"chart-{self.charts}"
        item = dict(json_item(model, target=None), target_id=name)
        return f'<figure class="chart" id="{name}" role="img" aria-label="{text(label)}"></figure>\n' + data(
            "chart", item, target=name
        )

    def making(self, made: Making) -> None:
        """Add the command, the settings and the versions."""
        parts = ["<h3>Commands that made it</h3>", block("\n".join(made.made_by))] if made.made_by else []
        parts += ["<h3>Command that makes it again</h3>"]
        parts.append(block(made.command) if made.command else paragraph("The command is not known."))
        parts += [paragraph(made.remark)] if made.remark else []
        if made.settings:
            url = "data:text/plain;charset=utf-8," + quote(made.settings)
            parts += [
                "<h3>Settings</h3>",
                paragraph("As cleanup-contracts show prints them; --config reads them."),
                f'<p><a download="settings.toml" href="{url}">Save as settings.toml</a></p>',
                f"<details><summary>Show them</summary>{block(made.settings)}</details>",
            ]
        rows = [[name, version] for name, version in made.versions.items()]
        parts += ["<h3>Versions</h3>", table(["", "version"], rows) if rows else paragraph("Versions are not known.")]
        self.section("How this was made", *parts)

    def write(self, folder: Path) -> Path:
        """Write the page into a folder that is there, and return its path.

        Raises:
            ContractsError: the folder cannot be written.
        """
        if self.left_out:
            items = "".join(f"<li>{text(line)}</li>" for line in self.left_out)
            self.section("Left out", f"<ul>{items}</ul>")
        write_text(folder / NAME, self.whole())
        return folder / NAME

    def whole(self) -> str:
        """The page as text."""
        links = " ".join(f'<a href="#{anchor}">{text(heading)}</a>' for anchor, heading in self.links)
        return "\n".join([
            "<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(self.title)}</title>", f"<style>{own('page.css')}</style>", "</head>", "<body>",
            f"<header><h1>{text(self.title)}</h1><nav>{links}</nav></header>",
            "<noscript><p>Figures, tables of contracts and the episode need JavaScript.</p></noscript>",
            "<main>", *self.body, "</main>", f"<script>{bokeh_scripts()}</script>", f"<script>{own('page.js')}</script>",
            "</body>", "</html>", "",
        ])  # fmt: skip


def check_there() -> None:
    """Make sure that the package of the figures is installed.

    Raises:
        MissingPackage: it is not.
    """
    require_package("bokeh", "html", "a report as an HTML page")


@cache
def bokeh_scripts() -> str:
    """The JavaScript of Bokeh, as it is installed.

    Raises:
        ContractsError: it would end the element that it stands in.
    """
    from bokeh.resources import Resources

    scripts = "\n".join(Resources(mode="inline", minified=True, components=list(PARTS)).js_raw[: len(PARTS)])
    if "</script" in scripts.lower():
        raise ContractsError("the installed bokeh cannot be written into a page: its scripts hold a closing tag")
    return scripts


@cache
def own(name: str) -> str:
    """A style or script of this folder."""
    return resources.files("contract_wrapper.reports.html").joinpath(name).read_text(encoding="utf-8")


def text(plain: object) -> str:
    """Text that a page shows letter by letter; what has no shape of its own is left out, line ends are kept.

    >>> text('<b onclick="x">')
    '&lt;b onclick=&quot;x&quot;&gt;'
    """
    return html.escape("".join(c for c in str(plain) if c.isprintable() or c == "\n"))


def paragraph(plain: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{text(plain)}</p>"


def block(plain: str) -> str:
    """Plain text with its own lines, in letters of one width."""
    return f"<pre>{text(plain)}</pre>"


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """The few numbers that answer the question of a page: a name and a value each."""
    cells = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{cells}</dl>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A small table of plain texts."""
    top = "".join(f"<th>{text(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def data(kind: str, value: Any, *, target: str) -> str:
    """Plain data for a script of the page, which finds it by its kind and shows it in the element `target`."""
    return f'<script type="application/json" data-kind="{text(kind)}" data-target="{text(target)}">{as_json(value)}</script>'


def as_json(value: Any) -> str:
    r"""JSON that no browser takes for markup, whatever texts it holds.

    >>> as_json("</script>")
    '"\\u003c/script\\u003e"'

    Raises:
        ContractsError: a number is not finite, or something is no plain data.
    """
    try:
        plain = json.dumps(value, allow_nan=False, separators=(",", ":"))  # ASCII: U+2028 is escaped, too
    except (TypeError, ValueError) as error:
        raise ContractsError(f"a page holds plain data alone: {error}") from error
    for mark in "<>&":
        plain = plain.replace(mark, f"\\u{ord(mark):04x}")
    return plain
