"""The figures of a study of a design problem: a record in, a matplotlib Figure out."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from contract_wrapper.contracts.designed_contract import DesignedContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.judging.margins import objective_of
from contract_wrapper.evaluation.participation import PARTICIPATION, Acceptance, acceptance
from contract_wrapper.reports.figure_style import SCREEN, FigureStyle, canvas, empty_figure, legend, named, plain
from contract_wrapper.reports.problems.problem_table import problem_of
from contract_wrapper.reports.search_figures import MARKS, outcome_of, said
from contract_wrapper.reports.style import CREWS, FAINT, GREEN, GREY, HARVESTER, INK
from contract_wrapper.studies.record import Phase, StudyRecord, TrialRecord

PANELS = 3
"""Panels side by side."""

MOST_ROWS = 8
"""Contracts whose margins are shown."""


def _finished(record: StudyRecord) -> list[TrialRecord]:
    trials = record.finished()
    if not trials:
        raise ContractsError("no contract has been evaluated yet")
    return trials


def draw_terms(record: StudyRecord, *, style: FigureStyle = SCREEN) -> Figure:
    """What is maximised over each term of the contracts that were tried; the marker tells who accepts."""
    problem, trials, good = problem_of(record), _finished(record), record.ranked()
    columns = 1 if style.narrow else min(PANELS, len(problem.terms))
    rows = -(-len(problem.terms) // columns)
    title = "No contract without a margin below 0 was found yet"
    if good:
        title = f"Best contract: {good[0].contract}, {problem.objective} {record.objective(good[0]).mean:.1f}"
    points = style.points
    figure = empty_figure(*style.size(3.4 * columns + 1.2, 2.9 * rows + 1.2, 2.4 * rows), title, style)
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    values = [record.objective(t) for t in trials]
    for ax, term in zip(axes, problem.terms, strict=False):
        plain(ax, style)
        at = [dict(_numbers(t))[term.name] for t in trials]
        for answer, (marker, name) in MARKS.items():
            some = [k for k, t in enumerate(trials) if said(record, t) == answer]
            if some:
                ax.errorbar(
                    [at[k] for k in some], [values[k].mean for k in some], yerr=[2 * values[k].se for k in some],
                    fmt=marker, ms=points(7), mew=points(1.1), elinewidth=points(0.8), mec=INK, ecolor=GREY, label=name,
                    mfc=GREEN if answer is Acceptance.ACCEPTED else "white",
                )  # fmt: skip
        if record.baseline is not None:
            level = objective_of(record.baseline, record.baseline, problem).mean
            ax.axhline(level, color=INK, ls="--", lw=points(1.1), label="no contract", zorder=1)
        if good:
            ax.axvline(dict(_numbers(good[0]))[term.name], color=GREEN, lw=points(1.2), zorder=0, label="best contract")
        ax.set_xlabel(term.name)
    for ax in axes[len(problem.terms) :]:
        ax.set_visible(False)
    for ax in axes[::columns]:
        ax.set_ylabel(f"{problem.objective} ({problem.unit} per episode)")
    handles = {str(label): handle for ax in axes for handle, label in zip(*named(ax), strict=True)}
    legend(figure, list(handles.values()), list(handles), style, "outside lower center")
    return figure


def _numbers(trial: TrialRecord) -> tuple[tuple[str, float], ...]:
    if not isinstance(trial.contract, DesignedContract):
        raise ContractsError(f"{trial.contract} is no contract of a design problem")
    return trial.contract.numbers


def draw_progress(record: StudyRecord, *, style: FigureStyle = SCREEN) -> Figure:
    """The best so far without a margin below 0 against evaluations, beside no contract."""
    problem, trials = problem_of(record), _finished(record)
    chosen = {t.number for t in record.ranked()}
    numbers, values = [t.number for t in trials], np.array([record.objective(t).mean for t in trials])
    so_far = np.fmax.accumulate(np.where([n in chosen for n in numbers], values, np.nan))
    found = np.flatnonzero(np.isfinite(so_far))
    title = "No contract without a margin below 0 was found yet"
    if len(found):
        title = f"The search reached {problem.objective} {np.nanmax(so_far):.1f} in trial {numbers[int(np.nanargmax(so_far))]}"
    points = style.points
    figure, ax = canvas(*style.size(8.6, 5.0, 2.3), title, style)
    initial = [t.number for t in trials if t.phase is Phase.INITIAL]
    if initial:
        ax.axvspan(0.5, max(initial) + 0.5, color="#EEEEEE", zorder=0, label="initial designs")
    if len(found):
        some = slice(found[0], None)
        ax.step([*numbers[some], numbers[-1] + 0.5], [*so_far[some], so_far[-1]], where="post", color=GREEN,
                lw=points(2.4), label="best so far, no margin below 0")  # fmt: skip
    for answer, (marker, name) in MARKS.items():
        at = [k for k, t in enumerate(trials) if said(record, t) == answer]
        if at:
            ax.plot([numbers[k] for k in at], values[at], marker, ls="none", ms=points(7), mew=points(1.2), zorder=3,
                    mfc=GREEN if answer is Acceptance.ACCEPTED else "white", mec=INK, label=name)  # fmt: skip
    if record.baseline is not None:
        level = objective_of(record.baseline, record.baseline, problem).mean
        ax.axhline(level, color=INK, ls="--", lw=points(1.1), label=f"no contract: {level:.1f}")
    ax.set(xlabel="evaluation (trial number)", ylabel=f"{problem.objective} ({problem.unit} per episode)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(figure, *named(ax), style, "outside lower center")
    return figure


def draw_fairness(record: StudyRecord, *, style: FigureStyle = SCREEN) -> Figure:
    """Fair and efficient contracts side by side: utility of the worst-off agent over welfare."""
    problem, trials = problem_of(record), _finished(record)
    worst = np.array([min(u.mean for u in outcome_of(t).utilities.values()) for t in trials])
    welfare = np.array([outcome_of(t).welfare.mean for t in trials])
    good = {t.number for t in record.ranked()}
    fit = [k for k, t in enumerate(trials) if t.number in good]
    front = [k for k in fit if not any(welfare[j] >= welfare[k] and worst[j] > worst[k] for j in fit)]
    many = f"{len(front)} contracts are" if len(front) != 1 else "1 contract is"
    title = f"Of {len(trials)} contracts, {many} feasible and not both less fair and less efficient than another"
    points = style.points
    figure, ax = canvas(*style.size(7.6, 5.4, 2.6), title, style)
    for answer, (marker, name) in MARKS.items():
        at = [k for k, t in enumerate(trials) if said(record, t) == answer]
        if at:
            ax.plot(welfare[at], worst[at], marker, ls="none", ms=points(7), mew=points(1.1), mec=INK, zorder=3,
                    mfc=GREEN if answer is Acceptance.ACCEPTED else "white", label=name)  # fmt: skip
    line = sorted(front, key=lambda k: welfare[k])
    ax.plot(welfare[line], worst[line], color=GREEN, lw=points(1.6), zorder=2, label="none is fairer and as efficient")
    if record.baseline is not None:
        least = min(u.mean for u in record.baseline.utilities.values())
        ax.plot([record.baseline.welfare.mean], [least], "P", ms=points(10), mfc="white", mec=INK, ls="none",
                label="no contract")  # fmt: skip
    ax.set(
        xlabel=f"welfare ({problem.unit} per episode)", ylabel=f"worst-off agent's utility ({problem.unit} per episode)"
    )
    legend(figure, *named(ax), style, "outside lower center")
    return figure


def draw_margins(record: StudyRecord, *, style: FigureStyle = SCREEN) -> Figure:
    """Margins of every agent under the best contracts and the nearest others."""
    problem, good, bad = problem_of(record), record.ranked()[:MOST_ROWS], record.infeasible_trials()[:2]
    shown = [*good, *bad]
    if not shown:
        raise ContractsError("margins need the baseline and at least one finished contract")
    title = "Under each contract that was tried a margin is below 0"
    if good:
        least = min(record.margins(good[0]).values(), key=lambda m: m.mean)
        title = f"The best contract leaves everybody at least {least.mean:+.2f} ± {least.se:.2f} above what it has otherwise"
    points = style.points
    figure, ax = canvas(*style.size(8.6, 1.9 + 0.5 * len(shown), 1.0 + 0.42 * len(shown)), title, style)
    names = list(record.margins(shown[0]))
    for k, name in enumerate(names):
        colour, marker = CREWS[k % len(CREWS)]
        for row, trial in enumerate(shown):
            margin = record.margins(trial)[name]
            full = acceptance([margin]) is Acceptance.ACCEPTED
            place = row + 0.7 * ((k + 0.5) / len(names) - 0.5)
            ax.errorbar([margin.mean], [place], xerr=[2 * margin.se], fmt=marker, color=colour, ms=points(5),
                        mfc=colour if full else "white", elinewidth=points(1))  # fmt: skip
    ax.axvline(0.0, color=INK, lw=points(1))
    ax.set_yticks(range(len(shown)), [f"{t.contract}\ntrial {t.number}" for t in shown], fontsize=points(8))
    ax.set_ylim(len(shown) - 0.5, -0.5)
    if good and bad:
        ax.axhline(len(good) - 0.5, color=HARVESTER, lw=points(0.8), ls=":")
    ax.grid(axis="x", color=FAINT, lw=points(0.5))
    ax.set_xlabel(f"margin ({problem.unit} per episode); bars: ± 2 se, hollow where they reach below 0")
    handles = [
        Line2D([], [], ls="none", color=CREWS[k % len(CREWS)][0], marker=CREWS[k % len(CREWS)][1])
        for k in range(len(names))
    ]
    texts = ["recruited agents" if name == PARTICIPATION else name for name in names]
    legend(figure, handles, texts, style, "outside lower center")
    return figure
