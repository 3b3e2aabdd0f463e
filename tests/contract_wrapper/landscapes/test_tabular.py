"""Landscapes as problems for optimisers."""

import math
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_landscapes import made_up_landscape

from contract_wrapper.bo.cpmes import CPMES
from contract_wrapper.bo.space import contract_space
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.tabular import TabularProblem, optuna_objective

LAND = made_up_landscape(3)
PROBLEM = TabularProblem(landscape=LAND)
CONTRACTS = LAND.contracts()


@given(st.integers(1, 55), st.integers(0, 1000))
def test_an_evaluation_is_the_row_of_one_training_with_its_own_baseline(k: int, seed: int) -> None:
    welfare, margins = PROBLEM.evaluate(CONTRACTS[k], np.random.default_rng(seed))
    (s,) = np.flatnonzero(LAND.welfare[:, k] == welfare)
    assert margins["harvester_3"] == LAND.utilities[s, k, 3] - LAND.utilities[s, 0, 3]
    assert margins["participation"] == np.nanmin(LAND.utilities[s, k, 5:])
    assert list(margins) == list(PROBLEM.constraints) == [*(f"harvester_{i}" for i in range(5)), "participation"]
    assert (welfare, margins) == PROBLEM.evaluate(CONTRACTS[k], np.random.default_rng(seed))


def test_evaluations_draw_all_trainings_and_their_mean_is_the_truth() -> None:
    rng = np.random.default_rng(0)
    drawn = [PROBLEM.evaluate(CONTRACTS[9], rng)[0] for _ in range(3_000)]
    assert set(drawn) == set(LAND.welfare[:, 9])
    assert np.mean(drawn) == pytest.approx(PROBLEM.truth(CONTRACTS[9]).welfare, abs=0.3)


def test_the_truth_is_the_mean_over_trainings_with_its_error_over_them() -> None:
    truth = PROBLEM.truth(CONTRACTS[40])
    assert truth.welfare == LAND.welfare[:, 40].mean()
    assert truth.welfare_se == pytest.approx(LAND.welfare[:, 40].std(ddof=1) / math.sqrt(3))
    assert truth.margins["harvester_0"] == pytest.approx(LAND.margins()[:, 40, 0].mean())
    assert truth.feasible == LAND.feasible()[40]
    assert math.isnan(TabularProblem(landscape=made_up_landscape(1)).truth(CONTRACTS[40]).welfare_se)


def test_the_worst_cleaner_of_the_truth_is_worst_on_average() -> None:
    utilities = LAND.utilities.copy()
    utilities[:, 12, 5:7] = [[-9.0, 1.0], [3.0, 1.0], [9.0, 1.0]]  # two cleaners, of whom the first is no worse
    problem = TabularProblem(landscape=made_up_landscape(3, utilities=utilities))
    assert problem.truth(CONTRACTS[12]).margins["participation"] == 1.0
    readings = {problem.evaluate(CONTRACTS[12], np.random.default_rng(i))[1]["participation"] for i in range(30)}
    assert readings == {-9.0, 1.0}


def test_regret_is_against_the_best_that_is_truly_accepted() -> None:
    best = PROBLEM.best()
    mean, accepted = LAND.welfare.mean(axis=0), PROBLEM.feasible()
    assert PROBLEM.regret(best) == 0.0
    assert accepted[LAND.number(best)]
    assert mean[LAND.number(best)] == mean[accepted].max()
    other = int(np.flatnonzero(accepted)[0])
    assert PROBLEM.regret(CONTRACTS[other]) == pytest.approx(mean[accepted].max() - mean[other])


def test_a_refused_contract_brings_what_no_contract_brings() -> None:
    refused = int(np.flatnonzero(~PROBLEM.feasible())[-1])
    assert refused > 0
    assert PROBLEM.regret(CONTRACTS[refused]) == PROBLEM.regret(Contract.none()) > 100.0


def test_where_everybody_refuses_no_contract_is_best() -> None:
    utilities = np.where(np.isnan(LAND.utilities), np.nan, LAND.utilities - 1e4 * (np.arange(56) > 0)[:, None])
    problem = TabularProblem(landscape=made_up_landscape(3, utilities=utilities))
    assert problem.best() == Contract.none()
    assert problem.regret(CONTRACTS[3]) == 0.0


@given(st.integers(-100, 100))
def test_welfare_for_all_shifts_no_regret(apples: int) -> None:
    other = TabularProblem(landscape=made_up_landscape(3, welfare=LAND.welfare + apples))
    for k in (3, 30, 50):
        assert other.regret(CONTRACTS[k]) == pytest.approx(PROBLEM.regret(CONTRACTS[k]))


def test_our_optimiser_searches_it() -> None:
    land = made_up_landscape(3, n_taxes=99)  # 0.02 to 1 in steps of 0.01
    problem, rng = TabularProblem(landscape=land), np.random.default_rng(0)
    optimiser = CPMES(contract_space(), seed=0, constraints=problem.constraints, participation=problem.participation)
    for design in [(0.3, 1), (0.1, 3), (0.5, 5), (0.2, 4), (0.02, 2)]:
        optimiser.tell(**problem.told(problem.contract(design), rng))
    for _ in range(3):
        (suggestion,) = optimiser.ask(1)
        if suggestion.design[0] < 0.02:
            optimiser.tell_failed(suggestion.design)
            continue
        optimiser.tell(**problem.told(problem.contract(suggestion.design), rng))
    assert len(optimiser.history) >= 5


def objective_values(seed: int, n_trials: int, stops: int = 1, **changes: Any) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    problem = TabularProblem(landscape=made_up_landscape(3, **changes))
    for _ in range(stops):
        study.optimize(optuna_objective(problem, seed), n_trials=n_trials // stops)
    return study


@pytest.mark.filterwarnings("error")
def test_optuna_searches_it_with_constraints() -> None:
    study = objective_values(3, 8)
    for trial in study.trials:
        contract = PROBLEM.contract((trial.params["tax"], trial.params["n_cleaners"]))
        k = LAND.number(contract)
        assert trial.value in LAND.welfare[:, k].tolist()
        s = LAND.welfare[:, k].tolist().index(trial.value)
        assert trial.constraints["harvester_0"] == -LAND.margins()[s, k, 0]
        assert set(trial.constraints) == set(PROBLEM.constraints)


def test_a_study_that_is_resumed_goes_on_as_if_it_had_not_been_stopped() -> None:
    whole, stopped, other = (objective_values(*args) for args in ((3, 8), (3, 8, 2), (4, 8)))
    assert [t.value for t in whole.trials] == [t.value for t in stopped.trials]
    assert [t.value for t in whole.trials] != [t.value for t in other.trials]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_taxes", [2, 7, 99, 100])
def test_optuna_reaches_every_evenly_spaced_tax(n_taxes: int) -> None:
    problem = TabularProblem(landscape=made_up_landscape(1, n_taxes=n_taxes))
    objective, taxes = optuna_objective(problem, 0), set()
    for i in range(n_taxes):

        class Trial:
            number = 0

            def suggest_float(self, name: str, low: float, high: float, *, step: float, i: int = i) -> float:
                distribution = optuna.distributions.FloatDistribution(low, high, step=step)
                assert round((distribution.high - distribution.low) / step) + 1 == n_taxes
                return low + i * step

            def suggest_int(self, name: str, low: int, high: int) -> int:
                return high

            def set_constraint(self, name: str, value: float) -> None:
                pass

        value = objective(Trial())
        taxes.add(float(problem.landscape.tax[problem.landscape.welfare[0] == value][0]))
    assert taxes == set(problem.taxes.tolist())


def uneven() -> dict[str, Any]:
    """Taxes 0.02, 0.05 and 1 for each crew."""
    return {"n_taxes": 3, "tax": np.concatenate([[0.0], np.tile([0.02, 0.05, 1.0], 5)])}


def test_unevenly_spaced_taxes_are_categories() -> None:
    study = objective_values(0, 6, **uneven())
    assert {t.params["tax"] for t in study.trials} <= {0.02, 0.05, 1.0}


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda: TabularProblem(landscape="effort"), "must be a Landscape"),  # type: ignore[arg-type]
        (lambda: PROBLEM.evaluate(Contract.none(), np.random.default_rng(0)), "recruits somebody"),
        (lambda: PROBLEM.evaluate(Contract(tax=0.5, n_cleaners=2), np.random.default_rng(0)), "not in this landscape"),
        (lambda: PROBLEM.contract((0.5,)), "a design is"),
        (lambda: PROBLEM.contract("ab"), "a design is"),
        (lambda: PROBLEM.contract((math.nan, 2)), "a design is"),
        (lambda: PROBLEM.contract((0.02, math.inf)), "a design is"),
        (lambda: optuna_objective(PROBLEM, -1), "seed must be"),
    ],
)
def test_mistakes_are_named(mistake: Any, words: str) -> None:
    with pytest.raises(ContractsError, match=words):
        mistake()
