"""Means with bounds over trainings, or over episodes where there is one training."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.bounds import interval, quantile, simultaneous


def test_two_trainings_are_bounded_by_students_t_with_one_degree_of_freedom() -> None:
    found = simultaneous([[[1.0]], [[3.0]]], [[[9.0]], [[9.0]]])
    assert (found.mean.item(), found.se.item(), found.unit) == (2.0, 1.0, "trainings")
    assert found.lower.item() == pytest.approx(2.0 - 6.314, abs=1e-3)  # a table's t of 0.95 with 1 degree
    assert found.upper.item() == pytest.approx(2.0 + 6.314, abs=1e-3)


def test_one_training_is_bounded_by_the_errors_of_its_episodes() -> None:
    found = simultaneous([[[1.0]]], [[[0.5]]])
    assert found.unit == "episodes"
    assert found.lower.item() == pytest.approx(1.0 - 1.645 * 0.5, abs=1e-3)


def test_errors_over_episodes_of_two_trainings_add_as_independent_ones() -> None:
    assert interval([1.0, 2.0], [0.6, 0.8], unit="episodes").se == pytest.approx(0.5)


def test_each_row_counts_only_the_margins_that_it_has() -> None:
    nan = math.nan
    found = simultaneous([[[0.0, 0.0], [0.0, nan]]], [[[1.0, 1.0], [1.0, nan]]])
    assert -found.lower[0, 0] == pytest.approx(1.96, abs=0.001)  # 0.975: two margins
    assert -found.lower[1, 0] == pytest.approx(1.645, abs=0.001)  # 0.95: one margin
    assert np.isnan(found.lower[1, 1])


def test_an_interval_of_one_training_without_errors_is_infinite() -> None:
    assert interval([2.0]).high == math.inf
    assert interval([2.0]).low == -math.inf


def test_an_interval_says_over_what_it_is() -> None:
    assert str(interval([1.0, 3.0])) == "2.00 (-10.71 to 14.71, 95% interval over 2 trainings)"
    assert str(interval([1.0], [0.0])) == "1.00 (1.00 to 1.00, 95% interval over episodes of 1 training)"


@pytest.mark.parametrize(("seeds", "unit"), [(5, None), (3, None), (1, None), (4, "episodes")])
def test_bounds_of_all_margins_hold_together_as_often_as_they_say(seeds: int, unit: None) -> None:
    rng = np.random.default_rng(3)
    truth, n = np.array([0.0, 5.0, -2.0, 1.0]), 4_000
    shared = 0.0 if unit == "episodes" else rng.normal(size=(seeds, n, 1))  # margins of one training go together
    values = truth + shared + rng.normal(size=(seeds, n, 4))
    if seeds == 1:
        values = truth + rng.normal(size=(1, n, 4))
    found = simultaneous(values, np.ones_like(values), unit=unit)
    below = float((found.lower <= truth).all(axis=1).mean())
    assert 0.944 <= below <= 0.985  # at least 0.95 but for the luck of 4,000 draws; Bonferroni is not much above it
    assert abs(below - float((found.upper >= truth).all(axis=1).mean())) < 0.015


@given(st.permutations(range(5)), st.integers(0, 99))
def test_the_order_of_the_trainings_changes_nothing(order: list[int], seed: int) -> None:
    values, errors = np.random.default_rng(seed).random((2, 5, 3, 4))
    one, other = simultaneous(values, errors), simultaneous(values[order], errors[order])
    np.testing.assert_allclose(one.lower, other.lower)
    np.testing.assert_allclose(one.upper, other.upper)


@given(st.floats(-1e3, 1e3), st.integers(0, 99))
def test_apples_for_all_shift_the_bounds_by_as_many(apples: float, seed: int) -> None:
    values, errors = np.random.default_rng(seed).random((2, 3, 2, 4))
    np.testing.assert_allclose(
        simultaneous(values + apples, errors).lower, simultaneous(values, errors).lower + apples, atol=1e-8
    )


def test_quantiles_are_those_of_the_tables() -> None:
    assert float(quantile(0.975, 5, "trainings")) == pytest.approx(2.776, abs=1e-3)
    assert float(quantile(0.975, 5, "episodes")) == pytest.approx(1.960, abs=1e-3)


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda: simultaneous([1.0], [1.0]), "shape"),
        (lambda: interval([]), "at least one number"),
        (lambda: interval([1.0], [1.0, 2.0]), "one error per training"),
        (lambda: interval([1.0], unit="trainings"), "add seeds"),
        (lambda: interval([1.0], unit="years"), "'trainings' or 'episodes'"),  # type: ignore[arg-type]
        (lambda: interval([1.0, 2.0], confidence=95), "0.5 to below 1.*got 95"),
    ],
)
def test_mistakes_are_named(mistake, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ContractsError, match=words):
        mistake()
