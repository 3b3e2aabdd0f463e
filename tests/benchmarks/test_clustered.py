"""Intervals over instances, by examples that are computed by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimiser_bench.clustered import interval, plus_minus, share, unit_means

T1 = 12.7062  # Student's t with one degree of freedom, 97.5 %


def test_the_runs_of_an_instance_are_averaged_first():
    assert unit_means([[1, 10], [8, 0], [3, 20]], ["a", "b", "a"]).tolist() == [[2, 15], [8, 0]]


def test_an_interval_is_students_over_the_instances():
    found = interval([0.0, 2.0, 3.0, 3.0], ["a", "a", "b", "b"])  # of 1 and 3: standard error 1
    assert (found.mean, found.units) == (2.0, 2)
    assert found.half == pytest.approx(T1, rel=1e-4)


def test_with_one_run_each_it_is_students_over_runs():
    assert interval([1.0, 2.0, 3.0], range(3)).half == pytest.approx(4.3027 / math.sqrt(3), rel=1e-4)


def test_every_instance_has_the_same_weight():
    assert interval([0.0, 0.0, 0.0, 4.0], ["a", "a", "a", "b"]).mean == 2.0


def test_one_instance_bounds_nothing_and_equal_ones_tell_nothing_of_others():
    assert interval([1.0, 2.0, 3.0], ["a"] * 3).half == math.inf
    assert math.isnan(interval([0.0] * 6, "aabbcc").half)
    assert math.isnan(interval([1.0, 3.0, 2.0, 2.0], "aabb").half)  # equal by luck
    assert math.isnan(interval([], []).mean)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.floats(-1e3, 1e3)), min_size=2, max_size=20),
    st.integers(2, 4),
    st.booleans(),
)
def test_the_same_runs_again_narrow_nothing(runs, times, flags):
    units, values = zip(*(runs * times), strict=True)
    once = slice(0, len(runs))
    if flags:
        values = [value > 0 for value in values]
        again, found = share(values, units), share(values[once], units[once])
        assert (again.share, again.low, again.high) == pytest.approx((found.share, found.low, found.high), abs=1e-9)
    else:
        again, found = interval(values, units), interval(values[once], units[once])
        assert again.mean == pytest.approx(found.mean, abs=1e-9)
        both = np.nan_to_num([again.half, found.half], posinf=-1.0)
        assert both[0] == pytest.approx(both[1], abs=1e-6)


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.data())
def test_a_share_lies_in_its_interval_which_is_never_a_point(flags, data):
    units = data.draw(st.lists(st.integers(0, 5), min_size=len(flags), max_size=len(flags)))
    found = share(flags, units)
    assert 0.0 <= found.low <= found.share <= found.high <= 1.0
    assert found.high - found.low > 0.2  # six units at most


def test_all_solved_on_ten_instances_allows_what_ten_trials_allow():
    flags, instances = [True] * 50, [k // 5 for k in range(50)]
    found = share(flags, instances)
    assert (found.share, found.high, found.units) == (1.0, 1.0, 10)
    assert found.low == pytest.approx(0.025**0.1)  # the share at which ten in ten have a chance of 2.5 %
    assert share(np.logical_not(flags), instances).high == pytest.approx(1 - 0.025**0.1)
    assert share(flags, range(50)).low == pytest.approx(0.025**0.02)  # had they been 50 instances


def test_two_instances_of_which_one_is_solved():
    found = share([True, True, False, False], "aabb")  # one success in two trials: ends 1 - sqrt(.975) and sqrt(.975)
    assert (found.low, found.high) == pytest.approx((1 - math.sqrt(0.975), math.sqrt(0.975)))


@pytest.mark.parametrize("likeness", [0.01, 0.3, 0.99])
@pytest.mark.parametrize("truth", [0.05, 0.5, 0.9])
def test_the_interval_of_a_share_holds_however_alike_the_runs_of_an_instance_are(truth, likeness):
    rng, scale = np.random.default_rng(0), 1.0 / likeness - 1.0
    held = 0
    for _ in range(300):
        chances = rng.beta(truth * scale, (1.0 - truth) * scale, 10)
        found = share((rng.random((5, 10)) < chances).ravel(), [k % 10 for k in range(50)])
        held += found.low <= truth <= found.high
    assert held >= 0.93 * 300


def test_the_interval_of_a_mean_holds_where_that_over_runs_does_not():
    rng = np.random.default_rng(0)
    instances = [k % 10 for k in range(50)]
    held = np.zeros(2)
    for _ in range(300):
        values = (rng.normal(size=10) + rng.normal(size=(5, 10))).ravel()
        for k, found in enumerate((interval(values, instances), interval(values, range(50)))):
            held[k] += abs(found.mean) <= found.half
    assert held[0] >= 0.93 * 300 > 0.8 * 300 > held[1]


def test_half_an_interval_is_never_written_as_0():
    assert plus_minus(412.3, 295.2, ".0f") == "412 ± 295"
    assert plus_minus(0.123, 0.278, ".0f") == "0.1 ± 0.3"
    assert plus_minus(0.0, math.nan, ".0f") == "0 in all"
    assert plus_minus(0.0, 0.0, ".0f") == "0 ± 0"  # what is 0 by definition
