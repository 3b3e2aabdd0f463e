"""Contracts compared by what the same trainings make of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.compare import best, difference, indistinguishable, settled_from, tie_break

ALL = np.ones(3, np.bool_)


def test_the_best_is_so_in_the_mean_and_among_those_that_compete() -> None:
    values = [[1.0, 5.0, 3.0], [1.0, 0.0, 3.0]]
    assert best(values, ALL) == 2
    assert best(values, np.array([True, True, False])) == 1


def test_what_trainings_share_cancels_in_a_difference() -> None:
    found = difference([10.0, 20.0, 30.0], [9.0, 19.0, 29.0], [1.0] * 3, [1.0] * 3)
    assert (found.mean, found.low, found.high) == (1.0, 1.0, 1.0)
    assert (found.unit, found.n_trainings) == ("trainings", 3)


def test_one_training_is_compared_by_the_errors_of_its_episodes() -> None:
    found = difference([10.0], [9.0], [0.3], [0.4])
    assert (found.unit, found.se) == ("episodes", pytest.approx(0.5))
    assert found.low == pytest.approx(1.0 - 1.96 * 0.5, abs=1e-3)


def test_a_contract_is_told_from_the_best_if_all_trainings_agree() -> None:
    shared = np.array([[0.0], [50.0], [-50.0], [20.0]])
    values = shared + np.array([10.0, 9.0, 3.0]) + 0.1 * np.array([[1, -1, 0], [0, 1, -1], [-1, 0, 1], [1, -1, 0]])
    assert indistinguishable(values, np.ones_like(values), ALL).tolist() == [True, False, False]
    loose = values + 5 * np.array([[1, -1, 0], [0, 1, -1], [-1, 0, 1], [1, -1, 0]])
    assert indistinguishable(loose, np.ones_like(values), ALL).tolist() == [True, True, True]


def test_one_training_tells_contracts_apart_by_its_episodes() -> None:
    values, errors = np.array([[10.0, 9.0, 3.0]]), np.array([[1.0, 1.0, 1.0]])
    assert indistinguishable(values, errors, ALL).tolist() == [True, True, False]


def test_what_does_not_compete_is_not_in_the_set_and_tells_nobody_apart() -> None:
    values, errors = np.array([[10.0, 100.0, 9.0]]), np.ones((1, 3))
    assert indistinguishable(values, errors, np.array([True, False, True])).tolist() == [True, False, True]


def test_the_set_holds_the_truly_best_as_often_as_it_says() -> None:
    rng, held, sizes = np.random.default_rng(5), 0, []
    truth = np.array([10.0, 10.0, 9.5, 9.0, 5.0, 0.0])
    for _ in range(1_000):
        values = truth + 30.0 * rng.normal(size=(5, 1)) + rng.normal(size=(5, 6))
        kept = indistinguishable(values, values * 0.0, np.ones(6, np.bool_))
        held += bool(kept[0])
        sizes.append(kept.sum())
    assert held >= 950
    assert 2.0 < np.mean(sizes) < 4.5  # the two last are found out, though trainings differ by 30


@given(st.integers(0, 999), st.permutations(range(4)), st.integers(1, 5))
def test_the_best_is_in_the_set_and_the_order_of_trainings_does_not_matter(seed: int, order: list[int], n: int) -> None:
    rng = np.random.default_rng(seed)
    values, errors, among = rng.normal(size=(4, 5)), rng.random((4, 5)), np.arange(5) < n
    kept = indistinguishable(values, errors, among)
    assert kept[best(values, among)]
    assert not kept[~among].any()
    np.testing.assert_array_equal(kept, indistinguishable(values[order], errors[order], among))


@given(st.integers(0, 999), st.lists(st.integers(-1000, 1000), min_size=4, max_size=4))
def test_apples_that_a_training_gives_to_all_contracts_change_nothing(seed: int, apples: list[int]) -> None:
    rng = np.random.default_rng(seed)
    values, errors, among = rng.normal(size=(4, 5)), rng.random((4, 5)), np.ones(5, np.bool_)
    moved = values + np.array(apples)[:, None]
    np.testing.assert_array_equal(indistinguishable(values, errors, among), indistinguishable(moved, errors, among))


def test_ties_are_broken_by_the_rule_and_then_by_value() -> None:
    tax, crew, worst = [0.3, 0.1, 0.1], [1, 2, 3], [5.0, 9.0, 1.0]
    values = [[1.0, 2.0, 3.0]]
    choose = {
        rule: tie_break(rule, ALL, tax, crew, worst, values) for rule in ("lowest tax", "smallest crew", "fairest")
    }
    assert choose == {"lowest tax": 2, "smallest crew": 0, "fairest": 1}
    assert tie_break("lowest tax", np.array([True, False, False]), tax, crew, worst, values) == 0


def test_something_settles_at_the_tax_after_which_it_always_holds() -> None:
    tax = [0.1, 0.2, 0.3]
    assert settled_from(tax, [True, True, True]) == 0.1
    assert settled_from(tax, [True, False, True]) == 0.3
    assert settled_from(tax, [True, True, False]) == math.inf


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda: best([[1.0]], np.array([False])), "the mask is empty"),
        (lambda: best([[1.0]], [1]), "mask of bools"),
        (lambda: best([1.0], ALL), r"got \(1,\)"),
        (lambda: tie_break("highest", ALL, [], [], [], [[1.0, 1.0, 1.0]]), "lowest tax, smallest crew, fairest"),  # type: ignore[arg-type]
    ],
)
def test_mistakes_are_named(mistake, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ContractsError, match=words):
        mistake()
