"""cPMES and its rivals on landscapes of the real game: regret of what they recommend after 30 evaluations.

    python benchmarks/landscape_search.py --small                      # a minute, to see that it works
    python benchmarks/landscape_search.py --processes 2                # all shipped landscapes, 100 runs, batches 1, 2, 4
    python benchmarks/landscape_search.py --landscapes effort,my/landscape.npz --optimisers all
    python benchmarks/landscape_search.py --stored                     # the tables again from stored runs; nothing is run
    python benchmarks/landscape_search.py --forget cPMES               # after a change: its stored runs do not count

A run begins as the main job does: the baseline, then 10 initial designs, corners first; then the optimiser chooses. An
evaluation reads the contract's row of one of the landscape's trainings, drawn at random: noise as trainings have it.
Run r has the same initial designs for all optimisers, and a contract reads the same for all of them. Every optimiser but
random search may measure a contract again, which then reads another training. All recommend by the same rule, as the main
job ranks its candidates: of the contracts read as accepted, the one that is worth most by the surrogates (welfare if it is
accepted, else that without a contract), every five evaluations. The truth is the mean over the landscape's trainings.

Each mean has two 95 % intervals. The first is over runs (Student's t) and takes the truth as it is. The second counts
as well that the truth is a mean over few trainings: these are drawn again with replacement, 1000 times, and the same
runs are judged by each of these truths; the variance of their mean is added to that over runs. What it cannot
count: each reading is of one of the trainings that make up the truth, so that the truth knows a part of its noise.

One jsonl per landscape keeps each run when it ends; the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.shipped import load_landscape, shipped_names
from optimiser_bench.landscape_runs import EVERYTHING, Searched, SearchRun, digest, search, short_name
from optimiser_bench.landscape_tables import landscape_rows, table_lines, truths
from optimiser_bench.optimisers import chosen
from optimiser_bench.runner import Job, carry_out, forget_stored
from optimiser_bench.tables import draw, write_rows

COMPARED = "cPMES,cEI,cMES,MACE,random"
YARDSTICKS = 30
"""Runs at most in which every contract is evaluated."""

BATCHES, BUDGET, INITIAL, RUNS = "1,2,4", 30, 10, 100


def jobs_of(
    problem: str, optimisers: Sequence[str], batches: Sequence[int], runs: int, budget: int, initial: int, n: int
) -> list[Job]:
    """All runs on a problem of n contracts: run by run, so that a part of them is a comparison; the yardstick last."""
    jobs = [
        Job(problem=problem, optimiser=o, seed=seed, evaluations=budget - initial, n_prior=initial, batch=batch)
        for seed in range(runs)
        for batch in batches
        for o in optimisers
    ]
    return jobs + [
        Job(problem=problem, optimiser=EVERYTHING, seed=seed, evaluations=0, n_prior=n)
        for seed in range(min(runs, YARDSTICKS))
    ]


def curves(
    runs: Sequence[SearchRun], regrets: np.ndarray, optimisers: Sequence[str], batch: int
) -> dict[str, np.ndarray]:
    """Regret of what each optimiser recommends, (runs, 1 + evaluations)."""
    of = {o: [r.recommended for r in runs if (r.job.optimiser, r.job.batch) == (o, batch)] for o in optimisers}
    return {o: regrets[np.array(found)] for o, found in of.items() if found}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--landscapes", default="", help="names or paths with commas between; default: all shipped")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--batches", default=BATCHES)
    parser.add_argument("--optimisers", default=COMPARED, help="own, all, ablations, or names with commas between")
    parser.add_argument("--budget", type=int, default=BUDGET, help="evaluations, the initial designs included")
    parser.add_argument("--initial", type=int, default=INITIAL)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--stored", action="store_true", help="print what is stored, and run nothing")
    parser.add_argument("--small", action="store_true", help="2 runs of 12 evaluations, batches 1 and 4")
    parser.add_argument("--forget", default="", help="optimisers whose stored runs are dropped first")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    if options.small:
        options.runs, options.budget, options.batches = 2, 12, "1,4"
    sources = [name.strip() for name in options.landscapes.split(",") if name.strip()] or shipped_names()
    names = [short_name(source) for source in sources]
    if not sources or len(set(names)) < len(names):
        parser.error(f"give the landscapes by --landscapes, each with a name of its own, got {names or 'none'}")
    try:
        batches = sorted({int(batch) for batch in options.batches.split(",")})
        optimisers = chosen(options.optimisers, stored=options.stored)
        landscapes = [load_landscape(source) for source in sources]
        sizes = [len(Searched.of(landscape).problem.designs) for landscape in landscapes]
    except (ContractsError, ValueError) as error:
        parser.error(str(error))
    if min(batches) < 1 or options.runs < 1 or not 1 <= options.initial < options.budget <= min(sizes):
        parser.error(
            "there must be at least one run, batches of at least 1, and from 1 initial design on more evaluations than "
            f"initial designs and at most as many as contracts ({min(sizes)})"
        )

    part = [options.optimisers, options.batches, options.budget, options.initial]
    whole = part == [COMPARED, BATCHES, BUDGET, INITIAL] and options.runs >= RUNS
    for name, source, landscape, n in zip(names, sources, landscapes, sizes, strict=True):
        stem = f"{'small-' if options.small else ''}landscape_search-{name}"
        path = options.folder / f"{stem}.jsonl"
        if options.forget:
            forget_stored(path, options.forget.split(","), SearchRun.from_line)
        problem = f"{name}@{digest(landscape)}"
        jobs = jobs_of(problem, optimisers, batches, options.runs, options.budget, options.initial, n)
        runs = carry_out(
            jobs, path, 0 if options.stored else options.processes, lambda line: print(line, file=sys.stderr),
            functools.partial(search, source), SearchRun.from_line,
        )  # fmt: skip
        middle = (options.initial + options.budget) // 2
        truth = truths(landscape)
        rows = landscape_rows(name, landscape, truth, runs, sorted({options.initial, middle, options.budget}))
        text = "\n".join(table_lines(name, landscape, truth, rows))
        print(f"\n{text}")
        table = stem if whole or options.small else f"{stem}-chosen"
        (options.folder / f"{table}.txt").write_text(text + "\n")
        write_rows(options.folder / f"{table}.csv", rows)
        panels = {f"{name}, batch {batch}": curves(runs, truth.regrets[0], optimisers, batch) for batch in batches}
        label = "mean regret of the recommended contract"
        draw(
            options.folder / f"{table}.png",
            panels,
            label,
            over=f"{options.runs} runs, trainings as they are",
            bands=True,
            prior=options.initial,
        )


if __name__ == "__main__":
    main()
