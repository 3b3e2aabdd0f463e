"""The roles of the agents, and what they did in a step."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import as_items
from contract_wrapper.errors import ContractsError, shown

ABSENT = "absent"
"""Role, for one step, of an agent that has left the episode: it neither pays nor is paid."""

KNOWN_ROLES = ("harvester", "cleaner")
"""Roles of a contracted game, which settings may name even where no agent has them (there is no crew yet)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Roles of the N agents of a game, in agent order, with boolean masks of shape (N,).

    >>> Roles(names=("harvester", "harvester", "cleaner")).cleaner
    array([False, False,  True])
    """

    names: tuple[str, ...]
    """Role of each agent; the payment rules know 'cleaner' and 'harvester' and leave others alone."""

    agents: tuple[str, ...] = ()
    """Names of the agents, for messages and for prices of single agents; may be left out."""

    of_game: tuple[str, ...] = ()
    """Role of each agent in the game, of those too who are absent in this step; left out: `names`."""

    cleaner: NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    """The recruited agents (the crew), shape (N,)."""

    harvester: NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    """Who earns taxed income, shape (N,)."""

    free: NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    """Who both eats and cleans, and was not recruited, shape (N,)."""

    def __post_init__(self) -> None:
        for field_name in ("names", "agents", "of_game"):
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
        if self.of_game and len(self.of_game) != len(self.names):
            raise ContractsError(f"{len(self.names)} roles of a step were given for {len(self.of_game)} of the game")
        if not self.of_game:
            object.__setattr__(self, "of_game", self.names)
        for role in ("cleaner", "harvester", "free"):
            object.__setattr__(self, role, self.mask(role))

    @classmethod
    def from_agents(cls, agents: Sequence[str]) -> Roles:
        """Read each role off the agent's name, up to the last underscore: 'cleaner_0' is a cleaner."""
        return cls(names=tuple(str(a).rpartition("_")[0] or str(a) for a in agents), agents=tuple(agents))

    def mask(self, role: str) -> NDArray[np.bool_]:
        """Return who has a role, a read-only array of shape (N,)."""
        mask = np.array([name == role for name in self.names], dtype=np.bool_)
        mask.flags.writeable = False
        return mask

    def mask_of_game(self, role: str) -> NDArray[np.bool_]:
        """Return who has a role in the game, whether absent in this step or not, (N,)."""
        return np.array([name == role for name in self.of_game], dtype=np.bool_)

    def present(self, here: Sequence[bool]) -> Roles:
        """Return the roles of a step in which agent i acts only if `here[i]`: the others are absent."""
        names = tuple(name if there else ABSENT for name, there in zip(self.names, here, strict=True))
        return Roles(names=names, agents=self.agents, of_game=self.of_game)

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


def check_names(what: str, named: Iterable[str], roles: Collection[str], agents: Collection[Any] | None) -> None:
    """Refuse settings of a role or an agent that no game has here: they would change nothing, and say nothing.

    Args:
        what: the settings, as messages call them, such as 'the costs'.
        named: names of roles or agents that they name.
        roles: the roles that there may be.
        agents: names of the game's agents; None: any agent of one of the roles, such as 'harvester_3'. A cleaner of
            any number may be named in either case, because the size of the crew changes with the contract.

    Raises:
        ContractsError: naming the first that is neither, and the nearest that is.
    """
    for name in named:
        role, _, number = name.rpartition("_")
        numbered = role in roles and len(number) < 10 and number.isdecimal() and number == str(int(number))
        if name in roles or (numbered and (agents is None or role == "cleaner")):
            continue
        if agents is not None and name in agents:
            continue
        if numbered:
            listed = ", ".join(map(str, agents or ()))
            raise ContractsError(f"{what} name the agent {shown(name)}, which the game does not have: it has {listed}")
        near = difflib.get_close_matches(name, [*roles, *(a for a in agents or () if isinstance(a, str))], n=1)
        hint = f": did you mean {near[0]!r}?" if near else ""
        raise ContractsError(
            f"{what} name the role {shown(name)}, which no agent has; the roles are {', '.join(sorted(roles))}{hint}"
        )


def a_role(who: str) -> str:
    """Name an agent, or any agent of a role, within a sentence.

    >>> a_role("harvester"), a_role("harvester_2")
    ('a harvester', 'harvester_2')
    """
    return who if who.rpartition("_")[2].isdecimal() else f"a {who}"
