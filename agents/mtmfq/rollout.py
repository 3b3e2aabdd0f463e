"""One game of a training: what it takes to play it, and a replay of what it showed."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from mtmfq.checks import shown
from mtmfq.config import MTMFQConfig
from mtmfq.interface import KIND, BatchGame, ContextGame, LearnerError, RelabelGame, Signature
from mtmfq.network import QNetworks
from mtmfq.policy import Actor, context_of, neighbours_of
from mtmfq.replay import Replay
from mtmfq.update import fill_mean_actions

Rewards = NDArray[np.float64]


class Rollout:
    """Plays one game with the networks as they stand, and puts what happens into a replay.

    Each call of `start` begins an episode in every copy, each call of `step` plays one step of it.
    """

    def __init__(
        self, game: BatchGame, signature: Signature, config: MTMFQConfig, networks: QNetworks, n_slots: int,
        scale: Rewards, shift: Rewards,
    ) -> None:  # fmt: skip
        """Take a game over; scale and shift: (N,) of its agents' rewards, if it declares none for each episode."""
        self.game, self.signature, self.config = game, signature, config
        self.types = np.array(signature.agent_types, np.int64)
        self._n_parts = _parts_of(game, signature, config)
        self.replay = Replay(
            signature, config, n_slots, self._n_parts, cast(RelabelGame, game).other_contexts if self._n_parts else None
        )
        self.steps = 0  # vector steps played so far
        self._actor = Actor(networks, self.types, config.n_games)
        self._sizes = np.array(signature.n_actions, np.int64)
        self._means = np.zeros((config.n_games, len(self.types), signature.n_means), np.float32)
        self._scale, self._shift = scale, shift

    @property
    def agent_steps(self) -> int:
        """Steps of single agents played so far."""
        return self.steps * self.config.n_games * len(self.types)

    @property
    def updates_due(self) -> float:
        """Gradient steps that are due for the steps played so far."""
        if self.config.updates_per_episode is None:
            return self.config.updates_per_step * self.steps
        return self.config.updates_per_episode * self.config.n_games * (self.steps // self.signature.horizon)

    def resume(self, episodes: int) -> None:
        """Count episodes that were played before; the replay is restored by itself."""
        self.steps = episodes * self.signature.horizon

    def start(self, seed: int) -> None:
        """Begin an episode in every copy."""
        observations = self.game.reset(seed)
        self._context = context_of(self.game, self.signature)
        if self._context is not None and self.config.scaled_rewards:
            self._scale, self._shift = _declared(cast(ContextGame, self.game), self.config.n_games)
        self._features, self._cells = self.signature.split(observations, self._context)
        self._means[:] = 0.0
        self.replay.start(self._features, self._cells)

    def step(self, temperature: float, rng: np.random.Generator) -> Rewards:
        """Act, play and store one step; its rewards as the game gave them, (B, N)."""
        actions = self._actor.act(self._features, self._cells, self._means, temperature, rng)
        fill_mean_actions(actions, neighbours_of(self.game, self.config), self.types, self._sizes, self._means)
        observations, rewards = self.game.step(actions)
        self._features, self._cells = self.signature.split(observations, self._context)
        learned = (rewards + self._shift) * self._scale
        parts = cast(RelabelGame, self.game).reward_parts() if self._n_parts else None
        self.replay.add(actions, learned, self._features, self._cells, self._means, parts, temperature)
        self.steps += 1
        return rewards


def _parts_of(game: BatchGame, signature: Signature, config: MTMFQConfig) -> int:
    """Parts of the rewards that are kept to relabel them; 0 if nothing is relabelled."""
    able = config.relabel > 0 and config.scaled_rewards and signature.n_context > 0
    n_parts = getattr(game, "n_parts", 0) if able else 0
    if isinstance(n_parts, bool) or not isinstance(n_parts, (int, np.integer)) or n_parts < 0:
        raise LearnerError(f"n_parts of a game must be a whole number of at least 0, but is {shown(n_parts)}")
    return int(n_parts)


def signatures_of(games: list[BatchGame], config: MTMFQConfig) -> list[Signature]:
    """Signatures of games that one set of networks can learn, in turns.

    Raises:
        LearnerError: there is no game, they differ in more than their populations, or in the number of copies.
    """
    if not games:
        raise LearnerError("there is nothing to learn without a game: pass at least one")
    signatures = [Signature.of(game) for game in games]
    for game, signature in zip(games, signatures, strict=True):
        if game.n_games != config.n_games:
            raise LearnerError(
                f"the game plays {game.n_games} copies, but n_games is {config.n_games}: make them equal"
            )
        for name in (*KIND, "horizon"):
            here, there = getattr(signature, name), getattr(signatures[0], name)
            if here != there:
                raise LearnerError(
                    f"games that are learned in turns need the same {name}, but one has {there} and another {here}"
                )
    return signatures


def _declared(game: ContextGame, n_games: int) -> tuple[Rewards, Rewards]:
    """Scale and shift (B, N) that a game declares for the present episode."""
    shape = (n_games, game.n_agents)
    scale, shift = np.array(game.episode_scale(), np.float64), np.array(game.episode_shift(), np.float64)
    if scale.shape != shape or shift.shape != shape or not (np.isfinite(scale).all() and np.isfinite(shift).all()):
        raise LearnerError(
            f"episode_scale and episode_shift must be finite and of shape {shape}, got shapes {scale.shape} and {shift.shape}"
        )
    return scale, shift
