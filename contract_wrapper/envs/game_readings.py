"""What is read of a PettingZoo game: who takes part, for how long, and what a step gave and what agents did in it.

The wrapper of one game and the batch of games both read here, so that a game means the same in either.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Space
from pettingzoo import AECEnv, ParallelEnv

from contract_wrapper.contracts.contract import as_int, as_number
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.errors import ContractsError, shown

RoleMap = Mapping[Any, str] | Sequence[str] | Callable[[Any], str]
"""Role of each agent: by agent name, in the order of `possible_agents`, or a function of the name."""

Needs = Mapping[Any, Collection[str]]
"""Counts of `Activity` that the game must report of each agent, because the rules charge or pay for them."""


def check_parallel(env: object) -> None:
    """Refuse a game in turns: it has no `step(actions)`, which would be found out late and far from here.

    Raises:
        ContractsError: it is of PettingZoo's AEC interface; the message names the conversion.
    """
    if isinstance(env, AECEnv) or (hasattr(env, "agent_iter") and not isinstance(env, ParallelEnv)):
        metadata = getattr(env, "metadata", None) or {}
        convert = "aec_to_parallel" if metadata.get("is_parallelizable", False) else "turn_based_aec_to_parallel"
        raise ContractsError(
            f"a contract settles steps in which all agents act at once, but {env} is an AEC environment, where agents "
            f"act in turn: pass pettingzoo.utils.conversions.{convert}(env)"
        )


def check_declared_rewards(env: Any) -> None:
    """Refuse vector rewards that the outermost environment declares, as MOMAland's do.

    What a wrapper hands on from inside is no declaration: it may have weighed the objectives meanwhile.

    Raises:
        ContractsError: it declares rewards of more than one number.
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


def find_roles(env: ParallelEnv[Any, Any, Any], roles: RoleMap | None) -> Roles:
    """Return the roles of a game's agents, in the order of `possible_agents`.

    roles: left out, `env.unwrapped.roles` if there is one, else each agent's name up to the last underscore.

    Raises:
        ContractsError: the game does not say who can take part, or an agent has no role.
    """
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


def find_horizon(env: ParallelEnv[Any, Any, Any]) -> int | None:
    """Return the steps of a game's episode; None if it does not say.

    Games call them `horizon` (also in their `config`), `max_cycles` or `max_steps`.
    """
    game = env.unwrapped
    for place in (game, getattr(game, "config", None), env):
        for name in ("horizon", "max_cycles", "max_steps"):
            steps = as_int(getattr(place, name, None))
            if steps is not None and steps >= 1:  # a game may have another use of the word
                return steps
    return None


def read_reward(agent: object, value: object) -> float:
    """Return the reward of an agent, also if it is an array of one number.

    Raises:
        ContractsError: it is a vector, or no real number.
    """
    if type(value) is float:
        return value
    shape = getattr(value, "shape", (len(value),) if isinstance(value, (list, tuple)) else ())
    if isinstance(shape, tuple) and math.prod(shape) != 1:
        raise _vector_reward(agent, shape)
    return _number(f"the reward of {agent!r}", value)


def read_counts(
    infos: Mapping[Any, Mapping[str, Any]], agents: Sequence[Any], here: Sequence[bool], needs: Needs
) -> list[list[float]]:
    """Return what agents did in a step as their infos tell it: a row of N counts for each field of `Activity`.

    A count that is not told is 0, as is every count of an agent that is not here.

    Raises:
        ContractsError: a count is none, or one that the rules need is missing.
    """
    table = [[0.0] * len(here) for _ in Activity._fields]
    for i, (agent, there) in enumerate(zip(agents, here, strict=True)):
        if not there:
            continue
        info = infos.get(agent) or {}
        for k, key in enumerate(Activity._fields):
            if key in info:
                table[k][i] = _count(agent, key, info[key])
            elif key in needs.get(agent, ()):
                raise ContractsError(
                    f"the rules charge or pay for {key!r} of {agent!r}, but the game does not report it: "
                    f"put the count of the step into infos[{agent!r}][{key!r}], or choose other costs "
                    "and another payment rule"
                )
    return table


def _vector_reward(agent: object, shape: tuple[int, ...]) -> ContractsError:
    return ContractsError(
        f"the reward of {agent!r} is a vector of shape {shape}, but a contract settles one number per agent and step: "
        "weigh the objectives first, for example with LinearizeReward of momaland.utils.parallel_wrappers"
    )


def _number(what: str, value: object) -> float:
    """A real number, also as an array of one."""
    number = as_number(value.item() if isinstance(value, np.ndarray) and value.size == 1 else value)
    if number is None:
        raise ContractsError(f"{what} must be a real number, got {shown(value)}")
    return number


def _count(agent: object, key: str, value: object) -> float:
    if type(value) is int and 0 <= value < 2**53:  # what nearly every game tells; the rest takes ten times as long
        return float(value)
    what = f"infos[{agent!r}][{key!r}]"
    number = float(value) if isinstance(value, (bool, np.bool_)) else _number(what, value)
    if not 0.0 <= number < math.inf:
        raise ContractsError(f"{what} must be a finite count of at least 0, got {shown(value)}")
    return number
