"""How long one suggestion takes: `python benchmarks/ask_speed.py`.

Seven outputs (objective, five harvesters' margins, the cleaners' slack), 505 contracts, one thread;
the fit is cold, as it is in a search. Beside it, in the same run, the optimisers of other libraries
that the extra `bench` installs; the ratio is their CPU time to that of cPMES. The first line tells how fast
the core is, as hosts differ more than optimisers do.

`python benchmarks/ask_speed.py --many` is about searches with more results than an exact fit can have: it compares
the fit to a part of the results with the exact one, on results of which a third are spread over the space and two
thirds ever nearer to the best design, with errors of a known size.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.ask import Ask, ask_by
from contract_wrapper.bo.candidates.sampling import initial_designs, without
from contract_wrapper.bo.cpmes import ParetoEntropySearch
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.fitting.training_set import EXACT_RESULTS
from contract_wrapper.bo.fitting.winsorize import in_units, margin_units
from contract_wrapper.bo.gp.blas_threads import one_thread
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import contract_space
from contract_wrapper.bo.surrogates import fit
from contract_wrapper.errors import ContractsError
from optimiser_bench.optimisers import OPTIMISERS, REFERENCE, chosen
from optimiser_bench.problem import Problem
from optimiser_bench.runner import problem_of

Floats = npt.NDArray[np.float64]


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


def core() -> str:
    """A line that tells how fast this core is: plain Python, and numpy on small matrices, as in a fit."""
    start = time.process_time()
    total = 0
    for k in range(5_000_000):
        total += k
    plain = time.process_time() - start
    matrix = np.eye(50) + 0.1
    start = time.process_time()
    for _ in range(10_000):
        np.linalg.inv(matrix)
    return (
        f"this core: 5,000,000 additions in plain Python {plain:.2f} s, "
        f"10,000 inverses of a 50 x 50 matrix {time.process_time() - start:.2f} s"
    )


MANY = (("cleanup-slack-1", 0.1), ("gramacy", 0.02), ("g24", 0.1), ("g24", 0.0))
"""Problem, and the standard error of a result as a share of the outputs' standard deviation over the space."""


def crowded(problem: Problem, n: int, noise: float) -> tuple[History, Floats]:
    """Results of n designs, ever nearer to the best of the problem after the first third, and that design, (d,)."""
    rng, space = np.random.default_rng(0), problem.space
    pool = space.sample(rng, 4000)
    truth = true_outputs(problem, pool)
    best = pool[np.argmax(np.where((truth[:, 1:] >= 0).all(axis=1), truth[:, 0], -np.inf))]
    grid = space.grid()
    spared = pool[:0] if grid is None else grid[::5]  # never evaluated, so that a grid is not used up
    first = without(space, space.sample(rng, 2 * n), spared)[: n // 3]
    steps = 0.3 * 10.0 ** (-3 * rng.random((4 * n, 1)))
    near = space.from_unit(space.to_unit(best[None]) + steps * rng.standard_normal((len(steps), len(space))))
    near = without(space, near, spared)[: n - len(first)]
    designs, sd = np.vstack([first, near]), noise * truth.std(axis=0)
    outputs = true_outputs(problem, designs) + sd * rng.standard_normal((n, truth.shape[1]))
    return History(
        designs=designs,
        objective=outputs[:, 0],
        margins=outputs[:, 1:],
        constraints=problem.constraints,
        participation=problem.participation,
        objective_se=np.full(n, sd[0]),
        margins_se=np.tile(sd[1:], (n, 1)),
    ), best


def true_outputs(problem: Problem, designs: Floats) -> Floats:
    """Objective and margins without errors, (n, 1 + m)."""
    evaluated = [problem.evaluate(problem.space.as_design(row)) for row in designs]
    return np.array([[objective, *margins] for objective, margins in evaluated])


def compare(name: str, noise: float, n: int, limit: int) -> str:
    """One row of the table: rows of the fit, CPU time of an ask, errors, what is believed best, and the next design."""
    problem = problem_of(name)
    space = problem.space
    history, best = crowded(problem, n, noise)
    start = time.process_time()
    with one_thread():
        surrogates = fit(space, history, limit=limit)
    if surrogates is None:
        raise ContractsError(f"{name} gives no results that differ: take another problem")
    rule = ParetoEntropySearch(space=space, history=history, surrogates=surrogates, config=CPMESConfig())
    (pick,) = ask_by(lambda *_: rule, space, history, (), 1, seed=0, trial=None)
    took = time.process_time() - start
    rng = np.random.default_rng(1)
    everywhere = space.sample(rng, 1000)
    around = space.from_unit(space.to_unit(best[None]) + 0.05 * rng.standard_normal((1000, len(space))))
    scale = true_outputs(problem, everywhere).std(axis=0)
    units = np.append(
        np.inf, np.full(len(scale) - 1, np.inf) if noise else margin_units(history.margins, feasible=True)
    )
    spread = in_units(true_outputs(problem, everywhere), units).std(axis=0)
    cells = []
    for designs in (everywhere, around):
        mean, sd = surrogates.predict(space.to_unit(designs))
        missed = mean.T - in_units(true_outputs(problem, designs), units)
        error = np.sqrt((missed**2).mean(axis=0)) / spread
        cells.append(f"{error[0]:>7.4f} {error[1:].mean():>7.4f} {(np.abs(missed) <= 1.96 * sd.T).mean():>5.2f}")
    mean, _ = surrogates.predict(space.to_unit(history.designs))
    believed = np.argmax(np.where((mean[1:] >= 0).all(axis=0), mean[0], -np.inf))
    for design in (history.designs[believed], np.array(pick.design, dtype=float)):
        objective, *margins = true_outputs(problem, design[None])[0] / scale
        cells.append(f"{problem.best / scale[0] - objective:>8.4f} {min(margins):>8.4f}")
    kind = "exact" if limit >= n else "part"
    return f"{name:>15} {noise:>5} {n:>6} {kind:>6} {len(surrogates.designs):>5} {took:>6.2f} " + " | ".join(cells)


def print_many() -> None:
    """Print the table of searches with many results; the largest first, while the peak of memory is its own."""
    print(
        "errors: root mean square at 1000 designs over the space, and at 1000 around the best, in standard deviations"
    )
    print("of the output over the space; inside: share within predicted 95 % intervals; short: regret of the design")
    print("believed best among those evaluated, and of the next one, in the same unit; least: its least true margin")
    print(
        f"{'problem':>15} {'noise':>5} {'n':>6} {'fit':>6} {'rows':>5} {'CPU s':>6} {'obj.':>7} {'margins':>7} {'in':>5}"
        f" | {'obj.':>7} {'margins':>7} {'in':>5} | {'short':>8} {'least':>8} | {'short':>8} {'least':>8}"
    )
    for n in (10_000, 2000):
        for name, noise in MANY:
            print(compare(name, noise, n, EXACT_RESULTS), flush=True)
    print(f"peak of memory until here: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    for n in (1000, 500):
        for name, noise in MANY:
            for limit in (EXACT_RESULTS, n):
                print(compare(name, noise, n, limit), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--others", default="Optuna GP,BoTorch logCEI", help='other libraries\' optimisers; none: ""')
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--many", action="store_true", help="up to 10,000 results: a fit to a part of them, and to all")
    options = parser.parse_args()

    with one_thread():
        print(core())
    if options.many:
        print_many()
        return
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
