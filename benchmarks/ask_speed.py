"""How long one suggestion takes: `python benchmarks/ask_speed.py`.

Seven outputs (objective, five harvesters' margins, the cleaners' slack), 505 contracts, one thread;
the fit is cold, as it is in a search. Beside it, in the same run, the optimisers of other libraries
that the extra `bench` installs; the ratio is their CPU time to that of cPMES.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from contract_wrapper.bo.ask import Ask
from contract_wrapper.bo.history import History
from contract_wrapper.bo.sampling import initial_designs
from contract_wrapper.bo.space import contract_space
from optimiser_bench.optimisers import OPTIMISERS, REFERENCE, chosen


def history_of(n: int, seed: int) -> History:
    rng = np.random.default_rng(seed)
    designs = initial_designs(contract_space(), n, rng)
    tax, cleaners = designs.T
    gross = 600 * (1 - tax**1.2) * (1 + 0.8 * (1 - np.exp(-cleaners / 1.3)))
    returns = gross[:, None] * rng.uniform(0.8, 1.2, 5) + rng.normal(0, 30, (n, 5))
    margins = np.column_stack([(1 - tax)[:, None] * returns - 600, tax / cleaners * returns.sum(axis=1) - 120])
    return History(
        designs=designs,
        objective=returns.sum(axis=1) - 120 * cleaners,
        margins=margins,
        constraints=("h0", "h1", "h2", "h3", "h4", "slack"),
        participation=5,
    )


def measure(ask: Ask, n: int, repeats: int) -> tuple[list[float], float]:
    """Milliseconds of each suggestion after n results, and the median of CPU time."""
    space = contract_space()
    histories = [history_of(n, seed) for seed in range(repeats)]
    ask(space, histories[0], seed=0)  # imports and caches
    took, worked = [], []
    for seed, history in enumerate(histories):
        start, cpu = time.perf_counter(), time.process_time()
        ask(space, history, seed=seed)
        took.append(1000 * (time.perf_counter() - start))
        worked.append(1000 * (time.process_time() - cpu))
    return took, statistics.median(worked)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--others", default="Optuna GP,BoTorch logCEI", help='other libraries\' optimisers; none: ""')
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()

    others = chosen(options.others) if options.others else []
    print(f"{'results':>8} {'optimiser':>15} {'median ms':>10} {'worst ms':>9} {'CPU ms':>7} {'CPU ratio':>10}")
    for n in (10, 30, 100):
        base = 0.0
        for name in (REFERENCE, "cPMES paper", *others):
            took, cpu = measure(OPTIMISERS[name], n, options.repeats)
            base = base or cpu
            print(
                f"{n:>8} {name:>15} {statistics.median(took):>10.1f} {max(took):>9.1f} {cpu:>7.1f} {cpu / base:>10.1f}"
            )


if __name__ == "__main__":
    main()
