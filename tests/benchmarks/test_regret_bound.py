import math

import numpy as np
import pytest

from contract_wrapper.bo.gp.covariance import Hyper
from contract_wrapper.bo.gp.regression import GaussianProcess
from contract_wrapper.bo.surrogates import ConstantSurrogate
from regret_bound import CONFIGS, information_gain, measure

SHARE = 1 - 1 / math.e


def process(lengthscale):
    hyper = Hyper(lengthscales=(lengthscale,), amplitude=3.0, noise=1.0)
    return GaussianProcess(x=np.zeros((1, 1)), y=np.zeros(1), noise_sd=np.zeros(1), kernel="se", hyper=hyper)


def test_far_designs_give_half_the_logarithm_of_one_plus_signal_over_noise_each():
    gain = information_gain(process(1e-3), np.array([[0.0], [0.5], [1.0]]), 3)
    np.testing.assert_allclose(gain * SHARE, 0.5 * math.log(4) * np.arange(1, 4))


def test_the_gain_is_the_determinant_where_all_designs_are_taken():
    x = np.array([[0.0], [0.3]])
    gp = process(0.5)
    whole = 0.5 * math.log(np.linalg.det(np.eye(2) + gp.prior_covariance(x)))
    assert information_gain(gp, x, 2)[-1] * SHARE == pytest.approx(whole)


def test_a_constant_gives_nothing_to_learn():
    assert information_gain(ConstantSurrogate(value=1.0, sd=1.0), np.zeros((2, 1)), 2).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("config", sorted(CONFIGS))
def test_regrets_that_count_failures_only_grow_and_the_rate_grows_with_them(config):
    run = measure(0, 2, CONFIGS[config])
    assert run.welfare.shape == (2,)
    assert (np.diff(run.participation) >= 0).all()
    assert (np.diff(run.rationality) >= 0).all()
    assert (np.diff(run.rate) > 0).all()
    np.testing.assert_allclose(run.length**2, run.welfare**2 + run.participation**2 + run.rationality**2)
