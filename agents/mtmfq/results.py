"""What a training reports while it runs, and what it gives at its end."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtmfq.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainProgress:
    """What is known after a vector episode (one episode in every game)."""

    episode: int
    """Episodes finished so far, over all games."""

    episodes: int
    """Episodes of the whole training, over all games."""

    returns: NDArray[np.float64]
    """Raw reward sum of each type's agents over the last episode, averaged over games, (M,)."""

    total: float
    """Sum of `returns`: the raw reward of everybody."""

    temperature: float
    """Temperature of the last episode, in units of reward."""

    loss: float
    """Mean loss of the last episode's updates, summed over types; NaN if there were none."""

    updates: int
    """Gradient steps so far."""

    cpu_seconds: float
    """CPU time of the training so far, over all its runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The course of a training, one entry per vector episode."""

    episode: NDArray[np.int64]
    """Episodes finished, over all games, (E,)."""

    returns: NDArray[np.float64]
    """Raw reward sum of each type's agents per episode, averaged over games, (E, M); 0 for an empty type."""

    temperature: NDArray[np.float64]
    """Temperature in units of reward, (E,)."""

    loss: NDArray[np.float64]
    """Mean loss of the episode's updates, summed over types, (E,); NaN where there were none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a training gives."""

    policy: Policy
    """The policy as it stands."""

    curve: Curve
    """The course of the training."""

    updates: int
    """Gradient steps taken."""

    agent_steps: int
    """Steps of single agents played."""

    cpu_seconds: float
    """CPU time, over all runs of a training that was resumed."""

    finished: bool
    """False if `should_stop` ended the training early."""
