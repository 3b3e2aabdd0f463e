"""A batch of games as stable-baselines3 sees it; import this only where that library is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from contract_wrapper.learners.ppo.policy import check_no_op, legal, with_types
from mtmfq.interface import BatchGame, LearnerError, Signature

Indices = Any
"""None for all sub-environments, a number, or several."""


class GameVecEnv(VecEnv):
    """Every agent of every game as one sub-environment: number b * N + i is agent i of game b.

    Observation: the agent's features and, one-hot, its type, (F + M,) float32. Action: `Discrete` with
    the largest action set of all types; what a type lacks is played as the game's `no_op`. Reward: scale * (reward +
    shift) of the agent's type. All games end together at the horizon, which is a time limit and no end of
    the world: infos then hold `terminal_observation` and `TimeLimit.truncated`, so that the value of what
    would have come is counted, and `episode` with the raw return `r` and the length `l`.

    `env_method("action_masks")` tells which actions are of use now, one (A,) bool array per sub-environment, as the
    learners of sb3-contrib with masks (`MaskablePPO`) ask for it: False where a type lacks the action or where the
    game's `action_mask()`, (B, N, A) bool, says so, if it has one (Clean-up's: a beam that is cooling down).
    """

    def __init__(
        self,
        game: BatchGame,
        *,
        reward_scale: Sequence[float] | NDArray[np.float64] | None = None,
        reward_shift: Sequence[float] | NDArray[np.float64] | None = None,
    ) -> None:
        """Take the game over; reward_scale and reward_shift: (M,) each, by default 1 and 0.

        Raises:
            LearnerError: the game shows no features or a context, names no `no_op` though its types differ in their actions,
                or a type has no scale or shift.
        """
        signature = Signature.of(game)
        if signature.n_classes or len(signature.observation_shape) != 1:
            raise LearnerError(
                f"PPO reads features, but the game shows observations of shape {signature.observation_shape} with "
                f"{signature.n_classes} classes: build it with observation='features'"
            )
        if signature.n_context:
            raise LearnerError("PPO sees observations alone, but the game has a context: give it a game without one")
        check_no_op(signature)
        self.game, self.signature = game, signature
        self._types = np.array(signature.agent_types, np.int64)
        self._n_types = len(signature.type_names)
        self._scale = signature.per_type(reward_scale, 1.0, "reward_scale")[self._types]
        self._shift = signature.per_type(reward_shift, 0.0, "reward_shift")[self._types]
        self.returns: list[NDArray[np.float64]] = []
        """Raw reward sum of each type's agents, averaged over games, (M,) for every finished episode."""
        self._rng = np.random.default_rng()
        self._sums = np.zeros((game.n_games, game.n_agents))
        self._clock = 0
        self._actions = np.zeros((game.n_games, game.n_agents), np.int64)
        n_envs = game.n_games * game.n_agents
        self._nothing: list[dict[str, Any]] = [{} for _ in range(n_envs)]
        inputs = signature.n_features + self._n_types
        super().__init__(
            n_envs,
            spaces.Box(-np.inf, np.inf, (inputs,), np.float32),
            spaces.Discrete(max(signature.n_actions)),
        )

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Fix all episodes from the next reset on; the games of an episode get their own seeds from it."""
        self._rng = np.random.default_rng(seed)
        return [seed] * self.num_envs

    def reset(self) -> NDArray[np.float32]:
        """Start an episode in every game; observations (B * N, F + M)."""
        observations = self.game.reset(int(self._rng.integers(2**31)))
        self._sums[:] = 0.0
        self._clock = 0
        return self._inputs(observations)

    def _inputs(self, observations: NDArray[Any]) -> NDArray[np.float32]:
        # A copy, as the library looks at these observations again after the next step.
        return with_types(observations, self._types, self._n_types).reshape(self.num_envs, -1)

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Take actions (B * N,) for the step to come."""
        rows = np.asarray(actions, np.int64).reshape(self._actions.shape)
        self._actions = legal(rows, self._types, self.signature)

    def step_wait(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], list[dict[str, Any]]]:
        """Play the step; observations, rewards, dones and infos, one of each per sub-environment.

        At the horizon the next episode begins at once, and its observations are returned.

        Raises:
            LearnerError: the game paid a reward that is not finite.
        """
        observations, rewards = self.game.step(self._actions)
        if not np.isfinite(rewards).all():
            raise LearnerError("the game paid rewards that are not finite: check how it pays")
        self._sums += rewards
        self._clock += 1
        scaled = ((rewards + self._shift) * self._scale).ravel()
        inputs = self._inputs(observations)
        over = self._clock == self.signature.horizon
        infos = self._nothing
        if over:
            sums = self._sums.ravel().tolist()
            self.returns.append(
                np.array([self._sums[:, self._types == m].sum() / self.game.n_games for m in range(self._n_types)])
            )
            infos = [
                {"terminal_observation": last, "TimeLimit.truncated": True, "episode": {"r": total, "l": self._clock}}
                for last, total in zip(inputs, sums, strict=True)
            ]
            inputs = self.reset()
        return inputs, scaled, np.full(self.num_envs, over), infos

    def close(self) -> None:
        """Nothing to close."""

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are of use to each sub-environment now, (B * N, A).

        Raises:
            LearnerError: the game's own masks have another shape, or leave an agent nothing to do.
        """
        owned = np.arange(max(self.signature.n_actions)) < np.array(self.signature.n_actions)[self._types][:, None]
        shape = (self.game.n_games, *owned.shape)
        masks: NDArray[np.bool_] = np.broadcast_to(owned, shape)
        told = getattr(self.game, "action_mask", None)
        if told is not None:
            of_game = np.asarray(told())
            if of_game.shape != shape or of_game.dtype != np.bool_:
                raise LearnerError(
                    f"the game's action_mask() should be bool of shape {shape}, got {of_game.dtype} of shape "
                    f"{of_game.shape}"
                )
            masks = np.logical_and(masks, of_game)
            if not masks.any(axis=-1).all():
                raise LearnerError("the game's action_mask() leaves an agent no action: keep one that does nothing")
        return masks.reshape(self.num_envs, -1)

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """Attribute of the game, once for each sub-environment asked for; nothing is ever rendered.

        `action_masks` is there as well, as a function for each of them.
        """
        rows = self._get_indices(indices)
        if attr_name == "action_masks":
            return [lambda row=row: self.action_masks()[row] for row in rows]
        value = None if attr_name == "render_mode" else getattr(self.game, attr_name)
        return [value for _ in rows]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Refuse: sub-environments are agents of the same games and have no attributes of their own."""
        raise LearnerError(f"{attr_name} cannot be set for one agent of a running game: build the game with it")

    def env_method(self, method_name: str, *method_args: Any, indices: Indices = None, **method_kwargs: Any) -> Any:
        """`action_masks` of each sub-environment asked for; refuse anything else, for the same reason."""
        if method_name == "action_masks":
            masks = self.action_masks()
            return [masks[row] for row in self._get_indices(indices)]
        raise LearnerError(f"{method_name} cannot be called for one agent of a running game: call it on the game")

    def env_is_wrapped(self, wrapper_class: Any, indices: Indices = None) -> list[bool]:
        """Say that no sub-environment is wrapped in anything."""
        return [False for _ in self._get_indices(indices)]
