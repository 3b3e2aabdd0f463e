"""Where settings come from: a TOML file, `--set KEY=VALUE`, and the command's own options, each as assignments."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_wrapper.configuration.keys import Kind, below, roots
from contract_wrapper.errors import ContractsError, shown

MOST_BYTES = 1_000_000
"""Largest file that is read; a configuration with every key has a few thousand bytes."""

MOST_LETTERS = 20_000
"""Longest text of a `--set`."""

LONGEST_NAME = 200
"""Letters of a key that an error gives whole."""

SET = "--set"

_PART = r"[A-Za-z0-9_-]+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A key is given a value."""

    key: tuple[str, ...]
    """Parts of the dotted key, down to a field; of a table only where the table itself is meant: `crews = "none"`."""

    value: Any
    """As TOML has it: text, numbers, true or false, lists, tables, dates."""

    where: str
    """The file, `--set`, or the option that says so."""

    inside: str = ""
    """Name in the field's own table that alone is given the value, as in `--set learner.gamma.cleaner=0.9`."""

    by_hand: bool = True
    """Whether a file or `--set` says so, whose keys errors name; options are named by their own errors."""

    def __str__(self) -> str:
        return ".".join((*self.key, self.inside) if self.inside else self.key)

    @property
    def place(self) -> str:
        """The key and where it stands, as errors name it."""
        return placed(str(self), self.where)


def placed(key: str, where: str) -> str:
    """A key and where it stands.

    >>> placed("learner.gamma", "run.toml"), placed("learner.gamma", "--set")
    ('learner.gamma in run.toml', 'learner.gamma (--set)')
    """
    name = key if key.isprintable() and len(key) <= LONGEST_NAME else shown(key)
    return f"{name} ({where})" if where.startswith("--") else f"{name} in {where}"


def by_option(key: str, value: object, option: str) -> Assignment:
    """What an option of a command stands for."""
    return Assignment(key=tuple(key.split(".")), value=value, where=option, by_hand=False)


def read_file(path: Path) -> list[Assignment]:
    """Read a TOML file; `-` is the standard input. Nothing in it is executed.

    Raises:
        ContractsError: it cannot be read, is too large, or is no TOML.
    """
    where = "the standard input" if str(path) == "-" else str(path)
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ContractsError(f"the configuration {where} cannot be read: {why}") from error
    if len(data) > MOST_BYTES:
        raise ContractsError(f"{where} is no configuration: it has more than {MOST_BYTES:,} bytes")
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ContractsError(f"{where} is no TOML: it is no text in UTF-8") from error
    except (ValueError, RecursionError) as error:  # ValueError: TOMLDecodeError, and numbers of too many digits
        why = "it is nested too deep" if isinstance(error, RecursionError) else shown_line(error)
        raise ContractsError(f"{where} is no TOML: {why}") from error
    return from_table(table, where)


def from_table(table: Mapping[str, Any], where: str) -> list[Assignment]:
    """Assignments of a table of plain values."""
    return [a for name, value in table.items() for a in _flat((name,), value, where)]


def read_set(text: str) -> list[Assignment]:
    """Read one `--set`; what is no TOML value is text.

    >>> [(str(a), a.value) for a in read_set("learner.hidden=[8, 8]")]
    [('learner.hidden', [8, 8])]
    >>> read_set("costs=paper")[0].value
    'paper'

    Raises:
        ContractsError: there is no key, or the value begins like one of TOML and is none.
    """
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not re.fullmatch(rf"{_PART}(\.{_PART})*", key):
        raise ContractsError(f"--set is given as KEY=VALUE, for example learner.gamma=0.9, got {shown(text)}")
    if len(text) > MOST_LETTERS:
        raise ContractsError(f"--set {key} has more than {MOST_LETTERS:,} letters: write it into a file, for --config")
    return list(_flat(tuple(key.split(".")), _value(key, value.strip()), SET))


def shown_line(error: Exception) -> str:
    """An error's words, in one short line."""
    return " ".join(str(error).split())[:200]


def _value(key: str, text: str) -> Any:
    try:
        read = tomllib.loads(f"value = {text}\n")
        if list(read) == ["value"]:
            return read["value"]
        why: object = "more than one value"
    except (ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else shown_line(error)
    if text and text[0] not in "\"'[{" and "\n" not in text:
        return text
    raise ContractsError(f"{key} (--set): {shown(text)} is no value of TOML ({why})")


def _flat(key: tuple[str, ...], value: Any, where: str) -> Iterator[Assignment]:
    """Divide a table into assignments of fields; a name that is not known stays as it is, and is refused later."""
    node = roots().get(key[0])
    for depth, name in enumerate(key[1:], start=1):
        if node is None or node.kind not in (Kind.TABLE, Kind.GAME, Kind.LEARNER):
            break
        if node.kind is Kind.LEARNER:  # its fields are values, whatever they are called
            node = None
            if len(key) == depth + 2:
                yield Assignment(key=key[:-1], value=value, where=where, inside=key[-1])
                return
            break
        node = below(node).get(name)
    tables = (Kind.TABLE, Kind.GAME, Kind.LEARNER)
    if node is not None and node.kind in tables and isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat((*key, name), inner, where)
        return
    yield Assignment(key=key, value=value, where=where)


def last(assignments: Iterable[Assignment], key: str) -> Assignment | None:
    """The assignment of a key that counts: the last one."""
    parts = tuple(key.split("."))
    return next((a for a in reversed(list(assignments)) if a.key == parts and not a.inside), None)
