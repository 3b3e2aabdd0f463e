"""Tasks that are done elsewhere: what a task is, who does it, and the loop that hands tasks out and takes results in.

The loop knows nothing of processes or clusters: these are pools (`worker_pool`, `engines`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from contract_wrapper import interrupts
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.evaluate import EvaluationStopped
from contract_wrapper.evaluation.settings import EvaluationSettings

if TYPE_CHECKING:
    from mtmfq.interface import TrainProgress


class EvaluationFailed(Exception):
    """An evaluation cannot be had, for a reason that lies in its contract or its learner; one line."""


class Task(Protocol):
    """Something that a worker does; its arguments and its result travel between processes."""

    @property
    def number(self) -> int:
        """What its status is told under, of no other task at the same time."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """Files of the folder that it builds on, as glob patterns; they travel where a machine does not see the folder."""
        ...

    def do(
        self,
        settings: EvaluationSettings,
        folder: Path | None,
        on_progress: Callable[[TrainProgress], None],
        should_stop: Callable[[], bool],
    ) -> Any:
        """Do it, with outcomes in `folder`; raises EvaluationStopped if it was asked to stop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStatus:
    """How far a training is."""

    number: int
    episode: int
    episodes: int
    total: float  # utility per episode, summed over agents


class Pool(Protocol):
    """Who does tasks: processes of this machine, or a cluster."""

    def prepare(self, settings: EvaluationSettings, folder: Path | None) -> None:
        """Make sure that tasks with these settings can be done; raises ContractsError if not."""
        ...

    def submit(self, task: Task, settings: EvaluationSettings, folder: Path | None) -> Future[Any]:
        """Have a task done, and return at once."""
        ...

    def result(self, future: Future[Any]) -> Any:
        """The result, or why there is none in one line; what concerns all tasks (disk, processes) is raised."""
        ...

    def statuses(self) -> Iterable[TrainingStatus]:
        """What trainings told since this was called last."""
        ...

    def stop(self) -> None:
        """Ask all trainings to stop at their next episode, with a checkpoint."""
        ...


class Workers:
    """Has tasks done by a pool; `worker_pool.working` and `engines.working.working` make one."""

    def __init__(self, pool: Pool) -> None:
        """Take a pool that somebody else closes."""
        self.pool = pool

    def run(
        self,
        jobs: Sequence[Task],
        settings: EvaluationSettings,
        folder: Path | None,
        on_result: Callable[[Any, Any], Sequence[Task] | None],
        on_status: Callable[[TrainingStatus], None],
        on_tick: Callable[[], None],
    ) -> None:
        """Do all jobs; callbacks run here, results in the order in which they come.

        on_result gets a job and its result, or the one-line cause of a failure; it may return further jobs. An interrupt asks all
        trainings to stop at their next episode, waits for their checkpoints, and goes on to the caller.

        Raises:
            ContractsError: workers cannot import the learner of the settings; a process died, or the disk is full.
        """
        interrupts.check()
        self.pool.prepare(settings, folder)
        waiting: dict[Future[Any], Task] = {}
        try:
            waiting |= {self.begin(job, settings, folder): job for job in jobs}
            while waiting:
                done, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                interrupts.check()
                for status in self.pool.statuses():
                    on_status(status)
                on_tick()
                for future in done:
                    job = waiting.pop(future)
                    for further in on_result(job, self.pool.result(future)) or ():
                        waiting[self.begin(further, settings, folder)] = further
        except BaseException:
            self.stop()
            for future in waiting:
                future.cancel()
            raise

    def begin(self, task: Task, settings: EvaluationSettings, folder: Path | None) -> Future[Any]:
        """Begin one task, and return at once; `stop` asks it to end."""
        return self.pool.submit(task, settings, folder)

    def stop(self) -> None:
        """Ask all trainings to stop at their next episode, with a checkpoint."""
        self.pool.stop()


def result_in_this_process(
    job: Task, settings: EvaluationSettings, folder: Path | None, on_progress: Any, should_stop: Any
) -> Any:
    """Do a job here, and tell errors apart: those of the machine, and those of the job's contract or learner.

    Raises:
        EvaluationStopped: it was asked to stop. ContractsError: the disk or the like cannot be used.
        EvaluationFailed: everything else that went wrong, in one line.
    """
    try:
        return job.do(settings, folder, on_progress, should_stop)
    except EvaluationStopped:
        raise
    except Exception as error:
        # Told apart here: on its way to the parent an exception loses what caused it.
        if _of_the_machine(error):
            raise ContractsError(str(error).splitlines()[0]) from error
        raise EvaluationFailed(f"{type(error).__name__}: {error}".splitlines()[0]) from error


def _of_the_machine(error: BaseException | None) -> bool:
    """Whether an error comes from the disk or the like, not from the contract that was evaluated."""
    while error is not None:
        if isinstance(error, OSError):
            return True
        error = error.__cause__
    return False
