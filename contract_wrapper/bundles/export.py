"""Write a study or a landscape into a bundle: one file that another person can open, check and import."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_wrapper.bundles.archive import write_bundle
from contract_wrapper.bundles.members import KNOWN, check_name
from contract_wrapper.bundles.parquet import can_write, to_parquet
from contract_wrapper.bundles.study_text import study_text, trial_lines
from contract_wrapper.configuration.resolve import ERRORS
from contract_wrapper.configuration.stored import RUN, read_stored
from contract_wrapper.configuration.tree import to_toml
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.by_crews.crew_folder import FOLDER as CREWS
from contract_wrapper.evaluation.by_crews.crew_folder import crews_file
from contract_wrapper.evaluation.judging.code_version import versions
from contract_wrapper.files import inside
from contract_wrapper.landscapes.building.commands_file import NAME as COMMANDS
from contract_wrapper.landscapes.building.landscape_folder import SETTINGS
from contract_wrapper.landscapes.designs.read import read_landscape
from contract_wrapper.reports.landscape_report import find_landscape, report_folder
from contract_wrapper.reports.report import FOLDER as FIGURES
from contract_wrapper.studies.certificate_file import NAME as CERTIFICATES
from contract_wrapper.studies.record import StudyRecord
from contract_wrapper.studies.running.run_file import OUTCOMES
from contract_wrapper.studies.study import read_study

ENDING = ".zip"
"""Of a bundle's name."""

_README = """A bundle of `cleanup-contracts export`: {kind} {name}, written by version {version}.

Check it, and make a folder of it that `report`, `show` and `play` read:

    cleanup-contracts import BUNDLE.zip

manifest.json names every file with its size and SHA-256. The hashes find damage and edits, and are no signature: to know
that a bundle is the one that somebody wrote, compare the SHA-256 of the whole file, which `export` and `import` print.

figures/ is for readers: `import` does not take it, `report` draws it again. Pages and pictures can be made by anybody to
show anything; what `report` shows of an imported folder is computed from the numbers.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    kind: str
    """Of the result: "study" or "landscape"."""

    path: Path
    """The bundle."""

    members: tuple[str, ...]
    """Files in it, the manifest apart."""

    left_out: tuple[str, ...]
    """Files of the result that are not in it, though they were asked for."""


def export_bundle(
    source: Path,
    path: Path | None = None,
    *,
    policies: bool = False,
    parquet: bool | None = None,
    storage: str | None = None,
    study: str | None = None,
) -> Exported:
    """Write a study or a landscape into a bundle.

    Args:
        source: folder of a study, or folder or file of a landscape.
        path: of the bundle, which must not be there; default: the name of the folder, here.
        policies: whether trained players go into it, too, so that its reader can `play`; they are its largest part.
        parquet: whether the table is in it as Parquet, besides CSV; None: where pyarrow or polars is installed.
        storage: URL of the database in which the study is; None: it is in the folder.
        study: its name in that database; None: that of the folder.

    Raises:
        ContractsError: there is no study or landscape, `path` is there or cannot be written, or it would be too large.
        MissingPackage: Parquet is asked for, and neither package is installed.
    """
    file = find_landscape(source) if storage is None else None
    name = study or (source.resolve() if file is None or source.is_dir() else file.with_suffix("")).name
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", name).strip("-._+")[:100] or "result"
    path = Path(f"{name}{ENDING}") if path is None else path
    if path.suffix.lower() != ENDING:
        raise ContractsError(f"a bundle is a zip archive, got the name {path.name}: end it in {ENDING}")
    if path.exists():
        raise ContractsError(f"{path} is there already: give another name, or remove it")
    kind = "study" if file is None else "landscape"
    as_parquet = can_write() if parquet is None else parquet
    if file is None:
        content, table = _of_study(read_study(source, storage=storage, study=study), policies)
        csv = "trials.csv"
    else:
        content, table = _of_landscape(file, policies)
        csv = "landscape.csv"
    content[csv] = table.encode()
    if as_parquet:
        content[Path(csv).with_suffix(".parquet").name] = to_parquet(table)
    toml = _configuration(source, kind, storage, study)
    if toml:
        content["configuration.toml"] = toml.encode()
    program = versions().get("cleanup-contracts", "unknown")
    content["README.txt"] = _README.format(kind=f"the {kind}", name=name, version=program).encode()
    known = {member: given for member, given in content.items() if _is_known(kind, member)}
    write_bundle(path, kind, name, program, known)
    return Exported(
        kind=kind, path=path, members=tuple(sorted(known)), left_out=tuple(sorted(set(content) - set(known)))
    )


def _of_study(record: StudyRecord, policies: bool) -> tuple[dict[str, bytes | Path], str]:
    """Files of a study by their names in a bundle, and its table."""
    folder = record.folder
    content: dict[str, bytes | Path] = {
        "study.json": study_text(record).encode(),
        "trials.jsonl": trial_lines(record).encode(),
        **_files(folder, RUN, CERTIFICATES),
        **_figures(folder / FIGURES),
    }
    if policies:
        content |= {path.relative_to(folder).as_posix(): path for path in _policies(record) if path.is_file()}
    return content, record.to_csv()


def _policies(record: StudyRecord) -> Iterator[Path]:
    """Files of the trained players that outcomes name, and of all crews that judged."""
    outcomes = record.folder / OUTCOMES
    for outcome in (trial.outcome for trial in record.trials):
        if outcome is not None and outcome.policy:
            yield inside(outcomes / CREWS if outcome.by_crew else outcomes, outcome.policy)
    if record.settings.crews is not None:
        yield from (crews_file(outcomes, record.settings, k) for k in range(record.settings.crews.trainings))


def _of_landscape(file: Path, policies: bool) -> tuple[dict[str, bytes | Path], str]:
    """Files of a landscape by their names in a bundle, and its table."""
    landscape, folder = read_landscape(file), file.parent
    content: dict[str, bytes | Path] = {"landscape.npz": file, **_figures(report_folder(file))}
    if file.name == "landscape.npz":
        content |= _files(folder, SETTINGS, COMMANDS)
        if policies:
            found = [path for seed in landscape.seeds for path in (folder / f"seed-{seed}").rglob("*.crews.npz")]
            content |= {path.relative_to(folder).as_posix(): path for path in found}
    return content, landscape.to_csv()


def _files(folder: Path, *names: str) -> dict[str, bytes | Path]:
    return {name: folder / name for name in names if (folder / name).is_file()}


def _figures(folder: Path) -> Mapping[str, Path]:
    """The report of a result, if it was made."""
    return {
        f"figures/{path.name}": path for path in sorted(folder.glob("*")) if path.is_file() and not path.is_symlink()
    }


def _configuration(source: Path, kind: str, storage: str | None, study: str | None) -> str:
    """The configuration as `show` prints it; empty where a landscape does not say all of it."""
    try:
        stored = read_stored(source, storage=storage, study=study)
    except ERRORS:
        return ""
    said: dict[str, Any] = dict(stored.versions)
    notes = [f"The configuration of the {kind}; --config reads it.", *(f"{k}: {v}" for k, v in said.items())]
    return to_toml(stored.tree, [*notes, *stored.made_by])


def _is_known(kind: str, member: str) -> bool:
    try:
        return KNOWN[kind].fullmatch(check_name(member)) is not None
    except ContractsError:
        return False
