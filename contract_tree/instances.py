"""Trees with names: the chain of three, IPA's example, and random trees in which selfish players miss the optimum."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np

from contract_tree.checks import MOST_SEED, brief, check_whole
from contract_tree.errors import TreeError
from contract_tree.solution import solve
from contract_tree.tree import MOST_ARMS, MOST_LEVELS, MOST_NODES, Tree, check_tree

_RANDOM = re.compile(r"random-([0-9]{1,20})-([0-9]{1,20})(?:-([0-9]{1,20}))?")
NAMES = ("chain", "ipa", "random-DEPTH-BRANCHING[-SEED]")
"""Names that `named_tree` knows."""

LEAST_GAP = 0.05
"""Share of the optimum that selfish players miss at least in a random tree."""

_TRIES, _MOST_WORK = 10_000, 50_000
"""Most random trees that are drawn, and most nodes and hundreds of cells of all of them, which take some ten seconds."""


def named_tree(name: str) -> Tree:
    """Build a tree by name.

    `chain`: three in a row, in which a contract for the leaf alone changes nothing (page 5, point 2).
    `ipa`: one principal and one agent with five actions (page 5, point 6).
    `random-3-2-7`: `misaligned_tree(depth=3, branching=2, seed=7)`; without the last number, seed 0.

    >>> named_tree("chain").names
    ('root', 'middle', 'leaf')
    """
    if name == "chain":
        leaf = {"name": "leaf", "theta": [0.6, 0.4]}
        middle = {"name": "middle", "theta": [[0.7, 0.7], [0.3, 0.75]], "children": [leaf]}
        return Tree.from_nested({"name": "root", "theta": [[0.5, 0.7], [0.2, 0.9]], "children": [middle]})
    if name == "ipa":
        agent = {"name": "agent", "theta": [0.64, 0.99, 0.73, 0.61, 0.59]}
        return Tree.from_nested({"name": "principal", "theta": [[0.30, 0.24, 0.88, 0.07, 0.65]], "children": [agent]})
    found = _RANDOM.fullmatch(name)
    if not found:
        raise TreeError(f"unknown tree {brief(name)}: choose one of {', '.join(NAMES)}, or a JSON file")
    depth, branching, seed = (int(number or 0) for number in found.groups())
    return misaligned_tree(depth=depth, branching=branching, seed=seed)


def as_tree(tree: Tree | str) -> Tree:
    """Return a tree, or the one of that name (see `named_tree`).

    Raises:
        TreeError: there is no tree of that name, or it is neither.
    """
    return named_tree(tree) if isinstance(tree, str) else check_tree(tree)


def random_tree(*, depth: int, branching: int, n_actions: int = 2, rng: np.random.Generator) -> Tree:
    """Draw a full tree whose means are uniform in [0, 1].

    depth: levels, 1 for a single node; branching: children of every node that has any.
    """
    check_whole("depth of a random tree", depth, 1, MOST_LEVELS)
    check_whole("branching of a random tree", branching, 1, MOST_NODES)
    check_whole("n_actions of a random tree", n_actions, 1, MOST_ARMS)
    if (n_nodes := sum(branching**level for level in range(depth))) > MOST_NODES:
        raise TreeError(
            f"a tree of depth {depth} and branching {branching} has {brief(n_nodes)} nodes, more than {MOST_NODES}"
        )
    if depth > 1 and (n_cells := n_actions ** (1 + branching)) > MOST_ARMS:
        raise TreeError(
            f"a node with {branching} children and {n_actions} actions each has a table of {brief(n_cells)} cells, "
            f"more than {MOST_ARMS}: use a smaller branching or fewer actions"
        )

    def node(name: str, levels: int) -> dict[str, Any]:
        children = [node(f"{name}.{i + 1}", levels - 1) for i in range(branching)] if levels > 1 else []
        return {"name": name, "theta": rng.random((n_actions,) * (1 + len(children))), "children": children}

    return Tree.from_nested(node("n", depth))


def misaligned_tree(*, depth: int, branching: int, n_actions: int = 2, seed: int = 0) -> Tree:
    """Draw random trees until one of them loses at least LEAST_GAP of its optimum to selfishness.

    Selfish players answer best to their children, who do the same (`Solution.selfish`); learners
    without contracts come to just that. Same arguments, same tree.
    """
    check_whole("seed of a random tree", seed, 0, MOST_SEED)
    if n_actions == 1:
        raise TreeError("nobody in a tree of one action each has anything to choose: use at least 2 actions")
    if depth == 1:
        raise TreeError("nobody in a tree of depth 1 can be paid: use a depth of at least 2")
    rng = np.random.default_rng(np.random.SeedSequence([seed, depth, branching, n_actions]))
    tries = _TRIES
    for number in itertools.count(1):
        tree = random_tree(depth=depth, branching=branching, n_actions=n_actions, rng=rng)
        solution = solve(tree)
        if solution.gap >= LEAST_GAP * solution.welfare:
            return tree
        tries = min(_TRIES, _MOST_WORK // (tree.n_nodes + sum(table.size for table in tree.theta) // 100))
        if number >= tries:
            break
    raise TreeError(
        f"none of {tries} random trees of depth {depth}, branching {branching} and {n_actions} actions is misaligned: "
        "use more actions or another form"
    )
