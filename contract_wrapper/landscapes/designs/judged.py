"""What the table of a landscape says by a design problem's own rules: every agent's margin, and what is maximised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contract_wrapper.contracts.designed_contract import DesignedContract
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.judging.margins import agent_margins, objective_of
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.landscapes.bounds import FloatArray
from contract_wrapper.problems.problem import DesignProblem

CONSERVED = 1e-6
"""Apples per episode: an income of the principal below it is rounding, as transfers conserve money."""


def judged(
    problem: DesignProblem, contracts: Sequence[DesignedContract], none: Outcome, agents: Sequence[str],
    arrays: Mapping[str, FloatArray],
) -> dict[str, FloatArray]:  # fmt: skip
    """Judge the contracts of one seed.

    Args:
        problem: whose outside options and objective count.
        contracts: K of them, the first is none.
        none: the outcome without a contract.
        agents: names on the axis A.
        arrays: `welfare`, `utilities` and the others with their errors, (1, K) or (1, K, A).

    Returns:
        `margin` (1, K, A), `value` (1, K), and their standard errors over episodes.

    Raises:
        ContractsError: as `margins_of`.
    """
    shape = (1, len(contracts), len(agents))
    found = {name: np.full(shape, np.nan) for name in ("margin", "margin_se")}
    found |= {name: np.zeros(shape[:2]) for name in ("value", "value_se")}
    for k, contract in enumerate(contracts):
        outcome = none if contract.is_none else _outcome(contract, agents, arrays, k)
        roles = {agent: outcome.role(agent) for agent in outcome.utilities}
        margins = agent_margins(outcome.utilities, roles, none, problem, contract=contract)
        for agent, margin in margins.items():
            place = (0, k, agents.index(agent))
            found["margin"][place] = margin.mean
            found["margin_se"][place] = 0.0 if contract.is_none else margin.se
        value = objective_of(outcome, none, problem)
        found["value"][0, k], found["value_se"][0, k] = value.mean, value.se
    return found


def _outcome(contract: DesignedContract, agents: Sequence[str], arrays: Mapping[str, FloatArray], k: int) -> Outcome:
    """What the table says of a contract, as an outcome."""

    def of(name: str, place: tuple[int, ...]) -> Estimate:
        return Estimate(mean=float(arrays[name][place]), se=float(arrays[f"{name}_se"][place]))

    places = [(agent, (0, k, i)) for i, agent in enumerate(agents)]
    utilities = {agent: of("utilities", p) for agent, p in places if np.isfinite(arrays["utilities"][p])}
    welfare, harvest, shots = (of(name, (0, k)) for name in ("welfare", "harvest", "shots"))
    left = welfare.mean - sum(u.mean for u in utilities.values())
    income = Estimate(mean=0.0) if abs(left) < CONSERVED else Estimate(mean=left, se=welfare.se)
    return Outcome(
        contract=contract, welfare=welfare, utilities=utilities, harvest=harvest, cleaned=Estimate(mean=0.0),
        shots=shots, income=income,
    )  # fmt: skip
