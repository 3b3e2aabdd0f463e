"""Studies in a PostgreSQL server: the same as in a file, also where the server is stopped in the middle."""

import io
import random
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from quick_searches import SHORT, TINY, FakeWorkers, run

import worker_trial

if sys.platform == "win32":
    pytest.skip("needs fork", allow_module_level=True)

from postgres import Server, server, why_not
from test_sharing import in_processes

from contract_wrapper.errors import ContractsError
from contract_wrapper.studies import search as search_module
from contract_wrapper.studies.search import Search
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.sharing import opening
from contract_wrapper.studies.sharing.opening import open_reading
from contract_wrapper.studies.sharing.place import place_of
from contract_wrapper.studies.study import Study, read_study

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is a server")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with server() as one:
        yield one


def test_a_study_in_a_server_is_that_in_a_file_and_survives_a_restart(
    postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = run(tmp_path / "file", SHORT, monkeypatch)
    again: list[threading.Thread] = []

    class Stopping(FakeWorkers):
        def run(self, jobs, settings, folder, on_result, on_status, on_tick) -> None:  # type: ignore[no-untyped-def]
            if any(job.number == 5 for job in jobs):
                postgres.stop()
                again.append(threading.Timer(1.0, postgres.start))
                again[-1].start()
            super().run(jobs, settings, folder, on_result, on_status, on_tick)

    monkeypatch.setattr(opening, "RETRY_SECONDS", 0.2)
    monkeypatch.setattr(search_module, "working", lambda *_: Stopping())
    study = Study(tmp_path / "server", TINY, SHORT, storage=postgres.url, study="restarted")
    try:
        record = Search(study, processes=3, stream=io.StringIO()).run()
    finally:
        study.close()
    assert len(again) == 1
    assert "does not answer" in caplog.text
    assert record.trials == whole.trials
    assert read_study(tmp_path / "server", storage=postgres.url, study="restarted").trials == whole.trials
    Study(tmp_path / "other", TINY, SHORT, storage=postgres.url, study="another").close()
    with pytest.raises(ContractsError, match=r"there is no study 'none' in .*, but 'another', 'restarted'"):
        read_study(tmp_path / "none", storage=postgres.url)


def test_processes_that_begin_a_study_at_once_begin_one(postgres: Server, tmp_path: Path) -> None:
    def begin(k: int) -> object:
        return lambda: Study(tmp_path / str(k), TINY, SHORT, storage=postgres.url, study="one").close()

    assert in_processes([begin(k) for k in range(4)]) == [0, 0, 0, 0]  # type: ignore[misc]
    assert len(read_study(tmp_path / "0", storage=postgres.url, study="one").trials) == 4


def test_workers_that_are_killed_lose_nothing_and_do_nothing_twice(postgres: Server, tmp_path: Path) -> None:
    trial = worker_trial.Trial(
        folder=tmp_path, search=SearchSettings(n_initial=5, n_search=12, n_confirm=7), storage=postgres.url, workers=3,
        seconds=0.05, kill_every=1.0, limit=500.0,
    )  # fmt: skip
    result = worker_trial.run(trial, random.Random(1))
    assert len(result.record.trials) >= 25
    assert (result.lost, result.doubled_designs, result.doubled_trials) == (0, 0, 0)


def test_what_is_opened_for_reading_cannot_be_written(postgres: Server, tmp_path: Path) -> None:
    from optuna.exceptions import StorageInternalError

    Study(tmp_path, TINY, SHORT, storage=postgres.url, study="shown").close()
    reading = open_reading(place_of(tmp_path, postgres.url, "shown"))
    number = reading.get_study_id_from_name("shown")
    assert len(reading.get_all_trials(number)) == 4
    with pytest.raises(StorageInternalError) as caught:
        reading.set_study_user_attr(number, "theirs", 1)
    assert "read-only transaction" in str(caught.value.__cause__)


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ContractsError, match="does not answer") as caught:
        Study(tmp_path, TINY, SHORT, storage="postgresql+psycopg://me:s3cret@127.0.0.1:1/db")
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
