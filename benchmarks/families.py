"""Contracts beyond the single tax: searches of the paper's general problem, and what a piece rate changes.

    python benchmarks/families.py harvesters        # a tax for each of five harvesters: 100 contracts, 30 minutes
    python benchmarks/families.py unequal           # the same where harvesters differ, beside the best single tax
    python benchmarks/families.py piece-rate --episodes 400      # the lowest tax at which work is certified, by piece rate
    python benchmarks/families.py original          # everybody eats and cleans: welfare per step and agent
    python benchmarks/families.py overhead          # games of a design problem beside `ContractedGame`: a minute
    python benchmarks/families.py unequal --evaluations 30 --crews-episodes 4000 --trainings 1     # a look

`harvesters`: crews that know every contract of `tax-per-harvester` are trained, and cPMES searches six numbers (five
taxes and the crew) with evaluations by these crews. Beside what it recommends stands the best symmetric contract, all
taxes equal, played by the same crews on the grid of the paper (steps of 0.01, every crew). The difference is told with
the standard error over episodes of the same seeds. `unequal`: the same where one harvester and the cleaners have offers
elsewhere; means over several trainings, with intervals over them, and paired. Studies, crews and what they played are
kept in --folder, and each command goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path

import numpy as np

from contract_families.original import original
from contract_families.overhead import overhead
from contract_families.piece_rate import piece_rate
from contract_families.unequal import unequal
from contract_wrapper import (
    CrewSettings,
    EvaluationSettings,
    SearchSettings,
    cleanup_problem,
    get_mtmfq_profile,
    optimize,
)
from contract_wrapper.evaluation.by_crews.crew_folder import read_crews
from contract_wrapper.evaluation.by_crews.crew_outcome import play_crews
from contract_wrapper.evaluation.crews import CREWS
from contract_wrapper.evaluation.deviators import DEVIATORS
from contract_wrapper.studies.study import OUTCOMES

SYMMETRIC = np.linspace(0.0, 1.0, 21)
"""Taxes, equal for all harvesters, among which the best symmetric contract is sought."""


def harvesters(options: argparse.Namespace) -> None:
    """Search own taxes for equal harvesters, whose best contract is symmetric by symmetry of the game."""
    problem = cleanup_problem("tax-per-harvester", costs=options.costs)
    crews = CrewSettings(trainings=1, learner=dataclasses.replace(CREWS, episodes=options.crews_episodes))
    settings = EvaluationSettings(problem=problem, crews=crews)
    initial = max(3, min(20, options.evaluations // 2))
    search = SearchSettings(
        n_initial=initial, n_search=options.evaluations - initial, batch=2, n_confirm=0, certify=False
    )
    began = time.monotonic()
    record = optimize(settings, search, folder=options.folder / "harvesters", processes=2, stream=sys.stderr)
    minutes = (time.monotonic() - began) / 60
    known = read_crews(record.folder / OUTCOMES, settings)
    baseline, best = record.baseline, record.best()
    if baseline is None or best is None:
        sys.exit("nothing feasible was found")
    equal = {}
    for n in range(1, 6):
        for tax in SYMMETRIC:
            contract = problem.contract(**{f"tax_{j}": float(tax) for j in range(5)}, n_cleaners=n)
            outcome = play_crews(known, contract, episodes=50, seed=7, problem=problem)
            if all(margin.mean >= 0 for margin in _margins(outcome, baseline, problem).values()):
                equal[contract] = outcome.welfare.mean
    top = max(equal, key=lambda contract: equal[contract])
    fresh = {c: play_crews(known, c, episodes=400, seed=11, problem=problem) for c in (top, best.contract)}
    print(
        f"tax-per-harvester, costs {options.costs}, {options.evaluations} contracts, {minutes:.0f} minutes in this run"
    )
    print(f"crews: one training of {options.crews_episodes} episodes, {known[0].cpu_seconds:.0f} CPU-seconds")
    for name, contract in (("best symmetric", top), ("recommended", best.contract)):
        margins = _margins(fresh[contract], baseline, problem)
        least = min(margins.values(), key=lambda m: m.mean)
        print(f"{name:15} {contract}: welfare {fresh[contract].welfare}, smallest margin {least}")
    share = fresh[best.contract].welfare.mean / fresh[top].welfare.mean
    print(f"recommended / best symmetric: {share:.3f}; ± one standard error over 400 fresh episodes of the same crews")


def _margins(outcome, baseline, problem):  # type: ignore[no-untyped-def]
    from contract_wrapper.evaluation.judging.margins import margins_of

    return margins_of(outcome, baseline, problem)


COMMANDS = {
    "harvesters": harvesters, "unequal": unequal, "piece-rate": piece_rate, "original": original, "overhead": overhead,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=COMMANDS)
    parser.add_argument("--costs", default="effort")
    parser.add_argument("--evaluations", type=int, default=100, help="contracts of a search")
    parser.add_argument("--trainings", type=int, default=5, help="independent trainings of crews")
    parser.add_argument("--crews-episodes", type=int, default=CREWS.episodes)
    parser.add_argument("--deviators-episodes", type=int, default=DEVIATORS.episodes, help="0: scripted ones alone")
    parser.add_argument("--sizes", type=_sizes, default=(1, 2, 3, 4, 5), help="crew sizes, such as 2,4")
    parser.add_argument("--largest-crew", type=int, help="that the crews know (default: the largest of --sizes)")
    parser.add_argument("--taxes", type=int, default=20, help="taxes of a grid")
    parser.add_argument("--tax-range", type=float, nargs=2, default=(0.02, 0.4), help="of piece-rate")
    parser.add_argument("--work-only", action="store_true", help="piece-rate: try no deviations of harvesters")
    parser.add_argument("--rates", type=int, default=5, help="piece rates of a grid, from 0 to 1")
    parser.add_argument("--episodes", type=int, default=100, help="episodes on which contracts are chosen")
    parser.add_argument("--fresh", type=int, default=400, help="further episodes on which they are measured")
    parser.add_argument("--game", default="original", help="preset of original, or meltingpot-like")
    parser.add_argument("--profile", default="fast", help="of trainings from scratch: fast, paper, smoke")
    parser.add_argument("--processes", type=int, default=2, help="of a search")
    parser.add_argument("--folder", type=Path, default=Path("studies/families"))
    options = parser.parse_args()
    options.largest_crew = max(*options.sizes, options.largest_crew or 1)
    options.learner = get_mtmfq_profile(options.profile)
    COMMANDS[options.what](options)


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


if __name__ == "__main__":
    main()
