"""The built-in players: frozen settings, and the numbers that the compiled rules take from them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from contract_tree.errors import TreeError
from contract_tree.layout import COMMIT, WAIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a player may know of where it stands, before the first round."""

    name: str
    """Name of the node."""

    horizon: int
    """T: rounds of a game."""

    height: int
    """d: 1 for a leaf, one more than its highest child for others."""

    n_actions: int
    """Number of own actions."""

    n_children: int
    """Number of agents of this principal."""

    most_actions: int
    """K: the most actions that any node of the tree has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One player in the terms of the compiled rules (`contract_tree.rules`)."""

    spread: float = 2.0
    """Factor in the bonus of an index, sqrt(spread log T / n)."""

    range: float = 0.0
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

    def rule(self, place: Place) -> Rule:
        """Return the player's numbers at one node.

        Raises:
            TreeError: the player cannot stand there, or the horizon is too short for it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UCB:
    """Plays for itself and offers nothing: UCB over its own actions, with its own offer added to the index.

    This is the player without contracts, and the usual agent at a leaf (Auer, Cesa-Bianchi and
    Fischer 2002; index mean + sqrt(spread log T / n)).
    """

    spread: float = 2.0
    """Factor in the bonus sqrt(spread log T / n)."""

    def __post_init__(self) -> None:
        _check_number(self, "spread", 0.0)

    def rule(self, place: Place) -> Rule:
        """Stands anywhere."""
        return Rule(spread=self.spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Informed:
    """An agent that knows its means and plays the best response to its offer; stands at a leaf (IPA's agent)."""

    def rule(self, place: Place) -> Rule:
        """Stands at leaves alone."""
        if place.n_children:
            raise TreeError(
                f"an informed player knows its own means alone, but {place.name!r} has agents: use it at leaves"
            )
        return Rule(informed=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """A principal that is told tau* and pays it from the first round on; UCB over its table, payments deducted (page 5)."""

    inflation: float = 1.0
    """Added to tau*, in T^(-1/4). With 0 a child is indifferent, and one that learns errs for ever."""

    spread: float = 2.0
    """Factor in the bonus sqrt(spread log T / n)."""

    def __post_init__(self) -> None:
        _check_number(self, "spread", 0.0)
        _check_number(self, "inflation", 0.0)

    def rule(self, place: Place) -> Rule:
        """Stands anywhere; at a leaf it is UCB."""
        return Rule(
            spread=self.spread,
            first_phase=COMMIT if place.n_children else WAIT,
            inflation=_margin(self.inflation, place),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IPA:
    """Incentivized principal-agent learning (Scheid et al. 2024, arXiv 2403.03811), for one agent that knows its means.

    Every action in turn: ceil(log2 T) bisections of its payment, one round each; then UCB over its
    table, less the payment found and 1/T^2.
    """

    spread: float = 4.0
    """Factor in the bonus sqrt(spread log T / n)."""

    def __post_init__(self) -> None:
        _check_number(self, "spread", 0.0)

    def rule(self, place: Place) -> Rule:
        """Stands above one agent."""
        _one_agent("IPA", place)
        halvings = math.ceil(math.log2(place.horizon))
        rule = Rule(spread=self.spread, halvings=halvings, interleaved=1, inflation=1.0 / place.horizon**2)
        return _fits("IPA", rule, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class BELGIC:
    """Batched search for payments to one agent that learns too (Scheid et al. 2024, arXiv 2406.19824).

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
        _check_number(self, "spread", 0.0)
        _check_number(self, "inflation", 0.0)
        for name in ("batch", "halvings"):
            _check_count(self, name, 1)

    def rule(self, place: Place) -> Rule:
        """Stands above one agent."""
        _one_agent("BELGIC", place)
        rule = Rule(
            spread=self.spread, halvings=self.halvings or _halvings(place.horizon),
            batch=self.batch or math.ceil(2.0 * math.sqrt(place.horizon)), inflation=_margin(self.inflation, place),
        )  # fmt: skip
        return _fits("BELGIC", rule, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLearner:
    """The decentralised learner of page 5: wait, search, commit. It knows T, K, its height d, and what it sees.

    Waits until round S_d; finds by R bisections per action, in batches of at most L_d rounds and
    for all children at once, what each child needs; then offers that and the inflation eta, and
    maximises UCB indices of its table less payments. S_2 = wait sqrt(T), S_(d+1) = S_d + K R L_d,
    L_d = batch sqrt(T) growth^(d-2), R = ceil(log2(T) / 4) + 2, eta = inflation T^(-1/4).

    Rebuilt from the abstract of Scheid et al. 2025 (arXiv 2501.19388); constants and improvements
    are ours. `TreeLearner.plain()` is the learner before they were made.
    """

    wait: float = 2.0
    """Rounds before the lowest principals search, in sqrt(T)."""

    batch: float = 0.5
    """Most rounds of a batch at height 2, in sqrt(T)."""

    growth: float = 2.0
    """How many times longer batches are one level higher."""

    staggered: bool = True
    """Whether a principal waits until all below it have committed; False: everybody searches after `wait`."""

    inflation: float = 0.5
    """eta: added to the payments found, in T^(-1/4)."""

    spread: float = 2.0
    """Factor in the bonus of an index."""

    variance_aware: bool = True
    """Whether the bonus uses the empirical variance (UCB-V) instead of 1."""

    range: float = 1.0
    """Factor of UCB-V's term log T / n."""

    lead: float = 0.25
    """Ends a batch as soon as every child's majority leads by this share of it; 0: never."""

    watch: float = 1.0
    """Offers, in batches, after which a payment that most refused is raised by eta; 0: never."""

    free_favourites: bool = True
    """Whether what a child does by itself is left unpaid, so that a principal keeps what it has without contracts."""

    def __post_init__(self) -> None:
        for name in ("wait", "spread", "range", "lead", "watch"):
            _check_number(self, name, 0.0)
        _check_number(self, "batch", 1e-6)
        _check_number(self, "growth", 1.0)
        _check_number(self, "inflation", 0.0)
        if self.lead > 1.0:
            raise TreeError(f"lead must lie in [0, 1], a share of a batch, got {self.lead!r}")

    @classmethod
    def plain(cls, **changes: Any) -> TreeLearner:
        """Return page 5's version: longer batches, played to their end, larger bonus and inflation, no second thoughts."""
        before = {"wait": 4.0, "batch": 2.0, "inflation": 1.0, "variance_aware": False, "lead": 0.0, "watch": 0.0}
        return cls(**{**before, "free_favourites": False, **changes})

    def rule(self, place: Place) -> Rule:
        """Stands anywhere; at a leaf it is UCB with the same index."""
        index = Rule(spread=self.spread, range=self.range, variance_aware=int(self.variance_aware))
        if not place.n_children:
            return index
        root = math.sqrt(place.horizon)
        halvings = _halvings(place.horizon)
        start, batch = math.ceil(self.wait * root), math.ceil(self.batch * root)
        for height in range(2, place.height):
            if self.staggered:
                start += place.most_actions * halvings * batch
            batch = math.ceil(self.batch * root * self.growth ** (height - 1))
        rule = dataclasses.replace(
            index, start=start, halvings=halvings, batch=batch, lead=math.ceil(self.lead * batch),
            inflation=_margin(self.inflation, place), free_favourites=int(self.free_favourites), watch=math.ceil(self.watch * batch),
        )  # fmt: skip
        return _fits("the tree learner", rule, place)


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
        raise TreeError(f"unknown player {name!r}: choose one of {', '.join(PLAYERS)}")
    kind = TreeLearner if name == "tree-plain" else PLAYERS[name]
    known = [f.name for f in dataclasses.fields(kind)]
    for setting in settings:
        if setting not in known:
            raise TreeError(f"{name} has no setting {setting!r}: it has {', '.join(known) or 'none'}")
    player: BuiltIn = PLAYERS[name](**settings)
    return player


def _halvings(horizon: int) -> int:
    """R: bisections that leave a bracket of at most a quarter of T^(-1/4)."""
    return math.ceil(math.log2(horizon) / 4.0) + 2


def _margin(inflation: float, place: Place) -> float:
    return float(inflation * place.horizon**-0.25)


def _one_agent(who: str, place: Place) -> None:
    if place.n_children != 1:
        raise TreeError(
            f"{who} is a principal of one agent, but {place.name!r} has {place.n_children}: "
            "use ucb at leaves and the tree learner above several agents"
        )


def _fits(who: str, rule: Rule, place: Place) -> Rule:
    """Refuse a rule whose search would not end within the horizon."""
    end = rule.start + place.most_actions * rule.halvings * rule.batch
    if end >= place.horizon:
        raise TreeError(
            f"the horizon of {place.horizon} rounds is too short for {who} at {place.name!r} (height {place.height}): its "
            f"search may last until round {end}; use a longer horizon or shorter batches"
        )
    return rule


def _check_number(settings: Any, name: str, least: float) -> None:
    value = getattr(settings, name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < math.inf:
        raise TreeError(f"{name} must be a number of at least {least:g}, got {value!r}")


def _check_count(settings: Any, name: str, least: int) -> None:
    """Check an optional count; None stands for the default."""
    value = getattr(settings, name)
    if value is None:
        return
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise TreeError(f"{name} must be an integer of at least {least}, got {value!r}")
