"""The main job: baseline, initial designs, then cPMES batch after batch, then fresh trainings of the best.

Which contract comes next depends only on the study's seed, the trial's number and the results before
its batch, so that a search that was stopped and continued equals one that was not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

import numpy as np

from contract_wrapper.bo.cpmes import ask
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import contract_space
from contract_wrapper.bo.suggestion import SpaceExhausted, Suggestion
from contract_wrapper.bo.surrogates import believe_objective
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.outcome import PARTICIPATION, Outcome
from contract_wrapper.evaluation.worker_pool import Job, News, Workers, working
from contract_wrapper.progress import STARTING, Pace, Progress
from contract_wrapper.studies.record import StudyRecord, TrialRecord
from contract_wrapper.studies.study import Study

MAX_CANDIDATES = 3
"""Contracts that are confirmed at most, one after another, until one passes."""


def history_of(record: StudyRecord) -> History:
    """What cPMES may know of a study: the baseline and every judged design, confirmations apart."""
    space = contract_space(record.run["configuration"]["search"]["max_cleaners"])
    baseline = record.baseline
    if baseline is None:
        raise ContractsError("the baseline is not evaluated yet: margins are measured against it")
    names = (*baseline.of_role("harvester"), PARTICIPATION)
    history = History.empty(space, names, participation=len(names) - 1)
    for trial in record.trials:
        if trial.phase == "confirmation":
            continue
        design = (trial.contract.tax, trial.contract.n_cleaners)
        if trial.failure:
            history = history.add_failed(design)
        elif trial.outcome is not None:
            margins = record.margins(trial)
            history = history.add(
                design,
                trial.outcome.welfare.mean,
                [margins[name].mean for name in names],
                objective_se=trial.outcome.welfare.se,
                margins_se=[margins[name].se for name in names],
            )
    return history


def suggest(record: StudyRecord, number: int) -> list[Suggestion]:
    """Ask cPMES for the next contracts; pure in the study's seed and its results."""
    search = record.run["configuration"]["search"]
    return ask(
        contract_space(search["max_cleaners"]),
        history_of(record),
        number=number,
        seed=search["seed"],
        trial=sum(t.phase != "confirmation" for t in record.trials),
    )


def as_contract(suggestion: Suggestion) -> Contract:
    """Read a suggested design as a contract."""
    tax, cleaners = suggestion.design
    return Contract(tax=float(tax), n_cleaners=int(cleaners))


class Search:
    """Runs a study to its end and tells how it goes."""

    def __init__(self, study: Study, *, processes: int, stream: TextIO) -> None:
        self.study, self.processes = study, processes
        self._progress = Progress(stream)
        self._running: dict[int, tuple[Job, News | None]] = {}
        self._pace = Pace(self._work_done())

    def run(self) -> StudyRecord:
        """Do what is left to do; on an interrupt everything finished is stored, the rest goes on later."""
        with working(self.processes) as workers:
            self._finish_open(workers)
            while self._search_step():
                self._finish_open(workers)
            while self._confirm_step():
                self._finish_open(workers)
        return self.study.record()

    def _search_step(self) -> bool:
        """Queue the next batch of cPMES; false when the budget is spent or nothing is left to ask."""
        record, search = self.study.record(), self.study.search
        left = search.n_search - sum(t.phase == "search" for t in record.trials)
        if left <= 0:
            return False
        try:
            suggestions = suggest(record, min(search.batch, left))
        except SpaceExhausted:
            self._progress.say("every contract of the design space is evaluated")
            return False
        for suggestion in suggestions:
            self.study.add(as_contract(suggestion), "search", suggestion.why())
        return True

    def _confirm_step(self) -> bool:
        """Queue fresh trainings of the best contract; of the next best if one does not hold up."""
        record = self.study.record()
        if not self.study.search.n_confirm:
            return False
        tried = {t.contract for t in record.trials if t.phase == "confirmation"}
        for contract in candidates(record)[:MAX_CANDIDATES]:
            if contract not in tried:
                self._progress.say(f"confirming {contract} by {self.study.search.n_confirm} fresh trainings")
                for _ in range(self.study.search.n_confirm):
                    self.study.add(contract, "confirmation")
                return True
            if record.confirmed(contract):
                return False
        return False

    def _finish_open(self, workers: Workers) -> None:
        """Evaluate whatever is queued."""
        open_trials = self.study.open_trials()
        jobs = [Job(number=t.number, contract=t.contract, seed=t.seed) for t in open_trials]
        self._running = {job.number: (job, None) for job in jobs}
        # Margins are measured against the baseline, so its result is stored before any other.
        held: list[tuple[Job, Outcome | str]] = []
        known = self.study.record().baseline is not None

        def on_result(job: Job, result: Outcome | str) -> None:
            nonlocal known
            self._running.pop(job.number, None)
            if job.number == 0 and isinstance(result, str):
                raise ContractsError(f"the baseline could not be trained, so nothing can be judged: {result}")
            known = known or job.number == 0
            held.append((job, result))
            if known:
                for ready, what in sorted(held, key=lambda pair: pair[0].number):
                    self.study.finish(ready.number, what)
                    self._progress.say(self._line(ready.number))
                held.clear()

        def on_news(news: News) -> None:
            if news.number in self._running:
                job, before = self._running[news.number]
                if before is None:  # from a checkpoint, if it is one that was stopped
                    self._pace.regain(self._part(job, news))
                self._running[news.number] = (job, news)

        if jobs:
            workers.run(
                jobs, self.study.settings, self.study.folder / "outcomes", on_result, on_news,
                lambda: self._progress.show(self._status()),
            )  # fmt: skip

    def _line(self, number: int) -> str:
        """One finished trial in one line."""
        record = self.study.record()
        trial = record.trials[number]
        head = f"#{number:<3} {trial.phase:12} {trial.contract!s:24}"
        if trial.outcome is None:
            return f"{head} failed: {trial.failure}"
        welfare, o = f"welfare {trial.outcome.welfare.mean:7.1f}", trial.outcome
        if number == 0:
            return f"{head} {welfare}  harvester {o.worst_harvester.mean:6.1f}"
        verdict = "accepted" if record.feasible(trial) else "refused by " + ", ".join(refusing(record, trial))
        cleaner = o.worst_cleaner.mean if o.worst_cleaner else float("nan")
        return f"{head} {welfare}  harvester {o.worst_harvester.mean:6.1f}  cleaner {cleaner:6.2f}  {verdict}"

    def _status(self) -> list[str]:
        """The progress lines: the whole search, and what is being trained."""
        record, search = self.study.record(), self.study.search
        total = 1 + search.n_initial + search.n_search + search.n_confirm
        finished = sum(t.outcome is not None or bool(t.failure) for t in record.trials)
        done = self._work_done() + sum(self._part(job, news) for job, news in self._running.values())
        when = self._pace.left(done, self._work_total())
        best = record.best()
        best_text = (
            f"highest reading so far {best.contract}, welfare {best.outcome.welfare.mean:.0f}"
            if best and best.outcome
            else "nothing accepted yet"
        )
        training = [
            f"{job.contract}: episode {news.episode}/{news.episodes}, utility {news.total:.0f}"
            for job, news in self._running.values()
            if news is not None
        ]
        return [
            f"search   {finished}/{max(total, finished)} contracts, about {when} left; {best_text}",
            "training " + ("; ".join(training) if training else STARTING),
        ]

    def _agents(self, contract: Contract) -> int:
        return self.study.settings.game.n_harvesters + contract.n_cleaners

    def _part(self, job: Job, news: News | None) -> float:
        return 0.0 if news is None else self._agents(job.contract) * news.episode / news.episodes

    def _work_done(self) -> float:
        """Finished trainings, in agents (the time of a training grows with its agents)."""
        trials = self.study.record().trials
        return float(sum(self._agents(t.contract) for t in trials if t.outcome is not None or t.failure))

    def _work_total(self) -> float:
        """All trainings, those not yet chosen counted with four cleaners."""
        search, trials = self.study.search, self.study.record().trials
        known = sum(self._agents(t.contract) for t in trials)
        unknown = search.n_search - sum(t.phase == "search" for t in trials)
        unknown += search.n_confirm if not any(t.phase == "confirmation" for t in trials) else 0
        return float(known + max(0, unknown) * (self.study.settings.game.n_harvesters + 4))


def candidates(record: StudyRecord) -> list[Contract]:
    """Contracts that everybody accepted when measured, the one believed to have the highest welfare first.

    The highest of many single measurements is high by luck, too; the surrogate also counts the
    contracts around it.
    """
    contracts = list(dict.fromkeys(t.contract for t in record.accepted()))
    space = contract_space(record.run["configuration"]["search"]["max_cleaners"])
    try:
        mean, _ = believe_objective(space, history_of(record), [(c.tax, c.n_cleaners) for c in contracts])
    except ContractsError:
        return contracts  # as measured
    return [contracts[i] for i in np.argsort(-mean, kind="stable")]


def refusing(record: StudyRecord, trial: TrialRecord) -> list[str]:
    """Who is worse off under a contract, in words."""
    margins = record.margins(trial)
    worse = [name for name, margin in margins.items() if margin.mean < 0]
    harvesters = [name for name in worse if name != PARTICIPATION]
    words = [f"{len(harvesters)} of {len(margins) - 1} harvesters"] if harvesters else []
    return words + (["the cleaners"] if PARTICIPATION in worse else [])


def next_suggestions(record: StudyRecord, number: int = 2) -> Sequence[str]:
    """What the search would try next, and why; empty if it cannot say."""
    try:
        return [
            f"{as_contract(s)} (predicted welfare {s.objective_mean:.0f} ± {s.objective_sd:.0f}, accepted with "
            f"probability {s.probability_feasible:.2f})"
            for s in suggest(record, number)
        ]
    except (ContractsError, SpaceExhausted, np.linalg.LinAlgError):
        return []
