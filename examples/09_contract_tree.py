"""Contracts in a tree: three in a row who would all rather not, and a custom player beside the built-in ones.

Needs the core install only: pip install . (in the clone)
"""

import numpy as np

from contract_tree import Estimate, Move, Offer, Place, named_tree, simulate, solve


def chain(horizon: int = 100_000, n_games: int = 10) -> dict[str, Estimate]:
    """Missed share of the best welfare in the last tenth: without contracts, with one, with learned ones."""
    players = {
        "nobody pays": "ucb",
        "only the leaf is paid": {"middle": "oracle", "root": "ucb", "leaf": "ucb"},
        "everybody learns what to pay": "tree",
    }
    tree = named_tree("chain")
    return {
        name: Estimate.of(simulate(tree, who, horizon=horizon, n_games=n_games).gap()) for name, who in players.items()
    }


class Miser:
    """A custom root: it plays 1, and offers the middle a little more for action 1 as long as that is refused."""

    def __init__(self, place: Place, rng: np.random.Generator) -> None:
        self.payment, self.refused = 0.0, 0

    def play(self, offer: Offer | None) -> Move:
        return Move(1, (Offer(1, self.payment),))

    def learn(self, reward: float, children: tuple[int, ...]) -> None:
        self.refused = self.refused + 1 if children != (1,) else 0
        if self.refused == 20:
            self.payment, self.refused = self.payment + 0.01, 0


def miser(horizon: int = 20_000) -> tuple[float, float]:
    """Let the miser play above an oracle and a learner; return what it pays in the end and what it needs to."""
    tree = named_tree("chain")
    result = simulate(tree, {"root": Miser, "middle": "oracle", "leaf": "ucb"}, horizon=horizon, n_games=1)
    paid = np.diff(result.received[0, -2:, 1])[0] / np.diff(result.rounds[-2:])[0]
    return float(paid), float(solve(tree).payment[1][1])


if __name__ == "__main__":
    for name, gap in chain().items():
        print(f"{name}: {100 * gap.mean:.1f} ± {100 * gap.half_interval:.1f} % of the best welfare are missed")
    print("the custom root pays the middle {:.2f} per round; it needs {:.2f}".format(*miser()))
