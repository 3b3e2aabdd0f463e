"""Settings and presets."""

import dataclasses
import json

import pytest

from cleanup_env import PRESETS, Action, CleanupConfig, make_config


def test_the_presets_are_the_published_games():
    contract, original, melting = (make_config(name) for name in PRESETS)
    assert (contract.start, contract.waste_mode, contract.p_waste, contract.p_apple) == ("clean", "loop", 0.5, 0.05)
    assert (contract.horizon, contract.penalty_beam) == (200, False)
    assert (original.start, original.waste_mode, original.horizon) == ("soiled", "loop", 1000)
    assert set(original.roles) == {"free"}
    assert original.penalty_beam
    assert (melting.waste_mode, melting.p_waste, melting.waste_ceiling) == ("bernoulli", 0.5, None)
    assert (melting.waste_delay, melting.beam_length, melting.cooldown, melting.horizon) == (50, 3, 2, 1000)


def test_agents_are_named_by_role_in_order():
    config = CleanupConfig(n_harvesters=2, n_cleaners=1, n_free=1)
    assert config.agents == ("harvester_0", "harvester_1", "cleaner_0", "free_0")


@pytest.mark.parametrize(
    ("role", "penalty", "count", "last"),
    [
        ("harvester", False, 7, Action.TURN_COUNTER_CLOCKWISE), ("cleaner", True, 8, Action.CLEAN),
        ("free", False, 8, Action.CLEAN), ("free", True, 9, Action.CLEAN),
    ],
)  # fmt: skip
def test_a_role_has_only_the_actions_that_it_can_do(role, penalty, count, last):
    actions = CleanupConfig(penalty_beam=penalty).actions(role)
    assert (len(actions), actions[-1]) == (count, last)
    assert (Action.FIRE in actions) == (role == "free" and penalty)


def test_settings_survive_json():
    config = make_config("meltingpot-like", radius=8)
    assert CleanupConfig(**json.loads(json.dumps(config.as_dict()))) == config


def test_settings_are_frozen_and_hashable():
    config = CleanupConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.horizon = 3
    assert len({config, CleanupConfig()}) == 1
