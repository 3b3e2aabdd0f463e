import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import skopt.space

from contract_wrapper.bo.dimensions import Integer, Real
from contract_wrapper.bo.space import DesignSpace, contract_space
from contract_wrapper.errors import ContractsError


def test_the_contract_space_has_505_designs_with_exact_decimals():
    grid = contract_space().grid()
    assert grid is not None
    assert grid.shape == (505, 2)
    assert grid[:, 0].tolist() == [float(f"{k / 100:.2f}") for k in range(101) for _ in range(5)]
    assert grid[:5, 1].tolist() == [1, 2, 3, 4, 5]


def test_unit_cube_and_back_returns_every_design():
    space = contract_space()
    grid = space.grid()
    assert np.array_equal(space.from_unit(space.to_unit(grid)), grid)


def test_the_status_quo_is_known_but_not_a_candidate():
    space = contract_space()
    assert space.to_unit([[0.0, 0]]).tolist() == [[0.0, -0.25]]
    assert not space.contains([0.0, 0])
    assert space.contains([0.07, 3])
    assert not space.contains([0.075, 3])


def test_points_between_designs_snap_to_the_nearest_and_those_outside_are_clipped():
    space = contract_space()
    assert space.from_unit([[0.074, 0.4], [1.7, -3.0]]).tolist() == [[0.07, 3.0], [1.0, 1.0]]


def test_samples_are_designs_and_reach_every_value_equally():
    space = contract_space(step=0.25)
    drawn = space.sample(np.random.default_rng(0), 5000)
    assert all(space.contains(row) for row in drawn[:50])
    for column, values in ((0, 5), (1, 5)):
        _, counts = np.unique(drawn[:, column], return_counts=True)
        assert len(counts) == values
        assert abs(counts / 5000 - 0.2).max() < 0.03


def test_corners_and_python_numbers():
    space = contract_space()
    assert space.corners().tolist() == [[0, 1], [0, 5], [1, 1], [1, 5]]
    design = space.as_design([0.07, 3.0])
    assert design == (0.07, 3)
    assert [type(v) for v in design] == [float, int]


def test_one_crew_size_is_a_fixed_dimension():
    space = contract_space(max_cleaners=2, min_cleaners=2)
    assert space.grid().shape == (101, 2)
    assert space.corners().tolist() == [[0, 2], [1, 2]]
    assert np.array_equal(space.from_unit(space.to_unit([[0.3, 2]])), [[0.3, 2]])
    assert space.as_design([0.3, 2.0]) == (0.3, 2)


def test_a_continuous_dimension_has_no_grid_and_a_log_one_is_even_in_orders_of_magnitude():
    space = DesignSpace(dimensions=(Real(name="rate", low=1e-4, high=1.0, log=True), Integer(name="n", low=1, high=3)))
    assert space.grid() is None
    assert space.counts == (None, 3)
    np.testing.assert_allclose(space.to_unit([[1e-2, 2]]), [[0.5, 0.5]])
    np.testing.assert_allclose(space.from_unit([[0.5, 0.5]]), [[1e-2, 2]])
    assert all(space.contains(row) for row in space.from_unit([[0, 0], [1, 1]]))


def test_a_grid_above_the_limit_is_not_enumerated():
    assert contract_space().grid(limit=504) is None


def test_keys_forgive_rounding_only():
    space = contract_space()
    assert space.keys([[0.07, 3]]) == space.keys([[7 * 0.01, 3]])
    assert space.keys([[0.07, 3]]) != space.keys([[0.08, 3]])


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        ((), "no dimensions"),
        ((Real(name="a", low=0, high=1), Integer(name="a", low=0, high=1)), r"different names, but got \('a', 'a'\)"),
        ((skopt.space.Real(0, 1, name="a"),), "from_skopt"),
    ],
)
def test_what_is_wrong_with_a_space_is_said(dimensions, message):
    with pytest.raises(ContractsError, match=message):
        DesignSpace(dimensions=dimensions)


def test_a_contract_space_without_a_crew_size_is_refused():
    for bounds in ({"max_cleaners": 1, "min_cleaners": 2}, {"max_cleaners": 2, "min_cleaners": -1}):
        with pytest.raises(ContractsError, match="0 <= min_cleaners <= max_cleaners"):
            contract_space(**bounds)


def test_a_large_range_is_never_enumerated():
    tracemalloc.start()
    space = DesignSpace(dimensions=(Integer(name="n", low=0, high=10**7), Real(name="x", low=0.0, high=1.0, step=1e-7)))
    assert space.counts == (10**7 + 1, 10**7 + 1)
    assert space.grid() is None
    drawn = space.sample(np.random.default_rng(0), 8)
    assert np.array_equal(space.from_unit(space.to_unit(drawn)), drawn)
    assert all(space.contains(row) for row in drawn)
    assert not space.contains(drawn[0] + [0, 5e-8])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e6  # one column of the grid would be 80 MB


def test_equal_spaces_are_equal_and_their_dimensions_a_tuple():
    listed = DesignSpace(dimensions=list(contract_space().dimensions))
    assert listed == contract_space()
    assert hash(listed) == hash(contract_space())
    assert listed != contract_space(step=0.02)


def test_a_fixed_number_on_a_logarithmic_scale_is_the_origin():
    space = DesignSpace(dimensions=(Real(name="rate", low=0.3, high=0.3, log=True),))
    assert space.to_unit([[0.3]]).tolist() == [[0.0]]
    assert space.from_unit([[0.0], [1.0]]).tolist() == [[0.3], [0.3]]


def test_a_design_of_another_length_is_refused():
    with pytest.raises(ContractsError, match=r"\(n, 2\)"):
        contract_space().to_unit([[0.1, 2, 3]])


def test_whole_numbers_on_a_log_scale_are_even_in_orders_of_magnitude():
    space = DesignSpace(dimensions=(Integer(name="width", low=1, high=100, log=True),))
    np.testing.assert_allclose(space.to_unit([[1.0], [10.0], [100.0]]), [[0.0], [0.5], [1.0]])
    assert space.from_unit([[0.0], [0.5], [0.51], [1.0]]).tolist() == [[1.0], [10.0], [10.0], [100.0]]
    drawn = space.sample(np.random.default_rng(0), 1000)[:, 0]
    assert abs((drawn <= 10).sum() - 511) < 60  # up to 10.5: log10(10.5) / 2 of all
    assert (drawn == np.rint(drawn)).all()


def test_the_search_runs_where_scikit_optimize_is_not_installed():
    code = """
import sys
sys.modules["skopt"] = None  # an import of it raises ImportError
from contract_wrapper import CPMES, contract_space
search = CPMES(contract_space(), seed=0)
for value in (1.0, 2.0, 4.0):
    search.tell(search.ask()[0].design, value)
assert search.ask()[0].probability_feasible == 1.0
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("log", [None, 1, "yes", np.array([True, False])])
def test_a_scale_that_is_neither_true_nor_false_is_refused(log):
    for dimension in (Real, Integer):
        with pytest.raises(ContractsError, match="log must be True or False"):
            dimension(name="x", low=1, high=2, log=log)
