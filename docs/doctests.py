"""Shows the examples of docstrings (`>>>` paragraphs) as code on the reference pages.

Markdown would read `>>>` as a quotation. An extension of griffe, named in mkdocs.yml.
"""

from __future__ import annotations

import re
from typing import Any

import griffe


def fenced(docstring: str) -> str:
    """Put a fence around every paragraph that begins with `>>>`."""
    return re.sub(r"(?m)^>>> (?:.+\n?)+", lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", docstring)


class Doctests(griffe.Extension):
    """Fences examples as docstrings are loaded."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object, if it has one."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
