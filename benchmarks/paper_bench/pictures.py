"""The paper's figures, drawn from our trainings and from the shipped landscape of its costs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from contract_wrapper.evaluation.published_results import PAPER
from contract_wrapper.landscapes.shipped import load_landscape
from contract_wrapper.reports.behaviour_figures import smooth
from contract_wrapper.reports.figure_style import SCREEN, plain
from contract_wrapper.reports.landscape_figures import draw_welfare
from contract_wrapper.reports.landscape_findings import Findings
from contract_wrapper.reports.style import CLEANER, FAINT, GREY, HARVESTER, INK
from paper_bench.tables import short
from paper_bench.trainings import COMPARED, TRAINED, Training, of_contract, parts

LEVELS = {"Figure 3": 150.0, "Figure 4": 225.0, "Figure 5": 100.0}
"""Collective reward at the end of training, as far as the paper's text says it."""

MOST_BYTES = 60_000
"""A picture's file is smaller."""

COLOURS = (128, 64, 32, 24)
"""Colours of a picture's file: the first number with which it is small enough."""

DRAWN = 116
"""Points of one training's line: means over 300 episodes, of 35,000."""


def draw_training(trainings: Sequence[Training]) -> Figure:
    """Figures 3 to 6: collective reward while training, a faint line per training and their running mean."""
    figure = Figure(figsize=(7.6, 4.9), layout="constrained")
    axes: Any = figure.subplots(2, 2, sharex=True, sharey=True)
    for ax, (name, contract) in zip(axes.flat, TRAINED.items(), strict=True):
        mine = of_contract(trainings, contract)
        plain(ax, SCREEN)
        ax.set_title(f"{name}: {short(contract)}", fontsize=10, loc="left")
        for training in mine:
            shown = parts(training.curve, DRAWN)
            ax.plot(_episodes(training, len(shown)), shown, color=FAINT, lw=0.7)
        if mine and len({len(t.curve) for t in mine}) == 1:
            mean = np.mean([t.curve for t in mine], axis=0)
            ax.plot(
                _episodes(mine[0], len(mean)), smooth(mean), color=CLEANER, lw=2, label="running mean over trainings"
            )
        if name in LEVELS:
            ax.axhline(LEVELS[name], color=HARVESTER, lw=1.2, ls=(0, (4, 2)), label="the paper's level at the end")
    axes[0, 0].legend(frameon=False, fontsize=9, loc="best")
    axes[0, 0].set_ylim(bottom=min(0.0, axes[0, 0].get_ylim()[0]))
    figure.supxlabel("training episodes", fontsize=10)
    figure.supylabel("harvest less costs (apples per episode)", fontsize=10)
    return figure


def draw_play(trainings: Sequence[Training]) -> Figure:
    """Figure 8: the orchard, the river and the harvest during greedy episodes, without a contract and under the best."""
    figure = Figure(figsize=(8.8, 3.2), layout="constrained")
    axes: Any = figure.subplots(1, 3)
    looks = (("no contract", GREY, "--"), ("the paper's best contract", CLEANER, "-"))
    for ax, (field, label) in zip(
        axes,
        (("apples", "apples on the trees"), ("waste", "waste cells"), ("eaten", "apples eaten so far")),
        strict=True,
    ):
        plain(ax, SCREEN)
        for contract, (who, colour, dash) in zip(COMPARED.values(), looks, strict=True):
            mine = of_contract(trainings, contract)
            if not mine:
                continue
            curves = np.array([getattr(t, field) for t in mine])
            steps = np.arange(1, curves.shape[1] + 1)
            ax.fill_between(steps, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.2, lw=0)
            ax.plot(steps, curves.mean(axis=0), color=colour, ls=dash, lw=1.8, label=who)
        ax.set(xlabel="step", ylabel=label)
        ax.set_ylim(bottom=0)
    axes[0].legend(frameon=False, fontsize=9)
    return figure


def draw_landscape() -> Figure:
    """Figure 2: welfare of all contracts under the paper's costs, what is accepted, and the paper's best contract."""
    findings = Findings(landscape=load_landscape("paper"))
    figure = draw_welfare(findings)
    ax = figure.axes[0]
    row = next(place for place, crew in enumerate(findings.crews) if crew.n_cleaners == PAPER.contract.n_cleaners)
    ax.plot(PAPER.contract.tax, row, "X", ms=11, mfc=HARVESTER, mec="white", mew=1.2, zorder=6, gid="paper")
    ax.annotate(
        "the paper's best", (PAPER.contract.tax, row), xytext=(0.16, row + 0.52), fontsize=9, color=INK, va="bottom",
        annotation_clip=False, arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.8},
    )  # fmt: skip
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a picture as PNG in as many colours as 60 kB hold.

    Raises:
        ValueError: it is larger.
    """
    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100)
    with Image.open(drawn) as opened:
        picture = opened.convert("RGB")
    for colours in COLOURS:
        file = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(file, format="PNG", optimize=True)
        if file.tell() < MOST_BYTES:
            path.write_bytes(file.getvalue())
            return
    raise ValueError(f"{path.name} would have {file.tell():,} bytes, at most {MOST_BYTES:,} are wanted")


def _episodes(training: Training, n: int) -> np.ndarray:
    """Middles of n equal parts of a training."""
    return training.episodes * (np.arange(n) + 0.5) / n
