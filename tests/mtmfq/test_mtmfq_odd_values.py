"""Odd values in every setting of the learner: accepted as plain values, or a LearnerError, at once."""

import dataclasses
import json
from random import Random
from typing import Any

import numpy as np
import pytest
from fuzz_values import built, odd, odd_fields

from mtmfq import PROFILES, LearnerError, MTMFQConfig, get_profile
from mtmfq.checks import MOST_LAYERS

TYPES = {f.name: f.type for f in dataclasses.fields(MTMFQConfig)}


def test_odd_settings() -> None:
    rng, accepted = Random(0), 0
    for _ in range(5_000):
        fields = odd_fields(rng, TYPES, 2)
        if rng.random() < 0.2:
            fields["hidden"] = (rng.choice([1, 64]), odd(rng, "int"))
            fields["temperature"] = ((0.0, odd(rng, "float")), (odd(rng, "float"), 0.1))
            fields["gamma"] = {"cleaner": odd(rng, "float")}
        config = built(lambda f=fields: get_profile("fast", **f), LearnerError)
        if config is not None:
            assert MTMFQConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
            assert 0 < config.temperature_at(0.5) < np.inf
            accepted += 1
        built(lambda: MTMFQConfig.from_dict(odd(rng)), LearnerError)
        built(lambda: get_profile(odd(rng)), LearnerError)
    assert accepted > 100


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_games": 2**31 - 1, "episodes": 2**31 - 1, "replay_capacity": 10**6}, "a replay of .* 35 GiB .* at most 8 GiB"),
        ({"replay_capacity": 10**9, "episodes": 10**9}, "a replay of n_games=64 .* GiB"),
        ({"episodes": 2**31 - 1, "n_games": 1, "replay_capacity": 100}, "the course of episodes=2147483647 .* 95 GiB"),
        ({"hidden": (20_000, 20_000)}, r"hidden layers \(20000, 20000\) .* 9 GiB of memory, at most 8 GiB: choose smaller"),
        ({"batch_size": 2**30}, "batch_size 1073741824 .* GiB"),
        ({"hidden": (1,) * (MOST_LAYERS + 1)}, "hidden must be one or more positive widths, at most 100"),
        ({"n_games": 2**31}, r"n_games must be a whole number of at least 1 \(below 2\*\*31\)"),
    ],
)  # fmt: skip
def test_sizes_that_no_memory_holds_are_refused_with_what_they_would_take(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(LearnerError, match=message):
        get_profile("fast", **settings)


def test_numbers_of_numpy_become_plain_numbers() -> None:
    config = get_profile("fast", n_games=np.int64(32), tau=np.float32(0.5), hidden=np.array([8, 8]))
    assert config == get_profile("fast", n_games=32, tau=0.5, hidden=(8, 8))
    assert json.loads(json.dumps(config.to_dict()))["hidden"] == [8, 8]


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_survives_being_read_again(name: str) -> None:
    assert dataclasses.replace(PROFILES[name]) == PROFILES[name]
