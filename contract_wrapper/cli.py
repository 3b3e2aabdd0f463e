"""The command `cleanup-contracts`: optimize, work, evaluate, certify, landscape, play, report, export, import,
dashboard, show.

Heavy imports stay inside the functions that need them, so that `--help` answers at once. What a
user can put right ends in one line on the error stream, never in a traceback (`program`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from contract_wrapper import landscape_job, main_job, program
from contract_wrapper.commands import bundles, evaluate, options, show, show_configuration, work
from contract_wrapper.commands.completion import add_program_options
from contract_wrapper.commands.output import Output, output

Command = Callable[[argparse.Namespace, Output], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (see `program`)."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    parsed = build_parser().parse_args(words)
    parsed.words = words

    def run() -> int:
        with output(parsed) as out:
            return int(parsed.run(parsed, out))

    return program.run(run, "cleanup-contracts")


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(
        prog="cleanup-contracts",
        description="Design contracts for learning agents in a Clean-up game, and find the best one that everybody "
        "accepts.",
    )
    add_program_options(parser)
    options.add_loudness(parser)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")

    sub = _command(commands, "optimize", main_job.optimize, "search for the best contract that everybody accepts")
    options.add_configuration(sub)
    options.add_shared(sub)
    main_job.add_options(sub)
    options.add_log(sub)
    options.add_json(sub)
    about = "join a study that was begun elsewhere, and take evaluations of it"
    work.add_options(_command(commands, "work", work.work, about))
    about = "train agents under one contract and say whether everybody accepts it"
    evaluate.add_evaluate(_command(commands, "evaluate", evaluate.evaluate, about))
    about = "say of one contract whether everybody accepts it and nobody gains by leaving it"
    evaluate.add_certify(_command(commands, "certify", evaluate.certify, about, aliases=("best-response",)))
    about = "train crews for every contract, play all contracts, and draw what comes of it"
    sub = _command(commands, "landscape", landscape_job.landscape, about)
    options.add_configuration(sub)
    options.add_game(sub)
    landscape_job.add_options(sub)
    options.add_log(sub)
    options.add_json(sub)
    show.add_play(_command(commands, "play", show.play, "show an episode: an animated GIF, or in the terminal"))
    show.add_report(_command(commands, "report", show.report, "draw the figures of a study or a landscape"))
    about = "write a study or a landscape into one file that can be handed on and checked"
    bundles.add_export(_command(commands, "export", bundles.export, about))
    about = "check such a file, and make a folder of it to report, show and play"
    bundles.add_import(_command(commands, "import", bundles.bring_in, about))
    about = "look at a study in the browser, while it runs or later (Optuna's dashboard)"
    bundles.add_dashboard(_command(commands, "dashboard", bundles.dashboard, about))
    about = "print a configuration as TOML, which --config reads back"
    show_configuration.add_show(_command(commands, "show", show_configuration.show, about))
    return parser


def _command(commands: Any, name: str, run: Command, text: str, aliases: Sequence[str] = ()) -> argparse.ArgumentParser:
    about = text[0].upper() + text[1:] + "."
    sub: argparse.ArgumentParser = commands.add_parser(name, help=text, description=about, aliases=aliases)
    sub.set_defaults(run=run)
    options.add_loudness(sub, default=argparse.SUPPRESS)
    return sub


if __name__ == "__main__":
    sys.exit(main())
