import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from contract_wrapper.bo import acquisition as acq
from contract_wrapper.errors import ContractsError

NONE = np.empty((0, 1))


def entropy_difference(mean, sd, best, margin_mean, margin_sd, p=()):
    """H(y) - H(y | not (f >= f* and all margins >= 0 and all phi = 1)), by plain Monte Carlo."""
    rng = np.random.default_rng(0)
    n = 4_000_000
    f = mean + sd * rng.standard_normal(n)
    log_density = norm.logpdf(f, mean, sd)
    inside = f >= best
    for m, s in zip(margin_mean, margin_sd, strict=True):
        z = m + s * rng.standard_normal(n)
        log_density += norm.logpdf(z, m, s)
        inside &= z >= 0
    for q in p:
        phi = rng.random(n) < q
        log_density += np.where(phi, math.log(q), math.log(1 - q))
        inside &= phi
    # The second entropy through the first, so that both share their noise: not A is what remains without A.
    big_p = norm.sf((best - mean) / sd) * np.prod(norm.sf(-np.divide(margin_mean, margin_sd))) * np.prod(p)
    entropy = 0.5 * (1 + len(margin_mean)) * math.log(2 * math.pi * math.e)
    entropy += math.log(sd) + np.log(margin_sd).sum() - sum(q * math.log(q) + (1 - q) * math.log(1 - q) for q in p)
    expected_inside = log_density[inside].mean() * big_p
    after = math.log(1 - big_p) - (-entropy - expected_inside) / (1 - big_p)
    return entropy - after


@pytest.mark.parametrize(
    ("best", "margins", "sds", "p"),
    [
        (1.2, [], [], []),
        (0.5, [0.3], [0.8], []),
        (2.0, [-0.4, 1.0], [0.5, 2.0], []),
        (0.2, [0.7], [1.0], [0.8]),
        (-0.5, [], [], [0.3]),
    ],
)
def test_cmes_is_the_entropy_difference(best, margins, sds, p):
    got = acq.cmes(
        np.array([0.4]), np.array([0.9]), np.array([best]),
        np.array(margins).reshape(-1, 1), np.array(sds).reshape(-1, 1), np.array(p).reshape(-1, 1),
    )  # fmt: skip
    assert got[0] == pytest.approx(entropy_difference(0.4, 0.9, best, margins, sds, p), abs=1e-3)


def test_without_constraints_cmes_is_max_value_entropy_search():
    mean, sd, best = np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.array([1.5, 2.5])
    gamma = (best[:, None] - mean) / sd
    mes = (gamma * norm.pdf(gamma) / (2 * norm.cdf(gamma)) - norm.logcdf(gamma)).mean(axis=0)
    np.testing.assert_allclose(acq.cmes(mean, sd, best, np.empty((0, 2)), np.empty((0, 2))), mes, rtol=1e-10)


def test_cmes_may_be_negative_but_its_bound_never_is():
    rng = np.random.default_rng(1)
    mean, sd = rng.normal(0, 3, 2000), rng.uniform(1e-9, 3, 2000)
    margin_mean, margin_sd = rng.normal(0, 3, (3, 2000)), rng.uniform(1e-9, 3, (3, 2000))
    best = rng.normal(0, 3, 5)
    assert (acq.cmes_ibo(mean, sd, best, margin_mean, margin_sd) >= 0).all()
    ten = np.ones((10, 1))  # ten margins, each good with probability 0.84
    assert acq.cmes(np.zeros(1), np.ones(1), np.array([-np.inf]), ten, ten)[0] < 0


def test_with_nothing_feasible_the_bound_is_about_feasibility_alone():
    margin_mean, margin_sd = np.array([[0.5, -1.0]]), np.array([[1.0, 2.0]])
    got = acq.cmes_ibo(np.zeros(2), np.ones(2), np.array([-np.inf]), margin_mean, margin_sd)
    np.testing.assert_allclose(got, -np.log1p(-norm.cdf(margin_mean / margin_sd)[0]))


def test_scores_stay_finite_at_the_edges():
    mean, sd = np.array([0.0, 1e6, -1e6, 0.0]), np.array([0.0, 1e-9, 1e-9, 1e9])
    margins = np.array([[1e6, 1e6, -1e6, 0.0]])
    best = np.array([-np.inf, -1e6, 0.0, 1e6])
    p = np.array([[1.0, 0.0, 0.5, 1.0]])
    assert np.isfinite(acq.cmes(mean, sd, best, margins, sd[None], p)).all()
    assert np.isfinite(acq.cmes_ibo(mean, sd, best, margins, sd[None])).all()


def test_beta_reads_as_the_page_says():
    assert math.sqrt(acq.beta_t(1, 106)) == pytest.approx(3.9, abs=0.05)
    assert math.sqrt(acq.beta_t(20, 106)) == pytest.approx(5.2, abs=0.05)
    assert acq.ucb(np.array([1.0]), np.array([2.0]), 4.0).tolist() == [5.0]
    with pytest.raises(ContractsError, match="t >= 1"):
        acq.beta_t(0, 5)


def test_feasibility_of_two_even_margins_is_a_quarter():
    got = acq.log_probability_feasible(np.zeros((2, 1)), np.ones((2, 1)))
    assert np.exp(got) == pytest.approx([0.25])


@pytest.mark.parametrize("best", [-2.0, 0.3, 1.0, 4.0])
def test_expected_improvement_is_its_integral(best):
    mean, sd = 0.5, 0.8
    integral, _ = quad(lambda f: (f - best) * norm.pdf(f, mean, sd), best, mean + 12 * sd)
    got = acq.expected_improvement(np.array([mean]), np.array([sd]), best)[0]
    assert got == pytest.approx(integral, rel=1e-6)


def test_log_expected_improvement_stays_finite_where_the_improvement_underflows():
    best = np.linspace(0, 5000, 2001)
    got = np.array([acq.log_expected_improvement(np.zeros(1), np.ones(1), b)[0] for b in best])
    assert np.isfinite(got).all()
    assert (np.diff(got) < 0).all()


def test_gains_are_what_draws_hold_above_the_best_known_and_weigh_them():
    best = np.array([3.0, -np.inf, 1.0, 2.0])
    weights = acq.gains(best, 1.5)
    np.testing.assert_array_equal(weights, [1.5, 0.0, 0.0, 0.5])
    assert acq.gains(best, None) is None
    assert acq.gains(best, 4.0) is None
    one = np.zeros((1, 1))
    each = [acq.cmes_ibo(np.zeros(1), np.ones(1), best[[k]], one, one + 1) for k in range(4)]
    together = acq.cmes_ibo(np.zeros(1), np.ones(1), best, one, one + 1, weights)
    np.testing.assert_allclose(together, (1.5 * each[0] + 0.5 * each[3]) / 2)


def test_constrained_improvement_is_the_product():
    mean, sd = np.array([[1.0], [0.5], [-0.5]]), np.array([[2.0], [1.0], [1.0]])
    probability = 0.6914624613 * 0.3085375387
    assert np.exp(acq.log_constrained_improvement(mean, sd, None)) == pytest.approx(probability)
    improvement = acq.expected_improvement(mean[0], sd[0], 1.5)
    assert np.exp(acq.log_constrained_improvement(mean, sd, 1.5)) == pytest.approx(probability * improvement)
