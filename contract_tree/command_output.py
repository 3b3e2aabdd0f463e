"""Where `contract-tree` says what: results on stdout, progress on stderr, or one JSON document and nothing else on stdout."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib.metadata
import io
import json
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import contract_tree

if TYPE_CHECKING:
    from contract_tree.result import Result

VERSION = 1
"""Version of the document's format; more keys do not raise it, keys that go or mean something else do."""

SHELLS = ("bash", "zsh", "fish")
"""For which options can be completed."""


def program_version() -> str:
    """Version of the installed package; that of the sources where it was never installed."""
    try:
        return importlib.metadata.version("cleanup-contracts")
    except importlib.metadata.PackageNotFoundError:
        return contract_tree.__version__


def progress_stream(options: argparse.Namespace) -> TextIO:
    """Return where progress is shown: stderr, or nowhere if quiet."""
    return _Nowhere() if options.quiet else sys.stderr


def detail(options: argparse.Namespace, what: str, data: Mapping[str, Any]) -> None:
    """Say more, on stderr, if verbose."""
    if options.verbose:
        print(f"{what}: {json.dumps(plain(data), ensure_ascii=False)}", file=sys.stderr, flush=True)


def result_document(result: Result, files: list[Path]) -> dict[str, Any]:
    """What `--json` says of a run, unrounded; per round and node where nothing else is said.

    Keys: `tree` (nested), `players`, `horizon`, `noise` (null: Bernoulli), `seed`, `games`, `best_welfare`,
    `selfish_welfare` (nobody pays), `gap` (share of the best welfare that is missed in the last tenth, by game),
    `lost_welfare` (over the run, by game), `growth` (exponent of its growth, by game), `epochs` (rounds played before
    each beginning of the players), `nodes` (the rows of `nodes.csv`), `files`.
    """
    from contract_tree.report import rows_of_nodes

    solution = result.solution
    return {
        "tree": result.tree.as_nested(), "players": dict(zip(result.tree.names, result.players, strict=True)),
        "horizon": result.horizon, "noise": result.noise, "seed": result.seed, "games": result.n_games,
        "best_welfare": solution.welfare, "selfish_welfare": solution.selfish_welfare, "gap": result.gap(),
        "lost_welfare": result.welfare_regret()[:, -1], "growth": result.slopes(),
        "epochs": result.epochs, "nodes": rows_of_nodes(result), "files": files,
    }  # fmt: skip


def document(options: argparse.Namespace, result: Mapping[str, Any]) -> str:
    """Put a result into the frame that all documents share, as JSON."""
    asked = {k: v for k, v in vars(options).items() if k not in ("run", "command", "quiet", "verbose", "json")}
    return json.dumps(
        plain(
            {
                "format": f"contract-tree {options.command}", "version": VERSION,
                "program": {"name": "cleanup-contracts", "version": program_version()}, "options": asked,
                "result": result,
            }
        ),
        indent=2, allow_nan=False, ensure_ascii=False,
    )  # fmt: skip


def plain(value: Any) -> Any:
    """What JSON can hold of a value; numbers that are not finite are null.

    >>> plain((1, float("inf"), Path("a")))
    [1, None, 'a']
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else str(value)


@contextlib.contextmanager
def only_the_document(options: argparse.Namespace) -> Iterator[list[str]]:
    """Collect what a command prints; with `--json`, whatever else is printed inside the block goes to stderr."""
    texts: list[str] = []
    with contextlib.redirect_stdout(sys.stderr) if options.json else contextlib.nullcontext():
        yield texts
    for text in texts:
        print(text, flush=True)


class _Nowhere(io.StringIO):
    """A stream that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)


class Version(argparse.Action):
    """Say the version of the installed program, and end."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print one line."""
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
        sys.stdout.write(shtab.complete(parser, shell=shell))
        parser.exit()
