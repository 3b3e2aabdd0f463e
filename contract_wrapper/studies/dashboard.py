"""What Optuna's dashboard shows of a trial, beside what this package reads: nothing here is read again.

The dashboard takes a trial's duration from the times of its row, what can be sorted and plotted from its user
attributes, and whether it is feasible from the system attribute in which Optuna 4 kept constraints. Optuna has no
function to set a time, and one transaction for each attribute: so all of it is written by one, in Optuna's tables.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract_wrapper.bo.history import as_constraints
from contract_wrapper.contracts.designed_contract import DesignedContract
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.participation import acceptance, in_words, tightest_margin

if TYPE_CHECKING:
    from sqlalchemy import Engine

OBJECTIVE = "welfare"
"""Name of what the search maximises."""

FEASIBILITY = "constraints"
"""System attribute: constraints as Optuna 4 kept them, at most 0 good."""

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


def show(engine: Engine, trial_id: int, outcome: Outcome, margins: Mapping[str, Estimate]) -> None:
    """Write what the dashboard shows of a trial that is about to be finished, in one transaction; again is the same.

    Args:
        engine: of the database.
        trial_id: Optuna's number of the trial among those of all studies.
        outcome: what came out; its seconds become the trial's duration.
        margins: against the baseline; none for the baseline itself.
    """
    from sqlalchemy import DateTime, bindparam, text

    start = datetime.datetime.now() - datetime.timedelta(seconds=min(outcome.wall_seconds, _LONGEST_SECONDS))
    dated = text("UPDATE trials SET datetime_start = :start WHERE trial_id = :trial")
    written = {"user": attributes(outcome, margins)}
    if margins:
        constraints = as_constraints({name: margin.mean for name, margin in margins.items()})
        written["system"] = {FEASIBILITY: [max(constraints.values())]}
    with engine.begin() as connection:
        connection.execute(dated.bindparams(bindparam("start", type_=DateTime)), {"start": start, "trial": trial_id})
        for kind, values in written.items():
            rows = [{"trial": trial_id, "key": key, "value": json.dumps(value)} for key, value in values.items()]
            table = f"trial_{kind}_attributes"
            connection.execute(text(f"DELETE FROM {table} WHERE trial_id = :trial AND key = :key"), rows)
            connection.execute(
                text(f"INSERT INTO {table} (trial_id, key, value_json) VALUES (:trial, :key, :value)"), rows
            )
