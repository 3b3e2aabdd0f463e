"""Who accepts a contract: individual rationality, agent by agent.

A margin says how much better off an agent is than it would be otherwise, in apples per episode; it is at least 0
when good. Source: Molina Concha et al. 2024, eqs. 4 to 6.
"""

from __future__ import annotations

from collections.abc import Mapping

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate

PARTICIPATION = "participation"
"""Name of the recruited agents' margin: worst recruited agent's utility above c_min (eqs. 5, 6)."""


def harvester_margins(utilities: Mapping[str, Estimate], baseline: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Return E[u_j | contract] - E[u_j | baseline] of each harvester (eq. 4), by name.

    Raises:
        ContractsError: the two name other harvesters.
    """
    if set(baseline) != set(utilities):
        raise ContractsError(
            f"the baseline has the harvesters {sorted(baseline)}, the outcome {sorted(utilities)}: "
            "evaluate both with the same game"
        )
    return {agent: utility.minus(baseline[agent]) for agent, utility in utilities.items()}


def crew_margin(utilities: Mapping[str, Estimate], c_min: float = 0.0) -> Estimate:
    """Return the worst recruited agent's E[u_k] - c_min (eqs. 5, 6).

    Raises:
        ContractsError: there is no recruited agent.
    """
    if not utilities:
        raise ContractsError(
            "the contract recruits cleaners, but the outcome has no cleaner's utility: name cleaners 'cleaner_0', "
            "'cleaner_1', ..."
        )
    worst = min(utilities.values(), key=lambda u: u.mean)
    return Estimate(mean=worst.mean - c_min, se=worst.se)


def accepts(margin: Estimate) -> bool:
    """Whether an agent accepts, as measured."""
    return margin.mean >= 0.0


def accepts_beyond_error(margin: Estimate) -> bool:
    """Whether a margin is above zero by more than its standard error."""
    return margin.mean > margin.se


def worst_harvester_margin(margins: Mapping[str, Estimate]) -> Estimate:
    """Smallest margin among the harvesters (eq. 4)."""
    return min((m for name, m in margins.items() if name != PARTICIPATION), key=lambda m: m.mean)


def tightest_margin(margins: Mapping[str, Estimate]) -> Estimate:
    """Smallest margin of anybody: negative is the size of the refusal, in apples."""
    return min(margins.values(), key=lambda m: m.mean)
