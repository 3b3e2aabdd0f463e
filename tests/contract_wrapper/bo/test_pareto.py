import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contract_wrapper.bo.candidates.pareto import pareto_front_grid, pareto_front_nsga2, pareto_mask
from contract_wrapper.bo.dimensions import Integer, Real
from contract_wrapper.bo.space import DesignSpace, contract_space
from contract_wrapper.errors import ContractsError


def dominated(row, others):
    return any((other >= row).all() and (other > row).any() for other in others)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda k: arrays(np.float64, st.tuples(st.integers(0, 25), st.just(k)), elements=st.integers(-3, 3))
    )
)
def test_the_mask_is_that_of_comparing_every_pair(values):
    assert pareto_mask(values).tolist() == [not dominated(row, values) for row in values]


def test_infinite_objectives_are_ranked_and_nan_is_refused():
    assert pareto_mask([[-np.inf, 1.0], [0.0, 1.0], [-np.inf, 2.0]]).tolist() == [False, True, True]
    with pytest.raises(ContractsError, match="NaN"):
        pareto_mask([[np.nan, 1.0]])


def conflict(designs):
    """Two hills: the front runs between their tops, (0.2, 2) and (0.8, 4)."""
    tops = np.array([[0.2, 2], [0.8, 4]])
    gaps = (designs[:, None] - tops) / np.array([1.0, 4.0])
    return -(gaps**2).sum(axis=2)


def test_nsga2_finds_the_front_that_enumeration_finds():
    tax, cleaners = Real(name="tax", low=0.0, high=1.0), Integer(name="cleaners", low=1, high=5)
    fine = contract_space()
    front, values = pareto_front_grid(fine.grid(), conflict)
    found, found_values = pareto_front_nsga2(fine, conflict, seed=1, pop=40, gens=40)
    assert set(fine.keys(found)) <= set(fine.keys(front))
    assert len(found) == min(len(front), 40)
    np.testing.assert_allclose(found_values.max(axis=0), values.max(axis=0), atol=1e-3)
    # a continuous tax: every design of the grid's front has one that is as good within a step
    mixed, mixed_values = pareto_front_nsga2(DesignSpace(dimensions=(tax, cleaners)), conflict, 1, pop=80, gens=60)
    assert set(mixed[:, 1]) <= {2.0, 3.0, 4.0}
    assert (np.abs(mixed_values[None] - values[:, None]).max(axis=2).min(axis=1) < 0.03).all()


def test_nsga2_repeats_itself_with_the_same_seed():
    space = DesignSpace(dimensions=(Real(name="tax", low=0.0, high=1.0), Integer(name="cleaners", low=1, high=5)))
    first, _ = pareto_front_nsga2(space, conflict, seed=3, pop=20, gens=5)
    second, _ = pareto_front_nsga2(space, conflict, seed=3, pop=20, gens=5)
    assert np.array_equal(first, second)
