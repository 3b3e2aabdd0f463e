"""Let players play a tree: who plays where, how long, how often; and watch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_tree.checks import MOST_THREADS, brief, check_whole
from contract_tree.engine import Games
from contract_tree.epochs import epochs_of, places_of
from contract_tree.errors import TreeError
from contract_tree.instances import as_tree
from contract_tree.layout import COMMIT
from contract_tree.player_parameters import BuiltIn
from contract_tree.players import get_player
from contract_tree.python_engine import Factory, PythonGames
from contract_tree.result import Result, check_settings, checkpoints
from contract_tree.solution import solve
from contract_tree.tree import Tree

Anyone = BuiltIn | Factory | str
"""A built-in player, its name, or a function that makes a custom player."""


def simulate(
    tree: Tree | str,
    players: Anyone | Mapping[str, Anyone],
    *,
    horizon: int,
    n_games: int = 20,
    seed: int = 0,
    noise: float | None = 0.1,
    threads: int = 1,
    engine: str | None = None,
    unknown_horizon: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Result:
    """Play independent games of one tree.

    tree: a Tree, or the name of one (see `named_tree`).
    players: who plays at all nodes, or a mapping from nodes to players; its keys are names of
    nodes, `inner` (nodes with children) and `leaves`, a name winning over these.
    horizon: rounds of a game. n_games: games (seeds). seed: of everything drawn; game g depends on
    (seed, g) alone. noise: standard deviation of Gaussian rewards, or None for Bernoulli rewards.
    threads: games played at once; the result does not depend on it. engine: `compiled` or
    `python`; None: compiled, unless there is a custom player, which needs python.
    unknown_horizon: whether players do not know the horizon and, in its place, begin anew in epochs
    that double, each time with the parameters for the epoch's length. The first epoch is the
    shortest power of two, at least 16 rounds, in which every search ends.
    on_progress: called with 0 before the first round, and now and then with the number of rounds played.

    Raises:
        TreeError: a setting is wrong, a player cannot stand where it was put, or the horizon is
            too short for its search, or for the first epoch.

    >>> from contract_tree import named_tree
    >>> result = simulate(named_tree("chain"), "ucb", horizon=1000, n_games=2)
    >>> result.rewards.shape  # games, rounds that are recorded, nodes
    (2, 40, 3)
    """
    tree = as_tree(tree)
    horizon, n_games, seed, noise = check_settings(tree, horizon=horizon, n_games=n_games, seed=seed, noise=noise)
    threads = check_whole("threads", threads, 1, MOST_THREADS)
    if engine not in (None, "compiled", "python"):
        raise TreeError(f"unknown engine {brief(engine)}: choose compiled or python, or leave it out")
    if not isinstance(unknown_horizon, bool):
        raise TreeError(f"unknown_horizon must be True or False, got {brief(unknown_horizon)}")
    where = assign(tree, players)
    own = [name for name, player in zip(tree.names, where, strict=True) if callable(player)]
    if own and engine == "compiled":
        raise TreeError(f"the player at {own[0]!r} is not built in: it needs engine='python'")
    epochs = epochs_of(tree, where, horizon, unknown=unknown_horizon)
    kind: Any = PythonGames if own or engine == "python" else Games
    games: Games = kind(
        tree, solve(tree), where, places_of(tree, epochs[0].length), noise=noise, seed=seed, n_games=n_games
    )
    later = list(epochs[1:])
    rounds = checkpoints(horizon)
    sums = np.zeros((4, n_games, len(rounds), tree.n_nodes))
    last_tenth = horizon - horizon // 10
    before = games.counts.copy()
    if on_progress is not None:
        on_progress(0)
    for c, stop in enumerate(rounds):
        while later and later[0].begin < stop:
            games.play_until(later[0].begin, threads)
            games.begin(places_of(tree, later.pop(0).length))
        games.play_until(int(stop), threads)
        sums[:, :, c] = games.sums.swapaxes(0, 1)
        if stop == last_tenth:
            before = games.counts.copy()
        if on_progress is not None:
            on_progress(int(stop))
    return Result(
        tree=tree, players=tuple(map(_label, where)), horizon=horizon, noise=noise, seed=seed, rounds=rounds,
        rewards=sums[0], utilities=sums[1], regrets=sums[2], received=sums[3],
        shares=(games.counts - before) / (horizon // 10), payments=_payments(tree, games),
        epochs=tuple(epoch.begin for epoch in epochs),
    )  # fmt: skip


def assign(tree: Tree, players: Anyone | Mapping[str, Anyone]) -> list[BuiltIn | Factory]:
    """Say who plays at each node (see `simulate`)."""
    given = players if isinstance(players, Mapping) else {"inner": players, "leaves": players}
    for key in given:
        if key not in (*tree.names, "inner", "leaves"):
            raise TreeError(
                f"there is no node {brief(key)} to play at: use inner, leaves, or one of {brief(', '.join(tree.names), 300)}"
            )
    found: list[BuiltIn | Factory] = []
    for v, name in enumerate(tree.names):
        kind = "inner" if tree.children(v) else "leaves"
        if name not in given and kind not in given:
            raise TreeError(f"nobody plays at {name!r}: name a player for it or for {kind}")
        player = given.get(name, given.get(kind))
        player = get_player(player) if isinstance(player, str) else player
        if not (hasattr(player, "parameters") or callable(player)):
            raise TreeError(
                f"the player at {name!r} must be a built-in player, its name, or a function (place, rng) -> player, "
                f"got {brief(player)}"
            )
        found.append(player)  # type: ignore[arg-type]
    return found


def _payments(tree: Tree, games: Games) -> NDArray[np.float64]:
    """What principals have come to pay for each action; NaN where they pay none, or none yet."""
    found = np.full(games.counts.shape, np.nan)
    for v in range(tree.n_nodes):
        for u in tree.children(v):
            at = slice(games.nodes[u]["first_action"], games.nodes[u]["first_action"] + tree.n_actions[u])
            committed = games.minds["phase"][:, v] == COMMIT
            found[committed, at] = games.prices["pay"][committed, at]
    return found


def _label(player: BuiltIn | Factory) -> str:
    return getattr(player, "__name__", "custom player") if callable(player) else repr(player)
