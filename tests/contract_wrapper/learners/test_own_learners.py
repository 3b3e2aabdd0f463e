"""Learners of users: checked at birth, made known by a call or an entry point, found by name, settings and kind of file."""

import dataclasses
import functools
import sys
import types
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import lucky_learner
import numpy as np
import pytest
from lucky_learner import LUCKY, LuckyConfig, LuckyPolicy

from contract_wrapper import EvaluationSettings, Learner, register_learner
from contract_wrapper.errors import ContractsError
from contract_wrapper.learners import registry
from contract_wrapper.learners.origin import check_importable, import_learner, place_of, sources_of
from contract_wrapper.learners.ppo.config import PPOConfig
from contract_wrapper.learners.registry import (
    LEARNERS,
    config_from_dict,
    config_to_dict,
    get_learner,
    learner_of,
    load_policy,
)
from mtmfq import LearnerError, MTMFQConfig, Signature
from mtmfq.checkpoint import save_arrays


@dataclasses.dataclass
class Thawed:
    episodes: int = 1


@dataclasses.dataclass(frozen=True)
class Short:
    episodes: int = 1

    def to_dict(self) -> dict[str, Any]:
        return {}


class Heir(PPOConfig):
    """Inherits from the settings of another learner."""


# ---- at birth


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Lucky"}, r"the name of a learner must be 1 to 40 small letters, digits, - and _, .* got 'Lucky'"),
        ({"name": 5}, "the name of a learner must be .* got 5"),
        ({"name": "../x"}, "the name of a learner must be .* got '../x'"),
        ({"name": "x" * 41}, "the name of a learner must be"),
        (
            {"config": LuckyConfig()},
            r"lucky: config must be a frozen dataclass .the class, not an instance., got Lucky",
        ),
        ({"config": Thawed}, "lucky: config must be a frozen dataclass"),
        ({"config": Short}, "its settings Short lack n_games and observation and from_dict"),
        ({"profile": "fast"}, r"lucky: profile must be a function profile\(name, \*\*changes\), got 'fast'"),
        ({"profile": lambda name: LuckyConfig()}, "lucky: profile must be a function"),
        (
            {"train": lambda game, config, seeds: None},
            r"train must be a function train\(game, config, seeds, \*, on_pr",
        ),
        ({"play": lambda game, policy: None}, r"play must be a function play\(game, policy, seed, \*, on_step\)"),
        ({"load": lambda path: None}, r"load must be a function load\(path, identity\)"),
        ({"load": None}, r"load must be a function load\(path, identity\), got None"),
        ({"kind": ""}, "kind must be text, such as 'dqn-policy', got ''"),
        ({"kind": None}, "kind must be text"),
        ({"needs": None}, "needs must be text, or empty, got None"),
        ({"extra": 3}, "extra must be text, or empty, got 3"),
        ({"packages": "numpy"}, r"packages must be a tuple of names, such as \('my_package',\), got 'numpy'"),
        ({"packages": ("numpy", "nowhere_to_be_found")}, "packages must name what can be imported, got 'nowhere_to"),
        ({"packages": ("numpy..random",)}, "packages must name what can be imported"),
        ({"packages": (3,)}, "packages must name what can be imported, got 3"),
    ],
)
def test_each_member_is_what_it_must_be_or_named_in_one_line(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractsError, match=words) as caught:
        dataclasses.replace(LUCKY, **change)
    assert "\n" not in str(caught.value)


def test_functions_with_any_names_for_what_is_given_by_position_will_do() -> None:
    made = dataclasses.replace(
        LUCKY,
        train=lambda games, settings, entropy, **others: None,
        load=lambda *arguments: None,
        profile=functools.partial(lucky_learner.profile),
        packages=["json", "lucky_learner"],
    )
    assert made.packages == ("json", "lucky_learner")


def test_a_package_that_training_needs_is_asked_for_by_its_name() -> None:
    LUCKY.check_installed()  # needs nothing
    with pytest.raises(ContractsError, match="the learner lucky needs the package nowhere_at_all, which is not inst"):
        dataclasses.replace(LUCKY, needs="nowhere_at_all").check_installed()


# ---- registered by a call


def test_a_registered_learner_is_found_by_name_settings_and_kind(tmp_path: Path) -> None:
    assert register_learner(LUCKY) is LUCKY
    assert register_learner(LUCKY) is LUCKY  # again: nothing changes
    assert list(LEARNERS) == ["mtmfq", "ppo", "lucky"]
    assert get_learner("lucky") is learner_of(LuckyConfig()) is LUCKY
    assert config_to_dict(LuckyConfig(luck=2.0))["name"] == "lucky"
    assert config_from_dict(config_to_dict(LuckyConfig(luck=2.0))) == LuckyConfig(luck=2.0)
    policy().save(tmp_path / "some.npz")
    assert isinstance(load_policy(tmp_path / "some.npz"), LuckyPolicy)


def policy() -> LuckyPolicy:
    signature = Signature(
        type_names=("a",), n_actions=(2,), observation_shape=(3,), n_classes=0, agent_types=(0,), horizon=2
    )
    return LuckyPolicy(config=LuckyConfig(), signature=signature, weights=np.ones((1, 2)))


@pytest.mark.parametrize(
    ("learner", "words"),
    [
        (LuckyConfig, "a learner to register must be a Learner"),
        (dataclasses.replace(LUCKY, name="mtmfq"), "the learner mtmfq is built in and cannot be replaced"),
        (dataclasses.replace(LUCKY, name="ppo"), "the learner ppo is built in and cannot be replaced"),
        (dataclasses.replace(LUCKY), "there is a learner lucky already, with settings lucky_learner.LuckyConfig"),
        (dataclasses.replace(LUCKY, name="other"), "writes files of the kind 'lucky-policy', as lucky does"),
        (dataclasses.replace(LUCKY, name="other", kind="x"), "of the type LuckyConfig choose the learner lucky"),
        (dataclasses.replace(LUCKY, name="other", kind="x", config=Heir), "of the type Heir choose the learner ppo"),
        (dataclasses.replace(LUCKY, name="other", kind="policy"), "of the kind 'policy', as mtmfq does"),
    ],
)
def test_what_is_taken_cannot_be_taken_again(learner: Any, words: str) -> None:
    register_learner(LUCKY)
    with pytest.raises(ContractsError, match=words) as caught:
        register_learner(learner)
    assert "\n" not in str(caught.value)
    assert list(LEARNERS) == ["mtmfq", "ppo", "lucky"]
    assert LEARNERS["lucky"] is LUCKY


def test_an_unknown_name_settings_or_kind_says_how_to_register(tmp_path: Path) -> None:
    how = r"register_learner\(\.\.\.\) makes one known, or an installed package with an entry point of the group contr"
    with pytest.raises(ContractsError, match=f"no learner 'lucky': choose one of mtmfq, ppo; {how}"):
        config_from_dict({"name": "lucky"})
    with pytest.raises(ContractsError, match=f"MTMFQConfig or PPOConfig, got LuckyConfig.*; {how}"):
        EvaluationSettings(learner=LuckyConfig())
    policy().save(tmp_path / "some.npz")
    with pytest.raises(LearnerError, match=f"some.npz cannot be used: it is of kind 'lucky-policy'.*; {how}"):
        load_policy(tmp_path / "some.npz")


def test_a_file_cannot_make_the_program_import_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil_module.py").write_text("raise SystemExit('was run')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("evil_module", "evil_module:learner", "evil_module.learner"):
        with pytest.raises(ContractsError, match="no learner 'evil_module"):
            config_from_dict({"name": name})
        save_arrays(tmp_path / "some.npz", name, {}, {"weights": np.zeros(1)})
        with pytest.raises(LearnerError, match="it is of kind 'evil_module"):
            load_policy(tmp_path / "some.npz")
    assert "evil_module" not in sys.modules


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"episodes": 0}, "episodes of LuckyConfig must be a whole number of at least 1, got 0"),
        ({"n_games": 1.5}, "n_games of LuckyConfig must be a whole number of at least 1, got 1.5"),
        ({"observation": None}, "observation of LuckyConfig must be the name of one, such as 'features', got None"),
        ({"observation": "smell"}, "smell"),
        ({"luck": {1}}, "to_dict of LuckyConfig must give plain values for JSON by name"),
        ({"luck": LUCKY}, "to_dict of LuckyConfig must give plain values"),
    ],
)
def test_settings_that_an_evaluation_cannot_use_are_refused(change: dict[str, Any], words: str) -> None:
    register_learner(LUCKY)
    with pytest.raises(ContractsError, match=words):
        EvaluationSettings(learner=LuckyConfig(**change))


def test_settings_may_not_hide_the_name_of_their_learner() -> None:
    register_learner(dataclasses.replace(LUCKY, config=Named))
    with pytest.raises(ContractsError, match="none of them called 'name'"):
        EvaluationSettings(learner=Named())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Named(LuckyConfig):
    name: str = "mtmfq"


def test_settings_of_a_file_that_the_learner_does_not_take_are_told_in_one_line() -> None:
    register_learner(LUCKY)
    with pytest.raises(ContractsError, match=r"lucky does not take the settings \{'pluck': 1\}: TypeError: .*pluck"):
        config_from_dict({"name": "lucky", "pluck": 1})


# ---- entry points


def entry(value: str, name: str = "lucky") -> EntryPoint:
    return EntryPoint(name=name, value=value, group="contract_wrapper.learners")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Act as if packages with some entry points were installed."""

    def install(*points: EntryPoint) -> None:
        monkeypatch.setattr(registry, "entry_points", lambda group: [p for p in points if p.group == group])

    return install


def test_an_entry_point_is_loaded_when_its_name_is_asked_for_and_no_sooner(
    installed: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    module = types.ModuleType("somebodys")
    module.__getattr__ = lambda name: loaded.append(name) or LUCKY  # type: ignore[method-assign, func-returns-value]
    monkeypatch.setitem(sys.modules, "somebodys", module)
    installed(entry("somebodys:learner"))
    assert get_learner("mtmfq") is learner_of(MTMFQConfig())
    assert config_from_dict({}) == MTMFQConfig()
    with pytest.raises(ContractsError, match="choose one of mtmfq, ppo, lucky;"):
        get_learner("dqn")
    assert loaded == []
    assert get_learner("lucky") is get_learner("lucky") is LUCKY
    assert loaded == ["learner"]
    assert registry.is_of_entry_point(LUCKY)
    assert place_of(LUCKY) is None  # workers know it by themselves


@pytest.mark.parametrize("ask", ["settings", "kind"])
def test_unknown_settings_or_kinds_load_the_entry_points(
    ask: str, installed: Callable[..., None], tmp_path: Path
) -> None:
    installed(entry("lucky_learner:LUCKY"))
    if ask == "settings":
        assert EvaluationSettings(learner=LuckyConfig()).to_dict()["learner"]["name"] == "lucky"
    else:
        policy().save(tmp_path / "some.npz")
        assert isinstance(load_policy(tmp_path / "some.npz"), LuckyPolicy)


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (
            entry("nowhere_at_all:learner"),
            "the learner 'lucky' of the entry point nowhere_at_all:learner cannot be loa",
        ),
        (entry("lucky_learner:missing"), "cannot be loaded: AttributeError: .*missing.*: repair or remove the package"),
        (entry("lucky_learner:LuckyConfig"), "must be a Learner of the same name, got <class"),
        (entry("lucky_learner:LUCKY", name="happy"), "the learner 'happy' .* must be a Learner of the same name"),
    ],
)
def test_an_entry_point_that_does_not_load_is_told_in_one_line(
    point: EntryPoint, words: str, installed: Callable[..., None]
) -> None:
    installed(point)
    with pytest.raises(ContractsError, match=words) as caught:
        get_learner(point.name)
    assert "\n" not in str(caught.value)
    with pytest.raises(ContractsError, match=words):  # and where settings of an unknown type are met
        learner_of(5)


def test_an_entry_point_cannot_replace_a_learner_of_this_package(installed: Callable[..., None]) -> None:
    installed(entry("lucky_learner:LUCKY", name="ppo"))
    assert learner_of(PPOConfig()) is get_learner("ppo") is LEARNERS["ppo"]
    with pytest.raises(ContractsError) as caught:
        learner_of(5)
    assert "lucky_learner" not in str(caught.value)  # it is not even tried


def test_an_installed_package_brings_a_learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "lucky_package-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lucky-package\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(
        "[contract_wrapper.learners]\nlucky = lucky_learner:LUCKY\nsad = nowhere:x\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert get_learner("lucky") is LUCKY
    with pytest.raises(
        ContractsError, match=r"'sad' of the entry point nowhere:x \(lucky-package 1\.5\) cannot be load"
    ):
        get_learner("sad")


# ---- where it comes from


def test_a_learner_of_a_module_is_found_there_and_imported_again() -> None:
    register_learner(LUCKY)
    assert place_of(LUCKY) == ("lucky_learner", "LUCKY")
    check_importable(LUCKY)
    del registry._LEARNERS["lucky"]
    assert import_learner(("lucky_learner", "LUCKY")) is None
    assert LEARNERS["lucky"] is LUCKY


def test_a_learner_of_the_main_script_has_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = dataclasses.replace(LUCKY)
    monkeypatch.setattr(sys.modules["__main__"], "mine", mine, raising=False)
    assert place_of(mine) is None
    with pytest.raises(ContractsError, match="worker processes cannot import the learner lucky, which stands in the m"):
        check_importable(mine)
    check_importable(LEARNERS["ppo"])


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (("nowhere_at_all", "x"), "cannot import the learner nowhere_at_all.x: ModuleNotFoundError"),
        (("lucky_learner", "LuckyConfig"), "LuckyConfig: ContractsError: a learner to register must be a Learner"),
    ],
)
def test_why_a_worker_cannot_import_a_learner_is_one_line(place: tuple[str, str], words: str) -> None:
    why = import_learner(place)
    assert why is not None
    assert words in why
    assert "\n" not in why


def test_sources_are_the_files_of_the_members_or_the_packages() -> None:
    assert sources_of(LUCKY) == [Path(lucky_learner.__file__)]
    assert sources_of(LEARNERS["mtmfq"]) == sources_of(LEARNERS["ppo"]) == []
    there = dataclasses.replace(LUCKY, packages=("damaged_files", "optimiser_bench"))
    assert [place.name for place in sources_of(there)] == ["damaged_files.py", "optimiser_bench"]
    elsewhere = dataclasses.replace(LUCKY, profile=lambda name, **changes: LuckyConfig(**changes))
    assert [place.name for place in sources_of(elsewhere)] == ["lucky_learner.py", "test_own_learners.py"]


def test_a_learner_of_a_notebook_has_no_sources() -> None:
    scope: dict[str, Any] = {"LuckyConfig": LuckyConfig}
    exec(compile("def profile(name, **changes):\n    return LuckyConfig(**changes)\n", "<cell 3>", "exec"), scope)
    with pytest.raises(ContractsError, match=r"lucky is defined in a notebook or at a prompt .'<cell 3>' is no file"):
        sources_of(dataclasses.replace(LUCKY, profile=scope["profile"]))


def test_a_learner_is_born_with_what_it_needs() -> None:
    assert isinstance(LUCKY, Learner)
    assert (LUCKY.needs, LUCKY.extra, LUCKY.packages) == ("", "", ())
