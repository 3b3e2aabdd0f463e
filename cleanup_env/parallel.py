"""The PettingZoo faces of the game: `parallel_env`, `env` and `raw_env`."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from operator import index
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from gymnasium.utils import seeding
from numpy.typing import NDArray
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils import wrappers
from pettingzoo.utils.conversions import parallel_to_aec_wrapper

from cleanup_env.actions import STAY
from cleanup_env.batch import BatchCleanup, Observation
from cleanup_env.checks import wrong_action
from cleanup_env.config import CleanupConfig, make_config
from cleanup_env.episodes import Episodes
from cleanup_env.errors import CleanupError, shown
from cleanup_env.maps import CLASS_NAMES
from cleanup_env.render import ansi, check_scale, rgb
from cleanup_env.spaces import observation_space
from cleanup_env.window import Window

RENDER_MODES = ("human", "ansi", "rgb_array")


class CleanupParallelEnv(ParallelEnv[str, Observation, int]):
    """Clean-up as a PettingZoo parallel environment: one game of a batch of one.

    Observations: `symbolic` uint8 (15, 15) cell classes; `one_hot` uint8 (10, 15, 15), the same as
    planes; `rgb` uint8 (15, 15, 3); `features` float32 (49,), entries as in
    `cleanup_env.FEATURE_NAMES`. Actions: `Discrete`, what the role can do and no more (see `Action`).
    With `equal_actions` all have the space of the agent that can do most, and what a role cannot do
    is played as STAY: for learners that give one network to all agents.

    `infos[agent]` holds the same flat entries after `reset` and after every step: `apples`, `cleaned`
    and `shots` of this step; `total_apples`, `total_cleaned`, `total_shots` and `total_reward` (in apples)
    of this episode so far, and its `steps`; the global `waste_density` and `apple_chance`; and
    `action_mask`. No name is one that Gymnasium, Stable-Baselines3, SuperSuit, CleanRL or TorchRL read as
    something else (`episode`, `terminal_observation`, ...).

    `action_mask` is int8 (actions of the agent's space,), as Gymnasium's `Discrete.sample(mask)` and
    PettingZoo's own tools take it: 1, and 0 for a beam that is cooling down and for what the role
    cannot do. Both may be chosen all the same and do nothing. Libraries that read masks from
    observations (RLlib, Tianshou) need a wrapper that puts it there.

    At the horizon `agents` becomes empty. From then on `step({})` returns five empty dictionaries, and
    any other step is refused until `reset`.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "cleanup_v0",
        "render_modes": list(RENDER_MODES),
        "is_parallelizable": True,
        "render_fps": 10,
    }

    def __init__(
        self,
        config: CleanupConfig | None = None,
        *,
        observation: str = "symbolic",
        render_mode: str | None = None,
        render_scale: int = 16,
        equal_actions: bool = False,
    ) -> None:
        """Build the game.

        render_scale: pixels per cell of an `rgb_array` picture. equal_actions: one action space for all, see the class.
        """
        if not isinstance(equal_actions, (bool, np.bool_)):
            raise CleanupError(f"equal_actions must be True or False, got {shown(equal_actions)}")
        if render_mode is not None and not (isinstance(render_mode, str) and render_mode in RENDER_MODES):
            raise CleanupError(f"unknown render_mode {shown(render_mode)}: choose one of {', '.join(RENDER_MODES)}")
        self.game = BatchCleanup(config, 1, observation=observation)  # type: ignore[arg-type]
        self.config = self.game.config
        self.render_mode = render_mode
        self.render_scale = check_scale(self.config, render_scale, "render_scale")
        self._window = self._new_window()
        self.possible_agents = list(self.config.agents)
        self.agents: list[str] = []
        self.roles = dict(zip(self.config.agents, self.config.roles, strict=True))
        self._episodes = Episodes(self.game)
        self._ended = False
        # Two things that are told in every step and computed once: masks where no beam cools down, and density and
        # chance by waste cells.
        self._fixed_mask = None if self.config.cooldown else self.game.action_mask()[0].view(np.int8)
        self._known_growth: dict[int, tuple[float, float]] = {}
        self._np_random: np.random.Generator | None = None
        self._np_random_seed: int | None = None
        box = observation_space(self.game)
        self.observation_spaces = {agent: copy.deepcopy(box) for agent in self.possible_agents}
        self._own_actions: list[int] = self.game.n_actions.tolist()
        most = max(self._own_actions)
        self._offered = [most] * len(self._own_actions) if equal_actions else self._own_actions
        self.action_spaces = {
            agent: spaces.Discrete(n) for agent, n in zip(self.possible_agents, self._offered, strict=True)
        }
        size = (len(self.config.map), len(self.config.map[0]))
        self.state_space = spaces.Box(0, len(CLASS_NAMES) - 1, size, np.uint8)

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The observation space of one agent."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """The action space of one agent."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Start an episode. With no seed, the first comes from fresh entropy and each later one
        from the one before, so that `reset(seed=k)` fixes all episodes that follow."""
        observations = self._episodes.reset(seed)
        self.agents = list(self.possible_agents)
        self._ended = False
        if seed is not None:
            self._np_random, self._np_random_seed = None, int(seed)
        if self._window is not None:
            self.render()
        return self._split(observations), self._infos()

    def step(
        self, actions: dict[str, int]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Play one step; `actions` holds one integer for every agent of the game, and nobody once it is over."""
        if not self.agents:
            if self._ended and isinstance(actions, Mapping) and not actions:
                return {}, {}, {}, {}, {}
            if self._ended:
                raise CleanupError(
                    f"the episode is over (horizon {self.config.horizon}): call reset() before the next step"
                )
            raise CleanupError("step was called before reset: call reset(seed=...) first")
        observations, rewards, truncated = self._episodes.step(self._gather(actions))
        agents, over = self.agents, bool(truncated[0])
        infos = self._infos()
        if over:
            self.agents, self._ended = [], True
        if self._window is not None:
            self.render()
        return (
            self._split(observations),
            dict(zip(agents, rewards[0].tolist(), strict=True)),
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, over),
            infos,
        )

    def _gather(self, actions: dict[str, int]) -> NDArray[np.int64]:
        names = self.possible_agents
        if not isinstance(actions, Mapping):
            raise CleanupError(f"step takes a dictionary agent -> action, got {type(actions).__name__}")
        if len(actions) != len(names) or not all(agent in actions for agent in names):
            missing = [agent for agent in names if agent not in actions]
            unknown = [agent for agent in actions if agent not in self.roles]
            raise CleanupError(
                "step needs one action for every agent: "
                + " and ".join(f"{what} {who}" for what, who in (("missing", missing), ("unknown", unknown)) if who)
                + f"; the agents are {names}"
            )
        chosen = []
        for i, agent in enumerate(names):
            try:
                # numpy's integers, and arrays of no dimension, have an __index__ like Python's own.
                action = index(actions[agent])
            except TypeError:
                action = None
            if action is None or isinstance(actions[agent], bool):
                raise CleanupError(
                    f"the action of {agent!r} must be an integer 0..{self._offered[i] - 1}, got {shown(actions[agent])}"
                )
            if not 0 <= action < self._own_actions[i]:
                self._check_offered(action, i)
                action = STAY
            chosen.append(action)
        return np.array([chosen])

    def _check_offered(self, action: int, i: int) -> None:
        if self._offered is self._own_actions:
            raise wrong_action(self.config, action, 0, i)
        if not 0 <= action < self._offered[i]:
            raise CleanupError(
                f"action {shown(action)} of {self.possible_agents[i]!r} is out of range: with equal_actions all agents "
                f"have actions 0..{self._offered[i] - 1}, and the action_mask of the infos tells those of a role"
            )

    def _split(self, observations: Observation) -> dict[str, Observation]:
        return dict(zip(self.possible_agents, observations[0].copy(), strict=True))

    def _infos(self) -> dict[str, dict[str, Any]]:
        game, sums = self.game, self._episodes
        waste, steps = int(game.waste[0]), int(game.clock[0])
        if waste not in self._known_growth:
            self._known_growth[waste] = float(game.waste_density[0]), float(game.apple_chance[0])
        density, chance = self._known_growth[waste]
        # Each step gives arrays of its own, which whoever takes them may change.
        masks = game.action_mask()[0].view(np.int8) if self._fixed_mask is None else self._fixed_mask.copy()
        rows = zip(
            self.possible_agents, game.apples[0].tolist(), game.cleaned[0].tolist(), game.shots[0].tolist(),
            sums.rewards[0].tolist(), *(count[0].tolist() for count in sums.counts.values()),
            masks, self._offered, strict=True,
        )  # fmt: skip
        return {
            agent: {
                "apples": apples, "cleaned": cleaned, "shots": shots,
                "total_reward": reward, "total_apples": eaten, "total_cleaned": cells, "total_shots": fired,
                "steps": steps, "waste_density": density, "apple_chance": chance, "action_mask": mask[:offered],
            }
            for agent, apples, cleaned, shots, reward, eaten, cells, fired, mask, offered in rows
        }  # fmt: skip

    @property
    def np_random(self) -> np.random.Generator:
        """Random numbers for wrappers that take theirs from the environment, as those of a `gymnasium.Env`.

        Seeded by `reset(seed=...)`. The game itself draws from another stream, so that wrappers change no episode.
        """
        if self._np_random is None:
            self._np_random, self._np_random_seed = seeding.np_random(self._np_random_seed)
        return self._np_random

    @np_random.setter
    def np_random(self, generator: np.random.Generator) -> None:
        self._np_random, self._np_random_seed = generator, -1

    @property
    def np_random_seed(self) -> int:
        """Seed of `np_random`; -1 if somebody else's generator was put there."""
        if self._np_random_seed is None:
            self._np_random, self._np_random_seed = seeding.np_random()
        return self._np_random_seed

    def state(self) -> NDArray[np.uint8]:
        """The whole board: (rows, columns) uint8 cell classes."""
        board: NDArray[np.uint8] = self.game.board()[0]
        return board

    def render(self) -> str | NDArray[np.uint8] | None:
        """The present state as text (`ansi`), as a picture (`rgb_array`: (rows*s, columns*s, 3) uint8),
        or, returning None, in a window (`human`, which `reset` and `step` bring up to date themselves)."""
        if self.render_mode is not None and not self._episodes.begun:
            raise CleanupError("render was called before reset: call reset(seed=...) first")
        if self.render_mode == "ansi":
            return ansi(self.game)
        if self.render_mode == "rgb_array":
            return rgb(self.game, scale=self.render_scale)
        if self._window is not None:
            self._window.show(rgb(self.game, scale=self.render_scale))
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_window": None}  # a window stays where it is

    def __setstate__(self, saved: dict[str, Any]) -> None:
        self.__dict__.update(saved)
        self._window = self._new_window()

    def _new_window(self) -> Window | None:
        return Window("Clean-up", self.metadata["render_fps"]) if self.render_mode == "human" else None

    def __repr__(self) -> str:
        return f"cleanup_v0({', '.join(self.possible_agents)})"


def parallel_env(
    preset: str = "contract",
    *,
    observation: str = "symbolic",
    render_mode: str | None = None,
    render_scale: int = 16,
    max_cycles: int | None = None,
    equal_actions: bool = False,
    **settings: Any,
) -> CleanupParallelEnv:
    """Build a Clean-up game as a PettingZoo parallel environment.

    preset: `contract`, `original` or `meltingpot-like`; settings: any field of `CleanupConfig`;
    max_cycles: PettingZoo's name for the setting `horizon`; equal_actions: whether all agents have one
    action space, where what a role cannot do is STAY and masked.

    >>> game = parallel_env(n_cleaners=1)
    >>> observations, infos = game.reset(seed=1)
    >>> sorted(observations)[0], observations["cleaner_0"].shape
    ('cleaner_0', (15, 15))
    """
    if max_cycles is not None:
        if "horizon" in settings:
            raise CleanupError("max_cycles and horizon are one setting: give one of them")
        settings["horizon"] = max_cycles
    config = make_config(preset, **settings)
    return CleanupParallelEnv(
        config,
        observation=observation,
        render_mode=render_mode,
        render_scale=render_scale,
        equal_actions=equal_actions,
    )


def raw_env(**settings: Any) -> AECEnv[str, Observation, int]:
    """The same game as a PettingZoo AEC environment, without wrappers."""
    return parallel_to_aec_wrapper(parallel_env(**settings))


def env(**settings: Any) -> AECEnv[str, Observation, int]:
    """The same game as a PettingZoo AEC environment, with the order of calls enforced; `aec_to_parallel` undoes it."""
    return wrappers.OrderEnforcingWrapper(raw_env(**settings))
