"""The pictures of the shipped landscape of the default costs, as a report of it has them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from chart import Chart

if TYPE_CHECKING:
    from contract_wrapper.reports.landscape_findings import Findings

DRAWN = {
    "landscape_welfare": ("landscape_figures", "draw_welfare"),
    "landscape_gains": ("landscape_gain_figures", "draw_gains"),
    "landscape_free_riding": ("landscape_threshold_figure", "draw_free_riding"),
}
"""File name without suffix -> module of the reports and its function."""


@cache
def findings() -> Findings:
    """What can be said of the shipped landscape."""
    from contract_wrapper import load_landscape
    from contract_wrapper.reports.landscape_findings import Findings

    return Findings(landscape=load_landscape("effort"))


def draw(name: str) -> Chart:
    """One picture of the landscape."""
    module, function = DRAWN[name]
    figure = getattr(importlib.import_module(f"contract_wrapper.reports.{module}"), function)(findings())
    landscape = findings().landscape
    return Chart(figure, tuple(np.nan_to_num(array) for array in (landscape.welfare, landscape.gains, landscape.tried)))


PICTURES: dict[str, Callable[[], Chart]] = {name: partial(draw, name) for name in DRAWN}
"""File name without suffix -> how it is drawn."""
