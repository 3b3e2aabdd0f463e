"""How trees, players and what they have learned lie in memory: flat arrays of records, level by level.

Actions of node v stand at `first_action .. + n_actions`, cells of its table of means at
`first_cell + action * n_below + joint action of the children` (row-major).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_tree.tree import Tree

WAIT, SEARCH, COMMIT = 0, 1, 2
"""Phases of a principal; a player that offers nothing waits for ever."""

_INT, _FLOAT = np.int64, np.float64

NODE = np.dtype(
    [
        ("first_child", _INT), ("n_children", _INT), ("n_actions", _INT), ("n_below", _INT),
        ("first_action", _INT), ("first_cell", _INT),
        # How the player learns: see `contract_tree.player_parameters`.
        ("start", _INT), ("halvings", _INT), ("batch", _INT), ("lead", _INT), ("interleaved", _INT),
        ("watch", _INT), ("free_favourites", _INT), ("informed", _INT), ("inflation", _FLOAT), ("spread", _FLOAT), ("span", _FLOAT),
        ("variance_aware", _INT), ("most_actions", _INT), ("first_phase", _INT),
    ]
)  # fmt: skip
"""What is known of a node and of its player, and never changes."""

MIND = np.dtype(
    [
        ("recommended", _INT), ("payment", _FLOAT), ("action", _INT),
        ("phase", _INT), ("step", _INT), ("rounds", _INT),
    ]
)  # fmt: skip
"""State of one node: the offer it has (action -1: none), what it plays, and how far its search is."""

ARM = np.dtype([("n", _FLOAT), ("mean", _FLOAT), ("squares", _FLOAT), ("index", _FLOAT), ("cost", _FLOAT)])
"""What a player knows of one of its actions, or of one cell of its table; index: upper confidence
bound; cost: payments to the children for their part of it."""

PRICE = np.dtype(
    [("low", _FLOAT), ("high", _FLOAT), ("pay", _FLOAT), ("taken", _INT), ("offered", _INT), ("refused", _INT)]
)
"""What a principal believes a child needs for one of the child's actions, kept at the child."""

UNTRIED = 1e6
"""Index of what was never tried, above all payments."""


def lay_out(tree: Tree) -> NDArray[Any]:
    """Make the nodes' records, with the players' part still zero."""
    nodes = np.zeros(tree.n_nodes, NODE)
    action = cell = 0
    for v, table in enumerate(tree.theta):
        children = tree.children(v)
        record = nodes[v]
        record["first_child"], record["n_children"] = children.start, len(children)
        record["n_actions"], record["n_below"] = table.shape[0], table.size // table.shape[0]
        record["first_action"], record["first_cell"] = action, cell
        record["most_actions"] = max((tree.n_actions[u] for u in children), default=0)
        action, cell = action + table.shape[0], cell + table.size
    return nodes


def flat(tables: tuple[NDArray[np.float64], ...]) -> NDArray[np.float64]:
    """Put the nodes' tables one after another."""
    return np.concatenate([table.ravel() for table in tables])
