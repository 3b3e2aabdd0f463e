"""Means with their intervals, differences within pairs, and how they are printed, stored and drawn."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from optimiser_bench.optimisers import OPTIMISERS, REFERENCE
from optimiser_bench.runner import Run

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean and half the width of its 95 % interval (Student's t over runs); NaN from a single run."""

    mean: float
    half: float

    @classmethod
    def of(cls, values: npt.ArrayLike) -> Interval:
        """Summarise values (n,)."""
        from scipy.stats import t

        x = np.asarray(values, dtype=float)
        n = len(x)
        if n < 2:
            return cls(mean=float(x.mean()), half=float("nan"))
        return cls(mean=float(x.mean()), half=float(t.ppf(0.975, n - 1) * x.std(ddof=1) / np.sqrt(n)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One optimiser at one budget."""

    setting: str
    optimiser: str
    evaluations: int
    runs: int
    mean: float
    half: float
    """Half the 95 % interval of the mean."""
    behind: float
    """Mean of (this - reference) over pairs of runs that share problem and seed; > 0: the reference is ahead."""
    behind_half: float
    solved: float
    """Share of runs that found the best."""
    seconds: float
    """CPU time per suggestion, median of the runs."""


def rows_of(runs: Sequence[Run], setting: str, budgets: Sequence[int], solved: float = 0.0) -> list[Row]:
    """One row per optimiser and budget, the reference first; a run is solved at a regret of at most `solved`.

    Differences are over what both have run.
    """
    of = {name: {(r.job.problem, r.job.seed): r for r in runs if r.job.optimiser == name} for name in OPTIMISERS}
    rows = []
    for name, mine in of.items():
        for t in budgets if mine else ():
            own = Interval.of([run.regrets[t] for run in mine.values()])
            shared = [key for key in mine if key in of[REFERENCE]]
            gaps = [mine[key].regrets[t] - of[REFERENCE][key].regrets[t] for key in shared]
            behind = Interval.of(gaps) if gaps else Interval(mean=float("nan"), half=float("nan"))
            rows.append(
                Row(
                    setting=setting, optimiser=name, evaluations=t, runs=len(mine), mean=own.mean, half=own.half,
                    behind=behind.mean, behind_half=behind.half,
                    solved=float(np.mean([run.regrets[t] <= solved for run in mine.values()])),
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
    """Print means with intervals, the paper's own means, and the differences against the reference."""
    budgets = sorted({row.evaluations for row in rows})
    names = list(dict.fromkeys(row.optimiser for row in rows))
    at = {(row.optimiser, row.evaluations): row for row in rows}
    print(f"\n{title}")
    heads = "".join(f"{f'T = {t}':>16}" for t in budgets)
    print(f"{'':18}{heads}{'solved':>9}{'CPU s':>8}{'runs':>6}")
    for name in names:
        cells = [at[name, t] for t in budgets]
        means = "".join(f"{f'{c.mean:{form}} ± {c.half:{form}}':>16}" for c in cells)
        print(f"{name:18}{means}{cells[-1].solved:>9.0%}{cells[-1].seconds:>8.3f}{cells[-1].runs:>6}")
    for name, values in paper.items():
        print(f"{name + ' (printed)':18}" + "".join(f"{value:>16.1f}" for value in values[: len(budgets)]))
    if REFERENCE not in names:
        return
    print("behind the first row, paired:")
    for name in names[1:]:
        cells = [at[name, t] for t in budgets]
        print(f"{name:18}" + "".join(f"{f'{c.behind:{form}} ± {c.behind_half:{form}}':>16}" for c in cells))
    print(f"ahead of it beyond the interval: {', '.join(ahead_of_reference(rows)) or 'none'}")


def ahead_of_reference(rows: Sequence[Row]) -> list[str]:
    """Name what is ahead of the reference by more than the interval of the difference."""
    return [f"{row.optimiser} at T = {row.evaluations}" for row in rows if row.behind + row.behind_half < 0]


def draw(
    path: Path,
    panels: Mapping[str, Mapping[str, Floats]],
    label: str,
    *,
    log: bool = True,
    bands: bool = False,
    prior: int | None = None,
) -> None:
    """Draw mean curves: title -> optimiser -> values (runs, 1 + evaluations); the first with its 95 % band.

    With `log` the axis is logarithmic above 10 and straight below, so that 0 has a place. With `bands` all have one.
    With `prior`, the size of the prior set, evaluations are counted from its first.
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
            rows = [Interval.of(column) for column in values.T]
            mean, half = np.array([r.mean for r in rows]), np.array([r.half for r in rows])
            steps = np.arange(len(rows)) + (prior or 0)
            axis.plot(steps, mean, color=colours[name], label=name, linewidth=2.5 if name == names[0] else 1.2)
            if bands or name == names[0]:
                axis.fill_between(steps, mean - half, mean + half, color=colours[name], alpha=0.2, linewidth=0)
        axis.set(title=title)
        axis.xaxis.get_major_locator().set_params(integer=True)
        if log:
            axis.set_yscale("symlog", linthresh=10)
            axis.set_ylim(bottom=0)
    axes[0][0].legend(fontsize=7)
    figure.supxlabel("evaluations after the prior set" if prior is None else "evaluations", fontsize="medium")
    figure.supylabel(label, fontsize="medium")
    figure.savefig(path, dpi=120)
    plt.close(figure)
