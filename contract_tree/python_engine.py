"""The engine in Python, in which custom players play beside the built-in ones, and the protocol of such a player."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import index
from typing import NamedTuple, Protocol

import numpy as np

from contract_tree.engine import Games, settle
from contract_tree.errors import TreeError
from contract_tree.numba_tools import kernel
from contract_tree.player_parameters import BuiltIn, Place
from contract_tree.rules import decide, draw_reward, learn, played_cell
from contract_tree.solution import Solution
from contract_tree.tree import Tree


class Offer(NamedTuple):
    """A contract for one round: `payment` (at least 0, in units of reward) if the agent plays `action`."""

    action: int
    payment: float


class Move(NamedTuple):
    """What a player does in a round: its own action, and an offer, or None, to each child in order."""

    action: int
    offers: Sequence[Offer | None] = ()


class Player(Protocol):
    """A player of one node in one game; nodes are asked from the root down."""

    def play(self, offer: Offer | None) -> Move:
        """See the principal's offer (None: there is none), choose an action, make offers to the children."""
        ...

    def learn(self, reward: float, children: tuple[int, ...]) -> None:
        """See the reward, before payments, and what each child played."""
        ...


Factory = Callable[[Place, np.random.Generator], Player]
"""Makes a player for one node of one game, with a random generator of its own."""


class PythonGames(Games):
    """Games with players in Python among the built-in ones, which play by the very same compiled rules."""

    def __init__(
        self, tree: Tree, solution: Solution, players: Sequence[BuiltIn | Factory], places: Sequence[Place], *,
        noise: float | None, seed: int, n_games: int,
    ) -> None:  # fmt: skip
        # Beside the streams of the compiled rules, which are keyed by (seed, game, 0..n).
        self._generators = [
            [np.random.default_rng(np.random.SeedSequence([seed, g, v, 1])) for v in range(tree.n_nodes)]
            for g in range(n_games)
        ]
        super().__init__(tree, solution, players, places, noise=noise, seed=seed, n_games=n_games)  # type: ignore[arg-type]

    def begin(self, places: Sequence[Place]) -> None:
        """Let every player begin; custom ones are made anew, with the generators that they had."""
        super().begin(places)
        self._custom = [
            {
                v: player(place, generators[v])
                for v, (player, place) in enumerate(zip(self.players, places, strict=True))
                if callable(player)
            }
            for generators in self._generators
        ]

    def _play_game(self, g: int, stop: int) -> None:
        minds, own, cells, prices, words = self.memory(g)
        nodes, custom = self.nodes, self._custom[g]
        for t in range(self.round - self.began, stop - self.began):
            for v in range(len(nodes)):
                if v in custom:
                    self._ask(g, v, custom[v])
                else:
                    decide_one(nodes, minds, own, cells, prices, words, v, t)
            for v in range(len(nodes)):
                reward = reward_of(nodes, minds, words, self.theta, v, self.noise)
                if v in custom:
                    custom[v].learn(reward, tuple(int(minds[u]["action"]) for u in self.tree.children(v)))
                else:
                    learn_one(nodes, minds, own, cells, prices, v, reward, self.log_horizon)
                self.counts[g, nodes[v]["first_action"] + minds[v]["action"]] += 1
            settle(nodes, minds, self.theta, self.utility, self.sums[g])

    def _ask(self, g: int, v: int, player: Player) -> None:
        """Let a player of the user's move, check what it says, and write it where the rules look."""
        mind, name, children = self.minds[g, v], self.tree.names[v], self.tree.children(v)
        offered = None if mind["recommended"] < 0 else Offer(int(mind["recommended"]), float(mind["payment"]))
        move = player.play(offered)
        if not isinstance(move, tuple) or len(move) != 2:
            raise TreeError(f"the player at {name!r} must return a Move(action, offers), got {move!r}")
        mind["action"] = _action(move[0], self.tree.n_actions[v], f"the action of {name!r}")
        offers = tuple(move[1]) or (None,) * len(children)
        if len(offers) != len(children):
            raise TreeError(
                f"the player at {name!r} made {len(offers)} offers, but has {len(children)} children: one each"
            )
        for u, offer in zip(children, offers, strict=True):
            child = self.minds[g, u]
            child["recommended"], child["payment"] = -1, 0.0
            if offer is not None:
                who = f"{name!r} to {self.tree.names[u]!r}"
                child["recommended"] = _action(offer[0], self.tree.n_actions[u], f"the action offered by {who}")
                if not 0.0 <= offer[1] < math.inf:
                    raise TreeError(f"the payment offered by {who} must be a number of at least 0, got {offer[1]!r}")
                child["payment"] = offer[1]


def _action(value: object, n: int, what: str) -> int:
    try:
        action = index(value)  # type: ignore[arg-type]
    except TypeError:
        action = -1
    if isinstance(value, bool) or not 0 <= action < n:
        raise TreeError(f"{what} must be an integer 0..{n - 1}, got {value!r}")
    return action


@kernel
def decide_one(nodes, minds, own, cells, prices, words, v, t):
    """Let one built-in player decide (see `rules.decide`)."""
    decide(nodes, minds, own, cells, prices, words, v, t)


@kernel
def learn_one(nodes, minds, own, cells, prices, v, reward, log_horizon):
    """Let one built-in player learn (see `rules.learn`)."""
    learn(nodes, minds, own, cells, prices, v, reward, log_horizon)


@kernel
def reward_of(nodes, minds, words, theta, v, noise):
    """Draw the reward of node v for what was played."""
    return draw_reward(words, theta[played_cell(nodes, minds, v)], noise)
