"""What a principal may maximise, from what the agents take home; each with its standard error.

Errors of utilities are taken as independent between agents where a function of several of them is formed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.estimate import Estimate


def objective(
    name: str, welfare: Estimate, utilities: Mapping[str, Estimate], otherwise: Mapping[str, float], income: Estimate
) -> Estimate:
    """Return the value of an outcome to the principal.

    Args:
        name: `welfare`: rewards less costs of all agents, G of Molina Concha et al. 2024; `worst`: the utility of the
            worst-off agent (Rawls); `nash`: the geometric mean of what agents gain over what they have otherwise
            (Nash 1950), 0 where somebody gains nothing; `income`: what is left to the principal, which is 0 where
            transfers conserve money and negative where it pays from its own.
        welfare: as above.
        utilities: by agent.
        otherwise: what each agent has without this contract, by agent.
        income: minus the sum of all transfers.

    Raises:
        ContractsError: there is no such objective, or there are no agents.

    >>> two = {"a": Estimate(mean=5.0, se=1.0), "b": Estimate(mean=8.0, se=1.0)}
    >>> objective("nash", Estimate(mean=13.0), two, {"a": 1.0, "b": -1.0}, Estimate(mean=0.0)).mean
    6.0
    >>> objective("worst", Estimate(mean=13.0), two, {}, Estimate(mean=0.0))
    Estimate(mean=5.0, se=1.0)
    """
    if name in ("welfare", "income"):
        return welfare if name == "welfare" else income
    if not utilities:
        raise ContractsError(f"the objective {name} is a function of utilities, and there are no agents")
    if name == "worst":
        return min(utilities.values(), key=lambda u: u.mean)
    if name != "nash":
        raise ContractsError(f"objective must be welfare, worst, nash or income, got {shown(name)}")
    gains = {agent: u.mean - otherwise.get(agent, 0.0) for agent, u in utilities.items()}
    if min(gains.values()) <= 0.0:
        return Estimate(mean=0.0)
    mean = math.exp(math.fsum(map(math.log, gains.values())) / len(gains))
    relative = math.hypot(*(utilities[agent].se / gain for agent, gain in gains.items())) / len(gains)
    return Estimate(mean=mean, se=mean * relative)
