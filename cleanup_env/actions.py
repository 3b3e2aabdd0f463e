"""What agents can do: the one place where actions are numbered."""

from __future__ import annotations

from enum import IntEnum


class Action(IntEnum):
    """What an agent does in a step: moves in its own frame, turns, and beams.

    `CleanupConfig.actions(role)` lists what a role can do, and an action's place in that list is its
    number for agents of the role. Moves, turns and STAY come first in every list, in this order, so
    that they can be played as they are:

    >>> import numpy as np
    >>> from cleanup_env import Action, BatchCleanup
    >>> game = BatchCleanup(n_games=2)
    >>> observations = game.reset(seed=0)
    >>> observations, rewards, truncated = game.step(np.full((2, 5), Action.STAY))

    A beam's number depends on what else the role can do: ask `CleanupConfig.action_number`.
    """

    LEFT = 0
    RIGHT = 1
    FORWARD = 2
    BACK = 3
    STAY = 4
    TURN_CLOCKWISE = 5
    TURN_COUNTER_CLOCKWISE = 6
    FIRE = 7
    CLEAN = 8


MOVES = tuple(Action)[: Action.FIRE]
"""Moves, turns and STAY: what every role can do."""

LEFT, RIGHT, FORWARD, BACK, STAY, TURN_CLOCKWISE, TURN_COUNTER_CLOCKWISE, FIRE, CLEAN = map(int, Action)
"""The actions as plain integers, for compiled functions."""


def name_of(action: Action) -> str:
    """Return the name of an action as messages and tables write it, for example `turn_clockwise`."""
    return action.name.lower()
