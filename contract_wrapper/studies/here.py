"""Evaluations in this process, one after another: for notebooks, and for scripts whose code no other process can import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from contract_wrapper import interrupts
from contract_wrapper.evaluation.evaluate import EvaluationStopped
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.workers import EvaluationFailed, Task, TrainingStatus, result_in_this_process


class Here:
    """In place of a pool of processes (`workers.Workers`): the same jobs, done here."""

    def run(
        self,
        jobs: Sequence[Task],
        settings: EvaluationSettings,
        folder: Path | None,
        on_result: Callable[[Any, Any], Sequence[Task] | None],
        on_status: Callable[[TrainingStatus], None],
        on_tick: Callable[[], None],
    ) -> None:
        """Do all jobs in their order; arguments and errors as in `Workers.run`.

        An interrupt that was asked for (`interrupts`) stops a training with its checkpoint; one that Python raises, as in
        a notebook, ends it where it is, and it goes on from its last checkpoint.
        """
        waiting = list(jobs)
        while waiting:
            job = waiting.pop(0)
            interrupts.check()
            on_tick()

            def tell(p: Any, number: int = job.number) -> None:
                on_status(TrainingStatus(number=number, episode=p.episode, episodes=p.episodes, total=p.total))
                on_tick()

            try:
                result: Any = result_in_this_process(job, settings, folder, tell, interrupts.asked)
            except EvaluationStopped as error:
                raise KeyboardInterrupt from error
            except EvaluationFailed as error:
                result = str(error)
            waiting += on_result(job, result) or ()
