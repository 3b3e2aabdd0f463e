"""The main job: baseline, initial designs, then cPMES batch after batch, then fresh trainings of the best.

Where crews that know every contract judge them, these are trained first, and fresh trainings of the best say whether
training from scratch finds such a crew. Which contract comes next depends only on the study's seed, the trial's number
and the results before its batch, so that a search that was stopped and continued equals one that was not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from contract_wrapper import interrupts
from contract_wrapper.bo.suggestion import SpaceExhausted
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.participation import in_words
from contract_wrapper.evaluation.worker_pool import CrewJob, Job, Task, TrainingStatus, Workers, crew_jobs, working
from contract_wrapper.landscapes.certificate import Certificate
from contract_wrapper.progress import Pace, Progress
from contract_wrapper.studies import workload
from contract_wrapper.studies.certification import CertifyJob, together
from contract_wrapper.studies.here import Here
from contract_wrapper.studies.record import MAX_CANDIDATES, Phase, StudyRecord, TrialRecord
from contract_wrapper.studies.study import Study
from contract_wrapper.studies.suggest import candidates, next_batch, suggest


class Search:
    """Runs a study to its end and tells how it goes."""

    def __init__(self, study: Study, *, processes: int, stream: TextIO, here: bool = False) -> None:
        """Take a study over; `here`: everything is done in this process, whatever `processes` says."""
        self.study, self.processes, self._here = study, processes, here
        self._progress = Progress(stream)
        self._running: dict[int, tuple[Task, TrainingStatus | None]] = {}
        self._measured = 0
        self._crews_missing = len(crew_jobs(study.outcomes, study.settings))
        self._pace = Pace(self._work_done())

    def run(self) -> StudyRecord:
        """Do what is left to do; on an interrupt everything finished is stored, the rest goes on later."""
        with contextlib.nullcontext(Here()) if self._here else working(self.processes) as workers:
            self._finish_open(workers)
            while self._search_step():
                self._finish_open(workers)
            self._certify_candidates(workers)
            while self._confirm_step():
                self._finish_open(workers)
        return self.study.record()

    def _search_step(self) -> bool:
        """Queue the next batch of cPMES; false when the budget is spent or nothing is left to ask."""
        interrupts.check()
        record = self.study.record()
        batch = next_batch(record, self.study.search)
        if batch is None:
            return False
        try:
            suggestions = suggest(record.before(batch.first), batch.size)
        except SpaceExhausted:
            self._progress.say("every contract of the design space is evaluated")
            return False
        there = len(record.trials) - batch.first
        for suggestion in suggestions[there:]:
            self.study.add(record.designs.contract(suggestion.design), Phase.SEARCH, suggestion.why(), batch)
        return len(suggestions) > there

    def _confirm_step(self) -> bool:
        """Queue fresh trainings of the best contract; of the next best if one does not hold up.

        A contract that crews recommend is tried from scratch as it is: what comes of it refutes nothing.
        """
        interrupts.check()
        record, wanted = self.study.record(), self.study.search.n_confirm
        if not wanted:
            return False
        best = record.best()
        recommended = [] if best is None else [best.contract]
        for contract in recommended if record.by_crews else candidates(record)[:MAX_CANDIDATES]:
            missing = wanted - sum(t.contract == contract and t.phase is Phase.CONFIRMATION for t in record.trials)
            if missing > 0:
                how = "trying" if record.by_crews else "confirming"
                self._progress.say(f"{how} {contract} by {wanted} fresh trainings from scratch")
                for _ in range(missing):
                    self.study.add(contract, Phase.CONFIRMATION)
                return True
            if record.confirmed(contract):
                return False
        return False

    def _certify_candidates(self, workers: Workers | Here) -> None:
        """Certify the contracts with the highest welfare, one after another, until one of them is certified."""
        if not self.study.record().by_crews:
            return
        for trial in self.study.record().candidates():
            if self.study.record().certified(trial.contract) is None:
                self._certify(workers, trial)
            certificate = self.study.record().certified(trial.contract)
            if certificate is not None and certificate.certified:
                return

    def _certify(self, workers: Workers | Here, best: TrialRecord) -> None:
        """Measure what deviating alone brings under the contract of a trial."""
        crews, baseline, contract = self.study.settings.crews, self.study.record().baseline, best.contract
        if crews is None or baseline is None:
            return
        interrupts.check()
        self._progress.say(f"certifying {best.contract}: what does an agent gain by deviating alone?")
        seed = self.study.search.training_seed(best.number)
        jobs = [
            CertifyJob(number=-1 - k, training=k, contract=contract, baseline=baseline, seed=seed)
            for k in range(crews.trainings)
        ]
        found: dict[int, Certificate | str] = {}

        def on_measured(job: Task, result: Certificate | str) -> None:
            found[job.number] = result
            self._measured += 1  # until the certificate is stored

        self._do(workers, jobs, on_measured)
        self._measured = 0
        whole = [found[job.number] for job in jobs]
        failures = [what for what in whole if isinstance(what, str)]
        if failures:
            self._progress.say(f"it could not be certified: {failures[0]}")
            return
        certificate = together([what for what in whole if not isinstance(what, str)])
        self.study.certify(certificate)
        self._progress.say(f"{best.contract}: {certificate.verdict}")

    def _finish_open(self, workers: Workers | Here) -> None:
        """Evaluate whatever is queued; crews that it needs and that are missing are trained before.

        The baseline is trained beside them where a process is free, else while the crews play the first contracts.
        """
        jobs = [
            Job(number=t.number, contract=t.contract, seed=t.seed, from_scratch=workload.from_scratch(t.phase))
            for t in self.study.open_trials()
        ]
        if not all(job.from_scratch for job in jobs):
            crews = crew_jobs(self.study.outcomes, self.study.settings)
            if crews:
                beside = [job for job in jobs if job.from_scratch] if len(crews) < self.processes else []
                self._do(workers, [*crews, *beside])
                jobs = [job for job in jobs if job not in beside]
        self._do(workers, jobs)

    def _do(
        self, workers: Workers | Here, jobs: Sequence[Task], on_other: Callable[[Task, Any], None] = lambda *_: None
    ) -> None:
        self._running = {job.number: (job, None) for job in jobs}
        # Margins are measured against the baseline, so its result is stored before any other; and failures are stored
        # when one contract could be evaluated: what makes all of them fail is mended, and then they are tried again.
        held: list[tuple[Job, Outcome | str]] = []
        known, learned = self.study.record().baseline is not None, bool(self.study.record().finished())

        def on_result(job: Task, result: Any) -> None:
            nonlocal known, learned
            self._running.pop(job.number, None)
            self._pace.start(self._work_done())
            if isinstance(job, CrewJob):
                self._trained(job, result)
            elif isinstance(job, Job):
                if job.number == 0 and isinstance(result, str):
                    raise ContractsError(f"the baseline could not be trained, so nothing can be judged: {result}")
                held.append((job, result))
                known = known or job.number == 0
            else:
                on_other(job, result)
            if known:
                store()

        def store(everything: bool = False) -> None:
            nonlocal learned
            for job, result in [pair for pair in held if pair[0].number == 0]:
                self._store(job, result)
            judged = [(job, self.study.judged(result)) for job, result in held if job.number > 0]
            learned = learned or not all(isinstance(result, str) for _, result in judged)
            held[:] = [] if everything or learned else judged
            for job, result in [] if held else sorted(judged, key=lambda pair: pair[0].number):
                self._store(job, result)

        def on_status(status: TrainingStatus) -> None:
            if status.number in self._running:
                job, before = self._running[status.number]
                self._running[status.number] = (job, status)
                # What came with the first status was there before: processes that started, a checkpoint's training.
                if before is None and not self._pace.start(self._work_done()):
                    self._pace.regain(self._part(job, status))

        if jobs:
            workers.run(
                jobs, self.study.settings, self.study.outcomes, on_result, on_status,
                lambda: self._progress.show(self._status()),
            )  # fmt: skip
        if known and len(held) > 1:
            raise ContractsError(_all_failed(held))
        if known:
            store(everything=True)

    def _store(self, job: Job, result: Outcome | str) -> None:
        self.study.finish(job.number, result)
        self._progress.say(self._line(job.number))

    def _trained(self, job: CrewJob, failure: str | None) -> None:
        if failure is not None:
            raise ContractsError(f"the crews that judge all contracts could not be trained: {failure}")
        self._crews_missing = len(crew_jobs(self.study.outcomes, self.study.settings))
        self.study.write_files()
        self._progress.say(f"{job} trained: they know every contract")

    def _line(self, number: int) -> str:
        """One finished trial in one line."""
        record = self.study.record()
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

    def _status(self) -> list[str]:
        """The progress lines: the whole search, and what is being trained."""
        record, search = self.study.record(), self.study.search
        total = 1 + search.n_initial + search.n_search + search.n_confirm
        finished = sum(t.is_finished for t in record.trials)
        when = self._pace.left(self._work_done(), workload.total(record, search))
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
        told = [
            f"{job}: {status.episode}/{status.episodes}"
            if isinstance(job, CertifyJob)
            else f"{job}: episode {status.episode}/{status.episodes}, utility {status.total:.0f}"
            for job, status in self._running.values()
            if status is not None
        ]
        if told or not self.study.record().by_crews or self._crews_missing or not self._running:
            return "training " + ("; ".join(told) or self._progress.starting())
        jobs = [str(job) for job, _ in self._running.values()]  # without a word from them: they start, or play
        return "at work  " + "; ".join(jobs[: self.processes])

    def _part(self, job: Task, status: TrainingStatus | None) -> float:
        """Work of a training that is under way."""
        if status is None:
            return 0.0
        settings = self.study.settings
        if isinstance(job, Job):
            whole = workload.of_evaluation(settings.from_scratch(), job.contract, Phase.BASELINE)
        else:
            whole = workload.of_deviators(settings) if isinstance(job, CertifyJob) else workload.of_crews(settings)
        return whole * status.episode / status.episodes

    def _work_done(self) -> float:
        under_way = sum(self._part(job, status) for job, status in self._running.values())
        under_way += self._measured * workload.of_deviators(self.study.settings)
        return workload.done(self.study.record(), self._crews_missing) + under_way


def _all_failed(failed: Sequence[tuple[Job, Any]]) -> str:
    """What to say where no contract at all could be evaluated."""
    job, cause = min(failed, key=lambda pair: pair[0].number)
    return (
        f"all {len(failed)} contracts that were tried failed, {job} by {cause}: mend it and give the same command again, "
        "which tries them anew; or leave such contracts out of the ranges"
    )
