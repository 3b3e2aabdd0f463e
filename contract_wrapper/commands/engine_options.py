"""Options that say where the work of a command is done: on processes of this machine, or on a Ray cluster."""

from __future__ import annotations

import argparse

from contract_wrapper.engines.engine import ENGINES


def add_engine(sub: argparse.ArgumentParser) -> None:
    """Add the choice of an engine."""
    sub.add_argument(
        "--engine",
        choices=ENGINES,
        help="who does the work: processes of this machine (default), or ray, a Ray cluster; results are the same",
    )
    sub.add_argument(
        "--ray-address",
        metavar="HOST:PORT",
        help="with --engine ray: head of a Ray cluster that runs (default: one of this machine, which is started and shut "
        "down again)",
    )
    sub.add_argument(
        "--ray-memory",
        type=float,
        metavar="GB",
        help="with --engine ray: memory that is kept free for each training (default: none, processors alone count)",
    )
