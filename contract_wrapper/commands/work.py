"""The command `work`: join a study that another process began, from anywhere, and leave it at any time."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from contract_wrapper.commands.options import add_log, logging_to, typed
from contract_wrapper.commands.own_problem import add_problem, own_problem
from contract_wrapper.errors import ContractsError

if TYPE_CHECKING:
    from contract_wrapper.commands.output import Output

STORAGE = (
    "URL of the database in which the study is: sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE (default: "
    "study.sqlite3 in the folder)"
)


def add_storage(sub: argparse.ArgumentParser) -> None:
    """Add the choice of a database."""
    sub.add_argument("--storage", metavar="URL", help=STORAGE)


def add_options(sub: argparse.ArgumentParser) -> None:
    """Options of the command."""
    sub.add_argument("study", metavar="STUDY", help="folder of the study; with --storage its folder or its name")
    add_storage(sub)
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
    folder, name = located(options.study, options.storage, options.folder)
    study = Study.join(folder, storage=options.storage, study=name, command=typed(options))
    try:
        output.say(f"work on {study.place}, with files in {folder} (stop with Ctrl-C at any time; others go on)")
        with logging_to(options, folder):
            record = Search(study, processes=options.processes, stream=output.progress).run()
        output.say(f"the study is finished: {len(record.trials)} evaluations")
    finally:
        study.close()
    return 0


def located(study: str, storage: str | None, folder: Path | None = None) -> tuple[Path, str | None]:
    """Return the folder of a study, and its name in the database if that is not the folder's.

    Args:
        study: folder or, with `storage`, folder or name.
        storage: URL of the database; None: it is in the folder.
        folder: of outcomes, with `storage`.

    Raises:
        ContractsError: a folder is given twice.
    """
    if storage is None:
        if folder is not None:
            raise ContractsError(
                f"--folder {folder} belongs to --storage: without it the study is a folder, here {study}"
            )
        return Path(study), None
    if Path(study).is_dir() or len(Path(study).parts) > 1:
        return (Path(study), None) if folder is None else (folder, Path(study).name)
    return folder or Path("studies") / study, study
