import dataclasses

import numpy as np
import pytest

from contract_wrapper import Integer, Real
from contract_wrapper.errors import ContractsError


def test_a_grid_is_counted_and_its_values_read_as_they_were_written():
    tax = Real(name="tax", low=0, high=1, step=0.01)
    assert tax.count == 101
    assert tax.values(np.array([0.0, 7.0, 29.0, 100.0])).tolist() == [0.0, 0.07, 0.29, 1.0]
    cleaners = Integer(name="cleaners", low=1, high=5)
    assert cleaners.count == 5
    assert cleaners.values(np.array([0.0, 4.0])).tolist() == [1.0, 5.0]


@pytest.mark.parametrize(
    "dimension", [Real(name="x", low=-0.3, high=1.2, step=0.05), Integer(name="n", low=-7, high=30)], ids=repr
)
def test_the_index_of_a_value_is_where_it_stands(dimension):
    places = np.arange(dimension.count, dtype=float)
    np.testing.assert_allclose(dimension.index(dimension.values(places)), places, atol=1e-9)


def test_a_continuous_dimension_is_not_counted_and_equal_bounds_are_one_value():
    assert Real(name="x", low=0.0, high=1.0).count is None
    assert Real(name="x", low=1e-4, high=1.0, log=True).count is None
    for fixed in (Real(name="x", low=0.3, high=0.3), Real(name="x", low=0.3, high=0.3, step=0.1)):
        assert fixed.count == 1
        assert fixed.values(np.zeros(1)).tolist() == [0.3]
    assert Integer(name="n", low=3, high=3).count == 1


def test_bounds_become_python_numbers_so_that_equal_dimensions_are_equal():
    assert Real(name="x", low=0, high=np.float64(1)) == Real(name="x", low=0.0, high=1.0)
    assert type(Real(name="x", low=0, high=1).low) is float
    assert type(Integer(name="n", low=np.int64(1), high=5).low) is int
    assert hash(Integer(name="n", low=1, high=5)) == hash(Integer(name="n", low=np.int64(1), high=5))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Integer(name="n", low=1, high=5).low = 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Real(name="a", low=1.0, high=0.0), "Real 'a' needs low <= high, but got low=1 and high=0"),
        (lambda: Integer(name="a", low=5, high=1), "Integer 'a' needs low <= high"),
        (
            lambda: Real(name="a", low=0.0, high=float("inf")),
            "finite number of at most 1e.60 in size as high, but got inf",
        ),
        (lambda: Real(name="a", low="0", high=1.0), "finite number of at most 1e.60 in size as low, but got '0'"),
        (lambda: Real(name="a", low=0.0, high=True), "finite number of at most 1e.60 in size as high, but got True"),
        (lambda: Integer(name="a", low=0, high=2.5), "got high=2.5: use Real"),
        (lambda: Integer(name="a", low=False, high=5), "got low=False"),
        (lambda: Integer(name="a", low=0, high=2**53 + 1), "2\\*\\*53"),
        (lambda: Real(name="a", low=0.0, high=1.0, step=0.3), "a whole number of times .* got step=0.3"),
        (lambda: Real(name="a", low=0.0, high=1.0, step=0.0), "a step of at least 1e-08 .* got step=0"),
        (lambda: Real(name="a", low=0.0, high=1.0, step=1e-9), "a step of at least 1e-08 .* got step=1e-09"),
        (lambda: Real(name="a", low=0.0, high=1.0, step=1e9), "a whole number of times"),
        (lambda: Real(name="a", low=0.1, high=1.0, step=0.1, log=True), "step=0.1 and log=True"),
        (lambda: Real(name="a", low=0.0, high=1.0, log=True), "needs low > 0, but got low=0"),
        (lambda: Integer(name="a", low=0, high=9, log=True), "needs low > 0, but got low=0"),
        (lambda: Real(name="", low=0.0, high=1.0), "needs a name, but got ''"),
        (lambda: Integer(name=None, low=0, high=1), "needs a name, but got None"),
    ],
)
def test_what_is_wrong_with_a_dimension_is_said_at_birth(make, message):
    with pytest.raises(ContractsError, match=message):
        make()
