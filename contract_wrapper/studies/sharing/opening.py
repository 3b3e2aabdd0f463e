"""Open the database of a study, also while other processes are creating it."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from contract_wrapper import interrupts
from contract_wrapper.errors import ContractsError
from contract_wrapper.studies.sharing.place import NoStudy, StudyPlace

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

BUSY_SECONDS = 60.0
"""For so long SQLite waits for another process that writes."""

ATTEMPTS = 40
"""Attempts to create the tables beside other processes that do, too; a quarter of a second apart."""

PATIENCE_SECONDS, RETRY_SECONDS = 600.0, 1.0
"""For so long a worker waits for a server that went away, and so often it tries."""

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

_MEANWHILE = ("already exists", "locked", "unique constraint", "duplicate key", "no such table", "concurrently")
"""What databases say where another process creates the same tables."""


def open_storage(place: StudyPlace, *, create: bool) -> RDBStorage:
    """Connect to a database; `create` makes the tables that are missing.

    Raises:
        NoStudy: there are no tables, and they are not to be made.
        sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError, RuntimeError: it cannot be used.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    url = place.url.replace("{", "{{").replace("}", "}}")  # Optuna fills in templates
    busy = {"timeout": BUSY_SECONDS} if url.startswith("sqlite") else {"connect_timeout": 10}
    how: dict[str, Any] = {"connect_args": busy, "pool_pre_ping": not url.startswith("sqlite")}
    if not create and not place.in_folder and not _has_tables(place, how):
        raise NoStudy(f"there is no study in {place.shown}: begin one with `cleanup-contracts optimize --storage ...`")
    for attempt in range(ATTEMPTS):
        try:
            return optuna.storages.RDBStorage(url, engine_kwargs=dict(how), skip_table_creation=not create)
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            cause = str(getattr(error, "orig", None) or error.__cause__ or error).lower()
            if not create or attempt == ATTEMPTS - 1 or not any(words in cause for words in _MEANWHILE):
                raise
        time.sleep(0.25)
    raise AssertionError("unreachable")


def open_reading(place: StudyPlace) -> RDBStorage:
    """Connect to a database that is there, so that nothing can be written to it through the connection.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError: it cannot be used.
    """
    import optuna
    from sqlalchemy.engine import URL, make_url

    url = make_url(place.url)
    how: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "").resolve().as_uri()
        url = URL.create("sqlite", database=file, query={"mode": "ro", "uri": "true"})
    else:
        settings = f"{url.query.get('options', '')} -c default_transaction_read_only=on".strip()
        how = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10, "options": settings}}
    text = url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")  # Optuna fills in templates
    return optuna.storages.RDBStorage(text, engine_kwargs=how, skip_compatibility_check=True, skip_table_creation=True)


class Unreachable(ContractsError):
    """The server of a database does not answer, or went away."""


@contextlib.contextmanager
def told(place: StudyPlace) -> Iterator[None]:
    """Turn what a database raises into one line that says what to do.

    Raises:
        Unreachable: its server is gone. ContractsError: the database cannot be used.
    """
    import optuna
    from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        inner = error if isinstance(error, SQLAlchemyError) else error.__cause__
        if not place.url.startswith("sqlite") and (
            isinstance(inner, (OperationalError, InterfaceError)) or getattr(inner, "connection_invalidated", False)
        ):
            why = place.without_password(str(getattr(inner, "orig", None) or inner).splitlines()[0])
            raise Unreachable(
                f"the server of the study database {place} does not answer ({why}): start it, or mend the URL, and run the "
                "same command again"
            ) from error
        cause = place.without_password(str(getattr(error, "orig", None) or error.__cause__ or error).splitlines()[0])
        raise ContractsError(
            f"the study database {place} cannot be used ({cause}): free disk space or mend the permissions "
            "and run the same command again; if the file is broken, put back a copy or choose another --folder"
        ) from error


def patient(method: Callable[P, T]) -> Callable[P, T]:
    """Make a method wait and try again where the server of the database went away, until it is back.

    The method may be called again where its first call had an effect and only its answer was lost. Heartbeats do not
    wait: they are recorded again and again anyway.
    """

    @functools.wraps(method)
    def called(*given: P.args, **named: P.kwargs) -> T:
        until = time.monotonic() + PATIENCE_SECONDS
        said = False
        while True:
            try:
                return method(*given, **named)
            except Unreachable as error:
                if time.monotonic() > until or threading.current_thread() is not threading.main_thread():
                    raise
                if not said:
                    log.warning("%s; trying for %.0f minutes until it is back", error, PATIENCE_SECONDS / 60)
                said = True
            interrupts.check()
            time.sleep(RETRY_SECONDS)

    return called


def _has_tables(place: StudyPlace, how: dict[str, Any]) -> bool:
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.engine import make_url

    url = make_url(place.url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return False  # to look into it would make it
    engine = create_engine(url, **how)
    try:
        return inspect(engine).has_table("studies")
    finally:
        engine.dispose()
