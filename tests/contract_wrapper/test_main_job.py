"""What the options of `optimize` mean: who judges, by which crews, in which folder."""

import dataclasses
from pathlib import Path

import pytest
from small_crews import SETTINGS

from contract_wrapper.cli import build_parser
from contract_wrapper.commands.configured import Configured, configure
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.crews import CREWS, PPO_CREWS
from contract_wrapper.main_job import crew_options, folder_name, make_quick, usual_inner
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.study import Study


def configured(*arguments: str) -> Configured:
    found = build_parser().parse_args(["optimize", *arguments])
    if found.quick:
        make_quick(found)
    return configure(found, "optimize")


def inner_of(*arguments: str) -> str:
    run = configured(*arguments)
    return run.asked_inner() or usual_inner(run.options)


def crew_settings(*arguments: str, inner: str = "crews") -> CrewSettings | None:
    run = configured(*arguments)
    return run.evaluation(crew_options(run.options, inner, run.options.quick)).crews


@pytest.mark.parametrize(
    ("arguments", "inner"),
    [
        ((), "crews"),
        (("--inner", "scratch"), "scratch"),
        (("--learner", "ppo"), "scratch"),
        (("--learner", "ppo", "--inner", "crews"), "crews"),
        (("--folder", "/nowhere/new"), "crews"),
    ],
)
def test_crews_judge_unless_they_cannot_or_are_not_asked(arguments: tuple[str, ...], inner: str) -> None:
    assert inner_of(*arguments) == inner


def test_a_study_goes_on_as_it_was_begun(tmp_path: Path) -> None:
    search = SearchSettings(n_initial=3, n_search=0, max_cleaners=1)
    for name, settings, inner in (("a", SETTINGS.from_scratch(), "scratch"), ("b", SETTINGS, "crews")):
        Study(tmp_path / name, settings, search).close()
        assert inner_of("--folder", str(tmp_path / name)) == inner
        assert inner_of("--folder", str(tmp_path / name), "--inner", "crews") == "crews"


def test_options_of_crews_set_how_they_are_trained() -> None:
    assert crew_settings() == CrewSettings()
    mine = crew_settings("--crews", "3", "--crews-episodes", "700", "--seed", "4")
    assert mine is not None
    assert (mine.trainings, mine.learner.episodes, mine.learner.hidden, mine.seed) == (3, 700, CREWS.hidden, 4)
    quick = crew_settings("--quick")
    assert quick is not None
    assert (quick.trainings, quick.learner.episodes, quick.learner.hidden) == (1, 2_500, (64, 64))
    both = crew_settings("--quick", "--crews", "2", "--crews-episodes", "100")
    assert both is not None
    assert (both.trainings, both.learner.episodes) == (2, 100)
    assert crew_settings(inner="scratch") is None


def test_crews_are_trained_by_the_learner_of_the_options() -> None:
    by_ppo = crew_settings("--learner", "ppo", "--crews-episodes", "700")
    assert by_ppo is not None
    assert by_ppo.learner == dataclasses.replace(PPO_CREWS, episodes=700)
    quick = crew_settings("--learner", "ppo", "--quick")
    assert quick is not None
    assert (quick.learner.episodes, quick.learner.n_games) == (2_500, 16)


@pytest.mark.parametrize(
    ("arguments", "inner", "message"),
    [
        (("--learner", "dqn"), "crews", "there is no learner 'dqn': choose one of mtmfq, ppo"),
        (("--crews", "2"), "scratch", "--crews belongs to crews"),
        (("--crews-episodes", "2"), "scratch", "--crews-episodes belongs to crews"),
        (("--crews", "0"), "crews", "trainings of crews must be"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: tuple[str, ...], inner: str, message: str) -> None:
    with pytest.raises(ContractsError, match=message):
        crew_settings(*arguments, inner=inner)


@pytest.mark.parametrize(
    ("arguments", "inner", "name"),
    [
        ((), "crews", "contract-effort-crews-fast-seed0"),
        ((), "scratch", "contract-effort-fast-seed0"),  # as it was called before there were crews
        (("--learner", "ppo"), "scratch", "contract-effort-ppo-fast-seed0"),
        (("--quick",), "crews", "contract-effort-crews-quick-seed0"),
        (("--quick",), "scratch", "contract-effort-quick-seed0"),
        (("--quick", "--profile", "fast"), "crews", "contract-effort-crews-fast-quick-seed0"),
        (("--crews", "5", "--crews-episodes", "900"), "crews", "contract-effort-5-crews-900-crews-episodes-fast-seed0"),
        (("--profile", "paper", "--batch", "4"), "crews", "contract-effort-crews-paper-batch4-seed0"),
    ],
)
def test_a_study_is_named_by_what_may_not_change_in_it(arguments: tuple[str, ...], inner: str, name: str) -> None:
    asked = arguments if inner_of(*arguments) == inner else (*arguments, "--inner", inner)
    assert folder_name(configured(*asked)) == name
