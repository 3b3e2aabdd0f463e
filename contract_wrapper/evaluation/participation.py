"""Who accepts a contract: individual rationality, agent by agent.

A margin says how much better off an agent is than it would be otherwise, in apples per episode; it is at least 0
when good. Source: Molina Concha et al. 2024, eqs. 4 to 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate

PARTICIPATION = "participation"
"""Name of the recruited agents' margin: worst recruited agent's utility above c_min (eqs. 5, 6)."""


SURE = 2.0
"""Standard errors by which a margin must lie above or below 0 before anything is said of who accepts."""


class Acceptance(StrEnum):
    """What the errors allow to say of who accepts: these three words, everywhere."""

    ACCEPTED = "accepted"
    """Every margin less two standard errors is at least 0."""

    REFUSED = "refused"
    """Some margin plus two standard errors is below 0."""

    UNDECIDED = "undecided"
    """Neither: some margin is within two standard errors of 0, and none is further below."""


def acceptance(margins: Iterable[Estimate]) -> Acceptance:
    """Say whether a contract is accepted by everybody, refused by somebody, or undecided.

    What the optimiser takes for feasible is another question, which needs an answer at once: see `accepts`.

    >>> acceptance([Estimate(mean=1.0, se=0.5), Estimate(mean=-0.2, se=0.2)])
    <Acceptance.UNDECIDED: 'undecided'>
    """
    each = list(margins)
    if any(m.mean + SURE * m.se < 0.0 for m in each):
        return Acceptance.REFUSED
    return Acceptance.ACCEPTED if all(m.mean - SURE * m.se >= 0.0 for m in each) else Acceptance.UNDECIDED


def in_words(margins: Mapping[str, Estimate], *, names: bool = False) -> str:
    """Say in a few words who accepts, and where it is not accepted, who refuses and of whom it is undecided.

    Args:
        margins: by harvester's name, and `PARTICIPATION`.
        names: whether harvesters are named; else they are counted.

    >>> sure, open, bad = Estimate(mean=1.0), Estimate(mean=-0.1, se=0.1), Estimate(mean=-1.0, se=0.1)
    >>> in_words({"harvester_0": bad, "harvester_1": open, PARTICIPATION: sure})
    'refused by 1 of 2 harvesters (undecided: 1 of 2 harvesters)'
    """
    said = acceptance(margins.values())
    refusing, undecided = (_who(margins, word, names) for word in (Acceptance.REFUSED, Acceptance.UNDECIDED))
    if said is Acceptance.ACCEPTED:
        return "accepted by everybody"
    if said is Acceptance.UNDECIDED:
        return f"undecided for {undecided}"
    return f"refused by {refusing}" + (f" (undecided: {undecided})" if undecided else "")


def _who(margins: Mapping[str, Estimate], word: Acceptance, names: bool) -> str:
    """Those of whom one word is true."""
    found = [name for name, margin in margins.items() if acceptance([margin]) is word]
    harvesters = [name for name in found if name != PARTICIPATION]
    everybody = sum(name != PARTICIPATION for name in margins)
    counted = [f"{len(harvesters)} of {everybody} harvesters"] if harvesters else []
    return ", ".join((harvesters if names else counted) + (["the cleaners"] if PARTICIPATION in found else []))


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
    """Whether a margin is at least 0 as measured: what the optimiser takes for feasible, without a look at the error."""
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
