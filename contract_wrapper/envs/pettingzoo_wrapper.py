"""A PettingZoo wrapper that settles every step under a contract: rewards become utilities."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Space
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils import BaseParallelWrapper

from contract_wrapper.contracts.contract import Contract, as_int, as_number
from contract_wrapper.contracts.costs import CostRule
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.settlement import Payment, Settlement
from contract_wrapper.errors import ContractsError, shown

RoleMap = Mapping[Any, str] | Sequence[str] | Callable[[Any], str]
"""Role of each agent: by agent name, in the order of `possible_agents`, or a function of the name."""


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
        horizon: steps per episode, only needed for costs per episode. Left out:
            `env.unwrapped.horizon` or `env.unwrapped.config.horizon` if there is one.

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
        _check_parallel(env)
        _check_declared_rewards(env)
        super().__init__(env)
        found = _find_roles(env, roles)
        self.settlement = Settlement.of(
            contract,
            found,
            payment=payment,
            costs=costs,
            horizon=_find_horizon(env) if horizon is None else horizon,
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
        raw = np.array([_reward(a, rewards[a]) if there else 0.0 for a, there in zip(roles.agents, here, strict=True)])
        activity = self._activity(infos, here)
        settled = self.settlement.settle(raw, activity, roles if all(here) else roles.present(here))

        rewards, infos = dict(rewards), dict(infos)
        for agent in paid:
            i = self._index[agent]
            entry = {"transfer": float(settled.transfers[i]), "cost": float(settled.costs[i])}
            infos[agent] = {**infos.get(agent, {}), "reward_raw": float(raw[i]), **entry}
            rewards[agent] = float(settled.utilities[i])
        return observations, rewards, terminations, truncations, infos

    def _activity(self, infos: Mapping[Any, Mapping[str, Any]], here: Sequence[bool]) -> Activity:
        table = [[0.0] * len(here) for _ in Activity._fields]
        for i, (agent, there) in enumerate(zip(self.settlement.roles.agents, here, strict=True)):
            if not there:
                continue
            info = infos.get(agent, {})
            for k, key in enumerate(Activity._fields):
                if key in info:
                    table[k][i] = _count(agent, key, info[key])
                elif key in self._needs.get(agent, ()):
                    raise ContractsError(
                        f"the rules charge or pay for {key!r} of {agent!r}, but the game does not report it: "
                        f"put the count of the step into infos[{agent!r}][{key!r}], or choose other costs "
                        "and another payment rule"
                    )
        return Activity(*np.array(table, dtype=np.float64))


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


def _check_parallel(env: object) -> None:
    """Refuse a game in turns: it has no `step(actions)`, which would be found out late and far from here."""
    if isinstance(env, AECEnv) or (hasattr(env, "agent_iter") and not isinstance(env, ParallelEnv)):
        metadata = getattr(env, "metadata", None) or {}
        convert = "aec_to_parallel" if metadata.get("is_parallelizable", False) else "turn_based_aec_to_parallel"
        raise ContractsError(
            f"a contract settles steps in which all agents act at once, but {env} is an AEC environment, where agents "
            f"act in turn: pass pettingzoo.utils.conversions.{convert}(env)"
        )


def _check_declared_rewards(env: Any) -> None:
    """Refuse vector rewards that the outermost environment declares, as MOMAland's do.

    What a wrapper hands on from inside is no declaration: it may have weighed the objectives meanwhile.
    """
    missing = object()
    declared = {name: inspect.getattr_static(env, name, missing) for name in ("reward_spaces", "reward_space")}
    if declared["reward_spaces"] is not missing and isinstance(env.reward_spaces, Mapping):
        spaces: list[Any] = list(env.reward_spaces.items())
    elif declared["reward_space"] is not missing and callable(env.reward_space):
        spaces = [(agent, env.reward_space(agent)) for agent in getattr(env, "possible_agents", ())]
    elif declared["reward_space"] is not missing:
        spaces = [("all agents", env.reward_space)]
    else:
        spaces = []
    for agent, space in spaces:
        if isinstance(space, Space) and space.shape is not None and math.prod(space.shape) != 1:
            raise _vector_reward(agent, space.shape)


def _vector_reward(agent: object, shape: tuple[int, ...]) -> ContractsError:
    return ContractsError(
        f"the reward of {agent!r} is a vector of shape {shape}, but a contract settles one number per agent and step: "
        "weigh the objectives first, for example with LinearizeReward of momaland.utils.parallel_wrappers"
    )


def _find_roles(env: ParallelEnv[Any, Any, Any], roles: RoleMap | None) -> Roles:
    if not hasattr(env, "possible_agents"):
        raise ContractsError(f"{env} has no possible_agents: a contract needs to know who can take part")
    agents = tuple(env.possible_agents)
    if roles is None:
        roles = getattr(env.unwrapped, "roles", None)
    if roles is None:
        return Roles.from_agents(agents)
    if callable(roles):
        return Roles(names=tuple(roles(agent) for agent in agents), agents=agents)
    if isinstance(roles, Mapping):
        missing = [repr(agent) for agent in agents if agent not in roles]
        if missing:
            raise ContractsError(f"no role is given for {', '.join(missing)}: add them to roles")
        return Roles(names=tuple(roles[agent] for agent in agents), agents=agents)
    if isinstance(roles, (str, bytes)) or not isinstance(roles, Sequence):
        raise ContractsError(
            f"roles must be a mapping agent -> role, a sequence in the order of possible_agents, or a function of the "
            f"agent's name, got {shown(roles)}"
        )
    return Roles(names=tuple(roles), agents=agents)


def _number(what: str, value: object) -> float:
    """A real number, also as an array of one."""
    number = as_number(value.item() if isinstance(value, np.ndarray) and value.size == 1 else value)
    if number is None:
        raise ContractsError(f"{what} must be a real number, got {shown(value)}")
    return number


def _reward(agent: object, value: object) -> float:
    shape = getattr(value, "shape", (len(value),) if isinstance(value, (list, tuple)) else ())
    if isinstance(shape, tuple) and math.prod(shape) != 1:
        raise _vector_reward(agent, shape)
    return _number(f"the reward of {agent!r}", value)


def _count(agent: object, key: str, value: object) -> float:
    what = f"infos[{agent!r}][{key!r}]"
    number = float(value) if isinstance(value, (bool, np.bool_)) else _number(what, value)
    if not 0.0 <= number < math.inf:
        raise ContractsError(f"{what} must be a finite count of at least 0, got {shown(value)}")
    return number


def _find_horizon(env: ParallelEnv[Any, Any, Any]) -> int | None:
    game = env.unwrapped
    found = getattr(game, "horizon", getattr(getattr(game, "config", None), "horizon", None))
    steps = as_int(found)
    return steps if steps is not None and steps >= 1 else None  # a game that has another use of the word
