"""How much work a search has, in rough seconds."""

import dataclasses
from pathlib import Path

import pytest
from made_up_crews import certified, make_crew_study
from made_up_studies import make_study

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.studies import workload
from contract_wrapper.studies.record import Phase


@pytest.mark.parametrize("make", [make_study, make_crew_study])
def test_nothing_is_done_at_first_and_everything_at_last(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    study = make(tmp_path)
    study = certified(study) if study.by_crews else study
    none = dataclasses.replace(study, trials=(), certificates=())
    assert workload.done(none, 0 if none.settings.crews is None else none.settings.crews.trainings) == 0.0
    enough = dataclasses.replace(study.search, n_search=0, n_confirm=0)
    assert workload.done(study, 0) == pytest.approx(workload.total(study, enough))


def test_a_contract_that_crews_judge_is_little_work_and_their_training_much(tmp_path: Path) -> None:
    settings, contract = make_crew_study(tmp_path).settings, Contract(tax=0.2, n_cleaners=5)
    judged = workload.of_evaluation(settings, contract, Phase.SEARCH)
    assert judged == 2 * workload.PLAYING
    again = workload.of_evaluation(settings, contract, Phase.CONFIRMATION)
    assert again == workload.of_evaluation(settings.from_scratch(), contract, Phase.SEARCH)  # from scratch
    assert again == pytest.approx(10 * 5_000 * workload.SCRATCH)  # ten agents
    assert workload.of_crews(settings) > 5 * again > 50 * judged
    assert workload.of_crews(settings.from_scratch()) == workload.of_deviators(settings.from_scratch()) == 0.0
