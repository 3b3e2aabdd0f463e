"""Workers of one study: who has which trial, who is dead and who is not, and that nothing is lost or done twice."""

import contextlib
import dataclasses
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from quick_searches import SHORT, TINY, FakeWorkers, fake_outcome, run

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.studies import search as search_module
from contract_wrapper.studies.record import Phase
from contract_wrapper.studies.running.stored import Queued
from contract_wrapper.studies.search import Search
from contract_wrapper.studies.sharing import worker
from contract_wrapper.studies.sharing.claims import Claim
from contract_wrapper.studies.sharing.heartbeat import Watch
from contract_wrapper.studies.sharing.place import DATABASE
from contract_wrapper.studies.sharing.worker import Worker
from contract_wrapper.studies.study import Study, read_study
from contract_wrapper.studies.suggest import pending_in, suggest

ELSEWHERE = Worker(name="elsewhere", machine="another machine", pid=7, began="1")


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    opened = Study(tmp_path, TINY, SHORT)
    yield opened
    opened.close()


@pytest.fixture
def other(study: Study) -> Iterator[Study]:
    joined = Study.join(study.folder)
    yield joined
    joined.close()


def at_once(jobs: list[Callable[[], object]]) -> list[object]:
    """Run jobs in threads that begin at the same moment; their results."""
    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)  # type: ignore[var-annotated]

    def one(k: int) -> None:
        barrier.wait()
        results[k] = jobs[k]()

    threads = [threading.Thread(target=one, args=(k,)) for k in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def finish(study: Study, number: int) -> bool:
    trial = study.record(fresh=True).trials[number]
    return study.finish(number, fake_outcome(trial.contract, trial.seed))  # type: ignore[arg-type]


# Who is dead


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_who_is_silent_for_the_grace_is_dead_and_no_sooner() -> None:
    clock = Clock()
    watch = Watch(grace=30.0, most=10.0, clock=clock)
    seen = []
    for clock.now in (0.0, 10.0, 20.0, 29.0, 30.0):
        seen.append(watch.look({"a": "12:00:00"}))
    assert seen == [set(), set(), set(), set(), {"a"}]


def test_a_clock_that_jumps_by_ten_minutes_kills_nobody() -> None:
    clock = Clock()
    watch = Watch(grace=30.0, most=10.0, clock=clock)
    for clock.now, beat in zip(range(0, 200, 10), [*["12:00", "12:10", "12:00", "11:50", "12:00"]] * 4, strict=True):
        assert watch.look({"a": beat}) == set()


def test_an_observer_that_was_held_up_believes_nothing_at_once() -> None:
    clock = Clock()
    watch = Watch(grace=30.0, most=10.0, clock=clock)
    watch.look({"a": "12:00"})
    clock.now = 3600.0  # the laptop slept, and so did the worker in it
    assert watch.look({"a": "12:00"}) == set()
    watch.forget()  # the database could not be read
    for clock.now in (3610.0, 3620.0, 3630.0):
        assert watch.look({"a": "12:00"}) == set()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what runs on a machine")
def test_a_worker_of_this_machine_is_looked_up() -> None:
    mine = worker.begin()
    assert mine.is_gone() is False
    mine.leave()
    assert mine.is_gone() is True
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        theirs = Worker(name="x", machine=worker.machine(), pid=process.pid, began=worker._began(process.pid))
        assert theirs.is_gone() is False
        assert dataclasses.replace(theirs, began="1").is_gone() is True, "another process has got its number"
        assert dataclasses.replace(theirs, machine="another").is_gone() is None
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert theirs.is_gone() is True, "it ended, and nobody waited for it yet"


# Who has what


def test_of_many_that_want_a_trial_one_gets_it(study: Study) -> None:
    others = [Study.join(study.folder) for _ in range(6)]
    try:
        for number in range(4):
            trial_id = study._database.trial_id(number)
            wanted: list[Callable[[], object]] = [
                lambda one=one, n=number, t=trial_id: one.attendance.claim(n, t) for one in others
            ]
            assert sum(map(bool, at_once(wanted))) == 1, number
    finally:
        for one in others:
            one.close()
    assert len(study.waiting()) == 4, "who leaves puts back what it has"


def test_of_many_that_choose_at_once_one_does_and_the_others_choose_again(study: Study) -> None:
    there = len(study.record().trials)
    tables = [study._database.claims for _ in range(6)]
    choice = Queued(contract=Contract(tax=0.5, n_cleaners=2), phase=Phase.SEARCH)
    rows = [({"tax": 0.5, "n_cleaners": 2}, choice.attributes())]
    assert sum(map(bool, at_once([lambda t=t: t.append(there, rows) for t in tables]))) == 1  # type: ignore[misc]
    assert [t.number for t in study.record(fresh=True).trials] == list(range(there + 1))


def test_a_worker_that_was_taken_for_dead_stores_nothing(study: Study, other: Study) -> None:
    assert study.claim() is not None
    taken = study.attendance.mine()[0]
    assert study._database.claims.put_back(taken)
    trial = other.claim()
    assert trial is not None
    assert trial.number == 0
    assert not study._database.claims.put_back(taken), "an old claim takes nothing from a new one"
    assert not finish(study, 0)
    assert finish(other, 0)
    assert not finish(study, 0)
    assert study.record(fresh=True).trials[0].outcome is not None


def test_what_a_worker_of_an_older_version_stored_but_did_not_finish_is_finished(study: Study, other: Study) -> None:
    import optuna

    assert study.claim() is not None
    assert finish(study, 0)
    with contextlib.closing(sqlite3.connect(study.folder / DATABASE)) as database, database:
        database.execute("UPDATE trials SET state = 'WAITING', datetime_complete = NULL WHERE number = 0")
        database.execute("DELETE FROM trial_values")
    claimed = other.claim()
    assert claimed is not None
    assert claimed.number == 1, "nobody evaluates it again"
    stored = other._database._study.get_trials(deepcopy=False)[0]
    assert stored.state == optuna.trial.TrialState.COMPLETE
    assert stored.value == study.record(fresh=True).trials[0].outcome.welfare.mean  # type: ignore[union-attr]


def test_a_result_is_stored_whole_or_not_at_all(study: Study, other: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    from contract_wrapper.studies.sharing import results

    assert study.claim() is not None
    whole = results.set_attributes

    def killed(connection: object, table: str, *rest: object) -> None:
        whole(connection, table, *rest)  # type: ignore[arg-type]
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(results, "set_attributes", killed)
        with pytest.raises(InterruptedError):
            finish(study, 0)
    assert other.record(fresh=True).trials[0].outcome is None
    assert study._database.claims.put_back(study.attendance.mine()[0])
    assert not finish(study, 0), "its claim does not hold any more"
    assert other.claim() is not None
    assert finish(other, 0)
    assert study.record(fresh=True).trials[0].outcome is not None


def test_a_result_whose_answer_was_lost_is_stored_once(study: Study) -> None:
    assert study.claim() is not None
    mine = study.attendance.mine()[0]
    assert finish(study, 0)
    ended = study._database._study.get_trials()[0]
    assert study._database.finish(0, mine, "it failed", {}), "the server had done it"
    assert study._database._study.get_trials()[0] == ended


def test_a_silent_worker_elsewhere_is_dead_and_one_that_beats_is_not(study: Study) -> None:
    clock = Clock()
    study.attendance._watch = Watch(grace=30.0, most=10.0, clock=clock)
    table = study._database.claims
    claims = [Claim(study._database.trial_id(number), f"token {number}") for number in (0, 1)]
    for claim in claims:
        assert table.claim(claim, ELSEWHERE)
    back = []
    for clock.now in range(0, 100, 10):
        beat = f"2026-01-01 12:{(clock.now * 7) % 60:02.0f}:00"  # its clock jumps to and fro
        with contextlib.closing(sqlite3.connect(study.folder / DATABASE)) as database, database:
            database.execute("DELETE FROM trial_heartbeats WHERE trial_id = ?", (claims[1].trial_id,))
            database.execute(
                "INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES (?, ?)", (claims[1].trial_id, beat)
            )
        back += [(clock.now, taken.number) for taken in study.attendance.look()]
    assert back == [(30, 0)]
    assert [t.number for t in study.waiting()] == [0, 2, 3]


def test_heartbeats_are_recorded_while_a_trial_is_claimed(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    study.attendance._every = 0.01
    beaten = threading.Semaphore(0)
    beat = study._database.claims.beat
    monkeypatch.setattr(study._database.claims, "beat", lambda trial_id: (beat(trial_id), beaten.release()))
    assert study.claim() is not None
    assert beaten.acquire(timeout=60)
    assert beaten.acquire(timeout=60)
    (taken,) = study._database.claims.all_taken()
    assert taken.beat


def test_a_heartbeat_that_cannot_be_recorded_is_tried_again(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    study.attendance._every = 0.01
    tried = threading.Semaphore(0)

    def fail(_: int) -> None:
        tried.release()
        raise ContractsError("the disk is slow")

    monkeypatch.setattr(study._database.claims, "beat", fail)
    assert study.claim() is not None
    assert tried.acquire(timeout=60)
    assert tried.acquire(timeout=60)
    assert list(study.attendance.mine()) == [0]


def test_only_one_worker_certifies_a_contract(study: Study, other: Study) -> None:
    for number in range(4):
        assert finish(study, number)
    assert study.begin_certifying(1)
    assert not other.begin_certifying(1)
    assert other.begin_certifying(2)
    study.attendance.end_certifying(1)
    assert other.begin_certifying(1)


# Several workers search


def baseline_and_initial(study: Study) -> None:
    for number in range(4):
        assert finish(study, number)


def test_what_others_evaluate_is_pending_and_said_with_the_choice(study: Study, other: Study) -> None:
    baseline_and_initial(study)
    mine, theirs = (Search(one, processes=1, stream=io.StringIO(), here=True) for one in (study, other))
    assert mine._search_step()
    assert [study.claim().number, study.claim().number] == [4, 5]  # type: ignore[union-attr]
    assert theirs._search_step()
    record = other.record(fresh=True)
    assert [t.pending for t in record.trials[4:]] == [(), (), (4, 5), (4, 5)]
    assert len({t.contract for t in record.trials}) == 7  # trial 5 measures one again
    for number in (5, 4, 6):  # what comes out meanwhile changes nothing in what was known
        assert finish(study, number)
    record = study.record(fresh=True)
    known = record.before(6)
    assert [len(pending_in(known)), len(pending_in(record.before(4)))] == [2, 0]
    assert [record.designs.contract(s.design) for s in suggest(known, 2)] == [t.contract for t in record.trials[6:8]]


def test_who_is_late_to_confirm_does_not_confirm_the_next_best(study: Study, other: Study) -> None:
    baseline_and_initial(study)
    best, next_best = Contract(tax=0.3, n_cleaners=3), Contract(tax=0.3, n_cleaners=2)
    for number, contract in enumerate((best, next_best), start=4):
        study.add(contract, Phase.SEARCH)
        assert finish(study, number)
    mine, theirs = (Search(one, processes=1, stream=io.StringIO(), here=True) for one in (study, other))
    assert mine._confirm_step()
    assert theirs._confirm_step(), "there is something to do: what the other one queued"
    record = study.record(fresh=True)
    assert [t.contract for t in record.trials if t.phase is Phase.CONFIRMATION] == [best, best]


def test_who_was_too_late_to_choose_chooses_again(study: Study, other: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    baseline_and_initial(study)
    mine, theirs = (Search(one, processes=1, stream=io.StringIO(), here=True) for one in (study, other))
    asked = []

    def slow(record, number):  # type: ignore[no-untyped-def]
        chosen = suggest(record, number)
        asked.append(len(record.trials))
        if len(asked) == 1:
            assert theirs._search_step()
        return chosen

    monkeypatch.setattr(search_module, "suggest", slow)
    assert mine._search_step(), "it looks again"
    assert len(study.record(fresh=True).trials) == 6
    assert mine._search_step()
    trials = study.record(fresh=True).trials
    assert asked == [4, 4, 6]
    assert len(trials) == 8, "the budget of four holds over both"
    assert len({t.contract for t in trials}) == 7  # trial 5 measures one again
    assert not mine._search_step()
    with contextlib.closing(sqlite3.connect(study.folder / DATABASE)) as database:
        assert database.execute("SELECT number FROM trials ORDER BY trial_id").fetchall() == [(k,) for k in range(8)]


def test_a_worker_that_joins_ends_a_study_as_one_alone_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(tmp_path / "whole", SHORT, monkeypatch)
    Study(tmp_path / "joined", TINY, SHORT).close()
    monkeypatch.setattr(search_module, "working", lambda *_: FakeWorkers())
    joined = Study.join(tmp_path / "joined")
    try:
        assert Search(joined, processes=1, stream=io.StringIO()).run().trials == whole.trials
    finally:
        joined.close()


def test_a_worker_joins_only_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(ContractsError, match="there is no study in"):
        Study.join(tmp_path)
    with pytest.raises(ContractsError, match="there is no study in"):
        Study.join(tmp_path, storage=f"sqlite:///{tmp_path / 'none.sqlite3'}")
    assert list(tmp_path.iterdir()) == []
    storage = f"sqlite:///{tmp_path / 'all.sqlite3'}"
    Study(tmp_path / "a", TINY, SHORT, storage=storage).close()
    with pytest.raises(ContractsError, match=r"there is no study 'b' in .*, but 'a': name one of them"):
        Study.join(tmp_path / "b", storage=storage)


# Databases


def test_one_database_holds_many_studies(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'all.sqlite3'}"
    for name, seed in (("first", 1), ("second", 2)):
        Study(tmp_path / name, TINY, dataclasses.replace(SHORT, seed=seed), storage=storage).close()
        assert not (tmp_path / name / DATABASE).exists()
        assert json.loads((tmp_path / name / "storage.json").read_text())["study"] == name
    assert read_study(tmp_path / "second", storage=storage).search.seed == 2
    assert read_study(tmp_path / "anywhere", storage=storage, study="first").search.seed == 1
    with pytest.raises(ContractsError, match=r"is kept in sqlite:///.*all\.sqlite3 as 'first': say so with --storage"):
        Study(tmp_path / "first", TINY, SHORT)
    with pytest.raises(ContractsError, match="belongs to the study 'first', got 'second'"):
        read_study(tmp_path / "first", storage=storage, study="second")


def test_a_folder_with_a_study_of_its_own_is_not_used_for_another(tmp_path: Path) -> None:
    Study(tmp_path, TINY, SHORT).close()
    with pytest.raises(ContractsError, match="holds a study of its own"):
        Study(tmp_path, TINY, SHORT, storage=f"sqlite:///{tmp_path / 'other.sqlite3'}")
    again = Study(tmp_path, TINY, SHORT, storage=f"sqlite:///{tmp_path / DATABASE}")
    assert again.name == tmp_path.name
    again.close()


@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ("nothing", "--storage is the URL of a database"),
        ("mysql://user:secret@host/db", "sqlite or postgresql, got 'mysql'"),
        ("sqlite://", "needs a file with sqlite"),
        ("postgresql://user:secret@host:port/db", "--storage is the URL of a database"),
    ],
)
def test_what_is_no_database_is_refused_without_its_password(tmp_path: Path, storage: str, message: str) -> None:
    with pytest.raises(ContractsError, match=message) as caught:
        Study(tmp_path, TINY, SHORT, storage=storage)
    assert "secret" not in str(caught.value)


def test_a_password_is_neither_told_nor_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("psycopg")
    from contract_wrapper.cli import main
    from contract_wrapper.studies.sharing.place import place_of, write_note

    url = "postgresql://user:s3cret@127.0.0.1:1/db?connect_timeout=1&password=s3cret"
    place = place_of(tmp_path, url, "mine")
    assert "s3cret" in place.url
    write_note(tmp_path, place)
    assert "s3cret" not in f"{place} {place!r} {(tmp_path / 'storage.json').read_text()}"
    assert place.without_password("denied for s3cret") == "denied for ***"
    assert main(["--verbose", "work", "mine", "--folder", str(tmp_path), "--storage", url]) == 2
    said = capsys.readouterr()
    assert "postgresql+psycopg://user@127.0.0.1:1/db" in said.err
    assert "s3cret" not in said.out + said.err


def in_processes(jobs: list[Callable[[], object]]) -> list[int]:
    """Run jobs in forks of this process that begin at the same moment; how they ended."""
    ready, go = os.pipe()
    pids = []
    for job in jobs:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(go)
                os.read(ready, 1)  # returns when the parent closes its end
                job()
                code = 0
            except ContractsError as error:
                code = 3 if "another configuration" in str(error) else 4
            finally:
                os._exit(code)
        pids.append(pid)
    os.close(ready)
    os.close(go)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_processes_that_begin_a_study_at_once_begin_one(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'all.sqlite3'}"

    def begin(k: int, seed: int = 0) -> Callable[[], object]:
        search = dataclasses.replace(SHORT, seed=seed)
        return lambda: Study(tmp_path / str(k), TINY, search, storage=storage, study="one").close()

    assert in_processes([begin(k) for k in range(4)]) == [0, 0, 0, 0]
    assert len(read_study(tmp_path / "0", storage=storage, study="one").trials) == 4
    storage = f"sqlite:///{tmp_path / 'differing.sqlite3'}"
    ended = in_processes([begin(10 + k, seed=k) for k in range(3)])
    assert sorted(ended) == [0, 3, 3], "the first binds the others"
    record = read_study(tmp_path / "10", storage=storage, study="one")
    assert record.search.seed == ended.index(0)
    assert [t.contract for t in record.trials] == record.search.initial_contracts()


def test_a_study_of_an_older_version_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(tmp_path / "whole", SHORT, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "old", SHORT, monkeypatch, interrupt_at=6)
    with contextlib.closing(sqlite3.connect(tmp_path / "old" / DATABASE)) as database, database:
        database.execute("DELETE FROM trial_system_attributes WHERE key = 'worker'")
        database.execute("UPDATE trials SET state = 'RUNNING' WHERE number IN (4, 5)")  # killed between result and end
        (text,) = database.execute("SELECT value_json FROM study_user_attributes WHERE key='configuration'").fetchone()
        content = json.loads(text) | {"format": 3}
        content["search"].pop("optimiser")
        database.execute(
            "UPDATE study_user_attributes SET value_json = ? WHERE key = 'configuration'", (json.dumps(content),)
        )
    joined = Study.join(tmp_path / "old")
    assert {taken.number for taken in joined.attendance.others()} == {4, 5}, "nothing says that their worker is dead"
    joined.close()
    assert run(tmp_path / "old", SHORT, monkeypatch).trials == whole.trials


def test_the_certificate_of_a_study_is_in_its_database(study: Study) -> None:
    from contract_wrapper.studies.certificate_file import sealed_certificate, unsealed_certificate

    pytest.importorskip("torch")
    from made_up_crews import certificate_of
    from small_crews import SETTINGS

    certificate = certificate_of(Contract(tax=0.3, n_cleaners=2))
    sealed = sealed_certificate(certificate, SETTINGS, 0)
    assert unsealed_certificate(sealed, SETTINGS) == certificate
    assert unsealed_certificate({**sealed, "order": 1}, SETTINGS) is None
    assert unsealed_certificate(sealed, SETTINGS.from_scratch()) is None
    assert unsealed_certificate([1], SETTINGS) is None


def test_a_worker_that_is_asked_to_stop_leaves_its_evaluation_to_others(tmp_path: Path) -> None:
    study = Study(tmp_path, TINY, SHORT)
    assert study.claim() is not None
    assert [t.number for t in study.waiting()] == [1, 2, 3]
    study.close()
    record = read_study(tmp_path)
    assert not any(t.is_finished for t in record.trials)
    again = Study.join(tmp_path)
    assert [t.number for t in again.waiting()] == [0, 1, 2, 3]
    again.close()


def test_a_killed_worker_is_noticed_at_once_on_its_machine(tmp_path: Path) -> None:
    if not worker.machine():
        pytest.skip("only Linux tells what runs on a machine")
    Study(tmp_path, TINY, SHORT).close()
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        Study.join(tmp_path).claim()
        os.write(told, b"x")
        signal.pause()
    os.read(ready, 1)
    study = Study.join(tmp_path)
    try:
        assert [t.number for t in study.waiting()] == [1, 2, 3]
        assert study.attendance.look() == [], "it lives"
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert [taken.number for taken in study.attendance.look()] == [0]
        assert [t.number for t in study.waiting()] == [0, 1, 2, 3]
    finally:
        study.close()
        os.waitpid(pid, 0)
