"""Which contract a study recommends, and the table of its trials."""

import csv
import dataclasses
import io

import pytest

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.studies.record import Phase, StudyRecord, TrialRecord

FIRST, SECOND = Contract(tax=0.19, n_cleaners=5), Contract(tax=0.33, n_cleaners=5)


def with_confirmation(record: StudyRecord, contract: Contract, harvester: float, n: int = 3) -> StudyRecord:
    """The record with n fresh trainings of a contract that leave every harvester about so much."""
    trial = next(t for t in record.trials if t.contract == contract)
    assert trial.outcome is not None
    fresh = []
    for k in range(n):
        utilities = {a: Estimate(mean=harvester + k) for a in trial.outcome.of_role("harvester")}
        outcome = dataclasses.replace(trial.outcome, utilities={**trial.outcome.utilities, **utilities})
        fresh.append(TrialRecord(number=90 + k, contract=contract, phase=Phase.CONFIRMATION, seed=k, outcome=outcome))
    return dataclasses.replace(record, trials=(*record.trials, *fresh))


@pytest.fixture
def unconfirmed(fake_study: StudyRecord) -> StudyRecord:
    return dataclasses.replace(
        fake_study, trials=tuple(t for t in fake_study.trials if t.phase is not Phase.CONFIRMATION)
    )


def best(record: StudyRecord) -> Contract:
    trial = record.best()
    assert trial is not None
    return trial.contract


def test_without_fresh_trainings_the_accepted_contract_of_most_welfare_is_best(unconfirmed: StudyRecord) -> None:
    assert best(unconfirmed) == FIRST
    assert unconfirmed.confirmed(FIRST) is None


def test_a_contract_that_fresh_trainings_refute_is_not_recommended(unconfirmed: StudyRecord) -> None:
    refuted = with_confirmation(unconfirmed, FIRST, harvester=20.0)
    assert refuted.confirmed(FIRST) is False
    assert best(refuted) == SECOND


def test_a_confirmed_contract_goes_before_one_that_nobody_tried_again(unconfirmed: StudyRecord) -> None:
    assert best(with_confirmation(unconfirmed, SECOND, harvester=60.0)) == SECOND


def test_a_margin_within_its_error_confirms_nothing(unconfirmed: StudyRecord) -> None:
    # The best-off baseline harvester has 33; fresh trainings give 32.5, 33.5 and 34.5: mean 33.5, se 0.58.
    assert with_confirmation(unconfirmed, FIRST, harvester=32.5).confirmed(FIRST) is False
    assert with_confirmation(unconfirmed, FIRST, harvester=33.5).confirmed(FIRST) is True


def test_csv_has_a_row_per_trial_with_margins_and_states(fake_study: StudyRecord) -> None:
    rows = list(csv.DictReader(io.StringIO(fake_study.to_csv())))
    assert len(rows) == len(fake_study.trials)
    assert {row["state"] for row in rows} == {"finished", "failed"}
    assert float(rows[9]["margin_participation"]) == 19.0
    assert rows[9]["feasible"] == "True"


def test_nobody_can_be_judged_without_a_baseline(fake_study: StudyRecord) -> None:
    blind = dataclasses.replace(fake_study, trials=fake_study.trials[1:])
    assert blind.feasible_trials() == []
    assert blind.best() is None
    with pytest.raises(ContractsError, match="baseline"):
        blind.margins(blind.trials[0])
