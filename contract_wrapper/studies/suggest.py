"""From a study's results to the next contracts: results as arrays for the optimiser, suggestions as contracts.

All of it is a pure function of the record, so that a search that was stopped and continued equals one
that was not.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from contract_wrapper.bo.cpmes import ask
from contract_wrapper.bo.history import History, Result
from contract_wrapper.bo.noise.pooling import pooled
from contract_wrapper.bo.noise.recommend import Recommendation, recommend
from contract_wrapper.bo.space import Design
from contract_wrapper.bo.suggestion import SpaceExhausted, Suggestion
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.judging.margins import margins_of, objective_of
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.participation import PARTICIPATION
from contract_wrapper.studies.record import Batch, Phase, StudyRecord, TrialRecord
from contract_wrapper.studies.settings import SearchSettings

HARVESTERS = "harvesters"
"""Name of the constraint in which those of harvesters that are alike are told as one."""


def history_of(record: StudyRecord, *, confirmations: bool = False) -> History:
    """What cPMES may know of a study: the baseline and every judged design; confirmations only where they are asked for.

    Where each contract is judged by trainings of its own, harvesters whom nothing tells apart are one constraint, their
    mean margin (`pooled`).
    """
    baseline = record.baseline
    if baseline is None:
        raise ContractsError("the baseline is not evaluated yet: margins are measured against it")
    judged = [t for t in record.trials if t.is_finished and (confirmations or t.phase is not Phase.CONFIRMATION)]
    results = [result for result in (_result(record, t) for t in judged) if result is not None]
    names = tuple(margins_of(baseline, baseline, record.settings.problem))
    crew = PARTICIPATION if PARTICIPATION in names else None
    history = History.of(record.designs.space, results, constraints=names, participation=crew)
    if record.by_crews:  # they would play a contract again as before, so that nothing is measured twice
        return dataclasses.replace(history, noisy=False)
    alike = alike_harvesters(record, names)
    return pooled(history, {HARVESTERS: alike}) if len(alike) > 1 else history


def alike_harvesters(record: StudyRecord, names: Sequence[str]) -> list[str]:
    """Harvesters of Clean-up, whose contract treats all alike, without those whose work has a price of their own.

    In other design problems nothing is known of who is alike: each agent there is a constraint.
    """
    if record.settings.problem is not None:
        return []
    return [name for name in names if name != PARTICIPATION and name not in record.settings.costs.singled_out]


def _result(record: StudyRecord, trial: TrialRecord) -> Result | None:
    """One finished trial as the optimiser reads it; None of a baseline that is no design."""
    design = record.designs.design(trial.contract)
    if design is None:
        return None
    if trial.outcome is None:
        return Result(design=design, failed=True)
    margins, value = record.margins(trial), record.objective(trial)
    return Result(
        design=design,
        objective=value.mean,
        margins={name: margin.mean for name, margin in margins.items()},
        objective_se=value.se,
        margins_se={name: margin.se for name, margin in margins.items()},
    )


def pending_in(record: StudyRecord) -> list[Design]:
    """Designs that are queued or being evaluated, by trial, confirmations apart."""
    open_trials = [t for t in record.trials if t.phase is not Phase.CONFIRMATION and not t.is_finished]
    return [design for t in open_trials if (design := record.designs.design(t.contract)) is not None]


def suggest(record: StudyRecord, number: int) -> list[Suggestion]:
    """Ask cPMES for the next contracts; those that are without a result count as pending.

    Raises:
        SpaceExhausted: every contract is evaluated, failed or pending.
        ContractsError: the baseline is not evaluated yet.
    """
    return ask(
        record.designs.space,
        history_of(record),
        pending_in(record),
        number=number,
        seed=record.search.seed,
        trial=sum(t.phase is not Phase.CONFIRMATION for t in record.trials),
        config=record.search.optimiser,
    )


def next_batch(record: StudyRecord, search: SearchSettings) -> Batch | None:
    """The batch to queue next: the last one if a stop left it incomplete, else a new one; None: the budget is spent."""
    searched = [t for t in record.trials if t.phase is Phase.SEARCH]
    last = searched[-1].batch if searched else None
    if last is not None and sum(t.batch == last for t in searched) < last.size:
        return last
    left = search.n_search - len(searched)
    return Batch(first=len(record.trials), size=min(search.batch, left)) if left > 0 else None


def candidates(record: StudyRecord) -> list[AnyContract]:
    """Contracts that are feasible as measured, the one to recommend first (`believed`); as measured where too little is known.

    The highest of many single measurements is high by luck, too; the surrogates also count the contracts around it.
    """
    contracts = [t.contract for t in record.feasible_trials()]
    try:
        found = believed(record)
    except ContractsError:
        return contracts
    order = {record.designs.contract(b.design): k for k, b in enumerate(found.ranked)}
    return sorted(contracts, key=lambda contract: order.get(contract, len(order)))


def believed(record: StudyRecord) -> Recommendation:
    """What the surrogates say of the contracts that were measured, fresh trainings included: which is best, and how surely.

    Raises:
        ContractsError: there are too few results, or none that differ, to say anything.
    """
    baseline = record.baseline
    otherwise = None if baseline is None else _objective_without(record, baseline)
    history = history_of(record, confirmations=not record.by_crews)
    return recommend(
        record.designs.space, history, otherwise=otherwise, seed=record.search.seed,
        varying_noise=record.search.optimiser.varying_noise,
    )  # fmt: skip


def _objective_without(record: StudyRecord, baseline: Outcome) -> float:
    return objective_of(baseline, baseline, record.settings.problem).mean


def next_suggestions(record: StudyRecord, number: int = 2) -> list[str]:
    """What the search would try next, and why, in words; empty if it cannot say."""
    try:
        return [
            f"{record.designs.contract(s.design)} (predicted {_maximised(record)} {_figures(s.objective_mean, s.objective_sd)}, accepted with "
            f"probability {s.probability_feasible:.2f})"
            for s in suggest(record, number)
        ]
    except (ContractsError, SpaceExhausted, np.linalg.LinAlgError):
        return []


def _maximised(record: StudyRecord) -> str:
    """Name of what the search maximises."""
    return "welfare" if record.settings.problem is None else record.settings.problem.objective


def _figures(mean: float, sd: float) -> str:
    """A prediction with as many decimals as three figures of it need.

    >>> _figures(612.3, 8.21), _figures(2.9468, 0.0312)
    ('612 ± 8', '2.95 ± 0.03')
    """
    decimals = max(0, 2 - math.floor(math.log10(max(abs(mean), 1e-9))))
    decimals = min(decimals, 6)
    return f"{mean:.{decimals}f} ± {sd:.{decimals}f}"
