"""A study as Optuna and its dashboard see it: names, durations, feasibility, outcomes that one can read."""

import dataclasses
import io
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
from quick_searches import SHORT, TINY, fake_outcome, run

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.studies.record import Phase, StudyRecord
from contract_wrapper.studies.sharing.place import DATABASE
from contract_wrapper.studies.study import Study, read_study

SECONDS = {0: 30.0, 1: 90.0, 2: 3600.0, 3: 0.25, 4: 7.0}


def timed(number: int, outcome: Outcome) -> Outcome:
    return dataclasses.replace(outcome, wall_seconds=SECONDS[number])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of a baseline, three initial designs and one that everybody accepts, in a folder with a name of its own."""
    folder = tmp_path_factory.mktemp("dashboard") / "my contracts"
    study = Study(folder, TINY, SHORT)
    study.add(Contract(tax=0.25, n_cleaners=3), Phase.SEARCH)
    for trial in study.open_trials():
        study.finish(trial.number, timed(trial.number, fake_outcome(trial.contract, trial.seed)))
    study.close()
    return folder


@pytest.fixture
def stored(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name=None, storage=f"sqlite:///{folder / DATABASE}")


@pytest.fixture
def record(folder: Path) -> StudyRecord:
    return read_study(folder)


def test_a_study_has_the_name_of_its_folder_and_of_what_it_maximises(stored: optuna.Study) -> None:
    assert stored.study_name == "my contracts"
    assert stored.metric_names == ["welfare"]


def test_a_trial_lasted_as_long_as_its_training(stored: optuna.Study) -> None:
    for trial in stored.trials:
        assert trial.duration is not None
        assert trial.duration.total_seconds() == pytest.approx(SECONDS[trial.number], abs=2.0)


def test_outcomes_are_numbers_and_words_by_name(stored: optuna.Study, record: StudyRecord) -> None:
    for trial, there in zip(record.trials, stored.trials, strict=True):
        outcome, said = trial.outcome, there.user_attrs
        assert outcome is not None
        assert said["harvest"] == outcome.harvest.mean
        assert said["worst harvester"] == outcome.worst_harvester.mean
        if trial.number:
            assert said["acceptance"] == record.acceptance(trial)
            assert said["smallest margin"] == min(m.mean for m in record.margins(trial).values())
    assert ["worst cleaner" in there.user_attrs for there in stored.trials] == [False, True, True, True, True]


def test_optuna_finds_the_same_best_feasible_trial(stored: optuna.Study, record: StudyRecord) -> None:
    contracts = [t for t in stored.trials if t.number and all(c <= 0 for c in t.constraints.values())]
    best = record.best()
    assert best is not None
    assert max(contracts, key=lambda t: t.value or 0.0).number == best.number
    assert 0 < len(contracts) < 4


def test_a_study_that_is_moved_keeps_its_name_and_goes_on(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere")
    study = Study(tmp_path / "elsewhere", TINY, SHORT)
    study.add(Contract(tax=0.33, n_cleaners=2), Phase.SEARCH)
    assert len(study.record().trials) == 6
    study.close()
    names = optuna.study.get_all_study_names(f"sqlite:///{tmp_path / 'elsewhere' / DATABASE}")
    assert names == ["my contracts"]


def test_a_study_of_an_earlier_version_is_read_and_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was called "contracts", had no name of the objective, and nothing for the dashboard."""
    whole = run(tmp_path / "whole", SHORT, monkeypatch)
    run(tmp_path / "old", dataclasses.replace(SHORT, n_search=2, n_confirm=0), monkeypatch)
    connection = sqlite3.connect(tmp_path / "old" / DATABASE)
    with connection:
        connection.execute("UPDATE studies SET study_name = 'contracts'")
        connection.execute("DELETE FROM study_system_attributes WHERE key = 'study:metric_names'")
        connection.execute("DELETE FROM trial_system_attributes WHERE key = 'constraints'")
        connection.execute("UPDATE trials SET datetime_start = datetime_complete")
        kept = "('contract', 'phase', 'why', 'batch', 'seal', 'outcome', 'failure')"
        connection.execute(f"DELETE FROM trial_user_attributes WHERE key NOT IN {kept}")
    connection.close()
    assert len(read_study(tmp_path / "old").trials) == 6
    assert run(tmp_path / "old", SHORT, monkeypatch).trials == whole.trials
    stored = optuna.load_study(study_name="contracts", storage=f"sqlite:///{tmp_path / 'old' / DATABASE}")
    assert stored.metric_names == ["welfare"]
    assert "acceptance" in stored.trials[-1].user_attrs


def test_a_database_of_several_studies_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "two")
    optuna.create_study(storage=f"sqlite:///{tmp_path / 'two' / DATABASE}", study_name="another")
    with pytest.raises(ContractsError, match="holds 2 studies"):
        read_study(tmp_path / "two")


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_study_of_another_program_is_left_as_it_is(tmp_path: Path, direction: str) -> None:
    foreign = optuna.create_study(storage=f"sqlite:///{tmp_path / DATABASE}", study_name="theirs", direction=direction)
    if direction == "maximize":
        foreign.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    before = (tmp_path / DATABASE).read_bytes()
    with pytest.raises(ContractsError, match="holds the study 'theirs' of another program"):
        Study(tmp_path, TINY, SHORT)
    assert (tmp_path / DATABASE).read_bytes() == before


def get(app: Any, path: str) -> Any:
    """What a web application answers, called as a server would call it, without a network."""
    environ: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()}
    setup_testing_defaults(environ)
    status: list[str] = []
    body = b"".join(app(environ, lambda code, headers, *_: status.append(code)))
    assert status[0].startswith("200"), (status, body)
    return json.loads(body)


def test_the_dashboard_shows_names_durations_feasibility_and_outcomes(folder: Path, record: StudyRecord) -> None:
    dashboard = pytest.importorskip("optuna_dashboard")
    app = dashboard.wsgi(f"sqlite:///{folder / DATABASE}")
    (summary,) = get(app, "/api/studies")["study_summaries"]
    assert summary["study_name"] == "my contracts"
    detail = get(app, f"/api/studies/{summary['study_id']}")
    assert detail["name"] == "my contracts"
    assert detail["objective_names"] == ["welfare"]
    sortable = {entry["key"]: entry["sortable"] for entry in detail["union_user_attrs"]}
    assert sortable["harvest"]
    assert sortable["worst harvester"]
    trials = detail["trials"]
    assert [t["state"] for t in trials] == ["Complete"] * 5
    for trial, there in zip(record.trials[1:], trials[1:], strict=True):
        assert there["constraints"]
        assert all(c <= 0 for c in there["constraints"]) == record.feasible(trial)  # as its pages decide it
        said = {entry["key"]: entry["value"] for entry in there["user_attrs"]}
        assert said["acceptance"] == record.acceptance(trial)
        assert there["datetime_start"] < there["datetime_complete"]
