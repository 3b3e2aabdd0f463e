"""The Gymnasium vector face: B games of N agents as B * N sub-environments that share a policy."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from cleanup_env.actions import Action
from cleanup_env.batch import BatchCleanup, Observation, check_games, game_bytes, observation_bytes
from cleanup_env.checks import check_actions
from cleanup_env.config import CleanupConfig, make_config
from cleanup_env.episodes import Episodes
from cleanup_env.errors import CleanupError, shown
from cleanup_env.limits import check_memory
from cleanup_env.spaces import observation_space

_SPACE_FACTOR = 6
"""Arrays of the size of all observations: a space's two bounds and their masks, and copies of the observations."""


class CleanupVectorEnv(VectorEnv[Observation, NDArray[np.integer[Any]], NDArray[Any]]):
    """B games of N agents as a Gymnasium vector environment; agent i of game b is number b * N + i.

    Actions: (B * N,) integers. All sub-environments have the actions of the agent that has most;
    an action that an agent's role does not have is played as STAY, since many learners (those of
    Stable-Baselines3, for one) cannot mask. `infos["action_mask"]`, (B * N, actions) bool, is False
    there, and for a beam that is cooling down.

    At the horizon `truncations` are True and `terminations` False: a time limit, so that learners
    bootstrap from the last observation. What follows says `autoreset_mode`, as in Gymnasium:

    - `AutoresetMode.SAME_STEP`: that step returns the first observations of the next episode and
      its infos, and `infos["final_obs"]` and `infos["final_info"]` hold the last ones.
    - `AutoresetMode.NEXT_STEP`: that step returns the last observations. The next step begins the
      next episode instead of playing: its actions are not read, its rewards are 0.
    - `AutoresetMode.DISABLED`: that step returns the last observations. Before the next step, call
      `reset()`, or `reset(options={"reset_mask": mask})` for some of the games: mask is (B * N,)
      bool, the same for all agents of a game, and True at least for the games that are over.

    Of Gymnasium's vector wrappers, those of observations need NEXT_STEP or DISABLED.

    All infos are arrays of B * N, each with the `_key` (read-only) that tells which sub-environments have it:
    `apples`, `cleaned` and `shots` of the step, `waste_density`, `apple_chance`, `action_mask`, and
    of the episode so far `total_reward` (in apples), `total_apples`, `total_cleaned`, `total_shots` and `steps`.
    """

    def __init__(
        self,
        config: CleanupConfig | None = None,
        n_games: int = 1,
        *,
        observation: str = "symbolic",
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    ) -> None:
        """Build the games; copy False returns the game's own buffer, which the next step overwrites.

        Raises:
            CleanupError: a setting is wrong, or so many games take too much memory.
        """
        self.autoreset_mode = _mode(autoreset_mode)
        self.metadata = {"name": "cleanup_v0", "autoreset_mode": self.autoreset_mode, "render_modes": []}
        if not isinstance(copy, bool):
            raise CleanupError(f"copy must be True or False, got {shown(copy)}")
        config = CleanupConfig() if config is None else config
        if isinstance(config, CleanupConfig):
            # On top of the batch: the bounds of the spaces, and a name and a role for each sub-environment.
            count = check_games(config, n_games, observation)
            each = config.n_agents * (_SPACE_FACTOR * observation_bytes(config, observation) + 128)
            needed = count * (game_bytes(config, observation) + each)
            what = f"{count * config.n_agents} sub-environments"
            check_memory(what, needed, "play fewer games at once, or observe 'features'")
        game = BatchCleanup(config, n_games, observation=observation)  # type: ignore[arg-type]
        self.game, self.config, self.copy = game, game.config, copy
        self.n_games, self.n_agents = game.n_games, game.n_agents
        self.num_envs = self.n_games * self.n_agents
        self.agents = game.agents * self.n_games
        """Name of the agent of each sub-environment; names repeat from game to game."""
        self.roles = game.roles * self.n_games
        """Role of the agent of each sub-environment."""
        self.single_observation_space = observation_space(game)
        self._n_actions = int(game.n_actions.max())
        self.single_action_space = Discrete(self._n_actions)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._episodes = Episodes(game)
        self._over: NDArray[np.bool_] = np.zeros(self.n_games, np.bool_)
        self._all: NDArray[np.bool_] = np.ones(self.num_envs, np.bool_)
        self._all.flags.writeable = False

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode of every game, or of some: `options={"reset_mask": mask}`, see the class.

        seed: an integer, from which every game's seed is derived (`env.game.seeds` tells them); or
        a list of B, one per game, None for a game without. A game without a seed goes on with the
        one that follows from its last episode's, so that one seeded reset fixes all episodes that
        follow; each is the episode that a `parallel_env` with the game's seed plays.

        Games outside the mask stay as they are, whatever the seed. Infos then are those of the games that begin.

        Raises:
            CleanupError: a wrong seed or mask, or a mask without `AutoresetMode.DISABLED`.
        """
        begin = None if options is None or "reset_mask" not in options else self._games_of(options["reset_mask"])
        before = None if begin is None or begin.all() else self._snapshot()
        if isinstance(seed, (list, tuple, np.ndarray)):
            observations = self._episodes.reset_each(seed)
        else:
            observations = self._episodes.reset(seed)
            super().reset(seed=None if seed is None else int(seed))
        if begin is None or before is None:
            self._over[:] = False
            return self._flat(observations), self._infos()
        kept: NDArray[np.bool_] = np.logical_not(begin)
        self._over[begin] = False
        return self._flat(self._put_back(before, kept)), self._infos(begin)

    def step(
        self, actions: NDArray[np.integer[Any]]
    ) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Play one step of every game; what happens at the horizon says `autoreset_mode`.

        Returns observations (B * N, ...), rewards (B * N,) in apples, terminations and truncations
        (B * N,) bool, and infos. Raises CleanupError for wrong actions, before a reset, and after the
        end of a game that nobody has reset (`AutoresetMode.DISABLED`).
        """
        never: NDArray[np.bool_] = np.zeros(self.num_envs, np.bool_)
        if self._over.any():
            self._refuse_if_disabled()
            self._over[:] = False
            return self._flat(self._episodes.reset()), np.zeros(self.num_envs), never, never.copy(), self._infos()
        observations, rewards, ended = self._episodes.step(self._playable(actions))
        paid, infos = rewards.flatten(), self._infos()
        if self.autoreset_mode is not AutoresetMode.SAME_STEP:
            self._over = ended.copy()
        elif ended.any():
            last = {"final_obs": self._one_by_one(observations), "final_info": infos}
            observations = self._episodes.reset()
            infos = {**self._with_keys(last), **self._infos()}
        return self._flat(observations), paid, never, ended.repeat(self.n_agents), infos

    def _refuse_if_disabled(self) -> None:
        if self.autoreset_mode is AutoresetMode.DISABLED:
            raise CleanupError(
                f"the episodes of games {shown(self._over.nonzero()[0].tolist())} are over (horizon "
                f"{self.config.horizon}), and autoreset is disabled: call reset(), or for them alone "
                "reset(options={'reset_mask': mask}) with a mask that is True for their sub-environments"
            )

    def _games_of(self, mask: object) -> NDArray[np.bool_]:
        """(B,) which games a mask (B * N,) of sub-environments begins anew."""
        if self.autoreset_mode is not AutoresetMode.DISABLED:
            raise CleanupError(
                f"reset_mask is for autoreset_mode='Disabled', this is {self.autoreset_mode.value!r}: its games begin "
                "and end together, call reset() without"
            )
        if not (isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == (self.num_envs,)):
            raise CleanupError(f"reset_mask must be a numpy array of {self.num_envs} booleans, got {shown(mask)}")
        rows = mask.reshape(self.n_games, self.n_agents)
        begin: NDArray[np.bool_] = np.logical_and.reduce(rows, axis=1)
        halves = (rows.any(axis=1) & ~begin).nonzero()[0]
        if halves.size:
            raise CleanupError(
                f"reset_mask is True for some agents of game {halves[0]} and not for others: the {self.n_agents} "
                "agents of a game begin together"
            )
        if not begin.any():
            raise CleanupError("reset_mask is False everywhere: it must be True for one game at least")
        if not (begin.all() or self._episodes.begun):
            raise CleanupError("reset_mask leaves games out that were never begun: call reset() without it first")
        return begin

    def _snapshot(self) -> dict[str, NDArray[Any]]:
        sums = self._episodes
        return {**self.game.get_state(), **{f"sum of {k}": v.copy() for k, v in self._sums(sums).items()}}

    def _put_back(self, before: dict[str, NDArray[Any]], kept: NDArray[np.bool_]) -> Observation:
        """Bring the games (B,) of a snapshot back; return the observations of all."""
        state = self.game.get_state()
        for name, array in state.items():
            array[kept] = before[name][kept]
        for name, array in self._sums(self._episodes).items():
            array[kept] = before[f"sum of {name}"][kept]
        return self.game.set_state(state)

    @staticmethod
    def _sums(episodes: Episodes) -> dict[str, NDArray[Any]]:
        return {"reward": episodes.rewards, **episodes.counts}

    def _playable(self, actions: Any) -> NDArray[np.int64]:
        chosen = check_actions(actions, (self.num_envs,))
        wrong = (chosen < 0) | (chosen >= self._n_actions)
        if wrong.any():
            k = int(wrong.argmax())
            raise CleanupError(
                f"action {chosen[k]} of sub-environment {k} ({self.agents[k]!r} of game {k // self.n_agents}) is out "
                f"of range: the actions are 0..{self._n_actions - 1}, and infos['action_mask'] tells those of its role"
            )
        own = chosen.reshape(self.n_games, self.n_agents)
        return np.where(own < self.game.n_actions, own, Action.STAY)

    def _flat(self, observations: Observation) -> Observation:
        flat = observations.reshape(self.num_envs, *observations.shape[2:])
        return flat.copy() if self.copy else flat

    def _one_by_one(self, observations: Observation) -> NDArray[Any]:
        seen = np.full(self.num_envs, None, dtype=object)
        for k, observation in enumerate(observations.reshape(self.num_envs, *observations.shape[2:]).copy()):
            seen[k] = observation
        return seen

    def _with_keys(self, infos: dict[str, Any], known: NDArray[np.bool_] | None = None) -> dict[str, Any]:
        both: dict[str, Any] = {}
        for name, value in infos.items():
            both[name], both["_" + name] = value, self._all if known is None else known
        return both

    def _infos(self, games: NDArray[np.bool_] | None = None) -> dict[str, Any]:
        """The infos of all games, or of some (B,): zero for the others."""
        game, n, sums = self.game, self.n_agents, self._episodes
        infos: dict[str, NDArray[Any]] = {
            "apples": game.apples.astype(np.int64).reshape(-1),
            "cleaned": game.cleaned.astype(np.int64).reshape(-1),
            "shots": game.shots.astype(np.int64).reshape(-1),
            "waste_density": game.waste_density.repeat(n),
            "apple_chance": game.apple_chance.repeat(n),
            "action_mask": game.action_mask().reshape(self.num_envs, -1),
            "total_reward": sums.rewards.flatten(),
            "steps": game.clock.astype(np.int64).repeat(n),
        }
        for name, total in sums.counts.items():
            infos["total_" + name] = total.flatten()
        if games is None:
            return self._with_keys(infos)
        known = games.repeat(n)
        for value in infos.values():
            value[~known] = 0
        return self._with_keys(infos, known)


def _mode(mode: AutoresetMode | str) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except (TypeError, ValueError):
        raise CleanupError(
            f"autoreset_mode must be one of {', '.join(repr(m.value) for m in AutoresetMode)}, got {shown(mode)}"
        ) from None


def vector_env(
    preset: str = "contract",
    n_games: int = 1,
    *,
    observation: str = "symbolic",
    copy: bool = True,
    autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    **settings: Any,
) -> CleanupVectorEnv:
    """Build B games as a Gymnasium vector environment with one sub-environment per agent.

    preset, settings: as in `parallel_env`; autoreset_mode: see `CleanupVectorEnv`, also as the
    strings "SameStep", "NextStep" and "Disabled".

    >>> envs = vector_env("contract", n_games=2, n_cleaners=2)
    >>> observations, infos = envs.reset(seed=1)
    >>> observations.shape, envs.single_action_space
    ((14, 15, 15), Discrete(8))
    """
    config = make_config(preset, **settings)
    return CleanupVectorEnv(config, n_games, observation=observation, copy=copy, autoreset_mode=autoreset_mode)
