"""Assignments become settings: the later over the earlier, and each mistake is one line that names its key."""

import dataclasses
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from settings_drawn import evaluations, landscapes, searches

from cleanup_env import CleanupConfig
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.commands.payments import named_payment
from contract_wrapper.configuration.keys import all_keys, keys_of, roots
from contract_wrapper.configuration.resolve import ERRORS, Resolver
from contract_wrapper.configuration.sources import Assignment, by_option, from_table, read_file, read_set
from contract_wrapper.configuration.tree import leaves, to_toml, toml_value, tree_of
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.judging.chosen_problem import ChosenProblem
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.learners.ppo.config import PPOConfig, get_ppo_profile
from contract_wrapper.studies.settings import SearchSettings
from mtmfq.config import MTMFQConfig


def resolver(*texts: str, file: str = "", options: Sequence[Assignment] = ()) -> Resolver:
    """What a file, options and texts of `--set` come to."""
    said = (*from_table(tomllib.loads(file), "run.toml"), *options, *(a for text in texts for a in read_set(text)))
    found = Resolver(assignments=said, payment=named_payment)
    found.check("show")
    return found


def everything(found: Resolver) -> tuple[Any, ...]:
    return found.evaluation(), found.search(), found.landscape()


# ---- the law


@settings(max_examples=40, deadline=None)
@given(evaluations(), searches(), landscapes())
def test_what_is_shown_is_read_back_to_the_same_settings(
    evaluation: EvaluationSettings, search: SearchSettings, landscape: LandscapeSettings
) -> None:
    alone = resolver(file=to_toml(tree_of(evaluation, search), ["versions"]))
    assert (alone.evaluation(), alone.search()) == (evaluation, search)
    text = to_toml(tree_of(landscape))
    assert resolver(file=text).landscape() == landscape
    assert leaves(tree_of(resolver(file=text).landscape())) == leaves(tree_of(landscape))


@settings(max_examples=40, deadline=None)
@given(st.recursive(st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()), st.lists))
def test_a_value_written_is_the_value_read(value: Any) -> None:
    assert tomllib.loads(f"value = {toml_value(value)}")["value"] == value


def test_every_field_of_every_configuration_has_a_key() -> None:
    types = {"learner": MTMFQConfig, "crews.learner": MTMFQConfig, "landscape.crews": MTMFQConfig}
    known = set(all_keys(types))
    places: dict[type, str] = {
        EvaluationSettings: "", CleanupConfig: "game.", MTMFQConfig: "learner.", CrewSettings: "crews.",
        SearchSettings: "search.", CPMESConfig: "search.optimiser.", ChosenProblem: "",
    }  # fmt: skip
    for cls, head in places.items():
        fields = [f.name for f in dataclasses.fields(cls) if f.metadata.get("key", True)]
        assert [name for name in fields if f"{head}{name}" not in known] == []
    own = {f.name for f in dataclasses.fields(LandscapeSettings)} - {"game", "costs"}
    assert {name for name in own if f"landscape.{name}" not in known} == set()
    assert {"landscape.game", "landscape.costs"} & known == set()
    assert {f"learner.{f.name}" for f in dataclasses.fields(PPOConfig)} <= set(all_keys({"learner": PPOConfig}))


def test_every_leaf_of_a_configuration_can_be_set_alone() -> None:
    whole = tree_of(EvaluationSettings(crews=CrewSettings()), SearchSettings(), LandscapeSettings())
    for key, value in leaves(whole).items():
        found = resolver(f"{key}={toml_value(value)}")
        assert everything(found)[1:] == (SearchSettings(), LandscapeSettings()), key


# ---- orders


def test_profiles_lie_under_files_under_options_under_set() -> None:
    file = '[learner]\nprofile = "quick"\ngamma = 0.5\nn_step = 3\nepisodes = 7\n'
    option = [by_option("learner.episodes", 8, "--episodes"), by_option("learner.n_step", 4, "--made-up")]
    found = resolver("learner.n_step=5", file=file, options=option).evaluation().learner
    assert found == get_mtmfq_profile("quick", gamma=0.5, episodes=8, n_step=5)


def test_a_profile_is_the_base_wherever_it_stands() -> None:
    found = resolver("learner.profile=quick", file="learner.gamma = 0.5").evaluation().learner
    assert found == get_mtmfq_profile("quick", gamma=0.5)


def test_a_file_chooses_learner_and_profile() -> None:
    assert resolver(file='learner.name = "ppo"').evaluation().learner == PPOConfig()
    file = 'learner = {name = "ppo", profile = "smoke", gae_lambda = 0.5}'
    assert resolver(file=file).evaluation().learner == get_ppo_profile("smoke", gae_lambda=0.5)
    assert resolver("crews.learner.profile=smoke").evaluation().crews == CrewSettings(
        learner=get_mtmfq_profile("smoke")
    )


def test_a_part_of_a_table_changes_that_part_alone_and_a_table_changes_all() -> None:
    gamma = EvaluationSettings().learner.to_dict()["gamma"]
    assert gamma == {"harvester": 0.95, "cleaner": 0.99}
    part = resolver("learner.gamma.cleaner=0.5").evaluation().learner.to_dict()["gamma"]
    assert part == {"harvester": 0.95, "cleaner": 0.5}
    whole = resolver("learner.gamma={cleaner=0.5}").evaluation().learner.to_dict()["gamma"]
    assert whole == {"cleaner": 0.5}


def test_none_is_a_word_where_none_may_be() -> None:
    assert resolver("learner.average_from=none").evaluation().learner.to_dict()["average_from"] is None
    assert resolver("game.waste_ceiling=none").evaluation().game.waste_ceiling is None
    assert resolver("learner.neighbours=none").evaluation().learner.to_dict()["neighbours"] == "none"
    assert resolver("costs=none").evaluation().costs == EvaluationSettings(costs="none").costs
    assert resolver("crews=none", file="crews.trainings = 3").evaluation().crews is None
    assert resolver("crews.trainings=4", file='crews = "none"').evaluation().crews == CrewSettings(trainings=4)
    assert resolver("crews={}").evaluation().crews == CrewSettings()


def test_a_landscape_has_game_and_costs_of_the_top() -> None:
    found = resolver("game.n_harvesters=3", "costs=paper", "landscape.crews.hidden=[8]").landscape()
    assert (found.game.n_harvesters, found.costs, found.crews.hidden) == (
        3,
        EvaluationSettings(costs="paper").costs,
        (8,),
    )
    assert resolver("search.optimiser.score=cmes").search() == SearchSettings(optimiser=CPMESConfig(score="cmes"))


def test_a_payment_is_given_by_its_name() -> None:
    assert resolver("payment=share").evaluation().payment is None
    assert resolver("payment=price:0.5").evaluation().payment == named_payment("price:0.5")


# ---- mistakes

UNKNOWN = {
    "learner.gama=0.9": "there is no key learner.gama (--set): did you mean learner.gamma?",
    "lerner.gamma=0.9": "there is no key lerner (--set): did you mean learner?",
    "n_search=4": "there is no key n_search (--set): did you mean search.n_search?",
    "landscape.costs=none": "there is no key landscape.costs (--set): did you mean costs?",
    "game.xyz=1": "there is no key game.xyz (--set): game has preset, n_harvesters, ",
    "x=1": "there is no key x (--set): the top has game, costs, learner, ",
    "learner.hidden.x=2": "there is no key learner.hidden.x (--set): learner.hidden has no parts",
    "learner.gae_lambda=0.5": "there is no key learner.gae_lambda (--set)",
    "costs.cleaner=1": "there is no key costs.cleaner (--set)",
}
WRONG_TYPE = {
    "learner.gamma=[1]": "learner.gamma (--set) must be a number or a table from names to numbers, got [1]",
    "learner.gamma.x=yes": "learner.gamma.x (--set) must be a number or a table from names to numbers, got {'x': 'yes'}",
    "learner.hidden=3": "learner.hidden (--set) must be a list of whole numbers, got 3",
    "learner.temperature=[[0.0]]": "learner.temperature (--set) must be a list of lists of 2 numbers, got [[0.0]]",
    "learner.grad_clip=true": 'learner.grad_clip (--set) must be a number or "none", got True',
    "learner.name=3": "learner.name (--set) must be text, got 3",
    "learner.profile=3": "learner.profile (--set) must be text, got 3",
    "learner.scaled_rewards=1": "learner.scaled_rewards (--set) must be true or false, got 1",
    "learner.loss=3": 'learner.loss (--set) must be one of "huber", "mse", got 3',
    "landscape.sizes=5": "landscape.sizes (--set) must be a list of whole numbers, got 5",
    "search.n_search=true": "search.n_search (--set) must be a whole number, got True",
    "search.n_search=2.0": "search.n_search (--set) must be a whole number, got 2.0",
    "game.horizon=1979-05-27": "game.horizon (--set) must be a whole number, got datetime.date(1979, 5, 27)",
    "game.horizon=many": "game.horizon (--set) must be a whole number, got 'many'",
    "game=3": "game (--set) must be a table of settings, got 3",
    "game=none": "game (--set) must be a table of settings, got 'none'",
    "crews=3": "crews (--set) must be a table of settings, got 3",
    "costs=3": "costs (--set) must be text, got 3",
    "landscape.deviators.name=ppo": "landscape.deviators.name (--set) must be mtmfq, which alone learns here",
}
OUT_OF_RANGE = {
    "learner.gamma=7": "learner.gamma (--set): gamma must be between 0 and 1",
    "learner.gamma.cleaner=7": "learner.gamma.cleaner (--set): gamma must be between 0 and 1",
    "learner.name=foo": "learner.name (--set): there is no learner 'foo'",
    "learner.profile=foo": "learner.profile (--set): there is no learner profile 'foo'",
    "game.preset=foo": "game.preset (--set): unknown preset 'foo'",
    "game.preset=original": "game.preset (--set): contracts know the roles cleaner and harvester",
    "game.horizon=0": "game.horizon (--set): horizon must be an integer of at least 1",
    "game.n_harvesters=11": "game.n_harvesters (--set): 11 agents need as many spawn points",
    "costs=much": "costs (--set): unknown costs 'much'",
    "payment=gold": "payment (--set): there is no payment 'gold'",
    "episodes=1": "episodes (--set): episodes must be an integer of at least 2",
    "crews.sizes=[]": "crews.sizes (--set): sizes must be distinct numbers of cleaners",
    "crews.learner.name=ppo": "crews.learner.name (--set): without a contract agents are trained by mtmfq, but the crews by",
    "contract=gold": "contract (--set): there are no contracts of the name 'gold'",
    "objective=gold": "objective (--set): objective must be one of welfare, worst, nash, income, got 'gold'",
    "outside=much": "outside (--set): cannot read 'much' in outside options",
    "crews.trainings=0": "crews.trainings (--set): trainings of crews must be",
    "search.seed=-1": "search.seed (--set): seed must be an integer from 0",
    "search.optimiser.delta=nan": "search.optimiser.delta (--set): CPMESConfig.delta must be",
    "search.optimiser.score=best": "search.optimiser.score (--set): CPMESConfig.score must be one of",
    "landscape.taxes=[0.5, 0.1]": "landscape.taxes (--set): taxes must be rising numbers",
    "landscape.deviators.tau=2": "landscape.deviators.tau (--set): tau must be above 0 and at most 1",
}


@pytest.mark.parametrize(("text", "message"), [*UNKNOWN.items(), *WRONG_TYPE.items(), *OUT_OF_RANGE.items()])
def test_a_mistake_is_one_line_that_names_its_key(text: str, message: str) -> None:
    with pytest.raises(ContractsError) as error:
        everything(resolver(text))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", [*UNKNOWN, *WRONG_TYPE, *OUT_OF_RANGE])
def test_a_mistake_in_a_file_says_which_file(text: str) -> None:
    key, _, value = text.partition("=")
    try:
        file = f"{key} = {value}"
        tomllib.loads(file)
    except tomllib.TOMLDecodeError:
        file = f'{key} = "{value}"'
    with pytest.raises(ContractsError, match=r" in run\.toml"):
        everything(resolver(file=file))


def test_of_many_settings_the_wrong_one_is_named() -> None:
    whole = to_toml(tree_of(EvaluationSettings(), SearchSettings(), LandscapeSettings()))
    file = whole.replace("n_step = 40", "n_step = -3", 1)
    with pytest.raises(ContractsError) as error:
        everything(resolver(file=file))
    assert str(error.value).startswith("learner.n_step in run.toml: n_step must be")


def test_settings_that_do_not_go_together_are_all_named() -> None:
    with pytest.raises(ContractsError) as error:
        everything(resolver("game.restoration=0.7", file="game.depletion = 0.6"))
    assert str(error.value).startswith(
        "game.depletion in run.toml, game.restoration (--set): restoration (0.7) must lie below"
    )


def test_a_part_of_what_is_no_table_is_refused() -> None:
    with pytest.raises(
        ContractsError, match=r"learner\.gamma\.cleaner \(--set\) is a part of learner\.gamma, which is 0\.9"
    ):
        everything(resolver("learner.gamma.cleaner=0.5", file="learner.gamma = 0.9"))


def test_a_key_that_cannot_be_shown_whole_is_shown_short_and_plain() -> None:
    for name in ("x" * 100_000, "\x1b[2J", "a\nb"):
        with pytest.raises(ContractsError) as error:
            resolver(file=f"{toml_value(name)} = 1")
        assert len(str(error.value)) < 400
        assert str(error.value).isprintable()


def test_an_option_that_is_wrong_keeps_its_own_error() -> None:
    found = resolver(file="learner.n_step = 3", options=[by_option("learner.episodes", 0, "--episodes")])
    with pytest.raises(ERRORS) as error:
        found.evaluation()
    assert str(error.value).startswith("episodes must be")


def test_another_payment_is_none_of_a_landscape() -> None:
    assert resolver("payment=share").landscape() == LandscapeSettings()
    with pytest.raises(ContractsError, match=r"payment \(--set\): a landscape plays the contracts of tax and share"):
        resolver("payment=cells").landscape()


@pytest.mark.parametrize(
    ("command", "text"),
    [("evaluate", "search.n_search=4"), ("certify", "crews.trainings=1"), ("landscape", "learner.tau=1")],
)
def test_a_set_that_changes_nothing_is_refused_and_a_file_may_be_of_several_commands(command: str, text: str) -> None:
    said = Resolver(assignments=tuple(read_set(text)), payment=named_payment)
    with pytest.raises(ContractsError, match=f"changes nothing here: {command} does not read"):
        said.check(command)
    said.check("show")
    Resolver(assignments=tuple(from_table(tomllib.loads(text), "run.toml")), payment=named_payment).check(command)


ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("none"), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(all_keys({"learner": MTMFQConfig, "crews.learner": MTMFQConfig}))), ODD)
def test_whatever_is_in_a_file_is_settings_or_one_line(key: str, value: Any) -> None:
    table = value
    for name in reversed(key.split(".")):
        table = {name: table}
    try:
        found = Resolver(assignments=tuple(from_table(table, "run.toml")), payment=named_payment)
        found.check("show")
        everything(found)
    except ERRORS as error:
        said = str(error)
    else:
        return
    assert "run.toml" in said


def test_the_top_is_that_of_the_settings_of_evaluations() -> None:
    assert list(roots())[: len(keys_of(EvaluationSettings))] == [
        f.name for f in dataclasses.fields(EvaluationSettings) if f.name != "problem"
    ]


# ---- files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"learner.gamma = ", "is no TOML: "),
        (b"learner = 3\nlearner = 4", "is no TOML: "),
        (b"\xff\xfe", "is no TOML: it is no text in UTF-8"),
        (b"x = " + b"[" * 50_000, "is no TOML: it is nested too deep"),
        (b"x = " + b"9" * 9_000, "is no TOML: "),
        (b"#" * 1_000_001, "is no configuration: it has more than 1,000,000 bytes"),
    ],
)
def test_a_file_that_is_no_configuration_is_one_line(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ContractsError) as error:
        read_file(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert len(str(error.value)) < 500


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ContractsError, match="cannot be read: Is a directory"):
        read_file(tmp_path)


def test_a_file_may_have_tables_dotted_keys_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('# a comment\ncosts = "paper"\nsearch.n_search = 4\n[learner.gamma]\ncleaner = 0.5\n[crews]\n')
    assert [(str(a), a.value) for a in read_file(path)] == [
        ("costs", "paper"), ("search.n_search", 4), ("learner.gamma", {"cleaner": 0.5}), ("crews", {}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "x", "=3", "a b=3", "a..b=3", ".a=3", "a=[3", 'a="3', "a={", "a='\n'\nb=3", "a=" + "9" * 20_001]
)
def test_a_set_that_is_none_is_one_line(text: str) -> None:
    with pytest.raises(ContractsError) as error:
        read_set(text)
    assert "--set" in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("text", "value"),
    [("a=3", 3), ("a = 3", 3), ("a=true", True), ("a=word", "word"), ("a=cleaner:per_shot=0.05", "cleaner:per_shot=0.05"),
     ("a=[1, 2]", [1, 2]), ('a="3"', "3"), ("a=1e-3", 0.001), ("a=3 # three", 3)],
)  # fmt: skip
def test_a_set_is_a_value_of_toml_or_text(text: str, value: Any) -> None:
    assert [(a.key, a.value) for a in read_set(text)] == [(("a",), value)]
