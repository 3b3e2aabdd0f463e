"""Trainings as runs of MLflow: in a folder, or where MLFLOW_TRACKING_URI says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_wrapper.errors import ContractsError, require_package
from contract_wrapper.files import make_folder
from contract_wrapper.listeners.listener import TrainingRun

EXTRA = "mlflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class MLflowLog:
    """A run for each training, in one experiment."""

    folder: Path | str
    """Where the database `mlflow.db` goes, unless the variable MLFLOW_TRACKING_URI names another place."""

    experiment: str = "cleanup-contracts"
    """Name of the experiment."""

    def check(self) -> None:
        """Make sure that it can be used: the experiment is made here, once, before worker processes look for it.

        Raises:
            ContractsError: mlflow is not installed, or its store cannot be used.
        """
        require_package("mlflow", EXTRA, "--log mlflow")
        make_folder(Path(self.folder))
        self.experiment_id()

    @property
    def uri(self) -> str:
        """Where the runs are kept."""
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path(self.folder).resolve() / 'mlflow.db'}"

    def client(self) -> Any:
        """Return MLflow's client for `uri`."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it would tell its makers what is used
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri)

    def experiment_id(self) -> str:
        """Return the number of the experiment, which is made if it is not there."""
        try:
            client = self.client()
            known = client.get_experiment_by_name(self.experiment)
            return str(known.experiment_id if known is not None else client.create_experiment(self.experiment))
        except ContractsError:
            raise
        except Exception as error:
            raise ContractsError(
                f"--log mlflow cannot use {self.uri} ({type(error).__name__}: {error}): name another place by "
                "MLFLOW_TRACKING_URI, or leave out --log mlflow"
            ) from error

    def begin(self, run: TrainingRun) -> MLflowListener:
        """Open the run of a training."""
        return MLflowListener(self, run)


class MLflowListener:
    """Logs the scalars of one training."""

    def __init__(self, log: MLflowLog, run: TrainingRun) -> None:
        self._client = log.client()
        self._id = self._client.create_run(log.experiment_id(), run_name=run.name).info.run_id
        self._client.log_dict(self._id, dict(run.settings), "settings.json")

    def on_progress(self, step: int, scalars: Mapping[str, float]) -> None:
        """Log the scalars."""
        import time

        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self._id, metrics=[Metric(name, value, now, step) for name, value in scalars.items()])

    def on_end(self, finished: bool) -> None:
        """End the run."""
        self._client.set_terminated(self._id, "FINISHED" if finished else "KILLED")
