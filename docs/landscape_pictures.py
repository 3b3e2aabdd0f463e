"""The pictures of the shipped landscapes, most of them as a report has them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from chart import Chart

if TYPE_CHECKING:
    from contract_wrapper.reports.landscape_findings import Findings

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"

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


def with_benchmarks() -> None:
    """Let what the benchmarks share be imported."""
    if str(BENCHMARKS) not in sys.path:
        sys.path.append(str(BENCHMARKS))


def draw_validation() -> Chart:
    """Trainings from scratch over conditioned crews, from the stored trainings of `benchmarks/validate_landscape.py`."""
    from contract_wrapper import Contract, load_landscape

    with_benchmarks()
    import validate_landscape

    landscape = load_landscape("effort")
    path = BENCHMARKS / "results" / "validate_landscape-effort-trainings.csv"
    done = validate_landscape.Trainings.stored(path, landscape.agents)
    contracts = sorted({c for c, _ in done.rows} - {Contract.none()}, key=lambda c: (c.n_cleaners, c.tax))
    scratch = np.array([done.of(contract, "welfare").mean() for contract in contracts])
    crews = landscape.welfare[:, [landscape.number(contract) for contract in contracts]]
    return Chart(validate_landscape.draw(landscape, contracts, done), (scratch, crews))


def draw_paper() -> Chart:
    """All contracts under the costs `paper`, with the paper's best one marked."""
    from contract_wrapper import load_landscape

    with_benchmarks()
    from paper_bench.pictures import draw_landscape

    return Chart(draw_landscape(), (load_landscape("paper").welfare,))


def draw_trainings(profile: str, *, play: bool = False) -> Chart:
    """Stored trainings of the paper's contracts by a profile: their curves, or what is played after them."""
    with_benchmarks()
    from optimiser_bench.runner import read_stored
    from paper_bench import pictures
    from paper_bench.trainings import Training

    done = read_stored(BENCHMARKS / "results" / f"paper_figures-{profile}.jsonl", Training.from_line)
    shown = [np.array(t.apples if play else t.curve) for t in done]
    return Chart((pictures.draw_play if play else pictures.draw_training)(done), tuple(shown))


PICTURES: dict[str, Callable[[], Chart]] = {
    **{name: partial(draw, name) for name in DRAWN},
    "landscape_validation": draw_validation,
    "paper_landscape": draw_paper,
    "paper_training": partial(draw_trainings, "fast"),
    "paper_play": partial(draw_trainings, "fast", play=True),
    "paper_training_faithful": partial(draw_trainings, "faithful"),
    "paper_play_faithful": partial(draw_trainings, "faithful", play=True),
}
"""File name without suffix -> how it is drawn."""
