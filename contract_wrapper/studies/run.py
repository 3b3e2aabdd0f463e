"""A whole search by one call: the study of a folder, begun or continued, run to its end."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TextIO

from contract_wrapper import interrupts
from contract_wrapper.engines.engine import PROCESSES, Engine
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.worker_pool import check_processes
from contract_wrapper.problems.registry import register_problem
from contract_wrapper.studies.record import StudyRecord
from contract_wrapper.studies.search import Search
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.study import Study


def optimize(
    settings: EvaluationSettings,
    search: SearchSettings | None = None,
    *,
    folder: Path | str,
    processes: int | None = None,
    engine: str = PROCESSES,
    ray_address: str | None = None,
    ray_memory: float | None = None,
    storage: str | None = None,
    study: str | None = None,
    stream: TextIO | None = None,
) -> StudyRecord:
    """Search for the best contract that everybody accepts, as `cleanup-contracts optimize` does.

    A study that was stopped goes on from where it was; the same call again trains nothing that is done.

    Args:
        settings: what evaluations have in common; their `problem` says what is designed.
        search: seed and budgets; default: `SearchSettings()`.
        folder: of the study.
        processes: trainings at once (default: 1; on a cluster that runs, as many as it has room for). One: in this
            process, as notebooks need it. Several: in as many others, so that a script must start its work below
            `if __name__ == "__main__"`, and a problem be defined in a file.
        engine: `"processes"` of this machine, or `"ray"`: tasks of a Ray cluster (extra `cluster`). The study is the
            same.
        ray_address: HOST:PORT of a Ray cluster that runs; None: one of this machine, started for the search, with
            `processes` processors.
        ray_memory: memory in GB that Ray keeps free for each training.
        storage: URL of the database in which the study is; None: `study.sqlite3` in the folder.
        study: its name in that database; None: that of the folder.
        stream: where progress is told; None: nowhere.

    Raises:
        ContractsError: the folder holds another study, or one that another process works on; a problem cannot be run;
            a Ray cluster cannot be used.
        KeyboardInterrupt: it was asked to stop; everything finished is stored.
    """
    where = Engine(name=engine, ray_address=ray_address, ray_memory=ray_memory)
    where.check_installed()
    processes = where.usual_processes(1) if processes is None else processes
    check_processes(processes)
    if settings.problem is not None:
        register_problem(settings.problem)
    opened = Study(Path(folder), settings, SearchSettings() if search is None else search, storage=storage, study=study)
    try:
        told = io.StringIO() if stream is None else stream
        with interrupts.noted():
            here = processes == 1 and engine == PROCESSES
            return Search(opened, processes=processes, stream=told, here=here, engine=where).run()
    finally:
        opened.close()
