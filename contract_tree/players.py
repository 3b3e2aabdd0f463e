"""The built-in players by name, and all but the tree learner: frozen settings, and the parameters they make of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_tree.checks import brief
from contract_tree.errors import TreeError
from contract_tree.layout import COMMIT, WAIT
from contract_tree.player_parameters import (
    BuiltIn,
    Place,
    PlayerParameters,
    check_count,
    check_setting,
    fitting,
    halvings_for,
    margin,
    need_one_agent,
)
from contract_tree.tree_learner import TreeLearner


@dataclass(frozen=True, slots=True, kw_only=True)
class UCB:
    """Plays for itself and offers nothing: UCB over its own actions, with its own offer added to the index.

    This is the player without contracts, and the usual agent at a leaf (Auer, Cesa-Bianchi and
    Fischer 2002; index mean + sqrt(spread log T / n)).
    """

    spread: float = 2.0
    """Factor in the bonus sqrt(spread log T / n)."""

    def __post_init__(self) -> None:
        check_setting(self, "spread", 0.0)

    def parameters(self, place: Place) -> PlayerParameters:
        """Stands anywhere."""
        return PlayerParameters(spread=self.spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Informed:
    """An agent that knows its means and plays the best response to its offer; stands at a leaf (IPA's agent)."""

    def parameters(self, place: Place) -> PlayerParameters:
        """Stands at leaves alone."""
        if place.n_children:
            raise TreeError(
                f"an informed player knows its own means alone, but {place.name!r} has agents: use it at leaves"
            )
        return PlayerParameters(informed=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """A principal that is told tau* and pays it from the first round on; UCB over its table, payments deducted (page 5)."""

    inflation: float = 1.0
    """Added to tau*, in T^(-1/4). With 0 a child is indifferent, and one that learns errs for ever."""

    spread: float = 2.0
    """Factor in the bonus sqrt(spread log T / n)."""

    def __post_init__(self) -> None:
        check_setting(self, "spread", 0.0)
        check_setting(self, "inflation", 0.0)

    def parameters(self, place: Place) -> PlayerParameters:
        """Stands anywhere; at a leaf it is UCB."""
        return PlayerParameters(
            spread=self.spread,
            first_phase=COMMIT if place.n_children else WAIT,
            inflation=margin(self.inflation, place),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IPA:
    """Incentivized principal-agent learning for one agent that knows its means.

    Source: Scheid et al. 2024, "Incentivized Learning in Principal-Agent Bandit Games", ICML, PMLR 235 (arXiv 2403.03811).

    Every action in turn: ceil(log2 T) bisections of its payment, one round each; then UCB over its
    table, less the payment found and 1/T^2.
    """

    spread: float = 4.0
    """Factor in the bonus sqrt(spread log T / n)."""

    def __post_init__(self) -> None:
        check_setting(self, "spread", 0.0)

    def parameters(self, place: Place) -> PlayerParameters:
        """Stands above one agent."""
        need_one_agent("IPA", place)
        halvings = math.ceil(math.log2(place.horizon))
        parameters = PlayerParameters(
            spread=self.spread, halvings=halvings, interleaved=1, inflation=1.0 / place.horizon**2
        )
        return fitting("IPA", parameters, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class BELGIC:
    """Batched search for payments to one agent that learns too.

    Source: Scheid et al. 2024, "Learning to Mitigate Externalities" (arXiv 2406.19824).

    An action counts as accepted if the agent played it in more than half of a batch. The payment
    found is inflated, so that refusing costs the agent. The paper's constants were not available:
    batches of 2 sqrt(T) rounds and an inflation of T^(-1/4) are ours, chosen for agents whose
    regret in any window of t rounds grows like sqrt(t).
    """

    batch: int | None = None
    """L: rounds per batch; None: ceil(2 sqrt(T))."""

    halvings: int | None = None
    """Bisections per action; None: ceil(log2(T) / 4) + 2, a quarter of the inflation."""

    inflation: float = 1.0
    """Margin added to the payment found, in T^(-1/4)."""

    spread: float = 2.0
    """Factor in the bonus sqrt(spread log T / n)."""

    def __post_init__(self) -> None:
        check_setting(self, "spread", 0.0)
        check_setting(self, "inflation", 0.0)
        for name in ("batch", "halvings"):
            check_count(self, name, 1)

    def parameters(self, place: Place) -> PlayerParameters:
        """Stands above one agent."""
        need_one_agent("BELGIC", place)
        parameters = PlayerParameters(
            spread=self.spread, halvings=self.halvings or halvings_for(place.horizon),
            batch=self.batch or math.ceil(2.0 * math.sqrt(place.horizon)), inflation=margin(self.inflation, place),
        )  # fmt: skip
        return fitting("BELGIC", parameters, place)


PLAYERS: Mapping[str, Any] = {
    "ucb": UCB,
    "informed": Informed,
    "oracle": Oracle,
    "ipa": IPA,
    "belgic": BELGIC,
    "tree": TreeLearner,
    "tree-plain": TreeLearner.plain,
}
"""The built-in players by name; each is called with its settings."""


def get_player(name: str, **settings: Any) -> BuiltIn:
    """Build a built-in player from its name and settings.

    >>> get_player("ucb", spread=1.0)
    UCB(spread=1.0)
    """
    if name not in PLAYERS:
        raise TreeError(f"unknown player {brief(name)}: choose one of {', '.join(PLAYERS)}")
    kind = TreeLearner if name == "tree-plain" else PLAYERS[name]
    known = [f.name for f in dataclasses.fields(kind)]
    for setting in settings:
        if setting not in known:
            raise TreeError(f"{name} has no setting {setting!r}: it has {', '.join(known) or 'none'}")
    player: BuiltIn = PLAYERS[name](**settings)
    return player
