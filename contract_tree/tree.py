"""The tree of principals and agents: who is whose principal, what each can do, what each earns on average."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_tree.checks import brief
from contract_tree.errors import TreeError
from contract_tree.files import read_limited

MOST_ARMS = 4096
"""Most cells of one node's table of means; a learner looks at each of them in every round."""

MOST_NODES, MOST_LEVELS, MOST_LETTERS = 1000, 100, 200
"""Most nodes of a tree, most levels from its root to its leaves, and most letters of a node's name."""

MOST_CELLS = 2**20
"""Most cells of all tables of means together."""

MOST_FILE_BYTES = 64 * MOST_CELLS
"""Longest description of a tree as a file."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tree:
    """A rooted tree; every node is principal of its children and agent of its parent.

    Nodes are kept level by level from the root on, so that the children of a node stand side by
    side. Build one with `from_nested`, `from_dict`, `from_json` or `from_networkx`; those three
    fields are checked here, whoever fills them.

    >>> tree = Tree.from_nested({"name": "boss", "theta": [[0.2, 0.8]],
    ...                          "children": [{"name": "worker", "theta": [0.6, 0.4]}]})
    >>> tree.names, tree.n_actions
    (('boss', 'worker'), (1, 2))
    """

    names: tuple[str, ...]
    """Name of each node, level by level, the root first."""

    parents: tuple[int, ...]
    """Number of each node's parent, -1 for the root."""

    theta: tuple[NDArray[np.float64], ...]
    """Mean reward of each node, in [0, 1]: an axis for its own action, then one per child in order."""

    def __post_init__(self) -> None:
        if not self.names:
            raise TreeError("the tree has no nodes: describe at least a root with its means theta")
        if not len(self.names) == len(self.parents) == len(self.theta):
            raise TreeError(
                f"names, parents and theta must have one entry per node, got {len(self.names)}, "
                f"{len(self.parents)} and {len(self.theta)}"
            )
        _check_nodes(len(self.names))
        for name in self.names:
            if not isinstance(name, str) or not name or not name.isprintable() or len(name) > MOST_LETTERS:
                raise TreeError(
                    f"a node's name must be a text of 1 to {MOST_LETTERS} letters that can be printed, got {brief(name)}"
                )
            if self.names.count(name) > 1:
                raise TreeError(f"two nodes are called {name!r}: give each node a name of its own")
        if self.parents[0] != -1 or any(
            not (isinstance(p, int) and q <= p < v)
            for v, (q, p) in enumerate(zip((0, *self.parents[1:]), self.parents[1:], strict=False), 1)
        ):
            raise TreeError(
                f"parents must list the tree level by level, the root (-1) first, got {brief(self.parents)}: "
                "build it with Tree.from_nested or Tree.from_dict, which put nodes in order"
            )
        object.__setattr__(self, "theta", tuple(map(_table, self.names, self.theta)))
        if (levels := self.heights()[0]) > MOST_LEVELS:
            raise TreeError(f"the tree has {levels} levels, more than {MOST_LEVELS}: describe a flatter one")
        for v in range(self.n_nodes):
            self._check_theta(v)
        if (n_cells := sum(table.size for table in self.theta)) > MOST_CELLS:
            raise TreeError(
                f"the tables of means have {n_cells} cells, more than {MOST_CELLS}: describe fewer nodes or actions"
            )

    def _check_theta(self, v: int) -> None:
        name, table = self.names[v], self.theta[v]
        children = self.children(v)
        shape = (table.shape[0] if table.ndim else 0, *(self.theta[u].shape[0] for u in children if self.theta[u].ndim))
        if table.ndim != 1 + len(children) or table.shape != shape or 0 in table.shape:
            below = " and ".join(
                f"{self.theta[u].shape[0] if self.theta[u].ndim else 0} of {self.names[u]!r}" for u in children
            )
            raise TreeError(
                f"theta of {name!r} has shape {table.shape}, but it must have an axis for the node's own actions "
                + (f"and then one per child ({below} actions)" if children else "and no other, for it has no children")
            )
        if table.size > MOST_ARMS:
            raise TreeError(
                f"theta of {name!r} has {table.size} cells, more than {MOST_ARMS}: give it fewer children or actions"
            )
        if not (np.isfinite(table) & (table >= 0.0) & (table <= 1.0)).all():
            worst = table[~((table >= 0.0) & (table <= 1.0))][0]
            raise TreeError(f"theta of {name!r} holds {worst:g}: means must lie in [0, 1], so scale your rewards")

    # ---- ways to build one

    @classmethod
    def from_nested(cls, root: Mapping[str, Any]) -> Tree:
        """Build a tree from a nested description: `{"name": ..., "theta": ..., "children": [...]}`.

        `children` may be left out; `theta` is a nested list or an array, as in `Tree.theta`.

        Raises:
            TreeError: the description is no tree, or its means do not fit it.
        """
        names: list[str] = []
        parents: list[int] = []
        theta: list[Any] = []
        level: list[tuple[int, Any, tuple[int, ...]]] = [(-1, root, ())]
        while level:
            following: list[tuple[int, Any, tuple[int, ...]]] = []
            for parent, node, above in level:
                if not isinstance(node, Mapping) or "name" not in node or "theta" not in node:
                    raise TreeError(f"a node must be a mapping with 'name' and 'theta', got {brief(node)}")
                for key in node:
                    if key not in ("name", "theta", "children"):
                        raise TreeError(
                            f"node {brief(node['name'])} has the unknown key {brief(key)}: use name, theta, children"
                        )
                if id(node) in above:
                    raise TreeError(f"the tree has a cycle: {brief(node['name'])} is below itself")
                children = node.get("children", ())
                if not isinstance(children, Sequence) or isinstance(children, str):
                    raise TreeError(f"children of {brief(node['name'])} must be a list of nodes, got {brief(children)}")
                names.append(node["name"])
                parents.append(parent)
                theta.append(node["theta"])
                _check_nodes(len(names) + len(following) + len(children))
                following += [(len(names) - 1, child, (*above, id(node))) for child in children]
            level = following
        return cls(names=tuple(names), parents=tuple(parents), theta=tuple(theta))

    @classmethod
    def from_dict(cls, parents: Mapping[str, str | None], theta: Mapping[str, Any]) -> Tree:
        """Build a tree from `{node: its parent, or None for the root}` and `{node: means}`.

        Children keep the order in which `parents` names them; that is the order of theta's axes.

        Raises:
            TreeError: a cycle, no root or two, an unknown parent, or means that do not fit.
        """
        _check_nodes(len(parents))
        roots = [name for name, parent in parents.items() if parent is None]
        for name, parent in parents.items():
            if parent is not None and parent not in parents:
                raise TreeError(f"the parent {parent!r} of {name!r} is no node: the nodes are {', '.join(parents)}")
        if len(roots) > 1:
            raise TreeError(
                f"the tree has {len(roots)} roots ({', '.join(map(repr, roots))}): give all but one a parent"
            )
        order = list(roots)
        for name in order:
            order += [child for child, parent in parents.items() if parent == name]
        if len(order) < len(parents):
            lost = ", ".join(repr(name) for name in parents if name not in order)
            raise TreeError(
                f"the tree has a cycle: {lost} cannot be reached from a root; give one node the parent None"
            )
        for what, names in (("no means theta are given for", set(parents) - set(theta)),
                            ("theta names an unknown node:", set(theta) - set(parents))):  # fmt: skip
            if names:
                raise TreeError(f"{what} {', '.join(sorted(map(repr, names)))}")
        return cls(
            names=tuple(order),
            parents=tuple(-1 if parents[name] is None else order.index(str(parents[name])) for name in order),
            theta=tuple(theta[name] for name in order),
        )

    @classmethod
    def from_networkx(cls, graph: Any, theta: str = "theta") -> Tree:
        """Build a tree from a `networkx.DiGraph` whose edges run from principal to agent.

        theta: the node attribute that holds the means. Nodes are named by `str(node)`; a node's
        children keep the order in which the graph's nodes were added.
        """
        if not (hasattr(graph, "pred") and hasattr(graph, "nodes")):
            raise TreeError(f"the graph must be a networkx.DiGraph with edges principal -> agent, got {brief(graph)}")
        parents: dict[str, str | None] = {}
        for node in graph.nodes:
            above = [str(p) for p in graph.pred[node]]
            if len(above) > 1:
                raise TreeError(f"{str(node)!r} has {len(above)} parents ({', '.join(above)}): in a tree it has one")
            parents[str(node)] = above[0] if above else None
        means = {str(node): values[theta] for node, values in graph.nodes(data=True) if theta in values}
        return cls.from_dict(parents, means)

    @classmethod
    def from_json(cls, path: Path | str) -> Tree:
        """Read a nested description (see `from_nested`) from a JSON file.

        Raises:
            TreeError: the file cannot be read, is not JSON, or describes no tree.
        """
        try:
            text = read_limited(Path(path), MOST_FILE_BYTES)
        except (OSError, ValueError) as error:  # ValueError: a path that no system knows
            raise TreeError(f"cannot read the tree file {path}: {getattr(error, 'strerror', None) or error}") from error
        try:
            root = json.loads(text.decode())
        except (ValueError, RecursionError) as error:
            raise TreeError(f"the tree file {path} is not JSON: {error}") from error
        return cls.from_nested(root)

    def as_nested(self, v: int = 0) -> dict[str, Any]:
        """Describe node v and all below it as plain data, for JSON; `from_nested` reads it back."""
        node: dict[str, Any] = {"name": self.names[v], "theta": self.theta[v].tolist()}
        if self.children(v):
            node["children"] = [self.as_nested(u) for u in self.children(v)]
        return node

    # ---- what it looks like

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.names)

    @property
    def n_actions(self) -> tuple[int, ...]:
        """Number of actions of each node."""
        return tuple(table.shape[0] for table in self.theta)

    def children(self, v: int) -> range:
        """Numbers of the children of node v."""
        start = next((u for u in range(1, self.n_nodes) if self.parents[u] >= v), self.n_nodes)
        return range(start, start + self.parents.count(v))

    def heights(self) -> tuple[int, ...]:
        """Height of each node: 1 for a leaf, one more than its highest child for others (page 5's depth d)."""
        found = [1] * self.n_nodes
        for v in reversed(range(1, self.n_nodes)):
            found[self.parents[v]] = max(found[self.parents[v]], found[v] + 1)
        return tuple(found)

    def profiles(self) -> Iterator[tuple[int, ...]]:
        """All profiles of actions, one action per node: as many as the product of `n_actions`."""
        return iter(np.ndindex(*self.n_actions))

    def mean(self, v: int, actions: Sequence[int]) -> float:
        """Mean reward of node v when every node u plays `actions[u]`."""
        return float(self.theta[v][(actions[v], *(actions[u] for u in self.children(v)))])

    def welfare(self, actions: Sequence[int]) -> float:
        """Sum of all nodes' mean rewards in one round; payments cancel."""
        return math.fsum(self.mean(v, actions) for v in range(self.n_nodes))


def _check_nodes(n: int) -> None:
    if n > MOST_NODES:
        raise TreeError(
            f"the tree has {n} nodes or more, and at most {MOST_NODES} can be played: describe a smaller one"
        )


def _table(name: str, values: Any) -> NDArray[np.float64]:
    try:
        found = np.asarray(values)
        table = np.array(found, np.float64) if found.dtype.kind in "iuf" or not found.size else None
    except (TypeError, ValueError, OverflowError, RecursionError):  # ragged, or nested too deeply
        table = None
    if table is None:
        raise TreeError(f"theta of {name!r} must be a full table of numbers, got {brief(values)}")
    table.flags.writeable = False
    return table


def check_tree(tree: object) -> Tree:
    """Return a tree that is one.

    Raises:
        TreeError: it is something else.
    """
    if not isinstance(tree, Tree):
        raise TreeError(
            f"tree must be a Tree, for example named_tree('chain') or Tree.from_json(path), got {brief(tree)}"
        )
    return tree
