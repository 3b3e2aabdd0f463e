"""A search that is stopped at any of its transactions ends, when run again, as if it had not been stopped."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import optuna
import pytest
from quick_searches import run
from sqlalchemy import event
from sqlalchemy.engine import Engine

from contract_wrapper import program
from contract_wrapper.errors import ContractsError
from contract_wrapper.studies.record import StudyRecord
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.sharing.place import DATABASE

SMALL = SearchSettings(n_initial=3, n_search=2, n_confirm=1)


class Commits:
    """Counts the transactions of all databases that write, and calls something in place of one (`lasting`: of all others)."""

    def __init__(self) -> None:
        self.seen, self.stop_after, self._writes = 0, -1, False
        self.lasting = False
        self.then: Callable[[], object] = lambda: None

    def __enter__(self) -> "Commits":
        event.listen(Engine, "before_cursor_execute", self._statement)
        event.listen(Engine, "commit", self._commit)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._statement)
        event.remove(Engine, "commit", self._commit)

    def _statement(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self._writes |= not statement.lstrip().upper().startswith(("SELECT", "PRAGMA"))

    def _commit(self, _connection: object) -> None:
        if not self._writes:
            return
        self._writes = False
        self.seen += 1
        if self.seen == self.stop_after + 1 or (
            self.lasting and self.seen > self.stop_after >= 0
        ):  # the transaction before is stored, this one is not
            self.then()


@pytest.fixture
def commits() -> Iterator[Commits]:
    with Commits() as counter:
        yield counter


def stored(folder: Path) -> list[tuple[object, ...]]:
    """Everything that Optuna knows of the trials, times and CPU seconds apart."""
    trials = optuna.load_study(study_name=None, storage=f"sqlite:///{folder / DATABASE}").trials
    return [(t.number, t.state, t.value, t.params, t.constraints, t.user_attrs) for t in trials]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyRecord, list[tuple[object, ...]], int]:
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch, Commits() as counter:
        record = run(folder, SMALL, patch)
    return record, stored(folder), counter.seen


def in_a_process_of_its_own(job: Callable[[], object]) -> int:
    """Run a job as the command line would, in a fork of this process; return how it ended, as `os.waitpid` does."""
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what it says is of no interest here
        os._exit(program.run(lambda: bool(job()), "test"))
    return os.waitpid(pid, 0)[1]


PARTS = 15
"""The transactions are shared out among so many tests, the first of which run always, the others with `-m slow`."""


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.parametrize("part", [p if p < 1 else pytest.param(p, marks=pytest.mark.slow) for p in range(PARTS)])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_stop_at_any_transaction_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: Commits,
    undisturbed: tuple[StudyRecord, list[tuple[object, ...]], int], part: int, number: signal.Signals,
) -> None:  # fmt: skip
    whole, database, n = undisturbed
    assert n > 20
    for k in range(part, n, PARTS):
        folder = tmp_path / str(k)
        commits.seen, commits.stop_after, commits.then = 0, k, lambda: os.kill(os.getpid(), number)
        status = in_a_process_of_its_own(partial(run, folder, SMALL, monkeypatch))
        assert status == (number if number == signal.SIGKILL else 130 << 8)
        commits.stop_after = -1
        assert run(folder, SMALL, monkeypatch).trials == whole.trials, k
        assert stored(folder) == database, k


def test_a_disk_that_is_full_at_some_transaction_is_one_line_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: Commits,
    undisturbed: tuple[StudyRecord, list[tuple[object, ...]], int],
) -> None:  # fmt: skip
    import sqlite3

    from sqlalchemy.exc import OperationalError

    whole, database, n = undisturbed

    def full() -> None:
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("database or disk is full"))

    commits.lasting = True  # Optuna tries some again
    for k in range(0, n, n // 7):
        folder = tmp_path / str(k)
        commits.seen, commits.stop_after, commits.then = 0, k, full
        with pytest.raises(ContractsError, match=r"disk is full.*run the same command again"):
            run(folder, SMALL, monkeypatch)
        commits.stop_after = -1
        assert run(folder, SMALL, monkeypatch).trials == whole.trials, k
        assert stored(folder) == database, k
