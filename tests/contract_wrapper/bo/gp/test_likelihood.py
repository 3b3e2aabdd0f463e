import numpy as np
import pytest
from scipy.optimize import check_grad

from contract_wrapper.bo.gp.covariance import MANY, Correlations, correlation, gaps_among, squared_gaps
from contract_wrapper.bo.gp.likelihood import NegativeLogPosterior
from contract_wrapper.bo.gp.linalg import cholesky, invert
from contract_wrapper.bo.surrogates import fit_output
from contract_wrapper.errors import ContractsError

THETAS = [[0.4, 0.7, 1.3, 1e-2], [0.4, 0.7, 1.3, 1e-2, 0.2, 0.1], [0.04, 0.7, 1.3, 1e-2, 0.2, 0.1]]


def results(n, seed=0):
    """Designs (n, 2), standardised outputs (n,), variances of their noise (n,)."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, 2))
    y = np.sin(5 * x[:, 0]) + x[:, 1] ** 2
    return x, (y - y.mean()) / y.std(), rng.uniform(1e-4, 1e-2, n)


def posterior(n, kernel, theta, categorical=(), many=False):
    x, y, noise = results(n)
    return NegativeLogPosterior(
        squared_gaps(x, x, categorical, many=many), y, noise, kernel, local=len(theta) > len(THETAS[0])
    )


@pytest.mark.parametrize("kernel", ["se", "matern"])
@pytest.mark.parametrize("theta", THETAS)
def test_the_gradient_of_the_fit_is_that_of_finite_differences(kernel, theta):
    asked = posterior(12, kernel, theta)
    assert check_grad(asked.value, asked.gradient, np.log(theta)) < 1e-4


@pytest.mark.parametrize("kernel", ["se", "matern"])
def test_the_value_is_the_density_of_the_outputs_and_of_the_prior(kernel):
    """R&W eq. 5.8 and log-normal priors, less what does not depend on theta: written out, and differences compared."""
    x, y, noise = results(8)
    gaps = squared_gaps(x, x)

    def written_out(theta):
        *lengths, amplitude, sigma2 = theta
        k = amplitude * correlation(kernel, gaps, np.array(lengths)) + np.diag(sigma2 + noise)
        z = np.log(np.array(theta) / [0.5, 0.5, 1.0, 1e-4]) / [1.0, 1.0, 1.0, 2.0]
        return 0.5 * y @ np.linalg.solve(k, y) + 0.5 * np.linalg.slogdet(k)[1] + 0.5 * z @ z

    one, other = THETAS[0], [0.9, 0.2, 0.6, 1e-3]
    asked = posterior(8, kernel, one)
    assert asked.value(np.log(one)) - asked.value(np.log(other)) == pytest.approx(written_out(one) - written_out(other))


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize("kernel", ["se", "matern"])
@pytest.mark.parametrize("categorical", [(), (1,)])
@pytest.mark.parametrize("n", [3, 30, MANY + 1])
def test_both_orders_in_memory_give_the_same_value_and_gradient(n, categorical, kernel, theta):
    value, gradient = posterior(n, kernel, theta, categorical)(np.log(theta))
    other, others = posterior(n, kernel, theta, categorical, many=True)(np.log(theta))
    assert other == pytest.approx(value, rel=1e-9)
    np.testing.assert_allclose(others, gradient, rtol=1e-9, atol=1e-9 * np.abs(gradient).max())


@pytest.mark.parametrize("kernel", ["se", "matern"])
def test_both_orders_in_memory_predict_the_same(kernel):
    x, y, _ = results(MANY)
    query = np.random.default_rng(1).random((40, 2))
    process = fit_output(x, y, kernel=kernel, noise_sd=np.full(MANY, 0.1))
    for ours, theirs in zip(process.predict(query), process.predict(query, squared_gaps(x, query)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize(("n", "many"), [(MANY - 1, False), (MANY, True)])
def test_differences_lie_dimension_by_dimension_in_processes_of_many_designs_alone(n, many):
    x, y, _ = results(n)
    process = fit_output(x, y, noise_sd=np.full(n, 0.1))
    assert process.gaps_to(x[:5]).flags.c_contiguous is many
    assert gaps_among(x).flags.c_contiguous is many
    assert process.condition(x[:1], y[:1]).gaps_to(x[:5]).flags.c_contiguous is (n + 1 >= MANY)


@pytest.mark.parametrize("kernel", ["se", "matern"])
def test_an_answer_depends_on_nothing_that_was_asked_before(kernel):
    one, other = np.log(THETAS[1]), np.log(THETAS[2])
    asked = posterior(12, kernel, one)
    first = asked(one)
    asked(other)
    again, fresh = asked(one), posterior(12, kernel, one)(one)
    assert first[0] == again[0] == fresh[0]
    np.testing.assert_array_equal(first[1], again[1])
    np.testing.assert_array_equal(first[1], fresh[1])
    asked.value(other)
    np.testing.assert_array_equal(asked.gradient(one), first[1])


def formulas(kernel, flat, length, weights):
    """R&W eqs. 4.9 and 4.17 per dimension, and the slopes of their logarithms, as they stand in the book."""
    if kernel == "se":
        return np.exp((-0.5 / length**2) @ flat), (flat @ weights) / length**2
    r = np.sqrt(5.0 * flat) / length[:, None]
    slopes = (r**2 * (1 + r) / (3 + 3 * r + r**2)) @ weights
    return (1 + r + r**2 / 3).prod(axis=0) * np.exp(-r.sum(axis=0)), slopes


@pytest.mark.parametrize("kernel", ["se", "matern"])
@pytest.mark.parametrize("d", [1, 2, 7, 8, 9])
@pytest.mark.parametrize("many", [False, True])
def test_work_in_place_gives_what_the_formulas_give(kernel, d, many):
    rng = np.random.default_rng(d)
    gaps = squared_gaps(*rng.random((2, 20, d)), many=many)
    lengths, weights = rng.uniform(0.1, 2.0, (2, d)), rng.standard_normal((2, 400))
    correlations = Correlations(kernel, gaps, 2)
    found = zip(correlations.at(lengths), correlations.slopes(weights), lengths, weights, strict=True)
    for values, slopes, length, row in found:
        for ours, theirs in zip((values, slopes), formulas(kernel, gaps.reshape(d, -1), length, row), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-13)


def test_designs_far_beyond_the_space_are_uncorrelated():
    gaps = squared_gaps(np.zeros((1, 50)), np.array([np.zeros(50), np.full(50, 1e30)]))
    assert correlation("matern", gaps, np.full(50, 0.1)).tolist() == [[1.0, 0.0]]


def test_an_inverse_takes_the_place_of_the_factor():
    k = np.array([[2.0, 0.6], [0.6, 1.0]])
    kept, factor = k.copy(), np.empty((2, 2), order="F")
    assert cholesky(k, out=factor) is factor
    np.testing.assert_allclose(factor @ factor.T, k)
    np.testing.assert_allclose(invert(factor, np.empty((2, 2))) @ k, np.eye(2), atol=1e-12)
    np.testing.assert_array_equal(k, kept)


def test_what_is_singular_is_helped_and_what_is_no_covariance_is_refused():
    np.testing.assert_allclose(cholesky(np.ones((3, 3))) @ cholesky(np.ones((3, 3))).T, np.ones((3, 3)), atol=1e-3)
    with pytest.raises(ContractsError, match="not positive definite"):
        cholesky(np.array([[1.0, 2.0], [2.0, 1.0]]))
