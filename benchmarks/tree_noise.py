"""How the noise of rewards changes what the tree learner of contract_tree reaches: one table.

    python benchmarks/tree_noise.py --folder benchmarks/results     # about two minutes of CPU time
    python benchmarks/tree_noise.py --small                         # ten seconds, a shorter horizon, fewer trees

Gaussian rewards of standard deviation 0.1, 0.5 and 1.0, in units of reward (means lie in [0, 1]).
The chain of three with 20 seeds, 20 random misaligned trees of each other form with a game each.

`missed` is the share of the best welfare that is missed in the last tenth of the rounds, in %: its
mean over the games with half the 95 % interval of that mean (Student's t), its median, its worst.
`regret` is the welfare lost over the whole run. The last table has, of the chain, the payments that
were found for the costly actions and what each node keeps in the last tenth: medians over the games.
Seeds are fixed; a second run prints the same.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from contract_tree import Estimate, Result, TreeLearner, named_tree, simulate, solve
from tree_forms import forms

NOISES = (0.1, 0.5, 1.0)
HEAD = f"{'tree':<22}{'noise':>6}{'games':>7}{'missed (%)':>18}{'median':>9}{'worst':>9}{'regret':>18}"


def line(name: str, noise: float, gap: np.ndarray, regret: np.ndarray) -> str:
    missed, lost = Estimate.of(100 * gap), Estimate.of(regret)
    return (
        f"{name:<22}{noise:>6g}{len(gap):>7}{f'{missed.mean + 0.0:.3f} ± {missed.half_interval:.3f}':>18}"
        f"{100 * np.median(gap) + 0.0:>9.3f}{100 * gap.max():>9.3f}{f'{lost.mean:.0f} ± {lost.half_interval:.0f}':>18}"
    ).replace("-0.000", " 0.000")


def on_the_chain(noise: float, results: list[Result]) -> str:
    """What principals of the chain came to pay for action 1 of the middle and of the leaf, and what everybody keeps."""
    paid = np.median([result.payments[0, [3, 5]] for result in results], axis=0)
    kept = np.median([result.per_round()[0] for result in results], axis=0)
    return f"{noise:<8g}" + "".join(f"{value:>14.3f}" for value in (*paid, *kept))


def heads_of_the_chain() -> list[str]:
    """What is needed, and what everybody keeps if just that is paid, and if nobody pays."""
    solution = solve(named_tree("chain"))
    needed = [solution.payment[v][1] for v in (1, 2)]
    best = [a + m for a, m in zip(solution.alone, solution.margins, strict=True)]
    columns = ("middle is paid", "leaf is paid", "root keeps", "middle keeps", "leaf keeps")
    rows = (("needed", (*needed, *best)), ("nobody", (0.0, 0.0, *solution.alone)))
    return [
        f"{'noise':<8}" + "".join(f"{column:>14}" for column in columns),
        *(f"{name:<8}" + "".join(f"{value:>14.3f}" for value in values) for name, values in rows),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="What the tree learner reaches under noise: one table.")
    parser.add_argument("--small", action="store_true", help="a shorter horizon and fewer trees")
    parser.add_argument("--folder", type=Path, help="write tree_noise.txt and tree_noise.csv there, too")
    options = parser.parse_args()
    horizon, instances, shapes = (20_000, 4, ((2, 1), (3, 2))) if options.small else (200_000, 20, None)
    lines: list[str] = []
    rows: list[list[str]] = []

    def out(text: str) -> None:
        lines.append(text)
        print(text, flush=True)

    out("$ python benchmarks/tree_noise.py" + (" --small" if options.small else "")
        + (f" --folder {options.folder}" if options.folder else ""))  # fmt: skip
    out(f"tree learner, T = {horizon}; ±: half the 95 % interval of the mean over games\n")
    out(HEAD)
    chain: list[str] = []
    for name, trees in (forms(instances, shapes) if shapes else forms(instances)).items():
        for noise in NOISES:
            results = [
                simulate(tree, TreeLearner(), horizon=horizon, n_games=1, seed=seed, noise=noise)
                for tree, seed in trees
            ]
            if name == "chain":
                chain.append(on_the_chain(noise, results))
            gap = np.concatenate([result.gap() for result in results])
            regret = np.array([result.welfare_regret()[0, -1] for result in results])
            out(line(name, noise, gap, regret))
            rows += [[name, f"{noise:g}", str(horizon), str(g), f"{gap[g]:.6f}", f"{regret[g]:.3f}"] for g in range(len(gap))]  # fmt: skip
    out("\nchain: payments for action 1, and utility per round in the last tenth; medians over games")
    for text in (*heads_of_the_chain(), *chain):
        out(text)
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
        (options.folder / "tree_noise.txt").write_text("\n".join(lines) + "\n")
        with (options.folder / "tree_noise.csv").open("w", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["tree", "noise", "horizon", "game", "gap_last_tenth", "regret"])
            table.writerows(rows)


if __name__ == "__main__":
    main()
