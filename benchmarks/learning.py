"""What the learner reaches, and in how much CPU time: one table.

    python benchmarks/learning.py                       # profile fast, costs paper, 5 seeds each
    python benchmarks/learning.py --profile paper --contracts 0.04:5
    python benchmarks/learning.py --costs effort --contracts 0.1:5,0.2:5,0.3:5,0.5:5
    python benchmarks/learning.py --learner ppo --costs effort --contracts 0.3:5,0.4:4
    python benchmarks/learning.py --neighbours none --costs effort --contracts 0.4:1,0.4:3,0.4:5   # no mean actions

Every row is one contract (tax:cleaners, or none), trained from scratch once per seed and judged over
100 greedy episodes with fresh seeds. Trainings are kept in --folder and not repeated.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.worker_pool import Job, working
from contract_wrapper.learners.registry import get_learner
from contract_wrapper.progress import Progress


def parse(text: str) -> Contract:
    if text == "none":
        return Contract.none()
    tax, cleaners = text.split(":")
    return Contract(tax=float(tax), n_cleaners=int(cleaners))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--learner", default="mtmfq")
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--costs", default="paper")
    parser.add_argument(
        "--neighbours", help="whose actions are averaged: visible, all or none (default: the profile's)"
    )
    parser.add_argument("--contracts", default="none,0.04:1,0.04:2,0.04:3,0.04:4,0.04:5")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("studies/learning"))
    options = parser.parse_args()

    contracts = [parse(text) for text in options.contracts.split(",")]
    changes = {} if options.neighbours is None else {"neighbours": options.neighbours}
    learner = get_learner(options.learner).profile(options.profile, **changes)
    settings = EvaluationSettings(costs=get_costs(options.costs), learner=learner)
    pairs = [(contract, seed) for contract in contracts for seed in range(options.seeds)]
    jobs = [Job(number=n, contract=contract, seed=seed) for n, (contract, seed) in enumerate(pairs)]
    results: dict[int, Outcome] = {}
    progress = Progress(sys.stderr, every=60.0)

    def on_result(job: Job, result: Outcome | str) -> None:
        if isinstance(result, str):
            progress.say(f"{job.contract}, seed {job.seed}: failed: {result}")
        else:
            results[job.number] = result
            progress.say(f"{job.contract}, seed {job.seed}: harvest {result.harvest}, {result.cpu_seconds:.0f} CPU-s")

    with working(options.processes) as workers:
        workers.run(
            jobs, settings, options.folder, on_result, lambda _: None,
            lambda: progress.show([f"{len(results)}/{len(jobs)} trainings"]),
        )  # fmt: skip

    print(
        f"{options.learner}, profile {options.profile}, costs {options.costs}, {options.seeds} seeds, harvest per episode of 200 steps"
    )
    print(f"{'contract':28}{'mean':>8}{'least':>8}{'most':>8}{'shots':>8}{'cleaner':>9}{'median CPU-s':>14}   by seed")
    for contract in contracts:
        mine = [results[j.number] for j in jobs if j.contract == contract and j.number in results]
        if not mine:
            continue
        harvest = np.array([o.harvest.mean for o in mine])
        shots = np.mean([o.shots.mean for o in mine])
        cleaner = np.mean([o.worst_cleaner.mean for o in mine if o.worst_cleaner]) if contract.n_cleaners else np.nan
        cpu = np.median([o.cpu_seconds for o in mine])
        print(
            f"{contract!s:28}{harvest.mean():8.1f}{harvest.min():8.1f}{harvest.max():8.1f}{shots:8.0f}{cleaner:9.2f}"
            f"{cpu:14.1f}   {' '.join(f'{h:.0f}' for h in harvest)}"
        )


if __name__ == "__main__":
    main()
