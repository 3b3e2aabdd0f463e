"""cPMES and its rivals on test problems of the literature: 30 evaluations, 6 of them random to begin with.

    python benchmarks/problems.py --small                  # one minute, to see that it works
    python benchmarks/problems.py --processes 4            # 20 seeds
    python benchmarks/problems.py --optimisers all         # with the rivals of other libraries
    python benchmarks/problems.py --stored                 # the tables again from the stored runs; nothing is run
    python benchmarks/problems.py --problems townsend --first-seed 100     # one of them, other seeds

log10 of the regret of the best feasible design, not below -6; as long as there is none, the worst
feasible value counts. Solved is a regret of at most 0.01. A table of one problem speaks of that problem, and its runs
are independent; the last table speaks of problems, and its intervals are over them, whose runs are averaged first. Each run is stored when it ends; the same command goes on where it stopped.
Nothing is tuned on these problems. A choice of problems or of seeds makes a table of its own.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from contract_wrapper.errors import ContractsError
from optimiser_bench.clustered import share
from optimiser_bench.optimisers import chosen, table_of
from optimiser_bench.public import PROBLEMS
from optimiser_bench.runner import Run, forget, jobs_of, run_all
from optimiser_bench.tables import Row, curves_of, draw, print_rows, rows_of, write_rows

EVALUATIONS, PRIOR = 30, 6
FLOOR = 1e-6
ALL = "all problems"
SOLVED = -2.0  # log10 of the regret that counts as solved


def in_logs(run: Run) -> Run:
    """Turn regrets into their decimal logarithms."""
    return replace(run, regrets=tuple(float(r) for r in np.log10(np.maximum(run.regrets, FLOOR))))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--optimisers", default="own", help="own, all, ablations, or names with commas between")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--stored", action="store_true", help="print what is stored, and run nothing")
    parser.add_argument("--small", action="store_true", help="2 problems, 1 seed, 10 evaluations")
    parser.add_argument("--forget", default="", help="optimisers whose stored runs are dropped first")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()

    evaluations, name = EVALUATIONS - PRIOR, "problems"
    if options.small:
        options.seeds, evaluations, name = 1, 4, "small-problems"
        options.problems = "g24,floudas-mi2"
    problems = options.problems.split(",")
    if unknown := [problem for problem in problems if problem not in PROBLEMS]:
        parser.error(f"no problem is called {unknown[0]!r}: choose of {', '.join(PROBLEMS)}")
    try:
        optimisers = chosen(options.optimisers, stored=options.stored)
    except ContractsError as error:
        parser.error(str(error))
    path = options.folder / f"{name}.jsonl"
    if options.forget:
        forget(path, options.forget.split(","))
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    jobs = jobs_of(problems, optimisers, seeds, evaluations, PRIOR)
    processes = 0 if options.stored else options.processes
    runs = [in_logs(r) for r in run_all(jobs, path, processes, lambda line: print(line, file=sys.stderr))]

    rows: list[Row] = []
    budgets = [evaluations // 2, evaluations]
    for problem in problems:
        mine = [run for run in runs if run.job.problem == problem]
        part = rows_of(mine, problem, budgets, solved=SOLVED, unit="run")
        print_rows(f"{problem}: log10 regret, T = evaluations after {PRIOR} random ones", part, {}, form=".2f")
        for optimiser in optimisers:
            first = [run.first for run in mine if run.job.optimiser == optimiser]
            found = [n for n in first if n is not None]
            some = share([n is not None for n in first], range(len(first)))
            print(
                f"{optimiser:18}first feasible: {np.mean(found) if found else float('nan'):.1f} evaluations, "
                f"{len(found)} of {len(first)} runs (95 % interval {some.low:.0%} to {some.high:.0%})"
            )
        rows += part
    if len(problems) > 1:
        part = rows_of(runs, ALL, budgets, solved=SOLVED, unit="problem")
        print_rows(f"{ALL}: log10 regret, T = evaluations after {PRIOR} random ones", part, {}, form=".2f")
        rows += part
    whole = options.problems == parser.get_default("problems") and not options.first_seed
    table = table_of(name, options.optimisers if whole or options.small else "chosen")
    write_rows(options.folder / f"{table}.csv", rows)
    panels = {p: curves_of([run for run in runs if run.job.problem == p], optimisers, "run") for p in problems}
    draw(
        options.folder / f"{table}.png", panels, "log10 regret", over=f"{options.seeds} runs on the problem", log=False
    )


if __name__ == "__main__":
    main()
