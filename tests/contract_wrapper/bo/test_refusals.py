"""Laws over all calls: what is refused changes nothing, and what is accepted leaves `ask` working."""

import time
import tracemalloc
from fractions import Fraction

import numpy as np
import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from contract_wrapper import (
    CPMES,
    RIVALS,
    ContractsError,
    CPMESConfig,
    CPMESSampler,
    DesignSpace,
    History,
    Integer,
    Real,
    SpaceExhausted,
    ask,
    contract_space,
)
from contract_wrapper.bo.candidates.sampling import initial_designs
from contract_wrapper.bo.history import Result
from contract_wrapper.bo.optuna_sampler import history_of, space_of

SPACES = (
    contract_space(max_cleaners=2, step=0.5),
    DesignSpace(dimensions=(Real(name="x", low=1e-3, high=1.0, log=True), Integer(name="n", low=0, high=10**9))),
)
CHEAP = CPMESConfig(n_paths=2, population=4, generations=1, refinements=1)
LAWS = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

usual = st.floats(-10, 10) | st.sampled_from([0.0, 0.5, 1.0, 2, -1])
large = st.sampled_from([1e60, -1e60, 1e59, -1e30, 1e-300, 5e-324, np.float32(1e30), np.int64(2**62), 2**100])
wrong = st.sampled_from(
    [
        np.nan, np.inf, -np.inf, 1e61, -1e155, 1e308, 10**400, "1", b"1", "one", 1j, True, np.False_, None, [], {}, [1.0],
        np.array("1"), np.datetime64("2020"), Fraction(1, 3), object(), np.array([1j]), lambda: 1,
    ]
)  # fmt: skip
number = usual | large
anything = number | wrong
rows = st.lists(anything, max_size=3) | st.lists(number, min_size=2, max_size=2) | wrong
designs = st.tuples(st.sampled_from([0.0, 0.5, 1.0, 0.3]), st.integers(0, 3)) | rows
calls = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(1, 3) | st.sampled_from([0, -1, 10**9, 1.5, True, "2", None])),
        st.tuples(st.just("tell"), designs, anything, rows, anything, rows | st.none()),
        st.tuples(
            st.just("tell"), designs, number, st.lists(number, min_size=2, max_size=2), st.floats(0, 1), st.none()
        ),
        st.tuples(st.just("tell_failed"), designs),
    ),
    max_size=12,
)


def state_of(search):
    h = search.history
    arrays = (h.designs, h.objective, h.margins, h.objective_se, h.margins_se, h.failed)
    return [a.tolist() for a in arrays], list(search.pending)


def call(search, name, *arguments):
    if name == "tell":
        *result, objective_se, margins_se = arguments
        search.tell(*result, objective_se=objective_se, margins_se=margins_se)
    else:
        getattr(search, name)(*arguments)


@LAWS
@given(st.sampled_from(SPACES), calls)
def test_a_refused_call_changes_nothing_and_an_accepted_one_leaves_ask_working(space, steps):
    search = CPMES(space, seed=0, constraints=("a", "b"), participation=1, config=CHEAP)
    for step in steps:
        before = state_of(search)
        try:
            call(search, *step)
        except (ContractsError, SpaceExhausted):
            assert state_of(search) == before
        else:
            assert state_of(search) != before
    try:
        assert all(np.isfinite(pick.design).all() for pick in search.ask())
    except SpaceExhausted:
        assert space.grid() is not None


@settings(LAWS, max_examples=20)
@given(
    st.lists(st.tuples(st.floats(0, 1), number, number, st.floats(0, 1) | large.map(abs)), min_size=3, max_size=9),
    st.sampled_from(["default", "paper", "topk", "cmi", "ucb", *(name for name in RIVALS if name != "MACE")]),
    st.sampled_from(SPACES),
)
def test_no_accepted_result_stops_any_rule(results, name, space):
    history = History.empty(space, ("a", "b"), participation=1)
    for x, value, margin, se in results:
        (design,) = space.from_unit([[x, 1 - x]])
        history = history.add(design, value, [margin, -margin], objective_se=se, margins_se=[se, 0.0])
    configs = {
        "default": CHEAP,
        "paper": CPMESConfig(score="cmes", objective_acquisition="ucb", feasibility_objective="ucb", generations=1),
        "topk": CPMESConfig(batch="topk", n_paths=2, population=4, generations=1, refinements=1),
        "cmi": CPMESConfig(batch="cmi", n_paths=2, population=4, generations=1, refinements=1),
        "ucb": CPMESConfig(objective_acquisition="ucb", beta="designs", population=4, generations=1, refinements=1),
    }
    try:
        picks = RIVALS[name](space, history, (), 2, seed=0) if name in RIVALS else ask(
            space, history, [(0.5, 1)], 2, seed=0, config=configs[name]
        )  # fmt: skip
    except SpaceExhausted:
        return
    assert all(space.contains(pick.design) for pick in picks)


@LAWS
@given(st.lists(st.tuples(designs, anything, st.dictionaries(st.sampled_from("ab"), anything), anything), max_size=4))
def test_results_in_plain_values_are_refused_with_a_reason_or_make_a_history(raw):
    try:
        results = [Result(design=d, objective=o, margins=m, objective_se=e) for d, o, m, e in raw]
        history = History.of(SPACES[0], results, constraints=("a",))
    except ContractsError:
        return
    assert len(history) + len(history.failed) == len(raw)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0.5, 2), 1e155, [0.0, 0.0]), r"an objective must be finite and at most 1e\+60 in size, but got 1e\+155"),
        (((0.5, 2), "7", [0.0, 0.0]), "an objective must be numbers .*no text, .*but got '7'"),
        (((0.5, 2), 7.0, [0.0, True]), r"margins, one for each of \('a', 'b'\), must be numbers"),
        (((0.5, 2), 7.0, [0.0]), r"must have the shape \(2,\), but got \(1,\)"),
        (((0.5,), 7.0, [0.0, 0.0]), r"a design must have the shape \(2,\), but got \(1,\)"),
        (((0.5, [2]), 7.0, [0.0, 0.0]), "a design must be numbers"),
        (((0.5, 2j), 7.0, [0.0, 0.0]), "no text, booleans or complex numbers"),
        (((0.5, 10**400), 7.0, [0.0, 0.0]), "a design must be finite"),
        (((0.0, 2), 7.0, [0.0, 0.0]), r"x must be a number from 0\.001 to 1, but the design \(0\.0, 2\) has 0"),
    ],
)
def test_a_result_that_is_refused_is_told_why(arguments, message):
    search = CPMES(SPACES[1], seed=0, constraints=("a", "b"))
    with pytest.raises(ContractsError, match=message):
        search.tell(*arguments)
    assert len(search.history) == 0


@pytest.mark.parametrize(
    ("design", "message"),
    [
        ((2.0, 1), "tax must be a number from 0 to 1, but the design .* has 2"),
        ((-1e-6, 1), "tax must be a number from 0 to 1"),
        ((0.5, 0), "cleaners must be an integer from 1 to 5, but the design .* has 0"),
        ((0.5, 6), "cleaners must be an integer from 1 to 5"),
        ((0.5, 2.5), "cleaners must be an integer from 1 to 5, but the design .* has 2.5"),
    ],
)
def test_a_design_outside_the_space_is_refused_with_its_range(design, message):
    search = CPMES(contract_space(), seed=0, constraints=("a",))
    for tell in (lambda: search.tell(design, 1.0, [0.0]), lambda: search.tell_failed(design)):
        with pytest.raises(ContractsError, match=message):
            tell()
    assert len(search.history) == len(search.history.failed) == 0


def test_a_design_between_the_steps_or_off_by_rounding_is_learned_from():
    search = CPMES(contract_space(), seed=0)
    for design in ((0.005, 1), (0.1 + 0.2, 2), (1.0 + 1e-12, 5)):
        search.tell(design, 1.0)
    assert len(search.history) == 3


@pytest.mark.parametrize("error", [-1.0, np.nan, np.inf, "1", 1j, True, None])
def test_a_standard_error_is_a_number_and_not_negative(error):
    search = CPMES(SPACES[0], seed=0, constraints=("a",))
    with pytest.raises(ContractsError, match="a standard error must be"):
        search.tell((0.5, 1), 1.0, [0.0], objective_se=error)
    with pytest.raises(ContractsError, match="standard errors of margins"):
        search.tell((0.5, 1), 1.0, [0.0], margins_se=[error])
    result = Result(design=(0.5, 1), objective=1.0, margins={"a": 0.0}, margins_se={"a": error})
    with pytest.raises(ContractsError, match="standard errors of margins"):
        History.of(SPACES[0], [result])


def test_the_arrays_of_a_history_are_its_own():
    values = np.array([1.0])
    history = History(designs=[[0.5, 1]], objective=values, margins=[[]])
    values[0] = 2.0
    assert history.objective.tolist() == [1.0]
    with pytest.raises(ValueError, match="read-only"):
        history.objective[0] = 3.0


HUGE = DesignSpace(dimensions=(Integer(name="n", low=0, high=10**9),))
FINE = DesignSpace(dimensions=(Real(name="x", low=0.0, high=1.0, step=1e-8),))
NARROW = DesignSpace(dimensions=(Real(name="x", low=1.0, high=1.0 + 2e-12),))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: Real(name="x", low=0.0, high=1.0, step=1e-9), "a step of at least 1e-08"),
        (lambda: Real(name="x", low=1e17, high=1e17 + 64, step=1.0), "bounds that differ by at least 1e-12"),
        (lambda: Real(name="x", low=0.0, high=1e15, step=1.0), "a step of at least 1e-12 of its larger bound"),
        (lambda: Real(name="x", low=0.0, high=1e100), "at most 1e.60 in size as high"),
        (lambda: Real(name="x", low=0.0, high=1e-70), "differ by at least"),
        (lambda: DesignSpace(dimensions=[Real(name=str(i), low=0, high=1) for i in range(5000)]), "at most 50 dimensions"),
        (lambda: DesignSpace(dimensions=3), "a sequence of dimensions, but got 3"),
        (lambda: contract_space(max_cleaners="many"), "max_cleaners must be an integer"),
        (lambda: initial_designs(HUGE, 10**9, np.random.default_rng(0)), "from 1 to 10000, but got 1000000000"),
        (lambda: HUGE.sample(np.random.default_rng(0), 10**9), "from 0 to 1000000"),
        (lambda: HUGE.grid(limit=10**10), "limit of a grid"),
        (lambda: HUGE.corners(limit=10**10), "limit of corners"),
        (lambda: ask(HUGE, History.empty(HUGE), number=10**9, seed=0), "from 1 to 1000, but got 1000000000"),
        (lambda: ask(HUGE, History.empty(HUGE), np.zeros((20_000, 1)), seed=0), "at most 10000 designs may be pending"),
        (lambda: ask(HUGE, History.empty(HUGE), seed=0, trial=10**30), "trial must be an integer from 0"),
        (lambda: ask(HUGE, History.empty(HUGE), seed=-1), "ask needs an integer >= 0 as seed, but got -1"),
        (lambda: ask(HUGE, History.empty(HUGE), seed=0, config="paper"), "must be a CPMESConfig or None"),
        (lambda: CPMESConfig(n_paths=10**9), "n_paths must be an integer from 1 to 256"),
        (lambda: CPMESConfig(population=10**9), "population must be an integer from 4 to 1000"),
        (lambda: CPMESConfig(generations=10**9), "generations must be an integer from 1 to 1000"),
        (lambda: CPMESConfig(population=1000, generations=1000), "at most 100000, but got 1000 times 1000"),
        (lambda: CPMESConfig(refinements=10**9), "refinements must be an integer from 0 to 100"),
        (lambda: CPMESConfig(delta="small"), "delta must be a number between 0 and 1"),
        (lambda: History.empty(HUGE, [str(i) for i in range(5000)]), "at most 200 constraints"),
        (lambda: History.empty(HUGE, "slack"), "a sequence of names, but got 'slack'"),
        (lambda: History.empty(HUGE, ("a",), participation=True), "columns of constraints"),
        (
            lambda: History(designs=np.zeros((200_000, 1)), objective=np.zeros(200_000), margins=np.zeros((200_000, 0))),
            "at most 100000 results",
        ),
        (lambda: initial_designs(NARROW, 10_000, np.random.default_rng(0)), "gave only"),
    ],
)  # fmt: skip
def test_what_would_take_for_ever_or_all_memory_is_refused_at_once(act, message):
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(ContractsError, match=message):
        act()
    took, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 10
    assert peak < 2**27


@pytest.mark.parametrize("space", [HUGE, FINE])
def test_a_space_of_a_billion_designs_costs_no_more_than_a_continuous_one(space):
    assert space.grid() is None
    picks = ask(space, History.empty(space), number=1000, seed=0)
    assert len({pick.design for pick in picks}) == 1000
    assert len(initial_designs(space, 100, np.random.default_rng(0))) == 100


def test_designs_far_outside_a_space_of_many_dimensions_are_learned_from():
    space = DesignSpace(dimensions=[Real(name=str(i), low=0.0, high=1e-60) for i in range(50)])
    history = History.empty(space, ("a",), participation=0)
    for i, x in enumerate([0.0, 5e-61, 1e-60, 1e60]):
        history = history.add([x] * 50, float(i), [i - 1.5])
    config = CPMESConfig(
        n_paths=2, population=4, generations=1, refinements=1, beta="designs", objective_acquisition="ucb"
    )
    (pick,) = ask(space, history, seed=0, config=config)
    assert np.isfinite(pick.objective_mean)


GRID = {"x": FloatDistribution(0.0, 1.0, step=0.05), "n": IntDistribution(1, 5)}
OTHER = {"x": CategoricalDistribution(["high", True]), "n": IntDistribution(-(10**15), 10**15)}
LOG = {"x": FloatDistribution(-5.0, 5.0), "n": IntDistribution(1, 5)}


@pytest.fixture(autouse=True)
def _quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


odd_trials = st.lists(
    st.tuples(
        st.sampled_from(
            [(GRID, 0.5, 2), (GRID, 0.0, 1), (GRID, 1.0, 5), (LOG, -5.0, 2), (None, 0, 0)]
        ),
        st.sampled_from([1.0, -1e308, 1e61, 0.0, np.inf]),
        st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from([0.0, -1.0, 1e308, np.inf, np.nan, "x", None, [1]])),
        st.sampled_from([TrialState.COMPLETE] * 2 + [TrialState.FAIL, TrialState.RUNNING, TrialState.WAITING]),
        st.sampled_from([None, "{", "[1]", '{"x": "high", "n": 1}', '{"x": NaN, "n": 1e400}', '{"x": 0.5, "n": 3}', 3]),
    ),
    max_size=6,
)  # fmt: skip


def test_trials_with_parameters_of_other_kinds_say_nothing():
    others = [create_trial(params={"x": x, "n": 1}, distributions=OTHER, value=1.0) for x in ("high", True)]
    good = create_trial(params={"x": 0.5, "n": 1}, distributions=GRID, value=1.0)
    below = create_trial(params={"x": -1.0, "n": 1}, distributions=LOG, state=TrialState.FAIL)
    rates = {"x": FloatDistribution(1e-3, 1.0, log=True), "n": IntDistribution(1, 5)}
    history = history_of([*others, good, below], rates, space_of(rates), optuna.study.StudyDirection.MAXIMIZE)
    assert history.designs.tolist() == [[0.5, 1.0]]
    assert history.failed.tolist() == []


@LAWS
@given(odd_trials)
def test_odd_trials_of_a_study_are_no_obstacle(odd):
    study = optuna.create_study(sampler=CPMESSampler(seed=0, config=CHEAP, n_startup_trials=1))
    for (distributions, x, n), value, constraints, state, asked in odd:
        attributes = {f"constraints:{name}": bound for name, bound in constraints.items()}
        if asked is not None:
            attributes["cpmes:asked"] = asked
        params = {} if distributions is None else {"x": x, "n": n}
        complete = state == TrialState.COMPLETE
        study.add_trial(
            create_trial(
                params=params,
                distributions=distributions or {},
                value=value if complete else None,
                state=state,
                system_attrs=attributes,
            )
        )
    for x, n in ((0.1, 1), (0.6, 4)):
        study.add_trial(create_trial(params={"x": x, "n": n}, distributions=GRID, value=x * n))
    for _ in range(2):
        trial = study.ask()
        trial.suggest_float("x", 0.0, 1.0, step=0.05)
        trial.suggest_int("n", 1, 5)
        study.tell(trial, 1.0)
