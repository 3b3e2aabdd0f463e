"""What it costs the tree learner of contract_tree not to know the horizon: one table.

    python benchmarks/tree_horizon.py --folder benchmarks/results     # about a minute of CPU time
    python benchmarks/tree_horizon.py --small                         # five seconds, shorter, fewer trees

The same games twice: players that know T, and players that do not and begin anew in epochs that
double. The chain of three with 20 seeds at T = 10,000, 100,000 and 1,000,000; 20 random misaligned
trees of each other form, a game each, at T = 100,000. Noise is Gaussian, sd 0.1.

`regret` is the welfare lost over the whole run, `missed` the share of the best welfare that is
missed in the last tenth of the rounds, in %; `times` is the regret of those that do not know T
divided by that of those that do, game by game. ±: half the 95 % interval of the mean over games
(Student's t). Seeds are fixed; a second run prints the same.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from contract_tree import Estimate, TreeLearner, simulate
from tree_forms import Instances, forms

HEAD = (
    f"{'tree':<22}{'T':>9}{'regret, T known':>18}{'T unknown':>16}{'times':>14}{'worst':>7}"
    f"{'missed, T known':>18}{'T unknown':>16}"
)


def played(trees: Instances, horizon: int, *, unknown: bool) -> np.ndarray:
    """Regret and missed share of every game: (2, games)."""
    found = []
    for tree, seed in trees:
        result = simulate(tree, TreeLearner(), horizon=horizon, n_games=1, seed=seed, unknown_horizon=unknown)
        found.append((result.welfare_regret()[0, -1], result.gap()[0]))
    return np.array(found).T


def cell(values: np.ndarray, digits: int) -> str:
    e = Estimate.of(values)
    return f"{round(e.mean, digits) + 0.0:.{digits}f} ± {e.half_interval:.{digits}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="What an unknown horizon costs the tree learner: one table.")
    parser.add_argument("--small", action="store_true", help="shorter horizons and fewer trees")
    parser.add_argument("--folder", type=Path, help="write tree_horizon.txt and tree_horizon.csv there, too")
    options = parser.parse_args()
    trees = forms(4, ((2, 1), (3, 2))) if options.small else forms(20)
    horizons = (10**4, 2 * 10**4) if options.small else (10**4, 10**5, 10**6)
    lines: list[str] = []
    rows: list[list[object]] = []

    def out(text: str) -> None:
        lines.append(text)
        print(text, flush=True)

    out("$ python benchmarks/tree_horizon.py" + (" --small" if options.small else "")
        + (f" --folder {options.folder}" if options.folder else ""))  # fmt: skip
    out(HEAD)
    for name, instances in trees.items():
        for horizon in horizons if name == "chain" else horizons[1:2]:
            known, unknown = (played(instances, horizon, unknown=u) for u in (False, True))
            times = unknown[0] / known[0]
            out(
                f"{name:<22}{horizon:>9}{cell(known[0], 0):>18}{cell(unknown[0], 0):>16}{cell(times, 2):>14}"
                f"{times.max():>7.2f}{cell(100 * known[1], 3):>18}{cell(100 * unknown[1], 3):>16}"
            )
            rows += [
                [name, horizon, g, *(f"{who[0, g]:.3f}" for who in (known, unknown)), *(f"{who[1, g]:.6f}" for who in (known, unknown))]
                for g in range(len(times))
            ]  # fmt: skip
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
        (options.folder / "tree_horizon.txt").write_text("\n".join(lines) + "\n")
        with (options.folder / "tree_horizon.csv").open("w", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["tree", "horizon", "game", "regret_known", "regret_unknown", "gap_known", "gap_unknown"])
            table.writerows(rows)


if __name__ == "__main__":
    main()
