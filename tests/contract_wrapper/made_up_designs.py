"""Landscapes of designs made up by formula, so that tests of tables, pictures and commands need no training."""

import itertools
from typing import Any

import numpy as np

from contract_wrapper.landscapes.designs.design_landscape import DesignLandscape

DEVIATIONS = ("never work", "random", "learned anew", "learned on")


def made_up_designs(
    terms: tuple[str, ...] = ("tax", "piece_rate"), sizes: tuple[int, ...] = (1, 2), n_seeds: int = 3, steps: int = 4,
    **changes: Any,
) -> DesignLandscape:  # fmt: skip
    """No contract, and a grid of the terms, each from 0 to 1, for every crew size; without sizes nobody is recruited.

    The value is the first term's less a half of the others', times 100, and grows with the crew; agents get equal parts
    of it. A lone deviator gains 1 - 4 x the first term. Agent 0 of the harvesters has less than without a contract
    where the last term is above 0.8.
    """
    n_harvesters, crew = 2, max(sizes, default=0)
    agents = tuple([f"harvester_{i}" for i in range(n_harvesters)] + [f"cleaner_{i}" for i in range(crew)])
    grid = list(itertools.product(np.linspace(0.0, 1.0, steps), repeat=len(terms)))
    rows = [[*point, n] for n in sizes for point in grid] if sizes else [list(point) for point in grid]
    names = (*terms, "n_cleaners") if sizes else terms
    numbers = np.array([[np.nan] * len(names), *rows])
    k = len(numbers)
    shared = np.random.default_rng(0).normal(0.0, 1.0, (n_seeds, 1))
    first = np.nan_to_num(numbers[:, 0])
    rest = np.nan_to_num(numbers[:, 1 : len(terms)]).sum(axis=1)
    size = np.nan_to_num(numbers[:, -1]) if sizes else np.zeros(k)
    value = 50.0 + 100.0 * first - 50.0 * rest + 10.0 * size + shared
    there = np.ones((k, len(agents)), np.bool_)
    there[:, n_harvesters:] = np.arange(crew) < size[:, None]
    utilities = np.where(there, (value / np.maximum(there.sum(axis=1), 1))[..., None], np.nan)
    margin = utilities - np.where(np.arange(len(agents)) < n_harvesters, utilities[:, :1], 0.0)
    margin[:, 1:, :n_harvesters] = 3.0
    margin[:, 1:, 0] -= 5.0 * (np.nan_to_num(numbers[1:, len(terms) - 1]) > 0.8)
    roles = ("harvester", "cleaner") if sizes else ("harvester",)
    gains = np.repeat((1.0 - 4.0 * first + 0.01 * shared)[..., None], len(roles), axis=2)
    gains[:, 0] = np.nan
    strongest = np.where(np.isnan(gains), -1, 1)
    small, tried_at = np.full((n_seeds, k), 0.5), np.arange(1, k, 3)
    tried = np.repeat(gains[:, tried_at, :, None], len(DEVIATIONS), axis=3)
    whole = [False] * len(terms) + [True] * bool(sizes)
    high = [1.0] * len(terms) + [float(crew)] * bool(sizes)
    problem = {
        "name": "made-up", "objective": "welfare",
        "terms": [[name, 0.0, top, None, w] for name, top, w in zip(names, high, whole, strict=True)],
    }  # fmt: skip
    fields: dict[str, Any] = {
        "about": {"problem": problem}, "seeds": tuple(range(n_seeds)), "agents": agents, "deviations": DEVIATIONS,
        "terms": names, "roles": roles, "numbers": numbers,
        "welfare": value, "harvest": value + 1.0, "shots": 10.0 * first + 0.0 * shared, "waste": 5.0 + 0.0 * value,
        "utilities": utilities, "margin": margin, "value": value, "gains": gains, "tried": tried,
        "strongest": strongest, "tried_at": tried_at, "cpu_seconds": np.ones((n_seeds, 3)),
    }  # fmt: skip
    for name in ("welfare", "harvest", "shots", "waste", "value"):
        fields[f"{name}_se"] = small
    for name in ("utilities", "margin", "gains", "tried"):
        fields[f"{name}_se"] = np.where(np.isnan(fields[name]), np.nan, 0.1)
    return DesignLandscape(**{**fields, **changes})
