"""Many games at once, compiled: G copies of one tree with built-in players, each with random streams of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_tree.layout import ARM, COMMIT, MIND, PRICE, flat, lay_out
from contract_tree.numba_tools import kernel
from contract_tree.player_parameters import BuiltIn, Place, PlayerParameters, parameters_at
from contract_tree.random_stream import streams_of_games
from contract_tree.rules import decide, draw_reward, learn, played_cell, wake
from contract_tree.solution import Solution
from contract_tree.tree import Tree

MEAN, UTILITY, REGRET, RECEIVED = range(4)
"""What is summed for every node: mean rewards, utilities, regret, and what its principal paid."""


@kernel
def settle(nodes, minds, theta, utility, sums):
    """Add one round to a game's sums (4, n), with mean rewards in place of drawn ones.

    A node's regret (page 5) compares what it kept with the most it could have kept, had it chosen
    its own action and, paying tau*, those of its children; its own offer is taken as it came.
    """
    for v in range(len(nodes)):
        node, mind = nodes[v], minds[v]
        most = -math.inf
        for action in range(node.n_actions):
            could = utility[node.first_action + action]
            if action == mind.recommended:
                could += mind.payment
            most = max(most, could)
        mean = theta[played_cell(nodes, minds, v)]
        kept = mean
        if mind.action == mind.recommended:
            kept += mind.payment
            sums[RECEIVED, v] += mind.payment
        for u in range(node.first_child, node.first_child + node.n_children):
            if minds[u].action == minds[u].recommended:
                kept -= minds[u].payment
        sums[MEAN, v] += mean
        sums[UTILITY, v] += kept
        sums[REGRET, v] += most - kept


@kernel
def play(nodes, minds, own, cells, prices, words, theta, utility, noise, log_horizon, start, stop, sums, counts):
    """Play one game from round `start` to `stop` of its epoch; counts: (all actions,) how often each was played."""
    for t in range(start, stop):
        for v in range(len(nodes)):
            decide(nodes, minds, own, cells, prices, words, v, t)
        for v in range(len(nodes)):
            reward = draw_reward(words, theta[played_cell(nodes, minds, v)], noise)
            learn(nodes, minds, own, cells, prices, v, reward, log_horizon)
            counts[nodes[v].first_action + minds[v].action] += 1
        settle(nodes, minds, theta, utility, sums)


class Games:
    """The memory of G games of one tree, and how far they are.

    players and places: one per node. noise: standard deviation of Gaussian rewards, in units of
    reward; None: Bernoulli rewards.
    """

    def __init__(
        self,
        tree: Tree,
        solution: Solution,
        players: Sequence[BuiltIn],
        places: Sequence[Place],
        *,
        noise: float | None,
        seed: int,
        n_games: int,
    ) -> None:
        self.n_games, self.round = n_games, 0
        self.tree, self.solution, self.players = tree, solution, players
        self.nodes = lay_out(tree)
        self.theta, self.utility = flat(tree.theta), flat(solution.utility)
        self.noise = -1.0 if noise is None else float(noise)
        n_all = sum(tree.n_actions)
        self.minds = np.zeros((n_games, tree.n_nodes), MIND)
        self.own, self.prices = np.zeros((n_games, n_all), ARM), np.zeros((n_games, n_all), PRICE)
        self.cells = np.zeros((n_games, len(self.theta)), ARM)
        self.words = streams_of_games(seed, n_games, 1 + tree.n_nodes)
        self.sums = np.zeros((n_games, 4, tree.n_nodes))
        self.counts: NDArray[np.int64] = np.zeros((n_games, n_all), np.int64)
        self.begin(places)

    def begin(self, places: Sequence[Place]) -> None:
        """Let every player begin, with its parameters for these places and nothing learned; streams and sums go on."""
        self.began, self.log_horizon = self.round, math.log(places[0].horizon)
        for memory in (self.minds, self.own, self.prices, self.cells):
            memory[...] = np.zeros((), memory.dtype)
        for v, (player, place) in enumerate(zip(self.players, places, strict=True)):
            parameters = parameters_at(player, place)
            for name in PlayerParameters.__slots__:  # type: ignore[attr-defined]
                self.nodes[v][name] = getattr(parameters, name)
            if parameters.first_phase == COMMIT:
                for u in self.tree.children(v):
                    at = slice(self.nodes[u]["first_action"], self.nodes[u]["first_action"] + self.tree.n_actions[u])
                    self.prices["pay"][:, at] = self.solution.payment[u] + parameters.inflation
        means = flat(tuple(table.reshape(table.shape[0], -1)[:, 0] for table in self.tree.theta))
        for g in range(self.n_games):
            wake(self.nodes, *self.memory(g)[:4], means)

    def memory(self, g: int) -> tuple[NDArray[Any], ...]:
        """Minds, own arms, cells, prices and streams of game g."""
        return self.minds[g], self.own[g], self.cells[g], self.prices[g], self.words[g]

    def play_until(self, stop: int, threads: int = 1) -> None:
        """Play all games up to round `stop`; threads share no game."""

        if threads == 1:
            for g in range(self.n_games):
                self._play_game(g, stop)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(lambda g: self._play_game(g, stop), range(self.n_games)))
        self.round = stop

    def _play_game(self, g: int, stop: int) -> None:
        play(
            self.nodes, *self.memory(g), self.theta, self.utility, self.noise, self.log_horizon,
            self.round - self.began, stop - self.began, self.sums[g], self.counts[g],
        )  # fmt: skip
