"""What a landscape was made for, and other flat costs for the same play: a cost that no action changes changes no play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cleanup_env import CleanupConfig
from contract_wrapper.contracts.contract import as_int
from contract_wrapper.contracts.costs import CostRule, as_costs, check_cost_roles, prices_of
from contract_wrapper.contracts.roles import Roles
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.landscapes.bounds import FloatArray


def shifts(about: Mapping[str, Any], costs: CostRule | str, agents: tuple[str, ...]) -> tuple[str, FloatArray]:
    """Text of the new rule, and what each agent pays more under it than before, (A,), in apples per episode.

    Raises:
        ContractsError: a rule is not flat, or `about` does not say the old one and the horizon.
    """
    old, new = as_costs(costs_of(about)), as_costs(costs)
    check_cost_roles(new, agents=agents)
    steps = horizon_of(about)
    for rule in (old, new):
        dear = [role for role, price in rule.by_role if price.per_shot or price.per_cell]
        if dear:
            raise ContractsError(
                f"a landscape gets other costs only where neither old nor new ones depend on what agents do, but the "
                f"costs {rule} of a {dear[0]} do: make a landscape for them"
            )
    roles = Roles.from_agents(agents)
    return str(new), steps * (prices_of(new, roles, steps).per_step - prices_of(old, roles, steps).per_step)


def costs_of(about: Mapping[str, Any]) -> str:
    """Text of the cost rule that a landscape was made for.

    Raises:
        ContractsError: it does not say.
    """
    text = about.get("costs")
    if not isinstance(text, str):
        raise ContractsError(f"this landscape does not say its costs (about['costs']), got {shown(text)}")
    return text


def horizon_of(about: Mapping[str, Any]) -> int:
    """Steps per episode of the game that a landscape was made for.

    Raises:
        ContractsError: it does not say.
    """
    game = about.get("game")
    steps = as_int(game.get("horizon")) if isinstance(game, Mapping) else None
    if steps is None or steps < 1:
        raise ContractsError("this landscape does not say its game's horizon (about['game']['horizon'])")
    return steps


def check_made_for(
    about: Mapping[str, Any], game: CleanupConfig | None, costs: CostRule | str | None, code: str | None
) -> None:
    """Compare what a landscape says of its making with what is needed; None: not compared.

    Raises:
        ContractsError: naming the first difference.
    """
    if costs is not None and as_costs(costs_of(about)) != as_costs(costs):
        raise ContractsError(
            f"the landscape was made for the costs {costs_of(about)}, but {as_costs(costs)} are needed here: "
            "make one for them, or (flat costs only) use landscape.recosted(costs)"
        )
    if game is not None:
        wanted, said = {**game.as_dict(), "map": list(game.map)}, about.get("game")
        had = said if isinstance(said, Mapping) else {}
        for name in (*wanted, *(other for other in had if other not in wanted)):
            if name not in had or name not in wanted or not _same(had[name], wanted[name]):
                has, needs = (shown(values[name]) if name in values else "nothing" for values in (had, wanted))
                raise ContractsError(
                    f"the landscape was made for another game: its {name} is {has}, but {needs} is needed here"
                )
    if code is not None and about.get("code") != code:
        raise ContractsError(
            f"the landscape was made by another version of the code, {shown(about.get('code'))}, and this is {code}: "
            "make it anew, or leave code out to take it as it is"
        )


def _same(stored: object, wanted: object) -> bool:
    """Whether a value is one that came back from JSON, which turns tuples into lists."""
    return _listed(stored) == _listed(wanted)


def _listed(value: object) -> object:
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value
