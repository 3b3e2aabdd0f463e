"""Logs of trainings by name, as `--log` gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.listeners.listener import TrainingLog
from contract_wrapper.listeners.mlflow_log import MLflowLog
from contract_wrapper.listeners.tensorboard_log import TensorBoardLog
from contract_wrapper.listeners.wandb_log import WandbLog

LOGS: Mapping[str, Callable[[Path], TrainingLog]] = MappingProxyType(
    {
        "tensorboard": lambda folder: TensorBoardLog(folder=folder),
        "wandb": lambda folder: WandbLog(folder=folder),
        "mlflow": lambda folder: MLflowLog(folder=folder),
    }
)
"""From a folder to a log, by name."""


def named_log(text: str, default_folder: Path | str = "runs") -> TrainingLog:
    """Read `NAME` or `NAME:FOLDER`.

    >>> named_log("tensorboard:somewhere")
    TensorBoardLog(folder=PosixPath('somewhere'))

    Args:
        text: tensorboard, wandb or mlflow, and perhaps a folder.
        default_folder: where trainings are kept if no folder is named: each log in a folder of its name below it.

    Raises:
        ContractsError: there is no log of that name.
    """
    name, colon, folder = text.partition(":")
    if name not in LOGS or (colon and not folder):
        raise ContractsError(
            f"a log of trainings is {', '.join(LOGS)}, or one of them with a folder (tensorboard:FOLDER), got {shown(text)}"
        )
    return LOGS[name](Path(folder) if folder else Path(default_folder) / name)
