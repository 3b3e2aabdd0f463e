"""The sampler on studies of its own: a ridge on a coarse grid, feasible on one side of it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from contract_wrapper import Categorical, CPMESConfig, CPMESSampler, Integer, Real
from contract_wrapper.bo.history import as_constraints
from contract_wrapper.bo.optuna_sampler import _design, _params, history_of, space_of
from contract_wrapper.errors import ContractsError

ROOT = Path(__file__).parents[3]
CHEAP = CPMESConfig(n_paths=4, population=8, generations=3)
GRID = {"x": FloatDistribution(0.0, 1.0, step=0.05), "n": IntDistribution(1, 5)}


@pytest.fixture(autouse=True)
def _quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def ridge(trial, sign=1.0):
    """Best at x = 0.6 with n = 4 among the feasible (sum at most 4.6); better ones lie beyond."""
    x, n = trial.suggest_float("x", 0.0, 1.0, step=0.05), trial.suggest_int("n", 1, 5)
    trial.set_constraint("sum", x + n - 4.6)
    trial.set_constraint("x", x - 0.9)
    return sign * (3 * x + n)


def study_of(n_trials, *, sampler=None, direction="maximize", **options):
    study = optuna.create_study(sampler=sampler or CPMESSampler(seed=0, config=CHEAP), direction=direction, **options)
    study.optimize(lambda t: ridge(t, 1.0 if direction == "maximize" else -1.0), n_trials=n_trials)
    return study


def params_of(study):
    return [tuple(sorted(trial.params.items())) for trial in study.trials]


def test_the_best_feasible_design_is_found():
    study = study_of(16)
    assert study.best_trial.params == {"x": pytest.approx(0.6), "n": 4}
    assert "feasible with probability" in study.trials[-1].system_attrs["cpmes:why"]


def test_minimising_the_negative_asks_the_same_designs():
    assert params_of(study_of(10)) == params_of(study_of(10, direction="minimize"))


def test_another_seed_asks_other_designs():
    assert params_of(study_of(3)) != params_of(study_of(3, sampler=CPMESSampler(seed=1)))


def test_a_study_resumed_from_storage_equals_one_that_was_not_stopped(tmp_path):
    storage = f"sqlite:///{tmp_path}/study.sqlite3"
    study_of(9, storage=storage, study_name="s")
    resumed = study_of(3, storage=storage, study_name="s", load_if_exists=True)
    assert params_of(resumed) == params_of(study_of(12))


def test_trials_that_run_elsewhere_are_pending_also_before_they_have_suggested():
    study = study_of(8)
    running = [study.ask() for _ in range(3)]
    for trial in reversed(running):  # the last one chooses first, and leaves to the others what they will take
        ridge(trial)
    assert len({*params_of(study)[8:]}) == 3
    again = study_of(8)
    for trial in [again.ask() for _ in range(3)]:
        ridge(trial)
    assert set(params_of(again)[8:]) == set(params_of(study)[8:])


def test_several_threads_do_not_repeat_a_design():
    study = study_of(7)
    study.optimize(ridge, n_trials=8, n_jobs=3)
    assert len({*params_of(study)[7:]}) == 8
    assert not set(params_of(study)[7:]) & set(params_of(study)[:7])


def test_failed_and_pruned_trials_are_neither_fitted_nor_repeated():
    study = study_of(8)
    asked = study.ask()
    ridge(asked)
    study.tell(asked, state=TrialState.FAIL)
    pruned = study.ask()
    ridge(pruned)
    study.tell(pruned, state=TrialState.PRUNED)
    history = history_of(study.trials, GRID, space_of(GRID), study.direction)
    assert len(history) == 8
    assert history.failed.tolist() == [[asked.params["x"], asked.params["n"]], [pruned.params["x"], pruned.params["n"]]]
    study.optimize(ridge, n_trials=5)
    assert not set(params_of(study)[10:]) & set(params_of(study)[:10])


def trial_of(x, n, value, **constraints):
    return create_trial(params={"x": x, "n": n}, distributions=GRID, value=value, constraints=constraints)


def test_constraints_become_margins_and_what_is_incomplete_or_infinite_a_failure():
    trials = [
        trial_of(0.5, 1, 2.0, a=-3.0, b=1.0),
        trial_of(0.5, 2, 4.0, a=0.0),  # lacks b
        trial_of(0.5, 3, float("inf"), a=0.0, b=0.0),
    ]
    history = history_of(trials, GRID, space_of(GRID), optuna.study.StudyDirection.MINIMIZE)
    assert history.constraints == ("a", "b")
    assert history.margins.tolist() == [[3.0, -1.0]]
    assert history.objective.tolist() == [-2.0]
    assert not history.feasible().any()
    assert history.failed.tolist() == [[0.5, 2.0], [0.5, 3.0]]


MARGINS = {"harvester": 0.1 + 0.2, "cleaner": -1e-300, "tight": 0.0}


def test_constraints_in_a_database_are_minus_the_margins_and_come_back_to_the_last_bit(tmp_path):
    study = optuna.create_study(storage=f"sqlite:///{tmp_path}/study.sqlite3", direction="maximize")
    trial = study.ask(GRID)
    for name, constraint in as_constraints(MARGINS).items():
        trial.set_constraint(name, constraint)
    study.tell(trial, 1.0)
    assert study.trials[0].constraints == {"harvester": -(0.1 + 0.2), "cleaner": 1e-300, "tight": 0.0}
    history = history_of(study.trials, GRID, space_of(GRID), study.direction)
    assert dict(zip(history.constraints, history.margins[0].tolist(), strict=True)) == MARGINS
    assert history.feasible().tolist() == [False]


def test_a_distribution_becomes_the_dimension_of_the_same_values():
    kinds = {
        "x": FloatDistribution(0.0, 1.0, step=0.05),
        "rate": FloatDistribution(1e-4, 1.0, log=True),
        "n": IntDistribution(1, 5),
        "width": IntDistribution(1, 200, log=True),
        "even": IntDistribution(2, 10, step=2),
        "huge": IntDistribution(0, 10**9),
        "fine": FloatDistribution(0.0, 1.0, step=1e-9),
    }
    assert space_of(kinds).dimensions == (
        Real(name="x", low=0.0, high=1.0, step=0.05),
        Real(name="rate", low=1e-4, high=1.0, log=True),
        Integer(name="n", low=1, high=5),
        Integer(name="width", low=1, high=200, log=True),
        Real(name="even", low=2.0, high=10.0, step=2.0),
        Real(name="huge", low=0.0, high=1e9),  # more values than are enumerated: as if continuous
        Real(name="fine", low=0.0, high=1.0),
    )
    assert space_of({"kind": CategoricalDistribution(["a", None])}).dimensions == (
        Categorical(name="kind", choices=(0, 1)),
    )


def test_every_numeric_distribution_is_searched_and_kept():
    kinds = {
        "rate": FloatDistribution(1e-4, 1.0, log=True),
        "width": IntDistribution(1, 200, log=True),
        "even": IntDistribution(2, 10, step=2),
        "huge": IntDistribution(0, 10**9, step=5),
        "kind": CategoricalDistribution(["a", "b"]),
        "fixed": FloatDistribution(0.3, 0.3),
    }
    sampler = CPMESSampler(seed=0, config=CHEAP, n_startup_trials=3)
    study = optuna.create_study(sampler=sampler)
    for _ in range(5):
        trial = study.ask(kinds)
        assert all(kind._contains(kind.to_internal_repr(trial.params[name])) for name, kind in kinds.items())
        assert [type(trial.params[name]) for name in ("rate", "width", "even", "huge")] == [float, int, int, int]
        trial.set_constraint("c", trial.params["width"] - 50)
        study.tell(trial, np.log(trial.params["rate"]) ** 2)
    asked = [trial.system_attrs.get("cpmes:asked") for trial in study.trials]
    assert asked[:3] == [None] * 3
    assert all('"even"' in text and '"kind"' in text and '"fixed"' not in text for text in asked[3:])


KINDS = ("slow", None, True, 2.5, float("nan"), 7)


def choose(trial, kinds=KINDS):
    """The fourth kind is best, at x = 0.4; the first is not feasible."""
    x, kind = trial.suggest_float("x", 0.0, 1.0), trial.suggest_categorical("kind", kinds)
    place = list(map(repr, kinds)).index(repr(kind))
    if x > 2:
        trial.suggest_categorical("never", ("a", "b"))
    trial.set_constraint("kind", 0.5 - place)
    return (place == 3) + 0.5 * (place == 0) - (x - 0.4) ** 2


def kinds_of(n_trials, kinds=KINDS, **options):
    study = optuna.create_study(
        sampler=CPMESSampler(seed=0, config=CHEAP, n_startup_trials=5), direction="maximize", **options
    )
    study.optimize(lambda trial: choose(trial, kinds), n_trials=n_trials)
    return study


def test_choices_of_any_kind_are_searched_and_a_study_resumed_goes_on_as_before(tmp_path):
    storage = f"sqlite:///{tmp_path}/study.sqlite3"
    kinds_of(8, storage=storage, study_name="s")
    resumed = kinds_of(3, storage=storage, study_name="s", load_if_exists=True)
    whole = kinds_of(11)
    assert list(map(repr, params_of(resumed))) == list(map(repr, params_of(whole)))
    assert [t.params["kind"] for t in whole.trials[5:]].count(2.5) >= 3
    assert "(2.5, " in whole.best_trial.system_attrs["cpmes:why"]


def test_other_names_of_the_choices_change_no_suggestion():
    renamed = ("a", "b", "c", "d", "e", "f")
    first, second = kinds_of(7), kinds_of(7, renamed)
    places = [[list(map(repr, KINDS)).index(repr(t.params["kind"])) for t in first.trials]]
    assert [renamed.index(t.params["kind"]) for t in second.trials] == places[0]
    assert [t.params["x"] for t in first.trials] == [t.params["x"] for t in second.trials]


def few(trial):
    """Twenty-four designs, six kinds by four numbers."""
    kind, n = trial.suggest_categorical("kind", KINDS), trial.suggest_int("n", 1, 4)
    return list(map(repr, KINDS)).index(repr(kind)) - abs(n - 2)


WORKER = """
import sys, time, optuna
from tests.contract_wrapper.bo import test_optuna_sampler as here
optuna.logging.set_verbosity(optuna.logging.ERROR)
sampler = here.CPMESSampler(seed=0, config=here.CHEAP)
study = optuna.load_study(storage=sys.argv[1], study_name="s", sampler=sampler)


def long(trial):
    value = getattr(here, sys.argv[2])(trial)
    time.sleep(1.0)  # in which the other worker asks
    return value


study.optimize(long, n_trials=4)
"""


@pytest.mark.parametrize("objective", [ridge, few], ids=["numbers", "choices"])
def test_several_processes_share_one_storage_and_do_not_repeat_a_design(objective, tmp_path):
    storage = f"sqlite:///{tmp_path}/study.sqlite3"
    study = optuna.create_study(
        sampler=CPMESSampler(seed=0, config=CHEAP), direction="maximize", storage=storage, study_name="s"
    )
    study.optimize(objective, n_trials=7)
    command = [sys.executable, "-c", WORKER, storage, objective.__name__]
    workers = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [worker.wait(timeout=300) for worker in workers] == [0, 0]
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}
    searched = list(map(repr, params_of(study)[7:]))
    assert len(set(searched)) == len(searched) == 8


def test_choices_that_no_file_can_hold_are_searched_in_memory():
    """Optuna warns of them; what a running trial was given is written as a place."""
    things = (("a", 1), frozenset([2]), np.float64)
    study = optuna.create_study(sampler=CPMESSampler(seed=0, config=CHEAP, n_startup_trials=2))
    with pytest.warns(UserWarning, match="persistent storage"):
        study.optimize(lambda t: things.index(t.suggest_categorical("thing", things)), n_trials=3)
    assert {t.params["thing"] for t in study.trials[:3]} <= set(things)
    assert study.trials[2].system_attrs["cpmes:asked"] in ('{"thing": 0}', '{"thing": 1}', '{"thing": 2}')


@pytest.mark.parametrize("choices", [("only",), (True, 1), range(1001)], ids=["one", "told as one", "too many"])
def test_choices_that_cannot_be_searched_are_drawn_at_random(choices):
    distributions = {"kind": CategoricalDistribution(choices), "x": FloatDistribution(0.0, 1.0)}
    study = optuna.create_study(sampler=CPMESSampler(seed=0, config=CHEAP, n_startup_trials=1))
    for _ in range(4):
        trial = study.ask(distributions)
        study.tell(trial, trial.params["x"])
    assert all('"kind"' not in t.system_attrs.get("cpmes:asked", "") for t in study.trials)
    assert '"x"' in study.trials[-1].system_attrs["cpmes:asked"]


def test_a_set_of_choices_is_used_up_without_a_repeat():
    study = optuna.create_study(sampler=CPMESSampler(seed=0, config=CHEAP, n_startup_trials=2))
    with pytest.warns(UserWarning, match="every design of"):
        study.optimize(
            lambda t: 2 * t.suggest_categorical("b", (1, 2, 3)) - (t.suggest_categorical("a", ("x", None)) is None),
            n_trials=20,
        )
    tried = [tuple(t.params.values()) for t in study.trials]
    assert len(set(tried)) == 6
    assert len(set(tried[2:])) >= len(tried) - 3  # but for what was drawn at random before and after


def test_what_another_trial_was_given_is_read_back_as_a_choice():
    distributions = {"kind": CategoricalDistribution(KINDS), "x": FloatDistribution(0.0, 1.0)}
    study = kinds_of(6)
    running = [study.ask() for _ in range(2)]
    for trial in running:
        choose(trial)
    assert len({tuple(map(repr, t.params.values())) for t in study.trials[-2:]}) == 2
    given = create_trial(state=TrialState.RUNNING, system_attrs={"cpmes:asked": '{"kind": 4, "x": 0.25}'})
    assert _design(_params(given, distributions), distributions) == [4.0, 0.25]
    for odd in ('{"kind": 6, "x": 0.25}', '{"kind": "slow", "x": 0.25}', '{"kind": -1, "x": 0.25}', '{"x": 0.25}'):
        given = create_trial(state=TrialState.RUNNING, system_attrs={"cpmes:asked": odd})
        assert _design(_params(given, distributions), distributions) is None


def test_a_used_up_space_stops_the_study_and_says_so():
    study = optuna.create_study(sampler=CPMESSampler(seed=0, n_startup_trials=1))
    with pytest.warns(UserWarning, match="every design of \\['n'\\] is evaluated"):
        study.optimize(lambda trial: trial.suggest_int("n", 1, 4) ** 2, n_trials=20)
    assert {trial.params["n"] for trial in study.trials} == {1, 2, 3, 4}
    assert len(study.trials) == 5


def test_several_objectives_and_wrong_settings_are_refused():
    study = optuna.create_study(sampler=CPMESSampler(seed=0), directions=["maximize", "minimize"])
    with pytest.raises(ValueError, match="multi-objective"):
        study.ask(GRID)
    with pytest.raises(ContractsError, match="seed, but got -1"):
        CPMESSampler(seed=-1)
    with pytest.raises(ContractsError, match="n_startup_trials, if not None, must be an integer from 1"):
        CPMESSampler(seed=0, n_startup_trials=0)
