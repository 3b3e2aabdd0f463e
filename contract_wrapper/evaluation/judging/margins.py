"""Who is at least as well off as without a contract, in any design problem (Molina Concha et al. 2024, eqs. 4 to 6)."""

from __future__ import annotations

import math

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.judging.objectives import objective
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.participation import PARTICIPATION, crew_margin, harvester_margins, stay_margins
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
    missing = set(baseline.utilities) - set(outcome.utilities)
    if missing:
        raise ContractsError(
            f"{', '.join(sorted(missing))} of the game without a contract do not take part under {outcome.contract}: a "
            "contract may add agents, and take none away"
        )
    roles = {agent: outcome.role(agent) for agent in outcome.utilities}
    outside = problem.options_of(roles)
    kept = {agent: u for agent, u in outcome.utilities.items() if agent in baseline.utilities}
    recruited = {agent: u for agent, u in outcome.utilities.items() if agent not in baseline.utilities}
    if outcome.contract.is_none:
        margins = stay_margins(baseline.utilities, outside)
    else:
        margins = harvester_margins(kept, baseline.utilities, outside)
    if recruited and not problem.recruits:
        raise ContractsError(
            f"{outcome.contract} brings agents that are not there without a contract: say so by recruits=True in the "
            f"problem {problem.name}"
        )
    if problem.recruits:
        margins[PARTICIPATION] = crew_margin(recruited, outside) if recruited else Estimate(mean=0.0)
    return margins


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
