"""Is a landscape what trainings from scratch would show? Random contracts, each trained from scratch several times.

    python benchmarks/validate_landscape.py                     # effort, 30 contracts, 5 trainings each: 100 CPU-minutes
    python benchmarks/validate_landscape.py --stored --trainings benchmarks/results/validate_landscape-effort-trainings.csv

Contracts are drawn from the grid without replacement with --seed; no contract, which both have alike, is left out. Each
line shows welfare in the landscape and from scratch (means over trainings, ± standard deviation between trainings),
whether the contract is feasible in both (no margin below 0 as measured), and whether training from scratch reaches the
landscape's welfare: within 5 % of it, by the mean over trainings. Every training is a row of --trainings, written when it
ends; what is there, made by the same code, is not trained again, so that the command can be stopped and continued.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.evaluation.judging.code_version import code_version
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.worker_pool import Job, working
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.shipped import load_landscape
from contract_wrapper.progress import Pace, Progress
from contract_wrapper.reports.style import crew_name, crew_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOLERANCE = 0.05
"""Part of the landscape's welfare by which trainings from scratch may miss it and still reach it."""

Row = Mapping[str, str]
"""One training, as it stands in the file."""


class Trainings:
    """The trainings that are done, in a file: contract, seed, welfare, what each agent takes home, and what made it."""

    def __init__(self, path: Path, agents: Sequence[str], made_by: str) -> None:
        """Open the file, or begin it; `agents` are the columns of utilities."""
        self.path, self.made_by = path, made_by
        self.columns = ("tax", "n_cleaners", "seed", "welfare", "harvest", *agents, "cpu_seconds", "made_by")
        self.rows: dict[tuple[Contract, int], Row] = {}
        if path.exists():
            with path.open(newline="") as file:
                for row in csv.DictReader(file):
                    contract = Contract(tax=float(row["tax"]), n_cleaners=int(row["n_cleaners"]))
                    if row["made_by"] == made_by:
                        self.rows[contract, int(row["seed"])] = row

    @classmethod
    def stored(cls, path: Path, agents: Sequence[str]) -> Trainings:
        """What a file holds of the code that wrote its last row, whatever the code is now."""
        with path.open(newline="") as file:
            *_, last = csv.DictReader(file)
        return cls(path, agents, last["made_by"])

    def add(self, outcome: Outcome) -> None:
        """Take a training in, and write it."""
        new = not self.path.exists()
        row: dict[str, Any] = {
            "tax": outcome.contract.tax, "n_cleaners": outcome.contract.n_cleaners, "seed": outcome.seed,
            "welfare": outcome.welfare.mean, "harvest": outcome.harvest.mean, "cpu_seconds": round(outcome.cpu_seconds, 1),
            "made_by": self.made_by, **{agent: u.mean for agent, u in outcome.utilities.items()},
        }  # fmt: skip
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, self.columns, restval="", lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(row)
        self.rows[outcome.contract, outcome.seed] = {name: str(value) for name, value in row.items()}

    def of(self, contract: Contract, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """A column of a contract's trainings, by seed."""
        seeds = sorted(seed for c, seed in self.rows if c == contract)
        return np.array([float(self.rows[contract, seed][name]) for seed in seeds])

    def feasible(self, contract: Contract, harvesters: Sequence[str], cleaners: Sequence[str]) -> bool:
        """Whether no margin, mean over trainings, is below 0: harvesters against no contract, cleaners against nothing."""
        without = Contract.none()
        better = [self.of(contract, h).mean() >= self.of(without, h).mean() for h in harvesters]
        return all(better) and all(self.of(contract, c).mean() >= 0.0 for c in cleaners[: contract.n_cleaners])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--landscape", default="effort", help="name of a shipped one, or a file")
    parser.add_argument("--contracts", type=int, default=30)
    parser.add_argument("--number", type=int, default=5, help="trainings of each contract")
    parser.add_argument("--seed", type=int, default=2026, help="of the contracts drawn")
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("studies/validation"), help="of trainings under way")
    parser.add_argument("--trainings", type=Path, help="file of what is done (default: trainings.csv in the folder)")
    parser.add_argument("--csv", type=Path, help="write the table there, too")
    parser.add_argument("--picture", type=Path, help="draw welfare from scratch over the landscape's there, as PNG")
    parser.add_argument("--stored", action="store_true", help="print what --trainings holds, whatever code made it")
    options = parser.parse_args()

    landscape = load_landscape(options.landscape)
    drawn = np.random.default_rng(options.seed).choice(len(landscape.tax) - 1, options.contracts, replace=False) + 1
    contracts = [landscape.contracts()[k] for k in sorted(drawn)]
    costs = get_costs(str(landscape.about["costs"]))
    settings = EvaluationSettings(costs=costs, learner=options.profile)
    made_by = f"{code_version()}-{settings.fingerprint()}"
    path = options.trainings or options.folder / "trainings.csv"
    if options.stored:
        report(landscape, contracts, Trainings.stored(path, landscape.agents), options)
        return
    done = Trainings(path, landscape.agents, made_by)
    pairs = [(c, 1_000 + s) for s in range(options.number) for c in (Contract.none(), *contracts)]
    jobs = [Job(number=n, contract=c, seed=s) for n, (c, s) in enumerate(pairs) if (c, s) not in done.rows]
    progress, pace = Progress(sys.stderr, every=60.0), Pace(len(pairs) - len(jobs))

    def on_result(job: Job, result: Outcome | str) -> None:
        if isinstance(result, str):
            progress.say(f"{job.contract}, seed {job.seed}: failed: {result}")
        else:
            done.add(result)

    def on_tick() -> None:
        count = sum(pair in done.rows for pair in pairs)
        progress.show([f"{count}/{len(pairs)} trainings, about {pace.left(count, len(pairs))} left"])

    if jobs:
        with working(options.processes) as workers:
            workers.run(jobs, settings, options.folder, on_result, lambda _: None, on_tick)
    report(landscape, contracts, done, options)


def report(landscape: Landscape, contracts: Sequence[Contract], done: Trainings, options: argparse.Namespace) -> None:
    feasible, rows = landscape.feasible(), []
    harvesters, cleaners = ([a for a in landscape.agents if a.startswith(role)] for role in ("harvester", "cleaner"))
    for contract in contracts:
        scratch = done.of(contract, "welfare")
        if not len(scratch):
            continue
        k = landscape.number(contract)
        crews = landscape.welfare[:, k]
        rows.append({
            "tax": contract.tax, "cleaners": contract.n_cleaners, "landscape": crews.mean(),
            "landscape_sd": crews.std(ddof=1), "scratch": scratch.mean(),
            "scratch_sd": scratch.std(ddof=1) if len(scratch) > 1 else float("nan"), "trainings": len(scratch),
            "feasible_landscape": bool(feasible[k]),
            "feasible_scratch": done.feasible(contract, harvesters, cleaners),
            "reached": bool(scratch.mean() >= (1 - TOLERANCE) * crews.mean()),
        })  # fmt: skip
    print(
        f"landscape {options.landscape}, {len(rows)} contracts drawn with seed {options.seed}, profile {options.profile}"
    )
    print("welfare in apples per episode: mean over trainings ± standard deviation between them")
    print(
        f"{'tax':>5}{'cleaners':>9}{'landscape':>18}{'from scratch':>18}{'feasible':>12}{'from scratch':>14}  reached"
    )
    for r in rows:
        words = ["yes" if r[name] else "no" for name in ("feasible_landscape", "feasible_scratch", "reached")]
        print(
            f"{r['tax']:>5.2f}{r['cleaners']:>9}{r['landscape']:>10.1f} ± {r['landscape_sd']:>5.1f}"
            f"{r['scratch']:>10.1f} ± {r['scratch_sd']:>5.1f}{words[0]:>12}{words[1]:>14}  {words[2]}"
        )
    agree = sum(r["feasible_landscape"] == r["feasible_scratch"] for r in rows)
    ranks = np.corrcoef(*(np.argsort(np.argsort([r[name] for r in rows])) for name in ("landscape", "scratch")))[0, 1]
    sd = {name: float(np.sqrt(np.nanmean([r[name] ** 2 for r in rows]))) for name in ("landscape_sd", "scratch_sd")}
    print(
        f"\nfeasible or not alike in both: {agree} of {len(rows)}; reached from scratch: {sum(r['reached'] for r in rows)}; "
        f"rank correlation of welfare {ranks:.2f}\nstandard deviation between trainings (root mean square): landscape "
        f"{sd['landscape_sd']:.1f}, from scratch {sd['scratch_sd']:.1f}"
    )
    if options.picture is not None and rows:
        draw(landscape, contracts, done).savefig(options.picture, dpi=120)
    if options.csv is not None and rows:
        with options.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def draw(landscape: Landscape, contracts: Sequence[Contract], done: Trainings) -> Figure:
    """Welfare of every training from scratch (dashes) and their means (markers) over that of conditioned crews."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.6), layout="constrained")
    ax: Any = figure.subplots()
    named: set[int] = set()
    most = 0.0
    for contract in sorted(contracts, key=lambda c: c.n_cleaners):
        scratch, crew = done.of(contract, "welfare"), contract.n_cleaners
        if not len(scratch):
            continue
        colour, marker = crew_style(crew)
        here = float(landscape.welfare[:, landscape.number(contract)].mean())
        most = max(most, here, float(scratch.max()))
        ax.plot([here] * len(scratch), scratch, ls="", marker="_", ms=7, color=colour, alpha=0.6, zorder=2)
        label = None if crew in named else crew_name(crew)
        ax.plot(here, scratch.mean(), ls="", marker=marker, ms=6, color=colour, mec="white", zorder=3, label=label)
        named.add(crew)
    ax.plot([0, 1.04 * most], [0, 1.04 * most], color="#999999", lw=1, zorder=1)
    ax.annotate(
        "alike", (0.32 * most, 0.32 * most), xytext=(-4, 6), textcoords="offset points", ha="right", color="#777777"
    )
    ax.set(
        xlabel="conditioned crews: welfare in apples per episode, mean over trainings",
        ylabel="trained from scratch: welfare in apples per episode",
        xlim=(0, 1.04 * most), ylim=(0, 1.04 * most),
    )  # fmt: skip
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left")
    return figure


if __name__ == "__main__":
    main()
