"""Evaluations on several processes, each with one thread, with progress and a way to stop them all."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.by_crews.crew_folder import CREWS_FILES, missing_crews, one_crews
from contract_wrapper.evaluation.evaluate import EvaluationStopped, evaluate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.workers import EvaluationFailed, Task, TrainingStatus, Workers, result_in_this_process
from contract_wrapper.learners.origin import Place, check_importable, import_learner, place_of
from contract_wrapper.learners.registry import LEARNERS, learner_of
from contract_wrapper.listeners.listener import TrainingLog, current_logs, set_logs

MOST_PROCESSES = 512
"""Each takes some 300 MB of memory."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Variables that say how many threads the libraries of a process use; they are read when a library is loaded."""

_statuses: Any = None
_stop: Any = None
_not_imported: dict[Place, str] = {}
"""In a worker: learners that it could not import, and why."""

GRACE_SECONDS = 5.0
"""So long a process that was told to end (SIGTERM) and has nothing to do waits for its parent to end it."""

_orphaned, _ended = threading.Event(), threading.Event()
_at_work = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One evaluation to do; its result is an Outcome."""

    number: int
    contract: AnyContract
    seed: int
    from_scratch: bool = False
    """Whether agents are trained under this contract alone, though the settings name crews that know every contract."""

    unpaid: bool = False
    """Whether nobody is paid, though the settings name a payment rule: what a contract is judged against."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Crews, which judge many contracts."""
        return () if self.from_scratch or self.contract.is_none else (CREWS_FILES,)

    def do(self, settings: EvaluationSettings, folder: Path | None, on_progress: Any, should_stop: Any) -> Outcome:
        """Evaluate the contract."""
        how = settings.from_scratch() if self.from_scratch else settings
        how = dataclasses.replace(how, payment=None) if self.unpaid else how
        return evaluate(self.contract, how, self.seed, folder=folder, on_progress=on_progress, should_stop=should_stop)

    def __str__(self) -> str:
        return str(self.contract)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewJob:
    """One training of crews that know every contract, into `crews/` of the folder; it has no result."""

    number: int
    """Below 0, so that it is no evaluation's."""

    training: int
    """Number of the training among those of the settings."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def do(self, settings: EvaluationSettings, folder: Path | None, on_progress: Any, should_stop: Any) -> None:
        """Train the crews, unless they are there."""
        if folder is None:
            raise ContractsError("crews are trained into a folder, got none")
        if one_crews(folder, settings, self.training, on_progress=on_progress, should_stop=should_stop) is None:
            raise EvaluationStopped("the training of the crews was stopped; run the same command to go on")

    def __str__(self) -> str:
        return f"crews {self.training + 1}"


def crew_jobs(folder: Path, settings: EvaluationSettings) -> list[CrewJob]:
    """Trainings of crews that are missing in the folder of the outcomes."""
    return [CrewJob(number=-1 - k, training=k) for k in missing_crews(folder, settings)]


class Processes:
    """A pool of processes of this machine (`workers.Pool`); made by `working`."""

    def __init__(self, executor: ProcessPoolExecutor, statuses: Any, stop: Any) -> None:
        """Take what `working` started."""
        self._executor, self._statuses, self._stop = executor, statuses, stop

    def prepare(self, settings: EvaluationSettings, folder: Path | None) -> None:
        """Refuse a learner that workers cannot import, before settings of its type are sent to one."""
        learner = learner_of(settings.learner)
        check_importable(learner)
        place = place_of(learner)
        if place is not None:
            why = _result(self._executor.submit(_why_not_imported, place))
            if why is not None:
                raise ContractsError(str(why))

    def submit(self, task: Task, settings: EvaluationSettings, folder: Path | None) -> Future[Any]:
        """Have a task done by the next process that is free."""
        return self._executor.submit(_work, settings, task, folder)

    def result(self, future: Future[Any]) -> Any:
        """The result of a task, or why there is none."""
        return _result(future)

    def statuses(self) -> Iterator[TrainingStatus]:
        """What trainings told since this was called last."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._statuses.get_nowait()

    def stop(self) -> None:
        """Ask all trainings to stop at their next episode, with a checkpoint."""
        self._stop.set()


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
    places = tuple(place for place in map(place_of, LEARNERS.values()) if place is not None)
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        with ProcessPoolExecutor(processes, context, _begin, (statuses, stop, current_logs(), places)) as pool:
            yield Workers(Processes(pool, statuses, stop))
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin(statuses: Any, stop: Any, logs: Sequence[TrainingLog], places: Sequence[Place]) -> None:
    global _statuses, _stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and says so through `stop`
    signal.signal(signal.SIGTERM, _end)  # of this process alone, or of all, as schedulers and `timeout` send it
    logging.getLogger("cleanup_env").setLevel(logging.ERROR)  # that it compiles stands in the progress lines
    statuses.cancel_join_thread()
    _statuses, _stop = statuses, stop
    set_logs(logs)
    for place in places:
        why = import_learner(place)
        if why is not None:  # told when it is needed: what is raised here would break the pool without a word
            _not_imported[place] = why
    threading.Thread(target=_watch, daemon=True).start()
    threading.Thread(target=_leave, daemon=True).start()


def _end(_signal: int, _frame: FrameType | None) -> None:
    """On SIGTERM: stop with a checkpoint, as on Ctrl-C, and say so to the parent, which then stops, too."""
    _ended.set()


def _leave() -> None:
    """After SIGTERM, when nothing is left to do: end, unless the parent ends this process first, as it mostly does."""
    _ended.wait()
    with _at_work:
        pass
    time.sleep(GRACE_SECONDS)  # in which what was returned arrives
    with _at_work:
        os._exit(128 + signal.SIGTERM)


def _why_not_imported(place: Place) -> str | None:
    """In a worker: why it could not import a learner in one line; None if it could."""
    return _not_imported.get(place)


def _watch() -> None:
    """When the parent is gone (killed), stop with a checkpoint: nobody waits for the result, and the
    same command, given again, would train the same contract a second time beside this process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # returns at once if the parent was gone before this process was ready
    _orphaned.set()
    with _at_work:
        os._exit(1)


def _work(settings: EvaluationSettings, job: Task, folder: Path | None) -> Any:
    def tell(p: Any) -> None:
        _statuses.put(TrainingStatus(number=job.number, episode=p.episode, episodes=p.episodes, total=p.total))

    def should_stop() -> bool:
        return _orphaned.is_set() or _ended.is_set() or bool(_stop.is_set())

    with _at_work:
        return result_in_this_process(job, settings, folder, tell, should_stop)


def _result(future: Future[Any]) -> Any:
    """The result, or why there is none; what concerns the whole search (disk, processes) is raised."""
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
