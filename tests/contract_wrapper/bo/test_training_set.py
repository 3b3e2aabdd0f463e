"""What beyond 250 results is fitted: repeated designs as one row each, and of many designs those that matter."""

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad

from contract_wrapper.bo import surrogates
from contract_wrapper.bo.cpmes import ask
from contract_wrapper.bo.dimensions import Real
from contract_wrapper.bo.fitting.training_set import EXACT_RESULTS, rows_of, spread
from contract_wrapper.bo.gp.covariance import squared_gaps
from contract_wrapper.bo.gp.likelihood import NegativeLogPosterior
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import DesignSpace, contract_space

GRID = contract_space()
SQUARE = DesignSpace(dimensions=(Real(name="x", low=0.0, high=1.0), Real(name="y", low=0.0, high=1.0)))


def bowl(space, designs, *, noise=0.0, seed=0):
    """Highest in the middle of the unit square, feasible left of a line, with normal errors of a known size."""
    x, y = space.to_unit(designs).T
    rng = np.random.default_rng(seed)
    value = 1 - (x - 0.5) ** 2 - (y - 0.5) ** 2 + noise * rng.standard_normal(len(x))
    return History(
        designs=designs,
        objective=value,
        margins=(0.6 - x + noise * rng.standard_normal(len(x)))[:, None],
        constraints=("line",),
        objective_se=np.full(len(x), noise),
        margins_se=np.full((len(x), 1), noise),
    )


def test_up_to_the_limit_every_result_is_a_row():
    designs = SQUARE.sample(np.random.default_rng(0), EXACT_RESULTS - 1)
    history = bowl(SQUARE, np.vstack([designs, designs[:1]]))
    rows = rows_of(SQUARE, history)
    assert len(rows) == EXACT_RESULTS
    assert rows.repeats is None
    assert len(rows_of(SQUARE, history.add(designs[1], 0.0, [0.0]))) == EXACT_RESULTS - 1  # two designs repeat


def test_results_at_one_design_become_their_mean_its_error_and_their_number():
    history = History.empty(GRID, ("a",))
    for design, value, se in (((0.1, 1), 1.0, 3.0), ((0.2, 1), 5.0, 1.0), ((0.1, 1), 3.0, 3.0)):
        history = history.add(design, value, [value], objective_se=se)
    rows = rows_of(GRID, history, limit=2)
    assert rows.designs.tolist() == [[0.2, 1.0], [0.1, 1.0]]  # in the order of the last results
    assert rows.repeats.tolist() == [1.0, 2.0]
    assert rows.y[:, 1].tolist() == [5.0, 2.0]
    assert rows.within[:, 1].tolist() == [0.0, 2.0]
    np.testing.assert_allclose(rows.se[:, 0], [1.0, 3 / np.sqrt(2)])


@pytest.mark.parametrize("known", [0.0, 0.05])
def test_rows_of_repeats_give_the_fit_of_all_results(known):
    rng = np.random.default_rng(1)
    designs = SQUARE.sample(rng, 20)[rng.integers(0, 20, 70)]
    history = bowl(SQUARE, designs, noise=0.05)
    history = replace(history, objective_se=np.full(70, known), margins_se=np.full((70, 1), known))
    query = SQUARE.sample(rng, 50)
    exact = surrogates.fit(SQUARE, history)
    merged = surrogates.fit(SQUARE, history, limit=30)
    assert len(merged.designs) == 20
    for ours, theirs in zip(merged.predict(query), exact.predict(query), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0.03, atol=2e-4)  # the search for hyper-parameters stops early


def test_the_likelihood_of_repeats_differs_from_that_of_all_results_by_a_constant_and_its_gradient_is_right():
    rng = np.random.default_rng(2)
    x, k = rng.random((6, 2)), np.array([1, 2, 3, 1, 4, 2])
    row = np.repeat(np.arange(6), k)
    y = np.sin(5 * x[row, 0]) + 0.3 * rng.standard_normal(len(row))
    mean = np.bincount(row, weights=y) / k
    within = np.bincount(row, weights=(y - mean[row]) ** 2)
    every = NegativeLogPosterior(squared_gaps(x[row], x[row]), y, np.full(len(row), 0.01), "se", local=True)
    merged = NegativeLogPosterior(
        squared_gaps(x, x), mean, 0.01 / k, "se", local=True, repeats=k.astype(float), within=within
    )
    points = np.log([[0.4, 0.7, 1.3, 1e-2, 0.2, 0.1], [0.2, 0.9, 0.5, 0.3, 0.1, 0.3]])
    gaps = [every.value(t) - merged.value(t) for t in points]
    assert gaps[0] == pytest.approx(gaps[1], abs=1e-8)
    for t in points:
        assert check_grad(merged.value, merged.gradient, t) < 1e-4
        np.testing.assert_allclose(merged.gradient(t), every.gradient(t), atol=1e-7)


def test_a_spread_takes_the_most_recent_and_fills_the_space():
    line = np.append(np.linspace(0, 1, 11), [0.5, 0.501, 0.502, 0.503])[:, None]
    assert spread(line, 5).tolist() == [0, 3, 8, 10, 14]  # 0.503, both ends, and what is farthest from these
    assert {13, 14} <= set(spread(line, 10).tolist())


def test_what_is_kept_of_noisy_results_is_not_kept_for_its_luck():
    rng = np.random.default_rng(3)
    designs = np.clip(0.5 + 0.1 * rng.standard_normal((1500, 2)), 0, 1)
    history = bowl(SQUARE, designs, noise=0.3)
    fitted = surrogates.fit(SQUARE, history)
    assert len(fitted.designs) == EXACT_RESULTS
    error = history.objective - bowl(SQUARE, designs).objective
    kept = {tuple(design) for design in fitted.designs.tolist()}
    luck = np.mean([e for design, e in zip(designs.tolist(), error, strict=True) if tuple(design) in kept])
    assert abs(luck) < 3 * 0.3 / np.sqrt(EXACT_RESULTS)  # three standard errors; the best fifth alone would give 0.08
    middle = np.array([[0.5, 0.5]])
    mean, sd = fitted.predict(middle)
    assert abs(mean[0, 0] - 1.0) < 3 * sd[0, 0]


def test_where_most_is_to_be_gained_more_designs_are_kept():
    designs = SQUARE.sample(np.random.default_rng(4), 2000)
    kept = surrogates.fit(SQUARE, bowl(SQUARE, designs)).designs
    near = np.hypot(*(kept - 0.5).T) < 0.15  # 7 % of the square
    assert near.mean() > 0.3


@pytest.mark.parametrize("space", [contract_space(max_cleaners=50), SQUARE], ids=["grid", "continuous"])
def test_an_ask_after_many_results_is_bounded_pure_and_new(space):
    history = bowl(space, space.sample(np.random.default_rng(5), 3000), noise=0.01)
    ask(space, bowl(space, space.sample(np.random.default_rng(5), 5)), seed=0)  # imports
    start = time.process_time()
    (pick,) = ask(space, history, seed=0)
    assert time.process_time() - start < 20  # 1 on a free machine; an exact fit takes minutes
    assert [pick] == ask(space, history, seed=0)
    assert (list(pick.design) in history.designs.tolist()) <= history.is_noisy  # else it is new
    assert np.hypot(*(space.to_unit([pick.design])[0] - 0.5)) < 0.3
