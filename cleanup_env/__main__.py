"""`python -m cleanup_env`: what can be done with the game alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from cleanup_env.config import PRESETS
from cleanup_env.errors import CleanupError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0 done, 2 a user's error."""
    parser = argparse.ArgumentParser(prog="python -m cleanup_env", description="The Clean-up game alone.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    sub = commands.add_parser("yardsticks", help="print what scripted players reach with 0, 1, 2, ... cleaners")
    sub.add_argument("--cleaners", type=int, default=5, metavar="N", help="most cleaners (default: 5)")
    sub.add_argument("--episodes", type=int, default=400, metavar="N", help="episodes per figure (default: 400)")
    sub.add_argument("--preset", default="contract", choices=tuple(PRESETS), help="rules (default: contract)")
    sub.add_argument("--seed", type=int, default=0, help="seed of everything drawn (default: 0)")
    options = parser.parse_args(arguments)

    from cleanup_env.yardsticks import table

    try:
        print(table(options.cleaners, episodes=options.episodes, seed=options.seed, preset=options.preset))
    except CleanupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
