"""The main job: baseline, initial designs, then cPMES batch after batch, then fresh trainings of the best.

Where crews that know every contract judge them, these are trained first, and fresh trainings of the best say whether
training from scratch finds such a crew. Which contract comes next depends only on the study's seed, the trial's number
and the results before its batch, so that a search that was stopped and continued equals one that was not.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from contract_wrapper import interrupts
from contract_wrapper.bo.suggestion import SpaceExhausted
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.engines.engine import LOCAL, Engine
from contract_wrapper.engines.working import working
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.worker_pool import CrewJob, Job, crew_jobs
from contract_wrapper.evaluation.workers import Task, TrainingStatus, Workers
from contract_wrapper.landscapes.certificate import Certificate
from contract_wrapper.progress import Progress
from contract_wrapper.studies import workload
from contract_wrapper.studies.certification import CertifyJob, together
from contract_wrapper.studies.here import Here
from contract_wrapper.studies.record import MAX_CANDIDATES, Phase, StudyRecord, TrialRecord
from contract_wrapper.studies.running.search_status import SearchStatus, all_failed
from contract_wrapper.studies.running.stored import Queued
from contract_wrapper.studies.study import Study
from contract_wrapper.studies.suggest import candidates, next_batch, suggest

WAIT_SECONDS, WAIT_LOOKS = 0.5, 5
"""Pause of a worker that waits for others, and how often in it an interrupt is looked for."""


class Search:
    """Runs a study to its end and tells how it goes."""

    def __init__(
        self, study: Study, *, processes: int, stream: TextIO, here: bool = False, engine: Engine = LOCAL
    ) -> None:
        """Take a study over; `here`: everything is done in this process, whatever `processes` and `engine` say."""
        self.study, self.processes, self._here, self._engine = study, processes, here, engine
        self._progress = Progress(stream)
        self._held: list[tuple[Job, Outcome | str]] = []
        self._uncertified: set[AnyContract] = set()
        self._said, self._told = set[str](), {trial.number for trial in study.record().trials if trial.is_finished}
        self._status = SearchStatus(study, processes, self._progress.starting)

    def run(self) -> StudyRecord:
        """Do what is left to do, beside other workers; on an interrupt everything finished is stored, the rest goes on later."""
        with contextlib.nullcontext(Here()) if self._here else working(self.processes, self._engine) as workers:
            while self._step(workers):
                pass
        return self.study.record(fresh=True)

    def _step(self, workers: Workers | Here) -> bool:
        """Evaluate what waits, or else choose what is next, or else wait for others; false if nothing is left to do."""
        self._evaluate(workers)
        self._tell_of_others()
        self._store_held(at_end=True)
        if self._search_step():
            return True
        if self._wait_for_others():
            return True
        if self._certify_candidates(workers):
            return True
        return self._confirm_step()

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._progress.say(text)

    def _tell_of_others(self) -> None:
        """Tell what other workers finished meanwhile."""
        for trial in self.study.record(fresh=True).trials:
            if trial.is_finished and trial.number not in self._told:
                self._told.add(trial.number)
                self._progress.say(f"{self._status.line(trial.number)}  (by another worker)")

    def _search_step(self) -> bool:
        """Queue the next batch of cPMES; false when the budget is spent or nothing is left to ask.

        What other workers have is pending. Where one of them queued contracts meanwhile, this one chooses again, with
        these as pending, too.
        """
        interrupts.check()
        record = self.study.record(fresh=True)
        batch = next_batch(record, self.study.search)
        if batch is None or record.baseline is None:
            return False
        there = len(record.trials) - batch.first
        before = record.before(batch.first) if there else record
        try:
            suggestions = suggest(before, batch.size)
        except SpaceExhausted:
            self._say_once("every contract of the design space is evaluated")
            return False
        pending = tuple(t.number for t in before.trials if not t.is_finished)
        chosen = [
            Queued(
                contract=record.designs.contract(suggestion.design), phase=Phase.SEARCH, why=suggestion.why(),
                batch=batch, pending=pending,
            )
            for suggestion in suggestions[there:]
        ]  # fmt: skip
        if chosen:
            self.study.queue(chosen, len(record.trials))
        return bool(chosen)

    def _wait_for_others(self) -> bool:
        """Wait until there may be something to do again; false if no other worker is at work."""
        others = self.study.attendance.others()
        if not others and not self.study.open_trials():
            return False
        self._say_once(f"waiting for {', '.join(f'#{t.number}' for t in others)}, at work in other processes")
        for _ in range(WAIT_LOOKS):
            interrupts.check()
            self._progress.show(self._status.lines)
            time.sleep(WAIT_SECONDS / WAIT_LOOKS)
        self.study.attendance.look()
        return True

    def _confirm_step(self) -> bool:
        """Queue fresh trainings of the best contract; of the next best if one does not hold up.

        A contract that crews recommend is tried from scratch as it is: what comes of it refutes nothing.
        """
        interrupts.check()
        record, wanted = self.study.record(fresh=True), self.study.search.n_confirm
        if not all(t.is_finished for t in record.trials):  # which another worker queued just now
            return True
        best = record.best() if record.by_crews else None
        recommended = [] if best is None else [best.contract]
        for contract in recommended if record.by_crews or not wanted else candidates(record)[:MAX_CANDIDATES]:
            missing = wanted - sum(t.contract == contract and t.phase is Phase.CONFIRMATION for t in record.trials)
            if missing > 0:
                how = "trying" if record.by_crews else "confirming"
                again = [Queued(contract=contract, phase=Phase.CONFIRMATION) for _ in range(missing)]
                if self.study.queue(again, len(record.trials)):
                    self._progress.say(f"{how} {contract} by {wanted} fresh trainings from scratch")
                return True
            if record.confirmed(contract):
                return False
        return False

    def _certify_candidates(self, workers: Workers | Here) -> bool:
        """Certify the contracts with the highest welfare, one after another, until one of them is certified.

        Returns:
            Whether another worker is at it, so that this one is to look again.
        """
        record = self.study.record(fresh=True)
        for trial in record.candidates() if record.by_crews and self.study.search.certify else []:
            if self.study.record().certified(trial.contract) is None and trial.contract not in self._uncertified:
                if not self.study.begin_certifying(trial.number):
                    return self._wait_for_certificate(trial)
                try:
                    self._certify(workers, trial)
                finally:
                    self.study.attendance.end_certifying(trial.number)
            certificate = self.study.record().certified(trial.contract)
            if certificate is not None and certificate.certified:
                break
        return False

    def _wait_for_certificate(self, trial: TrialRecord) -> bool:
        self._say_once(f"waiting for the certificate of {trial.contract}, which another process makes")
        interrupts.check()
        time.sleep(WAIT_SECONDS)
        self.study.attendance.look()
        return True

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
            self._status.measured += 1  # until the certificate is stored

        self._do(workers, jobs, lambda _: False, on_measured)
        self._status.measured = 0
        whole = [found[job.number] for job in jobs]
        failures = [what for what in whole if isinstance(what, str)]
        if failures:
            self._progress.say(f"it could not be certified: {failures[0]}")
            self._uncertified.add(contract)
            return
        certificate = together([what for what in whole if not isinstance(what, str)])
        self.study.certify(certificate)
        self._progress.say(f"{best.contract}: {certificate.verdict}")

    def _evaluate(self, workers: Workers | Here) -> None:
        """Evaluate whatever waits; crews that it needs and that are missing are trained before.

        The baseline is trained beside them where a process is free, else while the crews play the first contracts.
        """
        self.study.attendance.look()
        trained = False  # once: what needs crews that are still missing says so
        while waiting := self.study.waiting():
            crews = [] if trained else crew_jobs(self.study.outcomes, self.study.settings)
            if not self.study.leads:
                random.shuffle(crews)  # which of them a worker trains first, not how
            if crews and not all(workload.from_scratch(t.phase) for t in waiting):
                trained = self._do(workers, crews, lambda trial: workload.from_scratch(trial.phase))
            elif not self._do(workers, []):
                return

    def _do(
        self,
        workers: Workers | Here,
        tasks: Sequence[Task],
        wanted: Callable[[TrialRecord], bool] = lambda _: True,
        on_other: Callable[[Task, Any], None] = lambda *_: None,
    ) -> bool:
        """Do tasks, and beside and after them wanted evaluations that wait, each claimed when a process is free for it.

        Returns: whether there was anything to do.
        """
        self._status.running = {task.number: (task, None) for task in tasks}

        def claim() -> list[Job]:
            trial = self.study.claim(wanted)
            if trial is None:
                return []
            job = Job(
                number=trial.number, contract=trial.contract, seed=trial.seed,
                from_scratch=workload.from_scratch(trial.phase),
            )  # fmt: skip
            self._status.running[job.number] = (job, None)
            return [job]

        def on_result(job: Task, result: Any) -> Sequence[Task]:
            self._status.running.pop(job.number, None)
            self._status.begin()
            if isinstance(job, CrewJob):
                self._trained(job, result)
            elif isinstance(job, Job):
                if job.number == 0 and isinstance(result, str):
                    raise ContractsError(f"the baseline could not be trained, so nothing can be judged: {result}")
                self._held.append((job, result))
                self._store_held()
            else:
                on_other(job, result)
            return claim()

        def on_status(status: TrainingStatus) -> None:
            if status.number in self._status.running:
                job, before = self._status.running[status.number]
                self._status.running[status.number] = (job, status)
                # What came with the first status was there before: processes that started, a checkpoint's training.
                if before is None and not self._status.begin():
                    self._status.pace.regain(self._status.part(job, status))

        jobs: list[Task] = list(tasks)
        while len(jobs) < self.processes and (further := claim()):
            jobs += further
        if jobs:
            workers.run(
                jobs, self.study.settings, self.study.outcomes, on_result, on_status,
                lambda: self._progress.show(self._status.lines),
            )  # fmt: skip
        for number in self.study.attendance.mine().keys() - {job.number for job, _ in self._held}:
            self.study.attendance.put_back(number)  # claimed, but not evaluated
        return bool(jobs)

    def _store_held(self, *, at_end: bool = False) -> None:
        """Store results that may be stored; `at_end`: nothing waits any more.

        Margins are measured against the baseline, so its result is stored before any other; and failures are stored
        when one contract could be evaluated: what makes all of them fail is mended, and then they are tried again.
        """
        for job, result in [pair for pair in self._held if pair[0].number == 0]:
            self._store(job, result)
        judged = [(job, result) for job, result in self._held if job.number > 0]
        self._held = judged
        if not judged or (self.study.record().baseline is None and self.study.record(fresh=True).baseline is None):
            return
        judged = [(job, self.study.judged(result)) for job, result in judged]
        learned = bool(self.study.record().finished()) or not all(isinstance(result, str) for _, result in judged)
        if not learned and at_end and len(judged) > 1:
            raise ContractsError(all_failed(judged))
        if learned or at_end:
            self._held = []
            for job, result in sorted(judged, key=lambda pair: pair[0].number):
                self._store(job, result)

    def _store(self, job: Job, result: Outcome | str) -> None:
        self._told.add(job.number)
        if self.study.finish(job.number, result):
            self._progress.say(self._status.line(job.number))
        else:
            self._progress.say(f"#{job.number} was taken over by another worker, as this one was silent for too long")

    def _trained(self, job: CrewJob, failure: str | None) -> None:
        if failure is not None:
            raise ContractsError(f"the crews that judge all contracts could not be trained: {failure}")
        self._status.crews_missing = len(crew_jobs(self.study.outcomes, self.study.settings))
        self.study.write_files()
        self._progress.say(f"{job} trained: they know every contract")
