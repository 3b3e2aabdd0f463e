"""How many evaluations workers finish while all are at work: hand-sized, and k workers alike have k times the rate."""

import doctest
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import worker_scaling
from worker_scaling import rate


def at(begin: float, end: float) -> tuple[datetime, datetime]:
    return datetime.fromtimestamp(begin), datetime.fromtimestamp(end)


def test_the_examples_hold() -> None:
    assert doctest.testmod(worker_scaling).failed == 0


@given(
    seconds=st.lists(st.floats(0.1, 100.0), min_size=1, max_size=8),
    workers=st.integers(1, 5),
    late=st.floats(0.0, 50.0),
)
def test_workers_alike_have_as_many_times_the_rate_of_one(seconds: list[float], workers: int, late: float) -> None:
    ends = [sum(seconds[: k + 1]) for k in range(len(seconds))]
    spans = [at(end - took, end) for took, end in zip(seconds, ends, strict=True)]
    one = rate([spans])
    assert one == pytest.approx(len(seconds) / sum(seconds), rel=1e-3)
    assert rate([spans] * workers) == pytest.approx(workers * one)
    first = [
        at(-late - 2.0, -1.0),
        *spans,
        at(ends[-1] + 1.0, ends[-1] + late + 2.0),
    ]  # was there earlier, and stays longer
    assert rate([spans, first]) == pytest.approx(2 * one)


def test_workers_that_never_were_at_work_together_have_no_rate() -> None:
    with pytest.raises(RuntimeError, match="take more evaluations"):
        rate([[at(0, 1)], [at(2, 3)]])
