"""What a node of a cluster does: look whether it can work, and do a task. It runs there, in a process of Ray's."""

from __future__ import annotations

import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from contract_wrapper.engines.carried_files import Carried, Files, came_about, unpacked
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.judging.code_version import versions
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.workers import Task, result_in_this_process
from contract_wrapper.learners.origin import Place, import_learner
from contract_wrapper.listeners.listener import TrainingLog, set_logs

TELL_SECONDS = 0.5
"""A training tells at most so often how far it is."""

Told = tuple[int, int, int, float]
"""How far a training is: number of its task, episode, of how many, utility per episode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a node has to know besides the task."""

    learner: str
    """Name of the learner of the settings."""

    code: str
    """Hash of the code that sends the task (`code_version`)."""

    places: tuple[Place, ...] = ()
    """Learners to import."""

    logs: tuple[TrainingLog, ...] = ()
    """What trainings are told to."""

    mark: Path | None = None
    """File in the folder that all nodes share; None: they do not share it, or there is none."""

    files: Files | None = None
    """What the task builds on, where nodes do not share the folder; what comes about then travels back."""


def look(errand: Errand) -> tuple[bool, str]:
    """Say whether this node sees the mark, and why it cannot work; empty if it can."""
    try:
        _make_ready(errand)
    except ContractsError as error:
        return False, str(error)
    return errand.mark is not None and errand.mark.is_file(), ""


def do_on_node(
    task: Task, settings: EvaluationSettings, folder: Path | None, errand: Errand, tell: Callable[[Told], object]
) -> Any:
    """Do a task on this node.

    Returns:
        Its result; with `errand.files` together with the files that came about (`Carried`).

    Raises:
        ContractsError: this node has other code, does not see the folder, or its disk cannot be used.
        EvaluationStopped, EvaluationFailed: as `workers.result_in_this_process`.
    """
    _make_ready(errand)
    set_logs(errand.logs)
    with _stopped_by_interrupts() as should_stop:
        if errand.files is None:
            if errand.mark is not None and not errand.mark.is_file():
                raise ContractsError(
                    f"{socket.gethostname()} does not see the folder {folder}, as the nodes did that were there in the "
                    "beginning: mount it there, or choose a --folder that no node sees, so that files travel"
                )
            return result_in_this_process(task, settings, folder, _teller(task, tell), should_stop)
        with unpacked(errand.files) as scratch:
            result = result_in_this_process(task, settings, scratch, _teller(task, tell), should_stop)
            return Carried(result=result, files=came_about(scratch, errand.files))


def _make_ready(errand: Errand) -> None:
    """Import what the task needs, and refuse code that would make other results.

    Raises:
        ContractsError: the code is another one, or a learner cannot be imported.
    """
    logging.getLogger("cleanup_env").setLevel(logging.ERROR)
    for place in errand.places:
        why = import_learner(place)
        if why is not None and place[1]:
            raise ContractsError(f"on {socket.gethostname()} {why}")
    mine = versions(errand.learner)["code"]
    if mine != errand.code:
        raise ContractsError(
            f"{socket.gethostname()} has another version of this program (code {mine}, here {errand.code}): install the "
            "same one on all nodes of the cluster"
        )


def _teller(task: Task, tell: Callable[[Told], object]) -> Callable[[Any], None]:
    """Tell how far a training is, now and then."""
    last = -TELL_SECONDS

    def on_progress(p: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= TELL_SECONDS or p.episode >= p.episodes:
            last = now
            tell((task.number, p.episode, p.episodes, p.total))

    return on_progress


@contextmanager
def _stopped_by_interrupts() -> Iterator[Callable[[], bool]]:
    """Take Ray's cancelling of a task, which interrupts the main thread, as the wish that it stops with a checkpoint."""
    asked = False

    def ask(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
