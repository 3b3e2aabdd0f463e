"""Is a landscape what trainings from scratch would show? Random contracts, each trained from scratch several times.

    python benchmarks/validate_landscape.py                     # effort, 30 contracts, 5 trainings each

Contracts are drawn from the grid without replacement with --seed; no contract, which both have alike, is left out. Each
line shows welfare in the landscape and from scratch (means over trainings, ± standard deviation between trainings),
whether everybody accepts in both, and whether training from scratch reaches the landscape's welfare: within 5 % of it,
by the mean over trainings. Trainings are kept in --folder and not repeated, so that the command can be stopped.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.evaluation.outcome import Outcome, mean_outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.worker_pool import Job, working
from contract_wrapper.landscapes.shipped import load_landscape
from contract_wrapper.progress import Pace, Progress

TOLERANCE = 0.05
"""Part of the landscape's welfare by which trainings from scratch may miss it and still reach it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--landscape", default="effort", help="name of a shipped one, or a file")
    parser.add_argument("--contracts", type=int, default=30)
    parser.add_argument("--trainings", type=int, default=5)
    parser.add_argument("--seed", type=int, default=2026, help="of the contracts drawn")
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("studies/validation"))
    parser.add_argument("--csv", type=Path, help="write the table there, too")
    options = parser.parse_args()

    landscape = load_landscape(options.landscape)
    drawn = np.random.default_rng(options.seed).choice(len(landscape.tax) - 1, options.contracts, replace=False) + 1
    contracts = [landscape.contracts()[k] for k in sorted(drawn)]
    costs = get_costs(str(landscape.about["costs"]))
    settings = EvaluationSettings(costs=costs, learner=options.profile)
    pairs = [(c, s) for s in range(options.trainings) for c in (Contract.none(), *contracts)]
    jobs = [Job(number=n, contract=c, seed=1_000 + s) for n, (c, s) in enumerate(pairs)]
    results: dict[int, Outcome] = {}
    progress, pace = Progress(sys.stderr, every=60.0), Pace(0.0)

    def on_result(job: Job, result: Outcome | str) -> None:
        if isinstance(result, str):
            progress.say(f"{job.contract}, seed {job.seed}: failed: {result}")
        else:
            results[job.number] = result

    def on_tick() -> None:
        progress.show([f"{len(results)}/{len(jobs)} trainings, about {pace.left(len(results), len(jobs))} left"])

    with working(options.processes) as workers:
        workers.run(jobs, settings, options.folder, on_result, lambda _: None, on_tick)
    outcomes = {c: [results[j.number] for j in jobs if j.contract == c and j.number in results] for c in contracts}
    none = mean_outcome([results[j.number] for j in jobs if j.contract.is_none and j.number in results])
    report(landscape, outcomes, none, options)


def report(landscape, outcomes: dict[Contract, list[Outcome]], none: Outcome, options: argparse.Namespace) -> None:
    accepted, rows = landscape.feasible(), []
    for contract, found in outcomes.items():
        if not found:
            continue
        k, scratch = landscape.number(contract), np.array([o.welfare.mean for o in found])
        crews = landscape.welfare[:, k]
        rows.append({
            "tax": contract.tax, "cleaners": contract.n_cleaners, "landscape": crews.mean(),
            "landscape_sd": crews.std(ddof=1), "scratch": scratch.mean(),
            "scratch_sd": scratch.std(ddof=1) if len(scratch) > 1 else float("nan"), "trainings": len(scratch),
            "accepted_landscape": bool(accepted[k]), "accepted_scratch": mean_outcome(found).feasible(none),
            "reached": bool(scratch.mean() >= (1 - TOLERANCE) * crews.mean()),
        })  # fmt: skip
    print(
        f"landscape {options.landscape}, {len(rows)} contracts drawn with seed {options.seed}, profile {options.profile}"
    )
    print("welfare in apples per episode: mean over trainings ± standard deviation between them")
    print(
        f"{'tax':>5}{'cleaners':>9}{'landscape':>18}{'from scratch':>18}{'accepted':>12}{'from scratch':>14}  reached"
    )
    for r in rows:
        words = ["yes" if r[name] else "no" for name in ("accepted_landscape", "accepted_scratch", "reached")]
        print(
            f"{r['tax']:>5.2f}{r['cleaners']:>9}{r['landscape']:>10.1f} ± {r['landscape_sd']:>5.1f}"
            f"{r['scratch']:>10.1f} ± {r['scratch_sd']:>5.1f}{words[0]:>12}{words[1]:>14}  {words[2]}"
        )
    agree = sum(r["accepted_landscape"] == r["accepted_scratch"] for r in rows)
    ranks = np.corrcoef(*(np.argsort(np.argsort([r[name] for r in rows])) for name in ("landscape", "scratch")))[0, 1]
    sd = {name: float(np.sqrt(np.nanmean([r[name] ** 2 for r in rows]))) for name in ("landscape_sd", "scratch_sd")}
    print(
        f"\nsame verdict on acceptance: {agree} of {len(rows)}; reached from scratch: {sum(r['reached'] for r in rows)}; "
        f"rank correlation of welfare {ranks:.2f}\nstandard deviation between trainings (root mean square): landscape "
        f"{sd['landscape_sd']:.1f}, from scratch {sd['scratch_sd']:.1f}"
    )
    if options.csv is not None and rows:
        with options.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
