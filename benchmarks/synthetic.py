"""cPMES and its rivals on a made-up Clean-up: tables in the shape of the contract paper's, CSV and figures.

    python benchmarks/synthetic.py --small                 # one minute, to see that it works
    python benchmarks/synthetic.py --processes 4           # 10 instances x 5 prior sets, batches 1, 2 and 4
    python benchmarks/synthetic.py --optimisers all        # with the rivals of other libraries
    python benchmarks/synthetic.py --optimisers ablations --batches 1   # what each of our changes is worth
    python benchmarks/synthetic.py --slack                 # cleaners' slack observed, not only yes or no
    python benchmarks/synthetic.py --stored                # the tables again from the stored runs; nothing is run
    python benchmarks/synthetic.py --forget cPMES          # after a change: its stored runs do not count

Regret of the best feasible contract after T evaluations beyond a prior set of 4 corners and 3
others, drawn anew for every run. The instances are independent, the runs on one are not: all intervals are over the
instances, whose runs are averaged first; all batches and optimisers have the same instances. Each run is stored when it ends; the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from contract_wrapper.errors import ContractsError
from optimiser_bench.optimisers import chosen, table_of
from optimiser_bench.runner import Job, forget, run_all
from optimiser_bench.tables import Row, curves_of, draw, print_rows, rows_of, write_rows

BUDGETS = (4, 8, 12, 16, 20)
PAPER = {
    1: {
        "cEI": (1891.4, 1891.4, 1891.4, 1891.4, 1891.4),
        "cMES": (1448.4, 686.0, 449.8, 449.8, 449.8),
        "MACE": (745.0, 578.2, 578.2, 578.2, 578.2),
        "cPMES": (1308.2, 1075.6, 465.4, 465.4, 375.0),
    },
    2: {"MACE": (880.2, 869.2, 791.6, 773.0, 594.6), "cPMES": (1404.8, 772.8, 772.8, 718.8, 628.6)},
    4: {"MACE": (940.4, 902.2, 788.0, 755.2, 698.6), "cPMES": (1404.8, 574.0, 574.0, 574.0, 530.4)},
}
"""Tables 1 and 2 of the contract paper (arXiv 2408.09686), 5 seeds on an instance of its own."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--instances", type=int, default=10)
    parser.add_argument("--priors", type=int, default=5, help="prior sets per instance")
    parser.add_argument("--batches", default="1,2,4")
    parser.add_argument("--optimisers", default="own", help="own, all, ablations, or names with commas between")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--stored", action="store_true", help="print what is stored, and run nothing")
    parser.add_argument("--slack", action="store_true", help="observe the cleaners' slack, not only yes or no")
    parser.add_argument("--small", action="store_true", help="2 instances, 1 prior set, T = 4 and 8, batches 1 and 4")
    parser.add_argument("--forget", default="", help="optimisers whose stored runs are dropped first")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()

    budgets: Sequence[int] = BUDGETS
    batches = [int(batch) for batch in options.batches.split(",")]
    name = "synthetic-slack" if options.slack else "synthetic"
    if options.small:
        options.instances, options.priors, budgets, batches, name = 2, 1, BUDGETS[:2], [1, 4], f"small-{name}"
    stem, path = "cleanup-slack" if options.slack else "cleanup", options.folder / f"{name}.jsonl"
    try:
        optimisers = chosen(options.optimisers, stored=options.stored)
    except ContractsError as error:
        parser.error(str(error))
    if options.forget:
        forget(path, options.forget.split(","))
    # Every run has a prior set of its own: were the sets of all instances the same, a lucky one would count for many runs.
    jobs = [
        Job(problem=f"{stem}-{i}", optimiser=optimiser, seed=1000 * i + prior, evaluations=budgets[-1], batch=batch)
        for batch in batches
        for i in range(options.instances)
        for prior in range(options.priors)
        for optimiser in optimisers
    ]
    runs = run_all(jobs, path, 0 if options.stored else options.processes, lambda line: print(line, file=sys.stderr))

    rows: list[Row] = []
    panels = {}
    for batch in batches:
        mine = [run for run in runs if run.job.batch == batch]
        part = rows_of(mine, f"batch {batch}", budgets)
        print_rows(f"mean regret, batch {batch}", part, PAPER.get(batch, {}))
        rows += part
        panels[f"batch {batch}"] = curves_of(mine, optimisers)
    table = table_of(name, options.optimisers)
    write_rows(options.folder / f"{table}.csv", rows)
    draw(options.folder / f"{table}.png", panels, "mean regret", over=f"{options.instances} instances")


if __name__ == "__main__":
    main()
