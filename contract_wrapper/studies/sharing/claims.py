"""Who evaluates which trial, in Optuna's tables: each function is one transaction that does all of it or nothing.

A trial waits (WAITING), or one worker has claimed it (RUNNING, with a token that no other claim has). Optuna's own step
from the one to the other reads before it writes, without a lock in SQLite, so that two processes may both believe to
have made it; and a batch of trials cannot be queued as one. Here every transaction begins by a write to the row that it
is about, which locks it in SQLite (the whole file) and PostgreSQL (the row), and then reads what holds now.
"""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from contract_wrapper.studies.sharing.worker import Worker

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, TextClause

KEY = "worker"
"""System attribute of a trial: who claimed it last."""

CERTIFIER = "certifier"
"""System attribute of a finished trial: who certifies its contract."""


class Claim(NamedTuple):
    """A trial that a worker has."""

    trial_id: int
    """Optuna's number of the trial among those of all studies."""

    token: str
    """Of this claim alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A claim as others see it."""

    number: int
    """Number of the trial in the study."""

    claim: Claim
    """What was claimed; the token is empty where nothing says who claimed it."""

    worker: Worker
    """Who has it."""

    beat: str
    """The last heartbeat, as the database has it; empty before the first."""


def append(
    engine: Engine,
    study_id: int,
    expected: int,
    trials: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    configuration: Mapping[str, Any] | None = None,
) -> bool:
    """Queue trials if the study has exactly as many as expected, so that nobody came in between; else do nothing.

    Args:
        engine: of the database.
        study_id: Optuna's number of the study.
        expected: trials that it has.
        trials: numbers of the contract by name, and user attributes, of each.
        configuration: user attributes of the study that are set together with them.

    Returns:
        Whether they are queued.
    """
    with engine.begin() as connection:
        do(connection, "UPDATE studies SET study_name = study_name WHERE study_id = :study", study=study_id)
        there = do(connection, "SELECT COUNT(*) FROM trials WHERE study_id = :study", study=study_id).scalar_one()
        if there != expected:
            return False
        for key, value in (configuration or {}).items():
            set_attributes(connection, "study_user_attributes", "study_id", study_id, {key: value})
        for number, (numbers, attributes) in enumerate(trials, start=expected):
            trial_id = do(
                connection,
                "INSERT INTO trials (number, study_id, state) VALUES (:number, :study, 'WAITING') RETURNING trial_id",
                number=number,
                study=study_id,
            ).scalar_one()
            set_attributes(connection, "trial_user_attributes", "trial_id", trial_id, attributes)
            set_attributes(connection, "trial_system_attributes", "trial_id", trial_id, {"fixed_params": dict(numbers)})
    return True


def claim(engine: Engine, wanted: Claim, worker: Worker) -> bool:
    """Take a trial that waits; false if it does not (any more). Again by the same token is the same."""
    with engine.begin() as connection:
        state, token = locked(connection, wanted.trial_id)
        if state == "RUNNING" and token == wanted.token:
            return True
        if state != "WAITING":
            return False
        do(
            connection,
            "UPDATE trials SET state = 'RUNNING', datetime_start = :now WHERE trial_id = :trial",
            trial=wanted.trial_id,
            now=datetime.datetime.now(),
        )
        plain = {**worker.to_dict(), "token": wanted.token}
        set_attributes(connection, "trial_system_attributes", "trial_id", wanted.trial_id, {KEY: plain})
    return True


def put_back(engine: Engine, taken: Claim) -> bool:
    """Let a claimed trial wait again, if that very claim still holds; false if it does not."""
    with engine.begin() as connection:
        if locked(connection, taken.trial_id) != ("RUNNING", taken.token):
            return False
        do(connection, "UPDATE trials SET state = 'WAITING' WHERE trial_id = :trial", trial=taken.trial_id)
    return True


def certify(engine: Engine, wanted: Claim, worker: Worker) -> bool:
    """Claim the certificate of a finished trial's contract; false if another worker has it."""
    with engine.begin() as connection:
        locked(connection, wanted.trial_id)
        held = _attribute(connection, wanted.trial_id, CERTIFIER)
        if held:
            return held == wanted.token
        plain = {**worker.to_dict(), "token": wanted.token}
        set_attributes(connection, "trial_system_attributes", "trial_id", wanted.trial_id, {CERTIFIER: plain})
    return True


def end_certifying(engine: Engine, taken: Claim) -> bool:
    """Give the certificate of a trial's contract back, if that very claim still holds."""
    with engine.begin() as connection:
        locked(connection, taken.trial_id)
        if _attribute(connection, taken.trial_id, CERTIFIER) != taken.token:
            return False
        do(
            connection,
            "DELETE FROM trial_system_attributes WHERE trial_id = :trial AND key = :key",
            trial=taken.trial_id,
            key=CERTIFIER,
        )
    return True


def all_taken(engine: Engine, study_id: int, key: str = KEY) -> list[Taken]:
    """Claims of a study that hold: of trials (`KEY`), or of certificates (`CERTIFIER`)."""
    running = "t.state = 'RUNNING'" if key == KEY else "a.value_json IS NOT NULL"
    with engine.connect() as connection:
        rows = do(
            connection,
            "SELECT t.number, t.trial_id, a.value_json, h.heartbeat FROM trials t "
            "LEFT JOIN trial_system_attributes a ON a.trial_id = t.trial_id AND a.key = :key "
            "LEFT JOIN trial_heartbeats h ON h.trial_id = t.trial_id "
            f"WHERE t.study_id = :study AND {running} ORDER BY t.number",
            study=study_id,
            key=key,
        ).all()
    return [
        Taken(
            number=number, claim=Claim(trial_id, _token(value)), worker=Worker.from_dict(_plain(value)),
            beat="" if beat is None else str(beat),
        )
        for number, trial_id, value, beat in rows
    ]  # fmt: skip


def waiting(engine: Engine, study_id: int) -> list[tuple[int, int]]:
    """Trials that wait: number in the study, and Optuna's among those of all studies; the lowest first."""
    with engine.connect() as connection:
        rows: Iterable[Any] = do(
            connection,
            "SELECT number, trial_id FROM trials WHERE study_id = :study AND state = 'WAITING' ORDER BY number",
            study=study_id,
        ).all()
    return [(number, trial_id) for number, trial_id in rows]


def locked(connection: Connection, trial_id: int) -> tuple[str, str]:
    """Lock the row of a trial until the transaction ends; return its state, and the token of who claimed it last."""
    do(connection, "UPDATE trials SET state = state WHERE trial_id = :trial", trial=trial_id)
    state = do(connection, "SELECT state FROM trials WHERE trial_id = :trial", trial=trial_id).scalar_one()
    return str(state), _attribute(connection, trial_id, KEY)


def _attribute(connection: Connection, trial_id: int, key: str) -> str:
    """Token in a system attribute of a trial; empty if there is none."""
    value = do(
        connection,
        "SELECT value_json FROM trial_system_attributes WHERE trial_id = :trial AND key = :key",
        trial=trial_id,
        key=key,
    ).scalar_one_or_none()
    return _token(value)


def _token(value: str | None) -> str:
    plain = _plain(value)
    token = plain.get("token") if isinstance(plain, dict) else None
    return token if isinstance(token, str) else ""


def _plain(value: str | None) -> Any:
    try:
        return None if value is None else json.loads(value)
    except ValueError:
        return None


def set_attributes(connection: Connection, table: str, owner: str, number: int, attributes: Mapping[str, Any]) -> None:
    """Set attributes of a study or trial, in place of those of the same names.

    Args:
        connection: inside a transaction.
        table: of attributes.
        owner: its column that says whose they are.
        number: whose they are.
        attributes: by name; plain values.
    """
    if not attributes:
        return
    rows = [{"owner": number, "key": key, "value": json.dumps(value)} for key, value in attributes.items()]
    connection.execute(_clause(f"DELETE FROM {table} WHERE {owner} = :owner AND key = :key"), rows)
    insert(connection, table, f"{owner}, key, value_json", rows)


def insert(connection: Connection, table: str, columns: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, whose values stand in the order of the columns."""
    if rows:
        values = ", ".join(f":{name}" for name in rows[0])
        connection.execute(_clause(f"INSERT INTO {table} ({columns}) VALUES ({values})"), list(rows))


def do(connection: Connection, statement: str, **values: Any) -> Any:
    """Execute a statement with its named values; `now` and `began_now` are times."""
    return connection.execute(_clause(statement), values)


@functools.cache
def _clause(statement: str) -> TextClause:
    """A statement, read once: there are few, and each is executed for every trial."""
    from sqlalchemy import DateTime, bindparam, text

    times = [name for name in ("now", "began_now") if f":{name}" in statement]
    return text(statement).bindparams(*(bindparam(name, type_=DateTime) for name in times))
