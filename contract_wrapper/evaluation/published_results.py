"""Figures from elsewhere that every report sets beside its own, in one place.

They belong to the preset `contract`: five harvesters, 200 steps, the published map.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from cleanup_env import CleanupConfig, make_config
from contract_wrapper.contracts.contract import Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedResult:
    """Result of the contract-design paper, in apples per episode.

    Source: Molina Concha, Park, Lee, Lee, Lee 2024, "Algorithmic Contract Design with Reinforcement
    Learning Agents" (arXiv 2408.09686), paragraph on Figure 2 (Clean-up as a dilemma). Their costs were never published.
    """

    contract: Contract
    """Best contract found."""

    welfare: float
    """Principal's objective G under that contract."""

    worst_harvester: float
    """Every harvester has at least this utility under that contract."""

    worst_cleaner: float
    """Utility of a cleaner under that contract."""

    baseline_harvester: float
    """No harvester has more than this utility without a contract."""


PAPER = PublishedResult(
    contract=Contract(tax=0.04, n_cleaners=5),
    welfare=255.53,
    worst_harvester=49.96,
    worst_cleaner=0.28,
    baseline_harvester=30.27,
)
"""The published best contract."""

SCRIPTED_CREW = 5
"""Cleaners in the scripted crew below, beside five harvesters."""

SCRIPTED_HARVEST = 594.0
"""Apples per episode of a scripted crew (`cleanup_env.scripted`, `greedy`, no noise) with five
cleaners: a mean over many episodes, before costs. Scripted skill, not a bound on learners."""


def same_game(config: CleanupConfig) -> bool:
    """Whether a game is the one that these figures belong to; the number of cleaners is the contract's."""
    return dataclasses.replace(config, n_cleaners=0) == make_config("contract")
