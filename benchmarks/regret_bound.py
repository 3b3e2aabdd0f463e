"""Theorem 1 of the contract paper: cumulative regrets measured on the synthetic Clean-up, beside the bound.

    python benchmarks/regret_bound.py --small        # 2 runs of 8 evaluations
    python benchmarks/regret_bound.py                # 10 runs of 20 evaluations

Both the default cPMES and the one that is printed, for which the theorem is stated.

R1 = sum_t (G* - G_t), R2 = sum_t (phi* - phi_t), R3 = sum_t sum_j [Pr(IR_j* >= 0) - Pr(IR_j,t >= 0)],
where t runs over the contracts that cPMES chose and * is the best contract that everybody accepts.
R1 is in units of the standard deviation of G over all contracts, so that the three can be one vector.
The theorem: |(R1, R2, R3)| <= sqrt(k T beta_T (sum of the outputs' information gains)). The gain of
an output is that of T designs chosen greedily for it, with the kernel fitted at the end of the run,
divided by 1 - 1/e: no T designs give more (Krause & Guestrin 2005). The theorem leaves k open; here
it is the smallest one that holds in every run at every T, fitted once over all runs of both.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.acquisition import beta_t
from contract_wrapper.bo.cpmes import ask
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.gp.blas_threads import one_thread
from contract_wrapper.bo.gp.regression import GaussianProcess
from contract_wrapper.bo.surrogates import Surrogate, fit
from optimiser_bench.cleanup import SynthCleanup
from optimiser_bench.tables import band

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run; each array (T,)."""

    welfare: Floats
    """R1."""
    participation: Floats
    """R2."""
    rationality: Floats
    """R3."""
    rate: Floats
    """T beta_T times the summed information gains: the bound squared, but for k."""

    @property
    def length(self) -> Floats:
        """Length of the regret vector."""
        return np.asarray(np.sqrt(self.welfare**2 + self.participation**2 + self.rationality**2))


def information_gain(surrogate: Surrogate, unit: Floats, n: int) -> Floats:
    """Bound of the information (nats) that t = 1..n designs can give of an output, (n,); constants give none.

    1/2 log det(I + s^-2 K) of designs taken one by one where the most is left to learn, over 1 - 1/e.
    """
    if not isinstance(surrogate, GaussianProcess):
        return np.zeros(n)
    noise = surrogate.hyper.noise
    covariance = surrogate.prior_covariance(unit)
    gains = []
    for _ in range(n):
        left = np.diag(covariance)
        i = int(np.argmax(left))
        gains.append(0.5 * math.log1p(left[i] / noise))
        covariance = covariance - np.outer(covariance[i], covariance[i]) / (left[i] + noise)
    return np.asarray(np.cumsum(gains) / (1 - 1 / math.e))


CONFIGS = {"default": CPMESConfig(), "paper": CPMESConfig.paper()}


def measure(instance: int, evaluations: int, config: CPMESConfig) -> Measured:
    """Run cPMES once, from a prior set of its own, and sum up what it missed."""
    cleanup = SynthCleanup(instance)
    problem = cleanup.problem()
    history = problem.begin(4, 7, np.random.default_rng(np.random.SeedSequence([instance, 10])))
    chosen = []
    for _ in range(evaluations):
        (pick,) = ask(problem.space, history, seed=instance, config=config)
        history = problem.add(history, pick.design)
        chosen.append((int(pick.design[1]), round(100 * pick.design[0])))
    cleaners, taxes = np.array(chosen).T
    grid = problem.space.grid()
    assert grid is not None
    unit = problem.space.to_unit(grid)
    with one_thread():
        surrogates = fit(problem.space, history, local=config.local_term)
        parts = () if surrogates is None else surrogates.parts
        gain = np.sum([information_gain(part, unit, evaluations) for part in parts], axis=0)
    steps = np.arange(1, evaluations + 1)
    beta = np.array([beta_t(int(t), len(unit)) for t in steps])  # the number of designs, as the theorem needs
    agreed = cleanup.harvesters[:, cleaners, taxes] >= 0
    return Measured(
        welfare=np.cumsum(problem.best - cleanup.welfare[cleaners, taxes]) / cleanup.welfare.std(),
        participation=np.cumsum(1.0 - (cleanup.slack[cleaners, taxes] >= 0)),
        rationality=np.cumsum((1.0 - agreed).sum(axis=0)),
        rate=steps * beta * gain,
    )


def draw(path: Path, runs: Mapping[str, list[Measured]], k: float) -> None:
    """Draw means and their 95 % intervals, and the mean bound, one panel per configuration."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(runs), figsize=(5.5 * len(runs), 4), sharey=True, layout="constrained")
    over = (
        f"bands: 95 % interval of the mean, Student's t over {len(next(iter(runs.values())))} instances, one run each"
    )
    for axis, (name, mine) in zip(axes, runs.items(), strict=True):
        steps = np.arange(1, len(mine[0].rate) + 1)
        curves = {
            "R1 welfare (standard deviations)": [run.welfare for run in mine],
            "R2 participation": [run.participation for run in mine],
            "R3 individual rationality": [run.rationality for run in mine],
            "|(R1, R2, R3)|": [run.length for run in mine],
        }
        for label, values in curves.items():
            mean, half = band(np.array(values))
            axis.plot(steps, mean, label=label)
            axis.fill_between(steps, mean - half, mean + half, alpha=0.15, linewidth=0)
        bound = np.sqrt(k * np.array([run.rate for run in mine])).mean(axis=0)
        axis.plot(steps, bound, "k--", label=f"bound, k = {k:.3g}")
        axis.set(title=f"cPMES, {name}", xlabel=f"T, evaluations chosen by cPMES\n{over}")
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].set_ylabel("cumulative regret")
    axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--instances", type=int, default=10)
    parser.add_argument("--evaluations", type=int, default=20)
    parser.add_argument("--small", action="store_true", help="2 instances, 8 evaluations")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    name = "regret_bound"
    if options.small:
        options.instances, options.evaluations, name = 2, 8, "small-regret_bound"
    runs: dict[str, list[Measured]] = {}
    for label, config in CONFIGS.items():
        print(f"{options.instances} runs, {label}", file=sys.stderr)
        runs[label] = [measure(instance, options.evaluations, config) for instance in range(options.instances)]

    everything = [run for mine in runs.values() for run in mine]
    k = max(float((run.length**2 / run.rate).max()) for run in everything)
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"k = {k:.4g}, the smallest that holds in all {len(everything)} runs")
    with (options.folder / f"{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["config", "T", "R1", "R2", "R3", "length", "bound", "k"])
        for label, mine in runs.items():
            print(f"{label:10}{'T':>4}{'R1':>9}{'R2':>9}{'R3':>9}{'length':>9}{'bound':>9}")
            for i in range(options.evaluations):
                parts = [
                    [r.welfare[i], r.participation[i], r.rationality[i], r.length[i], (k * r.rate[i]) ** 0.5]
                    for r in mine
                ]
                means = np.mean(parts, axis=0)
                writer.writerow([label, i + 1, *(f"{value:.5g}" for value in means), f"{k:.5g}"])
                print(f"{'':10}{i + 1:>4}{''.join(f'{value:9.2f}' for value in means)}")
    draw(options.folder / f"{name}.png", runs, k)


if __name__ == "__main__":
    main()
