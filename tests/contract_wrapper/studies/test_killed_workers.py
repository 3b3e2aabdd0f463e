"""Workers that are killed by SIGKILL: others go on with what they had, from their checkpoints, and nothing is done twice."""

import dataclasses
import io
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from process_table import wait_until
from quick_searches import TINY

import worker_trial
from contract_wrapper.evaluation import worker_pool
from contract_wrapper.learners import built_in
from contract_wrapper.studies.running import fellow_workers as fellows
from contract_wrapper.studies.search import Search
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.sharing import worker
from contract_wrapper.studies.study import Study, read_study
from mtmfq.config import get_profile

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork, and a system that tells what runs on it")

LONGER = dataclasses.replace(
    TINY, learner=get_profile("smoke", episodes=160, n_games=8, batch_size=64, replay_capacity=100)
)
ALONE = SearchSettings(n_initial=3, n_search=0, n_confirm=0)


def forked(job: Callable[[], object]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        job()
        os._exit(0)
    except BaseException:
        os._exit(1)


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def untimed(study: Path) -> list[object]:
    times = {"cpu_seconds": 0.0, "wall_seconds": 0.0}
    return [t.outcome and dataclasses.replace(t.outcome, **times) for t in read_study(study).trials]


def test_a_training_that_was_killed_goes_on_in_another_process_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built_in, "_CHECKPOINT_SECONDS", 0.0)
    whole = Study(tmp_path / "whole", LONGER, ALONE)
    Search(whole, processes=1, stream=io.StringIO(), here=True).run()
    whole.close()
    study = Study(tmp_path / "killed", LONGER, ALONE)
    do = worker_pool.Job.do

    def slow(job, settings, folder, tell, should_stop):  # type: ignore[no-untyped-def]
        return do(job, settings, folder, lambda p: (time.sleep(0.2), tell(p)), should_stop)

    def work_slowly() -> None:
        monkeypatch.setattr(worker_pool.Job, "do", slow)
        Search(Study.join(study.folder), processes=1, stream=io.StringIO(), here=True).run()

    pid = forked(work_slowly)
    wait_until(lambda: list(study.outcomes.glob("*.training.npz")))
    assert [taken.number for taken in study.attendance.others()] == [0]
    killed(pid)
    assert not list(study.outcomes.glob("*.json")), "it was killed too late"
    first: list[int] = []

    def noted(job, settings, folder, tell, should_stop):  # type: ignore[no-untyped-def]
        return do(job, settings, folder, lambda p: (first.append(p.episode), tell(p)), should_stop)

    monkeypatch.setattr(worker_pool.Job, "do", noted)
    Search(study, processes=1, stream=io.StringIO(), here=True).run()
    study.close()
    assert first[0] > LONGER.learner.n_games, "it began anew"
    assert untimed(study.folder) == untimed(whole.folder)


def small(folder: Path, **changes: object) -> worker_trial.Trial:
    search = SearchSettings(n_initial=8, n_search=30, n_confirm=21, batch=3)
    return dataclasses.replace(
        worker_trial.Trial(folder=folder, search=search, workers=4, seconds=0.05, kill_every=1.0, limit=500.0),
        **changes,  # type: ignore[arg-type]
    )


def test_workers_that_are_killed_at_random_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    result = worker_trial.run(small(tmp_path), random.Random(1))
    assert len(result.record.trials) >= 60
    assert (result.lost, result.doubled_designs, result.doubled_trials) == (0, 0, 0)
    assert result.kills >= 2


def test_all_workers_are_killed_and_the_study_is_resumed(tmp_path: Path) -> None:
    trial = small(tmp_path, kill_every=0.0, workers=2)
    Study(tmp_path, worker_trial.SETTINGS, trial.search).close()
    workers = [forked(lambda: worker_trial.work(trial)) for _ in range(2)]
    wait_until(lambda: trial.log.exists() and len(trial.log.read_text().splitlines()) > 10)
    for pid in workers:
        killed(pid)
    there = read_study(tmp_path).trials
    assert 0 < sum(t.is_finished for t in there) < 60
    pid = forked(lambda: worker_trial.work(trial))
    assert os.waitpid(pid, 0)[1] == 0
    record = read_study(tmp_path)
    assert len(record.trials) >= 60
    assert all(t.outcome is not None for t in record.trials)
    assert [t.outcome for t in record.trials][: len(there)] == [
        t.outcome if t.is_finished else record.trials[t.number].outcome for t in there
    ]


def test_a_killed_fellow_worker_is_told_and_replaced_by_the_others(tmp_path: Path) -> None:
    study, said = Study(tmp_path, TINY, ALONE), list[str]()
    try:
        with fellows.fellow_workers(study, 1, said.append):
            wait_until(study.attendance.others)
            (taken,) = study.attendance.others()
            os.kill(taken.worker.pid, signal.SIGKILL)
            record = Search(study, processes=1, stream=io.StringIO(), here=True).run()
    finally:
        study.close()
    assert all(t.outcome is not None for t in record.trials)
    assert len(said) == 1
    assert "it was killed, or ran out of memory" in said[0]


@pytest.mark.slow
def test_fellow_workers_finish_a_study_and_end(tmp_path: Path) -> None:
    study, said = Study(tmp_path, TINY, SearchSettings(n_initial=4, n_search=2, n_confirm=1)), list[str]()
    try:
        with fellows.fellow_workers(study, 2, said.append):
            record = Search(study, processes=1, stream=io.StringIO(), here=True).run()
    finally:
        study.close()
    assert all(t.outcome is not None for t in record.trials)
    assert not said


@pytest.mark.slow
def test_heartbeats_alone_tell_who_was_killed(tmp_path: Path) -> None:
    result = worker_trial.run(small(tmp_path, blind=True, kill_every=5.0, grace=10.0), random.Random(2))
    assert (result.lost, result.doubled_designs, result.doubled_trials) == (0, 0, 0)
    assert result.kills >= 2
    assert result.again >= 1


def test_a_worker_says_what_it_is_and_reads_it_back() -> None:
    mine = worker.begin()
    assert worker.Worker.from_dict(mine.to_dict()) == mine
    assert worker.Worker.from_dict({"name": 3}).name == ""
    mine.leave()
