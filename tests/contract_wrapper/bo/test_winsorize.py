import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_wrapper.bo.fitting.winsorize import winsorize_margins, winsorize_objective
from contract_wrapper.bo.sampling import initial_designs
from contract_wrapper.bo.space import contract_space
from contract_wrapper.bo.surrogates import fit_output

VALUES = st.lists(st.integers(-1000, 1000), max_size=30).map(lambda v: np.array(v, dtype=float))


def test_one_disaster_is_lifted_and_stays_the_worst():
    assert winsorize_objective(np.array([-500.0, 150.0, 150.0, 250.0])).tolist() == [125.0, 150.0, 150.0, 250.0]


def test_a_region_of_bad_values_is_no_outlier():
    cliff = np.array([150.0, 150.0, 550.0, 550.0])
    assert winsorize_objective(cliff).tolist() == cliff.tolist()


def test_the_only_bad_value_among_equal_ones_is_left():
    assert winsorize_objective(np.array([-500.0, 0.0, 0.0])).tolist() == [-500.0, 0.0, 0.0]


@given(VALUES)
def test_the_order_of_the_values_and_the_upper_half_are_kept(values):
    lifted = winsorize_objective(values)
    assert (lifted >= values).all()
    assert (np.sign(np.subtract.outer(lifted, lifted)) * np.sign(np.subtract.outer(values, values)) >= 0).all()
    if len(values):
        good = values >= np.median(values)
        assert lifted[good].tolist() == values[good].tolist()


def test_a_huge_margin_keeps_its_side_only():
    assert winsorize_margins(np.array([[-1.0], [0.0], [1.0], [500.0]])).tolist() == [[-1.0], [0.0], [1.0], [2.0]]
    assert winsorize_margins(np.array([[-1.0], [0.0], [1.0], [-500.0]])).tolist() == [[-1.0], [0.0], [1.0], [-2.0]]


def test_the_only_margin_that_is_not_zero_is_left():
    assert winsorize_margins(np.array([[0.0, 0.5], [0.0, -0.5], [5.0, 0.5]])).tolist() == [
        [0.0, 0.5],
        [0.0, -0.5],
        [5.0, 0.5],
    ]


@given(VALUES)
def test_a_clipped_margin_is_good_exactly_when_it_was(values):
    assert np.sign(winsorize_margins(values[:, None])[:, 0]).tolist() == np.sign(values).tolist()


def test_no_results_at_all_are_no_obstacle():
    assert winsorize_objective(np.empty(0)).shape == (0,)
    assert winsorize_margins(np.empty((0, 6))).shape == (0, 6)
    assert winsorize_margins(np.empty((4, 0))).shape == (4, 0)


@pytest.mark.parametrize("seed", range(3))
def test_a_disaster_hardly_harms_the_fit_elsewhere(seed):
    space = contract_space()

    def hill(designs):
        return 150 + 410 * np.exp(-(((designs[:, 0] - 0.4) / 0.25) ** 2)) * designs[:, 1] / 5

    known = initial_designs(space, 20, np.random.default_rng(seed))
    elsewhere = space.grid()[space.grid()[:, 0] < 0.8]
    values = hill(known)
    values[3] = -500.0  # tax 1 with 5 cleaners

    def miss(outputs):
        mean, _ = fit_output(space.to_unit(known), outputs).predict(space.to_unit(elsewhere))
        return np.sqrt(np.mean((mean - hill(elsewhere)) ** 2))

    assert 2 * miss(winsorize_objective(values)) < miss(values)
