"""The Clean-up of most of the literature, in which everybody eats and cleans, under a tax and a piece rate."""

from __future__ import annotations

import argparse

import numpy as np

from contract_families.grids import CHOICE, FRESH, crew_settings, grid, over_trainings, trained
from contract_wrapper import cleanup_problem, evaluate


def original(options: argparse.Namespace) -> None:
    """Print welfare per step and agent: no contract, best tax, best tax and piece rate."""
    problem = cleanup_problem("free-tax", game=options.game, costs=options.costs)
    settings, folder = crew_settings(options, problem), options.folder / options.game
    crews, game = trained(folder, settings), problem.game
    unit = game.horizon * len(game.agents)
    taxes = np.linspace(0.0, 1.0, options.taxes).round(3).tolist()
    rates = np.linspace(0.0, 1.0, options.rates).round(3).tolist()
    terms = [[0.0, 0.0]] + [[tax, rate] for tax in taxes if tax for rate in rates]
    # Chosen by the mean over trainings on some episodes, measured on others.
    mean = np.mean([grid(folder, c, 0, terms, options.episodes, CHOICE).welfare.mean(axis=1) for c in crews], axis=0)
    equal = [k for k, (_, rate) in enumerate(terms) if rate == 0.0]
    rows = {
        "no contract": terms[0],
        "best tax, shared equally": terms[max(equal, key=lambda k: mean[k])],
        "best tax and piece rate": terms[int(mean.argmax())],
    }
    agents, steps = len(game.agents), game.horizon
    print(
        f"preset {options.game}: {agents} agents, {steps} steps, costs {options.costs}; {len(crews)} trainings of crews"
    )
    print("welfare per step and agent, mean (95 % interval over trainings)")
    scratch = [
        evaluate(problem.none(), settings.from_scratch(), seed=k, folder=folder).welfare.mean / unit
        for k in range(options.trainings)
    ]
    print(f"{'no contract, trained for it alone':36} {over_trainings(scratch, '.4f')}")
    found = {}
    for name, contract in rows.items():
        played = [grid(folder, c, 0, [contract], options.fresh, FRESH) for c in crews]
        found[name] = [float(one.welfare.mean()) / unit for one in played]
        shots, waste = (float(np.mean([getattr(one, what).mean() for one in played])) for what in ("shots", "waste"))
        print(
            f"{name:36} {over_trainings(found[name], '.4f')}   tax {contract[0]:g}, piece rate {contract[1]:g}; "
            f"{shots:.0f} shots an episode, {waste:.1f} waste cells"
        )
    for name in list(rows)[1:]:
        gain = [now - before for now, before in zip(found[name], found["no contract"], strict=True)]
        print(f"{name}, less no contract, paired: {over_trainings(gain, '.4f')}")
