"""What a batch refuses before it touches the compiled rules: wrong seeds, actions and states.

Compiled code does not look where it writes, so nothing gets there unchecked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanup_env.actions import name_of
from cleanup_env.config import CleanupConfig
from cleanup_env.errors import CleanupError, shown
from cleanup_env.limits import as_int
from cleanup_env.maps import APPLE, ORCHARD, RIVER, WALL, WASTE, World


def check_seeds(seeds: Any, count: int) -> NDArray[np.uint64]:
    """Return `count` seeds as an array, or say what they must be."""
    try:
        values = np.asarray(seeds)
    except (ValueError, OverflowError):  # ragged, or a range of integers that numpy has no type for
        values = np.empty(0)
    if values.shape != (count,) or values.dtype.kind not in "iu" or (values < 0).any():
        raise CleanupError(f"seeds must be {count} non-negative integers below 2**64, got {shown(seeds)}")
    return values.astype(np.uint64)


def check_seed(seed: Any) -> int:
    """Return one seed, or say what it must be."""
    number = as_int(seed)
    if number is None or not 0 <= number < 2**64:
        raise CleanupError(f"seed must be a non-negative integer below 2**64, or None, got {shown(seed)}")
    return number


def check_actions(actions: Any, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return actions of a shape as the rules take them; the rules themselves check their range."""
    try:
        values = np.ascontiguousarray(actions)
    except ValueError:
        raise CleanupError(f"actions must be integers of shape {shape}, got a ragged sequence") from None
    if values.shape != shape or values.dtype.kind not in "iu":
        raise CleanupError(f"actions must be integers of shape {shape}, got {values.dtype} of shape {values.shape}")
    return values.astype(np.int64, copy=False)


def wrong_action(config: CleanupConfig, action: object, b: int, i: int) -> CleanupError:
    """The error for an action that agent i of game b does not have."""
    role = config.roles[i]
    names = [name_of(own) for own in config.actions(role)]
    return CleanupError(
        f"action {shown(action)} of {config.agents[i]!r} (game {b}) is out of range: a {role} has "
        f"actions 0..{len(names) - 1} ({', '.join(names)})"
    )


def check_state(state: Any, expected: Mapping[str, NDArray[Any]], world: World, config: CleanupConfig) -> None:
    """Refuse a state that is not one of this game: names, shapes and types, then values."""
    if not isinstance(state, Mapping):
        raise CleanupError(f"set_state takes the dictionary that get_state gave, got {type(state).__name__}")
    for name, array in expected.items():
        got = state.get(name)
        if not isinstance(got, np.ndarray) or got.shape != array.shape or got.dtype != array.dtype:
            came = f"{got.dtype} of shape {got.shape}" if isinstance(got, np.ndarray) else shown(got)
            raise CleanupError(
                f"the state does not fit this game: {name!r} should be {array.dtype} of shape {array.shape}, "
                f"got {came}; set_state takes what get_state gave for the same settings and number of games"
            )
    cells, orchard, river = world.ground, world.ground == ORCHARD, world.ground == RIVER
    ground, position, beam = state["ground"], state["position"], state["beam"]
    in_use = np.arange(beam.shape[1]) < state["n_beam"][:, None]
    holds = {
        "ground": ((ground == cells) | (orchard & (ground == APPLE)) | (river & (ground == WASTE))).all(),
        "position": _open(position, cells) and (np.diff(np.sort(position, axis=1), axis=1) > 0).all(),
        "heading": _within(state["heading"], 0, 3),
        "clock": _within(state["clock"], 0, config.horizon),
        "recovery": _within(state["recovery"], 0, config.cooldown),
        "n_beam": _within(state["n_beam"], 0, beam.shape[1]),
        "beam": _open(beam[in_use], cells),
        "stream": state["stream"].any(axis=1).all(),
    }
    for name, fine in holds.items():
        if not fine:
            raise CleanupError(
                f"the state does not fit this game: {name!r} holds values that cannot occur in it; "
                "set_state takes what get_state gave after a reset, for the same settings"
            )


def _within(values: NDArray[Any], low: int, high: int) -> bool:
    return bool(((values >= low) & (values <= high)).all())


def _open(cells: NDArray[Any], ground: NDArray[np.uint8]) -> bool:
    return _within(cells, 0, ground.size - 1) and bool((ground[cells] != WALL).all())
