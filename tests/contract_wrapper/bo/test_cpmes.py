import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contract_wrapper.bo import acquisition
from contract_wrapper.bo.candidates.sampling import initial_designs
from contract_wrapper.bo.cpmes import CPMES, ask
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.dimensions import Integer, Real
from contract_wrapper.bo.history import History
from contract_wrapper.bo.rivals import cei
from contract_wrapper.bo.scores import front_objectives
from contract_wrapper.bo.space import DesignSpace, contract_space
from contract_wrapper.bo.suggestion import SpaceExhausted
from contract_wrapper.errors import ContractsError

SPACE = contract_space()
SMALL = contract_space(max_cleaners=5, step=0.05)  # 105 designs
ROOT = Path(__file__).parents[3]
CHEAP = CPMESConfig(n_paths=4)


def strip(design):
    """A hill whose top, at tax 0.3 with 4 cleaners, lies beside the feasible strip: value, two margins."""
    tax, cleaners = design
    value = 100 - 200 * (tax - 0.3) ** 2 - 5 * (cleaners - 4) ** 2
    return value, [0.55 - abs(tax - 0.4) * 3, tax * 10 / cleaners - 0.8]


def history_of(designs, space=SPACE):
    history = History.empty(space, ("harvest", "slack"), participation=1)
    for design in designs:
        history = history.add(design, *strip(design))
    return history


START = [(0.0, 1), (0.0, 5), (1.0, 1), (1.0, 5), (0.5, 3), (0.2, 2)]


def designs_of(suggestions):
    return [suggestion.design for suggestion in suggestions]


def test_the_same_seed_and_history_give_the_same_ask_here_and_in_another_process():
    code = "from tests.contract_wrapper.bo.test_cpmes import *; print(ask(SPACE, history_of(START), number=2, seed=7))"
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert elsewhere.stdout.strip() == repr(ask(SPACE, history_of(START), number=2, seed=7))


def test_another_seed_or_trial_draws_other_paths():
    scores = {ask(SPACE, history_of(START), seed=s, trial=t)[0].score for s, t in [(1, 6), (2, 6), (1, 7)]}
    assert len(scores) == 3


def test_a_hundred_asks_in_a_row_never_repeat():
    search = CPMES(contract_space(step=0.05), seed=0, constraints=("slack",), participation=0, config=CHEAP)
    seen = set()
    for n in range(100):  # of 105 designs
        (pick,) = search.ask()
        assert pick.design not in seen
        seen.add(pick.design)
        if n < 25:  # the others stay pending
            value, margins = strip(pick.design)
            search.tell(pick.design, value, margins[1:])
    assert len(search.history) == 25
    assert len(search.pending) == 75


def test_a_batch_is_a_sequence_of_asks_with_the_earlier_picks_pending():
    for batch in ("believer", "cmi"):
        config = CPMESConfig(batch=batch, n_paths=8)
        together = ask(SPACE, history_of(START), number=3, seed=1, config=config)
        (third,) = ask(SPACE, history_of(START), designs_of(together[:2]), seed=1, config=config)
        assert third == together[2]


def test_believer_spreads_a_batch_where_topk_takes_neighbours():
    believer, topk = (
        designs_of(ask(SPACE, history_of(START), number=4, seed=1, config=CPMESConfig(batch=batch)))
        for batch in ("believer", "topk")
    )
    assert believer[0] == topk[0]
    assert believer != topk

    def spread(picks):
        unit = SPACE.to_unit(picks)
        return np.linalg.norm(unit[:, None] - unit, axis=2).sum()

    assert spread(believer) > spread(topk)


@pytest.mark.parametrize("batch", ["believer", "topk", "random", "cmi"])
def test_every_kind_of_batch_gives_new_and_different_designs(batch):
    config = CPMESConfig(batch=batch, n_paths=4)
    picks = designs_of(ask(SMALL, history_of(START, SMALL), [(0.3, 4)], number=4, seed=0, config=config))
    assert len({*picks, *START, (0.3, 4)}) == 4 + len(START) + 1


def test_a_failed_design_is_not_proposed_again():
    history = history_of(START)
    (first,) = ask(SPACE, history, seed=0, trial=9)
    (other,) = ask(SPACE, history.add_failed(first.design), seed=0, trial=9)
    assert first.design != other.design
    assert other.objective_mean == pytest.approx(first.objective_mean, abs=50)  # the fit never saw it


def test_when_all_is_evaluated_the_search_says_so_and_the_last_batch_is_short():
    space = contract_space(max_cleaners=2, step=0.25)  # 10 designs
    grid = [tuple(row) for row in space.grid()]
    assert len(ask(space, history_of(grid[:7], space), grid[7:8], number=5, seed=0)) == 2
    with pytest.raises(SpaceExhausted, match="finer grid"):
        ask(space, history_of(grid[:7], space).add_failed(grid[7]), grid[8:], seed=0)
    with pytest.raises(SpaceExhausted):
        ask(space, history_of([], space), grid, seed=0)


def test_without_results_the_space_is_filled_from_the_middle():
    picks = ask(SPACE, History.empty(SPACE), number=5, seed=3)
    assert designs_of(picks) == [(0.5, 3), (0.0, 1), (0.0, 5), (1.0, 1), (1.0, 5)]
    assert designs_of(ask(SPACE, History.empty(SPACE), number=5, seed=4)) == designs_of(picks)
    assert [pick.why() for pick in picks[:2]] == [
        "(0.5, 3): space-filling, nearest to the middle",
        "(0.0, 1): space-filling, 0.71 from the nearest other design",
    ]


def test_the_status_quo_is_learned_from_and_never_proposed():
    history = history_of(START).add((0.0, 0), 20.0, [0.0, 0.0])
    (pick,) = ask(SPACE, history, seed=0)
    assert SPACE.contains(pick.design)
    assert pick.design != (0.0, 0)


def test_nothing_feasible_yet_and_constant_margins_are_no_obstacle():
    history = history_of(START[:4])
    assert not history.feasible().any()
    bad = replace(history, margins=np.full((4, 2), -1.0))
    for h in (history, bad):
        (pick,) = ask(SPACE, h, seed=0)
        assert np.isfinite([pick.score, pick.objective_mean, pick.probability_feasible]).all()


def test_phi_of_zero_or_one_is_taken_as_such():
    history = history_of(START)
    phi = (history.margins[:, 1:] >= 0).astype(float)
    binary = replace(history, margins=np.hstack([history.margins[:, :1], phi]), binary=(1,))
    assert binary.feasible().tolist() == history.feasible().tolist()
    for config in (
        CPMESConfig(),
        CPMESConfig.paper(),
        CPMESConfig(feasibility_objective="logprob"),
        CPMESConfig(score="ibo"),
    ):
        assert ask(SPACE, binary, seed=0, config=config)[0].design not in START


def test_no_constraints_and_noisy_repeats_are_a_plain_search():
    history = History.empty(SPACE)
    for k, design in enumerate([*START, *START]):
        history = history.add(design, strip(design)[0] + k, objective_se=3.0)
    (pick,) = ask(SPACE, history, seed=0)
    assert pick.design not in START
    assert pick.probability_feasible == 1.0


def test_a_continuous_tax_is_searched_by_nsga2():
    space = DesignSpace(dimensions=(Real(name="tax", low=0.0, high=1.0), Integer(name="cleaners", low=1, high=5)))
    config = CPMESConfig(population=20, generations=5, n_paths=4)
    picks = ask(space, history_of(START, space), number=2, seed=0, config=config)
    assert picks == ask(space, history_of(START, space), number=2, seed=0, config=config)
    assert all(space.contains(pick.design) for pick in picks)
    assert isinstance(picks[0].design[1], int)


def test_the_best_feasible_design_is_found_in_twenty_asks_and_chance_finds_less():
    grid = SPACE.grid()
    values = np.array([strip(row)[0] if min(strip(row)[1]) >= 0 else -np.inf for row in grid])

    def regret(history):
        feasible = history.objective[history.feasible()]
        return values.max() - (feasible.max() if len(feasible) else values[np.isfinite(values)].min())

    searched, by_chance = [], []
    for seed in range(4):
        history = history_of(START[:5])
        for _ in range(20):
            (pick,) = ask(SPACE, history, seed=seed)
            history = history.add(pick.design, *strip(pick.design))
        searched.append(regret(history))
        drawn = np.random.default_rng(seed).choice(grid, 20, replace=False)
        by_chance.append(regret(history_of([*START[:5], *drawn])))
    assert sum(r < 0.1 for r in searched) >= 3, searched
    assert np.mean(searched) < np.mean(by_chance)


CORNERS = [(0.0, 1), (0.0, 5), (1.0, 1), (1.0, 5), (0.5, 3)]


def with_participation(margins):
    """A harvesters' margin that falls with the tax, and these margins of the cleaners."""
    history = History.empty(SPACE, ("harvest", "slack"), participation=1)
    for k, (design, margin) in enumerate(zip(CORNERS, margins, strict=False)):
        history = history.add(design, 150.0 + 10 * k, [2.0 - 3 * design[0], margin])
    return history


def test_idle_cleaners_at_no_cost_leave_participation_open_where_nothing_was_paid():
    (pick,) = ask(SPACE, with_participation([0, 0, 5, 3, 1]), seed=0)
    assert pick.design[0] > 0.0  # some pay is known to be accepted
    assert pick.probability_feasible > 0.3


@pytest.mark.parametrize(("margin", "expected"), [(0.0, 0.5), (5.0, 0.84), (-1.0, 0.16)])
def test_participation_that_never_varied_weighs_all_designs_alike(margin, expected):
    together = ask(SPACE, with_participation([margin] * 5), number=3, seed=0)
    assert len({*CORNERS, *designs_of(together)}) == 8
    assert all(0 < pick.probability_feasible <= expected + 0.01 for pick in together)


def test_results_that_are_all_equal_let_the_space_be_filled():
    history = History.empty(SPACE, ("slack",), participation=0)
    for design in CORNERS[:4]:
        history = history.add(design, 150.0, [0.0])
    (pick,) = ask(SPACE, history, seed=0)
    assert pick.design == (0.5, 3)
    assert "space-filling" in pick.why()


def test_five_harvesters_of_one_mind_count_as_five_independent_ones():
    one, five = (History.empty(SPACE, ("h",) * n) for n in (1, 5))
    for design in START:
        value, (harvest, _) = strip(design)
        one, five = one.add(design, value, [harvest]), five.add(design, value, [harvest] * 5)
    (single,), (joint,) = ask(SPACE, one, seed=0), ask(SPACE, five, seed=0)
    assert joint.front_size == single.front_size  # the sum of five equal logarithms ranks like one
    assert joint.design not in START


def crew(design, *, cliff=0.2, disaster=None, whole_crew=4):
    """Cleaners idle below a tax, and harvests are a cliff: welfare, margins of five harvesters and the cleaners."""
    tax, cleaners = design
    harvest = 150 + 400 * min(cleaners / whole_crew, 1) * (tax >= cliff)
    loss = 650 if tuple(design) == disaster else 0
    margins = [(1 - tax) * harvest / 5 - 30 - loss / 5] * 5 + [tax * harvest / cleaners - 1 - loss / 5]
    return harvest - loss, margins


@pytest.mark.parametrize(
    "game", [{"whole_crew": 1}, {}, {"disaster": (1.0, 5)}], ids=["any crew", "a whole crew", "and a disaster"]
)
def test_a_cliff_between_idle_and_working_crews_is_found_in_ten_asks(game):
    history = History.empty(SPACE, (*"abcde", "slack"), participation=5)
    for design in initial_designs(SPACE, 10, np.random.default_rng(4)):
        history = history.add(design, *crew(design, **game))
    for _ in range(10):
        (pick,) = ask(SPACE, history, seed=4)
        history = history.add(pick.design, *crew(pick.design, **game))
    asked_and_accepted = history.feasible() & (np.arange(20) >= 10)
    assert history.objective[asked_and_accepted].max() >= 540


def test_with_ei_the_front_trades_improvement_and_while_nothing_is_feasible_the_bound():
    mean, sd = np.array([[1.0, 3.0]]), np.array([[1.0, 0.1]])
    history = History.empty(SPACE)
    first = {}
    for kind in ("ei", "ucb"):
        config = CPMESConfig(objective_acquisition=kind)
        first[kind] = [front_objectives(mean, sd, history, best, 9.0, config)[:, 0] for best in (2.0, None)]
    np.testing.assert_allclose(first["ucb"], [[4.0, 3.3], [4.0, 3.3]])
    np.testing.assert_allclose(
        first["ei"][0], np.log([0.0833155, 1.0]), rtol=1e-5, atol=1e-9
    )  # phi(1) - (1 - Phi(1)); 3 - 2
    np.testing.assert_allclose(first["ei"][1], [4.0, 3.3])


def test_the_participation_margin_has_an_objective_of_its_own_unless_it_is_joint():
    mean, sd = np.array([[2.0], [0.0], [1.0]]), np.ones((3, 1))
    history = History.empty(SPACE, ("harvest", "slack"), participation=1)
    log_half, log_84 = np.log(0.5), np.log(0.841344746)
    for kind, expected in (
        ("joint", [log_half + log_84]),
        ("logprob", [log_84, log_half]),
        ("ucb", [1 + 3.0, log_half]),
    ):
        config = CPMESConfig(feasibility_objective=kind, objective_acquisition="ucb")
        (row,) = front_objectives(mean, sd, history, None, 9.0, config)
        np.testing.assert_allclose(row, [5.0, *expected], rtol=1e-6)


def test_the_front_holds_what_expected_improvement_times_probability_would_take():
    history = History.empty(SPACE, ("harvest", "slack"), participation=1)
    for design in START:
        history = history.add(design, *strip(design))
    (greedy,) = cei(SPACE, history, seed=0)
    front = ask(SPACE, history, number=500, seed=0, config=CPMESConfig(batch="topk"))
    assert greedy.design in [pick.design for pick in front if pick.on_front]


def test_with_ei_a_continuous_search_closes_in_on_the_best_feasible_design():
    line = DesignSpace(dimensions=(Real(name="x", low=0.0, high=1.0),))
    search = CPMES(line, seed=0, constraints=("low",), config=CPMESConfig(objective_acquisition="ei"))
    for x in (0.1, 0.5, 0.9):
        search.tell((x,), x, [0.4 - x])
    for _ in range(8):
        (pick,) = search.ask()
        search.tell(pick.design, pick.design[0], [0.4 - pick.design[0]])
    feasible = search.history.designs[search.history.feasible()]
    assert 0.4 - 1e-3 < feasible.max() <= 0.4


@pytest.mark.parametrize(("score", "leaves"), [("gain", True), ("ibo", False)])
def test_counting_gains_leaves_the_first_hill_for_a_higher_one_and_bare_information_does_not(score, leaves):
    def hills(x):
        return 0.9 * np.exp(-(((x - 0.2) / 0.1) ** 2)) + np.exp(-(((x - 0.73) / 0.05) ** 2)), [np.sin(9 * x) + 0.9]

    line = DesignSpace(dimensions=(Real(name="x", low=0.0, high=1.0),))
    search = CPMES(line, seed=0, constraints=("wave",), config=CPMESConfig(score=score))
    for x in (0.05, 0.15, 0.3, 0.45, 0.95):
        search.tell((x,), *hills(x))
    for _ in range(12):
        (pick,) = search.ask()
        search.tell(pick.design, *hills(pick.design[0]))
    best = search.history.objective[search.history.feasible()].max()
    assert (best > 0.95) == leaves, best
    assert best > 0.89


def test_what_is_only_believed_tells_nothing_of_the_best_value(monkeypatch):
    drawn = []
    original = acquisition.best_values
    monkeypatch.setattr(acquisition, "best_values", lambda paths: drawn.append(original(paths)) or drawn[-1])
    pending = [(round(tax, 2), 3) for tax in np.arange(0.05, 0.95, 0.1)]
    for designs in ([], pending):
        ask(SPACE, history_of(START), designs, seed=0, trial=9)
    np.testing.assert_array_equal(*drawn)


def test_the_memory_is_the_pure_function():
    search = CPMES(SPACE, seed=5, constraints=("harvest", "slack"), participation=1)
    for design in START:
        search.tell(design, *strip(design))
    first, second = search.ask(2)
    search.tell_failed(first.design)
    assert search.pending == [second.design]
    expected = ask(SPACE, history_of(START).add_failed(first.design), [second.design], seed=5)
    assert search.ask() == expected


def test_the_reason_fits_in_one_line():
    (pick,) = ask(SPACE, history_of(START), seed=0)
    assert pick.on_front
    assert "\n" not in pick.why()
    assert str(pick.design) in pick.why()


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"objective": [np.nan] * 6}, "without a result as failed"),
        ({"margins": np.zeros((6, 3))}, "margins must have the shape"),
        ({"designs": np.zeros((5, 2))}, "designs must have the shape"),
        ({"participation": 2}, "there are 2"),
        ({"binary": (0,)}, "must hold 0 or 1"),
    ],
)
def test_what_is_wrong_with_a_history_is_said(broken, message):
    with pytest.raises(ContractsError, match=message):
        replace(history_of(START), **broken)


def test_what_is_wrong_with_a_setting_is_said():
    with pytest.raises(ContractsError, match="score must be one of"):
        CPMESConfig(score="luck")
    with pytest.raises(ContractsError, match="n_paths must be an integer from 1 to 256, but got 0"):
        CPMESConfig(n_paths=0)
    with pytest.raises(ContractsError, match="refinements must be an integer from 0"):
        CPMESConfig(refinements=-1)
    with pytest.raises(ContractsError, match="objective_acquisition must be one of"):
        CPMESConfig(objective_acquisition="pi")
    with pytest.raises(ContractsError, match="number of suggestions must be an integer from 1 to 1000, but got 0"):
        ask(SPACE, history_of(START), number=0, seed=0)
