"""cPMES and its rivals on the real game, every evaluation a training from scratch: the check of `landscape_search.py`.

    python benchmarks/scratch_search.py --small            # two optimisers, a training of seconds: to see that it works
    python benchmarks/scratch_search.py                    # 3 runs of 10 + 20 contracts by five optimisers: hours
    python benchmarks/scratch_search.py --stored           # the table again from stored runs; nothing is run
    python benchmarks/scratch_search.py --forget cPMES     # after a change: its stored runs do not count

A run begins as the paper's search does: the game without a contract, then initial designs, corners first, then the
optimiser chooses in batches of two. A contract that two optimisers of a run ask for is trained once for both: its seed
depends on the run, the contract and how often it was measured before. All recommend by one rule, the most valuable by
the surrogates among the contracts read as accepted. That contract is judged by fresh trainings, in a run the same seeds for
all optimisers, beside trainings without a contract. Runs share no training, so that intervals over them count its noise. Every
outcome, every stopped training and every run is kept, under the code that made it: the same command goes on where it was, on
another day as well. --stored prints the runs of the code of the last one.
"""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path

import numpy as np

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.judging.code_version import versions
from contract_wrapper.landscapes.bounds import interval
from contract_wrapper.learners.registry import DEFAULT as LEARNER
from optimiser_bench.optimisers import REFERENCE, chosen
from optimiser_bench.runner import Job, carry_out, forget_stored, read_stored
from optimiser_bench.scratch_runs import JUDGES, ScratchRun, rows_of, run

COMPARED = "cPMES,cPMES paper,cEI,MACE,random"


def table_lines(runs: list[ScratchRun], title: str) -> list[str]:
    """The table of runs: by optimiser, what was recommended, and what fresh trainings make of it."""
    rows = rows_of(runs)
    lines = [
        title,
        f"recommended contracts judged by {JUDGES} fresh trainings each; in brackets 95 % intervals over runs",
        "",
        f"{'optimiser':12} {'runs':>4} {'as read':>8} {'welfare':>8} {'':20} {'accepted':>8} {'less ' + REFERENCE + ', paired':>28}  contracts",
    ]
    reference = {one.job.seed: np.mean(one.welfare) for one in rows.get(REFERENCE, [])}
    for name, mine in rows.items():
        means = [float(np.mean(one.welfare)) for one in mine]
        gaps = [float(np.mean(one.welfare) - reference[one.job.seed]) for one in mine if one.job.seed in reference]
        accepted = sum(one.smallest >= 0 for one in mine)
        told = " ".join(f"({one.tax:g}, {one.n_cleaners})" for one in mine)
        lines.append(
            f"{name:12} {len(mine):4} {np.mean([one.read for one in mine]):8.1f} {np.mean(means):8.1f} {bounds(means):20} "
            f"{accepted:4} of {len(mine)} {'' if name == REFERENCE or not gaps else f'{np.mean(gaps):+.1f} {bounds(gaps)}':>28}  {told}"
        )
    return lines


def bounds(values: list[float]) -> str:
    """95 % interval of a mean over runs; empty for one run."""
    if len(values) < 2:
        return ""
    found = interval(values)
    return f"({found.low:.1f} to {found.high:.1f})"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--optimisers", default=COMPARED, help="own, all, or names with commas between")
    parser.add_argument("--initial", type=int, default=10)
    parser.add_argument("--search", type=int, default=20)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--profile", default="fast", help="of the learner")
    parser.add_argument("--episodes", type=int, help="of a training, in place of the profile's")
    parser.add_argument("--costs", default="effort")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--small", action="store_true", help="one run of 4 + 2 by two optimisers, 32 episodes a training"
    )
    parser.add_argument("--stored", action="store_true", help="print what is stored, and run nothing")
    parser.add_argument("--forget", default="", help="optimisers whose stored runs are dropped first")
    parser.add_argument(
        "--folder", type=Path, default=Path("studies/scratch_search"), help="of outcomes and checkpoints"
    )
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args(arguments)
    if options.small:
        options.runs, options.initial, options.search, options.optimisers = 1, 4, 2, "cPMES,random"
        options.profile, options.episodes = "smoke", 32
    if min(options.runs, options.initial - 2, options.search, options.batch, options.processes + 1) < 1:
        parser.error("runs, search and batch must be at least 1, initial at least 3, processes at least 0")
    try:
        optimisers = chosen(options.optimisers, stored=options.stored)
    except ContractsError as error:
        parser.error(str(error))
    name = "-".join(["scratch_search", options.costs, options.profile, *map(str, filter(None, [options.episodes]))])
    path = options.results / f"{name}.jsonl"
    if options.forget:
        forget_stored(path, options.forget.split(","), ScratchRun.from_line)
    kept = read_stored(path, ScratchRun.from_line) if options.stored else []
    code = kept[-1].job.problem.rpartition("@")[2] if kept else versions(LEARNER)["code"]
    jobs = [
        Job(
            problem=f"{name}@{code}",
            optimiser=o,
            seed=seed,
            evaluations=options.search,
            n_prior=options.initial,
            batch=options.batch,
        )
        for seed in range(options.runs)
        for o in optimisers
    ]
    do = functools.partial(run, options.profile, options.costs, options.folder, options.episodes)
    processes = 0 if options.stored else options.processes
    runs = carry_out(jobs, path, processes, lambda line: print(line, file=sys.stderr), do, ScratchRun.from_line)
    if not runs:
        sys.exit("no run ended")
    title = (
        f"costs {options.costs}, profile {options.profile}{f' of {options.episodes} episodes' if options.episodes else ''}: "
        f"{options.initial} + {options.search} contracts, batches of {options.batch}; {len(runs)} of {len(jobs)} runs"
    )
    text = "\n".join(table_lines(runs, title))
    print(text)
    (options.results / f"{name}.txt").write_text(text + "\n")


if __name__ == "__main__":
    main()
