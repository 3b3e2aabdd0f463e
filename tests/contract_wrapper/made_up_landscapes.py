"""Landscapes made up by formula, so that tests of tables, pictures and commands need no training."""

from typing import Any

import numpy as np

from contract_wrapper.landscapes.landscape import Landscape

AGENTS = (*(f"harvester_{i}" for i in range(5)), *(f"cleaner_{i}" for i in range(5)))
DEVIATIONS = ("never work", "greedy cleaner", "greedy harvest", "random", "learned anew", "learned on")
OF_ROLE = ((0, 1, 3, 4, 5), (2, 3, 4, 5))
"""Numbers of the deviations that cleaners and harvesters have."""


def made_up_landscape(
    n_seeds: int = 2, seed: int = 0, n_taxes: int = 11, spread: float = 5.0, noise: float = 2.0, **changes: Any
) -> Landscape:
    """No contract, and `n_taxes` taxes from 0.02 to 1 for one to five cleaners.

    Welfare grows with tax and crew; cleaners gain by leaving below a tax that grows with the crew.

    Args:
        n_seeds: conditioned trainings, S; their seeds are 0, 1, ...
        seed: of the noise; training s has the same numbers whatever `n_seeds` is.
        n_taxes: taxes per crew size.
        spread: standard deviation over trainings of what all contracts share, in apples of welfare.
        noise: the same of what each contract has of its own.
        changes: fields to set anew.
    """
    sizes = range(1, 6)
    tax = np.concatenate([[0.0], *([np.linspace(0.02, 1.0, n_taxes)] * len(sizes))])
    crew = np.concatenate([[0], np.repeat(list(sizes), n_taxes)]).astype(np.int64)
    seeds, k = tuple(range(n_seeds)), len(tax)
    tried_at, some = np.arange(1, k, 2), np.arange(k) > 0
    streams = [np.random.default_rng([seed, s]) for s in seeds]
    shared = np.array([stream.normal(0.0, spread) for stream in streams])[:, None]
    own = np.array([stream.normal(0.0, noise, k) for stream in streams])
    luck = np.array([stream.normal(0.0, 0.05, (k, 2)) for stream in streams])
    weaker = np.array([stream.random((len(tried_at), 2, len(DEVIATIONS))) for stream in streams])

    welfare = 150.0 + some * (100.0 + 140.0 * crew - 15.0 * crew**2) * (1.0 - np.exp(-20.0 * tax)) + shared + own
    utilities = np.full((n_seeds, k, len(AGENTS)), np.nan)
    utilities[:, :, :5] = ((1.0 - tax) * welfare / 5.0)[..., None]
    for i in range(5):
        paid = crew > i
        utilities[:, paid, 5 + i] = (tax * welfare / np.maximum(crew, 1) - 1.0)[:, paid]
    gains = np.full((n_seeds, k, 2), np.nan)
    gains[:, :, 1] = -2.0 + luck[:, :, 1]
    gains[:, some, 0] = (0.04 * crew - tax)[some] * 5.0 + luck[:, some, 0]
    tried = np.full((n_seeds, len(tried_at), 2, len(DEVIATIONS)), np.nan)
    for role, numbers in enumerate(OF_ROLE):
        for d in numbers:
            tried[:, :, role, d] = gains[:, tried_at, role] - (d > 0) * weaker[:, :, role, d]
    fields: dict[str, Any] = {
        "about": {"costs": "cleaner:per_shot=0.02"}, "seeds": seeds, "agents": AGENTS, "tax": tax, "n_cleaners": crew,
        "welfare": welfare, "harvest": welfare + 3.0, "shots": welfare / 2.0, "waste": 100.0 - welfare / 10.0,
        "utilities": utilities, "deviations": DEVIATIONS, "gains": gains, "tried": tried, "tried_at": tried_at,
        "strongest": np.where(np.isnan(gains), -1, np.array([0, 2])), "cpu_seconds": np.ones((n_seeds, 3)),
    }  # fmt: skip
    errors = {"welfare": 1.0, "harvest": 1.0, "shots": 1.0, "waste": 0.1, "utilities": 0.3, "gains": 0.1, "tried": 0.1}
    fields |= {f"{name}_se": np.where(np.isnan(fields[name]), np.nan, error) for name, error in errors.items()}
    return Landscape(**{**fields, **changes})
