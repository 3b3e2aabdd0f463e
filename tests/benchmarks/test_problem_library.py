"""The problems are those of the literature and of the page that rebuilt the contract paper's."""

import numpy as np
import pytest
from scipy.optimize import minimize

from optimiser_bench.cleanup import SynthCleanup
from optimiser_bench.public import PROBLEMS

CLEANUPS = [SynthCleanup(seed) for seed in range(40)]


def test_a_tenth_of_the_synthetic_contracts_is_feasible():
    shares = [cleanup.feasible.mean() for cleanup in CLEANUPS]
    assert np.mean(shares) == pytest.approx(0.097, abs=0.01)
    assert 0.03 < min(shares) < 0.06
    assert 0.13 < max(shares) < 0.16


def test_the_status_quo_is_feasible_and_lacks_2770_of_the_best():
    assert all(cleanup.feasible[0, 0] for cleanup in CLEANUPS)
    gaps = [cleanup.welfare[cleanup.best] - cleanup.welfare[0, 0] for cleanup in CLEANUPS]
    assert np.mean(gaps) == pytest.approx(2770, abs=200)


def test_without_cleaners_returns_fall_with_the_tax_and_nothing_else():
    returns = SynthCleanup(3).returns
    base = returns[:, 0, 0]
    assert ((base >= 500) & (base <= 750)).all()
    np.testing.assert_allclose(returns[:, 0, 50], base * (1 - 0.5**1.2), atol=0.5)
    assert (returns[:, :, 100] == 0).all()
    assert (returns == np.rint(returns)).all()


def test_the_noise_has_its_size_and_is_shared_by_half():
    logs = [np.log(c.returns[:, 3, 10:60:10] / (1.8 * c.returns[:, 0, 10:60:10])) for c in CLEANUPS]
    z = np.array(logs) + 0.18**2 / 2
    assert z.mean() == pytest.approx(0, abs=0.02)
    assert z.std() == pytest.approx(0.18, abs=0.015)
    others = [np.mean(z[:, i] * z[:, j]) for i in range(5) for j in range(i)]
    assert np.mean(others) == pytest.approx(0.18**2 / 2, rel=0.25)


def test_a_contract_is_judged_by_its_returns():
    cleanup = SynthCleanup(0)
    problem = cleanup.problem(slack=True)
    returns, base = cleanup.returns[:, 2, 25], cleanup.returns[:, 0, 0]
    objective, margins = problem.evaluate((0.25, 2))
    assert objective == returns.sum() - 5 * 40 - 2 * 120
    np.testing.assert_allclose(margins[:5], 0.75 * returns - base)
    assert margins[5] == pytest.approx(0.125 * returns.sum() - 120)
    assert cleanup.problem().evaluate((0.25, 2))[1][5] == (margins[5] >= 0)
    assert problem.evaluate((0.0, 0))[1] == [0.0] * 6


def test_regret_is_what_the_best_feasible_result_lacks_and_the_best_itself_while_there_is_none():
    problem = SynthCleanup(0).problem()
    history = problem.begin(4, 7, np.random.default_rng(0))
    assert history.designs[:4].tolist() == [[0, 0], [0, 3], [1, 0], [1, 3]]
    assert len(history) == 7
    regrets = problem.regrets(history)
    assert regrets[0] == problem.best - history.objective[0]  # the status quo is feasible
    assert (np.diff(regrets) <= 0).all()
    bad = problem.add(type(history).empty(problem.space, problem.constraints, binary=(5,)), (1.0, 3))
    assert problem.regrets(bad).tolist() == [problem.best]


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_optimum_of_a_public_problem_is_found_again_and_nothing_is_better(name):
    p = PROBLEMS[name]
    ys = np.arange(p.y[0], p.y[1] + 1) if p.integer else np.linspace(*p.y, 301)
    x, y = np.meshgrid(np.linspace(*p.x, 301), ys)
    holds = np.all([c(x, y) <= 0 for c in p.constraints], axis=0)
    assert p.f(x, y)[holds].min() >= p.optimum - 1e-7
    nearest = np.argsort(np.where(holds, p.f(x, y), np.inf).ravel())[:5]
    rules = [{"type": "ineq", "fun": lambda v, c=c: -float(c(*v))} for c in p.constraints]
    found = [
        minimize(
            lambda v: float(p.f(*v)),
            (x.ravel()[i], y.ravel()[i]),
            bounds=[p.x, (y.ravel()[i],) * 2 if p.integer else p.y],
            constraints=rules,
            options={"ftol": 1e-12},
        )
        for i in nearest
    ]
    refined = min(r.fun for r in found if max(c(*r.x) for c in p.constraints) < 1e-6)
    assert refined == pytest.approx(p.optimum, abs=2e-6)


def test_published_minima_become_maxima_and_constraints_become_margins():
    problem = PROBLEMS["floudas-mi2"].problem("floudas-mi2")
    objective, margins = problem.evaluate((1.0, 1))
    assert objective == pytest.approx(1 - 2 + np.log(0.5))
    assert margins == [pytest.approx(1 + np.log(0.5) - 1)]
    assert problem.best == -2.1244676
    assert problem.space.counts == (None, 2)
