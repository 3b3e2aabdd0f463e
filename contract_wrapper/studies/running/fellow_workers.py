"""Further workers of one command: each is a process of its own that takes whole evaluations of the same study."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_wrapper import interrupts
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.evaluate import EvaluationStopped
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.worker_pool import working
from contract_wrapper.evaluation.workers import EvaluationFailed, Workers
from contract_wrapper.problems.registry import register_problem
from contract_wrapper.studies.search import Search
from contract_wrapper.studies.study import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTask:
    """To work on a study until it is finished."""

    number: int
    """Below 0, so that it is no evaluation's."""

    study_folder: Path
    """Of the study."""

    storage: str | None = field(default=None, repr=False)
    """URL of its database, if that is not in the folder."""

    study: str | None = None
    """Its name there."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Nothing that would travel: it works on the study where it lies."""
        return ()

    def do(self, settings: EvaluationSettings, folder: Path | None, on_progress: Any, should_stop: Any) -> None:
        """Work, in this process; what it tells is nowhere shown."""
        if settings.problem is not None:
            register_problem(settings.problem)
        with interrupts.also(should_stop):
            study = Study.join(self.study_folder, storage=self.storage, study=self.study)
            try:
                Search(study, processes=1, stream=io.StringIO(), here=True).run()
            except KeyboardInterrupt as error:
                raise EvaluationStopped("the worker was stopped") from error
            finally:
                study.close()


@contextlib.contextmanager
def fellow_workers(study: Study, n: int, say: Callable[[str], object]) -> Iterator[None]:
    """Have further workers beside this process while a block runs.

    At its end they finish the study, too; where it ends by an error or an interrupt, they stop with a checkpoint.

    Args:
        study: on which this process works.
        n: workers besides this process.
        say: told when one of them ended early; the others go on.
    """
    place = study.place
    with contextlib.ExitStack() as stack:
        started: list[tuple[Workers, Future[Any]]] = []
        for k in range(n):
            workers = stack.enter_context(working(1))
            task = WorkTask(
                number=-1 - k,
                study_folder=study.folder,
                storage=None if place.in_folder else place.url,
                study=place.name,
            )
            started.append((workers, workers.begin(task, study.settings, study.outcomes)))
        try:
            yield
            for _, future in started:
                _wait(future)
        except BaseException:
            for workers, _ in started:
                workers.stop()
            raise
        finally:
            for _, future in started:
                why = _why(future)
                if why:
                    say(f"a worker ended early: {why}; the others went on with what it had")


def _wait(future: Future[Any]) -> None:
    while not future.done():
        interrupts.check()
        with contextlib.suppress(TimeoutError):
            future.exception(timeout=0.2)


def _why(future: Future[Any]) -> str:
    """Why a worker ended before the study was finished; empty if it did not, or was asked to."""
    error = future.exception() if future.done() and not future.cancelled() else None
    if isinstance(error, BrokenProcessPool):
        return "it was killed, or ran out of memory"
    return str(error) if isinstance(error, (ContractsError, EvaluationFailed)) else ""
