"""B independent copies of the game at once: arrays in, arrays out."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cleanup_env import kernels, observe
from cleanup_env.actions import FIRE
from cleanup_env.checks import check_actions, check_seed, check_seeds, check_state, wrong_action
from cleanup_env.colours import agent_colours, palette
from cleanup_env.config import OBSERVATIONS, CleanupConfig
from cleanup_env.errors import CleanupError, shown
from cleanup_env.limits import as_int, check_memory
from cleanup_env.maps import CLASS_NAMES, build_world
from cleanup_env.rules import OVER, PLAYED, rules_of
from cleanup_env.state import DERIVED, allocate, redraw, reset_all

Observation = NDArray[Any]
ObservationKind = Literal["symbolic", "one_hot", "rgb", "features"]


def check_games(config: CleanupConfig, n_games: object, observation: object) -> int:
    """Return how many games a batch has, after checking that it can be made: what `BatchCleanup` asks first.

    Raises:
        CleanupError: there is no such number of games or observation, or the arrays would be too large.
    """
    if observation is not None and not (isinstance(observation, str) and observation in OBSERVATIONS):
        raise CleanupError(
            f"unknown observation {shown(observation)}: choose one of {', '.join(OBSERVATIONS)}, "
            "or None for no observation"
        )
    count = as_int(n_games)
    if count is None or count < 1:
        raise CleanupError(f"n_games must be an integer of at least 1, got {shown(n_games)}")
    check_memory(
        f"a batch of n_games={shown(count)}",
        count * game_bytes(config, observation),
        "play fewer games at once, with fewer agents, or a smaller map or radius",
    )
    return count


def game_bytes(config: CleanupConfig, observation: str | None) -> int:
    """Return the memory that each game of a batch takes, in bytes, its observations included."""
    n, r = config.n_agents, config.radius
    cells = (len(config.map) + 2 * r) * (len(config.map[0]) + 2 * r)
    boards, pictures = _turned_boards(config, observation)
    beams = 4 * config.beam_width * config.beam_length
    seen = observation_bytes(config, observation)
    # Per cell: ground, occupant, one bit; per agent: its numbers in `State` and whom it sees.
    return cells * (1 + 2 + 1 + boards + 3 * pictures) + n * (32 + n + beams + seen) + 64


def observation_bytes(config: CleanupConfig, observation: str | None) -> int:
    """Return the memory that one agent's observation takes, in bytes."""
    return math.prod(_observation_shape(config, observation)) * _dtype(observation).itemsize


def _turned_boards(config: CleanupConfig, observation: str | None) -> tuple[int, int]:
    """Copies of the board and of its picture that a game keeps."""
    # Windows are read from boards turned four ways; who needs no windows needs one board.
    n_turns = 4 if config.rotate else 1
    return n_turns if observation in ("symbolic", "one_hot") else 1, n_turns if observation == "rgb" else 0


def _observation_shape(config: CleanupConfig, observation: str | None) -> tuple[int, ...]:
    if observation is None:
        return (0,)
    side = 2 * config.radius + 1
    shapes = {
        "symbolic": (side, side), "one_hot": (len(CLASS_NAMES), side, side), "rgb": (side, side, 3),
        "features": (observe.N_FEATURES,),
    }  # fmt: skip
    return shapes[observation]


def _dtype(observation: str | None) -> np.dtype[Any]:
    return np.dtype(np.float32 if observation == "features" else np.uint8)


class BatchCleanup:
    """B copies of one Clean-up game, in lockstep, each with a random stream of its own.

    The arrays that `reset` and `step` return are the game's own buffers and are overwritten by
    the next step: copy what you keep.

    >>> from cleanup_env import Action
    >>> game = BatchCleanup(CleanupConfig(n_cleaners=2), n_games=3)
    >>> observations = game.reset(seed=7)
    >>> observations.shape
    (3, 7, 15, 15)
    >>> observations, rewards, truncated = game.step(np.full((3, 7), Action.STAY))
    """

    n_classes = len(CLASS_NAMES)
    """Number of cell classes of a `symbolic` observation."""

    def __init__(
        self,
        config: CleanupConfig | None = None,
        n_games: int = 1,
        *,
        observation: ObservationKind | None = "symbolic",
    ) -> None:
        """Build the games; observation None writes none (then reset and step return an empty array)."""
        config = CleanupConfig() if config is None else config
        if not isinstance(config, CleanupConfig):
            raise CleanupError(f"config must be a CleanupConfig, for example make_config(), got {shown(config)}")
        self.config = config
        self.n_games, self.n_agents = check_games(config, n_games, observation), config.n_agents
        self.agents, self.roles = config.agents, config.roles
        self.observation = observation
        self._fill, self._step = kernels.BY_OBSERVATION[observation]
        self.world = build_world(config.map, config.radius, config.spawn_anywhere)
        self.rules = rules_of(config)
        self.n_actions: NDArray[np.int64] = self.rules.n_actions
        """(N,) how many actions each agent has."""
        kinds = self.rules.kinds[:, : self.n_actions.max()]
        self._able, self._able_cooling = kinds >= 0, (kinds >= 0) & (kinds < FIRE)
        self.seeds: NDArray[np.uint64] = np.zeros(self.n_games, dtype=np.uint64)
        """(B,) the seed that each copy was last reset with."""
        self._started = False
        turns = _turned_boards(config, observation)
        colours = np.vstack([palette(), agent_colours(config.roles)]).astype(np.uint8)
        n_beam = self.n_agents * config.beam_width * config.beam_length
        self._state, self._scratch = allocate(self.n_games, colours, self.world, turns, n_beam)
        self._addresses = kernels.addresses(self.world, self.rules, self._state, self._scratch)
        self._visible = np.zeros((self.n_games, self.n_agents, self.n_agents), np.bool_)
        shape = (self.n_games, self.n_agents, *self.observation_shape)
        self._observations: Observation = np.zeros(shape, _dtype(observation))

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Shape of one agent's observation."""
        return _observation_shape(self.config, self.observation)

    def reset(self, seed: int | None = None, *, seeds: Any = None) -> Observation:
        """Start all copies anew; return observations (B, N, ...).

        seed: one integer, from which every copy's seed is derived (`self.seeds` tells them);
        None takes fresh entropy. seeds: (B,) integers instead, one per copy. A copy with seed
        k plays the same episode wherever it stands in whatever batch.
        """
        if seeds is not None and seed is not None:
            raise CleanupError("reset takes seed or seeds, not both: seeds holds one integer per copy")
        if seeds is not None:
            self.seeds = check_seeds(seeds, self.n_games)
        elif seed is None or self.n_games > 1:
            root = np.random.SeedSequence(None if seed is None else check_seed(seed))
            # 63 bits: any reader of these numbers can hold them in a signed integer.
            self.seeds = root.generate_state(self.n_games, np.uint64) >> np.uint64(1)
        else:
            self.seeds = np.array([check_seed(seed)], np.uint64)
        reset_all(self.seeds, self.world, self.rules, self._state, self._scratch)
        self._started = True
        return self._observe()

    def step(self, actions: NDArray[np.integer[Any]]) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_]]:
        """Play one step of every copy.

        actions: integers (B, N), each below the agent's `n_actions` (see `Action`). Returns observations
        (B, N, ...), rewards (B, N) in apples, and truncated (B,), true when a copy has reached
        the horizon. Raises CleanupError for wrong actions, before a reset and after the end.
        """
        acts = check_actions(actions, (self.n_games, self.n_agents))
        if not self._started:
            raise CleanupError("step was called before reset: call reset(seed=...) first")
        wrong = self._step(acts, self._addresses, self._observations)
        if wrong == OVER:
            raise CleanupError(
                f"the episode is over (horizon {self.config.horizon}): call reset() before the next step"
            )
        if wrong != PLAYED:
            b, i = divmod(wrong, self.n_agents)
            raise wrong_action(self.config, acts[b, i], b, i)
        return self._observations, self._state.rewards, self._state.clock >= self.config.horizon

    def _observe(self) -> Observation:
        self._fill(self._addresses, self._observations)
        return self._observations

    def visible(self) -> NDArray[np.bool_]:
        """(B, N, N): does agent i see agent j in its window now? False on the diagonal."""
        kernels.visible(self._addresses, self._visible)
        return self._visible

    def action_mask(self) -> NDArray[np.bool_]:
        """(B, N, A) which actions are of use now (a copy); A is the largest number of actions of any agent.

        False for an action that the agent's role does not have, and for a beam that is cooling
        down: firing it may be chosen, and does nothing.
        """
        return np.where(self._state.recovery[..., None] > 0, self._able_cooling, self._able)

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
        """(B, N) shots in the last step, of either beam."""
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
        config = self.config
        share = 1.0 - (self.waste_density - config.restoration) / (config.depletion - config.restoration)
        # Not np.clip, which takes longer than all the rest of a step of one game.
        return config.p_apple * np.minimum(1.0, np.maximum(0.0, share))

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
        return self._crop(self._state.board[:, 0])

    def ground(self) -> NDArray[np.uint8]:
        """(B, rows, columns) cell classes of the map below agents and beams (a copy)."""
        return self._crop(self._state.ground)

    def _crop(self, cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
        r = self.config.radius
        padded = cells.reshape(self.n_games, self.world.height, self.world.width)
        return padded[:, r:-r, r:-r].copy()

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Everything that determines the rest of the episode, as named arrays (copies)."""
        return {name: array.copy() for name, array in self._essence().items()}

    def set_state(self, state: dict[str, NDArray[Any]]) -> Observation:
        """Go back to a state from `get_state` of a game with the same settings; return observations."""
        own = self._essence()
        check_state(state, own, self.world, self.config)
        for name, array in own.items():
            array[...] = state[name]
        redraw(self.world, self._state)
        self._started = True
        return self._observe()

    def _essence(self) -> dict[str, NDArray[Any]]:
        essence = {name: array for name, array in self._state._asdict().items() if name not in DERIVED}
        return {**essence, "seeds": self.seeds}

    def __getstate__(self) -> dict[str, Any]:
        return {
            "config": self.config, "n_games": self.n_games, "observation": self.observation,
            "state": self.get_state() if self._started else None,
        }  # fmt: skip

    def __setstate__(self, saved: dict[str, Any]) -> None:
        BatchCleanup.__init__(self, saved["config"], saved["n_games"], observation=saved["observation"])
        if saved["state"] is not None:
            self.set_state(saved["state"])
