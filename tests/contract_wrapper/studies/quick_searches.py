"""A study whose evaluations are made up, so that whole searches take a second."""

import io
from pathlib import Path

import pytest

from cleanup_env import make_config
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.worker_pool import CrewJob, Job
from contract_wrapper.studies import search as search_module
from contract_wrapper.studies.search import Search
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.study import Study
from mtmfq.config import get_profile
from worker_trial import outcome as fake_outcome

TINY = EvaluationSettings(
    game=make_config("contract", horizon=20),
    learner=get_profile("smoke", episodes=16, n_games=8, batch_size=64, replay_capacity=100),
    episodes=4,
)
SHORT = SearchSettings(n_initial=3, n_search=4, n_confirm=2)


def fake_result(job: object) -> object:
    """What a worker would send: an outcome, nothing for crews that it trained, or why it has no certificate."""
    if isinstance(job, Job):
        return fake_outcome(job.contract, job.seed)
    return None if isinstance(job, CrewJob) else "nobody deviates here"


class FakeWorkers:
    """Evaluates at once, in this process; may be told to be interrupted before some trial."""

    def __init__(self, interrupt_at: int | None = None, fail: int | None = None) -> None:
        self.interrupt_at, self.fail = interrupt_at, fail

    def __enter__(self) -> "FakeWorkers":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def run(self, jobs, settings, folder, on_result, on_status, on_tick) -> None:  # type: ignore[no-untyped-def]
        waiting, stopped = list(jobs), False
        while waiting:
            job = waiting.pop()  # results may come in any order
            if self.interrupt_at is not None and job.number >= self.interrupt_at:
                stopped = True
                continue
            on_tick()
            waiting += on_result(job, "it diverged" if job.number == self.fail else fake_result(job)) or ()
        if stopped:
            raise KeyboardInterrupt


def run(folder: Path, search: SearchSettings, monkeypatch: pytest.MonkeyPatch, **workers: int):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(search_module, "working", lambda *_: FakeWorkers(**workers))
    study = Study(folder, TINY, search)
    try:
        return Search(study, processes=3, stream=io.StringIO()).run()
    finally:
        study.close()
