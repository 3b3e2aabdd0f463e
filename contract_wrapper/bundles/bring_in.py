"""Check a bundle that somebody sent, and make a folder of it that `report`, `show` and `play` read.

A study's database is built here from plain values; no database of the bundle is opened, for it has none. What is written
is what was read and checked, or is computed from it. Everything is made beside its place and moved there once it is
whole: a bundle that is refused leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_wrapper.bundles.archive import Manifest, digest, unpack
from contract_wrapper.bundles.rebuild import store
from contract_wrapper.bundles.study_text import check_printable, read_study_text, read_trial_lines
from contract_wrapper.command_runs import CommandRun, read_runs
from contract_wrapper.configuration.stored import RUN
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.judging.code_version import versions
from contract_wrapper.files import MOST_JSON_BYTES, make_folder, read_sealed, write_text
from contract_wrapper.landscapes.building.commands_file import KIND as KIND_OF_COMMANDS
from contract_wrapper.landscapes.building.commands_file import NAME as COMMANDS
from contract_wrapper.landscapes.building.commands_file import commands_of
from contract_wrapper.landscapes.building.landscape_folder import KIND as KIND_OF_SETTINGS
from contract_wrapper.landscapes.building.landscape_folder import SETTINGS
from contract_wrapper.landscapes.designs.read import read_landscape
from contract_wrapper.studies.certificate_file import KIND as KIND_OF_CERTIFICATES
from contract_wrapper.studies.certificate_file import NAME as CERTIFICATES
from contract_wrapper.studies.certificate_file import certificate_from
from contract_wrapper.studies.record import StudyRecord
from contract_wrapper.studies.running.run_file import OUTCOMES
from contract_wrapper.studies.running.stored import Configuration
from contract_wrapper.studies.study import read_study
from mtmfq.checkpoint import kind_of

READ = (
    "study.json",
    "trials.jsonl",
    "trials.csv",
    RUN,
    CERTIFICATES,
    "landscape.npz",
    "landscape.csv",
    SETTINGS,
    COMMANDS,
)
"""Files of a bundle that are read, besides trained players; figures, pages and Parquet are for people."""

PLAYERS = (f"{OUTCOMES}/", "seed-")
"""Beginnings of the names of trained players."""


_FOREIGN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What else may be raised by content that something else wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a bundle holds, and where it was put."""

    manifest: Manifest
    """What it says of itself."""

    sha256: str
    """Of the whole file."""

    folder: Path | None
    """Where it was put; None: it was checked only."""

    contracts: int
    """Trials of the study, or contracts of the landscape."""

    commands: tuple[CommandRun, ...]
    """What began and continued it."""


def import_bundle(bundle: Path, folder: Path | None = None, *, check: bool = False) -> Imported:
    """Check a bundle, and make the folder of a study or landscape of it.

    Args:
        bundle: the file.
        folder: where to put it, which must not be there or be empty; default: the name of the file, here.
        check: only check; nothing is written but in a temporary folder, which is removed.

    Raises:
        ContractsError: it is no bundle, damaged or edited, too large, has names that lead elsewhere, holds what no study
            or landscape is, or the folder is not empty or cannot be written. Nothing is left behind.
    """
    target = Path(bundle.stem) if folder is None else folder
    if not check and target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise ContractsError(f"{target} is there already, and not empty: give another folder")
    with _place(None if check else target) as work:
        unpacked, made = work / "unpacked", work / "made" / (target.resolve().name or "study")  # which names the study
        unpacked.mkdir()
        made.mkdir(parents=True)
        manifest = unpack(bundle, unpacked, lambda name: name in READ or name.startswith(PLAYERS))
        try:
            build = _study if manifest.kind == "study" else _landscape
            n, commands = build(unpacked, made, manifest)
            for name in manifest.members:
                if name.startswith(PLAYERS):
                    _player(unpacked.joinpath(*name.split("/")), made.joinpath(*name.split("/")))
        except ContractsError as error:
            text = str(error).replace(f"{work}/unpacked/", "").replace(f"{work}/", "")
            raise ContractsError(f"{bundle} cannot be used: {text}") from error
        except _FOREIGN as error:
            why = shown(f"{type(error).__name__}: {error}")
            raise ContractsError(f"{bundle} cannot be used: its content is damaged ({why})") from error
        found = Imported(
            manifest=manifest, sha256=digest(bundle), folder=None if check else target, contracts=n, commands=commands
        )
        if not check:
            if target.exists():
                target.rmdir()
            made.rename(target)
    return found


@contextlib.contextmanager
def _place(target: Path | None) -> Iterator[Path]:
    """A temporary folder beside the target, or anywhere; if an error leaves the block, the folders above it go, too."""
    missing = [] if target is None else [path for path in target.absolute().parents if not path.exists()]
    parent = None if target is None else make_folder(target.absolute().parent)
    try:
        with tempfile.TemporaryDirectory(prefix=".import-", dir=parent, ignore_cleanup_errors=True) as work:
            yield Path(work)
    except BaseException as error:
        for path in missing:  # the deepest first
            with contextlib.suppress(OSError):
                path.rmdir()
        if isinstance(error, OSError):
            raise ContractsError(f"cannot write {target}: {error.strerror or error}; choose another folder") from error
        raise


def _study(unpacked: Path, made: Path, manifest: Manifest) -> tuple[int, tuple[CommandRun, ...]]:
    """Build the folder of a study, and compare what is read from it with what the bundle says."""
    configuration, commands = read_study_text(unpacked / "study.json")
    trials = tuple(read_trial_lines(unpacked / "trials.jsonl", configuration.search))
    record = StudyRecord(
        folder=made, settings=configuration.evaluation, search=configuration.search, trials=trials, commands=commands
    )
    _check_table(unpacked / "trials.csv", record.to_csv(), manifest)
    if (unpacked / CERTIFICATES).is_file():
        content = read_sealed(unpacked / CERTIFICATES, KIND_OF_CERTIFICATES)
        for plain in _list(content.get("certificates")):
            certificate_from(plain)
            _check_plain(plain)
        shutil.copyfile(unpacked / CERTIFICATES, made / CERTIFICATES)
    if (unpacked / RUN).is_file():
        _check_run(unpacked / RUN, configuration, commands)
        shutil.copyfile(unpacked / RUN, made / RUN)
    write_text(made / "trials.csv", record.to_csv())
    store(record)  # takes longest, and so comes last
    there = read_study(made)
    if dataclasses.replace(there, certificates=(), commands=commands) != record or {*there.commands} != {*commands}:
        raise ContractsError("the study that was made of it is another: please report it")
    return len(trials), commands


def _landscape(unpacked: Path, made: Path, manifest: Manifest) -> tuple[int, tuple[CommandRun, ...]]:
    """Build the folder of a landscape."""
    landscape = read_landscape(unpacked / "landscape.npz")
    commands = commands_of(landscape.about)
    _check_plain(landscape.about)
    table = landscape.to_csv()
    _check_table(unpacked / "landscape.csv", table, manifest)
    for name, kind in ((SETTINGS, KIND_OF_SETTINGS), (COMMANDS, KIND_OF_COMMANDS)):
        if (unpacked / name).is_file():
            content = read_sealed(unpacked / name, kind)
            if name == COMMANDS:
                read_runs(content.get("commands"))
            _check_plain(content)
            shutil.copyfile(unpacked / name, made / name)
    shutil.copyfile(unpacked / "landscape.npz", made / "landscape.npz")
    write_text(made / "landscape.csv", table)
    return len(landscape.contracts()), commands


def _player(there: Path, here: Path) -> None:
    """Take a file of trained players that says what it is and is whole; `play` reads it with the same suspicion again."""
    if kind_of(there) is None:
        raise ContractsError(f"its file {there.name} holds no trained players, or is damaged")
    here.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(there, here)


def _check_table(path: Path, computed: str, manifest: Manifest) -> None:
    """Refuse a table that people read and that says other numbers than what is computed, by the same version."""
    try:
        said = path.read_text(encoding="utf-8")
    except ValueError as error:
        raise ContractsError(f"its table {path.name} is no text") from error
    if said != computed and manifest.program == versions().get("cleanup-contracts"):
        raise ContractsError(f"its table {path.name} says something else than its results: it was edited")


def _check_run(path: Path, configuration: Configuration, commands: tuple[CommandRun, ...]) -> None:
    """Refuse a `run.json` of another study, or with text that is none."""
    try:
        if path.stat().st_size > MOST_JSON_BYTES:
            raise ValueError("too large")
        data = json.loads(path.read_bytes())
        said, versions_said = data["configuration"], data.get("versions", {})
        same = said == configuration.to_dict() and read_runs(data.get("commands", [])) == commands
        _check_plain(versions_said)
    except ContractsError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ContractsError(f"its {path.name} is damaged ({shown(str(error))})") from error
    if not same:
        raise ContractsError(f"its {path.name} says another configuration or other commands than its study")


def _check_plain(value: Any) -> None:
    """Refuse text that no terminal should show, anywhere in plain values."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            check_printable("text", item)
        elif isinstance(item, dict):
            left += [*item, *item.values()]
        elif isinstance(item, (list, tuple)):
            left += item


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ContractsError(f"its certificates are no list, got {shown(value)}")
    return value
