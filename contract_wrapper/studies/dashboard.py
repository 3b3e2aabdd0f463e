"""What Optuna's dashboard shows of a trial, beside what this package reads: nothing here is read again.

The dashboard takes a trial's duration from the times of its row, what can be sorted and plotted from its user
attributes, and whether it is feasible from the system attribute in which Optuna 4 kept constraints (`results` writes
all of it).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract_wrapper.bo.history import as_constraints
from contract_wrapper.contracts.designed_contract import DesignedContract
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.participation import acceptance, in_words, tightest_margin

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from contract_wrapper.problems.problem import DesignProblem

OBJECTIVE = "welfare"
"""Name of what the search maximises."""

FEASIBILITY = "constraints"
"""System attribute: constraints as Optuna 4 kept them, at most 0 good; and how names of those of Optuna 5 begin."""

_LONGEST_SECONDS = 1e8  # three years; dates end somewhere


def attributes(outcome: Outcome, margins: Mapping[str, Estimate]) -> dict[str, Any]:
    """Return what people may want to read, sort and plot of a trial: numbers and words by name, per episode."""
    found: dict[str, Any] = {
        "welfare, standard error": outcome.welfare.se, "harvest": outcome.harvest.mean, "shots": outcome.shots.mean,
        "seconds of training": outcome.wall_seconds,
    }  # fmt: skip
    if isinstance(outcome.contract, DesignedContract):
        found |= {f"utility of {agent}": u.mean for agent, u in outcome.utilities.items()}
    else:
        found["worst harvester"] = outcome.worst_harvester.mean
    if outcome.worst_cleaner is not None:
        found["worst cleaner"] = outcome.worst_cleaner.mean
    if margins:
        tightest = tightest_margin(margins)
        found |= {
            "acceptance": acceptance(margins.values()).value, "who accepts": in_words(margins, names=True),
            "smallest margin": tightest.mean, "smallest margin, standard error": tightest.se,
        }  # fmt: skip
    return found


def began(outcome: Outcome) -> datetime.datetime:
    """When a trial that is about to be finished is said to have begun, so that it lasted as long as its training."""
    return datetime.datetime.now() - datetime.timedelta(seconds=min(outcome.wall_seconds, _LONGEST_SECONDS))


def feasibility(margins: Mapping[str, Estimate]) -> dict[str, Any]:
    """Return the system attributes that hold the constraints of a trial by name, and the one that the dashboard reads.

    Args:
        margins: against the baseline; none for the baseline itself.
    """
    constraints = as_constraints({name: margin.mean for name, margin in margins.items()})
    each: dict[str, Any] = {f"{FEASIBILITY}:{name}": value for name, value in constraints.items()}
    return {**each, FEASIBILITY: [max(constraints.values())]} if constraints else {}


def ranges(problem: DesignProblem | None, max_cleaners: int) -> dict[str, BaseDistribution]:
    """Return the ranges of the numbers of a study's contracts by name, as Optuna has them.

    Args:
        problem: whose contracts they are; None: Clean-up's.
        max_cleaners: of Clean-up's contracts.
    """
    from optuna.distributions import FloatDistribution, IntDistribution

    if problem is None:
        return {"tax": FloatDistribution(0.0, 1.0, step=0.01), "n_cleaners": IntDistribution(0, max_cleaners)}
    return {
        term.name: IntDistribution(int(term.low), int(term.high))
        if term.whole
        else FloatDistribution(term.low, term.high, step=term.step)
        for term in problem.terms
    }
