"""What a study knows, as plain values: read from its database, written to `trials.csv`, drawn by reports."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.outcome import Estimate, Outcome, mean_outcome
from contract_wrapper.evaluation.settings import EvaluationSettings

PHASES = ("baseline", "initial", "search", "confirmation")
"""Why a contract was evaluated: the status quo, the initial set, cPMES asked for it, or to confirm the best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One evaluation of one contract."""

    number: int
    """Number in the study; 0 is the baseline."""

    contract: Contract
    """What was evaluated."""

    phase: str
    """One of PHASES."""

    seed: int
    """Seed of its training."""

    outcome: Outcome | None = None
    """What came out; None if it failed or is not finished."""

    failure: str = ""
    """Why it failed, empty if it did not."""

    why: str = ""
    """Why cPMES asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """A study as it stands."""

    folder: Path
    """Where it lies."""

    settings: EvaluationSettings
    """What its evaluations have in common."""

    run: dict[str, Any]
    """The contents of `run.json`."""

    trials: tuple[TrialRecord, ...]
    """All evaluations, by number."""

    @property
    def baseline(self) -> Outcome | None:
        """The outcome without a contract, None before it is known."""
        return next((t.outcome for t in self.trials if t.phase == "baseline"), None)

    def judged(self, *phases: str) -> list[TrialRecord]:
        """Finished trials of some phases (default: all but the baseline), by number."""
        wanted = phases or PHASES[1:]
        return [t for t in self.trials if t.phase in wanted and t.outcome is not None]

    def margins(self, trial: TrialRecord) -> dict[str, Estimate]:
        """Margins of a finished trial against the baseline, >= 0 good."""
        if trial.outcome is None or self.baseline is None:
            raise ContractsError(f"trial {trial.number} or the baseline has no outcome yet: let the study go on first")
        return trial.outcome.margins(self.baseline)

    def feasible(self, trial: TrialRecord) -> bool:
        """Whether everybody accepts the contract of a finished trial, as measured."""
        return all(margin.mean >= 0.0 for margin in self.margins(trial).values())

    def accepted(self) -> list[TrialRecord]:
        """Finished trials whose contract everybody accepts as measured, confirmations apart, best welfare first."""
        if self.baseline is None:
            return []
        good = [t for t in self.judged("initial", "search") if self.feasible(t)]
        return sorted(good, key=lambda t: -t.outcome.welfare.mean)  # type: ignore[union-attr]

    def best(self) -> TrialRecord | None:
        """The trial to recommend: the accepted one with the highest welfare that fresh trainings do not refute.

        A contract that fresh trainings confirm goes before one that nobody has tried again.
        """
        verdicts = {t.number: self.confirmed(t.contract) for t in self.accepted()}
        ranked = [t for t in self.accepted() if verdicts[t.number] is not False]
        return next((t for t in ranked if verdicts[t.number]), next(iter(ranked), None))

    def confirmed(self, contract: Contract) -> bool | None:
        """Whether fresh trainings of a contract keep every margin above zero beyond one standard error.

        None if there were none.
        """
        again, baseline = self.confirmation(contract), self.baseline
        if again is None or baseline is None:
            return None
        return accepted_beyond_error(again, baseline)

    def confirmation(self, contract: Contract) -> Outcome | None:
        """Mean over the confirming trainings of a contract, None if there are none."""
        again = [t.outcome for t in self.judged("confirmation") if t.contract == contract and t.outcome is not None]
        return mean_outcome(again) if again else None

    def to_csv(self) -> str:
        """All trials as CSV text, one row each, margins included."""
        rows = [self._row(trial) for trial in self.trials]
        columns = list(dict.fromkeys(column for row in rows for column in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def _row(self, trial: TrialRecord) -> dict[str, Any]:
        row: dict[str, Any] = {
            "number": trial.number, "phase": trial.phase, "tax": trial.contract.tax,
            "n_cleaners": trial.contract.n_cleaners, "seed": trial.seed,
            "state": "failed" if trial.failure else "finished" if trial.outcome else "unfinished",
        }  # fmt: skip
        if trial.outcome is not None:
            o = trial.outcome
            if self.baseline is not None:
                row["feasible"] = self.feasible(trial)
            for name, value in (
                ("welfare", o.welfare),
                ("harvest", o.harvest),
                ("cleaned", o.cleaned),
                ("shots", o.shots),
            ):
                row[name], row[f"{name}_se"] = value.mean, value.se
            row["worst_harvester"] = o.worst_harvester.mean
            row["worst_cleaner"] = o.worst_cleaner.mean if o.worst_cleaner else ""
            if self.baseline is not None:
                for name, margin in self.margins(trial).items():
                    row[f"margin_{name}"], row[f"margin_{name}_se"] = margin.mean, margin.se
            row["cpu_seconds"], row["policy"] = o.cpu_seconds, o.policy
        row["why"], row["failure"] = trial.why, trial.failure
        return row


def accepted_beyond_error(outcome: Outcome, baseline: Outcome) -> bool:
    """Whether every margin is above zero by more than its standard error."""
    return all(margin.mean > margin.se for margin in outcome.margins(baseline).values())
