"""Margins and feasibility by hand, and the trip through JSON."""

import dataclasses
import json

import numpy as np
import pytest

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome, mean_outcome
from contract_wrapper.evaluation.participation import PARTICIPATION

E = Estimate


def outcome(contract: Contract, **utilities: Estimate) -> Outcome:
    zero = E(mean=0.0)
    return Outcome(contract=contract, welfare=zero, utilities=utilities, harvest=zero, cleaned=zero, shots=zero)


BASELINE = outcome(Contract.none(), harvester_0=E(mean=30.0, se=3.0), harvester_1=E(mean=20.0, se=0.0))
TAXED = outcome(
    Contract(tax=0.1, n_cleaners=2),
    harvester_0=E(mean=34.0, se=4.0),
    harvester_1=E(mean=21.0, se=0.0),
    cleaner_0=E(mean=2.0, se=0.5),
    cleaner_1=E(mean=-1.0, se=0.25),
)


def test_a_harvesters_margin_is_what_it_gains_over_the_baseline() -> None:
    assert TAXED.margins(BASELINE)["harvester_0"] == E(mean=4.0, se=5.0)  # 3-4-5


def test_participation_is_the_worst_cleaners_utility_above_c_min() -> None:
    assert TAXED.margins(BASELINE)[PARTICIPATION] == E(mean=-1.0, se=0.25)
    assert TAXED.margins(BASELINE, c_min=-2.0)[PARTICIPATION].mean == 1.0


def test_one_unhappy_cleaner_makes_a_contract_infeasible() -> None:
    assert not TAXED.feasible(BASELINE)
    assert TAXED.feasible(BASELINE, c_min=-1.0)


def test_one_unhappy_harvester_makes_a_contract_infeasible() -> None:
    happy = dataclasses.replace(TAXED, utilities={**TAXED.utilities, "cleaner_1": E(mean=0.0)})
    assert happy.feasible(BASELINE)
    poor = dataclasses.replace(happy, utilities={**happy.utilities, "harvester_1": E(mean=19.9)})
    assert not poor.feasible(BASELINE)


def test_the_baseline_accepts_itself_with_margins_of_exactly_zero() -> None:
    noisy_twin = outcome(Contract.none(), harvester_0=E(mean=29.0), harvester_1=E(mean=25.0))
    assert {m.mean for m in noisy_twin.margins(BASELINE).values()} == {0.0}


def test_margins_need_the_same_harvesters() -> None:
    other = outcome(Contract.none(), harvester_0=E(mean=1.0))
    with pytest.raises(ContractsError, match="same game"):
        TAXED.margins(other)


def test_margins_of_a_contract_need_its_cleaners() -> None:
    alone = outcome(Contract(tax=0.1, n_cleaners=1), **BASELINE.utilities)
    with pytest.raises(ContractsError, match="recruits cleaners, but the outcome has no cleaner's utility"):
        alone.margins(BASELINE)


def test_an_estimate_of_four_episodes_by_hand() -> None:
    estimate = Estimate.of([1.0, 3.0, 1.0, 3.0])
    assert estimate.mean == 2.0
    assert estimate.se == pytest.approx(np.sqrt(4 / 3) / 2)


def test_an_outcome_survives_json() -> None:
    full = dataclasses.replace(TAXED, waste_curve=(1.0, 2.0), training_curve={"episode": (64.0,), "cleaner": (0.5,)})
    assert Outcome.from_dict(json.loads(json.dumps(full.to_dict()))) == full


@pytest.mark.parametrize("broken", [{}, {"contract": {"tax": 0.1}}, {**TAXED.to_dict(), "unknown": 1}])
def test_what_is_no_outcome_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ContractsError):
        Outcome.from_dict(broken)


def test_the_mean_over_trainings_takes_its_error_from_their_spread() -> None:
    pair = [dataclasses.replace(TAXED, welfare=E(mean=w, se=99.0)) for w in (10.0, 14.0)]
    assert mean_outcome(pair).welfare == E(mean=12.0, se=2.0)
    assert mean_outcome(pair[:1]) is pair[0]
