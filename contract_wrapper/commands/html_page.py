"""What `report --html` writes: the page of a study or landscape, with its command, its settings and its versions."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contract_wrapper.landscapes.table.contract_table import ContractTable
    from contract_wrapper.reports.html.document import Making
    from contract_wrapper.studies.record import StudyRecord


def check_there() -> None:
    """Make sure that the package of the figures is installed.

    Raises:
        MissingPackage: it is not.
    """
    from contract_wrapper.reports.html import document

    document.check_there()


def page_of_study(record: StudyRecord, configuration: Mapping[str, Any] | None, problem: str | None) -> Path:
    """Write the page of a study.

    Args:
        record: the study.
        configuration: its settings by the names of their keys.
        problem: where the design problem of a user is defined, as `--problem` has it.

    Raises:
        ContractsError: it cannot be written.
    """
    from contract_wrapper.command_runs import told
    from contract_wrapper.reports.html.study_page import write_study_page

    command = ["cleanup-contracts", "optimize", "--config", "settings.toml", "--folder", "NEW_FOLDER"]
    if problem is not None:
        command += ["--problem", problem]
    remark = (
        "This makes the same study in a new folder, from the settings below, whatever commands began and continued it."
    )
    making = _making(shlex.join(command), remark, configuration, record.folder, {}, told(record.commands))
    return write_study_page(record, making)


def page_of_landscape(landscape: ContractTable, file: Path, configuration: Mapping[str, Any] | None) -> Path:
    """Write the page of a landscape's file beside its other report.

    Raises:
        ContractsError: it cannot be written.
    """
    from contract_wrapper.command_runs import told
    from contract_wrapper.landscapes.building.commands_file import commands_of
    from contract_wrapper.reports.html.landscape_page import write_landscape_page
    from contract_wrapper.reports.landscape_report import report_folder

    command = landscape.about.get("command")
    command = " ".join(command.split()) if isinstance(command, str) else ""
    said = landscape.about.get("versions")
    versions = {str(n): str(v) for n, v in said.items()} if isinstance(said, Mapping) else {}
    runs = commands_of(landscape.about)
    making = _making(command, "", configuration, file, versions, told(runs) if runs else [])
    return write_landscape_page(landscape, report_folder(file), making)


def _making(
    command: str, remark: str, configuration: Mapping[str, Any] | None, source: Path, versions: Mapping[str, str],
    made_by: Sequence[str],
) -> Making:  # fmt: skip
    """What is known of how a result was made: as `cleanup-contracts show` prints it, or else what is given here."""
    from contract_wrapper.configuration.resolve import ERRORS
    from contract_wrapper.configuration.stored import read_stored
    from contract_wrapper.configuration.tree import to_toml
    from contract_wrapper.reports.html.document import Making

    title, told_by = f"The configuration of {source}", tuple(made_by)
    try:
        stored = read_stored(source)
        title = f"The configuration of the {stored.kind} in {stored.source}"
        configuration, versions, told_by = stored.tree, dict(stored.versions), stored.made_by
    except ERRORS:  # a landscape that does not say its settings, or a study of which a file is gone
        pass
    notes = [f"{title}; --config reads it.", *(f"{name}: {version}" for name, version in versions.items()), *told_by]
    settings = "" if configuration is None else to_toml(configuration, notes).rstrip("\n")
    return Making(made_by=tuple(made_by), command=command, remark=remark, settings=settings, versions=versions)
