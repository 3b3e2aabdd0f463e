"""What an agent sees, as a Gymnasium space; every face stacks it in its own way."""

from __future__ import annotations

import numpy as np
from gymnasium.spaces import Box

from cleanup_env.batch import BatchCleanup
from cleanup_env.config import OBSERVATIONS
from cleanup_env.errors import CleanupError
from cleanup_env.maps import CLASS_NAMES


def observation_space(game: BatchCleanup) -> Box:
    """The space of one agent's observation; a game that writes no observation is refused."""
    if game.observation is None:
        raise CleanupError(
            f"an environment needs an observation kind: one of {', '.join(OBSERVATIONS)}; "
            "only BatchCleanup plays without, with observation=None"
        )
    if game.observation == "features":
        return Box(-1.0, 1.0, game.observation_shape, np.float32)
    most = {"symbolic": len(CLASS_NAMES) - 1, "one_hot": 1, "rgb": 255}[game.observation]
    return Box(0, most, game.observation_shape, np.uint8)
