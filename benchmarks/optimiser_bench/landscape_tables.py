"""Regrets on a landscape with intervals that count runs and trainings, and how they are printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.tabular import TabularProblem
from optimiser_bench.clustered import share
from optimiser_bench.landscape_runs import EVERYTHING, SearchRun
from optimiser_bench.optimisers import OPTIMISERS, REFERENCE

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 1000
"""Times that the landscape's trainings are drawn again, with replacement."""

FOOT = (
    "recommended: of the contracts read as accepted, the one worth most by the surrogates; luckiest: the one",
    "  of these with the highest reading. Regret by the mean over trainings; a contract that somebody refuses by that",
    "  mean is not signed and counts as no contract (refused: share of such runs; if signed: mean of the others). As best:",
    "  share of runs that recommend a contract which the landscape cannot tell from its best.",
    "± runs: half the 95 % interval by Student's t over runs, the landscape's trainings taken as they are.",
    "± both: half of the interval that speaks of other trainings, too: the variance of the runs' mean, and the variance of",
    "  this mean when the truth is computed anew from {s} trainings drawn from the landscape's with replacement ({b} times,",
    "  the runs and their readings fixed; times S/(S-1)), added; Student's t with Welch and Satterthwaite's degrees of freedom.",
    "In brackets: 95 % interval of a share by Clopper and Pearson, the runs as trials, on these trainings.",
    "nan: a single run or training, or runs that are all alike, which do not tell how others differ.",
    "behind cPMES: paired by run; all {m} intervals of the table hold together (Bonferroni).",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truths:
    """Regret of every contract, by the landscape and by landscapes of its trainings drawn again."""

    regrets: Floats
    """(1 + B, K), in apples per episode: first by all trainings once, then by each draw; B is 0 with one training."""

    n_trainings: int
    """S."""

    luck: float
    """Apples by which the highest mean over trainings is too high, as far as the draws tell: all regrets share it."""


def truths(landscape: Landscape, resamples: int = RESAMPLES, seed: int = 0) -> Truths:
    """Draw the trainings again and again, and compute the regret of every contract each time."""
    n = len(landscape.seeds)
    weights = np.full((1, n), 1.0 / n)
    if n > 1:
        drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=resamples) / n
        weights = np.vstack([weights, drawn])
    welfare = weights @ landscape.welfare
    margins = np.tensordot(weights, np.nan_to_num(landscape.margins()), axes=1)
    accepted = np.asarray((margins >= 0.0).all(axis=2), np.bool_)
    accepted[:, 0] = False
    highest = np.where(accepted, welfare, -np.inf)
    best = np.where(accepted.any(axis=1), highest.max(axis=1), welfare[:, 0])
    regrets = best[:, None] - np.where(accepted, welfare, welfare[:, :1])
    place = int(highest[0].argmax())  # of no contract if none is accepted, whose regret is then 0
    luck = float(regrets[1:, place].mean()) if len(regrets) > 1 else float("nan")
    return Truths(regrets=regrets, n_trainings=n, luck=luck)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A mean over runs, and half the widths of its two intervals."""

    mean: float
    runs: float
    """Over runs alone; NaN from a single run, and from runs that are all alike."""
    both: float
    """Over runs and trainings, at least that over runs; NaN from a single run or training, or runs all alike."""

    @classmethod
    def of(cls, values: Floats, n_trainings: int, among: int = 1) -> Counted:
        """Summarise values (1 + B, runs), first by the truth, then by its draws; `among` intervals hold together."""
        from scipy.stats import t

        n, level = values.shape[1], 1.0 - (1.0 - CONFIDENCE) / (2 * among)
        mean = float(values[0].mean())
        if n < 2 or np.ptp(values[0]) == 0.0:
            return cls(mean=mean, runs=float("nan"), both=float("nan"))
        of_runs = float(values[0].var(ddof=1)) / n
        runs = float(t.ppf(level, n - 1)) * of_runs**0.5
        if n_trainings < 2:
            return cls(mean=mean, runs=runs, both=float("nan"))
        of_trainings = float(values[1:].mean(axis=1).var()) * n_trainings / (n_trainings - 1)
        total = of_runs + of_trainings
        freedom = total**2 / (of_runs**2 / (n - 1) + of_trainings**2 / (n_trainings - 1))
        return cls(mean=mean, runs=runs, both=max(runs, float(t.ppf(level, freedom)) * total**0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class LandscapeRow:
    """One optimiser with one batch at one number of evaluations; halves of 95 % intervals as in `Counted`."""

    landscape: str
    batch: int
    optimiser: str
    evaluations: int
    """The initial designs included, the baseline not."""
    runs: int
    regret: float
    """Of the recommended contract, apples per episode."""
    regret_runs: float
    regret_both: float
    luckiest: float
    """Regret of the contract with the highest reading."""
    luckiest_runs: float
    luckiest_both: float
    signed: float
    """Mean regret of the runs that recommend a contract which everybody truly accepts; NaN: there are none."""
    refused: float
    """Share of runs that recommend a contract which somebody truly refuses."""
    refused_low: float
    """Ends of its 95 % interval, over runs on these trainings."""
    refused_high: float
    as_best: float
    """Share of runs that recommend a contract which cannot be told from the best one."""
    as_best_low: float
    as_best_high: float
    behind: float
    """Mean of (this - reference) over pairs of runs with one seed; > 0: the reference is ahead."""
    behind_runs: float
    behind_both: float
    verdict: str
    seconds: float
    """CPU time per suggestion, median of the runs."""


def landscape_rows(
    name: str, landscape: Landscape, truth: Truths, runs: Sequence[SearchRun], evaluations: Sequence[int]
) -> list[LandscapeRow]:
    """One row per batch, optimiser and number of evaluations, the reference first; then the yardstick's.

    The intervals of differences at one number of evaluations hold together over all batches and optimisers.
    """
    accepted = TabularProblem(landscape=landscape).feasible()
    tied = landscape.indistinguishable(accepted) if accepted.any() else np.zeros(len(accepted), np.bool_)
    order = [*OPTIMISERS, EVERYTHING]
    keys = sorted({(r.job.optimiser == EVERYTHING, r.job.batch, order.index(r.job.optimiser)) for r in runs})
    of = {
        (batch, order[o]): {r.job.seed: r for r in runs if (r.job.batch, r.job.optimiser) == (batch, order[o])}
        for _, batch, o in keys
    }
    n_pairs = sum(o not in (REFERENCE, EVERYTHING) and (batch, REFERENCE) in of for batch, o in of)
    rows = []
    for (batch, optimiser), mine in of.items():
        base = of.get((batch, REFERENCE), {}) if optimiser != EVERYTHING else {}
        shared = [seed for seed in mine if seed in base]
        whole = optimiser == EVERYTHING
        for n in [len(accepted) - 1] if whole else evaluations:

            def regrets(of_runs: Sequence[SearchRun], what: Callable[[SearchRun], Sequence[int]], n: int = n) -> Floats:
                return truth.regrets[:, [what(r)[_place(r, n)] for r in of_runs]]

            own = Counted.of(regrets(list(mine.values()), recommended), truth.n_trainings)
            luck = Counted.of(regrets(list(mine.values()), luckiest), truth.n_trainings)
            gaps = regrets([mine[s] for s in shared], recommended) - regrets([base[s] for s in shared], recommended)
            nothing = Counted(mean=float("nan"), runs=float("nan"), both=float("nan"))
            behind = Counted.of(gaps, truth.n_trainings, max(n_pairs, 1)) if shared else nothing
            last = np.array([r.recommended[_place(r, n)] for r in mine.values()])
            refused, as_best = (share(flags, list(mine)) for flags in ((last > 0) & ~accepted[last], tied[last]))
            rows.append(
                LandscapeRow(
                    landscape=name, batch=batch, optimiser=optimiser, evaluations=n, runs=len(mine),
                    regret=own.mean, regret_runs=own.runs, regret_both=own.both,
                    luckiest=luck.mean, luckiest_runs=luck.runs, luckiest_both=luck.both,
                    signed=float(truth.regrets[0, last[accepted[last]]].mean()) if accepted[last].any() else float("nan"),
                    refused=refused.share, refused_low=refused.low, refused_high=refused.high,
                    as_best=as_best.share, as_best_low=as_best.low, as_best_high=as_best.high,
                    behind=behind.mean, behind_runs=behind.runs, behind_both=behind.both,
                    verdict=verdict(behind) if shared and optimiser != REFERENCE else "",
                    seconds=float(np.median([r.seconds for r in mine.values()])),
                )
            )  # fmt: skip
    return rows


def recommended(run: SearchRun) -> Sequence[int]:
    """Contracts that a run recommends, one after another."""
    return run.recommended


def luckiest(run: SearchRun) -> Sequence[int]:
    """Contracts with the highest reading, one after another."""
    return run.luckiest


def _place(run: SearchRun, evaluations: int) -> int:
    return evaluations - run.job.n_prior


def verdict(behind: Counted) -> str:
    """Whether a difference to the reference is beyond its interval: of both, or of the runs alone."""
    side = f"behind {REFERENCE}" if behind.mean > 0 else f"ahead of {REFERENCE}"
    if np.isfinite(behind.both) and abs(behind.mean) > behind.both:
        return side
    if abs(behind.mean) > behind.runs:
        return f"{side} on these trainings, but not told apart on others"
    return f"not told apart from {REFERENCE}"


def table_lines(name: str, landscape: Landscape, truth: Truths, rows: Sequence[LandscapeRow]) -> list[str]:
    """Write the table of one landscape: a part per batch, the yardsticks, and how its intervals are made.

    Of the numbers of evaluations there are, the two last are shown.
    """
    problem, n = TabularProblem(landscape=landscape), truth.n_trainings
    best = problem.best()
    at = {(r.batch, r.optimiser, r.evaluations): r for r in rows if r.optimiser != EVERYTHING}
    points = sorted({evaluations for *_, evaluations in at})
    shown = points[-2:]
    lines = [
        f"{name}: {len(landscape.tax) - 1} contracts, {n} training{'s' if n > 1 else ''}; welfare "
        f"{landscape.welfare.mean(axis=0)[0]:.1f} without a contract, "
        + ("nothing is accepted" if best.is_none else f"{problem.truth(best).welfare:.1f} with the best, {best}"),
        "regret of the recommended contract after so many evaluations, apples per episode",
    ]
    for batch in dict.fromkeys(batch for batch, *_ in at):
        names = list(dict.fromkeys(o for b, o, _ in at if b == batch))
        heads = "".join(f"{f'after {t}':>12}{'± runs':>8}{'± both':>8}" for t in shown)
        lines += ["", f"{f'batch {batch}':16}{heads}{'luckiest':>12}{'± runs':>8}{'± both':>8}"
                  f"{'if signed':>11}{'refused':>16}{'as best':>18}{'CPU s':>8}{'runs':>6}"]  # fmt: skip
        lines += [_line(o, [at[batch, o, t] for t in shown]) for o in names]
        rivals = [o for o in names if at[batch, o, shown[-1]].verdict]
        lines += [f"behind {REFERENCE}, paired:"] if rivals else []
        for o in rivals:
            cells = [at[batch, o, t] for t in shown]
            numbers = "".join(f"{c.behind:12.1f}{c.behind_runs:8.1f}{c.behind_both:8.1f}" for c in cells)
            lines.append(f"{o:16}{numbers}   {cells[-1].verdict}")
    last = [row for (_, _, t), row in at.items() if t == points[-1]]
    lines += ["", *_verdicts(last), f"no contract: a regret of {truth.regrets[0, 0]:.1f}"]
    lines += [f"after the initial designs, {points[0]} evaluations: {next(iter(at.values())).regret:.1f}"] if at else []
    lines += [_yardstick(row) for row in rows if row.optimiser == EVERYTHING]
    lines += ["", *(line.format(s=n, b=RESAMPLES, m=sum(bool(r.verdict) for r in last)) for line in FOOT)]
    lines.append(
        f"The best mean over {n} trainings is itself too high, by about {truth.luck:.1f} by these draws; so are all regrets."
        if n > 1
        else "One training: evaluations have no noise, and nothing says how other trainings differ."
    )
    return lines


def _line(optimiser: str, cells: Sequence[LandscapeRow]) -> str:
    numbers = "".join(f"{c.regret:12.1f}{c.regret_runs:8.1f}{c.regret_both:8.1f}" for c in cells)
    c = cells[-1]
    refused = f"{c.refused:.0%} ({c.refused_low:.0%} to {c.refused_high:.0%})"
    as_best = f"{c.as_best:.0%} ({c.as_best_low:.0%} to {c.as_best_high:.0%})"
    shares = f"{c.signed:11.1f}{refused:>16}{as_best:>18}{c.seconds:>8.3f}{c.runs:>6}"
    return f"{optimiser:16}{numbers}{c.luckiest:12.1f}{c.luckiest_runs:8.1f}{c.luckiest_both:8.1f}{shares}"


def _yardstick(r: LandscapeRow) -> str:
    return (
        f"each of the {r.evaluations} contracts evaluated once: {r.regret:.1f} ± {r.regret_runs:.1f} (both ± "
        f"{r.regret_both:.1f}) recommended ({r.refused:.0%} refused, at most {r.refused_high:.0%} by the interval; "
        f"{r.signed:.1f} if signed); {r.luckiest:.1f} ± {r.luckiest_runs:.1f} (both ± {r.luckiest_both:.1f}) luckiest; {r.runs} runs"
    )


def _verdicts(last: Sequence[LandscapeRow]) -> list[str]:
    """Say who is ahead of the reference, behind it, or cannot be told from it."""
    return [
        f"{said}: " + ", ".join(f"{r.optimiser} (batch {r.batch})" for r in last if r.verdict == said)
        for said in sorted({r.verdict for r in last if r.verdict})
    ]
