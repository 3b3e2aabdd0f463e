"""What the agents of a PettingZoo game see and do, as rows of numbers and numbered actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, Space, flatdim, flatten
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from contract_wrapper.errors import ContractsError, shown

Rows = NDArray[np.float32]

MASK = "action_mask"
"""Entry of an observation, or of an agent's infos, that says which actions are of use now (PettingZoo's name)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLayout:
    """What one agent sees and does."""

    space: Space[Any]
    """What it observes, without the mask of its actions."""

    masked: bool
    """Whether its observation is a dictionary of `observation` and `action_mask`, as PettingZoo's classic games have it."""

    size: int
    """Numbers in a row of its observation."""

    n_actions: int
    """Number of its actions."""

    first_action: int
    """The game's number of its action 0."""

    def write(self, observation: Any, row: Rows) -> None:
        """Write an observation into the first numbers of a row.

        Raises:
            ContractsError: it is not what the observation space says.
        """
        seen = observation["observation"] if self.masked else observation
        space = self.space
        if isinstance(space, Box):
            flat = np.asarray(seen).ravel()
        elif isinstance(space, Discrete):
            place = int(seen) - int(space.start)
            if not 0 <= place < self.size:
                raise ContractsError(f"the game shows {shown(seen)}, which its observation space {space} does not hold")
            row[place] = 1.0
            return
        else:
            flat = np.asarray(flatten(space, seen))
        if flat.size != self.size:
            raise ContractsError(
                f"the game shows an observation of {flat.size} numbers, but its observation space {space} has {self.size}"
            )
        row[: self.size] = flat

    def mask(self, observation: Any, info: Mapping[str, Any]) -> NDArray[np.bool_] | None:
        """Which of its actions are of use, (n_actions,), as observation or infos tell it; None if neither does.

        Raises:
            ContractsError: the mask has another length.
        """
        told = (observation or {}).get(MASK) if self.masked else info.get(MASK)
        if told is None:
            return None
        mask = np.asarray(told).astype(np.bool_)
        if mask.shape != (self.n_actions,):
            raise ContractsError(
                f"an action_mask of shape {(self.n_actions,)} was expected, one entry per action, got {mask.shape}"
            )
        return mask


@dataclass(frozen=True, slots=True, kw_only=True)
class ZooLayout:
    """What the N agents of a game see and do; two copies of a game have equal layouts."""

    agents: tuple[Any, ...]
    """Names of the agents that can take part, in the game's order."""

    each: tuple[AgentLayout, ...]
    """What each of them sees and does."""

    @property
    def n_features(self) -> int:
        """Numbers in a row: those of the agent that sees most; the rows of others end with zeros."""
        return max(agent.size for agent in self.each)

    @property
    def n_actions(self) -> int:
        """Actions of the agent that has most."""
        return max(agent.n_actions for agent in self.each)

    @classmethod
    def of(cls, env: ParallelEnv[Any, Any, Any]) -> ZooLayout:
        """Read the layout of a game.

        Raises:
            ContractsError: it has no agents, or one of them sees or does what is no row of numbers and no numbered action.
        """
        agents = tuple(env.possible_agents)
        if not agents:
            raise ContractsError(f"{env} has no agents: possible_agents is empty")
        return cls(agents=agents, each=tuple(_layout_of(env, agent) for agent in agents))


def actions_by_type(layout: ZooLayout, agent_types: NDArray[np.int64], type_names: tuple[str, ...]) -> tuple[int, ...]:
    """Return the number of actions of each type, (M,), which all its agents share.

    Raises:
        ContractsError: two agents of one type differ in their numbers of actions.
    """
    sizes = []
    for m, name in enumerate(type_names):
        members = np.flatnonzero(agent_types == m)
        first = members[0]
        for i in members:
            here, there = layout.each[i].n_actions, layout.each[first].n_actions
            if here != there:
                raise ContractsError(
                    f"agents of one role share a network and need the same actions, but of the role {name!r} "
                    f"{layout.agents[first]!r} has {there} actions and {layout.agents[i]!r} has {here}: give them two roles"
                )
        sizes.append(layout.each[first].n_actions)
    return tuple(sizes)


def _layout_of(env: ParallelEnv[Any, Any, Any], agent: Any) -> AgentLayout:
    space, actions = env.observation_space(agent), env.action_space(agent)
    if not isinstance(actions, Discrete):
        raise ContractsError(
            f"the learner chooses among numbered actions, but the action space of {agent!r} is {shown(actions)}: "
            "wrap the game so that it is Discrete, for example with a few levels of each number"
        )
    masked = isinstance(space, Dict) and set(space.spaces) == {"observation", MASK}
    seen = space.spaces["observation"] if masked and isinstance(space, Dict) else space
    if not isinstance(seen, Space) or not seen.is_np_flattenable:
        raise ContractsError(
            f"the learner sees a row of numbers of fixed length, but the observation space of {agent!r} is "
            f"{shown(seen)}: wrap the game so that it is a Box"
        )
    size = flatdim(seen)
    if size < 1:
        raise ContractsError(f"{agent!r} observes nothing, {shown(seen)}: give it at least one number, such as a 1")
    return AgentLayout(space=seen, masked=masked, size=size, n_actions=int(actions.n), first_action=int(actions.start))
