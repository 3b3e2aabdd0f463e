"""Trainings from scratch against a conditioned crew."""

import math

import numpy as np
import pytest

from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.reachable import reachable


def test_trainings_that_come_near_enough_reach_the_crew() -> None:
    found = reachable([97.0, 98.0, 99.0], 100.0)
    assert (found.excess, found.as_measured, found.verdict) == (3.0, True, "reachable")
    assert found.lower == pytest.approx(3.0 - 2.920 / math.sqrt(3), abs=1e-3)  # t of 0.95 with 2 degrees
    assert str(found) == "reachable: 98.00 from 3 trainings from scratch, 98% of the crew's 100.00"


def test_trainings_that_stay_away_do_not_and_wide_ones_decide_nothing() -> None:
    assert reachable([80.0, 81.0, 82.0], 100.0).verdict == "not reachable"
    wide = reachable([80.0, 112.0], 100.0)
    assert (wide.as_measured, wide.verdict) == (True, "undecided")


def test_the_luckiest_training_does_not_decide() -> None:
    assert not reachable([100.0, 50.0, 50.0], 100.0).as_measured


def test_a_single_training_from_scratch_decides_nothing() -> None:
    found = reachable(120.0, [100.0, 101.0])
    assert (found.as_measured, found.verdict) == (True, "undecided")


def test_the_crews_own_spread_widens_the_bounds() -> None:
    known, spread = reachable([97.0, 98.0, 99.0], 100.0), reachable([97.0, 98.0, 99.0], [90.0, 100.0, 110.0])
    assert known.excess == pytest.approx(spread.excess)
    assert spread.lower < known.lower


def test_equal_trainings_need_no_bounds() -> None:
    assert reachable([96.0, 96.0], 100.0).verdict == "reachable"
    assert reachable([94.0, 94.0], 100.0).verdict == "not reachable"


def test_a_wrong_verdict_is_as_rare_as_it_says() -> None:
    rng = np.random.default_rng(1)
    scratch, crew = rng.normal(95.0, 3.0, (2_000, 4)), rng.normal(100.0, 1.0, (2_000, 5))  # exactly on the border
    verdicts = [reachable(s, c).verdict for s, c in zip(scratch, crew, strict=True)]
    assert 0.03 < verdicts.count("reachable") / 2_000 < 0.07
    assert 0.03 < verdicts.count("not reachable") / 2_000 < 0.07


@pytest.mark.parametrize(("scratch", "crew"), [([], 1.0), ([1.0], math.nan), ([[1.0]], 1.0)])
def test_what_is_no_welfare_is_named(scratch: object, crew: object) -> None:
    with pytest.raises(ContractsError, match="at least one training, all finite"):
        reachable(scratch, crew)  # type: ignore[arg-type]
