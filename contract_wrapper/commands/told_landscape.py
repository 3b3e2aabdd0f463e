"""What commands say of a landscape, of the tax or of the contracts of a design problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.designs.design_landscape import DesignLandscape
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.reports.figure_style import SCREEN, FigureStyle


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is said, and the files that were written."""

    summary: str
    """Plain text, at most 80 columns wide."""

    files: list[Path]
    """The page first, then its figures."""

    document: Callable[[], dict[str, Any]]
    """The same as a document."""


def landscape_told(made: object, folder: Path, style: FigureStyle = SCREEN) -> Told:
    """Write the report of a landscape into a folder, and say what it shows.

    Raises:
        ContractsError: the folder cannot be written.
    """
    from contract_wrapper.commands.documents import designs_document, landscape_document
    from contract_wrapper.reports.landscape_report import write_landscape_report
    from contract_wrapper.reports.landscape_summary import summary
    from contract_wrapper.reports.problems.design_landscape_report import design_summary, write_design_report

    if isinstance(made, DesignLandscape):
        files = write_design_report(made, folder, style=style)
        return Told(summary=design_summary(made), files=files, document=lambda: designs_document(made, files))
    if not isinstance(made, Landscape):
        raise ContractsError(f"there is no report of {type(made).__name__}")
    pages = write_landscape_report(made, folder, style=style)
    return Told(summary=summary(made), files=pages, document=lambda: landscape_document(made, pages))
