"""The exact solution against brute force and against page 5's figures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from contract_tree import Tree, named_tree, solve


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Trees of up to six nodes, of any form, with one to three actions per node."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(1, 6))
    parents = {"0": None, **{str(v): str(draw(st.integers(0, v - 1))) for v in range(1, n)}}
    sizes = [draw(st.integers(1, 3)) for _ in range(n)]
    below = {v: [sizes[int(u)] for u, p in parents.items() if p == str(v)] for v in range(n)}
    return Tree.from_dict(parents, {str(v): rng.random((sizes[v], *below[v])) for v in range(n)})


@settings(max_examples=60, deadline=None)
@given(trees())
def test_the_best_welfare_is_that_of_the_best_of_all_profiles(tree: Tree) -> None:
    best = max(tree.welfare(profile) for profile in tree.profiles())
    solution = solve(tree)
    assert solution.welfare == pytest.approx(best, abs=1e-12)
    assert solution.best_welfare[0].max() == pytest.approx(best, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(trees())
def test_what_a_node_keeps_is_welfare_below_it_less_a_constant(tree: Tree) -> None:
    solution = solve(tree)
    for utility, welfare, payment in zip(solution.utility, solution.best_welfare, solution.payment, strict=True):
        assert_allclose(utility - utility.max(), welfare - welfare.max(), atol=1e-12)
        assert (payment >= 0).all()
        assert payment.min() == 0.0


@settings(max_examples=60, deadline=None)
@given(trees())
def test_payments_stay_below_one_at_every_depth(tree: Tree) -> None:
    assert max(payment.max() for payment in solve(tree).payment) <= 1.0


@settings(max_examples=40, deadline=None)
@given(trees())
def test_nobody_gains_by_leaving_the_optimal_contracts(tree: Tree) -> None:
    """Under tau*, no action and no offer to its children gives a node more than following does."""
    solution = solve(tree)
    for v in range(tree.n_nodes):
        children = tree.children(v)
        followed = tree.mean(v, solution.actions) - sum(solution.payment[u][solution.actions[u]] for u in children)
        followed += solution.payment[v][solution.actions[v]] if v else 0.0
        for own in range(tree.n_actions[v]):
            for below in np.ndindex(*(tree.n_actions[u] for u in children)):
                kept = tree.theta[v][(own, *below)] - sum(
                    solution.payment[u][c] for u, c in zip(children, below, strict=True)
                )
                kept += solution.payment[v][own] if v and own == solution.actions[v] else 0.0
                assert kept <= followed + 1e-12


def test_the_chain_of_three_has_the_figures_of_page_5() -> None:
    solution = solve(named_tree("chain"))
    assert solution.actions == (1, 1, 1)
    assert solution.selfish == (0, 0, 0)
    assert solution.welfare == pytest.approx(2.05)
    assert solution.selfish_welfare == pytest.approx(1.80)
    assert solution.gap == pytest.approx(0.25)
    assert_allclose(solution.payment[2], [0, 0.2], atol=1e-12)
    assert_allclose(solution.payment[1], [0, 0.15], atol=1e-12)


def test_the_contract_for_the_leaf_alone_leaves_the_chain_where_it_was() -> None:
    """The middle pays 0.2 for 0.75 - 0.7 more: it must be paid itself."""
    tree = named_tree("chain")
    kept = {(a, c): tree.theta[1][a, c] - [0.0, 0.2][c] for a in (0, 1) for c in (0, 1)}
    assert max(kept, key=lambda cell: kept[cell]) == (0, 0)


def test_the_example_of_ipa_pays_0_26_for_the_principals_best_action() -> None:
    solution = solve(named_tree("ipa"))
    assert_allclose(solution.payment[1], [0.35, 0.0, 0.26, 0.38, 0.40], atol=1e-12)
    assert solution.actions == (0, 2)  # 0.88 + 0.73
    assert solution.selfish == (0, 1)


def test_a_contract_below_a_node_can_cost_it_more_than_its_own_contracts_bring() -> None:
    """Nobody pays: leaf 0.5, middle 0.5, root 0.6. The middle gains 0.5 by paying the leaf 0.1 and changing its action.

    It would then want 0.4 to change back, which is more than the 0.3 that the root loses: the root bears it.
    """
    leaf = {"name": "leaf", "theta": [0.5, 0.4]}
    middle = {"name": "middle", "theta": [[0.5, 0.5], [0.0, 1.0]], "children": [leaf]}
    solution = solve(Tree.from_nested({"name": "root", "theta": [[0.6, 0.3]], "children": [middle]}))
    assert solution.selfish == (0, 0, 0)
    assert solution.actions == (0, 1, 1)
    assert_allclose(solution.alone, [0.6, 0.5, 0.5], atol=1e-12)
    assert_allclose(solution.margins, [0.3 - 0.6, 0.9 - 0.5, 0.0], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(trees())
def test_leaves_and_those_directly_above_never_keep_less_than_where_nobody_pays(tree: Tree) -> None:
    solution, heights = solve(tree), tree.heights()
    for v, (best, alone, margin) in enumerate(zip(solution.utility, solution.alone, solution.margins, strict=True)):
        assert margin == pytest.approx(best.max() - alone, abs=1e-12)
        if heights[v] <= 2:
            assert margin >= -1e-12
        if heights[v] == 1:
            assert margin == pytest.approx(0.0, abs=1e-12)
