"""Searches in which crews that know every contract judge them: really trained, in a second."""

import contextlib
import dataclasses
import io
import json
import math
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up_crews import certificate_of
from small_crews import SETTINGS

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation import participation
from contract_wrapper.evaluation.by_crews.crew_folder import missing_crews
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.evaluate import EvaluationStopped
from contract_wrapper.evaluation.worker_pool import Job
from contract_wrapper.evaluation.workers import Task
from contract_wrapper.files import write_sealed
from contract_wrapper.studies import record as record_module
from contract_wrapper.studies import search as search_module
from contract_wrapper.studies.certificate_file import certificate_from
from contract_wrapper.studies.certification import together
from contract_wrapper.studies.record import Phase, StudyRecord, TrialRecord
from contract_wrapper.studies.search import Search
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.sharing.place import DATABASE
from contract_wrapper.studies.study import Study, read_study

SEARCH = SearchSettings(n_initial=3, n_search=2, n_confirm=2, max_cleaners=1)
ONE_SIZE = dataclasses.replace(SETTINGS, crews=dataclasses.replace(SETTINGS.crews, sizes=(1,)))


class InThisProcess:
    """Does what workers do, one job after another, in this process; stopped by a number of `should_stop` questions."""

    def __init__(self, questions: int | None = None) -> None:
        self.left, self.asked, self.order = questions, 0, list[str]()

    def __enter__(self) -> "InThisProcess":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def should_stop(self) -> bool:
        self.asked += 1
        if self.left is None:
            return False
        self.left -= 1
        return self.left < 0

    def run(self, jobs, settings, folder, on_result, on_status, on_tick) -> None:  # type: ignore[no-untyped-def]
        for job in jobs:
            self.order.append(str(job))
            on_tick()
            try:
                result = job.do(settings, folder, lambda _: None, self.should_stop)
            except EvaluationStopped as error:
                raise KeyboardInterrupt from error
            on_result(job, result)


Run = Callable[..., StudyRecord]


def runs_with(patch: pytest.MonkeyPatch) -> Run:
    def start(folder: Path, workers: InThisProcess | None = None, settings=ONE_SIZE, search=SEARCH) -> StudyRecord:  # type: ignore[no-untyped-def]
        patch.setattr(search_module, "working", lambda *_: workers or InThisProcess())
        study = Study(folder, settings, search)
        try:
            return Search(study, processes=1, stream=io.StringIO()).run()
        finally:
            study.close()

    return start


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    return runs_with(monkeypatch)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyRecord, InThisProcess]:
    """A study that was searched from beginning to end, and who did it."""
    workers = InThisProcess()
    with pytest.MonkeyPatch.context() as patch:
        return runs_with(patch)(tmp_path_factory.mktemp("whole") / "study", workers), workers


@pytest.fixture
def finished(whole: tuple[StudyRecord, InThisProcess], tmp_path: Path) -> Path:
    """A copy of its folder."""
    return Path(shutil.copytree(whole[0].folder, tmp_path / "study"))


def untimed(record: StudyRecord) -> list[object]:
    times = {"cpu_seconds": 0.0, "wall_seconds": 0.0}
    return [
        t if t.outcome is None else dataclasses.replace(t, outcome=dataclasses.replace(t.outcome, **times))
        for t in record.trials
    ]


def test_crews_are_trained_first_and_judge_all_contracts(whole: tuple[StudyRecord, InThisProcess]) -> None:
    record, workers = whole
    assert workers.order[:3] == ["crews 1", "crews 2", "no contract (tax 0, 0 cleaners)"]
    for trial in record.trials:
        assert trial.outcome is not None
        judged = trial.phase in (Phase.INITIAL, Phase.SEARCH)
        assert len(trial.outcome.by_crew) == (2 if judged else 0), trial
    assert read_study(record.folder).trials == record.trials
    said = json.loads((record.folder / "run.json").read_text())
    assert list(map(int, said["crews_cpu_seconds"])) == list(ONE_SIZE.crews.seeds)
    assert said["cpu_seconds"] > sum(said["crews_cpu_seconds"].values()) > 0
    assert "welfare_crews_2" in (record.folder / "trials.csv").read_text().splitlines()[0]


@pytest.mark.parametrize(("processes", "beside"), [(1, "no contract"), (2, "tax"), (3, "crews")])
def test_the_baseline_is_trained_where_a_process_would_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int, beside: str
) -> None:
    """Beside the two trainings of crews if there are more processes than that, else while they play contracts."""
    steps: list[list[str]] = []

    class Noted(InThisProcess):
        def run(self, jobs, *others) -> None:  # type: ignore[no-untyped-def]
            steps.append([str(job) for job in jobs])
            super().run(jobs, *others)

    monkeypatch.setattr(search_module, "working", lambda *_: Noted())
    assert ONE_SIZE.crews is not None
    assert ONE_SIZE.crews.trainings == 2
    search = dataclasses.replace(SEARCH, n_search=0, n_confirm=0)
    study = Study(tmp_path, ONE_SIZE, search)
    try:
        Search(study, processes=processes, stream=io.StringIO()).run()
    finally:
        study.close()
    mine = next(step for step in steps if any(job.startswith("no contract") for job in step))
    assert mine[-1 if beside == "crews" else 0].startswith("no contract")
    assert any(job.startswith(beside) for job in mine)


def test_a_search_that_is_stopped_anywhere_goes_on_to_the_same_end(
    tmp_path: Path, run: Run, whole: tuple[StudyRecord, InThisProcess]
) -> None:
    undisturbed, workers = whole
    assert undisturbed.certificate is not None
    # again and again from the first crews on, in the baseline, while deviators learn, in the last training from scratch
    for questions in (4, 13, workers.asked - 6, workers.asked - 1):
        folder, stops = tmp_path / str(questions), 0
        while True:
            try:
                record = run(folder, InThisProcess(questions))
                break
            except KeyboardInterrupt:
                stops += 1
        assert untimed(record) == untimed(undisturbed), questions
        assert record.certificate == undisturbed.certificate, questions
        assert stops > 0, questions


def test_a_finished_search_asks_for_nothing_again(
    whole: tuple[StudyRecord, InThisProcess], finished: Path, run: Run
) -> None:
    workers = InThisProcess()
    assert run(finished, workers).trials == whole[0].trials
    assert workers.order == []


def test_a_search_that_is_continued_needs_no_new_crews(finished: Path, run: Run) -> None:
    workers = InThisProcess()
    record = run(finished, workers, search=dataclasses.replace(SEARCH, n_search=3, n_confirm=0))
    assert len([t for t in record.trials if t.phase is Phase.SEARCH]) == 3
    assert [job for job in workers.order if job.startswith("crews")] == []


def test_the_recommended_contract_is_certified_and_the_certificate_kept(
    whole: tuple[StudyRecord, InThisProcess],
) -> None:
    record, _ = whole
    best = record.best()
    assert best is not None
    certificate = read_study(record.folder).certified(best.contract)
    assert certificate is not None
    assert (certificate.n_trainings, certificate.unit, certificate.missing) == (2, "episodes", ())
    assert [gain.role for gain in certificate.gains] == ["cleaner", "harvester"]
    assert certificate == record.certificate


def test_nothing_is_certified_where_that_is_not_wanted_and_may_be_later(tmp_path: Path, run: Run) -> None:
    workers = InThisProcess()
    record = run(tmp_path, workers, search=dataclasses.replace(SEARCH, certify=False))
    assert record.certificates == ()
    assert not [job for job in workers.order if job.startswith("deviators")]
    assert run(tmp_path).certificate is not None


@pytest.mark.parametrize(("uppers", "n_certified", "chosen"), [((0.2,), 1, 0), ((9.0, 0.2), 2, 1), ((9.0,) * 3, 3, 0)])
def test_the_next_best_is_certified_where_the_best_is_refuted(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, uppers: tuple[float, ...], n_certified: int, chosen: int
) -> None:
    left = list(uppers)

    def together(certificates):  # type: ignore[no-untyped-def]
        upper = left.pop(0)
        return certificate_of(certificates[0].contract, cleaner=(upper - 0.1, upper))

    monkeypatch.setattr(search_module, "together", together)
    monkeypatch.setattr(participation, "accepts", lambda _margin: True)
    monkeypatch.setattr(record_module, "accepts", lambda _margin: True)
    record = run(tmp_path)
    assert [c.contract for c in record.certificates] == [t.contract for t in record.feasible_trials()[:n_certified]]
    assert record.best() == record.feasible_trials()[chosen]
    assert not left
    assert run(tmp_path).certificates == record.certificates  # nothing is measured again: `together` would raise


def test_a_certificate_that_was_edited_counts_as_none_and_is_made_again(
    whole: tuple[StudyRecord, InThisProcess], finished: Path, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = whole[0].certificate
    path = finished / "certificates.json"
    path.write_text(path.read_text().replace("0.95", "0.99"))
    in_database(finished, "UPDATE study_user_attributes SET value_json = replace(value_json, '0.95', '0.99')")
    assert read_study(finished).certificates == ()
    assert "the certificates are not used" in caplog.text
    assert "a certificate in the database is not used" in caplog.text
    workers = InThisProcess()
    assert run(finished, workers).certificate == certificate
    assert workers.order[:2] == ["deviators of crews 1", "deviators of crews 2"]
    assert {job.partition(" of ")[0] for job in workers.order} == {"deviators"}
    in_database(finished, "DELETE FROM study_user_attributes")
    assert read_study(finished).certificate == certificate, "studies of before had it in the file alone"
    content = json.loads(path.read_text())["content"]
    write_sealed(path, "certificates", {**content, "settings": "other"})
    assert read_study(finished).certificates == ()


def in_database(folder: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as database, database:
        database.execute(f"{statement} WHERE key LIKE 'certificate %'")


@pytest.mark.parametrize(
    "change",
    [
        {"contract": {}}, {"margins": 5}, {"margins": [5]}, {"gains": [{"role": 3}]}, {"missing": [1]}, {"unit": "days"},
        {"epsilon": "x"}, {"epsilon": math.inf}, {"n_trainings": 0}, {"n_trainings": 1.5}, {"more": 1}, {"counted_in": 3},
        {"margins": [{"name": "a", "mean": True, "se": 0, "lower": 0, "upper": 0}]},
    ],
)  # fmt: skip
def test_what_is_no_certificate_is_refused(change: dict[str, object]) -> None:
    good = dataclasses.asdict(certificate_of(Contract(tax=0.1, n_cleaners=1)))
    plain = json.loads(json.dumps(good))
    older = {name: value for name, value in plain.items() if name != "counted_in"}  # in apples, then
    for told in (plain, older):
        assert certificate_from(told) == certificate_of(Contract(tax=0.1, n_cleaners=1))
    with pytest.raises(ContractsError):
        certificate_from({**plain, **change})


def test_certificates_of_single_trainings_are_put_together_with_the_errors_of_their_episodes() -> None:
    one, two = (certificate_of(Contract(tax=0.1, n_cleaners=1), cleaner=(mean, mean + 1)) for mean in (1.0, 3.0))
    both = together([one, two])
    assert both.n_trainings == 2
    assert both.gains[0].mean == pytest.approx(2.0)
    assert both.gains[0].se == pytest.approx(0.1 / 2**0.5)  # two errors of 0.1
    assert both.margins[0].mean == 60.0
    other = certificate_of(Contract(tax=0.2, n_cleaners=1))
    with pytest.raises(ContractsError, match="cannot be put together"):
        together([one, other])


@pytest.fixture
def record(whole: tuple[StudyRecord, InThisProcess]) -> StudyRecord:
    """A study in which contracts at welfare 100 are accepted, and fresh trainings of the best bring 94 and 98."""
    found, _ = whole
    best = found.finished()[0].contract

    def made_up(trial):  # type: ignore[no-untyped-def]
        confirms = [t.number for t in found.trials if t.phase is Phase.CONFIRMATION]
        welfare = 100.0 if trial.contract == best else 50.0
        welfare = {number: 94.0 + 4 * k for k, number in enumerate(confirms)}.get(trial.number, welfare)
        good = Estimate(mean=-1000.0 if trial.phase in (Phase.BASELINE, Phase.CONFIRMATION) else 5.0)
        utilities = dict.fromkeys(trial.outcome.utilities, good)
        outcome = dataclasses.replace(
            trial.outcome,
            welfare=Estimate(mean=welfare),
            utilities=utilities,
            by_crew=(welfare,) * len(trial.outcome.by_crew),
        )
        contract = best if trial.phase is Phase.CONFIRMATION else trial.contract
        return dataclasses.replace(trial, contract=contract, outcome=dataclasses.replace(outcome, contract=contract))

    return dataclasses.replace(found, trials=tuple(map(made_up, found.trials)))


def test_fresh_trainings_refute_nothing_that_crews_recommend(record: StudyRecord) -> None:
    best = record.best()
    assert best is not None
    assert best.outcome is not None
    assert best.outcome.welfare.mean == 100.0
    assert record.confirmed(best.contract) is False  # as measured from scratch nobody accepts it
    from_scratch = dataclasses.replace(record, settings=record.settings.from_scratch()).best()
    assert from_scratch is None or from_scratch.contract != best.contract


def test_a_contract_is_reachable_within_five_percent(record: StudyRecord) -> None:
    best = record.finished()[0].contract
    reach = record.reach(best)
    assert reach is not None
    assert (reach.scratch.mean, reach.n_scratch, reach.as_measured) == (96.0, 2, True)  # of at least 95
    assert record.reach(record.finished()[1].contract) is None
    lower = [t if t.phase is not Phase.CONFIRMATION else _at(t, 94.9) for t in record.trials]
    far = dataclasses.replace(record, trials=tuple(lower)).reach(best)
    assert far is not None
    assert not far.as_measured
    unseen = [
        t if t.outcome is None else dataclasses.replace(t, outcome=dataclasses.replace(t.outcome, by_crew=()))
        for t in record.trials
    ]
    assert dataclasses.replace(record, trials=tuple(unseen)).reach(best) is None


def _at(trial: TrialRecord, welfare: float) -> TrialRecord:
    assert trial.outcome is not None
    return dataclasses.replace(trial, outcome=dataclasses.replace(trial.outcome, welfare=Estimate(mean=welfare)))


def test_crews_that_do_not_know_a_size_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ContractsError, match="trained for 1, 3 cleaners, not for 2"):
        Study(tmp_path / "new", SETTINGS, dataclasses.replace(SEARCH, max_cleaners=2))
    assert not (tmp_path / "new").exists()


def test_a_study_from_scratch_is_not_continued_by_crews(tmp_path: Path) -> None:
    Study(tmp_path, ONE_SIZE.from_scratch(), SEARCH).close()
    with pytest.raises(ContractsError, match="--inner: scratch there, crews now"):
        Study(tmp_path, ONE_SIZE, SEARCH)
    Study(tmp_path, ONE_SIZE.from_scratch(), SEARCH).close()
    more = dataclasses.replace(ONE_SIZE, crews=CrewSettings(learner=ONE_SIZE.crews.learner, trainings=3))  # type: ignore[union-attr]
    Study(tmp_path / "other", ONE_SIZE, SEARCH).close()
    with pytest.raises(ContractsError, match="seed: 7 there, 0 now"):
        Study(tmp_path / "other", more, SEARCH)


def test_crews_that_cannot_be_trained_end_the_search_in_one_line(tmp_path: Path, run: Run) -> None:
    class Failing(InThisProcess):
        def run(self, jobs, settings, folder, on_result, on_status, on_tick) -> None:  # type: ignore[no-untyped-def]
            for job in jobs:
                on_result(job, "it diverged")

    with pytest.raises(ContractsError, match="crews that judge all contracts could not be trained: it diverged"):
        run(tmp_path, Failing())
    assert missing_crews(tmp_path / "outcomes", ONE_SIZE) == [0, 1]


def test_jobs_say_what_they_are() -> None:
    jobs: list[Task] = [Job(number=1, contract=SEARCH.initial_contracts()[1], seed=0)]
    assert str(jobs[0]).startswith("tax ")
