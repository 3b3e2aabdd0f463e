"""Choices without order: kernels, searches and samples that know no distance but equal and different."""

import dataclasses
import math
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymoo.core.problem import Problem

from contract_wrapper import Categorical, CPMESConfig, DesignSpace, History, Real, ask
from contract_wrapper.bo.candidates.inner_search import around, refine_front
from contract_wrapper.bo.candidates.pareto import _operators, pareto_front_nsga2
from contract_wrapper.bo.candidates.sampling import farthest, initial_designs
from contract_wrapper.bo.gp.covariance import Hyper, squared_gaps
from contract_wrapper.bo.gp.regression import GaussianProcess
from contract_wrapper.bo.rivals import RIVALS
from contract_wrapper.bo.suggestion import SpaceExhausted
from contract_wrapper.bo.surrogates import fit
from contract_wrapper.errors import ContractsError

CHEAP = CPMESConfig(n_paths=4, population=8, generations=3, refinements=3)
RULES = Categorical(name="rule", choices=("a", "b", "c", "d"))
MIXED = DesignSpace(dimensions=(Real(name="x", low=0.0, high=1.0), RULES, Real(name="y", low=0.0, high=1.0)))
MANY = DesignSpace(
    dimensions=(Real(name="x", low=0.0, high=1.0), Categorical(name="k", choices=tuple(f"c{i}" for i in range(50))))
)

plain = st.one_of(st.none(), st.booleans(), st.integers(-(10**6), 10**6), st.floats(), st.text(max_size=8))
some_choices = st.lists(plain, min_size=1, max_size=20, unique_by=lambda c: (type(c).__name__, repr(c)))


@settings(max_examples=30, deadline=None)
@given(some_choices, st.floats(0.0, 1.0), st.integers(0, 10**6))
def test_a_design_by_name_and_back_is_the_same_whatever_the_choices(choices, x, k):
    space = DesignSpace(dimensions=(Real(name="x", low=0.0, high=1.0), Categorical(name="kind", choices=choices)))
    design = (x, k % len(choices))
    named = space.named(design)
    assert type(named["kind"]) is type(choices[design[1]])
    assert repr(named["kind"]) == repr(choices[design[1]])
    assert space.design_of(named) == design
    assert space.from_unit(space.to_unit([design])).tolist() == [list(design)]
    assert space.contains(design)
    assert not space.contains((x, len(choices)))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 1000), st.floats(0.0, 1.0))
def test_a_uniform_point_of_the_cube_takes_each_choice_with_the_same_share(count, u):
    space = DesignSpace(dimensions=(Categorical(name="k", choices=tuple(range(count))),))
    ((place,),) = space.from_unit([[u]]).tolist()
    assert place == min(int(u * count), count - 1)
    assert space.to_unit([[place]])[0, 0] == pytest.approx((place + 0.5) / count)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Categorical(name="k", choices=()), "a sequence of 1 to 1000 choices, but got \\(\\)"),
        (lambda: Categorical(name="k", choices="ab"), "a sequence of 1 to 1000 choices, but got 'ab'"),
        (lambda: Categorical(name="k", choices=3), "a sequence of 1 to 1000 choices"),
        (lambda: Categorical(name="k", choices=range(1001)), "a sequence of 1 to 1000 choices"),
        (lambda: Categorical(name="k", choices=([1], [2])), "None, booleans, numbers or texts as choices"),
        (lambda: Categorical(name="k", choices=("a", "b", "a")), "choices that differ"),
        (lambda: Categorical(name="", choices=("a", "b")), "needs a name"),
        (lambda: RULES.place("z"), "rule must be one of .* but got 'z'"),
        (lambda: MIXED.design_of({"x": 0.5, "rule": "a"}), "a value for each of"),
        (lambda: MIXED.design_of({"x": 2.0, "rule": "a", "y": 0.5}), "x must be a number from 0 to 1"),
        (lambda: MIXED.named((0.5, 1.5, 0.5)), "rule must be an integer from 0 to 3"),
        (lambda: MIXED.named((0.5, 4, 0.5)), "rule must be an integer from 0 to 3"),
    ],
)  # fmt: skip
def test_what_is_no_choice_is_refused(make, message):
    with pytest.raises(ContractsError, match=message):
        make()


def test_true_one_and_one_point_zero_are_three_choices_and_numpy_scalars_become_plain():
    kinds = Categorical(name="k", choices=(True, 1, 1.0, None, float("nan"), np.float64(2.5)))
    assert [kinds.place(choice) for choice in (True, 1, 1.0, None, float("nan"), 2.5)] == [0, 1, 2, 3, 4, 5]
    assert type(kinds.choices[-1]) is float
    with pytest.raises(dataclasses.FrozenInstanceError):
        kinds.name = "other"


def test_different_choices_are_one_apart_and_equal_ones_not_at_all():
    unit = MIXED.to_unit([(0.0, 0, 0.0), (0.5, 1, 0.0), (0.5, 3, 1.0), (0.0, 3, 0.0)])
    gaps = squared_gaps(unit, unit, MIXED.categorical)
    assert gaps[1].tolist() == [[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]]
    np.testing.assert_array_equal(gaps[[0, 2]], squared_gaps(unit, unit)[[0, 2]])


def process_at(designs, y, kernel="se"):
    hyper = Hyper(
        lengthscales=(0.4, 0.8, 0.6), amplitude=1.2, noise=1e-3, local_amplitude=0.3, local_lengthscales=(0.1, 0.3, 0.2)
    )
    unit = MIXED.to_unit(designs)
    return GaussianProcess(x=unit, y=y, noise_sd=np.zeros(len(y)), kernel=kernel, hyper=hyper, categorical=(1,))


@pytest.mark.parametrize("kernel", ["se", "matern"])
def test_a_permutation_of_the_choices_changes_no_prediction(kernel):
    rng = np.random.default_rng(0)
    designs, others, order = MIXED.sample(rng, 12), MIXED.sample(rng, 9), np.array([2.0, 0.0, 3.0, 1.0])
    y = rng.standard_normal(12)

    def renamed(rows):
        rows = rows.copy()
        rows[:, 1] = order[rows[:, 1].astype(int)]
        return rows

    first, second = process_at(designs, y, kernel), process_at(renamed(designs), y, kernel)
    for mine, theirs in zip(
        first.predict(MIXED.to_unit(others)), second.predict(MIXED.to_unit(renamed(others))), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("kernel", ["se", "matern"])
def test_paths_over_choices_have_the_covariance_of_the_prior(kernel):
    """Over a grid as over scattered designs: both ways of drawing know what has no order."""
    process = process_at(np.array([[0.5, 0, 0.5]]), np.zeros(1), kernel)
    process = dataclasses.replace(process, noise_sd=np.full(1, 1e3))  # which tells next to nothing
    on_grid = MIXED.to_unit([(x, k, 0.5) for x in (0.2, 0.6) for k in range(4)])
    scattered = MIXED.to_unit([(x, k, y) for x, k, y in zip(np.linspace(0, 1, 7), [0, 1, 2, 3, 0, 3, 1], np.linspace(1, 0, 7) ** 2, strict=True)])  # fmt: skip
    for designs in (on_grid, scattered):
        paths = process.posterior_paths(designs, 40_000, np.random.default_rng(1))
        np.testing.assert_allclose(np.cov(paths.T), process.prior_covariance(designs), atol=0.04)


def test_a_choice_that_does_not_matter_gets_a_long_length_scale_and_one_that_does_a_short_one():
    rng = np.random.default_rng(3)
    designs = MIXED.sample(rng, 30)
    phase = np.array([0.0, 2.0, 4.0, 1.0])[designs[:, 1].astype(int)]
    wave, own = np.sin(6 * designs[:, 0]), np.sin(6 * designs[:, 0] + phase)
    lengths = []
    for objective in (wave, own):
        surrogates = fit(MIXED, History(designs=designs, objective=objective, margins=np.empty((30, 0))))
        lengths.append(surrogates.parts[0].hyper.lengthscales[1])
    assert lengths[0] > 2.0
    assert lengths[1] < lengths[0] / 2
    assert math.exp(-0.5 / lengths[0] ** 2) > 0.88  # what one choice tells of another


def hill(design):
    """Best with the third rule at x = 0.7; the first has a hill of its own, half as high. Feasible up to y = 0.6."""
    x, rule, y = design
    return [0.5, 0.0, 1.0, 0.2][int(rule)] - (x - (0.7 if rule == 2 else 0.2)) ** 2 + 0.3 * y, [0.6 - y]


def searched(rule, n, seed):
    """Designs and values of a search by any `ask`, after 6 initial designs."""
    history = History.empty(MIXED, ("limit",))
    for design in initial_designs(MIXED, 6, np.random.default_rng(seed)):
        history = history.add(MIXED.as_design(design), *hill(design))
    for _ in range(n):
        (pick,) = rule(MIXED, history, (), 1, seed=seed)
        assert MIXED.contains(pick.design)
        history = history.add(pick.design, *hill(pick.design))
    return history


def best_of(history):
    return history.objective[history.feasible()].max(initial=-math.inf)


def cheap(*args, **kwargs):
    return ask(*args, **kwargs, config=CHEAP)


def test_the_good_choice_is_found_and_nearly_all_later_designs_have_it():
    history = searched(cheap, 8, 0)
    assert (history.designs[6:, 1] == 2).sum() >= 6
    assert best_of(history) > 1.15  # 1.18 is the best there is


@pytest.mark.slow
def test_a_search_over_choices_beats_chance_on_every_seed():
    for seed in range(3):
        history = searched(cheap, 20, seed)
        assert (history.designs[-6:, 1] == 2).all()
        assert best_of(history) > best_of(searched(RIVALS["random"], 20, seed)) + 1e-3
        assert best_of(history) > 1.179


@pytest.mark.parametrize("name", RIVALS)
def test_every_rule_suggests_designs_of_a_mixed_space(name):
    history = searched(RIVALS["random"], 4, 0)
    picks = RIVALS[name](MIXED, history, [(0.5, 2, 0.5)], 2, seed=1)
    assert len({pick.design for pick in picks}) == 2
    for pick in picks:
        assert MIXED.contains(pick.design)
        assert [type(value) for value in pick.design] == [float, int, float]


def test_fifty_choices_and_pending_designs_keep_a_batch_apart():
    rng = np.random.default_rng(0)
    designs = initial_designs(MANY, 12, rng)
    assert len(np.unique(designs[:, 1])) == 12
    history = History(designs=designs, objective=-np.abs(designs[:, 1] - 30) / 50, margins=np.empty((12, 0)))
    picks = ask(MANY, history, [(0.5, 3)], 3, seed=0, config=CHEAP)
    assert len({(0.5, 3), *(pick.design for pick in picks)}) == 4
    assert ask(MANY, history, [(0.5, 3)], 3, seed=0, config=CHEAP) == picks


def test_a_set_of_choices_is_used_up_without_a_repeat():
    space = DesignSpace(
        dimensions=(
            Categorical(name="a", choices=(None, True, "x")),
            Categorical(name="b", choices=(1.5, "y")),
            Categorical(name="only", choices=("one",)),
        )
    )
    assert space.grid().tolist() == [[a, b, 0] for a in (0, 1, 2) for b in (0, 1)]
    history = History.empty(space, ("c",))
    for _ in range(6):
        (pick,) = ask(space, history, seed=0, config=CHEAP)
        history = history.add(pick.design, sum(pick.design), [1.0])
    assert len(np.unique(history.designs, axis=0)) == 6
    with pytest.raises(SpaceExhausted):
        ask(space, history, seed=0, config=CHEAP)


def test_initial_designs_take_every_choice_and_reach_the_bounds():
    designs = initial_designs(MIXED, 8, np.random.default_rng(0))
    counts = np.bincount(designs[:, 1].astype(int), minlength=4)
    assert counts.min() >= 1
    assert counts.max() <= 3
    assert len(np.unique(designs, axis=0)) == 8
    assert np.isin(designs[:, [0, 2]], [0.0, 1.0]).all(axis=1).sum() >= 3
    assert len(initial_designs(MANY, 100, np.random.default_rng(0))) == 100


def test_a_space_filling_design_begins_in_the_middle_of_the_numbers_and_tries_every_choice():
    filled = [design for design, _ in islice(farthest(MIXED, np.empty((0, 3))), 6)]
    assert (filled[0][0], filled[0][2]) == (0.5, 0.5)  # whichever the choice: none lies in the middle
    assert {design[1] for design in filled} == {0, 1, 2, 3}


def test_small_steps_leave_a_choice_or_take_any_other():
    rng = np.random.default_rng(0)
    start = np.array([[0.5, 25.0]])
    near = around(MANY, start, np.zeros(1), 1e-6, rng)
    near = np.vstack([near, *(around(MANY, start, np.zeros(1), 1e-6, rng) for _ in range(40))])
    kept = near[:, 1] == 25
    assert 0.75 < kept.mean() < 0.87  # four fifths, and a fiftieth of the others by chance
    assert len(np.unique(near[~kept, 1])) > 45
    assert np.abs(near[:, 0] - 0.5).max() < 1e-4


def test_offspring_have_a_choice_of_a_parent_or_any_but_none_between():
    problem = Problem(n_var=2, n_obj=1, xl=0.0, xu=1.0)
    parents = np.tile([[[0.01, 0.01]], [[0.99, 0.99]]], (1, 400, 1))
    operators, rng = _operators((1,)), np.random.default_rng(0)
    children = operators["crossover"]._do(problem, parents.copy(), random_state=rng)
    assert set(children[:, :, 1].ravel()) == {0.01, 0.99}
    assert (children[0, :, 1] != children[1, :, 1]).all()  # each of the two is inherited once
    assert len(set(children[:, :, 0].ravel())) > 100  # numbers are mixed
    mutants = operators["mutation"]._do(problem, parents[0].copy(), random_state=rng)
    drawn = mutants[mutants[:, 1] != 0.01, 1]
    assert 0.3 < len(drawn) / 400 < 0.7
    assert abs(drawn.mean() - 0.5) < 0.1  # uniform: no choice is near another


def test_a_front_over_choices_holds_the_best_of_them():
    def objectives(designs):
        far = np.abs(designs[:, 1] - 24.5)
        return np.stack([far + designs[:, 0], far - designs[:, 0]], axis=1)

    front, _ = pareto_front_nsga2(MANY, objectives, seed=0, pop=16, gens=12)
    assert set(front[:, 1]) == {0.0, 49.0}


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10**6))
def test_a_refined_front_of_choices_holds_each_design_once(seed):
    space = DesignSpace(dimensions=tuple(Categorical(name=str(i), choices=tuple("abcdefgh")) for i in range(5)))
    assert space.grid() is None
    target = np.array([1.0, 7.0, 3.0, 0.0, 5.0])

    def score(designs):
        return (designs == target).sum(axis=1).astype(float)

    rng = np.random.default_rng(seed)
    front = refine_front(space, space.sample(rng, 30), lambda d: score(d)[:, None], score, 16, rng)
    assert len(np.unique(front, axis=0)) == len(front)
    assert score(front).max() == 5.0
