"""Evaluations on several processes, each with one thread, with progress and a way to stop them all."""

from __future__ import annotations

import logging
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_wrapper import interrupts
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.evaluate import EvaluationStopped, evaluate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings

MOST_PROCESSES = 512
"""Each takes some 300 MB of memory."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_statuses: Any = None
_stop: Any = None
_orphaned = threading.Event()
_at_work = threading.Lock()


class EvaluationFailed(Exception):
    """An evaluation cannot be had, for a reason that lies in its contract or its learner; one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One evaluation to do."""

    number: int
    contract: Contract
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStatus:
    """How far a training is."""

    number: int
    episode: int
    episodes: int
    total: float  # utility per episode, summed over agents


class Workers:
    """A pool of processes for evaluations; made by `working`."""

    def __init__(self, pool: ProcessPoolExecutor, statuses: Any, stop: Any) -> None:
        self._pool, self._statuses, self._stop = pool, statuses, stop

    def run(
        self,
        jobs: list[Job],
        settings: EvaluationSettings,
        folder: Path | None,
        on_result: Callable[[Job, Outcome | str], None],
        on_status: Callable[[TrainingStatus], None],
        on_tick: Callable[[], None],
    ) -> None:
        """Evaluate all jobs; callbacks run here, results in the order in which they come.

        on_result gets an Outcome, or the one-line cause of a failed evaluation. An interrupt asks all
        trainings to stop at their next episode, waits for their checkpoints, and goes on to the caller.
        """
        interrupts.check()
        waiting: dict[Future[Outcome], Job] = {self._pool.submit(_work, settings, job, folder): job for job in jobs}
        try:
            while waiting:
                done, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                interrupts.check()
                self._drain(on_status)
                on_tick()
                for future in done:
                    job = waiting.pop(future)
                    on_result(job, _result(future))
        except BaseException:
            self._stop.set()
            for future in waiting:
                future.cancel()
            raise

    def _drain(self, on_status: Callable[[TrainingStatus], None]) -> None:
        while True:
            try:
                on_status(self._statuses.get_nowait())
            except queue.Empty:
                return


def check_processes(processes: int) -> None:
    """Refuse a number of processes that no machine here runs.

    Raises:
        ContractsError: it is below 1 or above `MOST_PROCESSES`.
    """
    if not 1 <= processes <= MOST_PROCESSES:
        raise ContractsError(f"processes must be from 1 to {MOST_PROCESSES}, got {shown(processes)}")


@contextmanager
def working(processes: int) -> Iterator[Workers]:
    """Start the processes; on the way out they finish or, after an interrupt, stop with a checkpoint."""
    check_processes(processes)
    context = multiprocessing.get_context("spawn")
    statuses, stop = context.Queue(), context.Event()
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))  # read by the libraries when a worker loads them
    try:
        with ProcessPoolExecutor(processes, context, _begin, (statuses, stop)) as pool:
            yield Workers(pool, statuses, stop)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin(statuses: Any, stop: Any) -> None:
    global _statuses, _stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and says so through `stop`
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logging.getLogger("cleanup_env").setLevel(logging.ERROR)  # that it compiles stands in the progress lines
    statuses.cancel_join_thread()
    _statuses, _stop = statuses, stop
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    """When the parent is gone (killed), stop with a checkpoint: nobody waits for the result, and the
    same command, given again, would train the same contract a second time beside this process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # returns at once if the parent was gone before this process was ready
    _orphaned.set()
    with _at_work:
        os._exit(1)


def _work(settings: EvaluationSettings, job: Job, folder: Path | None) -> Outcome:
    def tell(p: Any) -> None:
        _statuses.put(TrainingStatus(number=job.number, episode=p.episode, episodes=p.episodes, total=p.total))

    def should_stop() -> bool:
        return _orphaned.is_set() or bool(_stop.is_set())

    try:
        with _at_work:
            return evaluate(job.contract, settings, job.seed, folder=folder, on_progress=tell, should_stop=should_stop)
    except EvaluationStopped:
        raise
    except Exception as error:
        # Told apart here: on its way to the parent an exception loses what caused it.
        if _of_the_machine(error):
            raise ContractsError(str(error).splitlines()[0]) from error
        raise EvaluationFailed(f"{type(error).__name__}: {error}".splitlines()[0]) from error


def _result(future: Future[Outcome]) -> Outcome | str:
    """The outcome, or why there is none; what concerns the whole search (disk, processes) is raised."""
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise ContractsError(
            "a training process died (killed, or out of memory): run the same command again to go on, "
            "with fewer --processes if memory is short; in a script, start the work below "
            "if __name__ == '__main__'"
        ) from error
    except EvaluationStopped as error:
        raise KeyboardInterrupt from error
    except EvaluationFailed as error:
        return str(error)


def _of_the_machine(error: BaseException | None) -> bool:
    """Whether an error comes from the disk or the like, not from the contract that was evaluated."""
    while error is not None:
        if isinstance(error, OSError):
            return True
        error = error.__cause__
    return False
