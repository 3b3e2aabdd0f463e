"""The lowest tax at which work is certified, where a part of the tax is shared by cells cleaned.

A gain of a cleaner varies by some 4 apples from episode to episode at a tax of 0.4: bounds tell it from an epsilon of 0.6
with 400 episodes, and not with 100.
"""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contract_families.grids import CHOICE, FRESH, crew_settings, deviation, grid, over_trainings, trained
from contract_wrapper import ContractGrid, Crews, cleanup_problem, evaluate, train_deviator
from contract_wrapper.evaluation.contract_grid import mean_and_error
from contract_wrapper.evaluation.deviations import NEVER_WORK
from contract_wrapper.evaluation.deviators import DEVIATORS
from contract_wrapper.landscapes.bounds import quantile
from contract_wrapper.landscapes.certificate import default_epsilon
from contract_wrapper.landscapes.thresholds import IDLE

CONFIDENCE = 0.95


def piece_rate(options: argparse.Namespace) -> None:
    """Print, by crew size and piece rate, the lowest tax from which work is certified, over trainings."""
    problem = cleanup_problem("tax-and-piece-rate", costs=options.costs, max_cleaners=options.largest_crew)
    settings, folder = crew_settings(options, problem), options.folder / "piece-rate"
    crews = trained(folder, settings)
    without = evaluate(problem.none(), settings, seed=0, folder=folder)  # trained from scratch, once
    alone = float(np.mean([u.mean for u in without.utilities.values()]))
    epsilon = default_epsilon([alone])
    taxes = np.linspace(*options.tax_range, options.taxes).round(4)
    rates = np.linspace(0.0, 1.0, options.rates).round(3).tolist()
    print(
        f"lowest tax at which work is certified, costs {options.costs}, {len(crews)} trainings, epsilon {epsilon:.2f}:"
    )
    print("work: no cleaner gains more than epsilon by leaving the crew's play, all accept, the crew works")
    criteria = ("work",) if options.work_only else ("work", "everybody")
    print(f"{'' if options.work_only else 'everybody: no harvester does, either; '}inf: at no tax of the grid")
    for n in options.sizes:
        held = {rate: [certified(options, folder, c, n, rate, taxes, alone) for c in crews] for rate in rates}
        for what in criteria:
            good = {rate: [getattr(one, what) for one in each] for rate, each in held.items()}
            found = {rate: [lowest(taxes, one) for one in each] for rate, each in good.items()}
            for rate, each in found.items():
                pairs = list(zip(found[rates[0]], each, strict=True))
                told = rate and np.isfinite(pairs).all()  # where no tax serves there is no difference
                fall = over_trainings([before - now for before, now in pairs]) if told else ""
                paired = f"; below that of piece rate 0 by {fall}" if fall else ""
                many = " ".join(f"{one.sum()}" for one in good[rate])
                print(
                    f"{n} cleaners, {what}, piece rate {rate:g}: tax {over_trainings(each)}{paired}; certified taxes: {many}"
                )
        for rate, each in held.items():
            gains = over_trainings([float(one.gain[one.works].mean()) for one in each])
            print(
                f"{n} cleaners, piece rate {rate:g}: a cleaner gains {gains}, mean over the taxes at which the crew works"
            )
    print(f"intervals are 95 % over trainings; taxes {taxes[0]:g} to {taxes[-1]:g} in {len(taxes)} values")


@dataclass(frozen=True, kw_only=True)
class Held:
    """What holds at each of T taxes in one training; arrays are (T,)."""

    work: np.ndarray
    """Whether work is certified."""
    everybody: np.ndarray
    """Whether the play of everybody is; that of the crew where harvesters' deviations are not tried."""
    works: np.ndarray
    """Whether the crew works."""
    gain: np.ndarray
    """What a cleaner gains by its strongest deviation, mean over episodes."""


def lowest(taxes: np.ndarray, holds: np.ndarray) -> float:
    """Lowest tax at which something holds; infinite if there is none."""
    return float(taxes[holds].min(initial=np.inf))


def certified(
    options: argparse.Namespace, folder: Path, crews: Crews, n: int, rate: float, taxes: np.ndarray, alone: float
) -> Held:
    """What holds at each tax in one training. `alone`: what a harvester has without a contract."""
    terms = [[float(tax), rate] for tax in taxes]
    choice, fresh = (grid(folder, crews, n, terms, options.episodes, seed) for seed in (CHOICE, FRESH))
    kept = dict[str, np.ndarray]()  # whether nobody of a role gains
    gain = np.zeros(len(taxes))
    for role in ("cleaner",) if options.work_only else ("cleaner", "harvester"):
        ways = [*([NEVER_WORK] if role == "cleaner" else []), *learned(options, folder, crews, role)]
        # The strongest deviation is chosen on one set of episodes and measured on another: gains are (D, T, E).
        chosen, measured = (
            [deviation(folder, crews, n, terms, role, way, options.episodes, seed) - own(played, role) for way in ways]
            for seed, played in ((CHOICE, choice), (FRESH, fresh))
        )
        kept[role] = np.ones(len(taxes), np.bool_)
        if ways:
            strongest = np.mean(chosen, axis=2).argmax(axis=0)
            gains = np.array(measured)[strongest, np.arange(len(taxes))]
            kept[role] = bound(-gains) >= -default_epsilon([alone])
            gain = gains.mean(axis=1) if role == "cleaner" else gain
    shots = fresh.shots.mean(axis=1)
    works = (shots >= IDLE * shots.max()) & (shots.max() > 0)
    good = kept["cleaner"] & works
    for i, agent in enumerate(fresh.agents):
        offer = alone if agent.startswith("harvester_") else 0.0
        good &= bound(fresh.utilities[:, :, i] - offer) >= -default_epsilon([alone])
    everybody = good & kept.get("harvester", np.ones_like(good))
    return Held(work=good, everybody=everybody, works=works, gain=gain)


def bound(values: np.ndarray) -> np.ndarray:
    """Lower 95 % bound of the mean over episodes, (T, E) -> (T,)."""
    mean, error = mean_and_error(values)
    return mean - float(quantile(CONFIDENCE, 1, "episodes")) * error


def learned(options: argparse.Namespace, folder: Path, crews: Crews, role: str) -> list:
    """Deviators that learned, anew and on from the crew's network, for all contracts at once; kept in the folder."""
    if not options.deviators_episodes:
        return []
    config, found = dataclasses.replace(DEVIATORS, episodes=options.deviators_episodes), []
    (folder / "deviators").mkdir(parents=True, exist_ok=True)
    for warm in (False, True):
        name = f"{crews.policy.identity['seed']}-{role}-{'on' if warm else 'anew'}-{options.deviators_episodes}.npz"
        found.append(train_deviator(crews, role, warm=warm, config=config, checkpoint=folder / "deviators" / name))
    return found


def own(played: ContractGrid, role: str) -> np.ndarray:
    """What the first agent of a role takes home if it keeps to its policy, (T, E)."""
    return played.utilities[:, :, played.agents.index(f"{role}_0")]
