"""Trees with names: the chain of three, IPA's example, and random trees in which selfish players miss the optimum."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from contract_tree.errors import TreeError
from contract_tree.solution import solve
from contract_tree.tree import Tree

_RANDOM = re.compile(r"random-(\d+)-(\d+)(?:-(\d+))?")
NAMES = ("chain", "ipa", "random-DEPTH-BRANCHING[-SEED]")
"""Names that `named_tree` knows."""

LEAST_GAP = 0.05
"""Share of the optimum that selfish players miss at least in a random tree."""

_TRIES = 10_000


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
        raise TreeError(f"unknown tree {name!r}: choose one of {', '.join(NAMES)}, or a JSON file")
    depth, branching, seed = (int(number or 0) for number in found.groups())
    return misaligned_tree(depth=depth, branching=branching, seed=seed)


def random_tree(*, depth: int, branching: int, n_actions: int = 2, rng: np.random.Generator) -> Tree:
    """Draw a full tree whose means are uniform in [0, 1].

    depth: levels, 1 for a single node; branching: children of every node that has any.
    """
    for what, value in (("depth", depth), ("branching", branching), ("n_actions", n_actions)):
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
            raise TreeError(f"{what} of a random tree must be an integer of at least 1, got {value!r}")

    def node(name: str, levels: int) -> dict[str, Any]:
        children = [node(f"{name}.{i + 1}", levels - 1) for i in range(branching)] if levels > 1 else []
        return {"name": name, "theta": rng.random((n_actions,) * (1 + len(children))), "children": children}

    if (n_nodes := sum(branching**level for level in range(depth))) > 1000:
        raise TreeError(f"a tree of depth {depth} and branching {branching} has {n_nodes} nodes, more than 1000")
    return Tree.from_nested(node("n", depth))


def misaligned_tree(*, depth: int, branching: int, n_actions: int = 2, seed: int = 0) -> Tree:
    """Draw random trees until one of them loses at least LEAST_GAP of its optimum to selfishness.

    Selfish players answer best to their children, who do the same (`Solution.selfish`); learners
    without contracts come to just that. Same arguments, same tree.
    """
    if depth == 1:
        raise TreeError("nobody in a tree of depth 1 can be paid: use a depth of at least 2")
    rng = np.random.default_rng(np.random.SeedSequence([seed, depth, branching, n_actions]))
    for _ in range(_TRIES):
        tree = random_tree(depth=depth, branching=branching, n_actions=n_actions, rng=rng)
        solution = solve(tree)
        if solution.gap >= LEAST_GAP * solution.welfare:
            return tree
    raise TreeError(
        f"none of {_TRIES} random trees of depth {depth}, branching {branching} and {n_actions} actions is misaligned: "
        "use more actions or another form"
    )
