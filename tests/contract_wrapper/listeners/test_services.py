"""Weights & Biases and MLflow themselves, offline, where they are installed; their parts of the interface with stand-ins."""

import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from process_table import environment

from contract_wrapper.listeners.listener import TrainingRun
from contract_wrapper.listeners.wandb_log import WandbLog

RUN = TrainingRun(name="tax0.3-cleaners2-seed4-abcdef", settings={"seed": 4}, first_step=8)

TRAIN = """
import io, sys
from pathlib import Path
from cleanup_env import make_config
from contract_wrapper import Contract, EvaluationSettings, get_mtmfq_profile, log_trainings, named_log
from contract_wrapper.evaluation.seeds import evaluate_seeds
learner = get_mtmfq_profile("smoke", episodes=32, n_games=8, batch_size=64, replay_capacity=100)
settings = EvaluationSettings(game=make_config("contract", horizon=30), learner=learner, episodes=4)
if __name__ == "__main__":
    with log_trainings(named_log(sys.argv[1], "runs")):
        evaluate_seeds(Contract(tax=0.3, n_cleaners=2), settings, (4, 5), folder=Path("kept"), processes=2, stream=io.StringIO())
"""


def train(name: str, folder: Path) -> None:
    """Train two seeds and the baseline in worker processes, told to a service, without a network."""
    (folder / "train.py").write_text(textwrap.dedent(TRAIN))
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    plain = {k: v for k, v in environment().items() if not k.startswith(("WANDB_", "MLFLOW_"))}
    result = subprocess.run(
        [sys.executable, "train.py", name], cwd=folder, env={**plain, **nowhere}, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "goes on without" not in result.stderr, result.stderr


def test_wandb_keeps_a_run_per_training_and_sends_nothing(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    train("wandb", tmp_path)
    runs = sorted((tmp_path / "runs" / "wandb" / "wandb").glob("offline-run-*"))
    assert len(runs) == 4
    kept = b"".join(file.read_bytes() for run in runs for file in run.glob("*.wandb"))
    for word in (b"tax0.3-cleaners2-seed4-", b"tax0.3-cleaners2-seed5-", b"no-contract-seed4-", b"return/harvester"):
        assert word in kept


def test_mlflow_keeps_a_run_per_training_in_a_file_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    train("mlflow", tmp_path)
    with sqlite3.connect(tmp_path / "runs" / "mlflow" / "mlflow.db") as database:
        names = [
            name.rpartition("-")[0] for (name,) in database.execute("select name from runs where status='FINISHED'")
        ]
        steps = database.execute(
            "select distinct step from metrics where key='return/harvester' order by step"
        ).fetchall()
    assert sorted(names) == [
        "no-contract-seed4",
        "no-contract-seed5",
        "tax0.3-cleaners2-seed4",
        "tax0.3-cleaners2-seed5",
    ]
    assert steps == [(8,), (16,), (24,), (32,)]


class StandIn:
    """A run of wandb that writes down what it is given."""

    def __init__(self, **how: Any) -> None:
        self.how, self.logged, self.ended = how, [], []

    def log(self, scalars: Any, step: int) -> None:
        self.logged.append((step, scalars))

    def finish(self, exit_code: int) -> None:
        self.ended.append(exit_code)


@pytest.mark.parametrize(("variable", "mode"), [(None, "offline"), ("online", "online"), ("disabled", "disabled")])
def test_wandb_is_offline_unless_the_environment_says_otherwise(
    variable: str | None, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[StandIn] = []
    module = ModuleType("wandb")
    module.init = lambda **how: runs.append(StandIn(**how)) or runs[-1]  # type: ignore[attr-defined,func-returns-value]
    module.Settings = SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.setattr("contract_wrapper.errors.find_spec", lambda _: object())
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_ERROR_REPORTING", raising=False)
    if variable is not None:
        monkeypatch.setenv("WANDB_MODE", variable)
    listener = WandbLog(folder=tmp_path).begin(RUN)
    listener.on_progress(8, {"loss": 1.0})
    listener.on_end(False)
    (run,) = runs
    assert (run.how["mode"], run.how["name"], run.how["config"]) == (mode, RUN.name, {"seed": 4})
    assert (run.logged, run.ended) == ([(8, {"loss": 1.0})], [1])
    assert os.environ.get("WANDB_ERROR_REPORTING") == (None if mode == "online" else "false")
