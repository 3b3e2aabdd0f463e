"""What the parser of a program does besides its commands: `--version` and `--print-completion`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHELLS = ("bash", "zsh", "fish")
"""For which options can be completed."""


class Version(argparse.Action):
    """Say the version of the installed program, and end."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print one line."""
        from contract_wrapper.commands.documents import program_version

        print(f"{parser.prog} {program_version()}")
        parser.exit()


class PrintCompletion(argparse.Action):
    """Print a script that lets a shell complete the options of the program, and end."""

    def __call__(self, parser: argparse.ArgumentParser, _: Any, shell: Any, option: str | None = None) -> None:
        """Print the script of one shell."""
        try:
            import shtab
        except ModuleNotFoundError:
            parser.exit(
                2, f"{parser.prog}: error: {option} needs the package shtab, which is not installed: "
                'pip install "cleanup-contracts[completion]"\n',
            )  # fmt: skip
        for action in _actions(parser):
            if action.type is Path:
                folder = action.dest in ("folder", "study")
                action.complete = shtab.DIRECTORY if folder else shtab.FILE  # type: ignore[attr-defined]
        sys.stdout.write(shtab.complete(parser, shell=shell))
        parser.exit()


def add_program_options(parser: argparse.ArgumentParser) -> None:
    """Add what the program itself can be asked."""
    parser.add_argument(
        "--version",
        action=Version,
        nargs=0,
        dest=argparse.SUPPRESS,
        default=argparse.SUPPRESS,
        help="say the version and end",
    )
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=SHELLS,
        dest=argparse.SUPPRESS,
        default=argparse.SUPPRESS,
        metavar="SHELL",
        help="print a script for bash, zsh or fish that completes commands and options, and end",
    )


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All options of a parser and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from _actions(sub)
