"""How long one suggestion takes: `python benchmarks/ask_speed.py`.

Seven outputs (objective, five harvesters' margins, the cleaners' slack), 505 contracts, one thread;
the fit is cold, as it is in a search.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from contract_wrapper.cpmes import CPMESConfig, History, ask
from contract_wrapper.designs import initial_designs
from contract_wrapper.space import contract_space


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


def main() -> None:
    space = contract_space()
    print(f"{'results':>8} {'config':>8} {'median ms':>10} {'worst ms':>9} {'CPU ms':>7}")
    for n in (10, 30, 100):
        for name, config in (("default", CPMESConfig()), ("paper", CPMESConfig.paper())):
            histories = [history_of(n, seed) for seed in range(15)]
            ask(space, histories[0], seed=0, config=config)  # imports and caches
            took, worked = [], []
            for seed, history in enumerate(histories):
                start, cpu = time.perf_counter(), time.process_time()
                ask(space, history, seed=seed, config=config)
                took.append(1000 * (time.perf_counter() - start))
                worked.append(1000 * (time.process_time() - cpu))
            print(
                f"{n:>8} {name:>8} {statistics.median(took):>10.1f} {max(took):>9.1f} {statistics.median(worked):>7.1f}"
            )


if __name__ == "__main__":
    main()
