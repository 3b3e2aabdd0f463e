"""The Gymnasium vector face: B games of N agents as B * N sub-environments that share a policy."""

from __future__ import annotations

from typing import Any, ClassVar

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

    Autoreset is `AutoresetMode.SAME_STEP`: all games reach the horizon together, and the step that
    does returns the observations of the next episode. Then `truncations` are all True and
    `terminations` all False, so that learners bootstrap from `infos["final_obs"]`;
    `infos["final_info"]` holds the infos of the last step, and `infos["episode"]` the sums of the
    episode as Gymnasium's `RecordEpisodeStatistics` names them, `r` (apples) and `l` (steps), and
    `apples`, `cleaned`, `shots`: leave that wrapper off, or give it another `stats_key`. All infos
    are arrays of B * N, each with the `_key` that tells which sub-environments have it.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "name": "cleanup_v0",
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": [],
    }

    def __init__(
        self,
        config: CleanupConfig | None = None,
        n_games: int = 1,
        *,
        observation: str = "symbolic",
        copy: bool = True,
    ) -> None:
        """Build the games; copy False returns the game's own buffer, which the next step overwrites."""
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

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode of every game.

        seed: an integer, from which every game's seed is derived (`env.game.seeds` tells them); or
        a list of B, one per game, None for a game without. A game without a seed goes on with the
        one that follows from its last episode's, so that one seeded reset fixes all episodes that
        follow; each is the episode that a `parallel_env` with the game's seed plays.
        """
        if options is not None and "reset_mask" in options:
            raise CleanupError(
                "reset_mask is not for this environment: all its games begin and end together, call reset() without"
            )
        if isinstance(seed, (list, tuple, np.ndarray)):
            observations = self._episodes.reset_each(seed)
        else:
            observations = self._episodes.reset(seed)
            super().reset(seed=None if seed is None else int(seed))
        return self._flat(observations), self._infos()

    def step(
        self, actions: NDArray[np.integer[Any]]
    ) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Play one step of every game, and at the horizon begin the next episodes.

        Returns observations (B * N, ...), rewards (B * N,) in apples, terminations and truncations
        (B * N,) bool, and infos. Raises CleanupError for wrong actions, and before a reset.
        """
        observations, rewards, ended = self._episodes.step(self._playable(actions))
        paid, over = rewards.flatten(), bool(ended.any())
        infos: dict[str, Any] = {}
        if over:
            infos = self._final(observations)
            observations = self._episodes.reset()
        infos.update(self._infos())
        return self._flat(observations), paid, np.zeros(self.num_envs, np.bool_), np.full(self.num_envs, over), infos

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

    def _with_keys(self, infos: dict[str, Any]) -> dict[str, Any]:
        both: dict[str, Any] = {}
        for name, value in infos.items():
            both[name], both[f"_{name}"] = value, np.ones(self.num_envs, np.bool_)
        return both

    def _infos(self) -> dict[str, Any]:
        game = self.game
        counts = {"apples": game.apples, "cleaned": game.cleaned, "shots": game.shots}
        return self._with_keys(
            {
                **{name: count.flatten().astype(np.int64) for name, count in counts.items()},
                "waste_density": game.waste_density.repeat(self.n_agents),
                "apple_chance": game.apple_chance.repeat(self.n_agents),
                "action_mask": game.action_mask().reshape(self.num_envs, -1),
            }
        )

    def _final(self, observations: Observation) -> dict[str, Any]:
        sums, seen = self._episodes, np.full(self.num_envs, None, dtype=object)
        for k, observation in enumerate(observations.reshape(self.num_envs, *observations.shape[2:]).copy()):
            seen[k] = observation
        length = self.game.clock.repeat(self.n_agents).astype(np.int64)
        counts = {name: count.flatten() for name, count in sums.counts.items()}
        episode = self._with_keys({"r": sums.rewards.flatten(), "l": length, **counts})
        last = {**self._infos(), **self._with_keys({"episode": episode})}
        return self._with_keys({"final_obs": seen, "final_info": last, "episode": episode})


def vector_env(
    preset: str = "contract", n_games: int = 1, *, observation: str = "symbolic", copy: bool = True, **settings: Any
) -> CleanupVectorEnv:
    """Build B games as a Gymnasium vector environment with one sub-environment per agent.

    preset, settings: as in `parallel_env`. A function and not a name for `gymnasium.make_vec`,
    whose `num_envs` could say neither games nor agents.

    >>> envs = vector_env("contract", n_games=2, n_cleaners=2)
    >>> observations, infos = envs.reset(seed=1)
    >>> observations.shape, envs.single_action_space
    ((14, 15, 15), Discrete(8))
    """
    return CleanupVectorEnv(make_config(preset, **settings), n_games, observation=observation, copy=copy)
