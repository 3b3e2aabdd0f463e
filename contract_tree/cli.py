"""The command `contract-tree`: run and report.

Heavy imports stay inside the functions that need them, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from contract_tree.command_output import (
    SHELLS,
    PrintCompletion,
    Version,
    detail,
    document,
    only_the_document,
    program_version,
    progress_stream,
    result_document,
)
from contract_tree.errors import TreeError
from contract_tree.program import run

FORMATS = ("png", "pdf", "svg")
"""In which figures can be written."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (see `contract_tree.program`)."""
    return run(lambda: _run_command(arguments), "contract-tree")


def _run_command(arguments: Sequence[str] | None) -> int:
    options = build_parser().parse_args(arguments)
    code: int = options.run(options)
    return code


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(
        prog="contract-tree",
        description="Contracts in a tree of principals and agents who learn: run games, and report what came of them.",
    )
    nothing: dict[str, Any] = {"dest": argparse.SUPPRESS, "default": argparse.SUPPRESS}
    parser.add_argument("--version", action=Version, nargs=0, help="say the version and end", **nothing)
    parser.add_argument(
        "--print-completion", action=PrintCompletion, choices=SHELLS, metavar="SHELL",
        help="print a script for bash, zsh or fish that completes commands and options, and end", **nothing,
    )  # fmt: skip
    _loudness(parser)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")

    sub = _command(commands, "run", _run, "let players play a tree and keep what came of it")
    sub.add_argument(
        "--tree",
        default="chain",
        help="chain (default), ipa, random-DEPTH-BRANCHING[-SEED], or a JSON file with a nested description",
    )
    sub.add_argument(
        "--players",
        default="tree",
        help="who plays: tree (default), tree-plain, ucb, oracle, ipa, belgic, informed; or by place, "
        "such as inner=oracle,leaves=ucb or root=ipa,agent=informed",
    )
    sub.add_argument("--horizon", type=int, default=100_000, metavar="T", help="rounds of a game (default: 100000)")
    sub.add_argument("--games", type=int, default=20, metavar="N", help="independent games, or seeds (default: 20)")
    sub.add_argument("--seed", type=int, default=0, help="seed of everything drawn (default: 0)")
    sub.add_argument("--noise", type=float, default=0.1, metavar="SD", help="sd of Gaussian rewards (default: 0.1)")
    sub.add_argument("--bernoulli", action="store_true", help="rewards are 0 or 1, instead of Gaussian")
    sub.add_argument(
        "--unknown-horizon",
        action="store_true",
        help="players do not know T: they begin anew in epochs that double, and forget what they learned",
    )
    sub.add_argument("--threads", type=int, default=1, metavar="N", help="games played at once (default: 1)")
    sub.add_argument("--folder", type=Path, help="where the run is kept (default: studies/tree- and the options)")

    sub = _command(commands, "report", _report, "draw the figures of a run")
    sub.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the run")
    sub.add_argument("--format", choices=FORMATS, default="png", help="of the figures (default: png)")
    return parser


def _loudness(parser: argparse.ArgumentParser, **default: Any) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-q", "--quiet", action="store_true", help="say results and errors only, no progress", **default)
    group.add_argument("-v", "--verbose", action="store_true", help="say also settings and versions", **default)


def _command(
    commands: Any, name: str, action: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    sub.set_defaults(run=action)
    _loudness(sub, default=argparse.SUPPRESS)
    sub.add_argument("--json", action="store_true", help="write one JSON document to stdout, and nothing else there")
    return sub


def parse_players(text: str) -> str | dict[str, str]:
    """Read `PLAYER` or `PLACE=PLAYER,...`; a place is a node, `inner` or `leaves`.

    >>> parse_players("inner=oracle,leaves=ucb")
    {'inner': 'oracle', 'leaves': 'ucb'}
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 1 and "=" not in parts[0]:
        return parts[0]
    found: dict[str, str] = {}
    for part in parts:
        place, equals, player = part.partition("=")
        if not equals or not place or not player:
            raise TreeError(f"--players must be a player, or PLACE=PLAYER separated by commas; {part!r} is neither")
        found[place.strip()] = player.strip()
    return found


def _run(options: argparse.Namespace) -> int:
    from contract_tree.instances import named_tree
    from contract_tree.progress import Progress
    from contract_tree.report import closing_table
    from contract_tree.result_files import save_result
    from contract_tree.simulation import simulate
    from contract_tree.tree import Tree

    is_file = options.tree.endswith(".json") or os.sep in options.tree
    tree = Tree.from_json(options.tree) if is_file else named_tree(options.tree)
    players = parse_players(options.players)
    folder = options.folder or Path("studies") / _folder_name(options)
    progress = Progress(progress_stream(options), options.horizon)
    with only_the_document(options) as texts:
        result = simulate(
            tree, players, horizon=options.horizon, n_games=options.games, seed=options.seed,
            noise=None if options.bernoulli else options.noise, threads=options.threads, unknown_horizon=options.unknown_horizon, on_progress=progress.show,
        )  # fmt: skip
        save_result(result, folder)
        detail(options, "players", dict(zip(result.tree.names, result.players, strict=True)))
        detail(options, "epochs", {"begin": result.epochs})
        detail(options, "versions", {"cleanup-contracts": program_version()})
        if options.json:
            texts.append(document(options, result_document(result, [folder])))
        else:
            texts.append(closing_table(result))
            texts.append(f"\nthe run is kept in {folder}\ndraw it with: contract-tree report {folder}")
    return 0


def _folder_name(options: argparse.Namespace) -> str:
    """Name a run by its options."""
    noise = "bernoulli" if options.bernoulli else f"sd{options.noise:g}"
    players = options.players.replace("=", "-").replace(",", "-").replace(" ", "")
    unknown = "-unknown-horizon" if options.unknown_horizon else ""
    return f"tree-{Path(options.tree).stem}-{players}-{options.horizon}-{noise}-seed{options.seed}{unknown}"


def _report(options: argparse.Namespace) -> int:
    from contract_tree.figure_style import FigureStyle
    from contract_tree.report import closing_table, write_report
    from contract_tree.result_files import load_result

    with only_the_document(options) as texts:
        result = load_result(options.folder)
        table = closing_table(result)
        files = write_report(result, options.folder / "report", style=FigureStyle(format=options.format))
        if options.json:
            texts.append(document(options, result_document(result, files)))
        else:
            texts.append("\n".join([table, "", *map(str, files)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
