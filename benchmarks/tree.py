"""What the tree learners of contract_tree reach: one table and one figure.

    python benchmarks/tree.py --folder benchmarks/results      # about six minutes of CPU time, one process
    python benchmarks/tree.py --small                          # a minute, shorter horizons, fewer games

The chain of three is played by everybody at three horizons, random misaligned trees of depth 2 to
4 and branching 1 to 3 by those that matter there: 20 games each, on the chain 20 seeds of one
tree, at a random tree 20 trees of that form with one game each. Noise is Gaussian, sd 0.1.

Intervals are 95 % over games. `gap` is the share of the best welfare that is missed in the last
tenth of the rounds, `gap, half` in the last half. `regret` is lost welfare over the whole run.
`slope` is the slope of log regret over log T. Seeds and settings are fixed; a second run prints the same.
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from contract_tree import (
    BELGIC,
    IPA,
    UCB,
    Estimate,
    Informed,
    Oracle,
    Result,
    TreeError,
    TreeLearner,
    misaligned_tree,
    named_tree,
    random_tree,
    simulate,
    solve,
)

PLAYERS = {
    "no contracts": UCB(),
    "oracle": Oracle(),
    "oracle, no inflation": Oracle(inflation=0.0),
    "tree learner": TreeLearner(),
    "  no inflation": TreeLearner(inflation=0.0),
    "  no waiting": TreeLearner(staggered=False),
    "plain": TreeLearner.plain(),
    "  plain, no inflation": TreeLearner.plain(inflation=0.0),
    "  plain, no waiting": TreeLearner.plain(staggered=False),
}
ABLATIONS = [name for name in PLAYERS if name.startswith("  ")]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is played."""

    horizons: tuple[int, ...] = (10**4, 10**5, 10**6)
    games: int = 20
    shapes: tuple[tuple[int, int], ...] = tuple((d, b) for d in (2, 3, 4) for b in (1, 2, 3))
    plain_until: int = 10**5
    """Longest horizon of the plain learner and the ablations on random trees."""


SMALL = Plan(horizons=(3000, 10**4), games=4, shapes=((2, 1), (3, 2)), plain_until=10**4)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One player on one tree (or one kind of trees) at one horizon; an entry per game."""

    tree: str
    player: str
    horizon: int
    regret: np.ndarray
    gap: np.ndarray
    gap_half: np.ndarray
    budget: float
    """Largest difference between all utilities and all rewards, per round."""
    nodes: np.ndarray | None = None
    """(G, n) utilities of the last tenth, where all games have one tree."""


def row_of(tree: str, player: str, results: list[Result]) -> Row:
    one = len(results) == 1
    return Row(
        tree=tree, player=player, horizon=results[0].horizon,
        regret=np.concatenate([r.welfare_regret()[:, -1] for r in results]),
        gap=np.concatenate([r.gap() for r in results]), gap_half=np.concatenate([r.gap(since=0.5) for r in results]),
        budget=max(float(np.abs((r.utilities - r.rewards).sum(axis=2) / r.rounds).max()) for r in results),
        nodes=results[0].per_round() if one else None,
    )  # fmt: skip


def on_the_chain(plan: Plan) -> Iterator[Row | str]:
    for name, player in PLAYERS.items():
        for horizon in plan.horizons:
            try:
                yield row_of(
                    "chain", name, [simulate(named_tree("chain"), player, horizon=horizon, n_games=plan.games)]
                )
            except TreeError as error:
                yield f"chain, {name.strip()}: {error}"


def on_random_trees(plan: Plan) -> Iterator[Row | str]:
    rivals = ("no contracts", "tree learner", "plain", "  no inflation", "  no waiting")
    for depth, branching in plan.shapes:
        trees = [misaligned_tree(depth=depth, branching=branching, seed=seed) for seed in range(plan.games)]
        for name in rivals:
            for horizon in plan.horizons:
                full = name in ("no contracts", "tree learner")
                if (horizon > plan.plain_until and not full) or (horizon < plan.plain_until and name in ABLATIONS):
                    continue
                try:
                    played = [
                        simulate(tree, PLAYERS[name], horizon=horizon, n_games=1, seed=seed)
                        for seed, tree in enumerate(trees)
                    ]
                    yield row_of(f"depth {depth}, branching {branching}", name, played)
                except TreeError as error:
                    yield f"depth {depth}, branching {branching}, {name.strip()}: {error}"


def with_one_agent(plan: Plan) -> Iterator[Row | str]:
    """Page 5, point 6: five actions, noise of standard deviation 1, T = 10,000, and BELGIC at longer horizons too."""
    tree = named_tree("ipa")
    pairs = (("IPA, informed agent", IPA(), Informed(), 1.0), ("IPA, UCB agent", IPA(), UCB(), 1.0),
             ("BELGIC, UCB agent", BELGIC(), UCB(), 0.1))  # fmt: skip
    for name, principal, agent, noise in pairs:
        for horizon in (10**4, *(h for h in plan.horizons if h > 10**4 and "BELGIC" in name)):
            players = {"inner": principal, "leaves": agent}
            yield row_of(
                f"ipa, sd {noise:g}", name, [simulate(tree, players, horizon=horizon, n_games=plan.games, noise=noise)]
            )


def exactness(trees: int = 100) -> str:
    """Page 5, point 1, on random trees with few enough profiles to try them all."""
    rng = np.random.default_rng(0)
    lemma = brute = 0.0
    for k in range(trees):
        shape = ((3, 2), (2, 3), (4, 1))[k % 3]
        tree = random_tree(depth=shape[0], branching=shape[1], n_actions=2 + (k % 2) * (shape != (3, 2)), rng=rng)
        solution = solve(tree)
        brute = max(brute, abs(max(map(tree.welfare, tree.profiles())) - solution.welfare))
        for mu, w in zip(solution.utility, solution.best_welfare, strict=True):
            lemma = max(lemma, float(np.abs((mu - mu.max()) - (w - w.max())).max()))
    return (
        f"exact solution, {trees} random trees: |(mu - max mu) - (W - max W)| <= {lemma:.1e}, "
        f"|max W - brute force| <= {brute:.1e}"
    )


def slope(rows: list[Row], tree: str, player: str) -> Estimate | None:
    """Slope of log regret over log T, fitted for each game's number over the horizons."""
    mine = sorted((r for r in rows if (r.tree, r.player) == (tree, player)), key=lambda r: r.horizon)
    if len(mine) < 2:
        return None
    x = np.log([r.horizon for r in mine])
    y = np.log(np.maximum([r.regret for r in mine], 1e-9))
    return Estimate.of((x - x.mean()) @ y / ((x - x.mean()) @ (x - x.mean())))


HEAD = f"{'tree':<22}{'player':<23}{'T':>9}  {'regret':>19}  {'gap (%)':>16}  {'worst game':>10}  {'gap, half (%)':>16}  {'slope':>15}"


def line(row: Row, fitted: Estimate | None) -> str:
    def percent(values: np.ndarray) -> str:
        e = Estimate.of(100 * values)
        return f"{e.mean + 0.0:.3f} ± {e.half_interval:.3f}".replace("-0.000 ", "0.000 ")

    regret = Estimate.of(row.regret)
    return (
        f"{row.tree:<22}{row.player:<23}{row.horizon:>9}  {f'{regret.mean:.0f} ± {regret.half_interval:.0f}':>19}  "
        f"{percent(row.gap):>16}  {f'{100 * row.gap.max():.3f}'.replace('-0.000', '0.000'):>10}  {percent(row.gap_half):>16}  "
        + (f"{fitted.mean:.2f} ± {fitted.half_interval:.2f}" if fitted else "").rjust(15)
    )


def utilities(rows: list[Row]) -> Iterator[str]:
    """What every node of the chain keeps per round, with and without contracts, at the longest horizon."""
    longest = max(r.horizon for r in rows if r.tree == "chain")
    yield f"chain, T = {longest}: utility per round of each node in the last tenth"
    yield f"{'player':<24}" + "".join(f"{name:>20}" for name in named_tree("chain").names)
    for name in ("no contracts", "oracle", "tree learner", "plain"):
        for row in rows:
            if (row.tree, row.player, row.horizon) == ("chain", name, longest) and row.nodes is not None:
                cells = [Estimate.of(column) for column in row.nodes.T]
                yield f"{name:<24}" + "".join(f"{f'{c.mean:.4f} ± {c.half_interval:.4f}':>20}" for c in cells)


def draw(rows: list[Row], path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.5, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.35))
    styles = {
        "no contracts": ("#777777", "s"), "oracle": ("#E69F00", "^"), "plain": ("#0072B2", "D"), "tree learner": ("#D55E00", "o"),
    }  # fmt: skip
    for name, (colour, marker) in styles.items():
        mine = sorted((r for r in rows if (r.tree, r.player) == ("chain", name)), key=lambda r: r.horizon)
        e = [Estimate.of(r.regret) for r in mine]
        fitted = slope(rows, "chain", name)
        left.errorbar(
            [r.horizon for r in mine], [x.mean for x in e], yerr=[x.half_interval for x in e], color=colour, marker=marker,
            ms=6, lw=1.6, capsize=3, label=f"{name}: slope {fitted.mean:.2f} ± {fitted.half_interval:.2f}" if fitted else name,
        )  # fmt: skip
    left.set(
        xscale="log", yscale="log", xlabel="horizon T (rounds)", ylabel="lost welfare over the run (units of reward)"
    )
    left.set_title("Chain of three: without contracts regret is linear", loc="left", fontsize=10, weight="bold")
    left.legend(frameon=False, fontsize=9, loc="lower center", bbox_to_anchor=(0.5, -0.34), ncols=2)
    shapes = list(dict.fromkeys(r.tree for r in rows if r.tree.startswith("depth")))
    for k, name in enumerate(("no contracts", "plain", "tree learner")):
        colour, marker = styles[name]
        its = [r for r in rows if r.player == name and r.tree in shapes]
        longest = max(r.horizon for r in its)
        mine = [r for r in its if r.horizon == longest]
        e = [Estimate.of(100 * r.gap) for r in mine]
        right.errorbar(
            [shapes.index(r.tree) + 0.18 * (k - 1) for r in mine], [x.mean for x in e], yerr=[x.half_interval for x in e],
            color=colour, marker=marker, ls="none", ms=6, capsize=3, label=f"{name}, T = {longest:,}",
        )  # fmt: skip
    right.axhline(1.0, color="#222222", lw=1, ls="--")
    right.annotate("1 %", (1.005, 1.0), xycoords=("axes fraction", "data"), va="center", fontsize=9)
    right.set_yscale("symlog", linthresh=0.1)
    right.set_ylim(-0.03, 60)
    right.set_xticks(range(len(shapes)), [s.replace("depth ", "").replace(", branching ", " x ") for s in shapes])
    right.set(xlabel="depth x branching of random misaligned trees", ylabel="missed welfare in the last tenth (%)")
    right.set_title("Random trees: contracts close the gap", loc="left", fontsize=10, weight="bold")
    right.legend(frameon=False, fontsize=9, loc="lower center", bbox_to_anchor=(0.5, -0.28), ncols=3)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def read(path: Path) -> list[Row]:
    """The rows of a table that was written, as far as the figure needs them."""
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    found = []
    for tree, player, horizon in dict.fromkeys((x["tree"], x["player"], int(x["horizon"])) for x in lines):
        mine = [x for x in lines if (x["tree"], x["player"], int(x["horizon"])) == (tree, player, horizon)]
        regret, gap, half = (
            np.array([float(x[k]) for x in mine]) for k in ("regret", "gap_last_tenth", "gap_last_half")
        )
        found.append(Row(tree=tree, player=player, horizon=horizon, regret=regret, gap=gap, gap_half=half, budget=0.0))
    return found


def play(plan: Plan, out: Callable[[str], None], log: TextIO) -> list[Row]:
    rows: list[Row] = []
    began = time.process_time()
    for part in (on_the_chain, on_random_trees, with_one_agent):
        out(HEAD)
        waiting: list[Row] = []

        def flush(waiting: list[Row] = waiting) -> None:
            for k, row in enumerate(waiting):
                last = k + 1 == len(waiting)
                out(line(row, slope(rows, row.tree, row.player) if last else None))
            waiting.clear()

        for found in part(plan):
            print(f"{time.process_time() - began:.0f} CPU-seconds", file=log, flush=True)
            if isinstance(found, str):
                flush()
                out(f"refused: {found}")
                continue
            if waiting and (waiting[0].tree, waiting[0].player) != (found.tree, found.player):
                flush()
            rows.append(found)
            waiting.append(found)
        flush()
        out("")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="What tree learners reach: one table and one figure.")
    parser.add_argument("--small", action="store_true", help="shorter horizons and fewer games")
    parser.add_argument("--folder", type=Path, help="write tree.txt, tree.csv and tree.png there, too")
    parser.add_argument("--redraw", type=Path, metavar="FOLDER", help="only draw the figure again from FOLDER/tree.csv")
    options = parser.parse_args()
    if options.redraw:
        draw(read(options.redraw / "tree.csv"), options.redraw / "tree.png")
        return
    lines: list[str] = []

    def out(text: str) -> None:
        lines.append(text)
        print(text, flush=True)

    out("$ python benchmarks/tree.py" + (" --small" if options.small else "")
        + (f" --folder {options.folder}" if options.folder else ""))  # fmt: skip
    out(exactness() + "\n")
    rows = play(SMALL if options.small else Plan(), out, sys.stderr)
    for text in utilities(rows):
        out(text)
    out(f"\npayments cancel: |utilities - rewards| <= {max(r.budget for r in rows):.1e} per round, in all runs")
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
        (options.folder / "tree.txt").write_text("\n".join(lines) + "\n")
        with (options.folder / "tree.csv").open("w", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["tree", "player", "horizon", "game", "regret", "gap_last_tenth", "gap_last_half"])
            for r in rows:
                for g in range(len(r.gap)):
                    table.writerow([r.tree, r.player.strip(), r.horizon, g, f"{r.regret[g]:.3f}", f"{r.gap[g]:.6f}", f"{r.gap_half[g]:.6f}"])  # fmt: skip
        draw(rows, options.folder / "tree.png")


if __name__ == "__main__":
    main()
