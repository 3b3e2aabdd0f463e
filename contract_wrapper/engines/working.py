"""Workers of the engine that was chosen, for as long as a block runs."""

from __future__ import annotations

from contextlib import AbstractContextManager

from contract_wrapper.engines import ray_cluster
from contract_wrapper.engines.engine import LOCAL, PROCESSES, Engine
from contract_wrapper.evaluation import worker_pool
from contract_wrapper.evaluation.workers import Workers


def working(processes: int, engine: Engine = LOCAL) -> AbstractContextManager[Workers]:
    """Have workers while a block runs; on the way out they finish or, after an interrupt, stop with a checkpoint.

    Args:
        processes: tasks that are done at once; on a cluster that runs, at most so many that it has room for.
        engine: who does them.

    Raises:
        ContractsError: there are no such processes, the engine's package is missing, or its cluster cannot be used.
    """
    if engine.name == PROCESSES:
        return worker_pool.working(processes)
    engine.check_installed()
    return ray_cluster.ray_workers(processes, engine)
