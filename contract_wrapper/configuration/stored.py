"""The configuration of a result, read from where it is stored: a study, a landscape, or outcomes of evaluations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_wrapper.command_runs import read_runs, told
from contract_wrapper.configuration.keys import is_shared, keys_of, roots
from contract_wrapper.configuration.resolve import Resolver
from contract_wrapper.configuration.sources import from_table
from contract_wrapper.configuration.tree import Tree, tree_of
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.judging.chosen_problem import ChosenProblem
from contract_wrapper.evaluation.outcome_files import KIND as OUTCOME
from contract_wrapper.evaluation.outcome_files import read_settings
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import MOST_JSON_BYTES, read_sealed
from contract_wrapper.landscapes.building.commands_file import KIND as KIND_OF_COMMANDS
from contract_wrapper.landscapes.building.commands_file import NAME as COMMANDS
from contract_wrapper.landscapes.building.commands_file import told_commands
from contract_wrapper.landscapes.building.landscape_folder import KIND as LANDSCAPE
from contract_wrapper.landscapes.building.landscape_folder import SETTINGS, TABLE
from contract_wrapper.landscapes.building.landscape_settings import OF_DESIGNS, LandscapeSettings
from contract_wrapper.landscapes.designs.read import read_landscape
from contract_wrapper.problems.cleanup import cleanup_from
from contract_wrapper.studies.record import StudyRecord
from contract_wrapper.studies.running.stored import Configuration
from contract_wrapper.studies.sharing.place import DATABASE, place_of
from contract_wrapper.studies.study import read_study

RUN = "run.json"
"""File of a study that says its configuration."""

MOST_FILES = 100_000
"""Outcomes of one folder that are looked through."""

MOST_NAMED = 5
"""Files that one error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The configuration of a result, and where it was found."""

    kind: str
    """Of the result: "study", "landscape" or "evaluation"."""

    source: Path | str
    """File that was read, or the database and the study's name there."""

    tree: Tree
    """Settings by the names of their keys."""

    versions: Mapping[str, str]
    """Versions of code and packages that made it, as far as they are known."""

    made_by: tuple[str, ...] = ()
    """Lines that say by which commands it was made; none of an evaluation, which keeps none."""


def read_stored(path: Path, *, storage: str | None = None, study: str | None = None) -> Stored:
    """Read the configuration of a study, of a landscape, or of the outcomes in a folder, or of one file of them.

    Args:
        path: the folder or file; with `storage`, the folder of the study, which need not be there.
        storage: URL of the database in which a study is; None: it is in the folder.
        study: its name in that database; None: that of the folder.

    Raises:
        ContractsError: there is none, it is damaged, or the folder has outcomes of several.
    """
    if storage is not None:
        return _of_record(read_study(path, storage=storage, study=study), str(place_of(path, storage, study)))
    if path.is_dir():
        if (path / RUN).is_file():
            return _study(path / RUN)
        if (path / DATABASE).is_file():
            return _of_record(read_study(path), path / DATABASE)
        for name in (TABLE, SETTINGS):
            if (path / name).is_file():
                return read_stored(path / name)
        return _outcomes(path)
    if path.suffix == ".npz":
        about = read_landscape(path).about
        return _landscape(about, path, told_commands(about))
    kind = _kind(path)
    if kind == OUTCOME:
        settings, outcome = read_settings(path)
        return Stored(kind="evaluation", source=path, tree=tree_of(settings), versions=outcome.versions)
    if kind == LANDSCAPE:
        about = read_sealed(path, LANDSCAPE)
        said = path.with_name(COMMANDS)  # the settings of a landscape that is not finished
        runs = read_runs(read_sealed(said, KIND_OF_COMMANDS).get("commands")) if said.is_file() else ()
        return _landscape(about, path, told(runs))
    return _study(path)


def _of_record(record: StudyRecord, source: Path | str) -> Stored:
    """The configuration of a study as its database has it, which knows no versions of packages."""
    tree, made_by = tree_of(record.settings, record.search), tuple(told(record.commands))
    return Stored(kind="study", source=source, tree=tree, versions={}, made_by=made_by)


def _landscape(about: Mapping[str, Any], path: Path, made_by: list[str]) -> Stored:
    tree = landscape_tree(about, path)
    return Stored(kind="landscape", source=path, tree=tree, versions=_versions(about), made_by=tuple(made_by))


def landscape_tree(about: Mapping[str, Any], path: Path) -> Tree:
    """The configuration of a landscape, from what it says of its making.

    Raises:
        ContractsError: it does not say all of it.
    """
    keys = keys_of(LandscapeSettings)
    problem = cleanup_from(about["problem"]) if "problem" in about else None
    if problem is not None:
        own = {**tree_of(LandscapeSettings())["landscape"], **tree_of(problem)}
        said = {name: value for name, value in about.items() if name != "sizes" or any(value)}  # 0: nobody is recruited
        about = {**own, **said}
    needed = [name for name in keys if name in about or name not in OF_DESIGNS]
    lacking = [name for name in needed if name not in about]
    if lacking:
        raise ContractsError(
            f"{path} does not say the whole configuration of its landscape: {', '.join(lacking)} is missing"
        )
    top = {name: about[name] for name in needed if is_shared(keys[name])}
    if problem is not None:
        top |= {name: about[name] for name in keys_of(ChosenProblem)}
    table = {**top, "landscape": {name: about[name] for name in needed if name not in top}}
    resolver = Resolver(assignments=tuple(from_table(table, str(path))), payment=lambda _: None)
    resolver.check("landscape")
    found = tree_of(resolver.landscape(), without=set(roots()) - set(table))
    return found if problem is None else {**found, **tree_of(problem)}


def _study(path: Path) -> Stored:
    data = _json(path)
    configuration = data.get("configuration") if isinstance(data, Mapping) else None
    if not isinstance(configuration, Mapping):
        raise ContractsError(
            f"{path} holds no configuration: give the folder of a study, of a landscape or of outcomes"
        )
    try:
        found = Configuration.from_dict(configuration)
    except (LookupError, TypeError, AttributeError) as error:
        raise ContractsError(f"the configuration in {path} is damaged: {error!r:.80}") from error
    tree = tree_of(found.evaluation, found.search)
    made_by = told(read_runs(data.get("commands", ())))
    return Stored(kind="study", source=path, tree=tree, versions=_versions(data), made_by=tuple(made_by))


def _outcomes(folder: Path) -> Stored:
    """The one configuration of the outcomes in a folder; the game without a contract knows no crews."""
    files = sorted(path for path in folder.glob("*.json") if path.is_file())[:MOST_FILES]
    found: dict[str, dict[str, tuple[Path, EvaluationSettings, Mapping[str, str]]]] = {}
    unread: ContractsError | None = None
    for path in files:
        if _kind(path) == OUTCOME:
            try:
                settings, outcome = read_settings(path)
            except ContractsError as error:  # of an older version, perhaps; others may say it
                unread = unread or error
                continue
            alike = found.setdefault(settings.from_scratch().fingerprint(), {})
            alike.setdefault(
                "" if settings.crews is None else settings.fingerprint(), (path, settings, outcome.versions)
            )
    each = [one for alike in found.values() for name, one in alike.items() if name or len(alike) == 1]
    if not each:
        raise unread or ContractsError(
            f"there is no study, no landscape and no outcome in {folder}: give the folder that a command printed or was given"
        )
    if len(each) > 1:
        names = ", ".join(path.name for path, _, _ in each[:MOST_NAMED]) + (", ..." if len(each) > MOST_NAMED else "")
        raise ContractsError(f"{folder} has outcomes of {len(each)} configurations: name one of its files ({names})")
    path, settings, versions = each[0]
    return Stored(kind="evaluation", source=path, tree=tree_of(settings), versions=versions)


def _kind(path: Path) -> object:
    """What a file says that it is."""
    data = _json(path)
    return data.get("kind") if isinstance(data, Mapping) else None


def _json(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            text = file.read(MOST_JSON_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ContractsError(f"cannot read {path}: {why}") from error
    try:
        if len(text) > MOST_JSON_BYTES:
            raise ValueError("too large")
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ContractsError(f"{path} is no file of a study, a landscape or an outcome: {shown(str(error))}") from error


def _versions(data: Mapping[str, Any]) -> dict[str, str]:
    said = data.get("versions")
    known = said if isinstance(said, Mapping) else {"code": data.get("code")}
    return {str(name): version for name, version in known.items() if isinstance(version, str)}
