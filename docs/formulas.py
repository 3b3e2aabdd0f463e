"""Typesets the formulas of the pages as MathML when the site is built; a hook, named in mkdocs.yml.

A fence of the language `math` is a formula on lines of its own; `$` outside of the backticks makes one within a
sentence. GitHub reads both, too. A browser shows MathML by itself: no script, no font and no network is needed.
A formula with a mistake ends the build.
"""

from __future__ import annotations

import re
from typing import Any

from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor
from math_core import LatexToMathML

INLINE = r"\$`([^`]+)`\$"
"""A formula in a sentence, in LaTeX."""

LATEX = LatexToMathML(annotation=True)
"""The LaTeX stays in the page as an annotation, for whoever copies a formula."""


def typeset(formula: str, display: bool) -> str:
    """Return a formula in LaTeX as a MathML element, on lines of its own or not.

    Raises:
        ValueError: it is no LaTeX that can be typeset; the message shows where.
    """
    try:
        return LATEX.convert_with_local_state(" ".join(formula.split()), displaystyle=display)
    except Exception as error:  # a LatexError is a bare Exception, which mkdocs would show as a crash
        raise ValueError(f"the formula {formula!r} cannot be typeset: {error}") from error


def block(source: str, *_: Any, **__: Any) -> str:
    """Typeset a fence; called by `pymdownx.superfences`."""
    return f'<div class="math">{typeset(source, display=True)}</div>'


class InlineFormula(InlineProcessor):
    """A formula within a sentence."""

    def handleMatch(self, found: re.Match[str], _: str) -> tuple[str, int, int]:  # type: ignore[override]
        """Put MathML in its place, out of reach of everything that reads stars and underscores."""
        return self.md.htmlStash.store(typeset(found[1], display=False)), found.start(0), found.end(0)


class Formulas(Extension):
    """Finds formulas before code, whose backticks they share."""

    def extendMarkdown(self, md: Markdown) -> None:
        """Register the pattern; code in a sentence has the priority 190."""
        md.inlinePatterns.register(InlineFormula(INLINE, md), "formula", 200)


def on_config(config: Any) -> Any:
    """Add formulas to the Markdown of the pages."""
    config.markdown_extensions.append(Formulas())
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {}).setdefault("custom_fences", [])
    fences.append({"name": "math", "class": "math", "format": block})
    return config
