import subprocess
import sys

import pytest

from mtmfq import PROFILES, LearnerError, MTMFQConfig, get_profile


def test_profiles_are_the_four_of_the_page_and_one_for_a_quick_look() -> None:
    assert {name: profile.episodes for name, profile in PROFILES.items()} == {
        "smoke": 200,
        "quick": 1_280,
        "fast": 5_000,
        "paper": 35_000,
        "faithful": 35_000,
    }
    assert PROFILES["fast"] == MTMFQConfig()


def test_unknown_profile_lists_the_names() -> None:
    with pytest.raises(LearnerError, match="'fats': choose one of smoke, quick, fast, paper, faithful"):
        get_profile("fats")


def test_unknown_setting_is_named() -> None:
    with pytest.raises(LearnerError, match="no setting learnin_rate"):
        get_profile("fast", learnin_rate=1.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("episodes", 0),
        ("n_games", True),
        ("gamma", 1.5),
        ("gamma", {"a": -0.1}),
        ("tau", 0.0),
        ("hidden", ()),
        ("temperature", ((0.0, 0.0),)),
        ("temperature", ((0.5, 1.0),)),
        ("temperature", ((0.0, 1.0), (0.0, 0.5))),
        ("timing", "late"),
        ("replay_capacity", 21),
        ("learning_rate", float("nan")),
        ("device", "cuda"),
    ],
)
def test_a_bad_value_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(LearnerError, match=f"^{field} must be "):
        get_profile("fast", **{field: value})


def test_temperature_falls_geometrically_between_knots_and_then_holds() -> None:
    config = get_profile("fast", temperature=((0.0, 1.0), (0.5, 0.01)))
    assert [config.temperature_at(x) for x in (0.0, 0.25, 0.5, 1.0)] == pytest.approx([1.0, 0.1, 0.01, 0.01])
    published = get_profile("faithful")
    assert [published.temperature_at(x) for x in (0.0, 0.2, 0.5, 1.0)] == pytest.approx([1, 0.1, 0.01, 0.001])


def test_gamma_is_one_for_all_or_one_per_name_and_the_default_for_the_rest() -> None:
    assert MTMFQConfig(gamma=0.9).gammas(("a", "b")) == (0.9, 0.9)
    assert MTMFQConfig(gamma={"a": 0.5, "unknown": 0.1}).gammas(("b", "a")) == (0.99, 0.5)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_for_types_of_any_name(profile: str) -> None:
    one, other = PROFILES[profile].gammas(("red", "blue"))
    assert one == other == PROFILES[profile].gamma


def test_a_configuration_survives_its_dictionary() -> None:
    for config in PROFILES.values():
        assert MTMFQConfig.from_dict(config.to_dict()) == config


def test_listing_profiles_loads_no_torch() -> None:
    code = "import sys, mtmfq; mtmfq.get_profile('fast'); sys.exit('torch' in sys.modules)"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
