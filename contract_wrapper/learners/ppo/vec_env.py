"""A batch of games as stable-baselines3 sees it; import this only where that library is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from contract_wrapper.learners.ppo.policy import check_no_op
from contract_wrapper.learners.ppo.seats import Seats
from mtmfq.interface import KIND, BatchGame, LearnerError, Signature

Indices = Any
"""None for all sub-environments, a number, or several."""


class GameVecEnv(VecEnv):
    """Every agent of every game as one sub-environment: number b * N + i is agent i of game b.

    Observation: the agent's features, its context if the game has one and, one-hot, its type, (F + C + M,) float32.
    Action: `Discrete` with the largest action set of all types; what a type lacks is played as the game's `no_op`.
    Reward: scale * (reward + shift) of the agent's type; a game with a context declares both itself, for each
    episode. All games end together at the horizon, which is a time limit and no end of the world: infos then hold
    `terminal_observation` and `TimeLimit.truncated`, so that the value of what would have come is counted, and
    `episode` with the raw return `r` and the length `l`.

    Several batches of games of the same kind, whose populations may differ, are played side by side: the
    sub-environments of the second follow those of the first.

    `env_method("action_masks")` tells which actions are of use now, one (A,) bool array per sub-environment, as the
    learners of sb3-contrib with masks (`MaskablePPO`) ask for it: False where a type lacks the action or where the
    game's `action_mask()`, (B, N, A) bool, says so, if it has one (Clean-up's: a beam that is cooling down).
    """

    def __init__(
        self,
        game: BatchGame | Sequence[BatchGame],
        *,
        reward_scale: Sequence[float] | NDArray[np.float64] | None = None,
        reward_shift: Sequence[float] | NDArray[np.float64] | None = None,
    ) -> None:
        """Take the game over, or several; reward_scale and reward_shift: (M,) each, by default 1 and 0.

        Raises:
            LearnerError: there is no game, a game shows no features, names no `no_op` though its types differ in their
                actions, a type has no scale or shift, a game with a context is given some, or games differ in kind.
        """
        games: list[BatchGame] = list(game) if isinstance(game, Sequence) else [game]
        signatures = _signatures(games)
        first = signatures[0]
        if first.n_context and not (reward_scale is None and reward_shift is None):
            raise LearnerError("a game with a context declares its own reward scale and shift: leave them out")
        scale = first.per_type(reward_scale, 1.0, "reward_scale")
        shift = first.per_type(reward_shift, 0.0, "reward_shift")
        self.game, self.signature = games[0], first
        self.n_games = tuple(it.n_games for it in games)
        """Copies of each batch of games."""
        self._seats = [Seats(it, signature, scale, shift) for it, signature in zip(games, signatures, strict=True)]
        self.returns: list[NDArray[np.float64]] = []
        """Raw reward sum of each type's agents, averaged over games, (M,) for every finished episode; where several
        batches of games are played, they take turns here."""
        self._rng = np.random.default_rng()
        self._clock = 0
        ends = np.cumsum([seats.n_rows for seats in self._seats])
        self._cuts, n_envs = ends[:-1], int(ends[-1])
        self._actions = np.zeros(n_envs, np.int64)
        self._nothing: list[dict[str, Any]] = [{} for _ in range(n_envs)]
        super().__init__(
            n_envs,
            spaces.Box(-np.inf, np.inf, (first.n_features + len(first.type_names),), np.float32),
            spaces.Discrete(max(first.n_actions)),
        )

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Fix all episodes from the next reset on; the games of an episode get their own seeds from it."""
        self._rng = np.random.default_rng(seed)
        return [seed] * self.num_envs

    def reset(self) -> NDArray[np.float32]:
        """Start an episode in every game; observations, one row per sub-environment."""
        self._clock = 0
        return np.concatenate([seats.reset(int(self._rng.integers(2**31))) for seats in self._seats])

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Take actions, one per sub-environment, for the step to come."""
        self._actions = np.asarray(actions, np.int64).reshape(self._actions.shape)

    def step_wait(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], list[dict[str, Any]]]:
        """Play the step; observations, rewards, dones and infos, one of each per sub-environment.

        At the horizon the next episode begins at once, and its observations are returned.

        Raises:
            LearnerError: a game paid a reward that is not finite.
        """
        rows = np.split(self._actions, self._cuts)
        played = [seats.step(actions) for seats, actions in zip(self._seats, rows, strict=True)]
        inputs = np.concatenate([seen for seen, _ in played])
        scaled = np.concatenate([rewards for _, rewards in played])
        self._clock += 1
        over = self._clock == self.signature.horizon
        infos = self._nothing
        if over:
            sums = np.concatenate([seats.sums() for seats in self._seats]).tolist()
            self.returns += [seats.returns() for seats in self._seats]
            infos = [
                {"terminal_observation": last, "TimeLimit.truncated": True, "episode": {"r": total, "l": self._clock}}
                for last, total in zip(inputs, sums, strict=True)
            ]
            inputs = self.reset()
        return inputs, scaled, np.full(self.num_envs, over), infos

    def close(self) -> None:
        """Nothing to close."""

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are of use to each sub-environment now, one row each, (A,).

        Raises:
            LearnerError: a game's own masks have another shape, or leave an agent nothing to do.
        """
        return np.concatenate([seats.action_masks() for seats in self._seats])

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


def _signatures(games: Sequence[BatchGame]) -> list[Signature]:
    """Signatures of games that one network can learn side by side; errors as in `GameVecEnv`."""
    if not games:
        raise LearnerError("there is nothing to learn without a game: pass at least one")
    signatures = [Signature.of(game) for game in games]
    first = signatures[0]
    if first.n_classes or len(first.observation_shape) != 1:
        raise LearnerError(
            f"PPO reads features, but the game shows observations of shape {first.observation_shape} with "
            f"{first.n_classes} classes: build it with observation='features'"
        )
    for signature in signatures:
        check_no_op(signature)
        for name in (*KIND, "no_op", "horizon"):
            here, there = getattr(signature, name), getattr(first, name)
            if here != there:
                raise LearnerError(
                    f"games that are learned side by side need the same {name}, but one has {there} and another {here}"
                )
    return signatures
