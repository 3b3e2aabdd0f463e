import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern

from contract_wrapper.bo.fitting.training_set import TrainingSet
from contract_wrapper.bo.gp.covariance import Hyper
from contract_wrapper.bo.gp.regression import GaussianProcess
from contract_wrapper.bo.surrogates import ConstantSurrogate, SurrogateSet, fit_output
from contract_wrapper.errors import ContractsError

RNG = np.random.default_rng(0)
X = RNG.random((12, 2))
Y = 100 + 30 * np.sin(5 * X[:, 0]) + 20 * X[:, 1] ** 2
SE = RNG.uniform(0.5, 2.0, 12)
QUERY = RNG.random((40, 2))


def fixed(kernel, x, lengthscales, **local):
    hyper = Hyper(lengthscales=lengthscales, amplitude=1.7, noise=1e-3, **local)
    return GaussianProcess(x=x, y=Y, noise_sd=SE, kernel=kernel, hyper=hyper, shift=Y.mean(), scale=Y.std())


@pytest.mark.parametrize(
    ("kernel", "columns", "theirs"),
    [
        ("se", [0, 1], RBF([0.3, 0.8])),
        ("matern", [0], Matern(0.3, nu=2.5)),
    ],
)
def test_posterior_is_that_of_scikit_learn_with_the_same_kernel(kernel, columns, theirs):
    x, query = X[:, columns], QUERY[:, columns]
    ours = fixed(kernel, x, (0.3, 0.8)[: len(columns)])
    reference = GaussianProcessRegressor(
        ConstantKernel(1.7) * theirs, alpha=1e-3 + (SE / Y.std()) ** 2, optimizer=None
    ).fit(x, (Y - Y.mean()) / Y.std())
    mean, sd = reference.predict(query, return_std=True)
    got_mean, got_sd = ours.predict(query)
    np.testing.assert_allclose(got_mean, Y.mean() + Y.std() * mean, rtol=1e-9)
    np.testing.assert_allclose(got_sd, Y.std() * sd, rtol=1e-6)


def test_the_matern_kernel_of_two_variables_is_the_product_of_two():
    gp = fixed("matern", X, (0.3, 0.8))
    product = Matern(0.3, nu=2.5)(X[:, :1], QUERY[:, :1]) * Matern(0.8, nu=2.5)(X[:, 1:], QUERY[:, 1:])
    np.testing.assert_allclose(gp._covariance(X, QUERY), 1.7 * product, rtol=1e-10)


def test_a_local_term_adds_its_covariance():
    gp = fixed("se", X, (0.3, 0.8), local_amplitude=0.4, local_lengthscales=(0.05, 0.1))
    both = 1.7 * RBF([0.3, 0.8])(X, QUERY) + 0.4 * RBF([0.05, 0.1])(X, QUERY)
    np.testing.assert_allclose(gp._covariance(X, QUERY), both, rtol=1e-10)
    assert gp.predict(np.array([[30.0, 30.0]]))[1][0] == pytest.approx(Y.std() * np.sqrt(2.1))


def test_paths_have_the_moments_and_the_correlation_of_the_posterior():
    gp = fit_output(X, Y, noise_sd=SE)
    mean, sd = gp.predict(QUERY[:5])
    paths = gp.posterior_paths(QUERY[:5], 20_000, np.random.default_rng(1))
    np.testing.assert_allclose(paths.mean(axis=0), mean, atol=0.05 * sd.max())
    np.testing.assert_allclose(paths.std(axis=0), sd, rtol=0.05)
    near = gp.posterior_paths(np.array([[0.95, 0.05], [0.951, 0.05]]), 2000, np.random.default_rng(1))
    assert np.corrcoef(near.T)[0, 1] > 0.99


def test_paths_over_a_grid_are_drawn_from_the_same_posterior():
    grid = np.array([[a, b] for a in np.linspace(0, 1, 9) for b in (0.0, 0.5, 1.0)])
    gp = fit_output(grid[::2], np.sin(3 * grid[::2, 0]) + grid[::2, 1], kernel="matern", noise_sd=np.full(14, 0.2))
    mean, sd = gp.predict(grid)
    paths = gp.posterior_paths(grid, 20_000, np.random.default_rng(1))
    np.testing.assert_allclose(paths.mean(axis=0), mean, atol=0.05 * sd.max())
    np.testing.assert_allclose(paths.std(axis=0), sd, rtol=0.05)


def test_a_fit_predicts_a_smooth_function():
    x = np.random.default_rng(2).random((30, 2))
    truth = lambda u: np.sin(6 * u[:, 0]) + u[:, 1]  # noqa: E731
    mean, sd = fit_output(x, truth(x)).predict(QUERY)
    assert np.abs(mean - truth(QUERY)).max() < 0.1
    assert (sd > 0).all()


def test_a_local_term_knows_what_it_does_not_know():
    rng = np.random.default_rng(3)
    x = np.sort(rng.random(24))[:, None]
    truth = lambda u: 5 * u[:, 0] + 0.5 * np.sin(60 * u[:, 0])  # noqa: E731
    query = np.linspace(0, 1, 200)[:, None]
    errors = {}
    for local in (True, False):
        mean, sd = fit_output(x, truth(x), local=local).predict(query)
        errors[local] = (truth(query) - mean) / sd
    assert np.mean(errors[True] ** 2) < 2
    assert np.mean(errors[False] ** 2) > 4


def test_three_points_leave_wide_doubt_between_them():
    x = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    gp = fit_output(x, np.array([0.0, 1.0, 0.5]))
    assert isinstance(gp, GaussianProcess)
    assert all(0.1 < length < 5 for length in gp.hyper.lengthscales)
    _, sd = gp.predict(np.array([[0.5, 0.0]]))
    assert sd[0] > 0.05


def test_believing_the_own_mean_keeps_the_mean_and_narrows_the_doubt():
    gp = fit_output(X, Y, noise_sd=SE)
    there = np.array([[0.9, 0.1]])
    after = gp.condition(there, gp.predict(there)[0])
    np.testing.assert_allclose(after.predict(QUERY)[0], gp.predict(QUERY)[0], rtol=1e-8)
    assert (after.predict(QUERY)[1] <= gp.predict(QUERY)[1] + 1e-9).all()
    assert after.predict(there)[1][0] < 0.5 * gp.predict(there)[1][0]
    assert after.hyper == gp.hyper


def test_a_known_standard_error_is_trusted_less_than_an_exact_value():
    x, y = X[:6], Y[:6].copy()
    hyper = Hyper(lengthscales=(0.5, 0.5), amplitude=1.0, noise=1e-4)
    loose, tight = (
        GaussianProcess(x=x, y=y, noise_sd=np.full(6, sd), kernel="se", hyper=hyper, shift=y.mean(), scale=y.std())
        for sd in (10.0, 0.0)
    )
    assert loose.predict(x[:1])[1][0] > 3 * tight.predict(x[:1])[1][0]


def test_an_output_that_never_varied_gets_a_constant_with_a_wide_doubt():
    assert fit_output(X, np.full(12, 0.5)) == ConstantSurrogate(value=0.5, sd=0.5)
    assert fit_output(X, np.zeros(12)) == ConstantSurrogate(value=0.0, sd=1.0)
    paths = fit_output(X, np.full(12, 0.5)).posterior_paths(QUERY, 500, np.random.default_rng(0))
    assert (paths >= 0).mean() == pytest.approx(0.84, abs=0.01)


def test_repeated_designs_do_not_break_the_fit():
    x, y = np.repeat(X[:4], 3, axis=0), np.repeat(Y[:4], 3)
    mean, _ = fit_output(x, y).predict(X[:4])
    np.testing.assert_allclose(mean, Y[:4], atol=0.2 * Y[:4].std())


def test_a_set_answers_like_its_parts():
    outputs = np.column_stack([Y, np.ones(12)])
    both = SurrogateSet.fit(X, TrainingSet(designs=X, y=outputs, se=np.zeros_like(outputs)), ["se", "matern"])
    mean, sd = both.predict(QUERY)
    assert mean.shape == sd.shape == (2, 40)
    np.testing.assert_array_equal(mean[0], fit_output(X, Y).predict(QUERY)[0])
    assert both.posterior_paths(QUERY, 3, np.random.default_rng(0)).shape == (2, 3, 40)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ContractsError, match="x \\(n, d\\)"):
        fit_output(X, Y[:3])


def test_what_is_measured_without_noise_is_known_to_the_fifth_digit():
    rng = np.random.default_rng(0)
    x, elsewhere = rng.random((30, 2)), 0.1 + 0.8 * rng.random((200, 2))
    mean, sd = fit_output(x, x.sum(axis=1)).predict(elsewhere)
    assert np.abs(mean - elsewhere.sum(axis=1)).max() < 5e-5
    assert sd.max() < 1e-4
