"""A tax for each harvester beside one tax for all, where one harvester and the cleaners have offers elsewhere."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

import numpy as np

from contract_families.grids import CHOICE, FRESH, crew_settings, grid, over_trainings, trained
from contract_wrapper import ContractGrid, Estimate, SearchSettings, cleanup_problem, optimize
from contract_wrapper.evaluation.participation import binding_options
from contract_wrapper.problems.cleanup import CleanupProblem
from contract_wrapper.studies.study import OUTCOMES

OUTSIDE = "harvester_0:110;cleaner:45"
"""Of examples/14_unequal_harvesters.py, where the shipped landscape says that no single tax is accepted."""


def unequal(options: argparse.Namespace) -> None:
    """Search own taxes for unequal harvesters; beside it the best single tax, played by the same crews on a grid."""
    problem = cleanup_problem(
        "tax-per-harvester", name="unequal", costs=options.costs, outside=OUTSIDE, max_cleaners=options.largest_crew
    )
    settings, folder = crew_settings(options, problem), options.folder / "unequal"
    initial = max(3, min(20, options.evaluations // 2))
    search = SearchSettings(
        n_initial=initial, n_search=options.evaluations - initial, batch=2, n_confirm=0, certify=False
    )
    record = optimize(settings, search, folder=folder, processes=options.processes, stream=sys.stderr)
    baseline = record.baseline
    assert baseline is not None  # else the search had stopped
    crews = trained(folder / OUTCOMES, settings)
    taxes = np.linspace(0.0, 0.95, options.taxes).round(3).tolist()
    single = {
        (n, tax): [margins(one, k, problem, baseline.utilities) for one in grids]
        for n in options.sizes
        for grids in [[grid(folder, c, n, [[t] * 5 for t in taxes], options.episodes, CHOICE) for c in crews]]
        for k, tax in enumerate(taxes)
    }
    tops = sorted(single, key=lambda key: merit(single[key]), reverse=True)
    accepted = [key for key in tops if smallest(single[key]) >= 0.0]
    print(f"harvesters and cleaners with offers elsewhere ({OUTSIDE}), costs {options.costs}; {len(crews)} trainings")
    print(f"single taxes that all accept as measured: {len(accepted)} of {len(single)}")
    n, tax = tops[0]
    chosen = {f"single tax {tax:g}, {n} cleaners": (n, [tax] * 5)}
    best = record.best() or next(iter(record.infeasible_trials()), None)
    if best is not None:
        chosen[f"own taxes {best.contract}"] = (problem.crew_of(best.contract), problem.terms_of(best.contract))
    measured = {}
    for name, (n, terms) in chosen.items():
        fresh = [grid(folder, c, n, [terms], options.fresh, FRESH) for c in crews]
        measured[name] = [margins(one, 0, problem, baseline.utilities) for one in fresh]
        each = measured[name][0][1]
        least = {agent: over_trainings([m[agent] for _, m in measured[name]]) for agent in each}
        worst = min(each, key=lambda agent: float(np.mean([m[agent] for _, m in measured[name]])))
        print(f"{name}: welfare {over_trainings([w for w, _ in measured[name]], '.1f')}")
        print(f"    smallest margin, of {worst}: {least[worst]}; of harvester_0: {least['harvester_0']}")
    if len(measured) == 2:
        one, own = measured.values()
        print(
            f"own less single, paired: welfare {over_trainings([b[0] - a[0] for a, b in zip(one, own, strict=True)])}"
        )
        gap = [min(b[1].values()) - min(a[1].values()) for a, b in zip(one, own, strict=True)]
        print(
            f"    smallest margin {over_trainings(gap)}; intervals are 95 % over trainings, {options.fresh} fresh episodes"
        )


def margins(
    played: ContractGrid, k: int, problem: CleanupProblem, baseline: Mapping[str, Estimate]
) -> tuple[float, dict[str, float]]:
    """Welfare of a contract in one training, and margins of all agents against no contract or their offers."""
    offers = {**{agent: u.mean for agent, u in baseline.items()}, **binding_options(baseline, problem.outside)}
    home = dict(zip(played.agents, played.utilities[k].mean(axis=0).tolist(), strict=True))
    cleaners = {agent: problem.outside.of_agent(agent) or 0.0 for agent in home if agent not in baseline}
    return float(played.welfare[k].mean()), {a: u - {**cleaners, **offers}[a] for a, u in home.items()}


def smallest(trainings: list[tuple[float, dict[str, float]]]) -> float:
    """Smallest margin of any agent, each a mean over trainings."""
    return float(np.mean([list(each.values()) for _, each in trainings], axis=0).min())


def merit(trainings: list[tuple[float, dict[str, float]]]) -> tuple[float, float]:
    """What the best single tax has most of: nobody below 0, then welfare."""
    return min(smallest(trainings), 0.0), float(np.mean([welfare for welfare, _ in trainings]))
