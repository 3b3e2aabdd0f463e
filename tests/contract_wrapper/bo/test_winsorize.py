from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract_wrapper.bo.candidates.sampling import initial_designs
from contract_wrapper.bo.cpmes import CPMES
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.dimensions import Real
from contract_wrapper.bo.fitting.training_set import outputs_of
from contract_wrapper.bo.fitting.winsorize import compress_margins, winsorize_margins, winsorize_objective
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import DesignSpace, contract_space
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


def column(*values):
    return np.array(values, dtype=float)[:, None]


SPREAD = column(-1e9, -3e7, -1e5, -1e3, -30.0, -2.0, 1.0, 40.0, 1e4, 1e6)


def test_margins_of_several_orders_of_magnitude_are_taken_in_logarithms():
    far = compress_margins(SPREAD, feasible=False)[:, 0]
    np.testing.assert_allclose(far, np.arcsinh(SPREAD[:, 0] / 1.0))  # the smallest of ten is the unit
    near = compress_margins(SPREAD, feasible=True)[:, 0]
    np.testing.assert_allclose(near, np.arcsinh(SPREAD[:, 0] / 1e3))  # then the lower median


def test_margins_of_one_order_of_magnitude_are_winsorised_as_ever():
    margins = np.hstack([column(*np.linspace(-3, 5, 10)), SPREAD, column(*[0.0] * 9, 7.0)])
    both = compress_margins(margins, feasible=True)
    assert both[:, [0, 2]].tolist() == winsorize_margins(margins)[:, [0, 2]].tolist()
    assert both[:, 1].tolist() == compress_margins(SPREAD, feasible=True)[:, 0].tolist()


@given(st.lists(st.floats(-1e60, 1e60), max_size=30), st.booleans())
@example([5e-324, 1.0, 1.0, 1.0, 1e60, 1e60], False)
def test_a_compressed_margin_is_finite_and_good_exactly_when_it_was_and_keeps_its_place(values, feasible):
    found = compress_margins(column(*values), feasible)[:, 0]
    assert np.isfinite(found).all()
    assert (found >= 0).tolist() == [value >= 0 for value in values]
    assert (np.sign(np.subtract.outer(found, found)) * np.sign(np.subtract.outer(values, values)) >= 0).all()


def test_noisy_margins_are_not_compressed_and_those_without_noise_are():
    designs, unit = np.linspace(0, 1, 10)[:, None], np.zeros(10)
    history = History(designs=designs, objective=unit, margins=SPREAD, constraints=("m",))
    assert outputs_of(history)[0][:, 1].tolist() == compress_margins(SPREAD, feasible=True)[:, 0].tolist()
    noisy = replace(history, noisy=True)
    assert outputs_of(noisy)[0][:, 1].tolist() == winsorize_margins(SPREAD)[:, 0].tolist()


def test_an_exponential_constraint_leads_to_where_it_holds():
    """exp(100 x) <= y with y up to 100 holds in a sixtieth of the square's side: winsorised, all its values are one."""
    space = DesignSpace(dimensions=tuple(Real(name=n, low=0.0, high=100.0) for n in ("x", "y", "z")))
    search = CPMES(space, seed=0, constraints=("above",), config=CPMESConfig(n_paths=4))
    for design in space.sample(np.random.default_rng(4), 8):
        search.tell(design, -design[2], [design[1] - np.exp(design[0])])
    assert not search.history.feasible().any()
    for _ in range(10):
        (pick,) = search.ask()
        search.tell(pick.design, -pick.design[2], [pick.design[1] - np.exp(pick.design[0])])
    assert search.history.feasible().any()


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
