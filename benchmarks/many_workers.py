"""What limits a search with very many workers: `python benchmarks/many_workers.py` (options: `--help`; `--quick`: seconds).

Three parts. `storage`: evaluations that take no time, so that what is counted is how many a database takes per second
(queued, claimed, finished, read by the others); SQLite in a temporary folder, and PostgreSQL where `--storage` names an
empty database. `ask`: CPU time of one suggestion of cPMES at many results. `workers`: a discrete-event simulation of
asynchronous workers on a shipped landscape. Each evaluation takes a random time, lognormal with mean 1; a worker that is
free asks cPMES, which counts what the others evaluate as pending; those that come free within a short window ask
together, so that the number of asks is bounded. Told is the regret of what `recommend` names, by the simulated time.
"""

from __future__ import annotations

import argparse
import heapq
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import worker_trial
from contract_wrapper.bo.cpmes import ask
from contract_wrapper.bo.history import History, Result
from contract_wrapper.bo.noise.recommend import recommend
from contract_wrapper.bo.space import Design, contract_space
from contract_wrapper.bo.suggestion import SpaceExhausted
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.shipped import load_landscape
from contract_wrapper.landscapes.tabular import TabularProblem

SPREAD = 0.5
"""Standard deviation of the logarithm of an evaluation's time."""

WINDOW = 0.1
"""Workers that come free within so long ask together, in mean evaluation times."""

HORIZONS = {1: 32.0, 10: 16.0, 100: 3.0, 1000: 1.5}
"""Workers -> simulated time at which their search ends, in mean evaluation times."""

TIMES = (1.0, 1.5, 2.0, 3.0, 4.0, 8.0, 16.0, 32.0)
"""When the recommendation is looked at."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a simulated search had found at some time."""

    time: float
    """In mean evaluation times."""

    results: int
    """Evaluations that were finished."""

    regret: float
    """Welfare that the recommended contract loses against the best, in apples per episode."""


class Simulation:
    """Asynchronous workers on a table: who is free asks, what is at work is pending."""

    def __init__(self, problem: TabularProblem, workers: int, seed: int) -> None:
        """Begin, with all workers free; one generator for times, one for readings."""
        self.problem, self.workers, self.seed = problem, workers, seed
        self._durations, self._readings = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
        self._space = contract_space(int(problem.crew_sizes.max()))
        self._results: list[Result] = []
        self._at_work: list[tuple[float, int, Design]] = []
        self._begun = self.asks = self.idle = 0

    def run(self, horizon: float) -> Iterator[Seen]:
        """Simulate until a time, and tell at each of `TIMES` until then."""
        looks = [look for look in TIMES if look <= horizon]
        self._begin(0.0, self.workers)
        while looks and self._at_work:
            now = self._at_work[0][0]
            while looks and looks[0] < now:
                yield Seen(time=looks[0], results=len(self._results), regret=self.regret())
                looks.pop(0)
            free = 0
            while self._at_work and self._at_work[0][0] <= now + WINDOW:
                self._finish(heapq.heappop(self._at_work)[2])
                free += 1
            if looks:
                self._begin(now + WINDOW, free)

    def regret(self) -> float:
        """Of what would be recommended now; of no contract, while nothing can be."""
        try:
            design = recommend(self._space, self._history(), seed=self.seed).best.design
        except ContractsError:
            return self.problem.regret(Contract.none())
        return self.problem.regret(self.problem.contract(design))

    def _history(self) -> History:
        names = self.problem.constraints
        return History.of(
            self._space, self._results, constraints=names, participation=names[self.problem.participation]
        )

    def _begin(self, now: float, free: int) -> None:
        wanted = free + self.idle
        try:
            found = ask(
                self._space, self._history(), [design for _, _, design in self._at_work], wanted, seed=self.seed,
                trial=self._begun,
            )  # fmt: skip
        except SpaceExhausted:
            found = []
        self.asks += 1
        self.idle = wanted - len(found)  # more workers than designs that are not at work
        for suggestion in found:
            took = float(self._durations.lognormal(-(SPREAD**2) / 2, SPREAD))
            heapq.heappush(self._at_work, (now + took, self._begun, suggestion.design))
            self._begun += 1

    def _finish(self, design: Design) -> None:
        told = self.problem.told(self.problem.contract(design), self._readings)
        margins, errors = (dict(zip(self.problem.constraints, told[k], strict=True)) for k in ("margins", "margins_se"))
        self._results.append(
            Result(
                design=design, objective=told["objective"], margins=margins, objective_se=told["objective_se"],
                margins_se=errors,
            )
        )  # fmt: skip


def measure_storage(storage: str | None, workers: int, trials: int) -> float:
    """Evaluations per second that a database takes from so many workers, whose evaluations take no time."""
    with tempfile.TemporaryDirectory() as folder:
        trial = worker_trial.Trial(
            folder=Path(folder) / f"speed-{workers}", search=worker_trial.budgets(trials), storage=storage,
            workers=workers, seconds=0.0, kill_every=0.0,
        )  # fmt: skip
        trial.folder.mkdir()
        result = worker_trial.run(trial, random.Random(0))
    return len(result.record.trials) / result.seconds


def measure_ask(problem: TabularProblem, n: int, pending: int, number: int) -> float:
    """CPU seconds of one ask at n results of designs drawn at random, with some pending."""
    simulation, rng = Simulation(problem, 1, 0), np.random.default_rng(0)
    designs = [tuple(map(float, row)) for row in problem.designs]
    for k in rng.integers(len(designs), size=n):
        simulation._finish(designs[k])
    history, space = simulation._history(), contract_space(int(problem.crew_sizes.max()))
    waiting = [designs[k] for k in rng.permutation(len(designs))[:pending]]
    began = time.process_time()
    ask(space, history, waiting, number, seed=0)
    return time.process_time() - began


def print_storage(storage: str | None, trials: int) -> None:
    print("storage: evaluations per second that a database takes, from workers whose evaluations take no time;")
    print("ms: of one evaluation, with all that the study does for it")
    print(f"{'database':>12} {'workers':>8} {'per second':>11} {'ms':>6}")
    for url in (None, storage) if storage else (None,):
        for workers in (1, 4):
            rate = measure_storage(url, workers, trials)
            name = "SQLite" if url is None else "PostgreSQL"
            print(f"{name:>12} {workers:>8} {rate:>11.1f} {1000 * workers / rate:>6.0f}", flush=True)


def print_ask(problem: TabularProblem, sizes: Sequence[int]) -> None:
    print("\nask: CPU seconds of one ask, by results, designs that are pending, and designs that are asked for")
    print(f"{'results':>8} {'pending':>8} {'asked for':>10} {'CPU s':>8}")
    measure_ask(problem, 10, 0, 1)  # imports
    for n in sizes:
        for pending, number in ((0, 1), (100, 1), (400, 1), (0, 20)):
            print(f"{n:>8} {pending:>8} {number:>10} {measure_ask(problem, n, pending, number):>8.2f}", flush=True)


def print_workers(problem: TabularProblem, horizons: dict[int, float], searches: int) -> None:
    print(
        f"\nworkers: regret in apples per episode, mean over searches (number: {searches}, with the seeds from 0 on; in "
        "brackets the largest), by simulated time"
    )
    print("in mean evaluation times; idle: workers without a design at the end, as all that are left are at work")
    print(f"{'workers':>8} {'time':>6} {'results':>8} {'regret':>16} {'asks':>6} {'idle':>5} {'CPU s':>7}")
    for workers, horizon in horizons.items():
        began, simulations = time.process_time(), [Simulation(problem, workers, seed) for seed in range(searches)]
        for seen in zip(*(simulation.run(horizon) for simulation in simulations), strict=True):
            regrets = [one.regret for one in seen]
            shown = f"{statistics.mean(regrets):.1f} ({max(regrets):.1f})"
            results, asks = statistics.mean(one.results for one in seen), max(one.asks for one in simulations)
            idle, cpu = max(one.idle for one in simulations), time.process_time() - began
            print(
                f"{workers:>8} {seen[0].time:>6.1f} {results:>8.0f} {shown:>16} {asks:>6} {idle:>5} {cpu:>7.1f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--part", choices=("all", "storage", "ask", "workers"), default="all")
    parser.add_argument("--storage", metavar="URL", help="an empty PostgreSQL database, measured beside SQLite")
    parser.add_argument("--landscape", default="effort", help="a shipped one (default: effort)")
    parser.add_argument("--searches", type=int, default=1, help="per number of workers (default: 1)")
    parser.add_argument("--most-workers", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="a look in seconds")
    options = parser.parse_args()
    problem = TabularProblem(landscape=load_landscape(options.landscape))
    if options.part in ("all", "storage"):
        print_storage(options.storage, 40 if options.quick else 300)
    if options.part in ("all", "ask"):
        print_ask(problem, (100,) if options.quick else (100, 1000, 5000))
    if options.part in ("all", "workers"):
        most = min(10 if options.quick else 1000, options.most_workers)
        horizons = {n: min(h, 4.0) if options.quick else h for n, h in HORIZONS.items() if n <= most}
        print_workers(problem, horizons, 1 if options.quick else options.searches)


if __name__ == "__main__":
    main()
