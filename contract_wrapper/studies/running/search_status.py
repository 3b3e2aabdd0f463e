"""How a search stands, in words: what is at work, what is finished, and how long the rest may take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from contract_wrapper.evaluation.participation import in_words
from contract_wrapper.evaluation.worker_pool import Job, crew_jobs
from contract_wrapper.evaluation.workers import Task, TrainingStatus
from contract_wrapper.progress import Pace
from contract_wrapper.studies import workload
from contract_wrapper.studies.certification import CertifyJob
from contract_wrapper.studies.record import Phase
from contract_wrapper.studies.study import Study

LOOK_SECONDS = 5.0
"""So old may be what is told of other workers."""


class SearchStatus:
    """What one worker's search is doing, and what the whole study has done."""

    def __init__(self, study: Study, processes: int, starting: Callable[[], str]) -> None:
        """Begin, with nothing at work; `starting` says what is told before the first word of a training."""
        self._study, self._processes, self._starting = study, processes, starting
        self.running: dict[int, tuple[Task, TrainingStatus | None]] = {}
        self.measured = 0
        self.crews_missing = len(crew_jobs(study.outcomes, study.settings))
        self._looked = time.monotonic()
        self.pace = Pace(self.work_done())

    def begin(self) -> bool:
        """Begin to measure the pace, at the first sign of work; whether it had not begun."""
        return not self.pace.started and self.pace.start(self.work_done())

    def line(self, number: int) -> str:
        """One finished trial in one line."""
        record = self._study.record()
        trial = record.trials[number]
        head = f"#{number:<3} {trial.phase.value:12} {trial.contract!s:24}"
        if trial.outcome is None:
            return f"{head} failed: {trial.failure}"
        welfare, o = f"welfare {trial.outcome.welfare.mean:7.1f}", trial.outcome
        if record.settings.problem is not None:
            value = f"{record.settings.problem.objective} {record.objective(trial).mean:7.1f}"
            return f"{head} {value}" + ("" if number == 0 else f"  {in_words(record.margins(trial))}")
        if number == 0:
            return f"{head} {welfare}  harvester {o.worst_harvester.mean:6.1f}"
        verdict = in_words(record.margins(trial))
        cleaner = o.worst_cleaner.mean if o.worst_cleaner else float("nan")
        return f"{head} {welfare}  harvester {o.worst_harvester.mean:6.1f}  cleaner {cleaner:6.2f}  {verdict}"

    def lines(self) -> list[str]:
        """The progress lines: the whole search, and what is being trained."""
        look = time.monotonic() - self._looked > LOOK_SECONDS
        self._looked = time.monotonic() if look else self._looked
        record, search = self._study.record(fresh=look), self._study.search
        total = 1 + search.n_initial + search.n_search + search.n_confirm
        finished = sum(t.is_finished for t in record.trials)
        when = self.pace.left(self.work_done(), workload.total(record, search))
        best, problem = record.best(), record.settings.problem
        name = "welfare" if problem is None else problem.objective
        best_text = (
            f"highest reading so far {best.contract}, {name} {record.objective(best).mean:.0f}"
            if best and best.outcome
            else "nothing feasible yet"
        )
        return [f"search   {finished}/{max(total, finished)} contracts, about {when} left; {best_text}", self._doing()]

    def _doing(self) -> str:
        """What is at work now."""
        if not self.running:
            return "waiting  for other workers"
        told = [
            f"{job}: {status.episode}/{status.episodes}"
            if isinstance(job, CertifyJob)
            else f"{job}: episode {status.episode}/{status.episodes}, utility {status.total:.0f}"
            for job, status in self.running.values()
            if status is not None
        ]
        if told or not self._study.record().by_crews or self.crews_missing or not self.running:
            return "training " + ("; ".join(told) or self._starting())
        jobs = [str(job) for job, _ in self.running.values()]  # without a word from them: they start, or play
        return "at work  " + "; ".join(jobs[: self._processes])

    def part(self, job: Task, status: TrainingStatus | None) -> float:
        """Work that is done of a training which is under way."""
        if status is None:
            return 0.0
        settings = self._study.settings
        if isinstance(job, Job):
            whole = workload.of_evaluation(settings.from_scratch(), job.contract, Phase.BASELINE)
        else:
            whole = workload.of_deviators(settings) if isinstance(job, CertifyJob) else workload.of_crews(settings)
        return whole * status.episode / status.episodes

    def work_done(self) -> float:
        """Work that is finished and under way, in the unit of `workload`."""
        under_way = sum(self.part(job, status) for job, status in self.running.values())
        under_way += self.measured * workload.of_deviators(self._study.settings)
        return workload.done(self._study.record(), self.crews_missing) + under_way


def all_failed(failed: Sequence[tuple[Job, Any]]) -> str:
    """What to say where no contract at all could be evaluated."""
    job, cause = min(failed, key=lambda pair: pair[0].number)
    return (
        f"all {len(failed)} contracts that were tried failed, {job} by {cause}: mend it and give the same command again, "
        "which tries them anew; or leave such contracts out of the ranges"
    )
