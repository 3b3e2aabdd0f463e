"""The trees of the tree benchmarks, and that the committed files are about these trees."""

import csv
from pathlib import Path

import numpy as np
import pytest

from contract_tree import named_tree, solve
from tree_forms import SHAPES, forms

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


def rows_of(name: str) -> list[dict[str, str]]:
    with (RESULTS / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_forms_are_the_chain_and_misaligned_trees_of_the_depth_and_branching_that_their_name_says() -> None:
    found = forms(2, ((2, 3), (3, 2)))
    assert list(found) == ["chain", "depth 2, branching 3", "depth 3, branching 2"]
    assert [tree.n_nodes for (tree, _), *_ in found.values()] == [3, 4, 7]
    assert all([seed for _, seed in trees] == [0, 1] for trees in found.values())
    assert all(np.array_equal(a, b) for a, b in zip(found["chain"][1][0].theta, named_tree("chain").theta, strict=True))
    for name, trees in found.items():
        assert (trees[0][0].theta[0] == trees[1][0].theta[0]).all() == (name == "chain")
        assert all(solve(tree).gap >= 0.05 * solve(tree).welfare for tree, _ in trees)


def test_the_stored_exact_margins_are_those_of_the_solver() -> None:
    stored = [r for r in rows_of("tree_participation.csv") if r["tree"] == "depth 3, branching 1"]
    solved = np.concatenate([solve(tree).margins for tree, _ in forms(20, ((3, 1),))["depth 3, branching 1"]])
    assert [float(r["exact_margin"]) for r in stored] == pytest.approx(solved, abs=1e-8)
    assert (solved < -1e-9).sum() == 2  # not everybody gains


@pytest.mark.parametrize(("name", "per_form"), [("tree_noise.csv", 3 * 20), ("tree_horizon.csv", 20)])
def test_the_stored_games_are_twenty_of_every_form(name: str, per_form: int) -> None:
    rows = rows_of(name)
    for depth, branching in SHAPES:
        mine = [r for r in rows if r["tree"] == f"depth {depth}, branching {branching}"]
        assert len(mine) == per_form
        assert {int(r["game"]) for r in mine} == set(range(20))
    assert len([r for r in rows if r["tree"] == "chain"]) == 60
