"""The rivals' rules on a line of eleven designs and on a square, small enough to know the answer."""

import numpy as np
import pytest

from contract_wrapper.bo.candidates.inner_search import dense_near_best, maximise, refine_front
from contract_wrapper.bo.candidates.pareto import pareto_mask
from contract_wrapper.bo.dimensions import Integer, Real
from contract_wrapper.bo.history import History
from contract_wrapper.bo.rivals import RIVALS, _mace_objectives, best_so_far, cei, cmes, cmes_ibo, mace, random_search
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.bo.suggestion import SpaceExhausted
from contract_wrapper.bo.surrogates import fit
from contract_wrapper.errors import ContractsError

LINE = DesignSpace(dimensions=(Integer(name="x", low=0, high=10),))
SQUARE = DesignSpace(dimensions=(Real(name="a", low=0.0, high=1.0), Real(name="b", low=0.0, high=1.0)))


def line_history(*, limit, at=(0, 2, 5, 10)):
    """The objective rises to the right; feasible up to a limit."""
    history = History.empty(LINE, ("limit",))
    for x in at:
        history = history.add((x,), float(x), [limit - x])
    return history


def designs_of(suggestions):
    return [suggestion.design for suggestion in suggestions]


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_is_a_pure_function_that_gives_new_designs_and_ends_with_the_space(name):
    history = line_history(limit=6.5)
    picks = RIVALS[name](LINE, history, [(7,)], 6, seed=3)
    assert repr(picks) == repr(RIVALS[name](LINE, history, [(7,)], 6, seed=3))  # as text, where NaN equals itself
    assert {x for (x,) in designs_of(picks)} == {1, 3, 4, 6, 8, 9}
    with pytest.raises(SpaceExhausted):
        RIVALS[name](LINE, history, [(x,) for x in (1, 3, 4, 6, 7, 8, 9)], seed=3)
    with pytest.raises(ContractsError, match="number of suggestions must be an integer from 1"):
        RIVALS[name](LINE, history, number=0, seed=3)


@pytest.mark.parametrize("name", ["random", "cEI", "cMES", "CMES-IBO"])
def test_a_batch_is_a_sequence_of_asks_with_the_earlier_picks_pending(name):
    history = line_history(limit=6.5)
    together = designs_of(RIVALS[name](LINE, history, number=3, seed=1))
    (third,) = RIVALS[name](LINE, history, together[:2], seed=1)
    assert third.design == together[2]


@pytest.mark.parametrize("rival", [cei, cmes, cmes_ibo])
def test_rules_with_a_score_find_the_last_feasible_design_beyond_the_best(rival):
    (pick,) = rival(LINE, line_history(limit=6.5), seed=0)
    assert pick.design == (6,)


def test_cei_without_a_feasible_result_takes_the_likeliest_design():
    history = line_history(limit=0.9, at=(2, 5, 10))
    (pick,) = cei(LINE, history, seed=0)
    assert pick.design == (0,)
    assert np.exp(pick.score) == pytest.approx(pick.probability_feasible)


def test_a_pending_design_counts_for_the_best_so_far_if_it_is_believed_feasible():
    history = line_history(limit=6.5)
    surrogates = fit(LINE, history)
    best = [best_so_far(LINE, history, surrogates, LINE.to_unit([[x]])) for x in (1, 6, 8)]
    assert best == pytest.approx([5, 6, 5], abs=0.2)
    nothing = line_history(limit=-1)
    assert best_so_far(LINE, nothing, fit(LINE, nothing), np.empty((0, 1))) is None


def test_mace_has_three_objectives_until_a_result_is_feasible_and_six_then():
    mean, sd = np.array([[1.0, 2.0], [-3.0, 1.0]]), np.array([[1.0, 1.0], [2.0, 1.0]])
    first = _mace_objectives(mean, sd, None, 1, 1)
    np.testing.assert_allclose(first[:, 1:], [[-3.0, -1.5], [0.0, 0.0]])  # short by 3, or 1.5 deviations
    np.testing.assert_allclose(np.exp(first[:, 0]), [0.0668, 0.8413], atol=1e-4)
    second = _mace_objectives(mean, sd, 1.0, 1, 1)
    assert second.shape == (2, 6)
    np.testing.assert_allclose(second[:, :3], first)
    np.testing.assert_allclose(second[:, 3] - mean[0], 2.0461, atol=1e-4)  # sqrt(ln(pi^2 / 0.15))
    np.testing.assert_allclose(np.exp(second[0, 4:]), [0.3989, 0.5], atol=1e-4)  # EI and PI at the best itself


def test_mace_picks_from_the_front_by_chance():
    history = line_history(limit=6.5)
    surrogates = fit(LINE, history)
    left = np.array([[x] for x in (1, 3, 4, 6, 7, 8, 9)], dtype=float)
    values = _mace_objectives(*surrogates.predict(LINE.to_unit(left)), 5.0, 5, 1)
    front = {int(x) for (x,) in left[pareto_mask(values)]}
    picked = {mace(LINE, history, seed=seed)[0].design[0] for seed in range(20)}
    assert len(picked) > 1
    assert picked <= front
    assert mace(LINE, history, seed=0)[0].front_size == len(front)


def test_chance_favours_no_design_and_needs_no_result():
    drawn = [random_search(LINE, History.empty(LINE), [(0,)], seed=seed)[0] for seed in range(1000)]
    counts = np.bincount([pick.design[0] for pick in drawn], minlength=11)
    assert counts[0] == 0
    assert (abs(counts[1:] - 100) < 45).all()
    assert drawn[0].why() == f"{drawn[0].design}: drawn at random"


def test_a_continuous_space_is_searched_to_five_digits_and_a_grid_is_taken_whole():
    peak = np.array([0.3, 0.7])
    found = maximise(SQUARE, lambda x: -((x - peak) ** 2).sum(axis=1), np.empty((0, 2)), np.random.default_rng(0))
    assert np.abs(found - peak).max(axis=1).min() < 1e-5
    np.testing.assert_array_equal(maximise(LINE, len, np.empty((0, 1)), np.random.default_rng(0)), LINE.grid())


def test_a_front_is_refined_where_its_score_is_high_and_stays_a_front():
    def objectives(x):  # the front is x1 from 0.5 on, with x2 at 0
        return np.stack([x[:, 0] - x[:, 1] ** 2, -((x[:, 0] - 0.5) ** 2) - x[:, 1] ** 2], axis=1)

    def score(x):
        return -np.abs(x[:, 0] - 0.7)

    start = SQUARE.sample(np.random.default_rng(0), 50)
    found = refine_front(SQUARE, start, objectives, score, 16, np.random.default_rng(1))
    assert pareto_mask(objectives(found)).all()
    best = found[np.argmax(score(found))]
    assert abs(best[0] - 0.7) < 1e-4
    assert best[1] < 0.01
    coarse = refine_front(SQUARE, start, objectives, score, 0, np.random.default_rng(1))
    assert score(coarse).max() < -1e-3
    assert {*map(tuple, coarse)} <= {*map(tuple, start)}


@pytest.mark.parametrize("name", ["random", "cEI", "cMES", "CMES-IBO"])
def test_continuous_designs_are_asked_for_too(name):
    history = History.empty(SQUARE, ("sum",))
    for a, b in ((0.1, 0.2), (0.8, 0.3), (0.4, 0.9), (0.5, 0.5)):
        history = history.add((a, b), a * b, [1.2 - a - b])
    picks = RIVALS[name](SQUARE, history, number=2, seed=0)
    assert len({*designs_of(picks)}) == 2
    assert all(SQUARE.contains(design) for design in designs_of(picks))
    assert "front" not in picks[0].why()


def test_designs_stand_dense_near_the_best_and_a_small_grid_as_a_whole():
    peak = np.array([0.3, 0.7])
    known = np.array([[0.1, 0.1]])
    found = dense_near_best(SQUARE, lambda x: -((x - peak) ** 2).sum(axis=1), known, np.random.default_rng(0))
    distance = np.sort(np.linalg.norm(found - peak, axis=1))
    assert distance[0] < 1e-5
    assert len(found) == len(np.unique(found, axis=0)) < 700
    assert 50 < (distance < 0.01).sum() < 200
    assert (found == known).all(axis=1).any()
    np.testing.assert_array_equal(dense_near_best(LINE, len, known, np.random.default_rng(0)), LINE.grid())
