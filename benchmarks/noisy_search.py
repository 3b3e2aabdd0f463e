"""What is recommended where readings are noisy: its regret, how much its belief flatters it, and whether intervals hold.

    python benchmarks/noisy_search.py                                     # about 25 minutes of CPU time
    python benchmarks/noisy_search.py --runs 4 --problems effort          # a look
    python benchmarks/noisy_search.py --problems synthetic --percent 8    # fresh instances alone
    python benchmarks/noisy_search.py --problems effort --noise 50 --varying crew --rules recommended,varying

A problem is a table whose truth is known: the mean over trainings of a shipped landscape (505 contracts), or an instance
of the synthetic Clean-up of which each run has another (`SynthCleanup(seed)`, 303 contracts with cleaners). A reading is
the truth with normal noise: of welfare with the standard deviation of `--noise` (apples in landscapes, percent of the best
welfare in synthetic instances), a tenth of it shared by all margins, each with noise of its own beside that (a tenth of it
for harvesters, a twenty-fifth for cleaners, as trainings of shipped landscapes have about). With `--varying`, noise differs
between contracts by a factor of 10, with `--noise` or `--percent` in the middle (of logarithms): it grows with the tax, or
it depends on the crew, largest with two cleaners and least with five; without a contract it is the least. The search is
told standard errors over episodes alone (3.3 of welfare, 1 of a harvester's margin, 0.5 of the cleaners'), so it has to
find out how noisy trainings are. 10 initial designs, the rest by cPMES. Each run is judged by these rules:

luckiest: the highest reading of those read as accepted; belief: of these the one whose welfare the surrogate believes
highest, as studies recommended before; both after a search that measures nothing twice. repeats: the same belief
after a search that may measure again. recommended: `contract_wrapper.bo.noise.recommend`, after that search. All these
take noise to be the same for all contracts. With `--rules recommended,varying`, varying: search and recommendation let
noise vary over contracts where repeats say that it does (`varying_noise=True`); difference: varying less recommended, run
by run.

flatters: belief (or reading) less truth. holds: share of runs whose 95 % interval holds the truth. lost: share of runs in
which what is lost against the best of the measured contracts is at most the stated bound. varies, with that rule: share of
runs in which the noise of welfare is taken to vary over contracts, in the end. +-: half the 95 % interval over runs, Student's t. The
constants of `recommend` were chosen on runs 0 to 59, and once more after a look at runs 1000 to 1099, those of varying
noise on made-up functions alone; here runs begin at 2000.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from contract_wrapper.bo.candidates.sampling import initial_designs
from contract_wrapper.bo.cpmes import ask
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.fitting.repeated import varying_noises
from contract_wrapper.bo.gp.blas_threads import one_thread
from contract_wrapper.bo.history import History
from contract_wrapper.bo.noise.pooling import pooled
from contract_wrapper.bo.noise.recommend import NORMAL, recommend
from contract_wrapper.bo.space import DesignSpace, contract_space
from contract_wrapper.bo.surrogates import believe_objective
from contract_wrapper.landscapes.shipped import load_landscape
from optimiser_bench.cleanup import MAX_CLEANERS, SynthCleanup

Floats = npt.NDArray[np.float64]

INITIAL, FIRST_RUN = 10, 2000
SE_WELFARE, SE_HARVESTER, SE_CLEANER = 3.3, 1.0, 0.5
SHARED, OWN_HARVESTER, OWN_CLEANER = 0.1, 0.1, 0.04
HARVESTERS = 5
NAMES = (*(f"harvester_{j}" for j in range(HARVESTERS)), "participation")
RULES = ("luckiest", "belief", "repeats", "recommended")
VARIED = "varying"
"""The rule that lets noise vary, which is there if it is asked for."""
STUCK = {1: 0.5, 2: 1.0, 3: 0.6, 4: 0.3, 5: 0.0}
"""Of the range of the noise, by crew size: crews of two get stuck in some trainings."""
VARYING: dict[str, Callable[[float, int], float]] = {"tax": lambda tax, _: tax, "crew": lambda _, crew: STUCK[crew]}
"""How noise varies: tax and crew size -> place in its range, 0 to 1."""


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
    noise: Floats
    """Standard deviation of a reading of welfare, (k,)."""
    noise_without: float
    """That without a contract."""
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
        margins = self.margins[k] + self.noise[k] * (SHARED * common + scale * own) + errors * episodes[:6]
        return float(self.welfare[k] + self.noise[k] * common + SE_WELFARE * episodes[6]), margins

    def noisy(self, middle: float, varying: str | None) -> Table:
        """This table with another noise, of which `middle` is the middle if it varies."""
        if varying is None:
            return replace(self, noise=np.full(len(self.designs), middle), noise_without=middle)
        places = np.array([VARYING[varying](tax, crew) for tax, crew in self.designs])
        return replace(self, noise=middle * 10 ** (places - 0.5), noise_without=middle * 10**-0.5)


def of_landscape(name: str) -> Table:
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
        noise=np.empty(0),
        noise_without=0.0,
        alike=True,
    )


def synthetic(seed: int) -> Table:
    """An instance of the synthetic Clean-up."""
    instance = SynthCleanup(seed)
    places = [(n, t) for n in range(1, MAX_CLEANERS + 1) for t in range(101)]
    welfare = np.array([instance.welfare[place] for place in places])
    margins = np.array([[*instance.harvesters[(slice(None), *p)], instance.slack[p]] for p in places])
    return Table(
        space=contract_space(MAX_CLEANERS), designs=[(t / 100, n) for n, t in places], welfare=welfare, margins=margins,
        without=float(instance.welfare[0, 0]), noise=np.empty(0), noise_without=0.0, alike=False,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Search:
    """What came of a search."""

    history: History
    """The baseline first."""
    measured: list[int]
    """Numbers of the contracts, in order."""
    varied: bool
    """Whether noise of any output was taken to vary at any time."""


def searched(table: Table, run: int, budget: int, *, repeats: bool, varying: bool) -> Search:
    """Search a table."""
    config = CPMESConfig(repeats=repeats, varying_noise=varying)
    numbers = {design: k for k, design in enumerate(table.designs)}
    rng = np.random.default_rng([run, 7])
    history = History.empty(table.space, NAMES, participation=HARVESTERS)
    begin = table.without + table.noise_without * rng.standard_normal()
    history = history.add((0.0, 0), begin, [0.0] * len(NAMES), objective_se=SE_WELFARE)
    measured: list[int] = []
    varied = False

    def measure(design: tuple[float, ...]) -> None:
        nonlocal history
        k = numbers[round(float(design[0]), 4), int(design[1])]
        welfare, margins = table.read(k, np.random.default_rng([run, k, measured.count(k)]))
        se = [SE_HARVESTER] * HARVESTERS + [SE_CLEANER]
        history = history.add(table.designs[k], welfare, margins.tolist(), objective_se=SE_WELFARE, margins_se=se)
        measured.append(k)

    for row in initial_designs(table.space, INITIAL, np.random.default_rng([run, 10])):
        measure(tuple(row))
    while len(measured) < budget:
        measure(ask(table.space, told(table, history), seed=run, config=config)[0].design)
        varied = varied or any(varying_noises(table.space, told(table, history)))
    return Search(history=history, measured=measured, varied=varied)


def told(table: Table, history: History) -> History:
    """As studies tell it: harvesters who are alike as one."""
    return pooled(history, {"harvesters": NAMES[:HARVESTERS]}) if table.alike else history


def judged(table: Table, run: int, rules: tuple[str, ...], budget: int) -> dict[str, list[float]]:
    """Rule -> regret, belief less truth, whether the interval holds, whether the bound of the loss holds, whether noise varies."""
    found: dict[str, list[float]] = {}
    if "luckiest" in rules or "belief" in rules:
        search = searched(table, run, budget, repeats=False, varying=False)
        found |= {rule: by_readings(table, search, rule) for rule in ("luckiest", "belief")}
    again = searched(table, run, budget, repeats=True, varying=True) if VARIED in rules else None
    if "repeats" in rules or "recommended" in rules:
        # Where noise was never taken to vary, the search with common noise is the same, step by step.
        same = again is not None and not again.varied
        search = again if again is not None and same else searched(table, run, budget, repeats=True, varying=False)
        found |= {
            "repeats": by_readings(table, search, "repeats"),
            "recommended": recommended(table, search, varying=False),
        }
    if again is not None:
        found[VARIED] = recommended(table, again, varying=True)
    return found


def by_readings(table: Table, search: Search, rule: str) -> list[float]:
    """Judge what is chosen among the contracts read as accepted: the luckiest, else that of the highest belief."""
    history, measured = search.history, search.measured
    best, missing = float(table.worth.max()), float("nan")
    accepted = np.flatnonzero(history.feasible()[1:])
    if not len(accepted):
        return [best - table.without, missing, missing, missing, missing]
    read = history.objective[1:][accepted]
    mean, sd = believe_objective(table.space, told(table, history), history.designs[1:][accepted], varying_noise=False)
    if rule == "luckiest":
        k = measured[accepted[read.argmax()]]
        return [best - table.worth[k], float(read.max() - table.welfare[k]), missing, missing, missing]
    b = measured[accepted[mean.argmax()]]
    gap, reach = float(mean.max() - table.welfare[b]), NORMAL * float(sd[mean.argmax()])
    return [best - table.worth[b], gap, float(abs(gap) <= reach), missing, missing]


def recommended(table: Table, search: Search, *, varying: bool) -> list[float]:
    """Judge what is recommended after a search."""
    history, measured = search.history, search.measured
    what = recommend(table.space, told(table, history), otherwise=float(history.objective[0]), varying_noise=varying)
    numbers = {design: k for k, design in enumerate(table.designs)}
    k = numbers[round(float(what.best.design[0]), 4), int(what.best.design[1])]
    low, high = what.interval
    lost = float(table.worth[measured].max() - table.worth[k])
    varies = varying and varying_noises(table.space, told(table, history))[0] is not None
    return [
        float(table.worth.max()) - table.worth[k], what.best.objective_mean - table.welfare[k],
        float(low <= table.welfare[k] <= high), float(lost <= what.loss_bound), float(varies),
    ]  # fmt: skip


def line(name: str, rule: str, values: Floats, *, varied: bool) -> str:
    """One row: values (runs, 5), the last of which is shown if noise was let vary."""

    def mean(column: int) -> str:
        some = values[:, column][~np.isnan(values[:, column])]
        if not len(some):
            return f"{'-':>16}"
        half = student.ppf(0.975, len(some) - 1) * some.std(ddof=1) / np.sqrt(len(some)) if len(some) > 1 else np.nan
        return f"{some.mean():8.1f} +- {half:4.1f}"

    def share(column: int) -> str:
        some = values[:, column][~np.isnan(values[:, column])]
        return f"{some.mean():8.0%}" if len(some) else f"{'-':>8}"

    varies = f" {share(4)}" if varied else ""
    return f"{name:18} {rule:12} {mean(0)} {mean(1)} {share(2)} {share(3)}{varies}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", default="effort,paper,costly,synthetic")
    parser.add_argument("--noise", type=float, default=25.0, help="of welfare, apples in landscapes")
    parser.add_argument("--percent", type=float, default=4.0, help="of welfare, percent of the best, if synthetic")
    parser.add_argument("--varying", choices=sorted(VARYING), help="over what noise varies, by a factor of 10")
    parser.add_argument("--budget", type=int, default=30, help="evaluations, initial ones included")
    parser.add_argument("--rules", default=",".join(RULES))
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--first", type=int, default=FIRST_RUN, help="number of the first run, its seed")
    parser.add_argument("--output", type=Path, help="file for the table, besides standard output")
    options = parser.parse_args()
    rules = tuple(rule for rule in (*RULES, VARIED) if rule in options.rules.split(","))
    varied = VARIED in rules
    lines = [f"{'problem':18} {'rule':12} {'regret':>16} {'flatters':>16} {'holds':>8} {'lost':>8}"]
    lines[0] += f" {'varies':>8}" if varied else ""
    print(lines[0], flush=True)
    with one_thread():
        for name in options.problems.split(","):
            fixed = None if name == "synthetic" else of_landscape(name)
            over = f" by {options.varying}" if options.varying else ""
            label = (f"{name} {options.percent:g} %" if fixed is None else f"{name} {options.noise:g}") + over
            runs = []
            for run in range(options.first, options.first + options.runs):
                table = synthetic(run) if fixed is None else fixed
                middle = options.noise if fixed is not None else options.percent / 100 * float(table.worth.max())
                runs.append(judged(table.noisy(middle, options.varying), run, rules, options.budget))
            found = {rule: np.array([run[rule] for run in runs], np.float64) for rule in rules}
            if {"recommended", VARIED} <= set(rules):
                found["difference"] = found[VARIED] - found["recommended"]
            for rule, values in found.items():
                lines.append(line(label, rule, values, varied=varied))
                print(lines[-1], flush=True)
    lines.append(f"{options.runs} runs each, from run {options.first} on; +- half the 95 % interval over runs")
    print(lines[-1])
    if options.output is not None:
        options.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
