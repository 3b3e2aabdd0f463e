"""Trainings as runs of Weights & Biases: kept on the disk, and sent only by those who ask for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_wrapper.errors import require_package
from contract_wrapper.files import make_folder
from contract_wrapper.listeners.listener import TrainingRun

EXTRA = "wandb"


@dataclass(frozen=True, slots=True, kw_only=True)
class WandbLog:
    """A run for each training. Runs are offline, unless the variable WANDB_MODE says otherwise: `wandb sync` sends them."""

    folder: Path | str
    """Where `wandb/` with the runs goes."""

    project: str = "cleanup-contracts"
    """Name of the project."""

    def check(self) -> None:
        """Make sure that it can be used.

        Raises:
            ContractsError: wandb is not installed, or the folder cannot be made.
        """
        require_package("wandb", EXTRA, "--log wandb")
        make_folder(Path(self.folder))

    def begin(self, run: TrainingRun) -> WandbListener:
        """Open the run of a training."""
        self.check()
        return WandbListener(self, run)


class WandbListener:
    """Logs the scalars of one training."""

    def __init__(self, log: WandbLog, run: TrainingRun) -> None:
        mode = os.environ.get("WANDB_MODE", "offline")
        if mode != "online":
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # of crashes, which it would send to its makers
        import wandb

        self._run: Any = wandb.init(
            project=log.project, name=run.name, config=dict(run.settings), dir=str(log.folder), mode=mode,
            reinit="create_new", settings=wandb.Settings(silent=True, console="off"),
        )  # fmt: skip

    def on_progress(self, step: int, scalars: Mapping[str, float]) -> None:
        """Log the scalars."""
        self._run.log(dict(scalars), step=step)

    def on_end(self, finished: bool) -> None:
        """End the run, as failed if the training was not finished."""
        self._run.finish(exit_code=0 if finished else 1)
