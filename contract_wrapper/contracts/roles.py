"""The roles of the agents, and what they did in a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import as_items
from contract_wrapper.errors import ContractsError, shown

ABSENT = "absent"
"""Role, for one step, of an agent that has left the episode: it neither pays nor is paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Roles of the N agents of a game, in agent order, with boolean masks of shape (N,).

    >>> Roles(names=("harvester", "harvester", "cleaner")).cleaner
    array([False, False,  True])
    """

    names: tuple[str, ...]
    """Role of each agent; the payment rules know 'cleaner' and 'harvester' and leave others alone."""

    agents: tuple[str, ...] = ()
    """Names of the agents, for messages; may be left out."""

    cleaner: NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    """The recruited agents (the crew), shape (N,)."""

    harvester: NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    """Who earns taxed income, shape (N,)."""

    def __post_init__(self) -> None:
        for field_name in ("names", "agents"):
            items = as_items(getattr(self, field_name))
            if items is None:
                given = shown(getattr(self, field_name))
                raise ContractsError(f"{field_name} must be a sequence with one entry per agent, got {given}")
            object.__setattr__(self, field_name, items)
        for i, name in enumerate(self.names):
            if not isinstance(name, str):
                raise ContractsError(f"a role is a name such as 'cleaner', got {shown(name)} for agent {i}")
        if self.agents and len(self.agents) != len(self.names):
            raise ContractsError(f"{len(self.names)} roles were given for {len(self.agents)} agents")
        object.__setattr__(self, "cleaner", self.mask("cleaner"))
        object.__setattr__(self, "harvester", self.mask("harvester"))

    @classmethod
    def from_agents(cls, agents: Sequence[str]) -> Roles:
        """Read each role off the agent's name, up to the last underscore: 'cleaner_0' is a cleaner."""
        return cls(names=tuple(str(a).rpartition("_")[0] or str(a) for a in agents), agents=tuple(agents))

    def mask(self, role: str) -> NDArray[np.bool_]:
        """Return who has a role, a read-only array of shape (N,)."""
        mask = np.array([name == role for name in self.names], dtype=np.bool_)
        mask.flags.writeable = False
        return mask

    def present(self, here: Sequence[bool]) -> Roles:
        """Return the roles of a step in which agent i acts only if `here[i]`: the others are absent."""
        names = tuple(name if there else ABSENT for name, there in zip(self.names, here, strict=True))
        return Roles(names=names, agents=self.agents)

    def label(self, index: int) -> str:
        """Return how a message calls an agent: its name, or its number and role."""
        return shown(self.agents[index]) if self.agents else f"agent {index} ({self.names[index]})"


class Activity(NamedTuple):
    """What the agents did in one step; each array has the shape of the rewards, (..., N)."""

    shots: NDArray[Any]
    """Shots."""

    cleaned: NDArray[Any]
    """Waste cells cleaned."""

    apples: NDArray[Any]
    """Apples eaten."""
