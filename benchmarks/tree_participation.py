"""Whether every node of a tree keeps as much as where nobody pays: the tree learner of contract_tree, one table.

    python benchmarks/tree_participation.py --folder benchmarks/results     # about half a minute of CPU time

A node's margin is what it keeps per round less what it keeps where nobody pays and each node
answers best to its children, who answer first. `exact`: all means known, everybody pays tau*; 20
random misaligned trees of each form, no game. `learned`: tree learners, mean utility of the last
tenth of T = 100,000 rounds, noise sd 0.1; of each form the first 8 trees with 5 games each, the
chain with 20 games; a node counts as below if its mean margin over the games is below 0, and as
below beyond the ± if the whole 95 % interval of that mean (Student's t, over the games) is. The least
margin is that of the node that has the least, with its interval. Seeds are fixed; a second run
prints the same.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from contract_tree import Estimate, TreeLearner, simulate, solve
from tree_forms import forms

ROUNDING = 1e-9
"""What a margin of exactly 0 may be off by."""

HORIZON = 100_000
HEAD = (
    f"{'tree':<22}{'exact: nodes':>13}{'below':>7}{'least':>10}   {'learned: nodes':>15}{'below':>7}{'beyond ±':>10}"
    f"{'least':>11}{'±':>10}"
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Who keeps less than where nobody pays: one table.")
    parser.add_argument("--small", action="store_true", help="fewer trees and shorter games")
    parser.add_argument("--folder", type=Path, help="write tree_participation.txt and .csv there, too")
    options = parser.parse_args()
    horizon, few = (10_000, 2) if options.small else (HORIZON, 8)
    shapes = ((2, 1), (3, 2)) if options.small else ((2, 1), (2, 2), (3, 1), (3, 2), (4, 1))
    played = {"chain", *(f"depth {depth}, branching {branching}" for depth, branching in shapes)}
    lines: list[str] = []
    rows: list[list[object]] = []

    def out(text: str) -> None:
        lines.append(text)
        print(text, flush=True)

    out("$ python benchmarks/tree_participation.py" + (" --small" if options.small else "")
        + (f" --folder {options.folder}" if options.folder else ""))  # fmt: skip
    out(f"tree learner, T = {horizon}, noise sd 0.1; ±: half the 95 % interval of the mean over games\n")
    out(HEAD)
    totals = np.zeros(5, int)
    for name, trees in forms(20).items():
        trees, games = (trees[:1], 20) if name == "chain" else (trees, 5)
        exact, learned = [], []
        for k, (tree, seed) in enumerate(trees):
            best = solve(tree).margins
            exact += best
            found = [None] * tree.n_nodes
            if name in played and k < few:
                margins = simulate(tree, TreeLearner(), horizon=horizon, n_games=games, seed=seed).margins()
                found = [Estimate.of(column) for column in margins.T]
                learned += found
            for node, margin, e in zip(tree.names, best, found, strict=True):
                told = [f"{e.mean:.9f}", f"{e.half_interval:.9f}"] if e else ["", ""]
                rows.append([name, k, node, f"{margin:.9f}", *told])
        below = sum(margin < -ROUNDING for margin in exact)
        text = f"{name:<22}{len(exact):>13}{below:>7}{min(exact) + 0.0:>10.6f}   "
        totals[:2] += len(exact), below
        if learned:
            least = min(learned, key=lambda e: e.mean)
            beyond = sum(e.mean + e.half_interval < -ROUNDING for e in learned)
            counts = len(learned), sum(e.mean < -ROUNDING for e in learned), beyond
            text += f"{counts[0]:>15}{counts[1]:>7}{counts[2]:>10}{least.mean:>11.6f}{least.half_interval:>10.6f}"
            totals[2:] += counts
        out(text.rstrip())
    out(f"{'all':<22}{totals[0]:>13}{totals[1]:>7}{'':>13}{totals[2]:>15}{totals[3]:>7}{totals[4]:>10}")
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
        (options.folder / "tree_participation.txt").write_text("\n".join(lines) + "\n")
        with (options.folder / "tree_participation.csv").open("w", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["tree", "instance", "node", "exact_margin", "learned_margin", "half_interval"])
            table.writerows(rows)


if __name__ == "__main__":
    main()
