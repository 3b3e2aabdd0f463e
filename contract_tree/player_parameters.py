"""Built-in players as the compiled rules take them: a record of parameters, asked of a player at every node where it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from contract_tree.checks import MOST_NUMBER, MOST_ROUNDS, brief, check_number, check_whole
from contract_tree.errors import TreeError
from contract_tree.layout import WAIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a player may know of where it stands, before the first round."""

    name: str
    """Name of the node."""

    horizon: int
    """T: rounds of a game, or of an epoch if players do not know how long the game is."""

    height: int
    """d: 1 for a leaf, one more than its highest child for others."""

    n_actions: int
    """Number of own actions."""

    n_children: int
    """Number of agents of this principal."""

    most_actions: int
    """K: the most actions that any node of the tree has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerParameters:
    """Parameters by which the compiled rules play for one player (see `contract_tree.rules`)."""

    spread: float = 2.0
    """Factor in the bonus of an index, sqrt(spread log T / n)."""

    span: float = 0.0
    """Factor of the index's term log T / n; used with `variance_aware` alone."""

    variance_aware: int = 0
    """1: multiply the spread by the empirical variance."""

    informed: int = 0
    """1: knows its own means, learns nothing."""

    first_phase: int = WAIT
    """Phase of the first round."""

    start: int = 0
    """S_d: round in which the search begins."""

    halvings: int = 0
    """R: bisections per action of a child; 0: offers nothing."""

    batch: int = 1
    """L_d: most rounds per bisection; the majority decides."""

    lead: int = 0
    """Ends a batch as soon as every child's majority leads by so many rounds; 0: never."""

    interleaved: int = 0
    """1: bisects the actions in turn; 0: one after the other."""

    inflation: float = 0.0
    """eta: added to what the search found, in units of reward."""

    free_favourites: int = 0
    """1: pays nothing for an action that the child took at every payment of the search."""

    watch: int = 0
    """Offers of one payment after which it is raised if most were refused; 0: never."""


class BuiltIn(Protocol):
    """What all built-in players have."""

    def parameters(self, place: Place) -> PlayerParameters:
        """Return the player's parameters at one node.

        Raises:
            TreeError: the player cannot stand there, or the horizon is too short for it.
        """
        ...


def parameters_at(player: Any, place: Place) -> PlayerParameters:
    """Return a player's parameters at one node; a custom player, which the compiled rules do not play, has the defaults.

    Raises:
        TreeError: the player cannot stand there, or the horizon is too short for it.
    """
    parameters: PlayerParameters = PlayerParameters() if callable(player) else player.parameters(place)
    return parameters


def halvings_for(horizon: int) -> int:
    """R: bisections that leave a bracket of at most a quarter of T^(-1/4)."""
    return math.ceil(math.log2(horizon) / 4.0) + 2


def margin(inflation: float, place: Place) -> float:
    """Return eta, in units of reward, of an inflation in T^(-1/4)."""
    return float(inflation * place.horizon**-0.25)


def need_one_agent(who: str, place: Place) -> None:
    """Refuse a place above no agent, or above several."""
    if place.n_children != 1:
        raise TreeError(
            f"{who} is a principal of one agent, but {place.name!r} has {place.n_children}: "
            "use ucb at leaves and the tree learner above several agents"
        )


def fitting(who: str, parameters: PlayerParameters, place: Place) -> PlayerParameters:
    """Refuse parameters whose search would not end within the horizon."""
    end = parameters.start + place.most_actions * parameters.halvings * parameters.batch
    if end >= place.horizon:
        raise TreeError(
            f"the horizon of {place.horizon} rounds is too short for {who} at {place.name!r} (height {place.height}): its "
            f"search may last until round {brief(end)}; use a longer horizon or shorter batches"
        )
    return parameters


def check_setting(settings: Any, name: str, least: float, most: float = MOST_NUMBER) -> None:
    """Check that a setting is a number within limits."""
    check_number(name, getattr(settings, name), least, most)


def check_count(settings: Any, name: str, least: int) -> None:
    """Check an optional count; None stands for the default."""
    if getattr(settings, name) is not None:
        check_whole(name, getattr(settings, name), least, MOST_ROUNDS)
