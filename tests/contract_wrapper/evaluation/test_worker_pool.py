"""Workers: what is whose fault, and that it is told apart."""

import dataclasses
import io
import pickle
import threading
from concurrent.futures import Future

import pytest

from cleanup_env import make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.payment_rules import RewardSharing
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation import worker_pool as workers
from contract_wrapper.evaluation.evaluate import EvaluationStopped
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.worker_pool import Job, _result, _work
from contract_wrapper.evaluation.workers import EvaluationFailed
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.progress import Progress, duration
from mtmfq.interface import LearnerError

JOB = Job(number=1, contract=Contract.none(), seed=0)


def work_that_raises(error: Exception, cause: Exception | None, monkeypatch: pytest.MonkeyPatch) -> BaseException:
    """What leaves a worker in which `evaluate` raised an error, after its trip to the parent."""

    def evaluate(*_: object, **__: object) -> None:
        raise error from cause

    monkeypatch.setattr(workers, "evaluate", evaluate)
    monkeypatch.setattr(workers, "_stop", threading.Event())
    with pytest.raises(Exception) as caught:  # noqa: PT011
        _work(EvaluationSettings(), JOB, None)
    return pickle.loads(pickle.dumps(caught.value))


def test_what_a_contract_is_judged_against_is_a_game_in_which_nobody_is_paid() -> None:
    settings = EvaluationSettings(
        game=make_config("contract", horizon=40), learner=get_mtmfq_profile("smoke", episodes=4, n_games=4), episodes=4
    )
    shared = dataclasses.replace(settings, payment=lambda _: RewardSharing(share=0.5))
    without = Job(number=0, contract=Contract.none(), seed=0).do(settings, None, None, None)
    baseline = Job(number=0, contract=Contract.none(), seed=0, unpaid=True).do(shared, None, None, None)
    sharing = Job(number=0, contract=Contract.none(), seed=0).do(shared, None, None, None)
    assert baseline.utilities == without.utilities
    assert sharing.utilities != without.utilities  # harvesters share among themselves, without a crew


def test_a_full_disk_ends_the_search_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    error = work_that_raises(LearnerError("cannot write x\nsecond line"), OSError(28, "No space left"), monkeypatch)
    assert type(error) is ContractsError
    assert str(error) == "cannot write x"


def test_a_diverged_learner_is_a_failed_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    error = work_that_raises(LearnerError("the learner diverged"), None, monkeypatch)
    assert type(error) is EvaluationFailed
    assert future_of(error) == "LearnerError: the learner diverged"


def test_a_fault_of_our_own_is_a_failed_evaluation_too(monkeypatch: pytest.MonkeyPatch) -> None:
    error = work_that_raises(ZeroDivisionError("division by zero"), None, monkeypatch)
    assert future_of(error) == "ZeroDivisionError: division by zero"


def test_a_stopped_training_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        future_of(work_that_raises(EvaluationStopped("stopped"), None, monkeypatch))


def future_of(error: BaseException) -> object:
    future: Future[object] = Future()
    future.set_exception(error)
    return _result(future)  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (75, "1:15"), (3600, "1:00:00"), (-3, "0:00")])
def test_durations_read_as_a_clock(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_log_gets_plain_lines_and_not_too_many() -> None:
    stream = io.StringIO()
    progress = Progress(stream, every=1000.0)
    progress.show(["a", "b"])
    progress.show(["c", "d"])
    progress.say("done")
    assert stream.getvalue() == "a\nb\ndone\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_the_lines_redrawn_below_what_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    progress = Progress(stream)
    progress.show(["one", "two"])
    progress.say("stays")
    assert stream.getvalue() == "one\ntwo\n\x1b[2F\x1b[Jstays\n"
