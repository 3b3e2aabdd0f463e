"""B independent copies of the game at once: arrays in, arrays out."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cleanup_env import observe, rules
from cleanup_env.config import OBSERVATIONS, CleanupConfig
from cleanup_env.errors import CleanupError
from cleanup_env.maps import CLASS_NAMES, build_world

Observation = NDArray[Any]
_KINDS = {"fire": rules.FIRE, "clean": rules.CLEAN}


def compile_rules(config: CleanupConfig) -> rules.Rules:
    """Translate the settings to what the compiled rules take."""
    roles = np.array(config.roles)
    kinds = np.full((config.n_agents, 9), -1, dtype=np.int8)
    for i, role in enumerate(config.roles):
        for number, name in enumerate(config.actions(role)):
            kinds[i, number] = _KINDS.get(name, number)
    return rules.Rules(
        p_apple=float(config.p_apple),
        depletion=float(config.depletion),
        restoration=float(config.restoration),
        loop_waste=config.waste_mode == "loop",
        p_waste=float(config.p_waste),
        waste_ceiling=float("inf") if config.waste_ceiling is None else float(config.waste_ceiling),
        waste_delay=config.waste_delay,
        beam_length=config.beam_length,
        beam_sides=config.beam_width // 2,
        cooldown=config.cooldown,
        fire_cost=float(config.fire_cost),
        fire_penalty=float(config.fire_penalty),
        soiled=config.start == "soiled",
        eats=(roles != "cleaner") | config.cleaners_eat,
        cleans=roles != "harvester",
        n_actions=(kinds >= 0).sum(axis=1),
        kinds=kinds,
    )


class BatchCleanup:
    """B copies of one Clean-up game, in lockstep or not, each with a random stream of its own.

    The arrays that `reset` and `step` return are the game's own buffers and are overwritten by
    the next step: copy what you keep.

    >>> game = BatchCleanup(CleanupConfig(n_cleaners=2), n_games=3)
    >>> observations = game.reset(seed=7)
    >>> observations.shape
    (3, 7, 15, 15)
    >>> observations, rewards, truncated = game.step(np.full((3, 7), 4))
    """

    n_classes = len(CLASS_NAMES)
    """Number of cell classes of a `symbolic` observation."""

    def __init__(
        self,
        config: CleanupConfig | None = None,
        n_games: int = 1,
        *,
        observation: Literal["symbolic", "features"] | None = "symbolic",
    ) -> None:
        """Build the games; observation None writes none (then reset and step return an empty array)."""
        if observation is not None and observation not in OBSERVATIONS:
            raise CleanupError(
                f"unknown observation {observation!r}: choose one of {', '.join(OBSERVATIONS)}, or None for no observation"
            )
        if isinstance(n_games, bool) or not hasattr(n_games, "__index__") or n_games < 1:
            raise CleanupError(f"n_games must be an integer of at least 1, got {n_games!r}")
        self.config = config = config or CleanupConfig()
        self.n_games, self.n_agents = int(n_games), config.n_agents
        self.agents, self.roles = config.agents, config.roles
        self.observation = observation
        self.world = build_world(config.map, config.radius, config.spawn_anywhere)
        self.rules = compile_rules(config)
        self.n_actions: NDArray[np.int64] = self.rules.n_actions
        """(N,) how many actions each agent has."""
        self.seeds: NDArray[np.uint64] = np.zeros(self.n_games, dtype=np.uint64)
        """(B,) the seed that each copy was last reset with."""
        self._started = False
        self._allocate()

    def _allocate(self) -> None:
        b, n, cells = self.n_games, self.n_agents, self.world.ground.size
        beams = n * self.config.beam_width * self.config.beam_length
        self._state = rules.State(
            stream=np.zeros((b, 4), np.uint64),
            clock=np.zeros(b, np.int32),
            ground=np.zeros((b, cells), np.uint8),
            board=np.zeros((b, cells), np.uint8),
            occupant=np.full((b, cells), -1, np.int16),
            position=np.zeros((b, n), np.int32),
            heading=np.zeros((b, n), np.int8),
            recovery=np.zeros((b, n), np.int32),
            n_waste=np.zeros(b, np.int32),
            beam=np.zeros((b, beams), np.int32),
            n_beam=np.zeros(b, np.int32),
            apples=np.zeros((b, n), np.int32),
            cleaned=np.zeros((b, n), np.int32),
            shots=np.zeros((b, n), np.int32),
            rewards=np.zeros((b, n), np.float64),
        )
        self._scratch = (
            np.zeros(n, np.int32),
            np.zeros(cells, np.int16),
            np.zeros(cells, np.int16),
            np.zeros(n, np.int64),
        )
        self._places = self.world.start.copy()
        self._visible = np.zeros((b, n, n), np.bool_)
        dtype = np.float32 if self.observation == "features" else np.uint8
        self._observations: Observation = np.zeros((b, n, *self.observation_shape), dtype)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Shape of one agent's observation."""
        if self.observation is None:
            return (0,)
        side = 2 * self.config.radius + 1
        return (observe.N_FEATURES,) if self.observation == "features" else (side, side)

    def reset(self, seed: int | None = None, *, seeds: Any = None) -> Observation:
        """Start all copies anew; return observations (B, N, ...).

        seed: one integer, from which every copy's seed is derived (`self.seeds` tells them);
        None takes fresh entropy. seeds: (B,) integers instead, one per copy. A copy with seed
        k plays the same episode wherever it stands in whatever batch.
        """
        if seeds is not None:
            self.seeds = _check_seeds(seeds, self.n_games)
        elif seed is None or self.n_games > 1:
            root = np.random.SeedSequence(None if seed is None else int(_check_seeds([seed], 1)[0]))
            # 63 bits: any reader of these numbers can hold them in a signed integer.
            self.seeds = root.generate_state(self.n_games, np.uint64) >> np.uint64(1)
        else:
            self.seeds = _check_seeds([seed], 1)
        rules.reset_all(self.seeds, self.world, self.rules, self._state, self._places)
        self._started = True
        return self._observe()

    def step(
        self, actions: NDArray[np.integer[Any]]
    ) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_]]:
        """Play one step of every copy.

        actions: integers (B, N), each below the agent's `n_actions`. Returns observations
        (B, N, ...), rewards (B, N) in apples, and truncated (B,), true when a copy has reached
        the horizon. Raises CleanupError for wrong actions, before a reset and after the end.
        """
        acts = np.ascontiguousarray(actions)
        if acts.shape != (self.n_games, self.n_agents) or acts.dtype.kind not in "iu":
            raise CleanupError(
                f"actions must be integers of shape ({self.n_games}, {self.n_agents}), "
                f"got {acts.dtype} of shape {acts.shape}"
            )
        if not self._started:
            raise CleanupError("step was called before reset: call reset(seed=...) first")
        if (self._state.clock >= self.config.horizon).any():
            raise CleanupError(
                f"the episode is over (horizon {self.config.horizon}): call reset() before the next step"
            )
        acts = acts.astype(np.int64, copy=False)
        wrong = rules.step(acts, self.world, self.rules, self._state, *self._scratch)
        if wrong >= 0:
            raise self._wrong_action(acts, *divmod(wrong, self.n_agents))
        return self._observe(), self._state.rewards, self._state.clock >= self.config.horizon

    def _wrong_action(self, actions: NDArray[np.int64], b: int, i: int) -> CleanupError:
        return CleanupError(
            f"action {actions[b, i]} of {self.agents[i]!r} (game {b}) is out of range: a {self.roles[i]} has "
            f"actions 0..{self.n_actions[i] - 1} ({', '.join(self.config.actions(self.roles[i]))})"
        )

    def _observe(self) -> Observation:
        if self.observation == "symbolic":
            observe.symbolic(self.world, self.config.rotate, self._state, self._observations)
        elif self.observation == "features":
            observe.features(self.world, self.rules, self.config.rotate, self._state, self._observations)
        return self._observations

    def visible(self) -> NDArray[np.bool_]:
        """(B, N, N): does agent i see agent j in its window now? False on the diagonal."""
        observe.visible(self.world, self._state, self._visible)
        return self._visible

    # What happened in the last step, and where things stand: read-only views.

    @property
    def clock(self) -> NDArray[np.int32]:
        """(B,) steps played in this episode."""
        return self._state.clock

    @property
    def apples(self) -> NDArray[np.int32]:
        """(B, N) apples eaten in the last step."""
        return self._state.apples

    @property
    def cleaned(self) -> NDArray[np.int32]:
        """(B, N) waste cells cleaned in the last step."""
        return self._state.cleaned

    @property
    def shots(self) -> NDArray[np.int32]:
        """(B, N) beams fired in the last step."""
        return self._state.shots

    @property
    def waste(self) -> NDArray[np.int32]:
        """(B,) waste cells."""
        return self._state.n_waste

    @property
    def waste_density(self) -> NDArray[np.float64]:
        """(B,) waste cells over river cells."""
        return self._state.n_waste / self.world.river.size

    @property
    def apple_chance(self) -> NDArray[np.float64]:
        """(B,) chance that an empty orchard cell grows an apple at the present waste density."""
        share = 1.0 - (self.waste_density - self.config.restoration) / (
            self.config.depletion - self.config.restoration
        )
        return self.config.p_apple * np.clip(share, 0.0, 1.0)

    @property
    def heading(self) -> NDArray[np.int8]:
        """(B, N) heading: 0 north, 1 east, 2 south, 3 west."""
        return self._state.heading

    @property
    def position(self) -> NDArray[np.int32]:
        """(B, N, 2) row and column on the map."""
        row, col = np.divmod(self._state.position, self.world.width)
        return np.stack((row, col), axis=-1) - np.int32(self.config.radius)

    def board(self) -> NDArray[np.uint8]:
        """(B, rows, columns) cell classes of the whole map, agents and beams included (a copy)."""
        return self._crop(self._state.board)

    def ground(self) -> NDArray[np.uint8]:
        """(B, rows, columns) cell classes of the map below agents and beams (a copy)."""
        return self._crop(self._state.ground)

    def _crop(self, cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
        r = self.config.radius
        padded = cells.reshape(self.n_games, self.world.height, self.world.width)
        return padded[:, r:-r, r:-r].copy()

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Everything that determines the rest of the episode, as named arrays (copies)."""
        return {
            **{name: array.copy() for name, array in self._state._asdict().items()},
            "seeds": self.seeds.copy(),
        }

    def set_state(self, state: dict[str, NDArray[Any]]) -> Observation:
        """Go back to a state from `get_state` of a game with the same settings; return observations."""
        expected = {**self._state._asdict(), "seeds": self.seeds}
        for name, array in expected.items():
            got = state.get(name)
            if not isinstance(got, np.ndarray) or got.shape != array.shape or got.dtype != array.dtype:
                raise CleanupError(
                    f"the state does not fit this game: {name!r} should be {array.dtype} of shape {array.shape}; "
                    "set_state takes what get_state gave for the same settings and number of games"
                )
        for name, array in expected.items():
            array[...] = state[name]
        self._started = True
        return self._observe()

    def __getstate__(self) -> dict[str, Any]:
        return {
            "config": self.config, "n_games": self.n_games, "observation": self.observation,
            "started": self._started, "state": self.get_state(),
        }  # fmt: skip

    def __setstate__(self, saved: dict[str, Any]) -> None:
        BatchCleanup.__init__(self, saved["config"], saved["n_games"], observation=saved["observation"])
        if saved["started"]:
            self.set_state(saved["state"])


def _check_seeds(seeds: Any, count: int) -> NDArray[np.uint64]:
    values = np.asarray(seeds)
    if values.shape != (count,) or values.dtype.kind not in "iu" or (values < 0).any():
        raise CleanupError(f"seeds must be {count} non-negative integers below 2**64, got {seeds!r}")
    return values.astype(np.uint64)
