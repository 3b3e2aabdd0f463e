"""Makes docstrings readable for the reference pages. An extension of griffe, named in mkdocs.yml.

Examples (`>>>` paragraphs) are shown as code, which Markdown would read as a quotation. Arguments that share a
description (`low, high: bounds.`) get it each, because griffe knows no arguments of that name.
"""

from __future__ import annotations

import re
from typing import Any

import griffe


def fenced(docstring: str) -> str:
    """Put a fence around every paragraph that begins with `>>>`."""
    return re.sub(r"(?m)^>>> (?:.+\n?)+", lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", docstring)


def told_apart(docstring: str) -> str:
    """Repeat a description that several arguments share for each of them."""

    def each(found: re.Match[str]) -> str:
        return "\n".join(f"{found[1]}{name}:{found[3]}" for name in found[2].split(", "))

    entry = re.compile(r"^([ ]+)(\w+(?:, \w+)+):(.*(?:\n\1[ ]+.*)*)", re.MULTILINE)
    section = re.compile(r"^Args:\n(?:[ ]+.*\n?|\n(?=[ ]))+", re.MULTILINE)
    return section.sub(lambda found: entry.sub(each, found[0]), docstring)


class Doctests(griffe.Extension):
    """Rewrites docstrings as they are loaded."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object, if it has one."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(told_apart(obj.docstring.value))
