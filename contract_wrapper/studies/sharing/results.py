"""What trials carry and what came out of them, in Optuna's tables: read and written in few statements.

Optuna writes each number and attribute of a trial in a transaction of its own, some twenty for one of ours, each of which
waits for the disk; and it reads a trial through objects for all of its rows. With many workers that was most of their
time. Here a result is one transaction, which asks in the same breath whether the claim still holds, and a trial is read
by its few attributes that this package wrote.
"""

from __future__ import annotations

import datetime
import functools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contract_wrapper.studies.sharing.claims import Claim, do, insert, locked, set_attributes

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sqlalchemy import Engine, TextClause

READ = ("contract", "phase", "why", "batch", "pending", "outcome", "seal", "failure")
"""User attributes of a trial that are read again; all others are for the dashboard."""

FINISHED = ("COMPLETE", "FAIL")
"""States of a trial that is not evaluated any more."""

MOST_NAMED = 200
"""Trials that one statement names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is stored when a trial ends."""

    value: float | None
    """What is maximised; None: it failed."""

    numbers: Mapping[str, float]
    """Numbers of its contract by name."""

    ranges: Mapping[str, BaseDistribution]
    """Range of each of them, as Optuna has it."""

    user: Mapping[str, Any]
    """User attributes that are set."""

    system: Mapping[str, Any]
    """System attributes that are set."""

    started: datetime.datetime | None = None
    """When it is said to have begun; None: when it was claimed."""


def finish(engine: Engine, mine: Claim, ending: Ending) -> bool:
    """Store how a claimed trial ended, all of it or nothing; again by the same claim is the same.

    Returns:
        Whether it is stored. It is not if another worker has claimed the trial, or it waits again.
    """
    from optuna.distributions import distribution_to_json

    with engine.begin() as connection:
        state, token = locked(connection, mine.trial_id)
        if token != mine.token or state not in ("RUNNING", *FINISHED):
            return False
        if state in FINISHED:
            return True
        for table in ("trial_params", "trial_values"):  # an older version wrote them one by one, and was perhaps killed
            do(connection, f"DELETE FROM {table} WHERE trial_id = :trial", trial=mine.trial_id)
        numbers = [
            {
                "trial": mine.trial_id, "name": name, "number": ending.ranges[name].to_internal_repr(number),
                "distribution": distribution_to_json(ending.ranges[name]),
            }
            for name, number in ending.numbers.items()
        ]  # fmt: skip
        insert(connection, "trial_params", "trial_id, param_name, param_value, distribution_json", numbers)
        set_attributes(connection, "trial_user_attributes", "trial_id", mine.trial_id, ending.user)
        set_attributes(connection, "trial_system_attributes", "trial_id", mine.trial_id, ending.system)
        good = ending.value is not None and math.isfinite(ending.value)
        if good:
            do(
                connection,
                "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (:trial, 0, :value, 'FINITE')",
                trial=mine.trial_id,
                value=ending.value,
            )
        began = "" if ending.started is None else "datetime_start = :began_now, "
        do(
            connection,
            f"UPDATE trials SET {began}state = '{FINISHED[not good]}', datetime_complete = :now WHERE trial_id = :trial",
            trial=mine.trial_id,
            now=datetime.datetime.now(),
            **({} if ending.started is None else {"began_now": ending.started}),
        )
    return True


def states(engine: Engine, study_id: int) -> list[tuple[int, int, str]]:
    """All trials of a study by number: number, Optuna's number among those of all studies, and state."""
    with engine.connect() as connection:
        rows = do(
            connection,
            "SELECT number, trial_id, state FROM trials WHERE study_id = :study ORDER BY number",
            study=study_id,
        ).all()
    return [(number, trial_id, str(state)) for number, trial_id, state in rows]


def attributes(engine: Engine, trial_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The attributes of some trials that are read again, by Optuna's number of the trial and name."""
    found: dict[int, dict[str, Any]] = {trial_id: {} for trial_id in trial_ids}
    with engine.connect() as connection:
        for first in range(0, len(trial_ids), MOST_NAMED):
            some = list(trial_ids[first : first + MOST_NAMED])
            rows: Iterable[Any] = connection.execute(_some_attributes(), {"trials": some}).all()
            for trial_id, key, value in rows:
                found[trial_id][key] = json.loads(value)
    return found


@functools.cache
def _some_attributes() -> TextClause:
    from sqlalchemy import bindparam, text

    names = ", ".join(f"'{name}'" for name in READ)
    statement = "SELECT trial_id, key, value_json FROM trial_user_attributes WHERE trial_id IN :trials AND key IN"
    return text(f"{statement} ({names})").bindparams(bindparam("trials", expanding=True))


def of_study(engine: Engine, study_id: int) -> dict[str, str]:
    """User attributes of a study by name, as the JSON in which they are stored."""
    with engine.connect() as connection:
        rows = do(
            connection, "SELECT key, value_json FROM study_user_attributes WHERE study_id = :study", study=study_id
        ).all()
    return {str(key): str(value) for key, value in rows}
