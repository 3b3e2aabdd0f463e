"""The profiles of MTMFQ for Clean-up under contracts: those of `mtmfq`, with a discount of its own for each role."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mtmfq.checks import shown
from mtmfq.config import PROFILES, MTMFQConfig
from mtmfq.interface import LearnerError

DISCOUNTS: Mapping[str, float] = MappingProxyType({"harvester": 0.95, "cleaner": 0.99})
"""Discount per step by role, from trials: an apple is eaten at once, but a cleaned river pays when apples have grown."""

MTMFQ_PROFILES: Mapping[str, MTMFQConfig] = MappingProxyType(
    {
        # The code released with the paper has one discount for all agents, and `faithful` keeps it.
        name: profile if name == "faithful" else dataclasses.replace(profile, gamma=DISCOUNTS)
        for name, profile in PROFILES.items()
    }
)
"""Named configurations, as in `mtmfq.PROFILES`; all but `faithful` discount by role."""


def get_mtmfq_profile(name: str, **overrides: Any) -> MTMFQConfig:
    """Profile `name` with some fields replaced, for example `get_mtmfq_profile("fast", episodes=1_000)`.

    Raises:
        LearnerError: there is no such profile or field, or a value is out of range.

    >>> get_mtmfq_profile("smoke").gammas(("cleaner", "harvester"))
    (0.99, 0.95)
    """
    if not isinstance(name, str) or name not in MTMFQ_PROFILES:
        raise LearnerError(f"there is no learner profile {shown(name)}: choose one of {', '.join(MTMFQ_PROFILES)}")
    return MTMFQConfig.from_dict({**MTMFQ_PROFILES[name].to_dict(), **overrides})
