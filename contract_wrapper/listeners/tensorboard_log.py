"""Trainings as event files for TensorBoard, one folder each: `tensorboard --logdir FOLDER`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_wrapper.errors import ContractsError, require_package
from contract_wrapper.files import make_folder
from contract_wrapper.listeners.listener import TrainingRun

EXTRA = "tensorboard"
"""Extra of this package that brings what is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorBoardLog:
    """Writes each training into a folder of its own; nothing leaves the machine."""

    folder: Path | str
    """Where the folders of the trainings go."""

    def check(self) -> None:
        """Make sure that it can be used.

        Raises:
            ContractsError: tensorboard or torch is not installed, or the folder cannot be made.
        """
        require_package("torch", "agents", "TensorBoard's event files")
        require_package("tensorboard", EXTRA, "--log tensorboard")
        make_folder(Path(self.folder))

    def begin(self, run: TrainingRun) -> TensorBoardListener:
        """Open the event file of a training; what an older file of the same training says from here on is void."""
        self.check()
        return TensorBoardListener(Path(self.folder) / run.name, run)


class TensorBoardListener:
    """Writes the scalars of one training."""

    def __init__(self, folder: Path, run: TrainingRun) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ContractsError(
                f'--log tensorboard cannot load its package ({error}): pip install "cleanup-contracts[{EXTRA}]"'
            ) from error
        self._writer: Any = SummaryWriter(str(folder), purge_step=run.first_step, flush_secs=10)
        settings = json.dumps(run.settings, indent=2, sort_keys=True, default=str)
        self._writer.add_text("settings", "\n".join(f"    {line}" for line in settings.splitlines()), run.first_step)

    def on_progress(self, step: int, scalars: Mapping[str, float]) -> None:
        """Write the scalars."""
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, step)

    def on_end(self, finished: bool) -> None:
        """Close the file."""
        self._writer.close()
