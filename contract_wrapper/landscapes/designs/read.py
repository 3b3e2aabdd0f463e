"""Landscapes of either kind, read from a file that says which it is."""

from __future__ import annotations

from pathlib import Path

from contract_wrapper.landscapes.designs.design_landscape import DESIGN_FORM, DesignLandscape
from contract_wrapper.landscapes.landscape import Landscape
from mtmfq.checkpoint import kind_of


def read_landscape(path: Path) -> Landscape | DesignLandscape:
    """Read a landscape, of taxes and crews or of the contracts of a design problem.

    Raises:
        ContractsError: the file is missing, damaged, cut short, of another form, or no landscape.
    """
    return DesignLandscape.load(path) if kind_of(path) == DESIGN_FORM.kind else Landscape.load(path)
