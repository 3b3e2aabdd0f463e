"""The agents of one batch of games as rows for PPO: what they see, are paid, and have earned in the episode."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.learners.ppo.policy import legal, with_types
from mtmfq.interface import BatchGame, ContextGame, LearnerError, Signature


class Seats:
    """B games with N agents each: B * N rows, of which number b * N + i is agent i of game b."""

    def __init__(
        self, game: BatchGame, signature: Signature, scale: NDArray[np.float64], shift: NDArray[np.float64]
    ) -> None:
        """Take a game over; scale and shift: (M,) by type, unless the game has a context and declares its own."""
        self.game, self.signature = game, signature
        self.types = np.array(signature.agent_types, np.int64)
        self.n_rows = game.n_games * game.n_agents
        self._n_types = len(signature.type_names)
        self._scale, self._shift = scale[self.types], shift[self.types]
        self._context: NDArray[np.float32] | None = None
        self._sums = np.zeros((game.n_games, game.n_agents))

    def reset(self, seed: int) -> NDArray[np.float32]:
        """Start an episode in every copy; inputs (B * N, F + C + M)."""
        observations = self.game.reset(seed)
        if self.signature.n_context:
            self._read_context(cast(ContextGame, self.game))
        self._sums[:] = 0.0
        return self._inputs(observations)

    def step(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Play actions (B * N,); inputs (B * N, F + C + M) and scaled rewards (B * N,).

        Raises:
            LearnerError: the game paid a reward that is not finite.
        """
        actions = legal(rows.reshape(self._sums.shape), self.types, self.signature)
        observations, rewards = self.game.step(actions)
        if not np.isfinite(rewards).all():
            raise LearnerError("the game paid rewards that are not finite: check how it pays")
        self._sums += rewards
        return self._inputs(observations), ((rewards + self._shift) * self._scale).ravel()

    def sums(self) -> NDArray[np.float64]:
        """Raw reward sums of the episode, (B * N,)."""
        return self._sums.ravel()

    def returns(self) -> NDArray[np.float64]:
        """Raw reward sum of each type's agents in the episode, averaged over games, (M,)."""
        of_type = [self._sums[:, self.types == m].sum() for m in range(self._n_types)]
        return np.array(of_type) / self.game.n_games

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are of use now, (B * N, A): those that the type has and that the game's `action_mask()` allows.

        Raises:
            LearnerError: the game's own masks have another shape, or leave an agent nothing to do.
        """
        owned = np.arange(max(self.signature.n_actions)) < np.array(self.signature.n_actions)[self.types][:, None]
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
        return masks.reshape(self.n_rows, -1)

    def _inputs(self, observations: NDArray[Any]) -> NDArray[np.float32]:
        # A copy, as the library looks at these observations again after the next step.
        return with_types(observations, self.types, self._n_types, self._context).reshape(self.n_rows, -1)

    def _read_context(self, game: ContextGame) -> None:
        """Read what the game shows and declares for the episode that begins; copies."""
        self._context = np.array(game.context(), np.float32)
        self._scale = np.array(game.episode_scale(), np.float64)
        self._shift = np.array(game.episode_shift(), np.float64)
        shape = self._sums.shape
        finite = all(np.isfinite(values).all() for values in (self._context, self._scale, self._shift))
        shapes = (self._context.shape, self._scale.shape, self._shift.shape)
        if not finite or shapes != ((*shape, self.signature.n_context), shape, shape):
            raise LearnerError(
                f"context, episode_scale and episode_shift of the game must be finite and of shapes "
                f"{(*shape, self.signature.n_context)}, {shape} and {shape}, got shapes {shapes[0]}, {shapes[1]} and {shapes[2]}"
            )
