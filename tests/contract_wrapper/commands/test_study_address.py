"""Every command that names a study finds it in a folder or, by `--storage` and `--study`, in a database."""

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract_wrapper.bundles.bring_in import import_bundle
from contract_wrapper.cli import main
from contract_wrapper.playback import play
from contract_wrapper.studies.record import StudyRecord
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.study import Study, read_study
from worker_trial import SETTINGS, outcome

SEARCH = SearchSettings(n_initial=4, n_search=0, n_confirm=0, seed=7)
Says = Callable[..., Any]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a database with two studies, `mine` with the seed 7 and four initial designs, and `other`."""
    folder = tmp_path_factory.mktemp("stored")
    for name, search in (("other", dataclasses.replace(SEARCH, seed=8, n_initial=3)), ("mine", SEARCH)):
        study = Study(folder / "kept" / name, SETTINGS, search, storage=url_in(folder), study=name)
        while (trial := study.claim()) is not None:
            study.finish(trial.number, outcome(trial.contract, trial.seed))
        study.close()
    return folder


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'all.sqlite3'}"


@pytest.fixture
def storage(stored: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database, in the working folder."""
    monkeypatch.chdir(stored)
    return url_in(stored)


@pytest.fixture
def says(capsys: pytest.CaptureFixture[str]) -> Says:
    def run(*words: str) -> Any:
        assert main([*words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def ways(command: str, url: str) -> list[list[str]]:
    """All words by which a command may name the study `mine`."""
    return [
        [command, "mine", "--storage", url],
        [command, "--storage", url, "--study", "mine"],
        [command, "kept/mine", "--storage", url],
        [command, "kept/mine", "--study", "mine", "--storage", url],
    ]


def test_report_and_show_say_the_same_however_the_study_is_named(
    storage: str, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract_wrapper.reports.report.write_report", lambda *_, **__: [])
    for command in ("report", "show"):
        told = [says(*words) for words in ways(command, storage)]
        assert [document["configuration"]["search"]["seed"] for document in told] == [7] * 4
        for document in told:
            document["result"].pop("folder", None)
        assert all(document["result"] == told[0]["result"] for document in told)
    assert told[0]["result"]["kind"] == "study"
    assert told[0]["result"]["source"].endswith("all.sqlite3, study 'mine'")


def test_play_takes_contract_and_players_from_the_study_of_a_database(
    storage: str, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[StudyRecord] = []
    monkeypatch.setattr(play, "play_command", lambda *, study, **_: played.append(study))
    monkeypatch.setattr("contract_wrapper.commands.show.episode_document", lambda *_: {})
    for words in (["--study", "mine"], ["--study", "kept/mine"], ["--folder", "kept/mine"]):
        assert says("play", "--storage", storage, *words)["configuration"]["game"]["horizon"] == 20
    assert says(
        "play", "--storage", storage, "--study", "mine", "--folder", "kept/mine", "--cleaners", "2", "--tax", "0.5"
    )
    assert [(record.search.seed, str(record.folder)) for record in played] == [
        (7, "studies/mine"), (7, "kept/mine"), (7, "kept/mine"), (7, "kept/mine"),
    ]  # fmt: skip


def test_a_study_of_a_database_is_exported_as_that_of_a_folder(
    storage: str, says: Says, stored: Path, tmp_path: Path
) -> None:
    for k, words in enumerate((["mine"], ["kept/mine", "--study", "mine"])):
        says("export", words[0], str(tmp_path / f"{k}.zip"), *words[1:], "--storage", storage)
        brought = read_study(import_bundle(tmp_path / f"{k}.zip", tmp_path / f"brought{k}").folder or tmp_path)
        assert brought.trials == read_study(stored / "kept" / "mine", storage=storage).trials
        assert (brought.search.seed, len(brought.finished())) == (7, 4)


def test_the_dashboard_opens_at_the_study_and_cannot_write(
    storage: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, stored: Path
) -> None:
    pytest.importorskip("optuna_dashboard", reason="the package optuna-dashboard is not installed")
    from optuna.exceptions import StorageInternalError

    from contract_wrapper.reports.html.dashboard_server import DashboardServer
    from contract_wrapper.studies.sharing.opening import open_reading
    from contract_wrapper.studies.sharing.place import place_of

    asked: list[bytes] = []

    def ask(server: DashboardServer, *_: object) -> None:
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": f"/api{server.page.removeprefix('/dashboard')}",
            "HTTP_HOST": "localhost", "QUERY_STRING": "after=0", "wsgi.input": io.BytesIO(),
        }  # fmt: skip
        app = server.get_app()
        assert app is not None
        asked.append(b"".join(app(environ, lambda *_: None)))
        raise KeyboardInterrupt

    monkeypatch.setattr(DashboardServer, "serve_forever", ask)
    for words in ways("dashboard", storage):
        assert main([*words, "--port", "0", "--no-browser"]) == 0
    assert "/dashboard/studies/2: the study in sqlite:///" in capsys.readouterr().out
    assert {len(json.loads(answer)["trials"]) for answer in asked} == {5}
    reading = open_reading(place_of(stored / "kept" / "mine", storage, "mine"))
    with pytest.raises(StorageInternalError) as caught:
        reading.set_study_user_attr(2, "theirs", 1)
    assert "readonly" in str(caught.value.__cause__)


@pytest.mark.parametrize("command", ["work", "report", "dashboard", "show", "play"])
def test_a_study_that_is_not_there_is_one_line(command: str, storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("optuna_dashboard", reason="the package optuna-dashboard is not installed")
    for words, message in (
        (["--storage", storage, "--study", "none"], "there is no study 'none' in sqlite:///"),
        (["--storage", storage], "no study of --storage is named"),
    ):
        assert main([command, *words]) == 2
        told = capsys.readouterr().err
        assert message in told
        assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["report"], "no study is named: give its folder, or --storage"),
        (["work"], "no study is named: give its folder, or --storage"),
        (["report", "--study", "mine"], "--study mine names a study in a database: give its URL with --storage"),
        (
            ["show", "mine", "--study", "other", "--storage", "sqlite:///a"],
            "two studies are named, mine and --study other",
        ),
        (["play", "--folder", "kept"], "--folder kept belongs to --storage"),
        (["work", "mine", "--folder", "kept"], "--folder kept belongs to --storage"),
        (
            ["show", "--storage", "sqlite:///a", "--study", "b", "--seed", "3"],
            "is shown as it is stored: leave out --seed",
        ),
    ],
)
def test_a_study_that_is_not_named_or_twice_is_refused(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    told = capsys.readouterr().err
    assert message in told
    assert len(told.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
