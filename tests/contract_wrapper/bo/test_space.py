import numpy as np
import pytest
from skopt.space import Categorical, Integer, Real

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
    space = DesignSpace(dimensions=(Real(1e-4, 1.0, prior="log-uniform", name="rate"), Integer(1, 3, name="n")))
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
    ("dimensions", "steps", "message"),
    [
        ((Real(0, 1, name="a"),), {"a": 0.3}, "whole number of times"),
        ((Real(0, 1, name="a"),), {"b": 0.1}, "dimensions are"),
        ((Real(0, 1, name="a"), Real(0, 1, name="a")), {}, "name of its own"),
        ((Real(0, 1),), {}, "name of its own"),
        ((Categorical(["x", "y"], name="a"),), {}, "no distance is known"),
        ((Integer(0, 3, name="a"),), {"a": 1}, "no Real dimension"),
        ((), {}, "no dimensions"),
    ],
)
def test_what_is_wrong_with_a_space_is_said(dimensions, steps, message):
    with pytest.raises(ContractsError, match=message):
        DesignSpace(dimensions=dimensions, steps=steps)


def test_a_design_of_another_length_is_refused():
    with pytest.raises(ContractsError, match=r"\(n, 2\)"):
        contract_space().to_unit([[0.1, 2, 3]])


def test_whole_numbers_on_a_log_scale_are_even_in_orders_of_magnitude():
    space = DesignSpace(dimensions=(Integer(1, 100, prior="log-uniform", name="width"),))
    np.testing.assert_allclose(space.to_unit([[1.0], [10.0], [100.0]]), [[0.0], [0.5], [1.0]])
    assert space.from_unit([[0.0], [0.5], [0.51], [1.0]]).tolist() == [[1.0], [10.0], [10.0], [100.0]]
    drawn = space.sample(np.random.default_rng(0), 1000)[:, 0]
    assert abs((drawn <= 10).sum() - 511) < 60  # up to 10.5: log10(10.5) / 2 of all
    assert (drawn == np.rint(drawn)).all()
