"""The commands that began and continued a landscape, in a sealed file of its folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contract_wrapper.command_runs import CommandRun, read_runs, to_plain, told
from contract_wrapper.files import read_sealed, write_sealed

NAME = "commands.json"
"""Name of the file."""

KIND = "commands of a landscape"
"""What it says that it is."""

MOST_KEPT = 200
"""Commands that are kept: the first, and the latest."""


def add_command(folder: Path, run: CommandRun) -> tuple[CommandRun, ...]:
    """Note that a command begins to work on the landscape in a folder, and return all of them, the earliest first.

    Raises:
        ContractsError: the file is damaged or cannot be written.
    """
    path = folder / NAME
    there = read_runs(read_sealed(path, KIND).get("commands")) if path.exists() else ()
    runs = (*there, run)
    if len(runs) > MOST_KEPT:
        runs = (runs[0], *runs[1 - MOST_KEPT :])
    write_sealed(path, KIND, {"commands": to_plain(runs)})
    return runs


def commands_of(about: Mapping[str, Any]) -> tuple[CommandRun, ...]:
    """The commands that a landscape says made it; none: it was made before they were kept, or by hand.

    Raises:
        ContractsError: what it says is damaged.
    """
    return read_runs(about.get("commands", ()))


def told_commands(about: Mapping[str, Any]) -> list[str]:
    """Lines that say by which commands a landscape was made: as typed, or else the one that makes it again.

    Raises:
        ContractsError: as in `commands_of`.
    """
    runs, again = commands_of(about), about.get("command")
    if runs or not isinstance(again, str) or not again.strip():
        return told(runs)
    return [f"made by:      {''.join(c for c in ' '.join(again.split()) if c.isprintable())}"]
