"""The Gymnasium face of the game: one player moves all agents."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.spaces import MultiDiscrete
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from cleanup_env.batch import Observation
from cleanup_env.checks import check_actions
from cleanup_env.parallel import RENDER_MODES, parallel_env
from cleanup_env.spaces import observation_space


class CentralizedCleanup(gymnasium.Env[Observation, NDArray[np.integer[Any]]]):
    """Clean-up for one player who moves all N agents and is paid what all of them earn.

    Action: `MultiDiscrete`, (N,) integers in the order of `agents`, each below the number of its agent's
    actions (with `equal_actions`, of the agent that has most). Observation: `Box`, those of all
    agents stacked, (N, ...). Reward: the sum of the agents' rewards, in apples. Nothing terminates;
    the episode is truncated at the horizon. `info["rewards"]`: the reward of each agent;
    `info["agents"]`: the infos of each agent, as `CleanupParallelEnv` gives them.

    `reset(seed=k)` plays the episode that `parallel_env(...).reset(seed=k)` plays, and so do the
    resets without a seed that follow.

    >>> game = gymnasium.make("cleanup_env:CentralizedCleanup-v0", n_cleaners=2)
    >>> observations, info = game.reset(seed=1)
    >>> observations.shape, len(game.action_space.nvec)
    ((7, 15, 15), 7)
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": list(RENDER_MODES), "render_fps": 10}  # type: ignore[misc]

    def __init__(
        self,
        preset: str = "contract",
        *,
        observation: str = "symbolic",
        render_mode: str | None = None,
        render_scale: int = 16,
        **settings: Any,
    ) -> None:
        """Build the game; preset and settings, `equal_actions` among them, as in `parallel_env`."""
        self.players = parallel_env(
            preset, observation=observation, render_mode=render_mode, render_scale=render_scale, **settings
        )
        """The same game as a PettingZoo parallel environment: read it, but do not step it."""
        self.config = self.players.config
        self.render_mode = render_mode
        self.agents = self.config.agents
        game = self.players.game
        self._n_actions = np.array([space.n for space in self.players.action_spaces.values()])
        self.action_space = MultiDiscrete(self._n_actions)
        self.observation_space = batch_space(observation_space(game), len(self.agents))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode; without a seed, the one that follows from the last (see `Episodes`)."""
        observations, infos = self.players.reset(seed=seed, options=options)
        super().reset(seed=None if seed is None else int(seed))
        return self._stack(observations), {"rewards": dict.fromkeys(self.agents, 0.0), "agents": infos}

    def step(self, action: NDArray[np.integer[Any]]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Play one step; action: (N,) integers, each below the number of its agent's actions.

        Raises CleanupError for a wrong action, before a reset and after the end.
        """
        chosen = check_actions(action, (len(self.agents),)).tolist()
        observations, rewards, _, truncated, infos = self.players.step(dict(zip(self.agents, chosen, strict=True)))
        over = truncated[self.agents[0]]
        return self._stack(observations), sum(rewards.values()), False, over, {"rewards": rewards, "agents": infos}

    def action_masks(self) -> NDArray[np.bool_]:
        """(sum of the numbers of actions,) which actions are of use now, agent after agent: the name
        and the form that the masked learners of sb3-contrib ask an environment for."""
        game = self.players.game
        mask = game.action_mask()[0]
        flat: NDArray[np.bool_] = mask[np.arange(mask.shape[1]) < self._n_actions[:, None]]
        return flat

    def _stack(self, observations: dict[str, Observation]) -> Observation:
        return np.stack(list(observations.values()))

    def render(self) -> str | NDArray[np.uint8] | None:  # type: ignore[override]
        """The present state in `render_mode`, as `CleanupParallelEnv.render` draws it."""
        return self.players.render()

    def close(self) -> None:
        """Close the window, if there is one."""
        self.players.close()
