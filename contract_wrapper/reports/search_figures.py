"""The figures of a search, one function each: a record in, a matplotlib Figure out.

Amounts are apples per episode; welfare is coloured by the map `cividis`, and what a colour says, a
marker says too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.participation import PARTICIPATION, worst_harvester_margin
from contract_wrapper.evaluation.published_results import PAPER, SCRIPTED_CREW, SCRIPTED_HARVEST, same_game
from contract_wrapper.reports.style import CLEANER, FAINT, GREEN, GREY, HARVESTER, INK, canvas, empty_figure, plain
from contract_wrapper.studies.record import Phase, StudyRecord, TrialRecord

CREWS = (("#E69F00", "o"), ("#56B4E9", "s"), ("#009E73", "^"), ("#0072B2", "D"), ("#D55E00", "v"), ("#CC79A7", "P"))
"""Colour and marker of a crew of 1, 2, ... cleaners, from the start again after the last."""

WORKING = 10.0
"""Shots per episode from which a crew counts as working; idle crews fire none or a stray few."""


def draw_designs(record: StudyRecord) -> Figure:
    """All evaluated contracts over tax and cleaners, coloured by welfare; crosses are refused."""
    trials = _finished(record)
    good = record.ranked()
    values = [_outcome(t).welfare.mean for t in trials]
    figure, ax = canvas(9.6, 6.0, _title_of_designs(record, trials, good))
    norm = Normalize(min(values), max(values))
    chosen = {t.number for t in good}
    for accepts, marker, label in ((True, "o", "accepted by everybody"), (False, "X", "refused by somebody")):
        some = [t for t in trials if (t.number in chosen) == accepts]
        if record.baseline is None and not accepts:
            marker, label = "D", "acceptance unknown (no baseline)"
        if some:
            ax.scatter(
                [t.contract.tax for t in some], [t.contract.n_cleaners for t in some],
                c=[_outcome(t).welfare.mean for t in some], cmap="cividis", norm=norm, marker=marker,
                s=95 if len(trials) <= 15 else 60, edgecolors=INK, linewidths=0.7, label=label, zorder=3,
            )  # fmt: skip
    if record.baseline is not None:
        text = f"no contract: {record.baseline.welfare.mean:.1f}"
        ax.plot([0], [0], "s", ms=10, mfc="white", mec=INK, label=text, zorder=3, ls="none")
    if same_game(record.settings.game):
        at = ([PAPER.contract.tax], [PAPER.contract.n_cleaners])
        text = f"paper's best ({PAPER.contract}): {PAPER.welfare}"
        ax.plot(*at, "*", ms=17, mfc="none", mec=HARVESTER, mew=1.6, label=text, zorder=4, ls="none")
    if good:
        best = good[0].contract
        ax.plot([best.tax], [best.n_cleaners], "o", ms=19, mfc="none", mec=GREEN, mew=2.2, zorder=4,
                label=f"best: {best}", ls="none")  # fmt: skip
    most = max(PAPER.contract.n_cleaners, *(t.contract.n_cleaners for t in trials))
    taxes = [t.contract.tax for t in trials]
    room = 0.06 * max(*taxes, 0.1)
    ax.set(
        xlabel="tax (share of harvest income)", ylabel="cleaners recruited", ylim=(-0.6, most + 0.75),
        xlim=(-room, max(*taxes, 0.1) + room), yticks=range(most + 1),
    )  # fmt: skip
    ax.grid(axis="y", color=FAINT, lw=0.5)
    figure.colorbar(ax.collections[0], ax=ax, label="welfare (apples per episode)", pad=0.02)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9, markerscale=0.7)
    _number(figure, ax, trials, good[0].number if good else None)
    return figure


def _title_of_designs(record: StudyRecord, trials: Sequence[TrialRecord], good: Sequence[TrialRecord]) -> str:
    if record.baseline is None:
        return f"{len(trials)} contracts; without a baseline nobody knows which are accepted"
    if not good:
        return f"None of {len(trials)} contracts is accepted by everybody"
    best = good[0]
    return (
        f"Best accepted contract: {best.contract} (trial {best.number}), welfare {_outcome(best).welfare.mean:.1f}; "
        f"{len(good)} of {len(trials)} are accepted"
    )


def _number(figure: Figure, ax: Axes, trials: Sequence[TrialRecord], best: int | None) -> None:
    """Write each trial's number beside its point, at the first place where it covers nothing."""
    figure.draw_without_rendering()  # fixes the layout, so that distances can be taken in points
    per_point = figure.dpi / 72
    points = ax.transData.transform([(t.contract.tax, t.contract.n_cleaners) for t in trials]) / per_point
    taken: list[tuple[float, float]] = [tuple(p) for p in points]
    places = [(0, 13), (0, -13), (11, 9), (-11, 9), (11, -9), (-11, -9), (0, 23), (0, -23), (12, 20), (-12, 20)]
    for trial, (x, y) in sorted(zip(trials, points, strict=True), key=lambda pair: pair[0].number != best):
        mine = trial.number == best
        half, far = (24, 6) if mine else (11, 0)  # a longer text, outside of its ring
        free = (
            (dx, dy + np.sign(dy) * far) for dx, dy in places
            if all(abs(x + dx - u) > half or abs(y + dy + np.sign(dy) * far - v) > 9.5 for u, v in taken)
        )  # fmt: skip
        dx, dy = next(free, (0, 33))
        taken += [(x + dx + aside, y + dy) for aside in ((-12, 0, 12) if mine else (0,))]
        ax.annotate(
            f"{trial.number}: best" if mine else str(trial.number), (trial.contract.tax, trial.contract.n_cleaners), (dx, dy),
            arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.5, "shrinkB": 4} if abs(dy) >= 20 else None,
            textcoords="offset points", ha="center", va="center", fontsize=8, zorder=5,
            color=GREEN if mine else INK, weight="bold" if mine else "normal",
        )  # fmt: skip


def draw_best_feasible(record: StudyRecord) -> Figure:
    """Best accepted welfare against evaluations, beside the baseline and figures from elsewhere."""
    trials = _finished(record)
    chosen = {t.number for t in record.ranked()}
    numbers = [t.number for t in trials]
    values = np.array([_outcome(t).welfare.mean for t in trials])
    good = np.array([t.number in chosen for t in trials])
    so_far = np.fmax.accumulate(np.where(good, values, np.nan))
    title = "No accepted contract was found yet"
    if good.any():
        first = numbers[int(np.nanargmax(so_far))]
        title = f"The search reached welfare {np.nanmax(so_far):.1f} in trial {first}"
        if record.baseline is not None and record.baseline.welfare.mean > 0:
            title += f", {np.nanmax(so_far) / record.baseline.welfare.mean:.1f} times that without a contract"
    figure, ax = canvas(8.6, 5.0, title)
    initial = [t.number for t in trials if t.phase is Phase.INITIAL]
    if initial:
        ax.axvspan(0.5, max(initial) + 0.5, color="#EEEEEE", zorder=0, label="initial designs")
    ax.step([*numbers, numbers[-1] + 0.5], [*so_far, so_far[-1]], where="post", color=GREEN, lw=2.4,
            label="best accepted so far")  # fmt: skip
    at = np.array(numbers)
    ax.plot(at[good], values[good], "o", color=GREEN, ms=6, mec="white", label="accepted by everybody")
    word = "refused by somebody" if record.baseline is not None else "acceptance unknown"
    ax.plot(at[~good], values[~good], "x", color=GREY, ms=7, mew=1.4, alpha=0.7, label=word)
    levels = [] if record.baseline is None else [(record.baseline.welfare.mean, "no contract", INK, "--")]
    if same_game(record.settings.game):
        crew = f"scripted players, {SCRIPTED_CREW} cleaners,\nno errors, no costs"
        levels += [(PAPER.welfare, "paper's best", HARVESTER, "-."), (SCRIPTED_HARVEST, crew, CLEANER, ":")]
    _levels(ax, levels)
    ax.margins(y=0.08)
    ax.set(xlabel="evaluation (trial number)", ylabel="welfare (apples per episode)", xlim=(0.5, numbers[-1] + 0.5))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def _levels(ax: Axes, levels: Iterable[tuple[float, str, str, str]]) -> None:
    """Draw horizontal lines, each named at the right edge."""
    for value, name, colour, style in levels:
        ax.axhline(value, color=colour, ls=style, lw=1.4, zorder=1)
        ax.annotate(f"{name}\n{value:.2f}".removesuffix(".00"), (1.01, value), xycoords=("axes fraction", "data"),
                    va="center", fontsize=9, color=colour, annotation_clip=False)  # fmt: skip


def draw_work_over_tax(record: StudyRecord) -> Figure:
    """Where crews begin to work: tax against shots, harvest and the utilities of the worst-off."""
    trials = [t for t in _finished(record) if t.contract.n_cleaners]
    figure = empty_figure(9.0, 6.6, _title_of_work(trials))
    axes = figure.subplots(2, 2, sharex=True).ravel()
    panels: tuple[tuple[str, Callable[[Outcome], Estimate | None]], ...] = (
        ("shots of the crew (per episode)", lambda o: o.shots),
        ("harvest (apples per episode)", lambda o: o.harvest),
        ("worst-off harvester's utility (apples per episode)", lambda o: o.worst_harvester),
        ("worst-off cleaner's utility (apples per episode)", lambda o: o.worst_cleaner),
    )
    for crew in sorted({t.contract.n_cleaners for t in trials}):
        colour, marker = CREWS[(crew - 1) % len(CREWS)]
        some = sorted((t for t in trials if t.contract.n_cleaners == crew), key=lambda t: t.contract.tax)
        taxes = [t.contract.tax for t in some]
        for k, (ax, (_, of)) in enumerate(zip(axes, panels, strict=True)):
            found = [e for t in some if (e := of(_outcome(t))) is not None]  # every one of these has cleaners
            ax.plot(taxes, [e.mean for e in found], color=colour, lw=0.8, alpha=0.45, zorder=1)
            ax.errorbar(
                taxes, [e.mean for e in found], yerr=[2 * e.se for e in found], fmt=marker, color=colour, ms=7,
                mec="white", mew=0.6, ecolor=colour, elinewidth=1,
                label=f"{crew} cleaner{'s' if crew > 1 else ''}" if k == 0 else None,
            )  # fmt: skip
    base = record.baseline
    for ax, (label, _), level in zip(
        axes, panels, (None, base and base.harvest.mean, base and base.worst_harvester.mean, 0.0), strict=True
    ):
        plain(ax)
        ax.set_title(label, fontsize=10, loc="left")
        if level is not None:
            text = None if ax is not axes[1] else "no contract (for cleaners: 0)"
            ax.axhline(level, color=INK, ls="--", lw=1.1, label=text, zorder=1)
    for ax in axes[2:]:
        ax.set_xlabel("tax (share of harvest income)")
    figure.legend(loc="outside lower center", ncols=6, frameon=False, fontsize=9)
    return figure


def turn_to_work(trials: Sequence[TrialRecord]) -> tuple[int, float, float] | None:
    """Crew size, highest idle tax and lowest working tax above it, where these two are nearest; or None."""
    found = []
    for crew in {t.contract.n_cleaners for t in trials}:
        shots = {t.contract.tax: _outcome(t).shots.mean for t in trials if t.contract.n_cleaners == crew}
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
    working = [_outcome(t).shots.mean >= WORKING for t in trials]
    if not working or all(working):
        return "Every crew works under every contract that was tried"
    return "Some crews work and some are idle" if any(working) else "No crew works under any contract that was tried"


def draw_margins(record: StudyRecord, most: int = 8, nearest: int = 2) -> Figure:
    """Margins of the best accepted contracts and of the nearest refused ones, with their errors."""
    good, bad = record.ranked()[:most], record.infeasible_trials()[:nearest]
    shown = [*good, *bad]
    if not shown:
        raise ContractsError("margins need the baseline and at least one finished contract")
    title = "None of the contracts tried is accepted by everybody"
    if good:
        gains = record.margins(good[0])
        title = (
            f"The best contract gives every harvester at least {worst_harvester_margin(gains).mean:.1f} apples more "
            f"than no contract, and every cleaner {gains[PARTICIPATION].mean:.1f} above its minimum"
        )
    figure = empty_figure(9.0, max(3.0, 1.9 + 0.46 * len(shown)), title)
    axes = figure.subplots(1, 2, sharey=True)
    rows = np.arange(len(shown))
    margins = [record.margins(t) for t in shown]
    parts = (
        ("worst-off harvester's gain", HARVESTER, "o", [worst_harvester_margin(m) for m in margins]),
        ("worst-off cleaner above its minimum", CLEANER, "s", [m[PARTICIPATION] for m in margins]),
    )
    for ax, (label, colour, marker, found) in zip(axes, parts, strict=True):
        for e, row, trial in zip(found, rows, shown, strict=True):
            ax.errorbar([e.mean], [row], xerr=[2 * e.se], fmt=marker, color=colour, ms=7, capsize=3,
                        mfc=colour if trial in good else "white")  # fmt: skip
        ax.axvline(0.0, color=INK, lw=1)
        low, high = ax.get_xlim()
        ax.axvspan(min(low, -0.04 * (high - low)), 0.0, color="#F3E3DA", zorder=0)
        ax.set_xlim(min(low, -0.04 * (high - low)), high)
        plain(ax)
        ax.set_title(label, fontsize=10, loc="left")
        ax.set_xlabel("margin (apples per episode; bars: ± 2 se)")
        ax.grid(axis="x", color=FAINT, lw=0.5)
    axes[0].set_yticks(rows, [_row_label(t, t in good) for t in shown], fontsize=9)
    axes[0].set_ylim(len(shown) - 0.5, -0.5)
    if good and bad:
        for ax in axes:
            ax.axhline(len(good) - 0.5, color=GREY, lw=0.8, ls=":")
    return figure


def _row_label(trial: TrialRecord, accepts: bool) -> str:
    word = "" if accepts else ", refused"
    return f"{trial.contract}\ntrial {trial.number}, welfare {_outcome(trial).welfare.mean:.0f}{word}"


def _finished(record: StudyRecord) -> list[TrialRecord]:
    trials = record.finished()
    if not trials:
        raise ContractsError("no contract has been evaluated yet")
    return trials


def _outcome(trial: TrialRecord) -> Outcome:
    if trial.outcome is None:
        raise ContractsError(f"trial {trial.number} has no outcome")
    return trial.outcome
