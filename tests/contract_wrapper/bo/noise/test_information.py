"""What a noisy evaluation tells of f*: with little noise all, with much nothing, in between as counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from contract_wrapper.bo.acquisition import cmes_ibo
from contract_wrapper.bo.noise.information import noisy_information

MEAN = np.array([[0.0, 1.0, 2.0, -2.0], [0.5, -0.2, 1.0, 0.0]])
SD = np.array([[1.0, 0.5, 1.0, 1.0], [0.5, 0.3, 1.0, 1.0]])
BEST = np.array([1.5, -np.inf, 2.5])


def information(noise, mean=MEAN, sd=SD, best=BEST, seeds=16, **more):
    drawn = [
        noisy_information(mean, sd, np.full(mean.shape, noise), best, np.random.default_rng(s), **more)
        for s in range(seeds)
    ]
    return np.mean(drawn, axis=0)


def test_without_noise_it_is_the_bound_of_takeno():
    exact = cmes_ibo(MEAN[0], SD[0], BEST, MEAN[1:], SD[1:])
    np.testing.assert_allclose(information(1e-6), exact, rtol=0.03)


def test_with_noise_it_is_what_counting_all_readings_gives():
    rng, noise, expected = np.random.default_rng(1), 0.7, np.zeros(4)
    for best in BEST:
        floor = np.array([best, 0.0])
        for q in range(4):
            mean, sd = MEAN[:, q], SD[:, q]
            y = mean + np.hypot(sd, noise) * rng.standard_normal((200_000, 2))
            share = sd**2 / (sd**2 + noise**2)
            a = ndtr((mean + share * (y - mean) - floor) / (sd * np.sqrt(1 - share))).prod(axis=1)
            g = np.maximum((1 - a) / (1 - ndtr((mean - floor) / sd).prod()), 1e-300)
            expected[q] += (g * np.log(g)).mean() / 3
    np.testing.assert_allclose(information(noise, seeds=64), expected, rtol=0.1)


def test_the_more_noise_the_less_is_learned():
    some = [information(noise) for noise in (0.01, 0.3, 1.0, 5.0, 100.0)]
    assert (np.diff(some, axis=0) < 0).all()
    assert (some[-1] < 1e-4).all()


def test_of_two_designs_that_are_believed_alike_the_noisier_tells_less():
    mean, sd, noise = MEAN[:, [2, 2]], SD[:, [2, 2]], np.array([[0.3, 3.0], [0.3, 3.0]])
    quiet, noisy = noisy_information(mean, sd, noise, BEST, np.random.default_rng(0))
    assert noisy < 0.5 * quiet
    same = noisy_information(mean, sd, noise[:, [0, 0]], BEST, np.random.default_rng(0))
    assert same[0] == same[1] == quiet


def test_what_is_known_well_is_hardly_worth_another_look():
    known, unknown = information(1.0, sd=np.array([[0.05, 1.0], [0.05, 1.0]]), mean=np.array([[1.5] * 2, [0.1] * 2]))
    assert known < 0.05 * unknown


def test_draws_count_by_their_weights():
    first = information(0.5, best=BEST[:1])
    np.testing.assert_allclose(information(0.5, weights=np.array([2.0, 0.0, 0.0])), first)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3),
    st.lists(st.floats(1e-9, 1e3), min_size=3, max_size=3),
    st.floats(0, 1e4),
    st.one_of(st.just(-np.inf), st.floats(-1e4, 1e4)),
)
def test_it_is_finite_and_never_negative(mean, sd, noise, best):
    found = information(noise, np.array(mean)[:, None], np.array(sd)[:, None], np.array([best]), seeds=1)
    assert np.isfinite(found).all()
    assert (found >= 0).all()


@pytest.mark.parametrize("outputs", [1, 40])
def test_any_number_of_outputs_is_told(outputs):
    mean, sd = np.ones((outputs, 2)), np.ones((outputs, 2))
    assert information(0.5, mean, sd, np.array([1.0]), seeds=2).shape == (2,)
