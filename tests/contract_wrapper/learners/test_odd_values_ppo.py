"""Odd values in every setting of PPO: accepted as plain values, or a LearnerError, at once."""

import dataclasses
import json
from random import Random
from typing import Any

import pytest
from fuzz_values import built, odd, odd_fields

from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.learners.ppo.config import PPOConfig, get_ppo_profile
from mtmfq.interface import LearnerError

TYPES = {f.name: f.type for f in dataclasses.fields(PPOConfig)}


def test_odd_settings() -> None:
    rng, accepted = Random(0), 0
    for _ in range(5_000):
        fields = odd_fields(rng, TYPES, 2)
        config = built(lambda f=fields: get_ppo_profile("fast", **f), LearnerError)
        if config is not None:
            assert PPOConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
            accepted += 1
        built(lambda: PPOConfig.from_dict(odd(rng)), LearnerError)
        built(lambda: get_ppo_profile(odd(rng)), LearnerError)
        built(lambda: get_mtmfq_profile(odd(rng), episodes=odd(rng)), LearnerError)
    assert accepted > 100


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_games": 64, "n_steps": 10**6, "batch_size": 3_200}, r"a rollout of n_games \* n_steps = 64000000 rows .* 15 GiB"),
        ({"hidden": (2**20, 2**20)}, "networks with hidden layers .* GiB of memory, at most 8 GiB"),
        ({"gamma": "0.5"}, "gamma must be between 0 and 1, but is '0.5'"),
        ({"learning_rate": True}, "learning_rate must be above 0, but is True"),
    ],
)  # fmt: skip
def test_what_is_too_large_or_no_number_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(LearnerError, match=message):
        get_ppo_profile("fast", **settings)
