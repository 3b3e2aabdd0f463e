"""The figure of the margins of the best contracts and of the nearest refused ones, with their errors."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.participation import PARTICIPATION, Acceptance, acceptance, worst_harvester_margin
from contract_wrapper.reports.figure_style import SCREEN, FigureStyle, empty_figure, plain
from contract_wrapper.reports.search_figures import outcome_of, said
from contract_wrapper.reports.style import CLEANER, FAINT, GREY, HARVESTER, INK
from contract_wrapper.studies.record import StudyRecord, TrialRecord


def draw_margins(record: StudyRecord, most: int = 8, nearest: int = 2, *, style: FigureStyle = SCREEN) -> Figure:
    """Margins of the best contracts without a margin below 0 and of the nearest others, with their errors."""
    good, bad = record.ranked()[:most], record.infeasible_trials()[:nearest]
    shown = [*good, *bad]
    if not shown:
        raise ContractsError("margins need the baseline and at least one finished contract")
    title = "Under each contract that was tried a margin is below 0"
    if good:
        gains = record.margins(good[0])
        title = (
            f"The best contract gives every harvester at least {worst_harvester_margin(gains).mean:.1f} apples more "
            f"than no contract, and every cleaner {gains[PARTICIPATION].mean:.1f} above its minimum"
        )
    points = style.points
    height = max(3.0, 1.9 + 0.46 * len(shown))
    figure = empty_figure(*style.size(9.0, height, 1.0 + 0.42 * len(shown)), title, style)
    axes = figure.subplots(1, 2, sharey=True)
    rows = np.arange(len(shown))
    margins = [record.margins(t) for t in shown]
    parts = (
        ("worst-off harvester's gain", HARVESTER, "o", [worst_harvester_margin(m) for m in margins]),
        ("worst-off cleaner above its minimum", CLEANER, "s", [m[PARTICIPATION] for m in margins]),
    )
    for ax, (label, colour, marker, found) in zip(axes, parts, strict=True):
        for e, row in zip(found, rows, strict=True):
            full = acceptance([e]) is Acceptance.ACCEPTED
            ax.errorbar([e.mean], [row], xerr=[2 * e.se], fmt=marker, color=colour, ms=points(7), capsize=points(3),
                        mfc=colour if full else "white", mew=points(1.2), elinewidth=points(1.2))  # fmt: skip
        ax.axvline(0.0, color=INK, lw=points(1))
        low, high = ax.get_xlim()
        ax.axvspan(min(low, -0.04 * (high - low)), 0.0, color="#F3E3DA", zorder=0)
        ax.set_xlim(min(low, -0.04 * (high - low)), high)
        plain(ax, style)
        ax.set_title(style.wrapped(label, 1.0, 10) if style.narrow else label, fontsize=points(10), loc="left")
        ax.xaxis.set_major_locator(MaxNLocator(3 if style.narrow else 7))
        ax.grid(axis="x", color=FAINT, lw=points(0.5))
    figure.supxlabel(
        style.wrapped("margin (apples per episode); bars: ± 2 se, hollow where they reach below 0", figure.get_figwidth(), 10),
        fontsize=points(10),
    )  # fmt: skip
    axes[0].set_yticks(rows, [_row_label(record, t, style) for t in shown], fontsize=points(9))
    axes[0].set_ylim(len(shown) - 0.5, -0.5)
    if good and bad:
        for ax in axes:
            ax.axhline(len(good) - 0.5, color=GREY, lw=points(0.8), ls=":")
    return figure


def _row_label(record: StudyRecord, trial: TrialRecord, style: FigureStyle) -> str:
    answer = said(record, trial)
    word = "" if answer in (None, Acceptance.ACCEPTED) else f", {answer}"
    about = f"trial {trial.number}, welfare {outcome_of(trial).welfare.mean:.0f}"
    return f"{trial.contract}\n{about}" + ("\n" + word[2:] if style.narrow and word else word)
