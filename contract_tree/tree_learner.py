"""The decentralised learner for trees, and its plain version."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from contract_tree.errors import TreeError
from contract_tree.player_parameters import Place, PlayerParameters, check_setting, fitting, halvings_for, margin


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLearner:
    """The decentralised learner for trees: wait, search, commit. It knows T, K, its height d, and what it sees.

    Waits until round S_d; finds by R bisections per action, in batches of at most L_d rounds and
    for all children at once, what each child needs; then offers that and the inflation eta, and
    maximises UCB indices of its table less payments. S_2 = wait sqrt(T), S_(d+1) = S_d + K R L_d,
    L_d = batch sqrt(T) growth^(d-2), R = ceil(log2(T) / 4) + 2, eta = inflation T^(-1/4).

    Rebuilt from the abstract of Scheid et al. 2025, "Online Decision-Making in Tree-Like Multi-Agent
    Games with Transfers" (arXiv 2501.19388); schedule, constants and improvements are ours. Summaries
    by others say that the paper's algorithm, MAIL, first learns the transfers and then plays a
    shifted bandit, as this one does; its text was not available, and this is no copy of it.
    `TreeLearner.plain()` is the learner before our improvements.
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

    span: float = 1.0
    """Factor of UCB-V's term log T / n."""

    lead: float = 0.25
    """Ends a batch as soon as every child's majority leads by this share of it; 0: never."""

    watch: float = 1.0
    """Offers, in batches, after which a payment that most refused is raised by eta; 0: never."""

    free_favourites: bool = True
    """Whether what a child does by itself is left unpaid, so that a principal keeps what it has without contracts."""

    def __post_init__(self) -> None:
        for name in ("wait", "spread", "span", "lead", "watch"):
            check_setting(self, name, 0.0)
        check_setting(self, "batch", 1e-6)
        check_setting(self, "growth", 1.0, 100.0)
        check_setting(self, "inflation", 0.0)
        if self.lead > 1.0:
            raise TreeError(f"lead must lie in [0, 1], a share of a batch, got {self.lead!r}")

    @classmethod
    def plain(cls, **changes: Any) -> TreeLearner:
        """Return page 5's version: longer batches, played to their end, larger bonus and inflation, no second thoughts."""
        before = {"wait": 4.0, "batch": 2.0, "inflation": 1.0, "variance_aware": False, "lead": 0.0, "watch": 0.0}
        return cls(**{**before, "free_favourites": False, **changes})

    def parameters(self, place: Place) -> PlayerParameters:
        """Stands anywhere; at a leaf it is UCB with the same index."""
        index = PlayerParameters(spread=self.spread, span=self.span, variance_aware=int(self.variance_aware))
        if not place.n_children:
            return index
        root = math.sqrt(place.horizon)
        halvings = halvings_for(place.horizon)
        start, batch = math.ceil(self.wait * root), math.ceil(self.batch * root)
        for height in range(2, place.height):
            if self.staggered:
                start += place.most_actions * halvings * batch
            batch = math.ceil(self.batch * root * self.growth ** (height - 1))
        parameters = dataclasses.replace(
            index, start=start, halvings=halvings, batch=batch, lead=math.ceil(self.lead * batch),
            inflation=margin(self.inflation, place), free_favourites=int(self.free_favourites), watch=math.ceil(self.watch * batch),
        )  # fmt: skip
        return fitting("the tree learner", parameters, place)
