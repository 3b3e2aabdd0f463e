"""How fast trees are played: rounds per CPU-second, one thread, for learning players in compiled games and in Python.

    python benchmarks/tree_speed.py

A round is one action, offer, reward and update of every node. Each figure is the median of
several repeats after a warm-up. CPU time, not wall time, so that a busy machine disturbs less.
"""

import statistics
import time

import numpy as np

from contract_tree import Move, Offer, Place, named_tree, simulate

REPEATS = 3
TREES = ("chain", "random-3-2", "random-4-3")


class Still:
    """The least that a custom player can do."""

    def __init__(self, place: Place, rng: np.random.Generator) -> None:
        self.offers = (None,) * place.n_children

    def play(self, offer: Offer | None) -> Move:
        return Move(0, self.offers)

    def learn(self, reward: float, children: tuple[int, ...]) -> None:
        pass


def per_second(tree, players, *, horizon, games, repeats=REPEATS, **settings):
    """Median of rounds per CPU-second."""
    simulate(tree, players, horizon=min(horizon, 50_000), n_games=1, **settings)
    speeds = []
    for seed in range(repeats):
        start = time.process_time()
        simulate(tree, players, horizon=horizon, n_games=games, seed=seed, **settings)
        speeds.append(horizon * games / (time.process_time() - start))
    return statistics.median(speeds)


def main():
    print("rounds per CPU-second, one thread, 2 games of 250,000 rounds")
    print(f"{'tree':>12}{'nodes':>7}" + "".join(f"{name:>14}" for name in ("ucb", "oracle", "tree-plain", "tree")))
    for name in TREES:
        tree = named_tree(name)
        speeds = [per_second(tree, p, horizon=250_000, games=2) for p in ("ucb", "oracle", "tree-plain", "tree")]
        print(f"{name:>12}{tree.n_nodes:>7}" + "".join(f"{speed:>14,.0f}" for speed in speeds), flush=True)
    chain = named_tree("chain")
    print("the chain in Python, one game of 10,000 rounds")
    for label, players in (("tree", "tree"), ("own players", Still)):
        speed = per_second(chain, players, horizon=10_000, games=1, repeats=3, engine="python")
        print(f"{label:>12}{3:>7}{speed:>14,.0f}")


if __name__ == "__main__":
    main()
