"""Who accepts a contract: individual rationality, agent by agent.

A margin says how much better off an agent is than it would be otherwise, in apples per episode; it is at least 0
when good. Source: Molina Concha et al. 2024, eqs. 4 to 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from contract_wrapper.contracts.outside_options import OutsideOptions, as_outside_options
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate

PARTICIPATION = "participation"
"""Name of the recruited agents' margin: the least utility above c_min of any recruited agent (eqs. 5, 6)."""


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
        margins: by the name of who is there without a contract, and `PARTICIPATION`.
        names: whether they are named; else they are counted.

    >>> sure, open, bad = Estimate(mean=1.0), Estimate(mean=-0.1, se=0.1), Estimate(mean=-1.0, se=0.1)
    >>> in_words({"fisher_0": open, "fisher_1": sure})
    'undecided for 1 of 2 fishers'
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
    mine = [name for name in found if name != PARTICIPATION]
    everybody = [name for name in margins if name != PARTICIPATION]
    roles = {name.rpartition("_")[0] or name for name in everybody}
    called = f"{next(iter(roles))}s" if len(roles) == 1 else "agents"
    recruits = "the cleaners" if roles == {"harvester"} else "the recruited agents"
    counted = [f"{len(mine)} of {len(everybody)} {called}"] if mine else []
    return ", ".join((mine if names else counted) + ([recruits] if PARTICIPATION in found else []))


def harvester_margins(
    utilities: Mapping[str, Estimate],
    baseline: Mapping[str, Estimate],
    outside: OutsideOptions | str | float = 0.0,
    *,
    expected: Mapping[str, Estimate] | None = None,
) -> dict[str, Estimate]:
    """Return E[u_j | contract] - E[u_j | baseline] of each harvester (eq. 4), by name.

    Where `outside` lists an option of a harvester, the larger of baseline and option is what it could have instead:
    the principal cannot dismiss harvesters, so that going on without the contract is always open to them, and an offer
    elsewhere binds only if it is better. An option can make a contract harder to accept, and never easier. With an
    option above the baseline the baseline itself has a negative margin (`stay_margins`): that harvester would rather
    leave in either case. A number in place of options is of cleaners alone. `expected` decides whether an option is
    better, where the baseline is one of several trainings: their mean (the larger seed by seed is too large on average).

    Raises:
        ContractsError: the two name other harvesters.
    """
    if set(baseline) != set(utilities):
        raise ContractsError(
            f"the baseline has the harvesters {sorted(baseline)}, the outcome {sorted(utilities)}: "
            "evaluate both with the same game"
        )
    better = binding_options(baseline if expected is None else expected, outside)
    return {
        agent: Estimate(mean=utility.mean - better[agent], se=utility.se)
        if agent in better
        else utility.minus(baseline[agent])
        for agent, utility in utilities.items()
    }


def binding_options(baseline: Mapping[str, Estimate], outside: OutsideOptions | str | float) -> dict[str, float]:
    """Return the options of those harvesters whose option is more than their baseline, by name."""
    options = as_outside_options(outside)
    found = {agent: options.of_agent(agent) for agent in baseline}
    return {agent: option for agent, option in found.items() if option is not None and option > baseline[agent].mean}


def stay_margins(baseline: Mapping[str, Estimate], outside: OutsideOptions | str | float) -> dict[str, Estimate]:
    """Return the margins of the baseline itself: 0 exactly, and less for a harvester with a better option elsewhere."""
    better = binding_options(baseline, outside)
    return {
        agent: Estimate(mean=utility.mean - better[agent], se=utility.se) if agent in better else Estimate(mean=0.0)
        for agent, utility in baseline.items()
    }


def crew_margin(utilities: Mapping[str, Estimate], c_min: OutsideOptions | str | float = 0.0) -> Estimate:
    """Return the least of E[u_k] - c_min over the recruited agents (eqs. 5, 6), each with its own c_min.

    Args:
        utilities: of the recruited agents, by name.
        c_min: a number for all, or outside options by role or agent, also as text; who is not listed has 0.

    Raises:
        ContractsError: there is no recruited agent.
    """
    if not utilities:
        raise ContractsError(
            "the contract recruits cleaners, but the outcome has no cleaner's utility: name cleaners 'cleaner_0', "
            "'cleaner_1', ..."
        )
    return min(recruited_margins(utilities, c_min).values(), key=lambda margin: margin.mean)


def recruited_margins(
    utilities: Mapping[str, Estimate], c_min: OutsideOptions | str | float = 0.0
) -> dict[str, Estimate]:
    """Return E[u_k] - c_min of each recruited agent (eq. 5), by name; arguments as in `crew_margin`."""
    options = as_outside_options(c_min)
    for_all = dict(options.by_name)["cleaner"] if not isinstance(c_min, (OutsideOptions, str)) else None
    own = {agent: options.of_agent(agent) if for_all is None else for_all for agent in utilities}
    return {agent: Estimate(mean=u.mean - (own[agent] or 0.0), se=u.se) for agent, u in utilities.items()}


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
