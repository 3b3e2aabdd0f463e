"""Trainings tell their listeners how they stand, and compute what they would have computed alone."""

import dataclasses
import io
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_crews import LEARNER

from cleanup_env import make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.crews import train_crews
from contract_wrapper.evaluation.deviators import train_deviator
from contract_wrapper.evaluation.evaluate import EvaluationStopped, evaluate
from contract_wrapper.evaluation.seeds import evaluate_seeds
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.listeners.listener import TrainingListener, TrainingRun, current_logs, log_trainings, plain_name
from contract_wrapper.listeners.named import named_log
from contract_wrapper.listeners.tensorboard_log import TensorBoardLog

TINY = {"episodes": 32, "n_games": 8, "batch_size": 64, "replay_capacity": 100}
SETTINGS = EvaluationSettings(
    game=make_config("contract", horizon=30), learner=get_mtmfq_profile("smoke", **TINY), episodes=4
)
CONTRACT = Contract(tax=0.3, n_cleaners=2)


@dataclass
class Heard:
    """What a listener was told of one training."""

    run: TrainingRun
    told: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)
    ends: list[bool] = field(default_factory=list)

    def on_progress(self, step: int, scalars: Mapping[str, float]) -> None:
        self.told.append((step, scalars))

    def on_end(self, finished: bool) -> None:
        self.ends.append(finished)


@dataclass
class Recorder:
    """Keeps everything."""

    heard: list[Heard] = field(default_factory=list)

    def begin(self, run: TrainingRun) -> TrainingListener:
        self.heard.append(Heard(run))
        return self.heard[-1]


def computed(outcome: Any) -> dict[str, Any]:
    """An outcome without the time that it took."""
    return {name: value for name, value in outcome.to_dict().items() if not name.endswith("_seconds")}


def test_a_training_computes_the_same_bits_with_a_listener_and_without(tmp_path: Path) -> None:
    recorder = Recorder()
    alone = evaluate(CONTRACT, SETTINGS, seed=1, folder=tmp_path / "alone")
    with log_trainings(recorder):
        heard = evaluate(CONTRACT, SETTINGS, seed=1, folder=tmp_path / "heard")
    assert computed(heard) == computed(alone)
    for name, array in np.load(tmp_path / "alone" / alone.policy, allow_pickle=False).items():
        np.testing.assert_array_equal(array, np.load(tmp_path / "heard" / heard.policy, allow_pickle=False)[name])
    assert len(recorder.heard) == 1


def test_a_listener_hears_the_numbers_of_the_curve_episode_by_episode() -> None:
    recorder = Recorder()
    with log_trainings(recorder):
        outcome = evaluate(CONTRACT, SETTINGS, seed=1)
    (heard,) = recorder.heard
    assert [step for step, _ in heard.told] == list(outcome.training_curve["episode"])
    for role in ("harvester", "cleaner"):
        assert [s[f"return/{role}"] for _, s in heard.told] == list(outcome.training_curve[role])
    assert all(s["return/all"] == pytest.approx(s["return/harvester"] + s["return/cleaner"]) for _, s in heard.told)
    assert all(math.isfinite(value) for _, s in heard.told for value in s.values())
    assert {"temperature", "updates", "cpu_seconds"} <= set(heard.told[0][1])
    assert heard.ends == [True]
    assert heard.run.name.startswith("tax0.3-cleaners2-seed1-")
    assert heard.run.settings["contract"] == CONTRACT.as_dict()
    assert heard.run.first_step == heard.told[0][0]


def test_outside_of_the_block_nobody_listens_and_blocks_nest() -> None:
    outer, inner = Recorder(), Recorder()
    with log_trainings(outer):
        with log_trainings(inner):
            assert current_logs() == (outer, inner)
        assert current_logs() == (outer,)
    assert current_logs() == ()


def test_crews_are_told_by_the_crew_size_whose_turn_it_is() -> None:
    recorder = Recorder()
    with log_trainings(recorder):
        crews = train_crews(sizes=(0, 2), config=LEARNER, seed=3)
    (heard,) = recorder.heard
    assert heard.run.name.startswith("crews-seed3-")
    turns = [next(name.split("/")[1] for name in s if name.endswith("/all")) for _, s in heard.told]
    assert turns == [("0_cleaners", "2_cleaners")[k % 2] for k in range(len(crews.curve.episode))]
    assert heard.told[1][1]["return/2_cleaners/cleaner"] == crews.curve.returns[1, 0]


@pytest.mark.parametrize("warm", [False, True])
def test_a_deviator_is_told_alone(warm: bool) -> None:
    recorder = Recorder()
    crews = train_crews(sizes=(0, 2), config=LEARNER, seed=3)
    with log_trainings(recorder):
        deviator = train_deviator(crews, "cleaner", warm=warm, config=LEARNER, seed=5)
    (heard,) = recorder.heard
    assert heard.run.name.startswith(f"cleaner-learned_{'on' if warm else 'anew'}-seed5-")
    assert deviator.curve is not None
    assert [s["return/cleaner"] for _, s in heard.told] == deviator.curve.returns[:, 0].tolist()
    assert heard.ends == [True]


def test_a_stopped_training_is_told_as_unfinished_and_goes_on_where_it_was(tmp_path: Path) -> None:
    recorder, calls = Recorder(), iter([False, True])
    with log_trainings(recorder):
        with pytest.raises(EvaluationStopped):
            evaluate(CONTRACT, SETTINGS, folder=tmp_path, should_stop=lambda: next(calls))
        evaluate(CONTRACT, SETTINGS, folder=tmp_path)
    first, second = recorder.heard
    assert (first.ends, second.ends) == ([False], [True])
    assert first.run.name == second.run.name
    assert second.run.first_step == first.told[-1][0] + SETTINGS.learner.n_games


def test_other_settings_or_another_seed_are_another_run() -> None:
    recorder = Recorder()
    other = dataclasses.replace(SETTINGS, learner=get_mtmfq_profile("smoke", **TINY, learning_rate=0.003))
    with log_trainings(recorder):
        for settings, seed in ((SETTINGS, 0), (SETTINGS, 1), (other, 0)):
            evaluate(Contract.none(), settings, seed=seed)
    names = [heard.run.name for heard in recorder.heard]
    assert len(set(names)) == 3
    assert [name.rpartition("-")[0] for name in names] == [
        "no-contract-seed0",
        "no-contract-seed1",
        "no-contract-seed0",
    ]


class Broken:
    """Fails wherever it is told to."""

    def __init__(self, where: str) -> None:
        self.where = where

    def begin(self, run: TrainingRun) -> TrainingListener:
        if self.where == "begin":
            raise OSError("no space")
        return self

    def on_progress(self, step: int, scalars: Mapping[str, float]) -> None:
        if self.where == "on_progress":
            raise OSError("no space")

    def on_end(self, finished: bool) -> None:
        if self.where == "on_end":
            raise OSError("no space")


@pytest.mark.parametrize("where", ["begin", "on_progress", "on_end"])
def test_a_listener_that_fails_is_one_warning_and_costs_no_training(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder()
    with log_trainings(Broken(where), recorder), caplog.at_level(logging.WARNING):
        outcome = evaluate(CONTRACT, SETTINGS, seed=1)
    assert outcome.episodes == 4
    assert [
        r.getMessage() for r in caplog.records if "goes on without Broken: OSError: no space" in r.getMessage()
    ] == [r.getMessage() for r in caplog.records]
    assert len(caplog.records) == 1
    assert len(recorder.heard[0].told) == len(outcome.training_curve["episode"])


def test_what_is_no_log_is_refused_at_once() -> None:
    with pytest.raises(ContractsError, match=r"method begin\(run\)"), log_trainings("tensorboard"):  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize("text", ["tensorflow", "tensorboard:", ""])
def test_a_log_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(ContractsError, match="tensorboard, wandb, mlflow"):
        named_log(text)


def test_a_log_without_a_folder_lies_below_the_one_of_the_command() -> None:
    assert named_log("tensorboard", Path("study")) == TensorBoardLog(folder=Path("study/tensorboard"))
    assert named_log("tensorboard:runs") == TensorBoardLog(folder=Path("runs"))


def test_names_of_runs_are_names_of_folders_everywhere() -> None:
    assert plain_name("learned on: 3/4 ü") == "learned_on__3_4__"


@pytest.mark.parametrize(
    ("name", "package"), [("tensorboard", "tensorboard"), ("wandb", "wandb"), ("mlflow", "mlflow")]
)
def test_a_missing_package_is_named_with_its_extra(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract_wrapper.errors.find_spec", lambda wanted: None if wanted == package else object())
    with (
        pytest.raises(ContractsError, match=rf'package {package}, .*pip install "cleanup-contracts\[{name}\]"'),
        log_trainings(named_log(f"{name}:{tmp_path}")),
    ):
        pass


def test_worker_processes_write_event_files_that_tensorboard_reads(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with log_trainings(TensorBoardLog(folder=tmp_path / "runs")):
        baselines, outcomes = evaluate_seeds(
            CONTRACT, SETTINGS, (4, 5), folder=tmp_path / "kept", processes=2, stream=io.StringIO()
        )
    runs = {path.name.rpartition("-")[0]: path for path in (tmp_path / "runs").iterdir()}
    told = {
        "tax0.3-cleaners2-seed4": outcomes[0],
        "tax0.3-cleaners2-seed5": outcomes[1],
        "no-contract-seed4": baselines[0],
    }
    assert set(told) <= set(runs)
    for name, outcome in told.items():
        events = EventAccumulator(str(runs[name]))
        events.Reload()
        curve = outcome.training_curve
        scalars = events.Scalars("return/harvester")
        assert [event.step for event in scalars] == list(curve["episode"])
        np.testing.assert_allclose(
            [event.value for event in scalars], curve["harvester"], rtol=1e-6
        )  # float32 in files
        assert {"return/all", "temperature", "updates", "cpu_seconds"} <= set(events.Tags()["scalars"])
        assert "settings/text_summary" in events.Tags()["tensors"]


def test_a_training_that_goes_on_voids_what_a_killed_one_wrote_after_its_checkpoint(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = TensorBoardLog(folder=tmp_path)
    for first, steps, value in ((8, (8, 16, 24), 1.0), (16, (16, 24, 32), 2.0)):
        listener = log.begin(TrainingRun(name="run", settings={}, first_step=first))
        for step in steps:
            listener.on_progress(step, {"loss": value})
        listener.on_end(True)
    events = EventAccumulator(str(tmp_path / "run"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(8, 1.0), (16, 2.0), (24, 2.0), (32, 2.0)]
