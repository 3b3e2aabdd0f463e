"""The compiled functions that Python calls, once per step: play and observe, by the name of an observation.

Handing some sixty arrays from Python to compiled code takes as long as a step of twenty games. So a
game's arrays are handed over as one table of addresses, which is made once.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from cleanup_env import observe, rules
from cleanup_env.config import CleanupConfig
from cleanup_env.maps import World, build_world
from cleanup_env.numba_tools import kernel, reader, table_of
from cleanup_env.rules import rules_of
from cleanup_env.state import N_CLASSES, Rules, Scratch, State, allocate


def _types() -> list[Any]:
    """Types of the four tuples, the same for every game, read off the smallest one."""
    config = CleanupConfig()
    world = build_world(config.map, config.radius)
    state, scratch = allocate(1, np.zeros((N_CLASSES + config.n_agents, 3), np.uint8), world, (1, 0), 1)
    return [numba.typeof(part) for part in (world, rules_of(config), state, scratch)]


_TYPES = _types()
_unpack = reader(_TYPES)


def addresses(world: World, rules: Rules, state: State, scratch: Scratch) -> NDArray[np.int64]:
    """Make the table of a game; whoever uses it keeps the four tuples alive."""
    parts = (world, rules, state, scratch)
    for part, expected in zip(parts, _TYPES, strict=True):
        found = numba.typeof(part)
        if found != expected:  # an error of ours, but one that would read foreign memory
            raise TypeError(f"the arrays of a game are {found}, but its compiled rules take {expected}")
    return table_of(parts)


@kernel
def step_symbolic(actions, table, out):
    """Play a step (see `rules.step`) and fill `out` with cell classes."""
    world, settings, s, scratch = _unpack(table)
    wrong = rules.step(actions, world, settings, s, scratch)
    if wrong == rules.PLAYED:
        observe.symbolic(world, settings, s, out)
    return wrong


@kernel
def step_one_hot(actions, table, out):
    """Play a step and fill `out` with one plane per cell class."""
    world, settings, s, scratch = _unpack(table)
    wrong = rules.step(actions, world, settings, s, scratch)
    if wrong == rules.PLAYED:
        observe.one_hot(world, settings, s, out)
    return wrong


@kernel
def step_rgb(actions, table, out):
    """Play a step and fill `out` with colours."""
    world, settings, s, scratch = _unpack(table)
    wrong = rules.step(actions, world, settings, s, scratch)
    if wrong == rules.PLAYED:
        observe.rgb(world, settings, s, out)
    return wrong


@kernel
def step_features(actions, table, out):
    """Play a step and fill `out` with feature vectors."""
    world, settings, s, scratch = _unpack(table)
    wrong = rules.step(actions, world, settings, s, scratch)
    if wrong == rules.PLAYED:
        observe.features(world, settings, s, out)
    return wrong


@kernel
def step_nothing(actions, table, out):
    """Play a step and fill nothing."""
    world, settings, s, scratch = _unpack(table)
    return rules.step(actions, world, settings, s, scratch)


@kernel
def symbolic(table, out):
    """Fill `out` with cell classes."""
    world, settings, s, _ = _unpack(table)
    observe.symbolic(world, settings, s, out)


@kernel
def one_hot(table, out):
    """Fill `out` with one plane per cell class."""
    world, settings, s, _ = _unpack(table)
    observe.one_hot(world, settings, s, out)


@kernel
def rgb(table, out):
    """Fill `out` with colours."""
    world, settings, s, _ = _unpack(table)
    observe.rgb(world, settings, s, out)


@kernel
def features(table, out):
    """Fill `out` with feature vectors."""
    world, settings, s, _ = _unpack(table)
    observe.features(world, settings, s, out)


@kernel
def nothing(table, out):
    """Fill nothing."""


@kernel
def visible(table, out):
    """Fill `out` with who sees whom."""
    world, _, s, _ = _unpack(table)
    observe.visible(world, s, out)


BY_OBSERVATION: dict[str | None, tuple[Any, Any]] = {
    "symbolic": (symbolic, step_symbolic),
    "one_hot": (one_hot, step_one_hot),
    "rgb": (rgb, step_rgb),
    "features": (features, step_features),
    None: (nothing, step_nothing),
}
"""How to observe, and how to play and observe, by the name of an observation."""
