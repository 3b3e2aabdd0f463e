"""The episodes of a batch, one after the other: the chain of their seeds, and the sums of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cleanup_env.batch import BatchCleanup, Observation
from cleanup_env.checks import check_seed
from cleanup_env.errors import CleanupError


def next_seed(seed: int | None) -> int:
    """The seed of the episode after the one with this seed; after None, a seed from fresh entropy."""
    fresh = np.random.SeedSequence(seed).generate_state(1, np.uint64)
    # 63 bits: any reader of these numbers can hold them in a signed integer.
    return int(fresh[0] >> np.uint64(1))


class Episodes:
    """Plays a batch episode after episode, for the faces of the game.

    With no seed, a copy's first episode comes from fresh entropy and each later one from the one
    before, so that one seeded reset fixes all episodes that follow. A copy's chain of episodes
    depends on its own seed alone, wherever it stands in whatever batch.
    """

    def __init__(self, game: BatchCleanup) -> None:
        """Take the batch over; whoever resets or steps it elsewhere breaks the sums."""
        self.game = game
        self.begun = False
        """Whether an episode was ever begun."""
        shape = (game.n_games, game.n_agents)
        self.rewards: NDArray[np.float64] = np.zeros(shape)
        """(B, N) rewards of this episode so far, in apples."""
        self.counts: dict[str, NDArray[np.int64]] = {
            name: np.zeros(shape, np.int64) for name in ("apples", "cleaned", "shots")
        }
        """(B, N) each: apples eaten, waste cells cleaned and shots in this episode so far."""

    def reset(self, seed: int | None = None) -> Observation:
        """Begin an episode of every copy: with a seed as `BatchCleanup.reset` does, without one
        as the last episodes' seeds have it. Returns observations (B, N, ...)."""
        if seed is None:
            return self.reset_each([None] * self.game.n_games)
        return self._begin(self.game.reset(seed))

    def reset_each(self, seeds: Sequence[int | None]) -> Observation:
        """Begin an episode of every copy, each with its own seed or, where that is None, without one."""
        game = self.game
        if len(seeds) != game.n_games:
            raise CleanupError(
                f"a list of seeds holds one per game, None for a game without: "
                f"got {len(seeds)} seeds for {game.n_games} games"
            )
        before = game.seeds.tolist() if self.begun else [None] * game.n_games
        chosen = [next_seed(b) if s is None else check_seed(s) for s, b in zip(seeds, before, strict=True)]
        return self._begin(game.reset(seeds=np.array(chosen, np.uint64)))

    def _begin(self, observations: Observation) -> Observation:
        self.begun = True
        self.rewards[:] = 0.0
        for count in self.counts.values():
            count[:] = 0
        return observations

    def step(self, actions: NDArray[np.int64]) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_]]:
        """Play one step as `BatchCleanup.step` does, and add to the sums."""
        game, counts = self.game, self.counts
        played = game.step(actions)
        self.rewards += played[1]
        counts["apples"] += game.apples
        counts["cleaned"] += game.cleaned
        counts["shots"] += game.shots
        return played
