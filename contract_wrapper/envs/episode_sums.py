"""What one episode of games under a contract added up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from contract_wrapper.envs.settled_games import SettledGames


class EpisodeSums:
    """Sums over the steps of one episode, for each of B games and N agents; call `add` after each step.

    >>> from contract_wrapper import Contract, ContractedGame
    >>> game = ContractedGame(Contract(tax=0.5, n_cleaners=1), costs="cleaner:per_step=0.25")
    >>> sums = EpisodeSums(game)
    >>> observations = game.reset(seed=3)
    >>> for _ in range(20):
    ...     observations, utilities = game.step(np.full((1, 6), 4))  # all agents stay where they are
    ...     sums.add()
    >>> sums.costs.tolist()
    [[0.0, 0.0, 0.0, 0.0, 0.0, 5.0]]
    """

    def __init__(self, game: SettledGames) -> None:
        """Start at zero; the game is read by `add`, and stepped by others."""
        self.game = game
        shape = (game.n_games, game.n_agents)
        self.rewards: NDArray[np.float64] = np.zeros(shape)
        """(B, N) raw rewards, in apples."""
        self.transfers: NDArray[np.float64] = np.zeros(shape)
        """(B, N) net transfers, in apples."""
        self.costs: NDArray[np.float64] = np.zeros(shape)
        """(B, N) costs, in apples."""
        self.utilities: NDArray[np.float64] = np.zeros(shape)
        """(B, N) utilities, in apples."""
        whole = game.activity.apples.dtype.kind in "iu"  # Clean-up counts; other games may tell a part
        count = np.int64 if whole else np.float64
        self.apples: NDArray[Any] = np.zeros(shape, count)
        """(B, N) apples eaten; this and the next two are 0 where the game does not tell them."""
        self.cleaned: NDArray[Any] = np.zeros(shape, count)
        """(B, N) waste cells cleaned."""
        self.shots: NDArray[Any] = np.zeros(shape, count)
        """(B, N) shots."""
        self.waste: list[float] = []
        """Waste cells after each step, mean over the B games; 0 in a game without waste."""

    def add(self, *_: Any) -> None:
        """Add the game's last step; it can be handed to `on_step` of `mtmfq.play`, whose arguments it ignores."""
        settled, did = self.game.settled, self.game.activity
        self.rewards += self.game.raw_rewards
        self.transfers += settled.transfers
        self.costs += settled.costs
        self.utilities += settled.utilities
        self.apples += did.apples
        self.cleaned += did.cleaned
        self.shots += did.shots
        waste = self.game.waste
        self.waste.append(0.0 if waste is None else float(waste.mean()))

    @property
    def welfare(self) -> NDArray[np.float64]:
        """(B,) the principal's gain G: rewards less costs, summed over agents; no transfers."""
        gain: NDArray[np.float64] = (self.rewards - self.costs).sum(axis=1)
        return gain
