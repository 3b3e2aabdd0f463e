"""Situations of the game that the pages show: who stands where, and what comes of it.

`draw.py` draws them, and `tests/test_docs.py` checks with them what the captions say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanup_env import Action, BatchCleanup, CleanupConfig, default_map, make_config
from cleanup_env.maps import APPLE, WASTE
from cleanup_env.scripted import ScriptedCrew

Agent = tuple[int, int, str]
"""Row, column and heading (N, E, S or W)."""
Cells = Iterable[tuple[int, int]]


def stage(
    lines: Sequence[str], agents: Sequence[Agent], *, apples: Cells = (), waste: Cells = (), n_games: int = 1,
    observation: Any = None, **settings: Any,
) -> BatchCleanup:  # fmt: skip
    """Set up games by hand: agents in agent order, apples and waste where they are named; nothing grows."""
    config = CleanupConfig(map=tuple(lines), **{"n_harvesters": 0, "p_apple": 0.0, "p_waste": 0.0, **settings})
    game = BatchCleanup(config, n_games, observation=observation)
    game.reset(seed=0)
    state, width, r = game.get_state(), game.world.width, config.radius
    state["ground"][:] = game.world.ground
    for cells, what in ((apples, APPLE), (waste, WASTE)):
        for row, column in cells:
            state["ground"][:, (row + r) * width + column + r] = what
    for i, (row, column, heading) in enumerate(agents):
        state["position"][:, i] = (row + r) * width + column + r
        state["heading"][:, i] = "NESW".index(heading)
    game.set_state(state)
    return game


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A small map, who stands where, and what everybody does in one step."""

    lines: tuple[str, ...]
    agents: tuple[Agent, ...]
    actions: tuple[Action, ...]
    waste: tuple[tuple[int, int], ...] = ()
    apples: tuple[tuple[int, int], ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)

    def before(self, n_games: int = 1) -> BatchCleanup:
        """Games at the start of the step."""
        return stage(self.lines, self.agents, apples=self.apples, waste=self.waste, n_games=n_games, **self.settings)

    def after(self, n_games: int = 1) -> BatchCleanup:
        """Games at the end of the step."""
        game = self.before(n_games)
        numbers = [game.config.action_number(*pair) for pair in zip(game.roles, self.actions, strict=True)]
        game.step(np.tile(numbers, (n_games, 1)))
        return game


_RIVER = ("@@@@@@@@@@", "@RRRRRRRP@", "@PRRRRRRP@", "@RRRRRRRP@", "@@@@@@@@@@")
_WALLS = ("@@@@@@@@@@", "@RR@RRRRP@", "@PRR@RRRP@", "@RRRRRRRP@", "@@@@@@@@@@")
_MEADOW = ("@@@@@", "@PPP@", "@PPP@", "@PPR@", "@@@@@")
_CLEANER: dict[str, Any] = {"n_cleaners": 1}

REACH = (
    Scene(lines=_RIVER, agents=((2, 1, "E"),), actions=(Action.CLEAN,), settings=_CLEANER),
    Scene(lines=_RIVER, agents=((2, 1, "E"),), actions=(Action.CLEAN,), settings={**_CLEANER, "beam_length": 3}),
)
"""A beam that nothing stops: of length 5, and of length 3 as in the preset `meltingpot-like`."""

ENDS_AT_WASTE = Scene(
    lines=_RIVER, agents=((2, 1, "E"),), actions=(Action.CLEAN,), settings=_CLEANER,
    waste=((1, 3), (1, 4), (2, 4), (2, 5), (3, 1), (3, 2)),
)  # fmt: skip
"""Two waste cells, one behind the other, in each lane."""

ENDS_AT_AGENT = Scene(
    lines=_RIVER, agents=((2, 3, "W"), (3, 1, "N"), (2, 1, "E")), actions=(Action.STAY, Action.STAY, Action.CLEAN),
    settings={"n_harvesters": 2, "n_cleaners": 1}, waste=((1, 4), (2, 4), (3, 2)),
)  # fmt: skip
"""One agent two cells ahead of the shooter, one beside it, waste behind both."""

ENDS_AT_WALL = Scene(
    lines=_WALLS, agents=((2, 1, "E"),), actions=(Action.CLEAN,), settings=_CLEANER, waste=((1, 4), (2, 5), (3, 5))
)
"""Walls in two of three lanes, waste behind both."""

CONTEST = Scene(
    lines=_MEADOW,
    agents=((2, 1, "E"), (1, 2, "S")),
    actions=(Action.FORWARD, Action.FORWARD),
    settings={"n_harvesters": 2},
)
"""Two agents want one cell."""

SWAP = Scene(
    lines=_MEADOW,
    agents=((2, 1, "E"), (2, 2, "W")),
    actions=(Action.FORWARD, Action.FORWARD),
    settings={"n_harvesters": 2},
)
"""Two neighbours want each other's cell."""

RING = Scene(
    lines=_MEADOW, agents=((1, 1, "E"), (1, 2, "S"), (2, 2, "W"), (2, 1, "N")), actions=(Action.FORWARD,) * 4,
    settings={"n_harvesters": 4},
)  # fmt: skip
"""Four agents, each wanting the next one's cell."""


def field_of_view(observation: Any = None) -> BatchCleanup:
    """Five agents on the published map: harvesters 0 to 2, cleaners 0 and 1."""
    agents = [(10, 10, "E"), (5, 13, "S"), (20, 15, "W"), (13, 6, "W"), (3, 2, "N")]
    lines = default_map()
    orchard = [(r, c) for r, row in enumerate(lines) for c, letter in enumerate(row) if letter == "B"]
    waste = [(6, 1), (6, 3), (8, 5), (9, 6), (11, 5), (12, 6), (13, 4), (13, 5), (15, 2), (17, 5), (19, 1), (2, 6)]
    return stage(lines, agents, apples=orchard[::3], waste=waste, observation=observation, n_harvesters=3, n_cleaners=2)


WATCHED = (0, 4)
"""Whose windows are drawn: harvester_0, inside the map, and cleaner_1, near a corner."""


def what_is_seen(kind: str) -> NDArray[Any]:
    """Observations (N, ...) of the agents of `field_of_view`."""
    game = field_of_view(kind)
    return game.set_state(game.get_state())[0].copy()


UNCLEANED_STEPS = 150


def preset_games(name: str, steps: int = 0) -> BatchCleanup:
    """One game of a preset after some steps in which harvesters are greedy and nobody cleans."""
    game = BatchCleanup(make_config(name), 1, observation=None)
    game.reset(seed=1)
    crew = ScriptedCrew(game, {"harvester": "greedy", "free": "idle"}, rng=np.random.default_rng(0))
    for _ in range(steps):
        game.step(crew.act())
    return game


def apple_chances(**settings: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Waste density and chance of an apple, of 120 games with 0 to 119 waste cells."""
    game = BatchCleanup(make_config(**settings), 120, observation=None)
    game.reset(seed=0)
    state = game.get_state()
    for k in range(120):
        state["ground"][k, game.world.river[:k]] = WASTE
    game.set_state(state)
    return game.waste_density, game.apple_chance


WASTE_MODES: dict[str, dict[str, Any]] = {
    "loop, ceiling at the depletion threshold (default)": {},
    "bernoulli, no ceiling": {"waste_mode": "bernoulli", "waste_ceiling": None},
    "bernoulli, no ceiling, delay of 50 steps": {
        "waste_mode": "bernoulli", "waste_ceiling": None, "waste_delay": 50,
    },
}  # fmt: skip


def waste_curve(settings: dict[str, Any], steps: int = 300, n_games: int = 64) -> NDArray[np.float64]:
    """Mean waste cells after each step while nobody cleans, (steps,)."""
    game = BatchCleanup(make_config(horizon=steps, **settings), n_games, observation=None)
    game.reset(seed=0)
    stay = np.full((n_games, game.n_agents), Action.STAY)
    curve = []
    for _ in range(steps):
        game.step(stay)
        curve.append(game.waste.mean())
    return np.array(curve)


CREWS = (0, 1, 3, 5)


def field_curves(n_cleaners: int, n_games: int = 64) -> NDArray[np.float64]:
    """Mean waste cells and apples on the trees after each step under scripted play, (2, steps)."""
    game = BatchCleanup(make_config(n_cleaners=n_cleaners), n_games, observation=None)
    game.reset(seed=0)
    crew = ScriptedCrew(game, "greedy", rng=np.random.default_rng(0))
    curve = []
    for _ in range(game.config.horizon):
        game.step(crew.act())
        curve.append(((game.ground() == WASTE).sum() / n_games, (game.ground() == APPLE).sum() / n_games))
    return np.array(curve).T
