"""A learner of a user goes the whole way: settings, cache, checkpoints, worker processes, deviations, the command."""

import dataclasses
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import lucky_learner
import pytest
from lucky_learner import LUCKY, LuckyConfig, LuckyPolicy, LuckyTraining

from cleanup_env import make_config
from contract_wrapper import Contract, EvaluationSettings, best_response, evaluate, register_learner
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.deviations import deviate
from contract_wrapper.evaluation.evaluate import EvaluationStopped, contracted_game
from contract_wrapper.evaluation.judging.code_version import versions
from contract_wrapper.evaluation.seeds import evaluate_seeds
from contract_wrapper.evaluation.worker_pool import working
from contract_wrapper.learners import registry
from contract_wrapper.learners.learner import Learner
from contract_wrapper.learners.registry import load_policy
from contract_wrapper.playback.recording import record_episode
from mtmfq import Curve

CREW = Contract(tax=0.25, n_cleaners=2)
GAME = make_config("contract", horizon=20)


@pytest.fixture
def lucky() -> EvaluationSettings:
    register_learner(LUCKY)
    return EvaluationSettings(game=GAME, learner=LuckyConfig(), episodes=4)


def test_an_evaluation_trains_measures_keeps_and_repeats(lucky: EvaluationSettings, tmp_path: Path) -> None:
    first = evaluate(CREW, lucky, 3, folder=tmp_path)
    assert evaluate(CREW, lucky, 3, folder=tmp_path) == first  # equal to the CPU seconds: read, not trained
    assert evaluate(CREW, lucky, 3).utilities == first.utilities
    assert first.training_curve["episode"] == (2, 4)
    policy = load_policy(tmp_path / first.policy, lucky.identity(CREW, 3))
    assert isinstance(policy, LuckyPolicy)
    assert EvaluationSettings.from_dict(lucky.to_dict()) == lucky
    assert record_episode(CREW, lucky, tmp_path / first.policy, steps=3).caption(3)


def test_the_cache_key_knows_the_learner_and_its_settings(lucky: EvaluationSettings) -> None:
    others = (LuckyConfig(luck=2.0), EvaluationSettings().learner)
    keys = {lucky.key(CREW, 0), *(dataclasses.replace(lucky, learner=o).key(CREW, 0) for o in others)}
    assert len(keys) == 3


def test_a_stopped_evaluation_goes_on_from_the_learners_own_checkpoint(
    lucky: EvaluationSettings, tmp_path: Path
) -> None:
    asked = iter([False, True])
    with pytest.raises(EvaluationStopped):
        evaluate(CREW, lucky, 0, folder=tmp_path, should_stop=lambda: next(asked))
    assert [path.name for path in tmp_path.iterdir()] == [f"{lucky.key(CREW, 0)}.training.npz"]
    told: list[int] = []
    outcome = evaluate(CREW, lucky, 0, folder=tmp_path, on_progress=lambda p: told.append(p.episode))
    assert told == [4]  # not from the beginning
    assert outcome.utilities == evaluate(CREW, lucky, 0).utilities
    assert not list(tmp_path.glob("*.training.npz"))


def result(policy: Any = None, returns: int = 2, **changes: Any) -> Any:
    import numpy as np

    nan = np.full(1, np.nan)
    curve = Curve(episode=np.array([1]), returns=np.zeros((1, returns)), temperature=nan, loss=nan)
    return LuckyTraining(**{"policy": policy, "curve": curve, "finished": True, **changes})


class Settled:
    config = LuckyConfig()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            None,
            "train of the learner lucky must return a result with policy, curve and finished, but None lacks policy",
        ),
        (result(5), r"must keep the settings of its training as config .LuckyConfig., got None"),
        (
            result(Settled(), returns=3),
            r"must have episode \(E,\) and returns \(E, 2\), got shapes \(1,\) and \(1, 3\)",
        ),
        (result(Settled(), curve=None), r"got shapes \(0,\) and \(0,\)"),
    ],
)
def test_a_training_that_gives_something_else_is_named(given: Any, words: str) -> None:
    register_learner(dataclasses.replace(LUCKY, train=lambda *arguments, **others: given))
    with pytest.raises(ContractsError, match=words):
        evaluate(CREW, EvaluationSettings(game=GAME, learner=LuckyConfig(), episodes=4))


def test_an_episode_that_is_not_told_step_by_step_is_no_outcome() -> None:
    register_learner(dataclasses.replace(LUCKY, play=lambda game, policy, seed, on_step: None))
    with pytest.raises(
        ContractsError, match=r"on_step\(t, actions, rewards\) after each of the 20 steps .* did 0 times"
    ):
        evaluate(CREW, EvaluationSettings(game=GAME, learner=LuckyConfig(), episodes=4))


def notebook_learner() -> Learner:
    scope: dict[str, Any] = {"LuckyConfig": LuckyConfig}
    exec(compile("def profile(name, **changes):\n    return LuckyConfig(**changes)\n", "<cell 3>", "exec"), scope)
    return dataclasses.replace(LUCKY, profile=scope["profile"])


def test_a_learner_of_a_notebook_is_evaluated_without_a_folder_alone(tmp_path: Path) -> None:
    register_learner(notebook_learner())
    settings = EvaluationSettings(game=GAME, learner=LuckyConfig(), episodes=4)
    assert evaluate(CREW, settings).versions["code"] == "unknown"
    with pytest.raises(ContractsError, match="put it into a module, or evaluate without a folder"):
        evaluate(CREW, settings, folder=tmp_path)
    assert versions()["code"] != "unknown"


def test_an_agent_deviates_from_agents_of_this_learner_and_learns_to(lucky: EvaluationSettings, tmp_path: Path) -> None:
    policy = load_policy(tmp_path / evaluate(CREW, lucky, 0, folder=tmp_path).policy)
    found = best_response(CREW, lucky, policy, "cleaner_1", seed=2)
    assert found.before.mean == pytest.approx(found.after.mean - found.gain.mean)
    assert found.agent == "cleaner_1"
    assert deviate(contracted_game(CREW, lucky, 3), policy, "cleaner", "never work", 0).shape == (3,)
    with pytest.raises(ContractsError, match="policy must be a policy of mtmfq, as the settings are"):
        best_response(CREW, dataclasses.replace(lucky, learner=EvaluationSettings().learner), policy, "cleaner_1")


def test_crews_are_not_trained_by_it(lucky: EvaluationSettings) -> None:
    from contract_wrapper import CrewSettings

    with pytest.raises(ContractsError, match=r"trained by mtmfq or ppo: .* got LuckyConfig"):
        CrewSettings(learner=lucky.learner)  # type: ignore[arg-type]
    with pytest.raises(ContractsError, match="agents are trained by lucky, but the crews by mtmfq"):
        dataclasses.replace(lucky, crews=CrewSettings())


# ---- worker processes


def test_worker_processes_import_a_learner_that_a_call_registered(lucky: EvaluationSettings, tmp_path: Path) -> None:
    stream = io.StringIO()
    baselines, outcomes = evaluate_seeds(CREW, lucky, (0,), folder=tmp_path, processes=1, stream=stream)
    assert outcomes[0].utilities == evaluate(CREW, lucky, 0).utilities
    assert baselines[0].contract.is_none
    assert evaluate(CREW, lucky, 0, folder=tmp_path) == outcomes[0]  # both processes give it the same key


def run_nothing(settings: EvaluationSettings) -> None:
    with working(1) as workers:
        workers.run([], settings, None, lambda *_: None, lambda _: None, lambda: None)


def test_a_learner_that_workers_cannot_import_is_refused_before_any_work() -> None:
    register_learner(dataclasses.replace(LUCKY))  # at the top level of no module
    with pytest.raises(ContractsError, match="at the top level of a module of its own"):
        run_nothing(EvaluationSettings(game=GAME, learner=LuckyConfig()))
    run_nothing(EvaluationSettings(game=GAME))  # whoever learns otherwise is not disturbed


def test_a_module_that_workers_do_not_find_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    here = types.ModuleType("only_here")
    here.mine = dataclasses.replace(LUCKY)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "only_here", here)
    register_learner(here.mine)
    with pytest.raises(
        ContractsError, match=r"a worker process cannot import the learner only_here\.mine: ModuleNotFound"
    ):
        run_nothing(EvaluationSettings(game=GAME, learner=LuckyConfig()))


def test_the_command_takes_the_learner_of_an_installed_package(tmp_path: Path) -> None:
    info = tmp_path / "lucky_package-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lucky-package\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text("[contract_wrapper.learners]\nlucky = lucky_learner:LUCKY\n")
    root = Path(registry.__file__).parents[2]
    homes = [tmp_path, Path(lucky_learner.__file__).parent, root, root / "agents"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, homes))}
    words = ["evaluate", "--tax", "0.3", "--cleaners", "2", "--learner", "lucky", "--episodes", "2", "--processes", "1"]
    ran = subprocess.run(
        [sys.executable, "-m", "contract_wrapper", *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "accepted by" in ran.stdout or "refused by" in ran.stdout or "undecided" in ran.stdout
