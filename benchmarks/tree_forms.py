"""The trees of the tree benchmarks: the chain of three, and random misaligned trees by depth and branching."""

from contract_tree import Tree, misaligned_tree, named_tree

SHAPES = tuple((depth, branching) for depth in (2, 3, 4) for branching in (1, 2, 3))
"""Depth and branching of the random trees."""

Instances = list[tuple[Tree, int]]
"""Trees, each with the seed of its games."""


def forms(instances: int, shapes: tuple[tuple[int, int], ...] = SHAPES) -> dict[str, Instances]:
    """Name of a form -> its instances: the chain with as many seeds, or as many random trees with a seed each."""
    found: dict[str, Instances] = {"chain": [(named_tree("chain"), seed) for seed in range(instances)]}
    for depth, branching in shapes:
        found[f"depth {depth}, branching {branching}"] = [
            (misaligned_tree(depth=depth, branching=branching, seed=seed), seed) for seed in range(instances)
        ]
    return found
