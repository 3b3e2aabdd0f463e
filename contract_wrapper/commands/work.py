"""The command `work`: join a study that another process began, from anywhere, and leave it at any time."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from contract_wrapper.commands.options import add_log, add_study, logging_to, study_address, typed
from contract_wrapper.commands.own_problem import add_problem, own_problem

if TYPE_CHECKING:
    from contract_wrapper.commands.output import Output


def add_options(sub: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_study(sub)
    sub.add_argument(
        "--folder",
        type=Path,
        help="with --storage: folder of outcomes, crews and checkpoints (default: STUDY if it is a folder, else "
        "studies/STUDY); workers that share it go on from each other's checkpoints",
    )
    add_problem(sub)
    sub.add_argument("--processes", type=int, default=1, metavar="N", help="trainings at once (default: 1)")
    add_log(sub)


def work(options: argparse.Namespace, output: Output) -> int:
    """Take evaluations of a study, and choose further ones, until it is finished."""
    from contract_wrapper.evaluation.worker_pool import check_processes
    from contract_wrapper.studies.search import Search
    from contract_wrapper.studies.study import Study

    check_processes(options.processes)
    if options.problem is not None:
        own_problem(options.problem)
    at = study_address(options, options.study, options.folder)
    study = Study.join(at.folder, storage=at.storage, study=at.name, command=typed(options))
    try:
        output.say(f"work on {study.place}, with files in {at.folder} (stop with Ctrl-C at any time; others go on)")
        with logging_to(options, at.folder):
            record = Search(study, processes=options.processes, stream=output.progress).run()
        output.say(f"the study is finished: {len(record.trials)} evaluations")
    finally:
        study.close()
    return 0
