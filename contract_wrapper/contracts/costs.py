"""What work costs the agents, by role or agent, in apples: named settings, text settings and the pure sum.

Source: the project's contract page after Molina Concha et al. 2024, eq. 1 (effort_i * c_i); the paper's
own figures for costs were never published, so the numbers here are calibrated or ours, as each says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import as_int, as_number
from contract_wrapper.contracts.roles import ABSENT, KNOWN_ROLES, Activity, Roles, check_names
from contract_wrapper.errors import ContractsError, shown

FloatArray = NDArray[np.float64]

MOST_APPLES = 1e9
"""Apples that one event may cost or pay; sums over any episode then stay finite and accurate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleCost:
    """What an agent of one role, or one agent, pays; every price lies between 0 and 1,000,000,000 apples."""

    per_step: float = 0.0
    """Apples per step in the game, whatever the agent does."""

    per_shot: float = 0.0
    """Apples per shot."""

    per_cell: float = 0.0
    """Apples per waste cell cleaned."""

    per_episode: float = 0.0
    """Apples per full episode, spread evenly over the horizon; who leaves early pays for its steps only."""

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            number = as_number(value)
            if number is None or not 0.0 <= number <= MOST_APPLES:
                raise ContractsError(
                    f"{f.name} must be a finite number of apples of at least 0 and at most {MOST_APPLES:,.0f}, "
                    f"got {shown(value)}"
                )
            object.__setattr__(self, f.name, number + 0.0)

    def flat_per_step(self, horizon: int | None = None) -> float:
        """Return the part per step that does not depend on what the agent does, in apples.

        Raises:
            ContractsError: there is a price per episode and no horizon to spread it over.
        """
        if not self.per_episode:
            return self.per_step
        steps = as_int(horizon)
        if steps is None or not 1 <= steps < 2**63:
            raise ContractsError(
                f"a cost of {self.per_episode} apples per episode is spread over the steps of an episode, "
                f"but the horizon is {shown(horizon)}: pass horizon=... (at least 1), or use a cost per step"
            )
        return self.per_step + self.per_episode / steps


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRule:
    """The prices of every role, and of single agents; who is not listed works for nothing.

    An agent's own prices, listed by its name, replace those of its role altogether. A name that is both a role and an
    agent of the game is the role.

    >>> str(CostRule.of(cleaner=RoleCost(per_shot=0.02), cleaner_1=RoleCost(per_shot=0.05)))
    'cleaner:per_shot=0.02;cleaner_1:per_shot=0.05'
    """

    by_role: tuple[tuple[str, RoleCost], ...] = ()
    """Pairs of a role, or an agent's name, and prices, sorted by name (see `of`)."""

    def __post_init__(self) -> None:
        pairs = self.by_role
        if not isinstance(pairs, (tuple, list)) or not all(_is_role_and_prices(pair) for pair in pairs):
            raise ContractsError(
                "by_role must be pairs of a role and its RoleCost, for example "
                f"(('cleaner', RoleCost(per_shot=0.02)),), got {shown(pairs)}: CostRule.of(cleaner=...) writes them"
            )
        names = [role for role, _ in pairs]
        if len(set(names)) < len(names):
            raise ContractsError(f"a cost rule lists each role once, got {', '.join(names)}")
        object.__setattr__(self, "by_role", tuple(sorted(map(tuple, pairs), key=lambda pair: pair[0])))

    @classmethod
    def of(cls, **by_role: RoleCost) -> CostRule:
        """Build a rule: `CostRule.of(cleaner=RoleCost(per_shot=0.02), harvester_3=RoleCost(per_step=0.05))`."""
        return cls(by_role=tuple(by_role.items()))

    @property
    def singled_out(self) -> tuple[str, ...]:
        """Agents with prices of their own."""
        return tuple(name for name, _ in self.by_role if name not in KNOWN_ROLES)

    def role(self, role: str, agent: object = None) -> RoleCost:
        """Return the prices of a role, or of one agent of it by its name; all 0 if neither is listed."""
        listed = dict(self.by_role)
        own = listed.get(agent) if isinstance(agent, str) else None
        return listed.get(role, RoleCost()) if own is None else own

    def flat_per_step(self, role: str, horizon: int | None = None, agent: object = None) -> float:
        """Return per_step + per_episode / horizon of a role, or of one agent of it, in apples per step.

        Learners take it as a declared constant: no action changes it.
        """
        return self.role(role, agent).flat_per_step(horizon)

    def costs(self, activity: Activity, roles: Roles, horizon: int | None = None) -> FloatArray:
        """Return what each agent pays for one step, (..., N) in apples; see the function `costs`."""
        return costs(self, activity, roles, horizon)

    def __str__(self) -> str:
        """Return text that `get_costs` reads back, 'none' if nothing costs anything."""
        texts = []
        for role, prices in self.by_role:
            named = [(f.name, getattr(prices, f.name)) for f in dataclasses.fields(prices)]
            priced = [f"{name}={price!r}" for name, price in named if price]
            if not priced and role not in KNOWN_ROLES:  # an agent that works for nothing, while its role does not
                priced = ["per_step=0.0"]
            texts += [f"{role}:{','.join(priced)}"] if priced else []
        return ";".join(texts) or "none"


def check_cost_roles(
    rule: CostRule, roles: Collection[str] = KNOWN_ROLES, agents: Collection[object] | None = None
) -> None:
    """Refuse costs of a role or an agent that cannot be: they would charge nothing, and say nothing.

    Args:
        rule: prices by role or agent.
        roles: the roles that there may be.
        agents: names of the game's agents; None: not known, any number of a role will do (`roles.check_names`).

    Raises:
        ContractsError: a name of the rule is none of them; the message names the nearest.
    """
    check_names("the costs", [name for name, _ in rule.by_role], roles, agents)


def _is_role_and_prices(pair: object) -> bool:
    return (
        isinstance(pair, (tuple, list))
        and len(pair) == 2
        and isinstance(pair[0], str)
        and bool(pair[0])
        and isinstance(pair[1], RoleCost)
    )


def costs(rule: CostRule, activity: Activity, roles: Roles, horizon: int | None = None) -> FloatArray:
    """Return what each agent pays for one step: the c_i of eq. 1, times its effort.

    Args:
        rule: prices by role or agent, in apples.
        activity: shots and cells cleaned in this step, (..., N).
        roles: roles of the N agents; absent agents pay nothing.
        horizon: steps per episode, needed only for a price per episode.

    Returns:
        (..., N) costs in apples, at least 0.

    Raises:
        ContractsError: somebody has a price per episode and there is no horizon.
    """
    return prices_of(rule, roles, horizon).charge(activity)


class Prices(NamedTuple):
    """Prices of the N agents of a game, in agent order, (N,) each in apples."""

    per_step: FloatArray
    """For a step, whatever the agent does; the price per episode is part of it."""

    per_shot: FloatArray
    """For a shot."""

    per_cell: FloatArray
    """For a waste cell cleaned."""

    def charge(self, activity: Activity) -> FloatArray:
        """Return what each agent pays for one step, (..., N)."""
        charged = self.per_step + self.per_shot * activity.shots + self.per_cell * activity.cleaned
        return np.asarray(charged, dtype=np.float64)


def prices_of(rule: CostRule, roles: Roles, horizon: int | None) -> Prices:
    """Return the prices of the N agents of a game, (N,) each; errors as `costs`."""
    names = tuple(agent if isinstance(agent, str) else None for agent in roles.agents)
    return _prices(rule, roles.names, roles.of_game, names or (None,) * len(roles.names), horizon)


@lru_cache(maxsize=256)
def _prices(
    rule: CostRule,
    names: tuple[str, ...],
    of_game: tuple[str, ...],
    agents: tuple[str | None, ...],
    horizon: int | None,
) -> Prices:
    taken = {*KNOWN_ROLES, *of_game}  # a name that is a role is no agent's
    prices = [
        RoleCost() if role == ABSENT else rule.role(role, None if agent in taken else agent)
        for role, agent in zip(names, agents, strict=True)
    ]
    rows = (
        [p.flat_per_step(horizon) for p in prices],
        [p.per_shot for p in prices],
        [p.per_cell for p in prices],
    )
    return Prices(*(np.array(row, dtype=np.float64) for row in rows))


COSTS: Mapping[str, CostRule] = {
    # The size is ours: about where a selfish cleaner works at a tax of 0.2 and not at 0.1.
    "effort": CostRule.of(cleaner=RoleCost(per_shot=0.02)),
    # Calibrated: 1.84 per 200 steps puts the paper's best contract on the border of participation.
    "paper": CostRule.of(cleaner=RoleCost(per_step=0.0092)),
    # Ours: so high that crew size, tax and participation trade off.
    "costly": CostRule.of(cleaner=RoleCost(per_episode=25.0)),
    "none": CostRule(),
}
"""The named settings; `effort` is the default everywhere."""


def get_costs(text: str) -> CostRule:
    """Return a cost rule by name, or read one from text such as 'cleaner:per_shot=0.05,per_step=0.01'.

    Several roles are parted by semicolons: 'cleaner:per_shot=0.05;harvester:per_step=0.01'. An agent may have prices
    of its own in place of its role's: 'harvester:per_step=0.01;harvester_3:per_step=0.05'.

    Raises:
        ContractsError: the name is unknown, or the text cannot be read; the message lists the choices.
    """
    if not isinstance(text, str):
        raise ContractsError(f"costs are a CostRule or text, one of {', '.join(COSTS)}, got {shown(text)}")
    name = text.strip()
    if name in COSTS:
        return COSTS[name]
    if ":" not in name:
        raise ContractsError(
            f"unknown costs {shown(text)}: choose one of {', '.join(COSTS)}, "
            "or write prices by role such as 'cleaner:per_shot=0.05,per_step=0.01'"
        )
    return CostRule(by_role=tuple(_read_role(part) for part in name.split(";") if part.strip()))


def as_costs(costs: CostRule | str | None) -> CostRule:
    """Return a cost rule as it is, or by its text (`get_costs`); None is `effort`, the default everywhere."""
    return costs if isinstance(costs, CostRule) else get_costs("effort" if costs is None else costs)


def _read_role(part: str) -> tuple[str, RoleCost]:
    role, _, rest = part.partition(":")
    known = [f.name for f in dataclasses.fields(RoleCost)]
    prices: dict[str, float] = {}
    for item in rest.split(","):
        key, equals, number = (piece.strip() for piece in item.partition("="))
        if key not in known or not equals or key in prices or not role.strip():
            raise ContractsError(
                f"cannot read {shown(item.strip())} in costs {shown(part.strip())}: write role:price=apples or "
                f"agent:price=apples, each price once; the prices are {', '.join(known)}"
            )
        try:
            prices[key] = float(number)
        except ValueError:
            raise ContractsError(
                f"{key} in costs {shown(part.strip())} must be a number, got {shown(number)}"
            ) from None
    return role.strip(), RoleCost(**prices)
