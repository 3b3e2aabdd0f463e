"""Which learner trains is said by its settings, and files tell learners apart."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damaged_files import cheap, damaged

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.learners.mtmfq_profiles import MTMFQ_PROFILES
from contract_wrapper.learners.ppo.config import PPO_PROFILES, PPOConfig, get_ppo_profile
from contract_wrapper.learners.ppo.policy import PPOPolicy, _shapes
from contract_wrapper.learners.registry import (
    LEARNERS,
    config_from_dict,
    config_to_dict,
    get_learner,
    learner_of,
    load_policy,
)
from mtmfq.checkpoint import kind_of, save_arrays
from mtmfq.config import PROFILES, MTMFQConfig
from mtmfq.interface import LearnerError, Signature


def test_settings_choose_their_learner() -> None:
    assert learner_of(MTMFQConfig()).name == "mtmfq"
    assert learner_of(PPOConfig()).name == "ppo"
    assert [learner.name for learner in LEARNERS.values()] == list(LEARNERS)


@pytest.mark.parametrize("config", [MTMFQConfig(), PPOConfig(hidden=(8,)), *PPO_PROFILES.values()])
def test_settings_of_any_learner_survive_json(config: MTMFQConfig | PPOConfig) -> None:
    assert config_from_dict(json.loads(json.dumps(config_to_dict(config)))) == config
    settings = EvaluationSettings(learner=config)
    assert EvaluationSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


def test_the_default_learner_is_written_as_before_there_was_a_choice() -> None:
    assert config_to_dict(MTMFQConfig()) == MTMFQConfig().to_dict()
    assert config_to_dict(PPOConfig())["name"] == "ppo"


def test_an_unknown_learner_is_named() -> None:
    with pytest.raises(ContractsError, match="no learner 'dqn': choose one of mtmfq, ppo"):
        get_learner("dqn")
    with pytest.raises(ContractsError, match="MTMFQConfig or PPOConfig, got 5"):
        EvaluationSettings(learner=5)  # type: ignore[arg-type]


def test_a_missing_package_is_named_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    with pytest.raises(ContractsError, match=r'stable-baselines3.*pip install "cleanup-contracts\[sb3\]"'):
        get_learner("ppo").check_installed()
    get_learner("mtmfq").check_installed()


def test_a_file_says_of_which_kind_it_is(tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    save_arrays(path, "ppo-policy", {}, {"weights": np.zeros(2)})
    assert kind_of(path) == "ppo-policy"
    path.write_bytes(path.read_bytes()[:40])
    assert kind_of(path) is None
    assert kind_of(tmp_path / "none.npz") is None
    with pytest.raises(LearnerError, match=r"some\.npz"):
        load_policy(path)


def ppo_policy(**changes: Any) -> PPOPolicy:
    signature = Signature(
        type_names=("harvester", "cleaner"), n_actions=(3, 3), observation_shape=(4,), n_classes=0,
        agent_types=(0, 1), horizon=5,
    )  # fmt: skip
    config = PPO_PROFILES["smoke"]
    config = dataclasses.replace(config, hidden=(8,))
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(size=shape).astype(np.float32) for name, shape in _shapes(signature, config).items()}
    return PPOPolicy(config=config, signature=signature, weights=weights, **changes)


def test_a_policy_is_asked_what_it_was_trained_for(tmp_path: Path) -> None:
    path = tmp_path / "ppo.npz"
    ppo_policy(identity={"contract": [5, 0.04]}).save(path)
    assert load_policy(path).identity == load_policy(path, {"contract": (5, 0.04)}).identity == {"contract": [5, 0.04]}
    with pytest.raises(
        LearnerError, match=r"ppo\.npz cannot be used.*its contract is \[5, 0\.04\], but \[4, 0\.04\] is needed"
    ):
        load_policy(path, {"contract": (4, 0.04)})


def test_a_damaged_policy_of_ppo_is_refused_or_the_same(tmp_path: Path) -> None:
    path, original, found = tmp_path / "ppo.npz", ppo_policy(), []
    original.save(path)
    with cheap(seconds=60):
        for content in damaged(path.read_bytes(), most=300):
            path.write_bytes(content)
            try:
                loaded = load_policy(path)
                found.append("")
                assert isinstance(loaded, PPOPolicy)
                assert {n: w.tobytes() for n, w in loaded.weights.items()} == {
                    n: w.tobytes() for n, w in original.weights.items()
                }
            except LearnerError as error:
                found.append(str(error))
    assert all("ppo.npz" in message and "\n" not in message for message in found if message)
    assert sum(map(bool, found)) > 0.8 * len(found)  # the rest: times and attributes of the archive's members


def test_a_policy_of_ppo_with_weights_that_are_not_finite_is_refused(tmp_path: Path) -> None:
    policy = ppo_policy()
    policy.weights["action_net.bias"][0] = np.nan
    policy.save(tmp_path / "ppo.npz")
    with pytest.raises(LearnerError, match=r"its array action_net\.bias holds numbers that are not finite"):
        load_policy(tmp_path / "ppo.npz")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"episodes": 0}, "episodes must be a whole number of at least 1 .below 2..31., but is 0"),
        ({"n_games": 2.0}, "n_games"),
        ({"batch_size": 3_000}, r"divisor of n_games \* n_steps = 64 \* 100 = 6400, but is 3000"),
        ({"batch_size": 1}, "above 1"),
        ({"gamma": 1.1}, "gamma must be between 0 and 1"),
        ({"learning_rate": float("inf")}, "learning_rate must be above 0"),
        ({"ent_coef": -0.1}, "ent_coef must be at least 0"),
        ({"hidden": ()}, "hidden"),
        ({"epochs": True}, "epochs"),
        ({"greedy": 1}, "greedy must be True or False"),
        ({"momentum": 1}, "no setting momentum"),
    ],
)
def test_wrong_settings_of_ppo_are_named(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(LearnerError, match=words):
        get_ppo_profile("fast", **wrong)


def test_an_unknown_profile_of_ppo_is_named() -> None:
    with pytest.raises(LearnerError, match="'faithful': choose one of smoke, quick, fast"):
        get_ppo_profile("faithful")


def test_profiles_for_clean_up_are_those_of_mtmfq_with_a_discount_by_role() -> None:
    roles = ("cleaner", "harvester")
    found = {name: get_learner("mtmfq").profile(name).gammas(roles) for name in PROFILES}
    assert found.pop("faithful") == (0.9, 0.9)  # published
    assert set(found.values()) == {(0.99, 0.95)}
    for name, profile in MTMFQ_PROFILES.items():
        assert dataclasses.replace(profile, gamma=PROFILES[name].gamma) == PROFILES[name]
    assert EvaluationSettings().learner == get_learner("mtmfq").profile("fast")


def test_a_profile_for_clean_up_takes_changes_and_refuses_unknown_names() -> None:
    assert get_learner("mtmfq").profile("fast", gamma=0.5).gammas(("cleaner", "harvester")) == (0.5, 0.5)
    with pytest.raises(LearnerError, match="'fats': choose one of smoke, quick, fast, paper, faithful"):
        get_learner("mtmfq").profile("fats")
