"""Trees that are small enough for the head."""

from typing import Any

from contract_tree import Tree


def pair(agent: Any = (0.6, 0.4), principal: Any = ((0.2, 0.8),)) -> Tree:
    """A boss with one action above a worker with two: the worker likes 0, the boss gains more from 1."""
    worker = {"name": "worker", "theta": agent}
    return Tree.from_nested({"name": "boss", "theta": principal, "children": [worker]})
