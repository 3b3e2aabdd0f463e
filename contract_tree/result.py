"""What came of a simulation, and its measures: gap to the optimum, regret, growth of regret, payoffs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contract_tree.checks import MOST_GAMES, MOST_NUMBERS, MOST_ROUNDS, MOST_SEED, check_noise, check_whole
from contract_tree.errors import TreeError
from contract_tree.solution import Solution, solve
from contract_tree.tree import Tree


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over games with half the width of its 95 % interval (Student's t; NaN for a single game)."""

    mean: float
    half_interval: float

    @classmethod
    def of(cls, values: ArrayLike) -> Estimate:
        """Estimate the mean of independent values."""
        x = np.asarray(values, np.float64)
        if x.size < 2:
            return cls(float(x.mean()), math.nan)
        return cls(float(x.mean()), student(x.size - 1) * float(x.std(ddof=1)) / math.sqrt(x.size))

    def __str__(self) -> str:
        return f"{self.mean:.4g} ± {self.half_interval:.2g}"


def student(degrees: int) -> float:
    """Return the 97.5 % quantile of Student's t, expanded in 1 / degrees (Cornish and Fisher); within 0.5 % from 4 on.

    >>> round(student(19), 2)
    2.09
    """
    z = 1.959964
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """Sums of G games of n nodes at C recorded rounds; mean rewards stand in place of drawn ones."""

    tree: Tree
    """The tree that was played."""

    players: tuple[str, ...]
    """Who played at each node, in words."""

    horizon: int
    """T: rounds of a game."""

    noise: float | None
    """Standard deviation of Gaussian rewards; None: Bernoulli."""

    seed: int
    """Seed of everything drawn."""

    rounds: NDArray[np.int64]
    """(C,) rounds played when the sums below were taken; the last is the horizon."""

    rewards: NDArray[np.float64]
    """(G, C, n) rewards so far, before payments."""

    utilities: NDArray[np.float64]
    """(G, C, n) rewards, with what came from the principal, less what went to children."""

    regrets: NDArray[np.float64]
    """(G, C, n) regret of each node (page 5's R_v)."""

    received: NDArray[np.float64]
    """(G, C, n) what each node's principal has paid it."""

    shares: NDArray[np.float64]
    """(G, all actions) share of the last tenth in which an action was played, node by node."""

    payments: NDArray[np.float64]
    """(G, all actions) what the principal has come to pay for an action; NaN: no contract."""

    epochs: tuple[int, ...] = (0,)
    """Rounds played before each beginning of the players: one if they knew the horizon, else one per epoch."""

    @property
    def n_games(self) -> int:
        """Number of games."""
        return len(self.rewards)

    @property
    def solution(self) -> Solution:
        """The tree's exact solution."""
        return solve(self.tree)

    def welfare_regret(self) -> NDArray[np.float64]:
        """Lost welfare so far: (G, C), rounds times the best welfare less what was earned (page 5's R_sw)."""
        return self.rounds * self.solution.welfare - self.rewards.sum(axis=2)  # type: ignore[no-any-return]

    def per_round(self, since: float = 0.9) -> NDArray[np.float64]:
        """Mean utility of each node per round, (G, n), from this share of the horizon on (default: last tenth)."""
        c = self._index(since)
        return (self.utilities[:, -1] - self.utilities[:, c]) / (self.horizon - self.rounds[c])  # type: ignore[no-any-return]

    def margins(self, since: float = 0.9) -> NDArray[np.float64]:
        """How much more each node keeps per round than where nobody pays, (G, n), from this share of the horizon on.

        In units of reward; at least 0: the node does not lose by taking part. The baseline is exact
        (`Solution.alone`), so that a game's exploration counts against taking part.
        """
        return self.per_round(since) - np.array(self.solution.alone)  # type: ignore[no-any-return]

    def gap(self, since: float = 0.9) -> NDArray[np.float64]:
        """Welfare per round that is missed, as a share of the best: (G,), from this share of the horizon on."""
        c = self._index(since)
        earned = (self.rewards[:, -1] - self.rewards[:, c]).sum(axis=1) / (self.horizon - self.rounds[c])
        return 1.0 - earned / self.solution.welfare  # type: ignore[no-any-return]

    def slopes(self) -> NDArray[np.float64]:
        """Slope of welfare regret in a log-log plot over the last decade of rounds, (G,): 1 is linear, 0 is none.

        Least squares over the recorded rounds from T / 10 on.
        """
        late = self.rounds >= self.horizon / 10
        regret = np.maximum(self.welfare_regret()[:, late], 1e-9)
        x, y = np.log(self.rounds[late]), np.log(regret)
        x = x - x.mean()
        return (y @ x) / (x @ x)  # type: ignore[no-any-return]

    def _index(self, since: float) -> int:
        start = self.horizon - self.horizon // 10 if since == 0.9 else round(since * self.horizon)
        found = np.flatnonzero(self.rounds == start)
        if not len(found):
            raise TreeError(
                f"round {start} was not recorded: use a multiple of 0.05 below 1 for `since`, got {since!r}"
            )
        return int(found[0])


def check_settings(
    tree: Tree, *, horizon: object, n_games: object, seed: object, noise: object
) -> tuple[int, int, int, float | None]:
    """Return horizon, games, seed and noise of a simulation, each within its limits and all together.

    Raises:
        TreeError: one is wrong, or so many games would need too much memory.
    """
    rounds, games = check_whole("horizon", horizon, 10, MOST_ROUNDS), check_whole("n_games", n_games, 1, MOST_GAMES)
    n_cells = sum(table.size for table in tree.theta)
    of_one = 4 * len(checkpoints(rounds)) * tree.n_nodes + 5 * n_cells + 13 * sum(tree.n_actions)
    if games * of_one > MOST_NUMBERS:
        raise TreeError(
            f"{games:,} games of this tree hold {games * of_one:,} numbers, more than {MOST_NUMBERS:,}: "
            f"play {MOST_NUMBERS // of_one:,} games or fewer at once"
        )
    return rounds, games, check_whole("seed", seed, 0, MOST_SEED), check_noise(noise)


def checkpoints(horizon: int) -> NDArray[np.int64]:
    """Rounds that are recorded: eight per decade, every twentieth of the horizon, and the start of its last tenth."""
    early = np.geomspace(1, horizon, 1 + math.ceil(8 * math.log10(horizon)))
    late = horizon * np.arange(1, 21) // 20
    return np.unique([*early.round().astype(np.int64), *late, horizon - horizon // 10])
