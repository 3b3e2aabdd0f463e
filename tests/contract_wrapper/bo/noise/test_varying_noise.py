"""Noise that varies over designs, as far as repeated results say so: told apart where it does, the common one where not."""

import dataclasses

import numpy as np
import pytest
from scipy.integrate import trapezoid

from contract_wrapper.bo.cpmes import ask
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.dimensions import Categorical, Integer, Real
from contract_wrapper.bo.fitting.repeated import varying_noises
from contract_wrapper.bo.gp import varying_noise as module
from contract_wrapper.bo.gp.covariance import Hyper
from contract_wrapper.bo.gp.regression import GaussianProcess
from contract_wrapper.bo.gp.varying_noise import fit_varying_noise
from contract_wrapper.bo.history import History
from contract_wrapper.bo.noise.recommend import again, recommend, refitted
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.bo.surrogates import fit

SQUARE = DesignSpace(dimensions=(Real(name="x", low=0.0, high=1.0), Real(name="y", low=0.0, high=1.0)))
LINE = DesignSpace(dimensions=(Integer(name="x", low=0, high=40),))
HALVES = np.array([[0.1, 0.5], [0.9, 0.5]])


def halves(x):
    """Standard deviation 0.08 on the left, 0.8 on the right."""
    return np.where(x[:, 0] < 0.5, 0.08, 0.8)


def alike(x):
    return np.full(len(x), 0.3)


def sample_variances(rng, sd_of, k, degrees=None):
    """Designs, degrees of freedom (1 to 3 by default) and sample variances of k repeated designs."""
    x = rng.random((k, 2))
    nu = rng.integers(1, 4, k).astype(float) if degrees is None else np.full(k, float(degrees))
    return x, nu, sd_of(x) ** 2 * rng.chisquare(nu) / nu, np.zeros(k)


def told(x, y, se=0.02):
    return History(designs=x, objective=y, margins=np.empty((len(x), 0)), objective_se=np.full(len(x), se))


def searched(seed, sd_of, repeated=6, n=20):
    """Results as of a search: n designs, of which some are measured two to four times; and the truth."""
    rng = np.random.default_rng(seed)
    w, shift, size = rng.normal(0, 3, (20, 2)), rng.uniform(0, 2 * np.pi, 20), rng.standard_normal(20)

    def truth(x):
        return np.cos(x @ w.T + shift) @ size * np.sqrt(2 / 20)

    x = rng.random((n, 2))
    x = np.vstack([x, *[np.repeat(x[[i]], rng.integers(1, 4), axis=0) for i in range(repeated)]])
    return told(x, truth(x) + sd_of(x) * rng.standard_normal(len(x))), truth, rng


# The model


def test_where_the_noise_is_the_same_it_is_hardly_ever_taken_to_vary():
    few = [fit_varying_noise(*sample_variances(np.random.default_rng(s), alike, 8)) for s in range(60)]
    many = [fit_varying_noise(*sample_variances(np.random.default_rng(s), alike, 15, 9)) for s in range(30)]
    assert sum(noise is not None for noise in few) <= 8
    assert sum(noise is not None for noise in many) <= 1


def test_halves_that_differ_tenfold_are_told_apart():
    few = [fit_varying_noise(*sample_variances(np.random.default_rng(s), halves, 8)) for s in range(40)]
    ratios = [np.divide(*noise.at(HALVES)[::-1]) for noise in few if noise is not None]
    assert len(ratios) >= 32
    assert np.median(ratios) > 9  # of variances, which differ by 100: few degrees of freedom are shrunk
    for s in range(10):
        noise = fit_varying_noise(*sample_variances(np.random.default_rng(s), halves, 20, 9))
        assert 0.03 < np.sqrt(noise.at(HALVES[:1])) < 0.2
        assert 0.4 < np.sqrt(noise.at(HALVES[1:])) < 2


def test_far_from_repeated_designs_the_noise_is_neither_the_least_nor_the_largest():
    x = np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 1.0], [0.1, 1.0]])
    noise = fit_varying_noise(x, np.full(4, 9.0), np.array([1.0, 1.0, 1e4, 1e4]), np.zeros(4))
    low, high, far = noise.at(np.array([[0.05, 0.0], [0.05, 1.0], [5.0, 0.5]]))
    assert low < 3.0
    assert 3e3 < high < 3e4
    assert 50 < far < 1e4


def test_one_design_that_was_measured_often_says_nothing_of_the_others():
    assert fit_varying_noise(HALVES[:1], np.array([50.0]), np.array([1e-6]), np.zeros(1)) is None
    x = np.array([[0.1, 0.5], [0.9, 0.2], [0.9, 0.8]])
    exact = fit_varying_noise(x, np.array([50.0, 2.0, 2.0]), np.array([0.0, 1.0, 1.0]), np.zeros(3))
    quiet, *others = exact.at(np.vstack([x, [[0.9, 0.5]]]))
    assert quiet < 0.1
    assert min(others) > 0.3


def test_more_results_say_more():
    x, variances = HALVES.repeat(2, axis=0), np.array([1.0, 1.0, 9.0, 9.0])
    fits = [fit_varying_noise(x, np.full(4, nu), variances, np.zeros(4)) for nu in (1.0, 20.0, 80.0)]
    assert fits[0] is None
    assert np.ptp(np.log(fits[2].at(x))) > np.ptp(np.log(fits[1].at(x)))
    np.testing.assert_allclose(fits[2].at(x), variances, rtol=0.15)


def test_the_evidence_is_that_of_an_integral():
    """Laplace's approximation, against all log variances of two designs summed on a grid."""
    x, nu, variances = HALVES, np.array([6.0, 4.0]), np.array([0.2, 2.2])
    f = np.linspace(-9, 9, 401)
    a, b = np.meshgrid(f, f, indexing="ij")
    likelihood = sum(-0.5 * n * (g + s * np.exp(-g)) for n, s, g in zip(nu, variances, (a, b), strict=True))
    laplace, exact = [], []
    for tau in (0.3, 2.0):
        prior = module._LEVEL**2 + tau**2 * module._correlations(x, x, ())
        inverse = np.linalg.inv(prior)
        quadratic = inverse[0, 0] * a**2 + 2 * inverse[0, 1] * a * b + inverse[1, 1] * b**2
        density = np.exp(likelihood - 0.5 * quadratic)
        exact.append(np.log(trapezoid(trapezoid(density, f), f)) - 0.5 * np.linalg.slogdet(2 * np.pi * prior)[1])
        laplace.append(module._laplace(prior, nu, variances, np.zeros(2))[0])
    assert np.diff(laplace) == pytest.approx(np.diff(exact), abs=0.15)
    assert np.diff(exact) > 0.3  # the noise varies


def test_the_order_of_designs_does_not_matter_and_noise_has_the_unit_of_the_outputs():
    some = sample_variances(np.random.default_rng(1), halves, 8)
    noise = fit_varying_noise(*some)
    order = np.random.default_rng(0).permutation(8)
    turned = fit_varying_noise(*(column[order] for column in some))
    np.testing.assert_allclose(turned.at(HALVES), noise.at(HALVES), rtol=1e-6)
    scaled = fit_varying_noise(some[0], some[1], 1e6**2 * some[2], some[3])
    np.testing.assert_allclose(scaled.at(HALVES), 1e12 * noise.at(HALVES), rtol=1e-9)
    assert scaled.probability == pytest.approx(noise.probability)


def test_stated_errors_are_no_part_of_what_is_fitted():
    """Two halves whose results differ tenfold because their errors do have the same noise beyond these: about none."""
    x = np.random.default_rng(0).random((20, 2))
    nu, errors = np.full(20, 9.0), halves(x) ** 2
    assert fit_varying_noise(x, nu, errors, np.zeros(20)) is not None
    assert fit_varying_noise(x, nu, errors + 0.01, errors) is None


def test_very_many_repeated_designs_take_no_longer_than_some():
    x, nu, variances, known = sample_variances(np.random.default_rng(3), halves, 500)
    nu[:40] += 5
    noise = fit_varying_noise(x, nu, variances, known)
    assert len(noise.x) == module._MOST
    assert {tuple(row) for row in x[:40]} <= {tuple(row) for row in noise.x}


@pytest.mark.parametrize("variances", [[0.0, 1e-300, 1e300], [0.0, 0.0, 1.0], [1.0, 1e-20, 1e20]])
@pytest.mark.parametrize("known", [0.0, 1e120])
def test_extreme_variances_give_finite_noise(variances, known):
    x = np.array([[0.1, 0.5], [0.5, 0.5], [0.9, 0.5]])
    noise = fit_varying_noise(x, np.array([1.0, 3.0, 5.0]), np.array(variances), np.full(3, known))
    if noise is not None:
        assert np.isfinite(noise.at(x)).all()
        assert (noise.at(x) > 0).all()


# In the fit


def test_predictions_are_better_and_their_intervals_hold_more_evenly_where_the_noise_varies():
    """Log density of fresh results, and coverage by 95 % intervals where the noise is large, over 40 data sets."""
    gained, covered = [], []
    for seed in range(40):
        history, truth, rng = searched(seed, halves)
        x = rng.random((100, 2))
        new = truth(x) + halves(x) * rng.standard_normal(100)
        for varying in (False, True):
            surrogates = fit(SQUARE, history, varying_noise=varying)
            mean, sd = (values[0] for values in surrogates.predict(x))
            total = np.hypot(sd, surrogates.noise_at(x)[0])
            z = (new - mean) / total
            gained.append((-0.5 * z**2 - np.log(total)).mean())
            covered.append((np.abs(z) < 1.96)[x[:, 0] > 0.5].mean())
    gain = np.diff(np.reshape(gained, (-1, 2)), axis=1)
    common, varying = np.reshape(covered, (-1, 2)).mean(axis=0)
    assert gain.mean() > 0.1
    assert common < 0.8
    assert varying > common + 0.03


def test_where_the_noise_is_the_same_predictions_are_hardly_changed():
    changed = []
    for seed in range(30):
        history, _, rng = searched(seed, alike)
        x = rng.random((50, 2))
        common, varying = (fit(SQUARE, history, varying_noise=v).predict(x) for v in (False, True))
        changed.append(np.abs(np.array(common) - varying).max())
    assert np.median(changed) == 0.0
    assert np.mean(changed) < 0.05


@pytest.mark.parametrize("repeated", [0, 1])
def test_without_repeats_of_two_designs_all_is_as_with_common_noise_to_the_bit(repeated):
    history, _, rng = searched(4, halves, repeated=repeated)
    x = rng.random((50, 2))
    common, varying = (fit(SQUARE, history, varying_noise=v) for v in (False, True))
    for ours, theirs in zip(varying.predict(x), common.predict(x), strict=True):
        assert ours.tobytes() == theirs.tobytes()
    assert varying.noise_at(x).tobytes() == common.noise_at(x).tobytes()


def test_scaling_the_outputs_scales_the_noise_and_the_order_of_results_does_not_matter():
    history, _, _ = searched(7, halves)
    order = np.random.default_rng(0).permutation(len(history))
    noise = fit(SQUARE, history, varying_noise=True).noise_at(HALVES)[0]
    assert np.divide(*noise[::-1]) > 2
    scaled = told(history.designs, 1e5 * history.objective, 1e5 * 0.02)
    np.testing.assert_allclose(fit(SQUARE, scaled, varying_noise=True).noise_at(HALVES)[0], 1e5 * noise, rtol=1e-3)
    turned = told(history.designs[order], history.objective[order])
    np.testing.assert_allclose(fit(SQUARE, turned, varying_noise=True).noise_at(HALVES)[0], noise, rtol=1e-3)


def test_rows_of_repeats_give_the_posterior_of_all_results():
    history, _, rng = searched(7, halves)
    noise = varying_noises(SQUARE, history)[0]
    hyper = Hyper(lengthscales=(0.4, 0.5), amplitude=1.0, noise=0.01)
    x, place = np.unique(history.designs, axis=0, return_inverse=True)
    number = np.bincount(place.ravel()).astype(float)
    mean = np.bincount(place.ravel(), weights=history.objective) / number
    every = GaussianProcess(
        x=history.designs,
        y=history.objective,
        noise_sd=np.full(len(history), 0.1),
        kernel="se",
        hyper=hyper,
        varying=noise,
    )
    rows = GaussianProcess(
        x=x, y=mean, noise_sd=0.1 / np.sqrt(number), kernel="se", hyper=hyper, varying=noise, repeats=number
    )
    query = rng.random((20, 2))
    for ours, theirs in zip(rows.predict(query), every.predict(query), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8)


def test_a_result_that_is_believed_counts_by_the_noise_at_its_design():
    history, _, _ = searched(7, halves)
    surrogates = fit(SQUARE, history, varying_noise=True)
    _, before = surrogates.predict(HALVES)
    _, after = surrogates.believe(HALVES).predict(HALVES)
    quiet, noisy = (after / before)[0]
    assert quiet < noisy < 1


def test_binary_results_say_nothing_of_noise_that_varies():
    """The same numbers as a margin do."""
    rng = np.random.default_rng(0)
    x = np.repeat(rng.random((12, 2)), 4, axis=0)
    phi = np.where(x[:, 0] < 0.5, 1.0, rng.integers(0, 2, len(x)))
    history = History(
        designs=x, objective=x[:, 0], margins=np.column_stack([phi, phi]), constraints=("phi", "slack"), binary=(0,)
    )
    exact, binary, slack = varying_noises(SQUARE, history)
    assert exact is None
    assert binary is None
    assert slack is not None


def test_results_that_are_equal_because_they_were_winsorised_say_nothing_and_those_read_so_do():
    rng = np.random.default_rng(0)
    x = np.repeat(rng.random((10, 2)), 4, axis=0)
    values = x[:, 0] + halves(x) * rng.standard_normal(40)
    for pair, told_of in (([-900.0, -800.0], False), ([-900.0, -900.0], True)):
        places = np.vstack([x, [[0.3, 0.3]] * 2])
        history = History(designs=places, objective=np.append(values, pair), margins=np.empty((42, 0)))
        (noise,) = varying_noises(SQUARE, history)
        assert any(np.allclose(row, 0.3) for row in noise.x) == told_of


def test_choices_without_order_have_noise_of_their_own():
    space = DesignSpace(
        dimensions=(Categorical(name="rule", choices=("a", "b", "c")), Integer(name="n", low=1, high=5))
    )
    rng = np.random.default_rng(2)
    designs = np.array([[c, n] for c in (0, 1, 2) for n in (1, 3, 5) for _ in range(4)], float)
    values = designs[:, 1] + np.where(designs[:, 0] == 1, 5.0, 0.2) * rng.standard_normal(len(designs))
    history = History(designs=designs, objective=values, margins=np.empty((len(values), 0)))
    a, b, c = fit(space, history, varying_noise=True).noise_at(space.to_unit(np.array([[0, 3], [1, 3], [2, 3.0]])))[0]
    assert b > 4 * max(a, c)


# In the search


def uneven(seed=0, se=1.0):
    """A plateau of 300 above 10, read with a deviation of 2 up to 20 and of 40 beyond; eight designs twice or more."""
    rng = np.random.default_rng(seed)
    xs = np.append(np.arange(0, 41, 2), [12, 14, 16, 18, 24, 28, 32, 36, 14, 18, 28, 36])
    noise = np.where(xs <= 20, 2.0, 40.0)
    values = np.where(xs < 10, 0.0, 300.0) + noise * rng.standard_normal(len(xs))
    return History(
        designs=xs[:, None].astype(float), objective=values, margins=np.full((len(xs), 1), 3.0) + 0.1 * (xs[:, None] % 3),
        constraints=("slack",), objective_se=np.full(len(xs), se),
    )  # fmt: skip


def test_what_is_recommended_is_known_better_where_readings_are_quiet():
    missed, reached = [], []
    for seed in range(6):
        for varying in (False, True):
            found = recommend(LINE, uneven(seed), otherwise=0.0, n_paths=50, varying_noise=varying)
            missed.append(abs(found.best.objective_mean - 300.0))
            reached.append(found.interval[1] - found.interval[0])
            assert found.interval[0] < 300.0 < found.interval[1]
    for common, varying in (np.median(np.reshape(kind, (-1, 2)), axis=0) for kind in (missed, reached)):
        assert varying < 0.7 * common


def test_contenders_count_by_their_own_noise():
    history = uneven(3)
    surrogates = fit(LINE, history, varying_noise=True)
    contenders = np.arange(10.0, 41.0, 2)[:, None]
    anew = refitted(LINE, history, surrogates, contenders).parts[0]
    mean, sd = anew.predict(LINE.to_unit(contenders))
    quiet = contenders[:, 0] <= 18
    assert np.abs(mean[quiet] - 300).max() < 8
    assert sd[quiet].max() < sd[~quiet].min()


def test_of_two_designs_that_may_be_best_the_one_of_which_a_result_tells_more_is_measured_again():
    """That which is known less, unless its noise is so much larger that one more result would say little."""
    rng = np.random.default_rng(0)
    xs = np.array([*range(0, 41, 4), 14, 14, *[12, 16, 28, 40, 24] * 3, *[36] * 12])
    peaks = np.isin(xs, (14, 36))
    history = told(
        xs[:, None].astype(float), 300.0 * peaks + np.where(xs < 22, 2.0, 40.0) * rng.standard_normal(len(xs)), 1.0
    )
    surrogates = fit(LINE, history, varying_noise=True)
    assert surrogates.parts[0].varying is not None
    first, second = again(LINE, history, surrogates, np.empty((0, 1)), rng)
    assert (first.design, second.design) == ((14,), (36,))
    assert first.objective_sd < second.objective_sd


def test_a_search_counts_varying_noise_if_it_is_told_to():
    history = uneven(2)
    picks = [
        ask(LINE, history, seed=0, trial=30, config=CPMESConfig(varying_noise=varying))[0] for varying in (False, True)
    ]
    assert picks[0].score != picks[1].score
    once = dataclasses.replace(
        history, designs=history.designs[:21], objective=history.objective[:21], margins=history.margins[:21],
        objective_se=history.objective_se[:21],
    )  # fmt: skip
    same = [ask(LINE, once, seed=0, trial=30, config=CPMESConfig(varying_noise=v))[0] for v in (False, True)]
    assert same[0] == same[1]
    assert not CPMESConfig.paper().varying_noise
