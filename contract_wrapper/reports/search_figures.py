"""The figures of a search, one function each: a record in, a matplotlib Figure out.

Amounts are apples per episode; welfare is coloured by the map `cividis`. What the errors allow to say of who accepts
(accepted, refused, undecided) is told by the shape of a marker alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from contract_wrapper.contracts.designed_contract import of_cleanup
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.participation import Acceptance
from contract_wrapper.evaluation.published_results import PAPER, SCRIPTED_CREW, SCRIPTED_HARVEST, same_game
from contract_wrapper.reports.figure_style import (
    SCREEN,
    FigureStyle,
    canvas,
    empty_figure,
    legend,
    named,
    plain,
)
from contract_wrapper.reports.landscape_style import apart
from contract_wrapper.reports.style import (
    CLEANER,
    FAINT,
    GREEN,
    GREY,
    HARVESTER,
    INK,
    TAX,
    WELFARE,
    colour_bar,
    crew_name,
    crew_style,
)
from contract_wrapper.studies.record import Phase, StudyRecord, TrialRecord

WORKING = 10.0
"""Shots per episode from which a crew counts as working; idle crews fire none or a stray few."""

UNKNOWN = "acceptance unknown (no baseline)"

_BEGIN = "where"

MARKS = {
    Acceptance.ACCEPTED: ("o", "accepted by everybody"),
    Acceptance.UNDECIDED: ("s", "undecided: a margin within 2 se of 0"),
    Acceptance.REFUSED: ("X", "refused by somebody"),
    None: ("D", UNKNOWN),
}
"""Marker and name of each answer to who accepts; None: without a baseline nobody knows."""


def said(record: StudyRecord, trial: TrialRecord) -> Acceptance | None:
    """What the errors allow to say of who accepts the contract of a finished trial; None without a baseline."""
    return None if record.baseline is None else record.acceptance(trial)


def draw_designs(record: StudyRecord, *, style: FigureStyle = SCREEN) -> Figure:
    """All evaluated contracts over tax and cleaners: colour is welfare, the marker tells who accepts."""
    trials = _finished(record)
    good = record.ranked()
    values = [outcome_of(t).welfare.mean for t in trials]
    points = style.points
    figure, ax = canvas(*style.size(9.6, 6.0, 2.5), _title_of_designs(record, trials, good), style)
    norm = Normalize(min(values), max(values))
    size = points(9.5 if len(trials) <= 15 else 7.5)
    handles = []
    for answer, (marker, name) in MARKS.items():
        some = [t for t in trials if said(record, t) == answer]
        if some:
            ax.scatter(
                [of_cleanup(t.contract).tax for t in some], [of_cleanup(t.contract).n_cleaners for t in some],
                c=[outcome_of(t).welfare.mean for t in some], cmap="cividis", norm=norm, marker=marker,
                s=size**2, edgecolors=INK, linewidths=points(0.7), zorder=3, gid=name,
            )  # fmt: skip
            handles.append(_hollow(marker, name, style))
    if record.baseline is not None:
        text = f"no contract: {record.baseline.welfare.mean:.1f}"
        ax.plot([0], [0], "P", ms=points(10), mfc="white", mec=INK, mew=points(1), label=text, zorder=3, ls="none")
    if same_game(record.settings.game):
        at = ([PAPER.contract.tax], [PAPER.contract.n_cleaners])
        text = f"paper's best ({PAPER.contract}): {PAPER.welfare}"
        ax.plot(*at, "*", ms=points(17), mfc="none", mec=HARVESTER, mew=points(1.6), label=text, zorder=4, ls="none")
    if good:
        best = of_cleanup(good[0].contract)
        ax.plot([best.tax], [best.n_cleaners], "o", ms=points(19), mfc="none", mec=GREEN, mew=points(2.2), zorder=4,
                label=f"best: {best}", ls="none")  # fmt: skip
    most = max(PAPER.contract.n_cleaners, *(of_cleanup(t.contract).n_cleaners for t in trials))
    taxes = [of_cleanup(t.contract).tax for t in trials]
    room = 0.06 * max(*taxes, 0.1)
    ax.set(
        xlabel=TAX, ylabel="cleaners recruited", ylim=(-0.6, most + 0.75),
        xlim=(-room, max(*taxes, 0.1) + room), yticks=range(most + 1),
    )  # fmt: skip
    ax.grid(axis="y", color=FAINT, lw=points(0.5))
    colour_bar(figure, ax.collections[0], ax, WELFARE, style, pad=0.02)
    handles += named(ax)[0]
    legend(figure, handles, [str(h.get_label()) for h in handles], style, "outside lower center", markerscale=0.7)
    _number(figure, ax, trials, good[0].number if good else None, style)
    return figure


def _hollow(marker: str, name: str, style: FigureStyle) -> Line2D:
    """A marker for a legend, in no colour that means welfare."""
    size = style.points(10)
    return Line2D([], [], ls="none", marker=marker, mfc="white", mec=INK, mew=style.points(1), ms=size, label=name)


def _title_of_designs(record: StudyRecord, trials: Sequence[TrialRecord], good: Sequence[TrialRecord]) -> str:
    if record.baseline is None:
        return f"{len(trials)} contracts; without a baseline nobody knows which are accepted"
    if not good:
        return f"Under each of {len(trials)} contracts a margin is below 0"
    answers = [said(record, t) for t in trials]
    open_ones = answers.count(Acceptance.UNDECIDED)
    return (
        f"Best contract: {good[0].contract} (trial {good[0].number}), welfare {outcome_of(good[0]).welfare.mean:.1f}; "
        f"{answers.count(Acceptance.ACCEPTED)} of {len(trials)} are accepted"
        + (f", {open_ones} undecided" if open_ones else "")
    )


def _number(figure: Figure, ax: Axes, trials: Sequence[TrialRecord], best: int | None, style: FigureStyle) -> None:
    """Write each trial's number beside its point, at the first place where it covers nothing."""
    figure.draw_without_rendering()  # fixes the layout, so that distances can be taken in points
    unit = style.points(figure.dpi / 72)
    dots = (
        ax.transData.transform([(of_cleanup(t.contract).tax, of_cleanup(t.contract).n_cleaners) for t in trials]) / unit
    )
    taken: list[tuple[float, float]] = [tuple(p) for p in dots]
    places = [(0, 13), (0, -13), (11, 9), (-11, 9), (11, -9), (-11, -9), (22, 0), (-22, 0), (0, 23), (0, -23),
              (12, 20), (-12, 20), (14, -20), (-14, -20), (26, 14), (-26, 14), (26, -14), (-26, -14)]  # fmt: skip
    for trial, (x, y) in sorted(zip(trials, dots, strict=True), key=lambda pair: pair[0].number != best):
        mine = trial.number == best
        half, far = (24, 6) if mine else (11, 0)  # a longer text, outside of its ring
        free = (
            (dx, dy + np.sign(dy) * far) for dx, dy in places
            if all(abs(x + dx - u) > half or abs(y + dy + np.sign(dy) * far - v) > 9.5 for u, v in taken)
        )  # fmt: skip
        dx, dy = next(free, (0, 33))
        taken += [(x + dx + aside, y + dy) for aside in ((-12, 0, 12) if mine else (0,))]
        ax.annotate(
            f"{trial.number}: best" if mine else str(trial.number), (of_cleanup(trial.contract).tax, of_cleanup(trial.contract).n_cleaners),
            (style.points(dx), style.points(dy)), textcoords="offset points", ha="center", va="center",
            arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.5, "shrinkB": 4} if dx * dx + dy * dy >= 400 else None,
            fontsize=style.points(8), zorder=5, color=GREEN if mine else INK, weight="bold" if mine else "normal",
        )  # fmt: skip


def draw_best_feasible(record: StudyRecord, *, style: FigureStyle = SCREEN) -> Figure:
    """Best welfare with no margin below 0 against evaluations, beside the baseline and figures from elsewhere."""
    trials = _finished(record)
    chosen = {t.number for t in record.ranked()}
    numbers = [t.number for t in trials]
    values = np.array([outcome_of(t).welfare.mean for t in trials])
    so_far = np.fmax.accumulate(np.where([t.number in chosen for t in trials], values, np.nan))
    found = np.flatnonzero(np.isfinite(so_far))
    title = "No contract without a margin below 0 was found yet"
    if len(found):
        first = numbers[int(np.nanargmax(so_far))]
        title = f"The search reached welfare {np.nanmax(so_far):.1f} in trial {first}"
        if record.baseline is not None and record.baseline.welfare.mean > 0:
            title += f", {np.nanmax(so_far) / record.baseline.welfare.mean:.1f} times that without a contract"
    points = style.points
    figure, ax = canvas(*style.size(8.6, 5.0, 2.3), title, style)
    initial = [t.number for t in trials if t.phase is Phase.INITIAL]
    if initial:
        ax.axvspan(0.5, max(initial) + 0.5, color="#EEEEEE", zorder=0, label="initial designs")
    if len(found):
        some = slice(found[0], None)
        ax.step([*numbers[some], numbers[-1] + 0.5], [*so_far[some], so_far[-1]], where="post", color=GREEN,
                lw=points(2.4), label="best so far, no margin below 0")  # fmt: skip
    answers = [said(record, t) for t in trials]
    for answer, (marker, name) in MARKS.items():
        at = [i for i, a in enumerate(answers) if a == answer]
        if at:
            good = answer is Acceptance.ACCEPTED
            ax.plot([numbers[i] for i in at], values[at], marker, ls="none", ms=points(7), mew=points(1.2), zorder=3,
                    mfc=GREEN if good else "white", mec="white" if good else INK, label=name)  # fmt: skip
    levels = [] if record.baseline is None else [(record.baseline.welfare.mean, "no contract", INK, "--")]
    if same_game(record.settings.game):
        crew = f"scripted players, {SCRIPTED_CREW} cleaners,\nno errors, no costs"
        levels += [(PAPER.welfare, "paper's best", HARVESTER, "-."), (SCRIPTED_HARVEST, crew, CLEANER, ":")]
    ax.margins(y=0.08)
    ax.set(xlabel="evaluation (trial number)", ylabel=WELFARE, xlim=(0.5, numbers[-1] + 0.5))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    _levels(ax, levels, style)
    legend(figure, *named(ax), style, "outside lower center")
    return figure


def _levels(ax: Axes, levels: Iterable[tuple[float, str, str, str]], style: FigureStyle) -> None:
    """Draw horizontal lines, each named at the right edge or, in a narrow figure, in the legend."""
    some = sorted(levels)
    for value, name, colour, dash in some:
        text = f"{' '.join(name.split())}: {value:.2f}".removesuffix(".00")
        ax.axhline(value, color=colour, ls=dash, lw=style.points(1.4), zorder=1, label=text if style.narrow else None)
    if style.narrow:
        return
    low, high = ax.get_ylim()
    for (value, name, colour, _), place in zip(some, apart([v for v, *_ in some], 0.12 * (high - low)), strict=True):
        ax.annotate(f"{name}\n{value:.2f}".removesuffix(".00"), (1.01, place), xycoords=("axes fraction", "data"),
                    va="center", fontsize=style.points(9), color=colour, annotation_clip=False)  # fmt: skip


def draw_work_over_tax(record: StudyRecord, *, style: FigureStyle = SCREEN) -> Figure:
    """Where crews begin to work: tax against shots, harvest and the utilities of the worst-off; only what was played."""
    trials = [t for t in _finished(record) if of_cleanup(t.contract).n_cleaners]
    points, base = style.points, record.baseline
    figure = empty_figure(*style.size(9.0, 6.6, 6.0), _title_of_work(trials), style)
    axes = figure.subplots(*((4, 1) if style.narrow else (2, 2)), sharex=True).ravel()
    panels: tuple[tuple[str, Callable[[Outcome], Estimate | None], float | None], ...] = (
        ("shots of the crew (per episode)", lambda o: o.shots, None),
        ("harvest (apples per episode)", lambda o: o.harvest, None if base is None else base.harvest.mean),
        ("worst-off harvester's utility (apples per episode)", lambda o: o.worst_harvester,
         None if base is None else base.worst_harvester.mean),
        ("worst-off cleaner's utility (apples per episode)", lambda o: o.worst_cleaner, 0.0),
    )  # fmt: skip
    turn = turn_to_work(trials)
    for ax, (label, of, level) in zip(axes, panels, strict=True):
        plain(ax, style)
        ax.set_title(label, fontsize=points(10), loc="left")
        for crew in sorted({of_cleanup(t.contract).n_cleaners for t in trials}):
            colour, marker = crew_style(crew)
            some = [
                (of_cleanup(t.contract).tax, of(outcome_of(t)))
                for t in trials
                if of_cleanup(t.contract).n_cleaners == crew
            ]
            found = [(tax, e.mean, 2 * e.se) for tax, e in some if e is not None]  # every one of these has cleaners
            ax.errorbar(
                *np.transpose(found), fmt=marker, color=colour, ms=points(7), mec="white", mew=points(0.6),
                elinewidth=points(1), label=crew_name(crew),
            )  # fmt: skip
        if level is not None:
            ax.axhline(level, color=INK, ls="--", lw=points(1.1), label="no contract (for cleaners: 0)", zorder=1)
        if turn is not None:
            ax.axvspan(*turn[1:], color=crew_style(turn[0])[0], alpha=0.25, lw=0, zorder=0,
                       label=f"{_BEGIN} {crew_name(turn[0])} begin{'s' * (turn[0] == 1)} to work")  # fmt: skip
    for ax in axes[-1 if style.narrow else -2 :]:
        ax.set_xlabel(TAX)
    handles = {str(label): handle for ax in axes for handle, label in zip(*named(ax), strict=True)}
    labels = sorted(handles, key=lambda label: label.startswith(_BEGIN))
    legend(figure, [handles[label] for label in labels], labels, style, "outside lower center")
    return figure


def turn_to_work(trials: Sequence[TrialRecord]) -> tuple[int, float, float] | None:
    """Crew size, highest idle tax and lowest working tax above it, where these two are nearest; or None."""
    found = []
    for crew in {of_cleanup(t.contract).n_cleaners for t in trials}:
        shots = {
            of_cleanup(t.contract).tax: outcome_of(t).shots.mean
            for t in trials
            if of_cleanup(t.contract).n_cleaners == crew
        }
        taxes = sorted(shots)
        found += [
            (high - low, crew, low, high)
            for low, high in itertools.pairwise(taxes)
            if shots[low] < WORKING <= shots[high]
        ]
    return min(found)[1:] if found else None


def _title_of_work(trials: Sequence[TrialRecord]) -> str:
    turn = turn_to_work(trials)
    if turn is not None:
        crew, low, high = turn
        whom = "a crew of one" if crew == 1 else f"a crew of {crew}"
        return f"Between tax {low:g} and {high:g} {whom} turns from idle to working"
    working = [outcome_of(t).shots.mean >= WORKING for t in trials]
    if not working or all(working):
        return "Every crew works under every contract that was tried"
    return "Some crews work and some are idle" if any(working) else "No crew works under any contract that was tried"


def _finished(record: StudyRecord) -> list[TrialRecord]:
    trials = record.finished()
    if not trials:
        raise ContractsError("no contract has been evaluated yet")
    return trials


def outcome_of(trial: TrialRecord) -> Outcome:
    """The outcome of a finished trial."""
    if trial.outcome is None:
        raise ContractsError(f"trial {trial.number} has no outcome")
    return trial.outcome
