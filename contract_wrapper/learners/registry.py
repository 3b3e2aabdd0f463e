"""The learners that an evaluation may train: those of this package, and what users add.

A learner is chosen by the type of its settings, or by its name. It is added by `register_learner`, or by an installed
package with an entry point of the group `contract_wrapper.learners`, which is loaded when it is first asked for. Files
name a learner by its registered name alone: what a file says is never imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

from contract_wrapper.contracts.contract import as_int
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.learners.built_in import MTMFQ, PPO
from contract_wrapper.learners.learner import LearnedPolicy, Learner, LearnerConfig
from mtmfq.checkpoint import kind_of, plain
from mtmfq.interface import LearnerError

DEFAULT = "mtmfq"
"""Learner of whoever names none, and of files from before there was a choice."""

GROUP = "contract_wrapper.learners"
"""Group of entry points: `name = "package.module:learner"`."""

_BUILT_IN = (MTMFQ.name, PPO.name)
_LEARNERS: dict[str, Learner] = {learner.name: learner for learner in (MTMFQ, PPO)}
_BY_ENTRY_POINT: set[str] = set()

LEARNERS: Mapping[str, Learner] = MappingProxyType(_LEARNERS)
"""All learners that are known so far, by name; entry points that nobody asked for are not among them."""

_HOW = f"register_learner(...) makes one known, or an installed package with an entry point of the group {GROUP}"


def register_learner(learner: Learner) -> Learner:
    """Make a learner known to this process, under its name; registering the same object again changes nothing.

    Worker processes of studies import it by themselves, if it stands at the top level of a module that they can import
    (not in the main script, nor in a notebook). The command line knows learners of entry points alone.

    Returns:
        The learner itself.

    Raises:
        ContractsError: it is no `Learner`; its name, its settings or its kind of files are another learner's.
    """
    if not isinstance(learner, Learner):
        raise ContractsError(f"a learner to register must be a Learner(name=..., ...), got {shown(learner)}")
    known = _LEARNERS.get(learner.name)
    if known is learner:
        return learner
    if learner.name in _BUILT_IN:
        raise ContractsError(f"the learner {learner.name} is built in and cannot be replaced: choose another name")
    if known is not None:
        raise ContractsError(
            f"there is a learner {learner.name} already, with settings {known.config.__module__}."
            f"{known.config.__qualname__}: choose another name (after an edit, begin a new process)"
        )
    for other in _LEARNERS.values():
        if learner.kind == other.kind:
            raise ContractsError(
                f"the learner {learner.name} writes files of the kind {learner.kind!r}, as {other.name} does: choose another"
            )
        if issubclass(learner.config, other.config) or issubclass(other.config, learner.config):
            raise ContractsError(
                f"settings of the type {learner.config.__name__} choose the learner {other.name}: give {learner.name} a "
                "type of its own, which does not inherit from another learner's"
            )
    _LEARNERS[learner.name] = learner
    return learner


def get_learner(name: str) -> Learner:
    """Learner by name.

    Raises:
        ContractsError: there is none of this name, or its entry point cannot be loaded.
    """
    if isinstance(name, str) and name in _LEARNERS:
        return _LEARNERS[name]
    others = _entry_points()
    if isinstance(name, str) and name in others:
        return _load(others[name])
    raise ContractsError(f"there is no learner {shown(name)}: choose one of {', '.join([*_LEARNERS, *others])}; {_HOW}")


def learner_of(config: object) -> Learner:
    """Learner that some settings are for.

    Raises:
        ContractsError: they are no registered learner's, nor one's that an entry point brings.
    """
    found = _with_config(config)
    if found is not None:
        return found
    failures = _load_others()
    found = _with_config(config)
    if found is not None:
        return found
    types = " or ".join(learner.config.__name__ for learner in _LEARNERS.values())
    raise ContractsError(
        f"the settings of a learner must be of type {types}, got {shown(config)}; {'; '.join([*failures, _HOW])}"
    )


def check_config(config: Any) -> Learner:
    """Learner that some settings are for, after checking what an evaluation reads of them and writes into files.

    Raises:
        ContractsError: as `learner_of`; `episodes` or `n_games` is no whole number of at least 1, `observation` is no
            text, or `to_dict` gives something else than plain values, or an entry `name`.
    """
    learner = learner_of(config)
    if learner.name in _BUILT_IN:
        return learner
    for name in ("episodes", "n_games"):
        if (as_int(getattr(config, name)) or 0) < 1:
            raise ContractsError(
                f"{name} of {learner.config.__name__} must be a whole number of at least 1, got {shown(getattr(config, name))}"
            )
    if not isinstance(config.observation, str):
        raise ContractsError(
            f"observation of {learner.config.__name__} must be the name of one, such as 'features', "
            f"got {shown(config.observation)}"
        )
    said = config.to_dict()
    try:
        fits = isinstance(said, Mapping) and "name" not in said and plain(said) is not None
    except (TypeError, ValueError, RecursionError):
        fits = False
    if not fits:
        raise ContractsError(
            f"to_dict of {learner.config.__name__} must give plain values for JSON by name, none of them called 'name', "
            f"got {shown(said)}"
        )
    return learner


def config_to_dict(config: LearnerConfig) -> dict[str, Any]:
    """Settings of any learner as plain data; only those of another than the default name their learner."""
    name = learner_of(config).name
    return config.to_dict() if name == DEFAULT else {"name": name, **config.to_dict()}


def config_from_dict(data: Mapping[str, Any]) -> LearnerConfig:
    """Read what `config_to_dict` wrote.

    Raises:
        ContractsError: the learner is unknown, or does not take these settings. LearnerError: one of them is wrong.
    """
    values = dict(data)
    learner = get_learner(values.pop("name", DEFAULT))
    try:
        config = learner.config.from_dict(values)
    except (ContractsError, LearnerError):
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ContractsError(
            f"the learner {learner.name} does not take the settings {shown(values)}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(config, learner.config):
        raise ContractsError(f"from_dict of {learner.config.__name__} must give one, got {shown(config)}")
    made: LearnerConfig = config
    return made


def load_policy(path: Path, identity: Mapping[str, Any] | None = None) -> LearnedPolicy:
    """Read the policy file of any learner.

    path: for a file that an outcome names, made by `contract_wrapper.files.inside`. identity: what the policy must
    have been trained for, as its training got it; None: anything.

    Raises:
        LearnerError: it is missing, damaged, something else, or was trained for something else; no learner that is
            known, nor one of an entry point, reads files of its kind.
    """
    kind = kind_of(path)
    learner = _with_kind(kind)
    if learner is None and kind is not None:
        failures = _load_others()
        learner = _with_kind(kind)
        if learner is None:
            kinds = " and ".join(repr(learner.kind) for learner in _LEARNERS.values())
            raise LearnerError(
                f"{path} cannot be used: it is of kind {shown(kind)}, but learners here read {kinds}: give another path; "
                f"{'; '.join([*failures, _HOW])}"
            )
    return (learner or _LEARNERS[DEFAULT]).load(path, identity)


def is_of_entry_point(learner: Learner) -> bool:
    """Whether every process of this installation can load a learner by its name: it is built in or an entry point's."""
    return learner.name in _BUILT_IN or learner.name in _BY_ENTRY_POINT


def _with_config(config: object) -> Learner | None:
    return next((learner for learner in _LEARNERS.values() if isinstance(config, learner.config)), None)


def _with_kind(kind: str | None) -> Learner | None:
    return next((learner for learner in _LEARNERS.values() if learner.kind == kind), None)


def _entry_points() -> dict[str, EntryPoint]:
    """Entry points of learners that are not known yet, by name; nothing is loaded."""
    found = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    return {point.name: point for point in found if point.name not in _LEARNERS}


def _load(point: EntryPoint) -> Learner:
    """Load the learner of an entry point, and register it."""
    where = f"the learner {shown(point.name)} of the entry point {point.value}"
    if point.dist is not None:
        where += f" ({point.dist.name} {point.dist.version})"
    try:
        learner = point.load()
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise ContractsError(f"{where} cannot be loaded: {told}: repair or remove the package") from error
    if not isinstance(learner, Learner) or learner.name != point.name:
        raise ContractsError(
            f"{where} must be a Learner of the same name, got {shown(learner)}: ask the package's author"
        )
    register_learner(learner)
    _BY_ENTRY_POINT.add(learner.name)
    return learner


def _load_others() -> list[str]:
    """Load the learners of all entry points; why some of them could not be, one line each."""
    failures = []
    for point in _entry_points().values():
        try:
            _load(point)
        except ContractsError as error:
            failures.append(str(error))
    return failures
