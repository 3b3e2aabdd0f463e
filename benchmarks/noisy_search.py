"""What is recommended where readings are noisy: its regret, how much its belief flatters it, and whether intervals hold.

    python benchmarks/noisy_search.py                                     # about 25 minutes of CPU time
    python benchmarks/noisy_search.py --runs 4 --problems effort          # a look
    python benchmarks/noisy_search.py --problems synthetic --percent 8    # fresh instances alone

A problem is a table whose truth is known: the mean over trainings of a shipped landscape (505 contracts), or an instance
of the synthetic Clean-up of which each run has another (`SynthCleanup(seed)`, 303 contracts with cleaners). A reading is
the truth with normal noise: of welfare with the standard deviation of `--noise` (apples in landscapes, percent of the best
welfare in synthetic instances), a tenth of it shared by all margins, each with noise of its own beside that (a tenth of it
for harvesters, a twenty-fifth for cleaners, as trainings of shipped landscapes have about). The search is told standard
errors over episodes alone (3.3 of welfare, 1 of a harvester's margin, 0.5 of the cleaners'), so it has to find out how
noisy trainings are. 10 initial designs, 20 more by cPMES. Each run is judged by four rules:

luckiest: the highest reading of those read as accepted; belief: of these the one whose welfare the surrogate believes
highest, as studies recommended before; both after a search that measures nothing twice. repeats: the same belief
after a search that may measure again. recommended: `contract_wrapper.bo.noise.recommend`, after that search.

flatters: belief (or reading) less truth. holds: share of runs whose 95 % interval holds the truth. lost: share of runs in
which what is lost against the best of the measured contracts is at most the stated bound. +-: half the 95 % interval over
runs, Student's t. The constants were chosen on runs 0 to 59, and once more
after a look at runs 1000 to 1099; here runs begin at 2000.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from contract_wrapper.bo.cpmes import ask
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.gp.blas_threads import one_thread
from contract_wrapper.bo.history import History
from contract_wrapper.bo.noise.pooling import pooled
from contract_wrapper.bo.noise.recommend import NORMAL, recommend
from contract_wrapper.bo.sampling import initial_designs
from contract_wrapper.bo.space import DesignSpace, contract_space
from contract_wrapper.bo.surrogates import believe_objective
from contract_wrapper.landscapes.shipped import load_landscape
from optimiser_bench.cleanup import MAX_CLEANERS, SynthCleanup

Floats = npt.NDArray[np.float64]

INITIAL, BUDGET, FIRST_RUN = 10, 30, 2000
SE_WELFARE, SE_HARVESTER, SE_CLEANER = 3.3, 1.0, 0.5
SHARED, OWN_HARVESTER, OWN_CLEANER = 0.1, 0.1, 0.04
HARVESTERS = 5
NAMES = (*(f"harvester_{j}" for j in range(HARVESTERS)), "participation")
RULES = ("luckiest", "belief", "repeats", "recommended")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Contracts with known truth; k of them."""

    space: DesignSpace
    designs: list[tuple[float, int]]
    welfare: Floats
    """(k,)."""
    margins: Floats
    """(k, 6): the harvesters', then the worst cleaner's."""
    without: float
    """Welfare without a contract."""
    noise: float
    """Standard deviation of a reading of welfare."""
    alike: bool
    """Whether harvesters are exchangeable, and told as one."""

    @property
    def worth(self) -> Floats:
        """Welfare where everybody accepts, else that without a contract, (k,)."""
        return np.where((self.margins >= 0).all(axis=1), self.welfare, self.without)

    def read(self, k: int, rng: np.random.Generator) -> tuple[float, Floats]:
        """A noisy reading of a contract: welfare and margins (6,)."""
        common, own, episodes = rng.standard_normal(), rng.standard_normal(6), rng.standard_normal(7)
        scale = np.array([OWN_HARVESTER] * HARVESTERS + [OWN_CLEANER])
        errors = np.array([SE_HARVESTER] * HARVESTERS + [SE_CLEANER])
        margins = self.margins[k] + self.noise * (SHARED * common + scale * own) + errors * episodes[:6]
        return float(self.welfare[k] + self.noise * common + SE_WELFARE * episodes[6]), margins


def of_landscape(name: str, noise: float) -> Table:
    """The mean over trainings of a shipped landscape."""
    land = load_landscape(name)
    margins = land.margins().mean(axis=0)
    cleaners = margins[:, land.of_role("cleaner")]
    worst = np.where(np.isnan(cleaners), np.inf, cleaners).min(axis=1)
    return Table(
        space=contract_space(),
        designs=[(round(float(t), 4), int(n)) for t, n in zip(land.tax[1:], land.n_cleaners[1:], strict=True)],
        welfare=land.welfare.mean(axis=0)[1:],
        margins=np.column_stack([margins[:, land.of_role("harvester")], worst])[1:],
        without=float(land.welfare[:, 0].mean()),
        noise=noise,
        alike=True,
    )


def synthetic(seed: int, percent: float) -> Table:
    """An instance of the synthetic Clean-up."""
    instance = SynthCleanup(seed)
    places = [(n, t) for n in range(1, MAX_CLEANERS + 1) for t in range(101)]
    welfare = np.array([instance.welfare[place] for place in places])
    margins = np.array([[*instance.harvesters[(slice(None), *p)], instance.slack[p]] for p in places])
    found = Table(
        space=contract_space(MAX_CLEANERS), designs=[(t / 100, n) for n, t in places], welfare=welfare, margins=margins,
        without=float(instance.welfare[0, 0]), noise=0.0, alike=False,
    )  # fmt: skip
    return Table(**{**vars(found), "noise": percent / 100 * float(found.worth.max())})


def searched(table: Table, run: int, *, repeats: bool) -> tuple[History, list[int]]:
    """A search: its history, the baseline first, and the numbers of the contracts that were measured."""
    config, numbers = CPMESConfig(repeats=repeats), {design: k for k, design in enumerate(table.designs)}
    rng = np.random.default_rng([run, 7])
    history = History.empty(table.space, NAMES, participation=HARVESTERS)
    begin = table.without + table.noise * rng.standard_normal()
    history = history.add((0.0, 0), begin, [0.0] * len(NAMES), objective_se=SE_WELFARE)
    measured: list[int] = []

    def measure(design: tuple[float, ...]) -> None:
        nonlocal history
        k = numbers[round(float(design[0]), 4), int(design[1])]
        welfare, margins = table.read(k, np.random.default_rng([run, k, measured.count(k)]))
        se = [SE_HARVESTER] * HARVESTERS + [SE_CLEANER]
        history = history.add(table.designs[k], welfare, margins.tolist(), objective_se=SE_WELFARE, margins_se=se)
        measured.append(k)

    for row in initial_designs(table.space, INITIAL, np.random.default_rng([run, 10])):
        measure(tuple(row))
    while len(measured) < BUDGET:
        measure(ask(table.space, told(table, history), seed=run, config=config)[0].design)
    return history, measured


def told(table: Table, history: History) -> History:
    """As studies tell it: harvesters who are alike as one."""
    return pooled(history, {"harvesters": NAMES[:HARVESTERS]}) if table.alike else history


def judged(table: Table, run: int) -> dict[str, list[float]]:
    """Rule -> regret, belief less truth, whether the interval holds, whether the bound of the loss holds."""
    found: dict[str, list[float]] = {}
    best, missing = float(table.worth.max()), float("nan")
    for repeats in (False, True):
        history, measured = searched(table, run, repeats=repeats)
        accepted = np.flatnonzero(history.feasible()[1:])
        nothing = [best - table.without, missing, missing, missing]
        rules = {"repeats": nothing} if repeats else {"luckiest": nothing, "belief": nothing}
        if len(accepted):
            read = history.objective[1:][accepted]
            mean, sd = believe_objective(table.space, told(table, history), history.designs[1:][accepted])
            k, b = measured[accepted[read.argmax()]], measured[accepted[mean.argmax()]]
            gap, reach = float(mean.max() - table.welfare[b]), NORMAL * float(sd[mean.argmax()])
            rules["repeats" if repeats else "belief"] = [best - table.worth[b], gap, float(abs(gap) <= reach), missing]
            if not repeats:
                rules["luckiest"] = [best - table.worth[k], float(read.max() - table.welfare[k]), missing, missing]
        if repeats:
            what = recommend(table.space, told(table, history), otherwise=float(history.objective[0]))
            numbers = {design: k for k, design in enumerate(table.designs)}
            k = numbers[round(float(what.best.design[0]), 4), int(what.best.design[1])]
            low, high = what.interval
            lost = float(table.worth[measured].max() - table.worth[k])
            rules["recommended"] = [
                best - table.worth[k], what.best.objective_mean - table.welfare[k],
                float(low <= table.welfare[k] <= high), float(lost <= what.loss_bound),
            ]  # fmt: skip
        found |= rules
    return found


def line(name: str, rule: str, values: Floats) -> str:
    """One row: values (runs, 4)."""

    def mean(column: int) -> str:
        some = values[:, column][~np.isnan(values[:, column])]
        if not len(some):
            return f"{'-':>16}"
        half = student.ppf(0.975, len(some) - 1) * some.std(ddof=1) / np.sqrt(len(some)) if len(some) > 1 else np.nan
        return f"{some.mean():8.1f} +- {half:4.1f}"

    def share(column: int) -> str:
        some = values[:, column][~np.isnan(values[:, column])]
        return f"{some.mean():8.0%}" if len(some) else f"{'-':>8}"

    return f"{name:18} {rule:12} {mean(0)} {mean(1)} {share(2)} {share(3)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", default="effort,paper,costly,synthetic")
    parser.add_argument("--noise", type=float, default=25.0, help="of welfare, apples in landscapes")
    parser.add_argument("--percent", type=float, default=4.0, help="of welfare, percent of the best, if synthetic")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--first", type=int, default=FIRST_RUN, help="number of the first run, its seed")
    parser.add_argument("--output", type=Path, help="file for the table, besides standard output")
    options = parser.parse_args()
    makers: dict[str, Callable[[int], Table]] = {"synthetic": lambda run: synthetic(run, options.percent)}
    lines = [f"{'problem':18} {'rule':12} {'regret':>16} {'flatters':>16} {'holds':>8} {'lost':>8}"]
    print(lines[0], flush=True)
    with one_thread():
        for name in options.problems.split(","):
            fixed = None if name in makers else of_landscape(name, options.noise)
            label = f"{name} {options.percent:g} %" if fixed is None else f"{name} {options.noise:g}"
            runs = [
                judged(makers[name](run) if fixed is None else fixed, run)
                for run in range(options.first, options.first + options.runs)
            ]
            for rule in RULES:
                lines.append(line(label, rule, np.array([run[rule] for run in runs], np.float64)))
                print(lines[-1], flush=True)
    lines.append(f"{options.runs} runs each, from run {options.first} on; +- half the 95 % interval over runs")
    print(lines[-1])
    if options.output is not None:
        options.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
