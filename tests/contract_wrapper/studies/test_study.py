"""Studies on disk: what is stored, what is refused, stop and go on."""

import contextlib
import csv
import dataclasses
import io
import json
import shutil
import sqlite3
import sys
from pathlib import Path

import optuna
import pytest
from quick_searches import SHORT, TINY, FakeWorkers, fake_outcome, run

from contract_wrapper.bo.cpmes import ask
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.workers import TrainingStatus
from contract_wrapper.progress import Pace, duration
from contract_wrapper.studies import search as search_module
from contract_wrapper.studies import suggest as suggest_module
from contract_wrapper.studies import workload
from contract_wrapper.studies.record import Phase
from contract_wrapper.studies.running import search_status
from contract_wrapper.studies.search import Search
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.sharing.place import DATABASE
from contract_wrapper.studies.study import Study, read_study
from contract_wrapper.studies.suggest import candidates, history_of, suggest


def test_what_a_stopped_training_had_done_is_not_taken_for_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, said = [0.0], []

    class Resuming(FakeWorkers):
        def run(self, jobs, settings, folder, on_result, on_status, on_tick) -> None:  # type: ignore[no-untyped-def]
            if not said:  # the baseline goes on at half, and in 100 seconds does another sixteenth
                now[0] = 50.0  # processes that start are not taken for slow work
                on_status(TrainingStatus(number=jobs[0].number, episode=8, episodes=16, total=1.0))
                now[0] = 150.0
                on_status(TrainingStatus(number=jobs[0].number, episode=9, episodes=16, total=1.0))
                said.append(search._status.lines()[0])
            super().run(jobs, settings, folder, on_result, on_status, on_tick)

    monkeypatch.setattr(search_module, "working", lambda *_: Resuming())
    monkeypatch.setattr(search_status, "Pace", lambda done: Pace(done, clock=lambda: now[0]))
    study = Study(tmp_path, TINY, SHORT)
    search = Search(study, processes=1, stream=io.StringIO())
    total = workload.total(study.record(), SHORT)
    search.run()
    study.close()
    baseline = workload.of_scratch(TINY, 0)
    assert f"about {duration((total - baseline * 9 / 16) * 100.0 / (baseline / 16))} left" in said[0]


def contracts(record) -> list[Contract]:  # type: ignore[no-untyped-def]
    return [t.contract for t in record.trials]


def test_a_study_holds_baseline_initial_search_and_confirmation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = run(tmp_path, SHORT, monkeypatch)
    assert [t.phase for t in record.trials[:8]] == ["baseline"] + 3 * ["initial"] + 4 * ["search"]
    assert record.trials[0].contract.is_none
    assert len({t.contract for t in record.trials[1:8]}) == 6  # trial 5 measures one again, as every third one may
    again = read_study(tmp_path)
    assert again.trials == record.trials
    rows = list(csv.DictReader((tmp_path / "trials.csv").open()))
    assert len(rows) == len(record.trials)
    assert float(rows[4]["welfare"]) == record.trials[4].outcome.welfare.mean
    assert json.loads((tmp_path / "run.json").read_text())["configuration"]["search"]["seed"] == 0


@pytest.mark.parametrize("stop", [0, 2, 5, 6, 7])
def test_a_stopped_study_goes_on_as_if_it_had_not_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    whole = run(tmp_path / "whole", SHORT, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", SHORT, monkeypatch, interrupt_at=stop)
    assert run(tmp_path / "stopped", SHORT, monkeypatch).trials == whole.trials


def test_ten_evaluations_and_ten_more_are_twenty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = dataclasses.replace(SHORT, n_search=6, n_confirm=0)
    whole = run(tmp_path / "whole", long, monkeypatch)
    run(tmp_path / "parts", dataclasses.replace(long, n_search=2), monkeypatch)
    assert run(tmp_path / "parts", long, monkeypatch).trials == whole.trials


def test_the_search_finds_the_made_up_optimum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = run(tmp_path, SearchSettings(n_initial=10, n_search=20, n_confirm=2), monkeypatch)
    best = record.best()
    assert best is not None
    assert best.contract.tax >= 0.2
    assert best.contract.n_cleaners == 3
    confirmed = record.confirmation(best.contract)
    assert confirmed is not None
    assert confirmed.welfare.se > 0


def test_a_failed_evaluation_is_stored_with_its_cause_and_not_proposed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = run(tmp_path, SHORT, monkeypatch, fail=2)
    assert record.trials[2].failure == "it diverged"
    assert record.trials[2].contract not in contracts(record)[3:]
    assert len(history_of(record).failed) == 1


def test_suggestions_depend_on_seed_and_history_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = run(tmp_path, dataclasses.replace(SHORT, n_confirm=0), monkeypatch)
    with_confirmation = run(tmp_path, SHORT, monkeypatch)
    assert suggest(record, 2) == suggest(with_confirmation, 2) == suggest(read_study(tmp_path), 2)
    assert ask is suggest_module.ask


def test_another_configuration_is_refused_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, SHORT, monkeypatch)
    with pytest.raises(ContractsError, match=r"another configuration .*episodes: 4 there, 5 now"):
        Study(tmp_path, dataclasses.replace(TINY, episodes=5), SHORT)
    with pytest.raises(ContractsError, match="seed: 0 there, 1 now"):
        Study(tmp_path, TINY, dataclasses.replace(SHORT, seed=1))


def test_a_study_in_use_is_refused(tmp_path: Path) -> None:
    study = Study(tmp_path, TINY, SHORT)
    with pytest.raises(ContractsError, match="another process"):
        Study(tmp_path, TINY, SHORT)
    study.close()


def test_a_truncated_database_is_named_and_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, dataclasses.replace(SHORT, n_search=0, n_confirm=0), monkeypatch)
    path = tmp_path / DATABASE
    half = path.read_bytes()[:6000]
    path.write_bytes(half)
    for opening in (lambda: read_study(tmp_path), lambda: Study(tmp_path, TINY, SHORT)):
        with pytest.raises(ContractsError, match=DATABASE) as caught:
            opening()
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == half


def test_what_is_no_study_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractsError, match="no study"):
        read_study(tmp_path)
    (tmp_path / DATABASE).write_text("something else")
    with pytest.raises(ContractsError, match=DATABASE):
        read_study(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ContractsError, match="choose another with --folder"):
        Study(tmp_path / "file" / "study", TINY, SHORT)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is how Linux plays a full disk")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from contract_wrapper import files

    path = tmp_path / "trials.csv"
    files.write_text(path, "old")

    def full(*args: object, **kwargs: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(ContractsError, match="No space left on device"):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["trials.csv"]


def test_training_seeds_differ_between_trials_and_studies() -> None:
    seeds = {SearchSettings(seed=study).training_seed(number) for study in range(5) for number in range(50)}
    assert len(seeds) == 250


@pytest.mark.parametrize(
    "wrong", [{"n_initial": 2}, {"batch": 0}, {"seed": -1}, {"n_search": 1.5}, {"n_confirm": True}, {"certify": 1}]
)
def test_search_settings_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ContractsError, match=next(iter(wrong))):
        SearchSettings(**wrong)  # type: ignore[arg-type]


def test_a_lucky_training_does_not_make_a_contract_the_first_candidate(tmp_path: Path) -> None:
    harvests = {0.1: 150, 0.2: 150, 0.3: 420, 0.4: 560, 0.42: 600, 0.44: 590, 0.46: 610, 0.48: 590, 0.5: 600, 0.52: 560,
                0.56: 480, 0.58: 480, 0.6: 640, 0.62: 480, 0.64: 480, 0.66: 470}  # fmt: skip
    study = Study(tmp_path, TINY, dataclasses.replace(SHORT, n_search=20))
    try:
        for tax in harvests:
            study.add(Contract(tax=tax, n_cleaners=4), Phase.SEARCH)
        for trial in study.open_trials():
            outcome = fake_outcome(trial.contract, trial.seed)
            welfare = harvests.get(trial.contract.tax, outcome.welfare.mean) if trial.phase is Phase.SEARCH else 150.0
            study.finish(trial.number, dataclasses.replace(outcome, welfare=Estimate(mean=welfare, se=2.0)))
        record = study.record()
    finally:
        study.close()
    ranked = candidates(record)
    accepted = {t.contract for t in record.feasible_trials()}
    assert set(ranked) == accepted
    assert record.feasible_trials()[0].contract.tax == 0.6
    assert 0.4 <= ranked[0].tax <= 0.5
    assert ranked.index(Contract(tax=0.6, n_cleaners=4)) > 3


def test_before_anything_differs_candidates_are_ranked_as_measured(tmp_path: Path) -> None:
    study = Study(tmp_path, TINY, SHORT)
    try:
        assert candidates(study.record()) == []
        study.add(Contract(tax=0.3, n_cleaners=3), Phase.SEARCH)
        for number in (0, 4):
            trial = study.record().trials[number]
            study.finish(number, fake_outcome(trial.contract, trial.seed))
        assert candidates(study.record()) == [Contract(tax=0.3, n_cleaners=3)]
    finally:
        study.close()


def test_the_constraints_in_the_database_are_minus_the_margins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = run(tmp_path, SHORT, monkeypatch)
    stored = optuna.load_study(study_name=None, storage=f"sqlite:///{tmp_path / DATABASE}").trials
    assert stored[0].constraints == {}  # the baseline accepts itself
    for trial, there in zip(record.trials[1:], stored[1:], strict=True):
        constraints = there.constraints
        tightest = constraints.pop("0")  # for the dashboard
        assert constraints == {name: -margin.mean for name, margin in record.margins(trial).items()}
        assert tightest == max(constraints.values())
        assert there.value == trial.outcome.welfare.mean  # type: ignore[union-attr]
        assert all(v <= 0 for v in there.constraints.values()) == record.feasible(trial)


@pytest.mark.parametrize(
    ("tax", "cleaners", "message"),
    [
        (0.5, 6, r"cleaners must be an integer from 1 to 5, but the design \(0\.5, 6\) has 6"),
        (0.505, 3, r"\(0\.505, 3\) lies between the steps of tax, n_cleaners"),
    ],
)
def test_a_contract_outside_the_search_is_refused_with_its_range(
    tmp_path: Path, tax: float, cleaners: int, message: str
) -> None:
    study = Study(tmp_path, TINY, SHORT)
    try:
        with pytest.raises(ContractsError, match=message):
            study.add(Contract(tax=tax, n_cleaners=cleaners), Phase.SEARCH)
        assert len(study.record().trials) == 4
    finally:
        study.close()


@pytest.mark.parametrize("name", ["a?b", "c%20d", "100%", "e f", "g#h", "ü", "a&b=c", "p@q:r", "x?mode=memory"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    Study(tmp_path / name, TINY, SHORT).close()
    assert (tmp_path / name / DATABASE).is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert len(read_study(tmp_path / name).trials) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
def test_a_lock_that_is_a_link_empties_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep me")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / ".lock").symlink_to(tmp_path / "precious")
    with contextlib.suppress(ContractsError):
        Study(tmp_path / "study", TINY, SHORT).close()
    assert (tmp_path / "precious").read_text() == "keep me"


def test_a_refused_study_leaves_its_folder_to_the_corrected_command(tmp_path: Path) -> None:
    with pytest.raises(ContractsError, match="600 initial designs"):
        Study(tmp_path, TINY, dataclasses.replace(SHORT, n_initial=600))
    with pytest.raises(ContractsError, match="spawn points"):
        Study(tmp_path, TINY, dataclasses.replace(SHORT, max_cleaners=6))
    assert list(tmp_path.iterdir()) == []
    Study(tmp_path, TINY, SHORT).close()


def test_a_configuration_without_trials_binds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Study, "_queue_initial", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            Study(tmp_path, TINY, SHORT)
    Study(tmp_path, TINY, dataclasses.replace(SHORT, seed=5)).close()
    assert read_study(tmp_path).search.seed == 5


@pytest.mark.parametrize("number", [0, 2, 5])
def test_a_trial_that_was_taken_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    run(tmp_path, SHORT, monkeypatch)
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as database, database:
        database.execute("DELETE FROM trials WHERE number = ?", (number,))
    with pytest.raises(ContractsError, match=f"trial {number} is missing"):
        Study(tmp_path, TINY, SHORT)


def test_an_outcome_of_another_contract_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, SHORT, monkeypatch)
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as database, database:
        for key in ("outcome", "seal"):  # whole, as a copy of the row would be
            (other,) = database.execute(
                "SELECT value_json FROM trial_user_attributes WHERE key=? AND trial_id=3", (key,)
            ).fetchone()
            database.execute("UPDATE trial_user_attributes SET value_json=? WHERE key=? AND trial_id=4", (other, key))
    with pytest.raises(ContractsError, match=r"trial 3 .*its outcome is of"):
        read_study(tmp_path)


DAMAGE = {
    "a newer Optuna": "UPDATE alembic_version SET version_num='v9.9.9.a'",
    "no trials": "DROP TABLE trials",
    "no study": "DELETE FROM studies",
    "half an outcome": "UPDATE trial_user_attributes SET value_json='[1' WHERE key='outcome'",
    "an empty outcome": "UPDATE trial_user_attributes SET value_json='{}' WHERE key='outcome'",
    "a number for a contract": "UPDATE trial_user_attributes SET value_json='5' WHERE key='contract'",
    "an unknown phase": "UPDATE trial_user_attributes SET value_json='\"x\"' WHERE key='phase'",
    "a number for a batch": "UPDATE trial_user_attributes SET value_json='7' WHERE key='batch'",
    "too long a batch": "UPDATE trial_user_attributes SET value_json='[1, 2, 3]' WHERE key='batch'",
    "a list for a configuration": "UPDATE study_user_attributes SET value_json='[]'",
    "an old configuration": "UPDATE study_user_attributes SET value_json='{}'",
    "an empty configuration": "UPDATE study_user_attributes SET value_json='{\"format\": 3}'",
    "numbers for settings": 'UPDATE study_user_attributes SET value_json=\'{"format": 2, "evaluation": 5, "search": 6}\'',
}


def test_damage_to_a_database_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path / "good", dataclasses.replace(SHORT, n_search=1, n_confirm=0), monkeypatch)
    for k, (what, statement) in enumerate(DAMAGE.items()):
        folder = tmp_path / str(k)
        folder.mkdir()
        shutil.copy(tmp_path / "good" / DATABASE, folder)
        with contextlib.closing(sqlite3.connect(folder / DATABASE)) as database, database:
            database.execute(statement)
        before = (folder / DATABASE).read_bytes()
        with pytest.raises(ContractsError) as caught:
            read_study(folder)
        assert "\n" not in str(caught.value), what
        assert (folder / DATABASE).read_bytes() == before, what


def test_an_edited_outcome_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, SHORT, monkeypatch)
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as database, database:
        database.execute(
            "UPDATE trial_user_attributes SET value_json=replace(value_json, '\"mean\": 1', '\"mean\": 2') WHERE key='outcome'"
        )
    with pytest.raises(ContractsError, match="was changed after it was stored"):
        read_study(tmp_path)
