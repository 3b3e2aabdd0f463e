"""When players begin anew: never if they know the horizon, in epochs that double if they do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from contract_tree.errors import TreeError
from contract_tree.player_parameters import Place, parameters_at
from contract_tree.tree import Tree

SHORTEST = 16
"""Rounds of the shortest epoch."""


class Epoch(NamedTuple):
    """A stretch of rounds at whose beginning all players forget what they learned."""

    begin: int
    """Rounds played before it."""

    length: int
    """Rounds that its players take for the horizon T; the game may end before it does."""


def places_of(tree: Tree, horizon: int) -> list[Place]:
    """Say of every node what its player may know, if it is to play so many rounds."""
    heights, most = tree.heights(), max(tree.n_actions)
    return [
        Place(
            name=tree.names[v], horizon=horizon, height=heights[v], n_actions=tree.n_actions[v],
            n_children=len(tree.children(v)), most_actions=most,
        )
        for v in range(tree.n_nodes)
    ]  # fmt: skip


def epochs_of(tree: Tree, players: Sequence[object], horizon: int, *, unknown: bool) -> tuple[Epoch, ...]:
    """Cut a game into epochs: one if players know the horizon, else as many as the doubling trick needs.

    players: one per node. The first epoch is the shortest power of two, at least 16, in which every
    search ends; each further one is twice as long as the one before (Cesa-Bianchi and Lugosi 2006,
    section 2.3). All nodes begin anew in the same round.

    Raises:
        TreeError: a player cannot stand where it was put, its search needs more rounds than the
            game has, or the game is shorter than the first epoch.
    """
    _check(tree, players, horizon)
    if not unknown:
        return (Epoch(0, horizon),)
    length = SHORTEST
    while not _fits(tree, players, length):
        length *= 2
    if length > horizon:
        raise TreeError(
            f"a game of {horizon} rounds is shorter than the first epoch of players that do not know the horizon, "
            f"{length} rounds, the shortest power of two in which every search ends: use a longer game or shorter batches"
        )
    return doubling(length, horizon)


def doubling(first: int, horizon: int) -> tuple[Epoch, ...]:
    """Return epochs of `first`, 2 `first`, 4 `first` ... rounds until the horizon is reached.

    >>> doubling(16, 100)
    (Epoch(begin=0, length=16), Epoch(begin=16, length=32), Epoch(begin=48, length=64))
    """
    found = [Epoch(0, first)]
    while (end := sum(found[-1])) < horizon:
        found.append(Epoch(end, 2 * found[-1].length))
    return tuple(found)


def _check(tree: Tree, players: Sequence[object], horizon: int) -> None:
    for player, place in zip(players, places_of(tree, horizon), strict=True):
        parameters_at(player, place)


def _fits(tree: Tree, players: Sequence[object], horizon: int) -> bool:
    try:
        _check(tree, players, horizon)
    except TreeError:
        return False
    return True
