"""The crews that know every contract, kept in a folder: each training is done once, also when several ask for it."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from contract_wrapper.contracts.families import TaxContracts
from contract_wrapper.errors import ContractsError, require_package
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.by_crews.world import world_of
from contract_wrapper.evaluation.crews import KIND, Crews, train_crews
from contract_wrapper.evaluation.judging.code_version import code_version
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import make_folder
from contract_wrapper.learners.registry import config_to_dict, learner_of
from mtmfq.checkpoint import open_arrays
from mtmfq.interface import LearnerError

if TYPE_CHECKING:
    from mtmfq.interface import TrainProgress

FOLDER = "crews"
"""Where crews lie, in the folder of the outcomes."""

CREWS_FILES = f"{FOLDER}/*.crews.npz"
"""Crews that are trained, as a glob pattern below the folder of the outcomes."""

_LOOK_AGAIN_SECONDS = 0.5
"""Pause of a process that waits for another one's training."""

log = logging.getLogger(__name__)


def settings_of_crews(settings: EvaluationSettings) -> CrewSettings:
    """Return how crews are trained.

    Raises:
        ContractsError: the settings name no crews.
    """
    if settings.crews is None:
        raise ContractsError("these settings train every contract from scratch: set crews=CrewSettings()")
    return settings.crews


def crews_file(folder: Path, settings: EvaluationSettings, training: int) -> Path:
    """File of the crews of one training, below the folder of the outcomes; it need not be there.

    Its name is a hash of everything that determines the training, its code included.
    """
    crews = settings_of_crews(settings)
    made_of = {
        **world_of(settings).plain(), "learner": config_to_dict(crews.learner),
        "seed": crews.seeds[training], "code": code_version(learner_of(crews.learner).name),
    }  # fmt: skip
    key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:24]
    return folder / FOLDER / f"{key}.crews.npz"


def missing_crews(folder: Path, settings: EvaluationSettings) -> list[int]:
    """Numbers of the trainings whose crews are not in a folder; empty if the settings name no crews."""
    trainings = range(0 if settings.crews is None else settings.crews.trainings)
    return [k for k in trainings if not crews_file(folder, settings, k).is_file()]


def read_crews(folder: Path, settings: EvaluationSettings) -> list[Crews]:
    """Read the crews of all trainings, without training any.

    Raises:
        ContractsError: some are missing, damaged or made for something else.
    """
    return [_read(crews_file(folder, settings, k), settings, k) for k in range(settings_of_crews(settings).trainings)]


def crews_seconds(folder: Path, settings: EvaluationSettings) -> dict[int, float]:
    """CPU time of the trainings whose crews are in a folder, by seed; files that cannot be read are left out."""
    found = {}
    for k, seed in enumerate(settings_of_crews(settings).seeds):
        path = crews_file(folder, settings, k)
        if path.is_file():
            with suppress(LearnerError, LookupError, TypeError, ValueError), open_arrays(path, KIND) as file:
                found[seed] = float(file.meta["cpu_seconds"])
    return found


def crews_in(
    folder: Path,
    settings: EvaluationSettings,
    *,
    on_progress: Callable[[TrainProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Crews] | None:
    """Return the crews of all trainings from a folder; what is missing is trained there, one after another.

    Returns:
        The crews, in the order of the trainings; None if a training was asked to stop.

    Raises:
        ContractsError, LearnerError: as `one_crews`.
    """
    found = []
    for k in range(settings_of_crews(settings).trainings):
        crews = one_crews(folder, settings, k, on_progress=on_progress, should_stop=should_stop)
        if crews is None:
            return None
        found.append(crews)
    return found


def one_crews(
    folder: Path,
    settings: EvaluationSettings,
    training: int,
    *,
    on_progress: Callable[[TrainProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Crews | None:
    """Return the crews of one training from a folder; trains them there if they are missing.

    A training that was stopped goes on from its checkpoint, bit for bit (PPO writes none, and begins anew). Where another process trains the same
    crews, this one waits for them. A file that is damaged, or holds other crews, is kept as `*.broken`.

    Returns:
        The crews; None if the training was asked to stop (while waiting, too).

    Raises:
        ContractsError: the folder cannot be used. LearnerError: the learner diverged, or its checkpoint is broken.
    """
    crews, path = settings_of_crews(settings), crews_file(folder, settings, training)
    make_folder(path.parent)
    with _alone(path, should_stop) as mine:
        if not mine:
            return None
        if path.exists():
            try:
                return _read(path, settings, training)
            except ContractsError as error:
                aside = path.with_name(f"{path.name}.broken")
                log.warning("%s is not used (%s): it is kept as %s, and trained again", path, error, aside.name)
                _move(path, aside)
        checkpoint = path.with_name(path.name.replace(".crews.", ".training."))
        world = world_of(settings)
        trained = train_crews(
            world.costs, world.sizes, crews.learner, crews.seeds[training], game=world.game, family=world.family,
            largest_crew=world.largest_crew, on_progress=on_progress, checkpoint=checkpoint, should_stop=should_stop,
        )  # fmt: skip
        if not trained.finished:
            return None
        trained.save(path)
        for file in (checkpoint, *path.parent.glob(f".{checkpoint.name}.*")):
            file.unlink(missing_ok=True)
        return trained


def _read(path: Path, settings: EvaluationSettings, training: int) -> Crews:
    """Read a file of crews, and make sure that it holds those that the settings ask for."""
    wanted, world = settings_of_crews(settings), world_of(settings)
    try:
        crews = Crews.load(path)
    except LearnerError as error:
        raise ContractsError(str(error)) from error
    for name, found, expected in (
        ("game", crews.game, world.game), ("costs", str(crews.costs), str(world.costs)),
        ("family", crews.family, TaxContracts() if world.family is None else world.family),
        ("sizes", crews.sizes, world.sizes), ("learner", crews.policy.config, wanted.learner),
        ("seed", crews.policy.identity.get("seed"), wanted.seeds[training]),
    ):  # fmt: skip
        if found != expected:
            raise ContractsError(f"{path} holds crews that were trained with another {name}")
    return crews


@contextmanager
def _alone(path: Path, should_stop: Callable[[], bool] | None) -> Iterator[bool]:
    """Let one process at a time train what a file is for; false if it was asked to stop while it waited."""
    require_package("filelock", "search", "training crews into a folder")
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        while True:
            try:
                lock.acquire(timeout=_LOOK_AGAIN_SECONDS)
                break
            except Timeout:
                if should_stop is not None and should_stop():
                    yield False
                    return
    except OSError as error:
        raise ContractsError(
            f"cannot write to the folder {path.parent}: {error.strerror or error}; choose another with --folder"
        ) from error
    try:
        yield True
    finally:
        lock.release()


def _move(path: Path, aside: Path) -> None:
    try:
        path.replace(aside)
    except OSError as error:
        raise ContractsError(
            f"cannot rename {path}: {error.strerror or error}; remove it or choose another folder"
        ) from error
