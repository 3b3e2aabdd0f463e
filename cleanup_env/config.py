"""Settings of the game: frozen, checked once at birth, and the named presets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cleanup_env.actions import MOVES, Action, name_of
from cleanup_env.errors import CleanupError, shown
from cleanup_env.limits import MOST_APPLES, as_float, as_int
from cleanup_env.maps import check_map, check_size, default_map

ROLES = ("harvester", "cleaner", "free")
OBSERVATIONS = ("symbolic", "one_hot", "rgb", "features")


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupConfig:
    """Rules of one Clean-up game (Hughes et al. 2018; defaults are the preset `contract`)."""

    n_harvesters: int = 5
    """Agents that eat apples and cannot clean (the contract paper's baseline agents)."""

    n_cleaners: int = 0
    """Agents that clean and do not eat (the contract paper's recruited agents)."""

    n_free: int = 0
    """Agents that do both (Hughes et al. 2018)."""

    horizon: int = 200
    """Steps after which an episode is truncated; nothing ever terminates."""

    start: str = "clean"
    """`clean`: clean river, an apple on every orchard cell; `soiled`: the original reset,
    waste on the H cells and an empty orchard."""

    p_apple: float = 0.05
    """Chance per step that an empty orchard cell grows an apple when the river is clean."""

    depletion: float = 0.4
    """Waste density (waste cells / river cells) at and above which no apple grows."""

    restoration: float = 0.0
    """Waste density at and below which apples grow at the full rate `p_apple`."""

    waste_mode: str = "loop"
    """`loop`: clean river cells in random order each draw with `p_waste` until one succeeds
    (original open implementation); `bernoulli`: one draw per step, then a random clean cell."""

    p_waste: float = 0.5
    """Chance of a waste draw."""

    waste_ceiling: float | str | None = "depletion"
    """Waste density at and above which no waste comes: a number, or that of `depletion`; None: no ceiling."""

    waste_delay: int = 0
    """Steps at the start of an episode in which no waste comes."""

    beam_length: int = 5
    """Cells that a lane of the beam covers."""

    beam_width: int = 3
    """Lanes of the beam, an odd number: the centre lane and pairs of side lanes."""

    cooldown: int = 0
    """Steps after a shot in which the same agent's beam does nothing."""

    penalty_beam: bool = False
    """Whether free agents have the penalty beam (`Action.FIRE`)."""

    fire_cost: float = 1.0
    """What a shot of the penalty beam costs the shooter, in apples."""

    fire_penalty: float = 50.0
    """What an agent hit by the penalty beam loses, in apples."""

    cleaners_eat: bool = False
    """Whether a cleaner that stands on an apple eats it."""

    spawn_anywhere: bool = False
    """Start on random floor cells instead of spawn points (then more agents fit)."""

    radius: int = 7
    """Radius of the square observation window: 7 gives 15 x 15."""

    rotate: bool = True
    """Whether the window is turned so that the agent faces up."""

    map: tuple[str, ...] = dataclasses.field(default_factory=default_map)
    """The map as lines of text (see `cleanup_env.maps.LEGEND`)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "map", check_map(self.map))
        for name in ("n_harvesters", "n_cleaners", "n_free", "waste_delay", "cooldown"):
            self._check_int(name, 0)
        for name in ("horizon", "beam_length", "beam_width", "radius"):
            self._check_int(name, 1)
        for name in ("penalty_beam", "cleaners_eat", "spawn_anywhere", "rotate"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                raise CleanupError(f"{name} must be True or False, got {shown(getattr(self, name))}")
            object.__setattr__(self, name, bool(getattr(self, name)))
        for name in ("p_apple", "p_waste", "depletion", "restoration"):
            self._check_unit(name)
        if self.waste_ceiling is not None and not (
            isinstance(self.waste_ceiling, str) and self.waste_ceiling == "depletion"
        ):
            self._check_unit("waste_ceiling", ", or be 'depletion' or None")
        if self.restoration >= self.depletion:
            raise CleanupError(
                f"restoration ({self.restoration}) must lie below depletion ({self.depletion}): "
                "apples grow fully below the first and not at all above the second"
            )
        self._check_choice("start", ("clean", "soiled"))
        self._check_choice("waste_mode", ("loop", "bernoulli"))
        if self.beam_width % 2 == 0:
            raise CleanupError(f"beam_width must be odd (a centre lane and pairs of sides), got {self.beam_width}")
        if self.beam_width // 2 > self.radius or self.beam_length > self.radius:
            raise CleanupError(
                f"a beam of length {self.beam_length} and width {self.beam_width} reaches out of the "
                f"window of radius {self.radius}: enlarge radius"
            )
        for name in ("fire_cost", "fire_penalty"):
            self._check_apples(name)
        self._check_room()
        check_size(self.map, self.radius)

    def _check_int(self, name: str, least: int) -> None:
        value = as_int(getattr(self, name))
        if value is None or not least <= value < 2**31:
            raise CleanupError(
                f"{name} must be an integer of at least {least} (below 2**31), got {shown(getattr(self, name))}"
            )
        object.__setattr__(self, name, value)

    def _check_unit(self, name: str, otherwise: str = "") -> None:
        value = as_float(getattr(self, name))
        if value is None or not 0.0 <= value <= 1.0:
            raise CleanupError(f"{name} must lie in [0, 1]{otherwise}, got {shown(getattr(self, name))}")
        object.__setattr__(self, name, value)

    def _check_apples(self, name: str) -> None:
        value = as_float(getattr(self, name))
        if value is None or not 0.0 <= value <= MOST_APPLES:
            raise CleanupError(
                f"{name} must be a finite number of apples between 0 and {MOST_APPLES:,.0f}, got {shown(getattr(self, name))}"
            )
        object.__setattr__(self, name, value)

    def _check_choice(self, name: str, choices: tuple[str, ...]) -> None:
        value = getattr(self, name)
        if not isinstance(value, str) or value not in choices:
            raise CleanupError(f"unknown {name} {shown(value)}: choose one of {', '.join(choices)}")

    def _check_room(self) -> None:
        if self.n_agents == 0:
            raise CleanupError("the game has no agents: set n_harvesters, n_cleaners or n_free")
        room = self.n_places
        if self.n_agents > room:
            hint = "use a larger map" if self.spawn_anywhere else "add 'P' cells or set spawn_anywhere=True"
            where = "floor cells" if self.spawn_anywhere else "spawn points"
            raise CleanupError(f"{self.n_agents} agents need as many {where}, the map has {room}: {hint}")

    @property
    def n_places(self) -> int:
        """Cells where agents may start: spawn points, and all other floor cells with `spawn_anywhere`."""
        starts = "P " if self.spawn_anywhere else "P"
        return sum(row.count(letter) for row in self.map for letter in starts)

    @property
    def n_agents(self) -> int:
        """All agents of the game."""
        return self.n_harvesters + self.n_cleaners + self.n_free

    @property
    def roles(self) -> tuple[str, ...]:
        """Role of each agent, in agent order: harvesters, cleaners, free agents."""
        return ("harvester",) * self.n_harvesters + ("cleaner",) * self.n_cleaners + ("free",) * self.n_free

    @property
    def agents(self) -> tuple[str, ...]:
        """Agent names, in agent order: `harvester_0`, ..., `cleaner_0`, ..., `free_0`, ..."""
        numbers = (*range(self.n_harvesters), *range(self.n_cleaners), *range(self.n_free))
        return tuple(f"{role}_{i}" for role, i in zip(self.roles, numbers, strict=True))

    def actions(self, role: str) -> tuple[Action, ...]:
        """What a role can do, by number."""
        if not isinstance(role, str) or role not in ROLES:
            raise CleanupError(f"unknown role {shown(role)}: the roles are {', '.join(ROLES)}")
        if role == "harvester":
            return MOVES
        if role == "cleaner" or not self.penalty_beam:
            return (*MOVES, Action.CLEAN)
        return (*MOVES, Action.FIRE, Action.CLEAN)

    def action_number(self, role: str, action: Action) -> int:
        """Number by which agents of a role play an action.

        >>> CleanupConfig(n_cleaners=1).action_number("cleaner", Action.CLEAN)
        7
        """
        own = self.actions(role)
        if as_int(action) not in own:
            raise CleanupError(f"a {role} has no action {shown(action)}: it has {', '.join(map(name_of, own))}")
        return own.index(action)

    def as_dict(self) -> dict[str, Any]:
        """All settings as plain data, for JSON."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "contract": {},
    "original": {
        "n_harvesters": 0, "n_free": 5, "start": "soiled", "horizon": 1000, "penalty_beam": True,
    },
    "meltingpot-like": {
        "n_harvesters": 0, "n_free": 7, "start": "soiled", "horizon": 1000, "penalty_beam": True,
        "waste_mode": "bernoulli", "waste_ceiling": None, "waste_delay": 50, "beam_length": 3, "cooldown": 2,
    },
}  # fmt: skip
"""What each named game changes from the defaults."""


def make_config(preset: str = "contract", **changes: Any) -> CleanupConfig:
    """Build the settings of a named game, with fields changed.

    >>> make_config("contract", n_cleaners=2).agents[-2:]
    ('cleaner_0', 'cleaner_1')
    """
    if not isinstance(preset, str) or preset not in PRESETS:
        raise CleanupError(f"unknown preset {shown(preset)}: choose one of {', '.join(PRESETS)}")
    known = {f.name for f in dataclasses.fields(CleanupConfig)}
    for name in changes:
        if name not in known:
            raise CleanupError(f"unknown setting {name!r}: the settings are {', '.join(sorted(known))}")
    return CleanupConfig(**{**PRESETS[preset], **changes})
