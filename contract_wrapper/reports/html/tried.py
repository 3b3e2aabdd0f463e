"""What the page of a study shows of its trials: numbers and words of each, found once for figures and table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.judging.margins import objective_of
from contract_wrapper.evaluation.participation import PARTICIPATION, Acceptance
from contract_wrapper.landscapes.compare import indistinguishable
from contract_wrapper.reports.html.charts import MOST_ROWS, Column
from contract_wrapper.reports.problems.certificate_text import largest_gain
from contract_wrapper.reports.search_figures import UNKNOWN, said
from contract_wrapper.studies.record import COMPETING, StudyRecord, TrialRecord

RECRUITED = "worst-off recruited agent"
"""Name of the margin of whom a contract recruits."""

NAN = math.nan


@dataclass(frozen=True)
class Tried:
    """The trials of a study, with the words and numbers that figures and table have of them."""

    record: StudyRecord

    @cached_property
    def trials(self) -> list[TrialRecord]:
        """All trials in the order of their numbers, at most `MOST_ROWS`: the latest then."""
        return list(self.record.trials[-MOST_ROWS:])

    @property
    def objective(self) -> str:
        """Name of what is maximised."""
        return "welfare" if self.record.settings.problem is None else self.record.settings.problem.objective

    @property
    def unit(self) -> str:
        """What amounts are counted in."""
        return "apples" if self.record.settings.problem is None else self.record.settings.problem.unit

    @property
    def axis(self) -> str:
        """Name of the axis of what is maximised."""
        return f"{self.objective} ({self.unit} per episode)"

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """Names of the numbers of a contract."""
        return tuple(self.record.designs.space.names)

    @cached_property
    def numbers(self) -> list[tuple[float, ...]]:
        """Numbers of each trial's contract; NaN for no contract of a design problem."""
        designs = [self.record.designs.design(trial.contract) for trial in self.trials]
        return [(NAN,) * len(self.terms) if d is None else tuple(map(float, d)) for d in designs]

    @cached_property
    def values(self) -> list[Estimate]:
        """What is maximised, of each trial; NaN where there is no outcome."""
        return [Estimate(mean=NAN) if t.outcome is None else self.record.objective(t) for t in self.trials]

    @cached_property
    def said(self) -> list[Acceptance | None]:
        """Who accepts the contract of each trial; None: not known."""
        return [None if t.outcome is None else said(self.record, t) for t in self.trials]

    @cached_property
    def competing(self) -> list[int]:
        """Places of the trials that compete and have an outcome."""
        return [k for k, t in enumerate(self.trials) if t.phase in COMPETING and t.outcome is not None]

    @cached_property
    def best(self) -> TrialRecord | None:
        """The trial to recommend; None: nothing is feasible."""
        ranked = self.record.ranked()
        return ranked[0] if ranked else None

    @cached_property
    def baseline(self) -> float | None:
        """What is maximised without a contract; None: not known yet."""
        base = self.record.baseline
        if base is None:
            return None
        problem = self.record.settings.problem
        return base.welfare.mean if problem is None else objective_of(base, base, problem).mean

    @cached_property
    def alike(self) -> set[int]:
        """Numbers of the feasible trials that cannot be told from the best by the errors of their episodes."""
        good = self.record.feasible_trials()
        if not good:
            return set()
        values = [self.record.objective(t) for t in good]
        mean, se = np.array([[v.mean for v in values]]), np.array([[v.se for v in values]])
        mask = indistinguishable(mean, se, np.ones(len(good), np.bool_), unit="episodes")
        return {t.number for t, same in zip(good, mask, strict=True) if same}

    def columns(self) -> list[Column]:
        """What figures tell by hover, and the table by columns."""
        trials, values, record = self.trials, self.values, self.record
        tightest = [_tightest(record, t) for t in trials]
        found = [
            Column(key="number", title="trial", values=[t.number for t in trials], digits=0),
            Column(key="phase", title="phase", values=[t.phase.value for t in trials]),
            *(
                Column(key=f"term{k}", title=name, values=[row[k] for row in self.numbers], digits=self._digits(k))
                for k, name in enumerate(self.terms)
            ),
            Column(key="value", title=self.objective, values=[v.mean for v in values], digits=2),
            Column(key="se", title=f"± se of {self.objective}", values=[v.se if v.mean == v.mean else NAN for v in values], digits=2),
            Column(key="said", title="who accepts", values=[_word(t, a) for t, a in zip(trials, self.said, strict=True)]),
            Column(key="alike", title="told from the best", values=[self._told(t) for t in trials]),
            Column(key="margin", title="smallest margin", values=[m for m, _ in tightest], digits=2),
            Column(key="whose", title="margin of", values=[who for _, who in tightest]),
        ]  # fmt: skip
        if record.certificates:
            gains = [_gain(record, t) for t in trials]
            found += [
                Column(key="gain", title="gain at most", values=[g for g, _ in gains], digits=2),
                Column(key="verdict", title="certificate", values=[v for _, v in gains]),
            ]
        if self.objective != "welfare":
            found.append(Column(key="welfare", title="welfare", values=[_mean(t, "welfare") for t in trials], digits=2))
        found += [
            Column(key=name, title=name, values=[_mean(t, name) for t in trials], digits=2)
            for name in ("harvest", "shots")
            if record.settings.problem is None
        ]
        found.append(Column(key="failure", title="failure", values=[t.failure or "" for t in trials]))
        return found

    def _digits(self, k: int) -> int:
        """Decimals of a term: none of a count."""
        return 0 if all(row[k].is_integer() for row in self.numbers if row[k] == row[k]) else 3

    def _told(self, trial: TrialRecord) -> str:
        if trial.phase not in COMPETING or trial.outcome is None or not self.alike:
            return ""
        return "no" if trial.number in self.alike else "yes"


def margins_by_agent(record: StudyRecord, trial: TrialRecord) -> dict[str, Estimate]:
    """Margins of a finished trial by the reader's names."""
    return {RECRUITED if name == PARTICIPATION else name: m for name, m in record.margins(trial).items()}


def _word(trial: TrialRecord, answer: Acceptance | None) -> str:
    if trial.failure:
        return "failed"
    if trial.outcome is None:
        return "not finished"
    if trial.contract.is_none:
        return ""
    return UNKNOWN if answer is None else answer.value


def _tightest(record: StudyRecord, trial: TrialRecord) -> tuple[float, str]:
    if trial.outcome is None or record.baseline is None or trial.contract.is_none:
        return NAN, ""
    try:
        margins = margins_by_agent(record, trial)
    except ContractsError:
        return NAN, ""
    who = min(margins, key=lambda name: margins[name].mean)
    return margins[who].mean, who


def _gain(record: StudyRecord, trial: TrialRecord) -> tuple[float, str]:
    certificate = record.certified(trial.contract)
    if certificate is None or trial.phase not in COMPETING:
        return NAN, ""
    largest = largest_gain(certificate)
    return (NAN if largest is None else largest.upper), str(certificate.verdict)


def _mean(trial: TrialRecord, name: str) -> float:
    return NAN if trial.outcome is None else float(getattr(trial.outcome, name).mean)
