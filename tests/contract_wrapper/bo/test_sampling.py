import numpy as np
import pytest

from contract_wrapper.bo.candidates.sampling import initial_designs
from contract_wrapper.bo.dimensions import Real
from contract_wrapper.bo.space import DesignSpace, contract_space
from contract_wrapper.errors import ContractsError


def test_the_corners_come_first_and_no_design_twice():
    designs = initial_designs(contract_space(), 10, np.random.default_rng(0))
    assert designs[:4].tolist() == [[0, 1], [0, 5], [1, 1], [1, 5]]
    assert designs.shape == (10, 2)
    assert len({tuple(row) for row in designs}) == 10


def test_the_same_generator_gives_the_same_designs():
    first, second = (initial_designs(contract_space(), 8, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, second)


def test_fewer_designs_than_corners_are_the_first_corners():
    assert initial_designs(contract_space(), 2, np.random.default_rng(0)).tolist() == [[0, 1], [0, 5]]


def test_a_whole_small_space_is_given_once():
    space = contract_space(max_cleaners=2, step=0.5)
    designs = initial_designs(space, 6, np.random.default_rng(0))
    assert set(space.keys(designs)) == set(space.keys(space.grid()))
    with pytest.raises(ContractsError, match="the space has 6"):
        initial_designs(space, 7, np.random.default_rng(0))


def test_a_continuous_space_is_sampled():
    space = DesignSpace(dimensions=(Real(name="a", low=0.0, high=1.0), Real(name="b", low=0.0, high=2.0)))
    designs = initial_designs(space, 7, np.random.default_rng(0))
    assert designs.shape == (7, 2)
    assert all(space.contains(row) for row in designs)
