"""What a study knows, as plain values: read from its database, written to `trials.csv`, drawn by reports."""

from __future__ import annotations

import csv
import dataclasses
import io
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from contract_wrapper.command_runs import CommandRun
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.judging.margins import margins_of, objective_of
from contract_wrapper.evaluation.outcome import Outcome, mean_outcome, pooled_outcome
from contract_wrapper.evaluation.participation import (
    Acceptance,
    acceptance,
    accepts,
    accepts_beyond_error,
    tightest_margin,
)
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.certificate import Certificate, Verdict
from contract_wrapper.landscapes.reachable import Reach, reachable
from contract_wrapper.studies.designs import Designs
from contract_wrapper.studies.settings import SearchSettings


class Phase(StrEnum):
    """Why a contract was evaluated."""

    BASELINE = "baseline"
    """The game without a contract, against which all others are judged."""

    INITIAL = "initial"
    """One of the initial designs."""

    SEARCH = "search"
    """cPMES asked for it."""

    CONFIRMATION = "confirmation"
    """A fresh training of the best contract."""


COMPETING = (Phase.INITIAL, Phase.SEARCH)
"""Phases whose trials compete; a contract may be tried again where trainings are noisy (`StudyRecord.contracts`)."""

MAX_CANDIDATES = 3
"""Contracts that are tried again or certified at most, best welfare first, until one holds up."""


class Batch(NamedTuple):
    """Trials that were suggested together."""

    first: int
    """Number of the first of them."""

    size: int
    """How many they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One evaluation of one contract."""

    number: int
    """Number in the study; 0 is the baseline."""

    contract: AnyContract
    """What was evaluated."""

    phase: Phase
    """Why it was evaluated."""

    seed: int
    """Seed of its training."""

    outcome: Outcome | None = None
    """What came out; None if it failed or is not finished."""

    failure: str = ""
    """Why it failed, empty if it did not."""

    why: str = ""
    """Why cPMES asked for it."""

    batch: Batch | None = None
    """Which trials cPMES asked for together with it; None if it did not."""

    pending: tuple[int, ...] = ()
    """Numbers of trials that other workers were evaluating when cPMES asked for it."""

    @property
    def is_finished(self) -> bool:
        """Whether it has an outcome or failed."""
        return self.outcome is not None or bool(self.failure)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """A study as it stands."""

    folder: Path
    """Where it lies."""

    settings: EvaluationSettings
    """What its evaluations have in common."""

    search: SearchSettings
    """How it is searched."""

    trials: tuple[TrialRecord, ...]
    """All evaluations, by number."""

    certificates: tuple[Certificate, ...] = ()
    """What deviations from the crews' play bring, for each contract that was asked about, in that order."""

    commands: tuple[CommandRun, ...] = ()
    """The commands that began and continued it, the earliest first; empty: not known."""

    @property
    def certificate(self) -> Certificate | None:
        """The certificate of the recommended contract; None before it is known."""
        best = self.best() if self.certificates else None
        return None if best is None else self.certified(best.contract)

    @property
    def baseline(self) -> Outcome | None:
        """The outcome without a contract, None before it is known."""
        return next((t.outcome for t in self.trials if t.phase is Phase.BASELINE), None)

    @property
    def by_crews(self) -> bool:
        """Whether crews that know every contract judge them; else each contract trains agents of its own."""
        return self.settings.crews is not None

    def before(self, number: int) -> StudyRecord:
        """Return the study as it was when a trial was asked for: without results of trials that were pending then."""
        pending = self.trials[number].pending if number < len(self.trials) else ()
        return dataclasses.replace(self, trials=tuple(
            dataclasses.replace(t, outcome=None, failure="") if t.number in pending else t for t in self.trials[:number]
        ))  # fmt: skip

    def finished(self, *phases: Phase) -> list[TrialRecord]:
        """Trials of some phases (default: those whose contracts compete) that have an outcome, by number."""
        return [t for t in self.trials if t.phase in (phases or COMPETING) and t.outcome is not None]

    def contracts(self) -> list[TrialRecord]:
        """One finished trial for each contract that competes, the first; if it was measured again, with the mean outcome."""
        by_contract: dict[AnyContract, list[TrialRecord]] = {}
        for trial in self.finished():
            by_contract.setdefault(trial.contract, []).append(trial)
        return [_together(trials) for trials in by_contract.values()]

    def margins(self, trial: TrialRecord) -> dict[str, Estimate]:
        """Margins of a finished trial against the baseline, >= 0 good."""
        if trial.outcome is None or self.baseline is None:
            raise ContractsError(f"trial {trial.number} or the baseline has no outcome yet: let the study go on first")
        return margins_of(trial.outcome, self.baseline, self.settings.problem)

    def objective(self, trial: TrialRecord) -> Estimate:
        """What the principal maximises, of a finished trial: welfare, or the objective of the design problem."""
        if trial.outcome is None:
            raise ContractsError(f"trial {trial.number} has no outcome yet: let the study go on first")
        if self.settings.problem is None or self.baseline is None:
            return trial.outcome.welfare
        return objective_of(trial.outcome, self.baseline, self.settings.problem)

    @property
    def designs(self) -> Designs:
        """The contracts among which the study chooses."""
        return self.search.designs(self.settings.problem)

    def feasible(self, trial: TrialRecord) -> bool:
        """Whether every margin of a finished trial is at least 0 as measured, as the optimiser takes it."""
        return all(map(accepts, self.margins(trial).values()))

    def acceptance(self, trial: TrialRecord) -> Acceptance:
        """Whether the contract of a finished trial is accepted or refused beyond the errors, or it is undecided."""
        return acceptance(self.margins(trial).values())

    def feasible_trials(self) -> list[TrialRecord]:
        """Finished trials whose contract is feasible as measured, confirmations apart, best welfare first."""
        good = [] if self.baseline is None else [t for t in self.contracts() if self.feasible(t)]
        return sorted(good, key=lambda t: -self.objective(t).mean)

    def best(self) -> TrialRecord | None:
        """The trial to recommend: the feasible one with the highest welfare that fresh trainings do not refute.

        A contract that fresh trainings confirm goes before one that nobody has tried again. Where crews judge them,
        fresh trainings from scratch refute nothing (see `reach`): certificates decide among the best (`candidates`).
        """
        if self.by_crews:
            return min(self.candidates(), key=self._doubt, default=None)
        feasible, again = self.feasible_trials(), {t.contract for t in self.finished(Phase.CONFIRMATION)}
        verdicts = {t.number: self.confirmed(t.contract) if t.contract in again else None for t in feasible}
        ranked = [t for t in feasible if verdicts[t.number] is not False]
        return next((t for t in ranked if verdicts[t.number]), next(iter(ranked), None))

    def candidates(self) -> list[TrialRecord]:
        """The feasible trials that are best as measured, of which one is recommended where crews judge: at most three.

        Where no contract is tried again (`n_confirm` 0, a look), it is the best alone.
        """
        return self.feasible_trials()[: MAX_CANDIDATES if self.search.n_confirm else 1]

    def _doubt(self, trial: TrialRecord) -> int:
        """How much speaks against recommending a trial as far as its certificate says: 0 if it is certified."""
        certificate = self.certified(trial.contract)
        if certificate is None:
            return 2
        return {Verdict.CERTIFIED: 0, Verdict.UNDECIDED: 1, Verdict.REFUTED: 3}[certificate.verdict]

    def ranked(self) -> list[TrialRecord]:
        """Trials whose contract is feasible as measured: the one to recommend first, then by welfare."""
        good, best = self.feasible_trials(), self.best()
        return good if best is None else [best, *(t for t in good if t is not best)]

    def infeasible_trials(self) -> list[TrialRecord]:
        """Trials with a margin below 0 as measured, confirmations apart, the nearest to being feasible first."""
        if self.baseline is None:
            return []
        bad = [t for t in self.contracts() if not self.feasible(t)]
        return sorted(bad, key=lambda t: -tightest_margin(self.margins(t)).mean)

    def confirmed(self, contract: AnyContract) -> bool | None:
        """Whether fresh trainings of a contract keep every margin above zero beyond one standard error.

        None if there were none.
        """
        again, baseline = self.confirmation(contract), self.baseline
        if again is None or baseline is None:
            return None
        return all(map(accepts_beyond_error, margins_of(again, baseline, self.settings.problem).values()))

    def reach(self, contract: AnyContract) -> Reach | None:
        """How far trainings from scratch come to the crews that judged a contract; None without either of them.

        "Not reachable" refutes no contract: it says that a training from scratch does not find that crew.
        """
        judged = next((t.outcome for t in self.finished() if t.contract == contract), None)
        again = [
            t.outcome.welfare.mean for t in self.finished(Phase.CONFIRMATION) if t.contract == contract and t.outcome
        ]
        if judged is None or not judged.by_crew or not again:
            return None
        return reachable(again, judged.by_crew)

    def certified(self, contract: AnyContract) -> Certificate | None:
        """The certificate of a contract, whatever its verdict; None if there is none."""
        return next((c for c in self.certificates if c.contract == contract), None)

    def confirmation(self, contract: AnyContract) -> Outcome | None:
        """Mean over the confirming trainings of a contract, None if there are none."""
        again = [
            t.outcome for t in self.finished(Phase.CONFIRMATION) if t.contract == contract and t.outcome is not None
        ]
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
            "number": trial.number, "phase": trial.phase.value, **numbers_of(trial.contract), "seed": trial.seed,
            "state": "failed" if trial.failure else "finished" if trial.outcome else "unfinished",
        }  # fmt: skip
        if trial.outcome is not None:
            o, margins = trial.outcome, {} if self.baseline is None else self.margins(trial)
            if margins:
                row["feasible"] = all(map(accepts, margins.values()))
                row["acceptance"] = acceptance(margins.values()).value
            for name, value in (
                ("welfare", o.welfare),
                ("harvest", o.harvest),
                ("cleaned", o.cleaned),
                ("shots", o.shots),
            ):
                row[name], row[f"{name}_se"] = value.mean, value.se
            if self.settings.problem is None:
                row["worst_harvester"] = o.worst_harvester.mean
                row["worst_cleaner"] = o.worst_cleaner.mean if o.worst_cleaner else ""
            else:
                if self.settings.problem.objective != "welfare" and self.baseline is not None:
                    value = self.objective(trial)
                    row[self.settings.problem.objective], row[f"{self.settings.problem.objective}_se"] = (
                        value.mean,
                        value.se,
                    )
                row |= {f"utility_{agent}": u.mean for agent, u in o.utilities.items()}
            row |= {f"welfare_crews_{k + 1}": welfare for k, welfare in enumerate(o.by_crew)}
            for name, margin in margins.items():
                row[f"margin_{name}"], row[f"margin_{name}_se"] = margin.mean, margin.se
            row["cpu_seconds"], row["policy"] = o.cpu_seconds, o.policy
        row["why"], row["failure"] = trial.why, trial.failure
        return row


def _together(trials: list[TrialRecord]) -> TrialRecord:
    """The first of several finished trials of one contract, with the mean of their outcomes."""
    outcomes = [t.outcome for t in trials if t.outcome is not None]
    return trials[0] if len(outcomes) < 2 else dataclasses.replace(trials[0], outcome=pooled_outcome(outcomes))


def numbers_of(contract: AnyContract) -> dict[str, float | int | str]:
    """The numbers of a contract by name, as a table has them; of no contract of a design problem none."""
    return {**(contract.as_dict() if isinstance(contract, Contract) else dict(contract.numbers))}
