"""Boxes around the best design: what they hold, when they are searched, and when the whole space is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contract_wrapper.bo.candidates import trust_region
from contract_wrapper.bo.candidates.inner_search import maximise
from contract_wrapper.bo.candidates.trust_region import LARGEST_SIDE, MOST_INSIDE, SMALLEST_SIDE, Box, has_room
from contract_wrapper.bo.cpmes import ask
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.dimensions import Categorical, Integer, Real
from contract_wrapper.bo.history import History
from contract_wrapper.bo.rivals import cei
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.bo.surrogates import fit, leader


def numbers(n):
    return tuple(Real(name=f"x{k}", low=-1.0, high=3.0) for k in range(n))


CUBE = DesignSpace(dimensions=numbers(3))
SHARED = Categorical(name="shared", choices=("equally", "by work", None))
CHEAP = CPMESConfig(n_paths=4, population=12, generations=3, refinements=2)
NONE = np.empty((0, 3))
points = arrays(float, st.tuples(st.integers(1, 12), st.just(3)), elements=st.floats(-0.5, 1.5, width=32))


def valley(design, top=(1.0, 0.0, 2.0)):
    """A hill with one constraint that holds on the near side of a plane: value, margins."""
    away = np.array(design) - top
    return -float(away @ away), [2.5 - float(sum(design)) / 2]


def history_of(designs, problem=valley, space=CUBE, constraints=("plane",)):
    history = History.empty(space, constraints)
    for design in designs:
        history = history.add(design, *problem(design))
    return history


def inside(box, unit):
    return np.abs(box.clip(np.asarray(unit)) - unit).max() < 1e-9


def some(n, seed=0, space=CUBE):
    return space.sample(np.random.default_rng(seed), n)


@given(points, points)
def test_a_box_is_the_largest_of_halved_sides_that_holds_three_known_designs(known, centres):
    centre = np.clip(centres[0], 0.0, 1.0)
    box = Box.around(CUBE, centres[0], known)
    assert ((box.low >= 0) & (box.high <= 1) & (box.low <= centre) & (centre <= box.high)).all()

    def held(side):
        return sum(np.abs(row - centre).max() <= side / 2 for row in {tuple(row) for row in known})

    sides = [LARGEST_SIDE * 0.5**k for k in range(11)]
    fits = [side for side in sides if held(side) <= MOST_INSIDE]
    side = fits[0] if fits else SMALLEST_SIDE
    np.testing.assert_allclose(box.low, np.maximum(centre - side / 2, 0))
    np.testing.assert_allclose(box.high, np.minimum(centre + side / 2, 1))


@given(points, st.randoms())
def test_neither_the_order_of_results_nor_repeats_change_a_box(known, random):
    shuffled = [*known.tolist(), *known[:3].tolist()]
    random.shuffle(shuffled)
    one, other = Box.around(CUBE, known[0], known), Box.around(CUBE, known[0], np.array(shuffled))
    assert one.low.tolist() == other.low.tolist()
    assert one.high.tolist() == other.high.tolist()


def test_a_box_has_every_choice_and_distances_do_not_count_them():
    space = DesignSpace(dimensions=(*numbers(3), SHARED))
    known = space.to_unit([[1, 1, 1, k % 3] for k in range(9)] + [[1.2, 1, 1, 2]])
    box = Box.around(space, known[0], known)
    assert (box.low[3], box.high[3]) == (0.0, 1.0)
    found = maximise(space, lambda d: d[:, 3] - d[:, 0], NONE, np.random.default_rng(0), box)
    assert set(found[:, 3]) == {0.0, 1.0, 2.0}
    np.testing.assert_allclose(found[:, 0].min(), -1 + 4 * box.low[0])
    assert box.width[:3].max() < 0.11  # three places of the first nine, and the tenth 0.05 away


def test_the_largest_value_of_a_box_is_found_and_nothing_outside():
    box = Box(low=np.array([0.1, 0.2, 0.3]), high=np.array([0.4, 0.25, 0.9]))
    known = CUBE.from_unit([[0.2, 0.22, 0.5], [0.9, 0.9, 0.9]])
    found = maximise(CUBE, lambda d: d.sum(axis=1), known, np.random.default_rng(0), box)
    unit = CUBE.to_unit(found)
    assert inside(box, unit)
    assert found.tolist().count(known[0].tolist()) == 1
    np.testing.assert_allclose(unit[np.argmax(found.sum(axis=1))], box.high, atol=1e-9)


@pytest.mark.parametrize(
    ("dimensions", "room"),
    [
        (numbers(3), True),
        (numbers(2), False),
        ((*numbers(2), SHARED), False),
        ((*numbers(2), Real(name="fixed", low=2.0, high=2.0)), False),
        ((*numbers(2), Integer(name="n", low=1, high=2)), True),
        (tuple(Integer(name=f"n{k}", low=0, high=9) for k in range(3)), False),  # a grid of 1000
        (tuple(Integer(name=f"n{k}", low=0, high=29) for k in range(3)), True),
    ],
)
def test_boxes_are_for_three_free_dimensions_with_an_order_that_are_no_grid(dimensions, room):
    assert has_room(DesignSpace(dimensions=dimensions)) is room


def test_a_step_stays_in_the_box_of_the_best_and_without_boxes_it_need_not():
    history = history_of(some(8))
    held = history.feasible()
    best = CUBE.to_unit(history.designs[held])[np.argmax(history.objective[held])]
    box = Box.around(CUBE, best, CUBE.to_unit(history.designs))
    near = [CUBE.to_unit([ask(CUBE, history, seed=s, config=CHEAP)[0].design])[0] for s in range(6)]
    assert inside(box, near)
    everywhere = replace(CHEAP, trust_region=False)
    picks = [ask(CUBE, history, seed=s, config=everywhere)[0] for s in range(6)]
    assert all(pick.on_front for pick in picks)
    assert not any(pick.on_front for pick in (ask(CUBE, history, seed=s, config=CHEAP)[0] for s in range(6)))


def test_a_step_takes_what_constrained_improvement_takes_in_the_box_where_that_is_the_space(monkeypatch):
    monkeypatch.setattr(trust_region, "LARGEST_SIDE", 2.0)
    monkeypatch.setattr(trust_region, "MOST_INSIDE", 99)
    history = history_of(some(8))
    assert ask(CUBE, history, seed=1)[0].design == cei(CUBE, history, seed=1)[0].design


def test_pending_designs_count_as_known_in_the_box():
    history = history_of(some(8))
    held = history.feasible()
    best = history.designs[held][np.argmax(history.objective[held])]
    pending = np.clip(best + 0.1 * some(8, 5), -1.0, 3.0)
    unit, known = CUBE.to_unit(pending), CUBE.to_unit(np.vstack([history.designs, pending]))
    surrogates = fit(CUBE, history)
    _, centre = leader(CUBE, history, surrogates.believe(unit), unit)
    box = Box.around(CUBE, centre, known)
    assert (box.width <= Box.around(CUBE, centre, known[:8]).width / 2).all()
    for seed in range(4):
        (pick,) = ask(CUBE, history, pending, seed=seed, trial=17, config=CHEAP)
        assert inside(box, CUBE.to_unit([pick.design]))


def refused(design):
    """Nothing within reach of a few results holds: the only feasible designs are near one corner."""
    return valley(design)[0], [-2.6 - float(sum(design)), 40.0 + float(design[0])]


def test_while_nothing_is_feasible_the_box_is_around_what_misses_the_least():
    history = history_of([*some(10), (-0.5, -0.4, -0.3)], refused, constraints=("sum", "other"))
    assert not history.feasible().any()
    box = Box.around(CUBE, CUBE.to_unit([(-0.5, -0.4, -0.3)])[0], CUBE.to_unit(history.designs))
    for seed in range(3):
        (pick,) = ask(CUBE, history, seed=seed, trial=11, config=CHEAP)  # even t: the box's turn
        assert inside(box, CUBE.to_unit([pick.design]))
        assert np.exp(pick.score) == pytest.approx(pick.probability_feasible)


def test_where_a_box_holds_nothing_likely_every_second_trial_takes_the_likeliest_design_of_all():
    history = history_of([*some(10), (-0.5, -0.4, -0.3)], refused, constraints=("sum", "other"))
    monotone = replace(history, margins=history.margins - [[20.0, 0.0]])  # hopeless everywhere
    (pick,), (likeliest,) = ask(CUBE, monotone, seed=3, trial=12), cei(CUBE, monotone, seed=3, trial=12)
    assert pick.design == likeliest.design
    assert pick.score < np.log(trust_region.WORTHWHILE)


def test_once_the_box_promises_nothing_every_second_trial_looks_everywhere():
    top = (1.0, 0.0, 1.5)
    ring = [np.array(top) + 0.02 * step for step in some(12)]
    history = history_of([*some(10), *ring, top], lambda design: valley(design, top))
    fronts = [ask(CUBE, history, seed=0, trial=trial, config=CHEAP)[0].on_front for trial in range(22, 28)]
    assert fronts == [trial % 2 == 0 for trial in range(22, 28)]  # t is trial + 1
    young = history_of(some(8))
    assert not any(ask(CUBE, young, seed=0, trial=trial, config=CHEAP)[0].on_front for trial in range(8, 12))


def test_where_results_are_noisy_the_box_is_around_the_best_belief():
    good, lucky = (1.0, 0.0, 1.5), (-0.9, 2.9, -0.9)
    history = history_of([*some(14), *[np.array(good) + 0.05 * step for step in some(8, 3)], *[lucky] * 4])
    history = replace(history, objective=np.append(history.objective[:-4], [0.5, -30.0, -29.0, -31.0]))
    assert history.is_noisy
    assert history.feasible()[-4]
    assert int(np.argmax(history.objective)) == len(history) - 4
    picks = [ask(CUBE, history, seed=s, trial=24, config=CHEAP)[0].design for s in range(4)]
    assert all(np.abs(np.subtract(pick, good)).max() < np.abs(np.subtract(pick, lucky)).max() for pick in picks)


def test_a_box_without_a_new_design_gives_way_to_the_front():
    grid = DesignSpace(dimensions=tuple(Integer(name=f"n{k}", low=0, high=29) for k in range(3)))
    best = (10, 10, 10)
    near = [(10 + a, 10 + b, 10 + c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)]
    history = history_of(near, lambda design: (valley(design, best)[0], [1.0]), grid)
    (pick,) = ask(grid, history, seed=0, trial=29, config=CHEAP)  # even t: the box's turn, whatever it promises
    assert pick.on_front
    assert pick.design not in near


def test_the_picks_of_a_batch_differ_and_other_batches_and_the_paper_have_no_boxes():
    history = history_of(some(8))
    picks = ask(CUBE, history, number=4, seed=0, config=CHEAP)
    assert len({pick.design for pick in picks}) == 4
    assert not CPMESConfig.paper().trust_region
    for batch in ("topk", "random", "cmi"):
        assert all(pick.on_front for pick in ask(CUBE, history, number=2, seed=0, config=replace(CHEAP, batch=batch)))


def test_a_status_quo_outside_the_space_may_be_the_best_and_the_box_still_has_room():
    history = history_of([*some(8), (-5.0, -5.0, -5.0)], lambda d: (0.0 if d[0] < -2 else -9.0 + valley(d)[0], [1.0]))
    (pick,) = ask(CUBE, history, seed=0, trial=9, config=CHEAP)
    assert CUBE.contains(pick.design)


def test_whether_there_are_boxes_must_be_true_or_false():
    with pytest.raises(ValueError, match="trust_region must be True or False"):
        CPMESConfig(trust_region="yes")
