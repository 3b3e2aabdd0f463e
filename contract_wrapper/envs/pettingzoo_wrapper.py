"""A PettingZoo wrapper that settles every step under a contract: rewards become utilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pettingzoo import ParallelEnv
from pettingzoo.utils import BaseParallelWrapper

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import CostRule
from contract_wrapper.contracts.roles import Activity
from contract_wrapper.contracts.settlement import Payment, Settlement
from contract_wrapper.envs.game_readings import (
    RoleMap,
    check_declared_rewards,
    check_parallel,
    find_horizon,
    find_roles,
    read_counts,
    read_reward,
)


class ContractWrapper(BaseParallelWrapper[Any, Any, Any]):  # type: ignore[misc]
    """Replaces rewards by utilities (reward + transfer - cost) in any PettingZoo parallel environment.

    Everything else (observations, spaces, seeding, rendering, state) passes through untouched.
    `infos[agent]` gains `reward_raw`, `transfer` and `cost`, in apples, so that utility =
    reward_raw + transfer - cost. What agents did is read from `infos[agent]`: `shots`, `cleaned`
    and `apples` of the step, counts. An agent that has left the episode has the role 'absent' from
    then on: it neither pays nor is paid, and the rules see arrays of unchanged shape with its reward 0.

    Put it on the game first and other wrappers around it: one that skips frames inside would hide shots.
    Where agents act in turn (PettingZoo's AEC API), convert first: `aec_to_parallel(env)` of
    `pettingzoo.utils.conversions`. Where a reward is a vector (MOMAland), weigh the objectives first.

    Args:
        env: a parallel environment with `possible_agents` and one number as the reward of an agent.
        contract: what the principal chose; it must recruit as many cleaners as the game has.
        roles: role of each agent. Left out: `env.unwrapped.roles` if there is one, else the agent's
            name up to the last underscore ('cleaner_0' is a cleaner).
        payment: a payment rule, or a function (rewards, activity, roles) -> transfers that conserves
            money. Left out: `TaxAndShare` with the contract's tax.
        costs: a cost rule, or text for `get_costs`. Left out: `effort`, 0.02 per shot of a cleaner,
            which charges nothing in a game without agents of the role 'cleaner'.
        horizon: steps per episode, only needed for costs per episode. Left out: `horizon`, `max_cycles` or
            `max_steps` of `env.unwrapped`, of its `config`, or of `env`, if there is one.

    Raises:
        ContractsError: at birth, the environment is none of the parallel API or declares rewards that are
            vectors, or the parts do not fit together; in a step, a reward is no finite number, a transfer is
            not finite, or the game does not report what the rules charge or pay for.
    """

    def __init__(
        self,
        env: ParallelEnv[Any, Any, Any],
        contract: Contract,
        *,
        roles: RoleMap | None = None,
        payment: Payment | None = None,
        costs: CostRule | str | None = None,
        horizon: int | None = None,
    ) -> None:
        check_parallel(env)
        check_declared_rewards(env)
        super().__init__(env)
        found = find_roles(env, roles)
        self.settlement = Settlement.of(
            contract,
            found,
            payment=payment,
            costs=costs,
            horizon=find_horizon(env) if horizon is None else horizon,
        )
        self._needs = {a: self.settlement.counts_of(role, a) for a, role in zip(found.agents, found.names, strict=True)}
        self._index = {agent: i for i, agent in enumerate(found.agents)}

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Any, Any], dict[Any, dict[str, Any]]]:
        """Reset the game; `reward_raw`, `transfer` and `cost` in the infos are 0."""
        observations, infos = self.env.reset(seed=seed, options=options)
        zero = {"reward_raw": 0.0, "transfer": 0.0, "cost": 0.0}
        return observations, {a: {**info, **zero} if a in self._index else info for a, info in infos.items()}

    def step(
        self, actions: dict[Any, Any]
    ) -> tuple[dict[Any, Any], dict[Any, float], dict[Any, bool], dict[Any, bool], dict[Any, dict[str, Any]]]:
        """Play one step, and settle it among the agents that acted in it.

        Raises:
            ContractsError: see the class.
        """
        acting = set(getattr(self.env, "agents", ()))  # before reset there may be none
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        paid = [agent for agent in rewards if agent in acting]
        if not paid:
            return observations, rewards, terminations, truncations, infos

        roles = self.settlement.roles
        here = [agent in rewards and agent in acting for agent in roles.agents]
        raw = np.array(
            [read_reward(a, rewards[a]) if there else 0.0 for a, there in zip(roles.agents, here, strict=True)]
        )
        activity = Activity(*np.array(read_counts(infos, roles.agents, here, self._needs), dtype=np.float64))
        settled = self.settlement.settle(raw, activity, roles if all(here) else roles.present(here))

        rewards, infos = dict(rewards), dict(infos)
        for agent in paid:
            i = self._index[agent]
            entry = {"transfer": float(settled.transfers[i]), "cost": float(settled.costs[i])}
            infos[agent] = {**infos.get(agent, {}), "reward_raw": float(raw[i]), **entry}
            rewards[agent] = float(settled.utilities[i])
        return observations, rewards, terminations, truncations, infos


def make_contracted(
    contract: Contract, env_factory: Callable[[int], ParallelEnv[Any, Any, Any]], **settings: Any
) -> ContractWrapper:
    """Build the game with as many cleaners as the contract recruits, and put the contract on it.

    Args:
        contract: what the principal chose.
        env_factory: number of cleaners -> parallel environment.
        settings: roles, payment, costs, horizon of `ContractWrapper`.
    """
    return ContractWrapper(env_factory(contract.n_cleaners), contract, **settings)
