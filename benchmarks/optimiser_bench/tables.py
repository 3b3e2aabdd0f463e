"""Means with their intervals, differences within pairs, and how they are printed, stored and drawn."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from optimiser_bench.clustered import Interval, interval, plus_minus, share, unit_means
from optimiser_bench.optimisers import OPTIMISERS, REFERENCE
from optimiser_bench.runner import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One optimiser at one budget; all intervals are of 95 % and over `units`."""

    setting: str
    optimiser: str
    evaluations: int
    runs: int
    unit: str
    """What is independent: 'instance', 'problem', or 'run' where the instance is all that is asked about."""
    units: int
    mean: float
    half: float
    """Half the interval of the mean; NaN if all units are alike."""
    behind: float
    """Mean of (this - reference) over pairs of runs that share problem and seed; > 0: the reference is ahead."""
    behind_half: float
    """Half its interval; NaN if the differences of all units are alike."""
    solved: float
    """Share of runs that found the best."""
    solved_low: float
    solved_high: float
    seconds: float
    """CPU time per suggestion, median of the runs."""


UNITS: dict[str, Callable[[Run], Hashable]] = {
    "instance": lambda run: run.job.problem,
    "problem": lambda run: run.job.problem,
    "run": lambda run: (run.job.problem, run.job.seed),
}
"""Name of an independent unit -> which one a run belongs to."""


def rows_of(
    runs: Sequence[Run], setting: str, budgets: Sequence[int], solved: float = 0.0, unit: str = "instance"
) -> list[Row]:
    """One row per optimiser and budget, the reference first; a run is solved at a regret of at most `solved`.

    Differences are over what both have run.
    """
    of = {name: {(r.job.problem, r.job.seed): r for r in runs if r.job.optimiser == name} for name in OPTIMISERS}
    rows = []
    for name, mine in of.items():
        units = [UNITS[unit](run) for run in mine.values()]
        shared = [key for key in mine if key in of[REFERENCE]]
        pairs = [UNITS[unit](mine[key]) for key in shared]
        for t in budgets if mine else ():
            own = interval([run.regrets[t] for run in mine.values()], units)
            behind = interval([mine[key].regrets[t] - of[REFERENCE][key].regrets[t] for key in shared], pairs)
            if name == REFERENCE:  # 0 by definition, not as far as these instances tell
                behind = Interval(mean=0.0, half=0.0, units=own.units)
            found = share([run.regrets[t] <= solved for run in mine.values()], units)
            rows.append(
                Row(
                    setting=setting, optimiser=name, evaluations=t, runs=len(mine), unit=unit, units=own.units,
                    mean=own.mean, half=own.half, behind=behind.mean, behind_half=behind.half,
                    solved=found.share, solved_low=found.low, solved_high=found.high,
                    seconds=float(np.median([run.seconds for run in mine.values()])),
                )
            )  # fmt: skip
    return rows


def write_rows(path: Path, rows: Sequence[Any]) -> None:
    """Write a table, rows of any one dataclass, as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(rows[0] if rows else Row)])
        writer.writeheader()
        writer.writerows({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in asdict(row).items()} for row in rows)


def print_rows(title: str, rows: Sequence[Row], paper: Mapping[str, Sequence[float]], *, form: str = ".0f") -> None:
    """Print means with intervals, the paper's own means, the differences against the reference, and what ± is."""
    budgets = sorted({row.evaluations for row in rows})
    names = list(dict.fromkeys(row.optimiser for row in rows))
    at = {(row.optimiser, row.evaluations): row for row in rows}
    print(f"\n{title}")
    heads = "".join(f"{f'T = {t}':>16}" for t in budgets)
    print(f"{'':18}{heads}{'solved':>20}{'CPU s':>8}{'runs':>6}")
    for name in names:
        cells = [at[name, t] for t in budgets]
        means = "".join(f"{plus_minus(c.mean, c.half, form):>16}" for c in cells)
        c = cells[-1]
        found = f"{c.solved:.0%} ({c.solved_low:.0%} to {c.solved_high:.0%})"
        print(f"{name:18}{means}{found:>20}{c.seconds:>8.3f}{c.runs:>6}")
    for name, values in paper.items():
        print(f"{name + ' (printed)':18}" + "".join(f"{value:>16.1f}" for value in values[: len(budgets)]))
    if REFERENCE in names:
        print("behind the first row, paired:")
        for name in names[1:]:
            cells = [at[name, t] for t in budgets]
            print(f"{name:18}" + "".join(f"{plus_minus(c.behind, c.behind_half, form):>16}" for c in cells))
        print(f"ahead of it beyond the interval: {', '.join(ahead_of_reference(rows)) or 'none'}")
        print(f"behind it beyond the interval: {', '.join(behind_reference(rows)) or 'none'}")
    for line in foot(rows):
        print(line)


def foot(rows: Sequence[Row]) -> list[str]:
    """Say what the intervals of a table are over."""
    lines = []
    for unit, n in dict.fromkeys((row.unit, row.units) for row in rows):
        first = ", whose runs are averaged first" if unit != "run" else ""
        lines.append(f"±: half the 95 % interval, Student's t over {n} {unit}{'s' if n > 1 else ''}{first}")
        lines.append(f"solved: share of runs at the last T (95 % interval of Clopper and Pearson, {unit}s as trials)")
    if any(math.isnan(half) for row in rows for half in (row.half, row.behind_half)):
        lines.append("in all: alike in all of them, which does not tell how others differ, so there is no interval")
    return lines


def ahead_of_reference(rows: Sequence[Row]) -> list[str]:
    """Name what is ahead of the reference by more than the interval of the difference."""
    return [f"{row.optimiser} at T = {row.evaluations}" for row in rows if row.behind + row.behind_half < 0]


def behind_reference(rows: Sequence[Row]) -> list[str]:
    """Name what is behind the reference by more than the interval, and at which budgets."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.behind - row.behind_half > 0:
            found.setdefault(row.optimiser, []).append(str(row.evaluations))
    return [f"{name} at T = {' '.join(budgets)}" for name, budgets in found.items()]


def curves_of(runs: Sequence[Run], optimisers: Sequence[str], unit: str = "instance") -> dict[str, Floats]:
    """Regrets of each optimiser that has runs, averaged within each unit, (units, 1 + evaluations)."""
    of = {name: [run for run in runs if run.job.optimiser == name] for name in optimisers}
    return {
        name: unit_means([run.regrets for run in mine], [UNITS[unit](run) for run in mine])
        for name, mine in of.items()
        if mine
    }


def draw(
    path: Path,
    panels: Mapping[str, Mapping[str, Floats]],
    label: str,
    *,
    over: str,
    log: bool = True,
    bands: bool = False,
    prior: int | None = None,
) -> None:
    """Draw mean curves: title -> optimiser -> values (units, 1 + evaluations); the first with its 95 % band.

    `over` names the units, for the line that says what the bands are. With `log` the axis is logarithmic above 10 and
    straight below, so that 0 has a place. With `bands` all have one. With `prior`, the size of the prior set,
    evaluations are counted from its first.
    """
    import matplotlib.pyplot as plt

    across = min(3, len(panels))
    down = -(-len(panels) // across)
    figure, axes = plt.subplots(
        down, across, figsize=(4.5 * across, 3.8 * down), squeeze=False, layout="constrained", sharex=True
    )
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    palette, size = ("tab10", 10) if bands and len(names) <= 10 else ("tab20", 20)  # bands need colours far apart
    colours: dict[str, Any] = {name: plt.get_cmap(palette)(k % size) for k, name in enumerate(names)}
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    for axis, (title, curves) in zip(axes.flat, panels.items(), strict=False):
        for name, values in curves.items():
            mean, half = band(values)
            steps = np.arange(len(mean)) + (prior or 0)
            axis.plot(steps, mean, color=colours[name], label=name, linewidth=2.5 if name == names[0] else 1.2)
            if bands or name == names[0]:
                axis.fill_between(steps, mean - half, mean + half, color=colours[name], alpha=0.2, linewidth=0)
        axis.set(title=title)
        axis.xaxis.get_major_locator().set_params(integer=True)
        if log:
            axis.set_yscale("symlog", linthresh=10)
            axis.set_ylim(bottom=0)
    axes[0][0].legend(fontsize=7)
    steps_are = "evaluations after the prior set" if prior is None else "evaluations"
    whose = "bands" if bands else f"band of {names[0]}" if names else "band"
    figure.supxlabel(f"{steps_are}\n{whose}: 95 % interval of the mean, Student's t over {over}", fontsize="medium")
    figure.supylabel(label, fontsize="medium")
    save_small(figure, path)
    plt.close(figure)


def band(values: Floats) -> tuple[Floats, Floats]:
    """Mean over independent units, (units, n) -> (n,), and half its 95 % interval; NaN where there is none."""
    found = [interval(column, range(len(column))) for column in values.T]
    half = np.array([it.half for it in found])
    return np.array([it.mean for it in found]), np.where(np.isfinite(half), half, np.nan)


def save_small(figure: Figure, path: Path) -> None:
    """Save a figure as PNG of 48 colours, a fifth of the size."""
    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=100)
    Image.open(drawn).convert("RGB").quantize(48, dither=Image.Dither.NONE).save(path, optimize=True)
