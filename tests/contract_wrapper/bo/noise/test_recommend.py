"""What is recommended: what is worth most by belief, with its luck taken off, and what cannot be told from it."""

import dataclasses
import time

import numpy as np
import pytest

from contract_wrapper.bo.cpmes import AGAIN, ask
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.dimensions import Integer, Real
from contract_wrapper.bo.fitting.training_set import EXACT_RESULTS
from contract_wrapper.bo.history import History
from contract_wrapper.bo.noise import recommend as module
from contract_wrapper.bo.noise.recommend import again, recommend
from contract_wrapper.bo.rivals import cei, random_search
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.bo.surrogates import best_so_far, fit
from contract_wrapper.errors import ContractsError

LINE = DesignSpace(dimensions=(Integer(name="x", low=0, high=40),))


def told(xs, values, margins=None, se=1.0, space=LINE):
    margins = 3.0 + 0.1 * (np.arange(len(xs)) % 3) if margins is None else np.asarray(margins, float)
    return History(
        designs=np.asarray(xs, float).reshape(len(xs), -1), objective=np.asarray(values, float), margins=margins[:, None],
        constraints=("slack",), objective_se=None if se is None else np.full(len(xs), se),
    )  # fmt: skip


def plateau(seed, noise=20.0, n=24):
    """Zero on a cliff below 10, 300 on a plateau above it, read with noise."""
    rng = np.random.default_rng(seed)
    xs = rng.permutation(41)[:n]
    return told(xs, np.where(xs < 10, 0.0, 300.0) + noise * rng.standard_normal(n), se=3.0)


def test_a_contract_that_may_be_refused_counts_what_is_left_without_it():
    xs = np.arange(0, 41, 2)
    history = told(xs, 10.0 + 0.1 * xs, 20.0 - xs, se=None)  # the best read is infeasible from 21 on
    found = recommend(LINE, history, otherwise=0.0)
    assert found.best.design == (20,) or found.best.design == (18,)
    assert found.best.probability_feasible > 0.4
    by_design = {b.design: b for b in found.ranked}
    assert by_design[(40,)].value == pytest.approx(0.0, abs=0.5)
    assert by_design[(40,)].objective_mean == pytest.approx(14.0, abs=0.5)


def test_the_belief_of_what_is_recommended_is_less_flattered_than_the_surrogates_own():
    """On the plateau all are 300: what exceeds that is luck."""
    lucky, anew = [], []
    for seed in range(12):
        history = plateau(seed)
        mean, _ = fit(LINE, history).predict(LINE.to_unit(history.designs))
        lucky.append(mean[0].max() - 300.0)
        best = recommend(LINE, history, otherwise=0.0).best
        anew.append(best.objective_mean - 300.0)
        assert best.design[0] >= 10
    assert np.mean(anew) < 0.6 * np.mean(lucky)
    assert np.mean(lucky) > 0


def test_intervals_hold_what_they_say():
    holds = []
    for seed in range(30):
        low, high = recommend(LINE, plateau(100 + seed), otherwise=0.0, n_paths=50).interval
        holds.append(low <= 300.0 <= high)
    assert np.mean(holds) >= 0.8  # of 30, where 29 are expected


def test_designs_that_are_alike_cannot_be_told_apart_and_one_that_stands_out_can():
    many = [len(recommend(LINE, plateau(seed), otherwise=0.0).alike()) for seed in range(6)]
    xs = np.arange(0, 41, 4)
    peak = told(xs, np.where(xs == 20, 100.0, 0.0) + 0.01 * xs, se=0.5)
    one = recommend(LINE, peak, otherwise=0.0)
    assert np.median(many) > 3
    assert [b.design for b in one.alike()] == [(20,)] == [one.best.design]
    assert one.best.probability_best > 0.95
    assert one.loss_bound == pytest.approx(0.0, abs=1e-6)


def test_probabilities_of_being_best_add_to_one_and_the_loss_is_bounded_by_what_the_others_may_hold():
    found = recommend(LINE, plateau(2), otherwise=0.0)
    assert sum(b.probability_best for b in found.ranked) == pytest.approx(1.0)
    assert 0 < found.loss_bound < 60
    assert [b.value for b in found.ranked] == sorted((b.value for b in found.ranked), reverse=True)


def test_few_repeats_widen_the_interval_and_the_bound_of_the_loss(monkeypatch):
    history = plateau(2)
    wide = recommend(LINE, history, otherwise=0.0)
    monkeypatch.setattr(module, "_widening", lambda _: 1.0)
    normal = recommend(LINE, history, otherwise=0.0)
    assert wide.widening == pytest.approx(3.182 / 1.960, rel=1e-3)  # Student's t of 3 degrees of freedom
    assert np.diff(wide.interval) == pytest.approx(wide.widening * np.diff(normal.interval))
    assert wide.loss_bound > 1.2 * normal.loss_bound


def test_equal_arguments_recommend_alike_and_repeats_of_a_constraint_change_nothing():
    history = plateau(3)
    five = dataclasses.replace(
        history, margins=np.repeat(history.margins, 5, axis=1), constraints=tuple("abcde"), margins_se=None
    )
    first = recommend(LINE, history, otherwise=0.0, seed=4)
    assert first == recommend(LINE, history, otherwise=0.0, seed=4) == recommend(LINE, five, otherwise=0.0, seed=4)


def test_without_results_nothing_is_recommended():
    with pytest.raises(ContractsError, match="no design of the space is measured"):
        recommend(LINE, History.empty(LINE), otherwise=0.0)
    with pytest.raises(ContractsError, match="say nothing"):
        recommend(LINE, told([1, 2], [0.0, 1.0]), otherwise=0.0)
    with pytest.raises(ContractsError, match="otherwise"):
        recommend(LINE, plateau(1), otherwise=float("nan"))


def test_what_lies_outside_of_the_space_is_learned_from_and_never_recommended():
    history = plateau(4)
    history = history.add((-5.0,), 1e3, [1.0], objective_se=3.0)
    assert all(LINE.contains(b.design) for b in recommend(LINE, history, otherwise=0.0).ranked)


def test_a_noisy_search_measures_again_every_third_trial_and_a_deterministic_one_never():
    noisy, exact = plateau(5), told(range(12), np.arange(12.0), se=None)
    seen = {tuple(row) for row in noisy.designs.tolist()}
    trial = AGAIN * 10 - 1  # trials count from 0
    (pick,) = ask(LINE, noisy, seed=0, trial=trial)
    assert pick.again
    assert (float(pick.design[0]),) in seen
    assert "measured again" in pick.why()
    assert not ask(LINE, noisy, seed=0, trial=trial + 1)[0].again
    never = CPMESConfig(repeats=False)
    assert (float(ask(LINE, noisy, seed=0, trial=trial, config=never)[0].design[0]),) not in seen
    assert (float(ask(LINE, exact, seed=0, trial=trial)[0].design[0]),) not in set(map(tuple, exact.designs.tolist()))


def test_a_small_grid_is_never_emptied_by_noise():
    pair = DesignSpace(dimensions=(Integer(name="x", low=0, high=3),))
    history = told([0, 1, 2, 3, 0, 1], [0.0, 1.0, 2.0, 2.1, 0.3, 1.2], se=0.3, space=pair)
    assert pair.contains(ask(pair, history, seed=0, trial=7)[0].design)
    assert pair.contains(cei(pair, history, seed=0, trial=7)[0].design)


def test_one_of_leader_and_challenger_is_measured_again_that_which_is_known_less():
    xs = [0, 10, 20, 20, 20, 20, 30, 40]
    history = told(xs, [0.0, 50.0, 100.0, 101.0, 99.0, 100.0, 98.0, 40.0], se=5.0)
    found = again(LINE, history, fit(LINE, history), np.empty((0, 1)), np.random.default_rng(0))
    assert [b.design for b in found] == [(30,), (20,)]
    pending = again(LINE, history, fit(LINE, history), np.array([[30.0]]), np.random.default_rng(0))
    assert (30,) not in [b.design for b in pending]
    everything = np.arange(41.0)[:, None]
    assert again(LINE, history, fit(LINE, history), everything, np.random.default_rng(0)) == ()


def test_of_very_many_results_a_bounded_number_is_compared_and_one_of_them_measured_again():
    square = DesignSpace(dimensions=(Real(name="x", low=0.0, high=1.0), Real(name="y", low=0.0, high=1.0)))
    rng = np.random.default_rng(0)
    designs = square.sample(rng, 4000)
    noise = 0.01 * rng.standard_normal((2, 4000))
    history = told(designs, 1 - ((designs - 0.5) ** 2).sum(axis=1) + noise[0], 1 + noise[1], se=0.01, space=square)
    start = time.process_time()
    (pick,) = ask(square, history, seed=0, trial=AGAIN * 1500 - 1)
    found = recommend(square, history)
    assert time.process_time() - start < 20  # 2 on a free machine; paths at all designs take minutes and gigabytes
    assert pick.again
    assert len(found.ranked) <= EXACT_RESULTS
    assert np.hypot(*(np.array(found.best.design) - 0.5)) < 0.1


def test_repeats_count_as_often_as_they_were_measured():
    xs = [0, 10, 20, 30, 40, 5, 15, 25]
    values = np.array([0.0, 5.0, 9.0, 5.0, 1.0, 3.0, 8.0, 8.0])
    once = told(xs, values, se=1.0)
    often = told([*xs, *[20] * 12], [*values, *[9.0 + (-1) ** k for k in range(12)]], se=1.0)
    sd = [next(b.objective_sd for b in recommend(LINE, h).ranked if b.design == (20,)) for h in (once, often)]
    assert sd[1] < 0.6 * sd[0]


def test_a_batch_measures_nothing_twice_at_once():
    history = plateau(6)
    picks = ask(LINE, history, seed=1, number=6, trial=AGAIN * 4 - 1)
    assert sum(p.again for p in picks) == 2
    assert len({p.design for p in picks}) == 6


def test_what_is_improved_on_is_believed_where_results_are_noisy():
    history = plateau(7)
    surrogates, none = fit(LINE, history), np.empty((0, 1))
    assert best_so_far(LINE, history, surrogates, none) < history.objective.max() - 1
    exact = told(range(12), np.arange(12.0), se=None)
    assert best_so_far(LINE, exact, fit(LINE, exact), none) == 11.0


def test_results_are_noisy_if_errors_are_stated_or_one_design_reads_otherwise():
    assert told([1, 2, 3], [0.0, 1.0, 2.0], se=0.1).is_noisy
    assert not told([1, 2, 3], [0.0, 1.0, 2.0], se=None).is_noisy
    assert not told([1, 2, 2], [0.0, 1.0, 1.0], np.ones(3), se=None).is_noisy
    assert told([1, 2, 2], [0.0, 1.0, 1.1], np.ones(3), se=None).is_noisy
    assert told([1, 2, 2], [0.0, 1.0, 1.0], [0.0, 1.0, 2.0], se=None).is_noisy


def test_what_reads_the_same_again_is_said_to_be_exact():
    history = dataclasses.replace(plateau(5), noisy=False)
    assert not history.is_noisy
    assert dataclasses.replace(told([1, 2], [0.0, 1.0], se=None), noisy=True).is_noisy
    seen = {tuple(row) for row in history.designs.tolist()}
    picks = ask(LINE, history, seed=0, number=4, trial=AGAIN * 4 - 1)
    assert not any(p.again for p in picks)
    assert not seen & {tuple(map(float, p.design)) for p in picks}


@pytest.mark.parametrize("rule", [ask, cei, random_search])
def test_a_constraint_that_is_told_five_times_changes_no_suggestion(rule):
    space = DesignSpace(dimensions=(Real(name="tax", low=0.0, high=1.0, step=0.05), Integer(name="n", low=1, high=4)))
    rng = np.random.default_rng(8)
    designs = space.sample(rng, 9)
    values, margins = designs.sum(axis=1), np.column_stack([1 - designs[:, 0] * 2, designs[:, 1] - 1.5])
    twice = margins[:, [0, 0, 1, 0, 0, 1, 0]]
    one, seven = (
        History(designs=designs, objective=values, margins=m, constraints=tuple("abcdefg"[: m.shape[1]]),
                participation=p)
        for m, p in ((margins, 1), (twice, 2))
    )  # fmt: skip
    for trial in (9, 10):
        assert rule(space, one, seed=3, trial=trial, number=2) == rule(space, seven, seed=3, trial=trial, number=2)


def test_distinct_constraints_stay_and_keep_their_roles():
    margins = np.array([[1.0, 1.0, 0.0, 2.0], [2.0, 2.0, 1.0, 0.0]])
    history = History(
        designs=np.array([[1.0], [2.0]]), objective=np.zeros(2), margins=margins, constraints=tuple("abcd"),
        participation=1, binary=(2,), margins_se=np.array([[0.1, 0.1, 0.0, 0.0]] * 2),
    )  # fmt: skip
    kept = history.distinct()
    assert (kept.constraints, kept.participation, kept.binary) == (("b", "c", "d"), 0, (1,))
    other_error = dataclasses.replace(history, margins_se=np.array([[0.1, 0.2, 0.0, 0.0]] * 2))
    assert other_error.distinct() is other_error
