"""Gains pooled over neighbouring taxes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_wrapper.landscapes.building.pooling import pooled_gains

TAX = np.concatenate([[0.0], np.linspace(0, 1, 41), np.linspace(0, 1, 41)])
CREW = np.concatenate([[0], np.full(41, 1), np.full(41, 5)])


def table(by_crew: dict[int, np.ndarray]) -> np.ndarray:
    """Gains (1, K, 1) of both crew sizes; none without cleaners."""
    return np.concatenate([[np.nan], by_crew[1], by_crew[5]])[None, :, None]


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-5, 5))
def test_gains_that_are_linear_in_the_tax_stay_as_they_are(start, one, five):
    grid = np.linspace(0, 1, 41)
    gains = table({1: start + one * grid, 5: five * grid})
    mean, _ = pooled_gains(gains, np.ones_like(gains), TAX, CREW)
    assert mean == pytest.approx(gains, abs=1e-9, nan_ok=True)


def test_noise_averages_out_and_the_error_says_how_much():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (4_000, len(TAX), 1))
    noise[:, 0] = np.nan
    mean, error = pooled_gains(noise, np.where(np.isnan(noise), np.nan, 1.0), TAX, CREW)
    k = 1 + 20  # tax 0.5, one cleaner: nine contracts within 0.12
    assert mean[:, k, 0].std() == pytest.approx(error[0, k, 0], rel=0.05)
    assert 0.3 < error[0, k, 0] < 0.5
    assert abs(mean[:, k, 0].mean()) < 0.03


def test_crew_sizes_and_trainings_do_not_hear_of_each_other():
    gains = np.concatenate(
        [table({1: np.zeros(41), 5: np.ones(41)}), table({1: np.full(41, 7.0), 5: np.full(41, 8.0)})]
    )
    mean, _ = pooled_gains(gains, np.ones_like(gains), TAX, CREW)
    assert mean == pytest.approx(gains, nan_ok=True)


def test_contracts_far_from_all_others_stand_for_themselves():
    tax, crew = np.array([0.0, 0.0, 0.5, 1.0]), np.array([0, 1, 1, 1])
    gains = np.array([np.nan, 3.0, -1.0, 2.0])[None, :, None]
    mean, error = pooled_gains(gains, np.ones_like(gains), tax, crew)
    assert mean == pytest.approx(gains, nan_ok=True)
    assert error[0, 1:, 0].tolist() == [1.0, 1.0, 1.0]
