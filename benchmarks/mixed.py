"""Searches over choices and numbers together, each an Optuna study: `python benchmarks/mixed.py`.

    python benchmarks/mixed.py                                # about 20 minutes of CPU time
    python benchmarks/mixed.py --runs 1 --problems rules      # a look

Three problems of our own, made to be easy to judge; every sampler gets the same 8 random first trials of a run:

rules: a rule out of 5, each with a hill of its own over two numbers, and a constraint whose bound the rule moves.
parts: five choices out of 4 each, every part with a value of its own and two pairs that go well together; one constraint.
fifty: one choice out of 50, of which 5 are good, and a number; no constraint.

`choices at random` is cPMES as it was before it knew choices: numbers are searched, choices drawn. Regret: the best there
is less the best feasible value found, in shares of the range between the best and the mean of 2000 random designs; a run
without anything feasible counts as 1. +-: half the 95 % interval over runs, Student's t.
"""

from __future__ import annotations

import argparse
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from scipy.stats import t as student

from contract_wrapper.bo.optuna_sampler import CPMESSampler
from contract_wrapper.errors import ContractsError

FIRST = 8
CHECKPOINTS = (15, 25, 40)

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Mixed:
    """A problem over numbers and choices, to be maximised."""

    parameters: dict[str, BaseDistribution]
    value: Callable[[Values], float]
    excess: Callable[[Values], float]
    """At most 0 where the constraint holds."""
    best: float
    """The largest feasible value, known from how the problem is made."""


RULES = ("equal", "by work", "by need", "lottery", "none")
_TOPS = {
    "equal": (0.2, 0.3, 0.5), "by work": (0.7, 0.6, 1.0), "by need": (0.4, 0.9, 0.8), "lottery": (0.9, 0.1, 0.3), "none": (0.1, 0.1, 0.2)
}  # fmt: skip


def _rules() -> Mixed:
    def value(at: Values) -> float:
        x, y, height = _TOPS[at["rule"]]
        return height - 3.0 * ((at["x"] - x) ** 2 + (at["y"] - y) ** 2)

    def excess(at: Values) -> float:  # the hill of "by work" is cut at y = 0.5: its feasible best is 0.97 there
        return float(at["y"]) - (0.5 if at["rule"] == "by work" else 0.8)

    return Mixed(
        parameters={
            "rule": CategoricalDistribution(RULES),
            "x": FloatDistribution(0.0, 1.0),
            "y": FloatDistribution(0.0, 1.0),
        },
        value=value,
        excess=excess,
        best=0.97,
    )


def _parts() -> Mixed:
    names, letters = ["p0", "p1", "p2", "p3", "p4"], "abcd"
    worth = np.array([[0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1], [1, 2, 3, 0], [0, 3, 1, 2]], dtype=float)
    weight = np.array([[1, 2, 2, 4], [4, 1, 2, 2], [2, 4, 1, 2], [2, 2, 4, 1], [1, 4, 2, 2]], dtype=float)

    def places(at: Values) -> list[int]:
        return [letters.index(at[name]) for name in names]

    def value(at: Values) -> float:
        k = places(at)
        pairs = 2.0 * (k[0] == 2 and k[1] == 3) + 2.0 * (k[2] == 3 and k[4] == 1)
        return float(sum(worth[i, j] for i, j in enumerate(k))) + pairs

    def excess(at: Values) -> float:
        return float(sum(weight[i, j] for i, j in enumerate(places(at)))) - 12.0

    every = [dict(zip(names, k, strict=True)) for k in np.array(np.meshgrid(*[list(letters)] * 5)).reshape(5, -1).T]
    return Mixed(
        parameters={name: CategoricalDistribution(tuple(letters)) for name in names},
        value=value,
        excess=excess,
        best=max(value(at) for at in every if excess(at) <= 0),
    )


def _fifty() -> Mixed:
    def value(at: Values) -> float:
        k = int(at["kind"])
        height = 1.0 - 0.05 * (k // 11) if k % 11 == 3 else 0.1 * math.sin(k)
        return height - (at["x"] - 0.02 * k) ** 2

    return Mixed(
        parameters={
            "kind": CategoricalDistribution(tuple(str(k) for k in range(50))),
            "x": FloatDistribution(0.0, 1.0),
        },
        value=value,
        excess=lambda at: -1.0,
        best=1.0,
    )


PROBLEMS: dict[str, Callable[[], Mixed]] = {"rules": _rules, "parts": _parts, "fifty": _fifty}


class ChoicesAtRandom(CPMESSampler):
    """cPMES over the numbers alone."""

    def infer_relative_search_space(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial
    ) -> dict[str, BaseDistribution]:
        found = super().infer_relative_search_space(study, trial)
        return {name: d for name, d in found.items() if not isinstance(d, CategoricalDistribution)}


SAMPLERS: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "cPMES": lambda seed: CPMESSampler(seed=seed, n_startup_trials=FIRST),
    "choices at random": lambda seed: ChoicesAtRandom(seed=seed, n_startup_trials=FIRST),
    "Optuna GP": lambda seed: optuna.samplers.GPSampler(seed=seed, n_startup_trials=FIRST),
    "Optuna TPE": lambda seed: optuna.samplers.TPESampler(seed=seed, n_startup_trials=FIRST, multivariate=True),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}


def regrets(problem: Mixed, sampler: str, run: int, mean: float) -> list[float]:
    """Regret after each of `CHECKPOINTS` trials."""
    study = optuna.create_study(direction="maximize", sampler=SAMPLERS[sampler](run))
    first = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1000 + run))
    for _ in range(FIRST):
        study.enqueue_trial(first.ask(problem.parameters).params)

    def objective(trial: optuna.Trial) -> float:
        for name, d in problem.parameters.items():
            if isinstance(d, CategoricalDistribution):
                trial.suggest_categorical(name, d.choices)
            elif isinstance(d, FloatDistribution):
                trial.suggest_float(name, d.low, d.high)
        trial.set_constraint("limit", problem.excess(trial.params))
        return problem.value(trial.params)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study.optimize(objective, n_trials=max(CHECKPOINTS))
    values = np.array([t.value if problem.excess(t.params) <= 0 else -np.inf for t in study.trials], dtype=float)
    lost = (problem.best - np.maximum.accumulate(values)) / (problem.best - mean)
    return [min(float(lost[min(n, len(lost)) - 1]), 1.0) for n in CHECKPOINTS]


def mean_of(problem: Mixed) -> float:
    """Mean value of random designs."""
    drawn = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return float(np.mean([problem.value(drawn.ask(problem.parameters).params) for _ in range(2000)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--samplers", default=",".join(SAMPLERS))
    options = parser.parse_args()
    problems, samplers = options.problems.split(","), options.samplers.split(",")
    for names, known in ((problems, PROBLEMS), (samplers, SAMPLERS)):
        if unknown := sorted(set(names) - set(known)):
            raise ContractsError(f"there is no {', '.join(unknown)}: take some of {', '.join(known)}")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(f"regret after {', '.join(map(str, CHECKPOINTS))} trials; runs 0 to {options.runs - 1}")
    for name in problems:
        problem = PROBLEMS[name]()
        mean = mean_of(problem)
        for sampler in samplers:
            found = np.array([regrets(problem, sampler, run, mean) for run in range(options.runs)])
            half = None  # of one run nothing can be said
            if options.runs > 1:
                half = student.ppf(0.975, options.runs - 1) * found.std(axis=0, ddof=1) / math.sqrt(options.runs)
            told = [""] * len(CHECKPOINTS) if half is None else [f"+- {h:.3f}" for h in half]
            cells = " ".join(f"{m:>7.3f} {h:<8}" for m, h in zip(found.mean(axis=0), told, strict=True))
            print(f"{name:>8} {sampler:>18} {cells}", flush=True)


if __name__ == "__main__":
    main()
