"""Who is at least as well off as without a contract, in any design problem (Molina Concha et al. 2024, eqs. 4 to 6)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.contracts.outside_options import OutsideOptions
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.judging.objectives import objective
from contract_wrapper.evaluation.outcome import Outcome, mean_outcome, paired_margins
from contract_wrapper.evaluation.participation import (
    PARTICIPATION,
    binding_options,
    harvester_margins,
    recruited_margins,
    stay_margins,
)
from contract_wrapper.problems.problem import DesignProblem


def margins_of(outcome: Outcome, baseline: Outcome, problem: DesignProblem | None) -> dict[str, Estimate]:
    """Return a margin for each agent that is there without a contract, and one for the recruited; at least 0 is good.

    The first are against the agent's utility without a contract or its outside option, whichever is higher; the
    second, named `participation`, is that of the recruited agent with the least utility above its outside option, 0
    where a contract recruits nobody, and left out in problems that never recruit. Without a problem: those of
    Clean-up, `Outcome.margins`.

    Raises:
        ContractsError: an agent that is there without a contract is not in the outcome, or a contract recruits agents
            although the problem says that none does.
    """
    if problem is None:
        return outcome.margins(baseline)
    roles = {agent: outcome.role(agent) for agent in outcome.utilities}
    if outcome.contract.is_none:
        _check_there(outcome.utilities, baseline, outcome.contract)
        margins = stay_margins(baseline.utilities, problem.options_of(roles))
        return {**margins, PARTICIPATION: Estimate(mean=0.0)} if problem.recruits else margins
    each = agent_margins(outcome.utilities, roles, baseline, problem, contract=outcome.contract)
    there = {agent: margin for agent, margin in each.items() if agent in baseline.utilities}
    if problem.recruits:
        recruited = [margin for agent, margin in each.items() if agent not in there]
        there[PARTICIPATION] = min(recruited, key=lambda margin: margin.mean, default=Estimate(mean=0.0))
    return there


def agent_margins(
    utilities: Mapping[str, Estimate],
    roles: Mapping[str, str],
    baseline: Outcome,
    problem: DesignProblem | None,
    *,
    contract: AnyContract,
    expected: Outcome | None = None,
) -> dict[str, Estimate]:
    """Return the margin of every agent under a contract, the recruited ones each alone, in the order of `utilities`.

    Args:
        utilities: under the contract, by agent.
        roles: role of each agent.
        baseline: the outcome without a contract.
        problem: whose outside options count; None: Clean-up's, in which cleaners have 0.
        contract: for messages.
        expected: the mean of several baselines, which decides whether an outside option is better than staying.

    Raises:
        ContractsError: as `margins_of`.
    """
    _check_there(utilities, baseline, contract)
    outside = OutsideOptions() if problem is None else problem.options_of(roles)
    kept = {agent: u for agent, u in utilities.items() if agent in baseline.utilities}
    recruited = {agent: u for agent, u in utilities.items() if agent not in kept}
    if recruited and problem is not None and not problem.recruits:
        raise ContractsError(
            f"{contract} brings agents that are not there without a contract: say so by recruits=True in the "
            f"problem {problem.name}"
        )
    found = harvester_margins(
        kept, baseline.utilities, outside, expected=None if expected is None else expected.utilities
    )
    found |= recruited_margins(recruited, outside)
    return {agent: found[agent] for agent in utilities}


def paired(outcomes: list[Outcome], baselines: list[Outcome], problem: DesignProblem | None) -> dict[str, Estimate]:
    """Margins over several seeds, each outcome against the baseline of the same seed; see `outcome.paired_margins`.

    Raises:
        ContractsError: as `paired_margins` and `margins_of`.
    """
    if problem is None:
        return paired_margins(outcomes, baselines)
    over_means = margins_of(mean_outcome(outcomes), mean_outcome(baselines), problem)
    if [o.seed for o in outcomes] != [o.seed for o in baselines]:
        raise ContractsError("margins are taken seed by seed: give outcomes and baselines of the same seeds")
    if len(outcomes) == 1 or outcomes[0].contract.is_none:
        return over_means
    each = [margins_of(mine, theirs, problem) for mine, theirs in zip(outcomes, baselines, strict=True)]
    expected = mean_outcome(baselines).utilities
    elsewhere = binding_options(expected, problem.options_of({agent: baselines[0].role(agent) for agent in expected}))
    return {
        name: margin if name in elsewhere or name == PARTICIPATION else Estimate.of([m[name].mean for m in each])
        for name, margin in over_means.items()
    }


def _check_there(utilities: Mapping[str, Estimate], baseline: Outcome, contract: AnyContract) -> None:
    missing = set(baseline.utilities) - set(utilities)
    if missing:
        raise ContractsError(
            f"{', '.join(sorted(missing))} of the game without a contract do not take part under {contract}: a "
            "contract may add agents, and take none away"
        )


def objective_of(outcome: Outcome, baseline: Outcome, problem: DesignProblem | None) -> Estimate:
    """Return what the principal maximises: welfare, or the problem's objective."""
    if problem is None:
        return outcome.welfare
    listed = dict(problem.options_of({agent: outcome.role(agent) for agent in outcome.utilities}).by_name)
    without = {agent: u.mean for agent, u in baseline.utilities.items()}
    otherwise = {
        agent: max(without.get(agent, -math.inf), listed.get(agent, 0.0 if agent not in without else -math.inf))
        for agent in outcome.utilities
    }
    return objective(problem.objective, outcome.welfare, outcome.utilities, otherwise, outcome.income)
