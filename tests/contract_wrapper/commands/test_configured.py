"""What `--config`, options and `--set` come to in a command: settings, folders, documents, and what `show` prints."""

import dataclasses
import io
import json
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from made_up_landscapes import made_up_landscape
from small_crews import SETTINGS

from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.cli import build_parser, main
from contract_wrapper.commands.configured import Configured, configure
from contract_wrapper.configuration.stored import read_stored
from contract_wrapper.configuration.tree import leaves, tree_of
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.engines.engine import Engine
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.crews import PPO_CREWS
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.outcome_files import KIND, write_outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import read_sealed, write_sealed
from contract_wrapper.landscape_job import by_hand, command_of, settings_of
from contract_wrapper.landscape_job import folder_name as landscape_name
from contract_wrapper.landscapes.building import landscape_folder
from contract_wrapper.landscapes.building.landscape_settings import QUICK, LandscapeSettings
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.main_job import crew_options, folder_name, make_quick, search_options, usual_inner
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.study import Study
from contract_wrapper.studies.suggest import suggest

NEEDED = {"evaluate": ["--tax", "0.1", "--cleaners", "2"], "certify": ["--tax", "0.1", "--cleaners", "2"]}


@pytest.fixture
def run_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes the file `run.toml` of a folder, in which commands then run."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Path:
        (tmp_path / "run.toml").write_text(text)
        return tmp_path / "run.toml"

    return write


def configured(command: str, *words: str) -> Configured:
    options = build_parser().parse_args([command, *NEEDED.get(command, []), *words])
    if command == "optimize" and options.quick:
        make_quick(options)
    return configure(options, command)


def optimized(*words: str) -> tuple[EvaluationSettings, SearchSettings]:
    run = configured("optimize", *words)
    crews = crew_options(run.options, run.asked_inner() or usual_inner(run.options), run.options.quick)
    return run.evaluation(crews), run.search(search_options(run.options))


def study_name(*words: str) -> str:
    return folder_name(configured("optimize", *words))


# ---- orders


def test_a_file_lies_over_defaults_and_under_options_and_set(run_toml: Any) -> None:
    run_toml(
        'costs = "paper"\nsearch.n_initial = 4\nsearch.batch = 3\nsearch.seed = 5\n[game]\nn_harvesters = 4\nhorizon = 50\n'
    )
    file = ("--config", "run.toml")
    settings, search = optimized(*file)
    assert (settings.costs, settings.game.n_harvesters) == (EvaluationSettings(costs="paper").costs, 4)
    assert (search.n_initial, search.batch, search.seed) == (4, 3, 5)
    settings, search = optimized(
        *file, "--costs", "effort", "--harvesters", "3", "--initial", "5", "--batch", "2", "--seed", "0"
    )
    assert (settings.costs, settings.game.n_harvesters) == (
        EvaluationSettings().costs,
        3,
    )  # defaults that are given count
    assert (search.n_initial, search.batch, search.seed, settings.game.horizon) == (5, 2, 0, 50)
    settings, search = optimized(*file, "--harvesters", "3", "--set", "game.n_harvesters=2", "--set", "search.seed=9")
    assert (settings.game.n_harvesters, search.seed) == (2, 9)


def test_a_file_can_say_who_judges_and_options_and_set_come_first(run_toml: Any) -> None:
    run_toml('crews = "none"\n')
    file = ("--config", "run.toml")
    assert optimized(*file)[0].crews is None
    assert optimized(*file, "--inner", "crews")[0].crews == CrewSettings()
    assert optimized(*file, "--set", "crews.trainings=3")[0].crews == CrewSettings(trainings=3)
    assert optimized("--inner", "crews", "--set", "crews=none")[0].crews is None
    run_toml("[crews]\ntrainings = 4\n")
    assert configured("evaluate").asked_inner() is None
    assert configured("evaluate", *file).asked_inner() == "crews"
    assert optimized(*file)[0].crews == CrewSettings(trainings=4)
    assert optimized(*file, "--crews", "1")[0].crews == CrewSettings(trainings=1)
    assert optimized(*file, "--inner", "scratch")[0].crews is None
    assert configured("certify", *file).evaluation().crews is None  # for other commands


def test_quick_is_quick_whatever_a_file_says(run_toml: Any) -> None:
    run_toml(
        "learner.episodes = 9000\nlearner.n_step = 7\nsearch.n_search = 50\ncrews.trainings = 6\ncrews.learner.hidden = [9]\n"
        "crews.learner.n_step = 8\nlandscape.crews.episodes = 90000\nlandscape.taxes = [0.1, 0.2]\nlandscape.crews.n_step = 8\n"
    )
    settings, search = optimized("--quick", "--config", "run.toml")
    plain, plain_search = optimized("--quick")
    assert search == plain_search
    assert settings.learner == dataclasses.replace(get_mtmfq_profile("quick"), n_step=7)
    assert plain.crews is not None
    assert settings.crews == dataclasses.replace(
        plain.crews, learner=dataclasses.replace(plain.crews.learner, n_step=8)
    )
    quick = settings_of(configured("landscape", "--quick", "--config", "run.toml"))
    usual = LandscapeSettings(**QUICK)
    assert quick == dataclasses.replace(usual, crews=dataclasses.replace(usual.crews, n_step=8))
    assert settings_of(configured("landscape", "--quick")) == usual


def test_a_file_that_chooses_the_learner_decides_who_can_judge(run_toml: Any) -> None:
    run_toml('learner.name = "ppo"\n')
    assert optimized("--config", "run.toml")[0].crews is None
    by_ppo = optimized("--config", "run.toml", "--inner", "crews")[0].crews
    assert by_ppo is not None
    assert by_ppo.learner == PPO_CREWS
    assert optimized("--config", "run.toml", "--learner", "mtmfq")[0].crews == CrewSettings()


# ---- folders


def test_what_an_option_can_say_names_the_folder_alike_however_it_is_said(run_toml: Any) -> None:
    usual = study_name("--costs", "paper", "--profile", "quick", "--seed", "4")
    assert usual == "contract-paper-crews-quick-seed4"
    run_toml('costs = "cleaner:per_step=0.0092"\nlearner.profile = "quick"\nsearch.seed = 4\ncrews.seed = 4\n')
    assert study_name("--config", "run.toml") == usual
    assert study_name("--set", "costs=paper", "--set", "search.seed=4", "--seed", "4", "--profile", "quick") == usual
    assert study_name("--set", "learner.gamma.cleaner=0.99") == study_name()  # the default
    assert study_name("--set", "search.n_search=40", "--set", "search.n_confirm=0") == study_name()  # may change


def test_other_settings_lie_in_another_folder_which_is_the_same_each_time(run_toml: Any) -> None:
    texts = ("learner.gamma=0.9", "learner.gamma={cleaner=0.99}", "search.n_initial=4", "game.horizon=100", "episodes=50",
             "crews.learner.hidden=[8]", "search.optimiser.score=cmes", "crews.seed=1", "search.max_cleaners=4")  # fmt: skip
    names = [study_name("--set", text) for text in texts]
    assert len({study_name(), *names}) == len(texts) + 1
    assert all(name.startswith("contract-effort-crews-fast-seed0-set-") and len(name) < 60 for name in names)
    assert study_name("--set", texts[0]) == names[0]
    run_toml("learner.gamma = 0.9\n")
    assert study_name("--config", "run.toml") == names[0]  # wherever it is said
    assert study_name("--config", "run.toml", "--evaluations", "30") == names[0]
    assert study_name("--inner", "scratch", "--set", texts[0]).startswith("contract-effort-fast-seed0-set-")


def test_settings_of_a_preset_that_is_no_game_by_itself_have_a_folder_each(run_toml: Any) -> None:
    names = []
    for harvesters in (3, 4):
        run_toml(f'game = {{preset = "original", n_free = 0, n_harvesters = {harvesters}}}\n')
        names.append(study_name("--config", "run.toml"))
        assert optimized("--config", "run.toml")[0].game.start == "soiled"
    assert all(name.startswith("original-effort-crews-fast-seed0-set-") for name in names)
    assert names[0] != names[1]


def test_a_whole_configuration_lies_in_the_folder_of_its_options(
    run_toml: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ((), ("--profile", "quick", "--seed", "3")):
        assert main(["show", *words]) == 0
        run_toml(capsys.readouterr().out)
        here = ("--config", "run.toml", *words[:2])
        assert study_name(*here) == study_name(*words)
        assert landscape_name(configured("landscape", "--config", "run.toml")) == landscape_name(
            configured("landscape")
        )


def test_the_command_of_a_landscape_makes_it_again_without_the_file(run_toml: Any) -> None:
    run_toml('costs = "paper"\n[landscape]\ntaxes = [0.1, 0.5]\ncrews = {gamma = {cleaner = 0.5}, hidden = [8]}\n')
    run = configured("landscape", "--config", "run.toml", "--set", "game.horizon=50")
    command = command_of(run, 2)
    again = configured(*shlex.split(command)[1:])
    assert "--config" not in command
    assert settings_of(again) == settings_of(run)
    assert landscape_name(again) == landscape_name(run)
    assert set(by_hand(run)) == {"game.horizon", "landscape.taxes", "landscape.crews.gamma", "landscape.crews.hidden"}
    assert "set-" in landscape_name(run)


def test_a_study_goes_on_by_the_same_file_and_names_what_differs_in_another(run_toml: Any) -> None:
    text = (
        'game.horizon = 20\nepisodes = 4\nlearner = {profile = "smoke", episodes = 16, n_games = 8, batch_size = 64, replay_capacity = 100}\n'
        'crews = "none"\nsearch = {n_initial = 3, max_cleaners = 1, n_search = 0}\n'
    )
    run_toml(text)
    Study(Path("study"), *optimized("--config", "run.toml")).close()
    Study(Path("study"), *optimized("--config", "run.toml", "--evaluations", "3")).close()
    run_toml(text.replace("n_games = 8", "n_games = 4"))
    with pytest.raises(ContractsError, match=r"another configuration \(n_games: 8 there, 4 now"):
        Study(Path("study"), *optimized("--config", "run.toml"))
    run_toml(text)
    with pytest.raises(ContractsError, match=r"another configuration \(score: 'gain' there, 'cmes' now"):
        Study(Path("study"), *optimized("--config", "run.toml", "--set", "search.optimiser.score=cmes"))


# ---- errors and documents


@pytest.mark.parametrize("command", ["evaluate", "certify", "optimize", "landscape", "play", "show"])
def test_every_command_refuses_a_wrong_file_or_key_in_one_line(
    command: str, run_toml: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run_toml("[game]\nhorizn = 3\n")
    for words, message in (
        (["--config", "run.toml"], "there is no key game.horizn in run.toml: did you mean game.horizon?"),
        (["--config", "none.toml"], "none.toml cannot be read"),
        (["--set", "game.horizon=0"], "game.horizon (--set): horizon must be"),
        (["--set", "game.horizon"], "--set is given as KEY=VALUE"),
    ):
        assert main([command, *NEEDED.get(command, []), *words]) == 2
        said = capsys.readouterr()
        assert message in said.err
        assert len(said.err.strip().splitlines()) == 1
    assert [path.name for path in Path().iterdir()] == ["run.toml"]


def test_play_plays_the_game_of_a_file_and_its_document_has_the_configuration(
    run_toml: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run_toml('costs = "none"\npayment = "cells"\n[game]\nhorizon = 7\n[search]\nn_search = 3\n')
    assert (
        main(
            [
                "play",
                "--tax",
                "0.5",
                "--cleaners",
                "2",
                "--config",
                "run.toml",
                "--set",
                "game.n_harvesters=2",
                "--json",
            ]
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert len(told["result"]["steps"]) == 8
    assert told["result"]["agents"] == ["harvester_0", "harvester_1", "cleaner_0", "cleaner_1"]
    known = told["configuration"]
    assert (known["game"]["horizon"], known["game"]["n_harvesters"]) == (7, 2)
    assert (known["costs"], known["payment"], known["learner"]["name"]) == ("none", "cells", "mtmfq")
    assert set(known) == {
        "game",
        "costs",
        "learner",
        "episodes",
        "payment",
        "contract",
        "objective",
        "outside",
        "epsilon",
    }


def test_a_study_that_is_played_has_its_own_settings(
    run_toml: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Study(Path("study"), SETTINGS, SEARCH).close()
    run_toml("episodes = 5\n")
    for words in (["--set", "episodes=5"], ["--config", "run.toml"]):
        assert main(["play", "--study", "study", *words]) == 2
        assert "has settings of its own: leave out --config and --set" in capsys.readouterr().err
    monkeypatch.setattr("contract_wrapper.playback.play.play_command", lambda **_: None)
    monkeypatch.setattr("contract_wrapper.commands.show.episode_document", lambda *_: {})
    assert main(["play", "--study", "study", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["configuration"]["game"]["horizon"] == 20


def test_documents_of_results_have_the_configuration(
    fake_study: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract_wrapper.reports.landscape_report.write_landscape_report", lambda *_, **__: [])
    monkeypatch.setattr("contract_wrapper.reports.report.write_report", lambda *_, **__: [])
    made_up_landscape(2, n_taxes=3).save(tmp_path / "landscape.npz")
    assert main(["report", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["configuration"] is None  # made by hand: it does not say
    about = LandscapeSettings(episodes=9).about()
    made_up_landscape(2, n_taxes=3, about=about).save(tmp_path / "landscape.npz")
    assert main(["report", str(tmp_path), "--json"]) == 0
    wanted = json.loads(json.dumps(tree_of(LandscapeSettings(episodes=9))))
    assert json.loads(capsys.readouterr().out)["configuration"] == wanted
    monkeypatch.setattr("contract_wrapper.studies.study.read_study", lambda *_, **__: fake_study)
    assert main(["report", str(tmp_path / "study"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["configuration"]
    assert told == json.loads(json.dumps(tree_of(fake_study.settings, fake_study.search)))


def test_the_document_of_a_landscape_has_its_configuration(
    run_toml: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "contract_wrapper.reports.landscape_report.write_landscape_report", lambda *_, **__: [Path("x")]
    )
    asked: dict[str, Any] = {}

    def make(settings: LandscapeSettings, *_: Any, **how: Any) -> Any:
        asked.update(settings=settings, command=how["command"])
        return made_up_landscape(2, n_taxes=3)

    monkeypatch.setattr(landscape_folder, "make_landscape", make)
    run_toml("[landscape]\nepisodes = 9\n")
    assert main(["landscape", "--config", "run.toml", "--set", "game.horizon=50", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["configuration"]
    assert told == json.loads(json.dumps(tree_of(asked["settings"])))
    assert (told["landscape"]["episodes"], told["game"]["horizon"]) == (9, 50)
    assert asked["command"].endswith("--set game.horizon=50 --set landscape.episodes=9")


def test_a_study_asks_its_optimiser_as_it_is_set(fake_study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    choosing, asked = CPMESConfig(score="cmes"), dict[str, Any]()
    monkeypatch.setattr("contract_wrapper.studies.suggest.ask", lambda *_, **how: asked.update(how) or [])
    suggest(dataclasses.replace(fake_study, search=SearchSettings(optimiser=choosing)), 1)
    assert asked["config"] == choosing


# ---- show


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = main(["show", *map(str, words)])
    said = capsys.readouterr()
    assert code == 0, said.err
    return said.out


def test_show_prints_what_the_options_come_to(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys)
    assert tomllib.loads(text) == json.loads(
        json.dumps(
            tree_of(EvaluationSettings(crews=CrewSettings()), SearchSettings(), LandscapeSettings(), Engine())
        ).replace("null", '"none"')
    )
    assert "\n# numpy: " in text
    assert "\ntaxes = [0.0, 0.01, 0.02," in text
    assert "0.99, 1.0]\n" in text
    assert max(map(len, text.splitlines())) > 500  # a line of TOML is not folded
    small = tomllib.loads(
        shown(capsys, "--for", "optimize", "--profile", "smoke", "--seed", "3", "--set", "search.n_search=1")
    )
    assert (
        small["learner"]["episodes"],
        small["search"]["n_search"],
        small["search"]["seed"],
        small["crews"]["seed"],
    ) == (200, 1, 3, 3)
    keys = {
        name: set(tomllib.loads(shown(capsys, "--for", name))) for name in ("evaluate", "certify", "landscape", "play")
    }
    assert keys["evaluate"] - keys["certify"] == {"crews"}
    assert keys["landscape"] == {"game", "costs", "landscape", "engine"}
    assert keys["play"] == keys["certify"]
    assert tomllib.loads(shown(capsys, "--for", "evaluate"))["crews"] == "none"


@pytest.mark.parametrize("reader", ["evaluate", "certify", "optimize", "landscape", "play"])
def test_what_show_prints_is_what_config_reads(reader: str, run_toml: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--costs", "paper", "--set", "game.horizon=30", "--set", "game.waste_ceiling=none"]
    run_toml(shown(capsys, "--for", reader, *words))
    assert shown(capsys, "--for", reader, "--config", "run.toml") == shown(capsys, "--for", reader, *words)


def test_a_configuration_comes_from_the_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"game.horizon = 30")))
    assert "\nhorizon = 30\n" in shown(capsys, "--config", "-", "--for", "play")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"game.horizon = 0")))
    assert main(["show", "--config", "-"]) == 2
    assert "game.horizon in the standard input: horizon must be" in capsys.readouterr().err


def test_show_is_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(shown(capsys, "--json", "--for", "landscape", "--set", "game.waste_ceiling=none"))
    assert told["format"] == "cleanup-contracts show"
    assert told["configuration"]["game"]["waste_ceiling"] is None
    assert (told["result"]["kind"], told["result"]["source"]) == ("settings", None)
    assert "numpy" in told["result"]["versions"]


SEARCH = SearchSettings(n_initial=3, n_search=0, max_cleaners=1, optimiser=CPMESConfig(score="cmes"))


def test_the_configuration_of_a_study_is_read_from_its_run_json(
    run_toml: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    Study(Path("study"), SETTINGS, SEARCH).close()
    text = shown(capsys, "study")
    assert "# The configuration of the study in study/run.json; --config reads it.\n# code: " in text
    run_toml(text)
    assert optimized("--config", "run.toml") == (SETTINGS, SEARCH)
    Study(Path("study"), *optimized("--config", "run.toml")).close()  # goes on
    (Path("study") / "run.json").unlink()
    assert tomllib.loads(shown(capsys, "study")) == tomllib.loads(text)  # from the database
    for content, message in {
        '{"configuration": {"format": 4, "evaluation": {}}}': "settings of an evaluation have the names",
        '{"configuration": {"format": 4}}': "the configuration in study/run.json is damaged",
        '{"configuration": {"format": 9}}': "made by another version of this program",
    }.items():
        (Path("study") / "run.json").write_text(content)
        assert main(["show", "study"]) == 2
        assert message in capsys.readouterr().err


def test_a_study_from_before_its_optimiser_could_be_chosen_is_read() -> None:
    old = SEARCH.to_dict()
    del old["optimiser"]
    assert SearchSettings.from_dict(old) == dataclasses.replace(SEARCH, optimiser=CPMESConfig())
    for wrong in ({**old, "optimiser": 3}, {**old, "optimiser": {"scor": "cmes"}}):
        with pytest.raises(ContractsError, match="settings of the optimiser have the names"):
            SearchSettings.from_dict(wrong)
    with pytest.raises(ContractsError, match="optimiser must be a CPMESConfig"):
        SearchSettings(optimiser="cmes")  # type: ignore[arg-type]


def test_the_configuration_of_a_landscape_is_read_from_its_folder(
    run_toml: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = LandscapeSettings(costs=get_costs("none"), taxes=(0.5,), episodes=9)
    Path("made").mkdir()
    landscape_folder._join(settings, Path("made"))
    run_toml(shown(capsys, "made"))
    assert settings_of(configured("landscape", "--config", "run.toml")) == settings
    about = {**settings.about(), "versions": {"numpy": "1.2.3"}, "command": "this"}
    made_up_landscape(2, n_taxes=3, about=about).save(Path("made") / "landscape.npz")
    text = shown(capsys, "made")
    assert "# numpy: 1.2.3\n" in text
    assert tomllib.loads(text) == tomllib.loads(Path("run.toml").read_text())
    made_up_landscape(2, n_taxes=3).save(Path("made") / "landscape.npz")
    assert main(["show", "made"]) == 2
    assert "does not say the whole configuration of its landscape: game, taxes" in capsys.readouterr().err


def outcome_file(folder: Path, settings: EvaluationSettings, contract: Contract, fake: Any, seed: int = 0) -> Path:
    path = folder / f"{settings.key(contract, seed)}.json"
    write_outcome(path, fake(contract, [1.0] * 5), settings)
    return path


def test_the_configuration_of_outcomes_is_read_from_their_folder(
    run_toml: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from made_up_studies import fake_outcome

    folder, contract = Path("evaluations"), Contract(tax=0.1, n_cleaners=1)
    outcome_file(
        folder, SETTINGS.from_scratch(), Contract.none(), fake_outcome
    )  # the game without a contract knows no crews
    first = outcome_file(folder, SETTINGS, contract, fake_outcome)
    (folder / "notes.json").write_text("[]")
    text = shown(capsys, "evaluations")
    run_toml(text)
    run = configured("evaluate", "--config", "run.toml")
    assert run.evaluation(crew_options(run.options, str(run.asked_inner()))) == SETTINGS
    other = dataclasses.replace(SETTINGS, episodes=5)
    outcome_file(folder, other, contract, fake_outcome)
    assert main(["show", "evaluations"]) == 2
    said = capsys.readouterr().err
    assert "has outcomes of 2 configurations: name one of its files" in said
    assert first.name in said
    assert tomllib.loads(shown(capsys, str(first))) == tomllib.loads(text)


@pytest.mark.parametrize("change", ["older", "edited", "another"])
def test_an_outcome_without_its_own_settings_is_refused(
    change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from made_up_studies import fake_outcome

    path = outcome_file(tmp_path, SETTINGS, Contract(tax=0.1, n_cleaners=1), fake_outcome)
    content = read_sealed(path, KIND)
    assert Outcome.from_dict(content["outcome"]).contract == Contract(tax=0.1, n_cleaners=1)
    messages = {
        "older": "does not say the settings",
        "edited": "was cut short, damaged or edited",
        "another": "holds other settings",
    }
    if change == "older":
        del content["settings"]
    if change == "another":
        content["settings"]["episodes"] = 5
    write_sealed(path, KIND, content)
    if change == "edited":
        path.write_text(path.read_text().replace('"episodes": 4', '"episodes": 5'))
    for place in (path, tmp_path):
        with pytest.raises(ContractsError, match=messages[change]):
            read_stored(place)
    other = dataclasses.replace(SETTINGS, episodes=6)
    outcome_file(tmp_path, other, Contract(tax=0.1, n_cleaners=1), fake_outcome)
    assert read_stored(tmp_path).tree["episodes"] == 6  # which says its own


def test_what_holds_no_configuration_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "text.json").write_text("no")
    for name, message in {
        "empty": "there is no study, no landscape and no outcome", "list.json": "holds no configuration",
        "text.json": "is no file of a study", "nowhere": "cannot read", "nowhere.npz": "landscape",
    }.items():  # fmt: skip
        with pytest.raises(ContractsError, match=message):
            read_stored(tmp_path / name)


@pytest.mark.parametrize(
    "words", [["--set", "episodes=3"], ["--config", "x"], ["--seed", "0"], ["--for", "play"], ["--crews-episodes", "3"]]
)
def test_a_stored_configuration_is_shown_as_it_is(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "study", *words]) == 2
    assert f"leave out {words[0]}, or leave out the folder" in capsys.readouterr().err


def test_leaves_are_keys_that_set_takes() -> None:
    whole = tree_of(EvaluationSettings(), SearchSettings())
    assert leaves(whole)["learner.gamma"] == {"harvester": 0.95, "cleaner": 0.99}
