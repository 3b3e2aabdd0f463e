"""Where the figures of README and pages come from.

A page names a figure in an HTML comment right after it, which no reader of the site sees:

    the map has 25<!-- figure: map.rows --> rows

and a whole table in a comment on a line of its own before it, `<!-- table: synthetic.batches -->`. FIGURES and
TABLES give each again, from the code or from a committed file of `benchmarks/results/`, and
`test_page_figures.py` compares. The sentence around a figure is free.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import cluster_figures
import family_figures
import numpy as np
import optimiser_figures
import reproduction_figures
import situations
from optimiser_figures import ahead, behind, mean, regret, townsend
from result_files import RESULTS, Figure, Table, cell, rows_of

from cleanup_env import FEATURE_NAMES, make_config
from cleanup_env.maps import default_map
from contract_tree import Estimate
from contract_wrapper import COSTS, contract_space
from contract_wrapper.bo.candidates.trust_region import LARGEST_SIDE, MOST_INSIDE, WORTHWHILE
from contract_wrapper.bo.fitting.training_set import EXACT_RESULTS
from contract_wrapper.bo.gp.varying_noise import LENGTH
from contract_wrapper.bo.space import GRID_LIMIT
from contract_wrapper.contracts.families import SMALLEST_TAX
from contract_wrapper.studies.record import MAX_CANDIDATES
from contract_wrapper.studies.settings import SearchSettings
from mtmfq import MTMFQConfig

ROUNDED = 1e-9
"""What a margin of exactly 0 may be off by."""


def cpu_ratio(optimiser: str, results: int) -> Figure:
    return (cell("ask_speed.txt", "CPU ratio", results=results, optimiser=optimiser),)


# ---- trees


def tree_games(tree: str, player: str, horizon: int, column: str) -> np.ndarray:
    """One column of `tree.csv`, one value per game."""
    found = [r for r in rows_of("tree.csv") if (r["tree"], r["player"], r["horizon"]) == (tree, player, str(horizon))]
    return np.array([float(r[column]) for r in found])


def missed(tree: str, player: str, horizon: int) -> np.ndarray:
    """Missed welfare in the last tenth of the rounds, in % of the best, one value per game."""
    return 100 * tree_games(tree, player, horizon, "gap_last_tenth")


def slope(tree: str, player: str = "tree learner") -> Estimate:
    """Slope of log lost welfare over log T, from 10,000 to 1,000,000: mean over games, with its 95 % interval."""
    horizons = (10**4, 10**5, 10**6)
    lost = [tree_games(tree, player, h, "regret") for h in horizons]
    return Estimate.of(np.polyfit(np.log(horizons), np.log(lost), 1)[0])


def trees() -> list[str]:
    """The chain and the random trees, in the order of the file."""
    return list(dict.fromkeys(r["tree"] for r in rows_of("tree.csv") if not r["tree"].startswith("ipa")))


def node_payoff(player: str, node: int) -> Figure:
    """Utility per round of a node of the chain (0 root, 1 middle, 2 leaf), from the last table of `tree.txt`."""
    table = (RESULTS / "tree.txt").read_text().split("utility per round of each node")[1]
    (line,) = re.findall(rf"^{player}  +(.*)$", table, flags=re.MULTILINE)
    return (float(re.findall(r"([\d.]+) ± ", line)[node]),)


def rounds_per_second(tree: str, player: str) -> float:
    """Rounds per CPU-second from `tree_speed.txt`."""
    (line,) = re.findall(rf"^ *{tree} +\d+ +(.*)$", (RESULTS / "tree_speed.txt").read_text(), flags=re.MULTILINE)[:1]
    values = [int(value.replace(",", "")) for value in line.split()]
    return values[("ucb", "oracle", "tree-plain", "tree").index(player)]


def python_rounds_per_second() -> float:
    text = (RESULTS / "tree_speed.txt").read_text()
    return int(re.findall(r"own players +\d+ +([\d,]+)", text)[0].replace(",", ""))


def under_noise(tree: str, noise: str) -> np.ndarray:
    """Missed welfare in the last tenth of the rounds, in % of the best, one value per game."""
    found = [r for r in rows_of("tree_noise.csv") if (r["tree"], r["noise"]) == (tree, noise)]
    return 100 * np.array([float(r["gap_last_tenth"]) for r in found])


def chain_under_noise(row: str, column: int) -> Figure:
    """Of the last table of `tree_noise.txt`: payments of middle and leaf, and what root, middle and leaf keep."""
    table = (RESULTS / "tree_noise.txt").read_text().split("chain: payments")[1]
    (line,) = re.findall(rf"^{row} +(.*)$", table, flags=re.MULTILINE)
    return (float(line.split()[column]),)


def not_knowing(tree: str, horizon: int) -> list[dict[str, str]]:
    """The games of a tree that were played with and without knowing the horizon."""
    return [r for r in rows_of("tree_horizon.csv") if (r["tree"], r["horizon"]) == (tree, str(horizon))]


def all_not_knowing() -> list[list[dict[str, str]]]:
    """The games of every tree and horizon."""
    played = dict.fromkeys((r["tree"], int(r["horizon"])) for r in rows_of("tree_horizon.csv"))
    return [not_knowing(tree, horizon) for tree, horizon in played]


def times_lost(games: list[dict[str, str]]) -> np.ndarray:
    """Lost welfare of those that do not know the horizon as a multiple of that of those that do, game by game."""
    return np.array([float(r["regret_unknown"]) / float(r["regret_known"]) for r in games])


@dataclass(frozen=True)
class Participation:
    """Margins of the nodes of one form of trees: exact, and learned with half their 95 % intervals."""

    exact: np.ndarray
    learned: np.ndarray
    half: np.ndarray

    @classmethod
    def of(cls, form: str = "") -> "Participation":
        """Of one form, or of all."""
        rows = [r for r in rows_of("tree_participation.csv") if form in ("", r["tree"])]
        played = [r for r in rows if r["learned_margin"]]
        return cls(
            np.array([float(r["exact_margin"]) for r in rows]),
            np.array([float(r["learned_margin"]) for r in played]),
            np.array([float(r["half_interval"]) for r in played]),
        )

    def below(self) -> int:
        """Nodes that keep less than where nobody pays, if everybody pays what is needed."""
        return int((self.exact < -ROUNDED).sum())

    def learned_below(self) -> int:
        """Nodes whose mean margin over the games is below 0."""
        return int((self.learned < -ROUNDED).sum())

    def learned_beyond(self) -> int:
        """Nodes whose whole interval is below 0."""
        return int((self.learned + self.half < -ROUNDED).sum())

    def least(self) -> Figure:
        """Least learned margin, with half its interval."""
        k = int(self.learned.argmin())
        return float(self.learned[k]), float(self.half[k])


# ---- any PettingZoo game


def zoo_speed(games: int) -> tuple[float, float]:
    """Steps per CPU-second of the batch of PettingZoo games, and its ratio to Clean-up's own batch."""
    text = (RESULTS / "pettingzoo_batch.txt").read_text()
    ((steps, ratio),) = re.findall(rf"^ *{games} +PettingZooGames +([\d,]+) +([\d.]+)$", text, flags=re.MULTILINE)
    return int(steps.replace(",", "")), float(ratio)


# ---- figures in sentences


def river_cells() -> int:
    text = "".join(default_map())
    return text.count("R") + text.count("H")


def idle_ceiling() -> int:
    """The smallest number of waste cells at which no more comes: the first with a density at the threshold or above."""
    return int(np.argmax(np.arange(river_cells()) / river_cells() >= make_config().depletion))


def bound(config: str, column: str) -> Figure:
    return (cell("regret_bound.csv", column, config=config, T=20),)


def random_trees(measure: Callable[[str], float]) -> list[float]:
    return [measure(tree) for tree in trees() if tree != "chain"]


def unpaid(tree: str) -> float:
    return float(missed(tree, "no contracts", 10**6).mean())


FIGURES: dict[str, Callable[[], Figure]] = {
    # the game
    "map.rows": lambda: (len(default_map()),),
    "map.columns": lambda: (len(default_map()[0]),),
    "map.orchard": lambda: ("".join(default_map()).count("B"),),
    "map.river": lambda: (river_cells(),),
    "map.stream": lambda: ("".join(default_map()).count("S"),),
    "map.spawn": lambda: ("".join(default_map()).count("P"),),
    "growth.p_apple": lambda: (make_config().p_apple,),
    "growth.restoration": lambda: (make_config().restoration,),
    "growth.depletion": lambda: (make_config().depletion,),
    "waste.ceiling": lambda: (idle_ceiling(),),
    "waste.soiled": lambda: ("".join(default_map()).count("H"),),
    "fire.cost": lambda: (-make_config().fire_cost,),
    "fire.penalty": lambda: (-make_config().fire_penalty,),
    "presets.steps": lambda: (situations.UNCLEANED_STEPS,),
    "window.radius": lambda: (make_config().radius,),
    "window.side": lambda: (2 * make_config().radius + 1,),
    "features.count": lambda: (len(FEATURE_NAMES),),
    # contracts and the learner
    "costs.effort": lambda: (COSTS["effort"].role("cleaner").per_shot,),
    "learner.test_temperature": lambda: (MTMFQConfig().test_temperature,),
    "learner.smallest_tax": lambda: (SMALLEST_TAX,),
    # the optimiser and studies
    "space.values": lambda: (sum(n for n in contract_space().counts if n is not None),),
    "space.designs": lambda: (float(np.prod([n for n in contract_space().counts if n is not None])),),
    "space.grid_limit": lambda: (GRID_LIMIT,),
    "fit.exact_results": lambda: (EXACT_RESULTS,),
    "box.largest": lambda: (LARGEST_SIDE,),
    "box.inside": lambda: (MOST_INSIDE,),
    "box.worthwhile": lambda: (WORTHWHILE,),
    "noise.length": lambda: (LENGTH,),
    "study.initial": lambda: (SearchSettings().n_initial,),
    "study.search": lambda: (SearchSettings().n_search,),
    "study.batch": lambda: (SearchSettings().batch,),
    "study.confirm": lambda: (SearchSettings().n_confirm,),
    "study.candidates": lambda: (MAX_CANDIDATES,),
    # the optimiser, measured: means over runs with half the 95 % interval over instances
    "synthetic.optuna-gp": lambda: mean(regret("Optuna GP", 20)),
    "synthetic.botorch": lambda: mean(regret("BoTorch logCEI", 20)),
    "synthetic.optuna-tpe": lambda: mean(regret("Optuna TPE", 20)),
    "synthetic.skopt": lambda: mean(regret("skopt penalty", 20)),
    "synthetic.behind.optuna-gp.4": lambda: behind(regret("Optuna GP", 4)),
    "synthetic.behind.optuna-gp.8": lambda: behind(regret("Optuna GP", 8)),
    "synthetic.behind.optuna-gp.20": lambda: behind(regret("Optuna GP", 20)),
    "synthetic.behind.botorch.4": lambda: behind(regret("BoTorch logCEI", 4)),
    "synthetic.behind.botorch.12": lambda: behind(regret("BoTorch logCEI", 12)),
    "synthetic.behind.botorch.16": lambda: behind(regret("BoTorch logCEI", 16)),
    "synthetic.behind.botorch.20": lambda: behind(regret("BoTorch logCEI", 20)),
    "synthetic.one-term.4": lambda: behind(regret("cPMES one term", 4, "synthetic-ablations")),
    "synthetic.one-term.12": lambda: behind(regret("cPMES one term", 12, "synthetic-ablations")),
    "synthetic.one-term.20": lambda: behind(regret("cPMES one term", 20, "synthetic-ablations")),
    "problems.townsend.optuna-gp": lambda: ahead(regret("Optuna GP", 24, "problems-all", "townsend")),
    "problems.townsend.fresh": lambda: (-townsend(range(100, 120))[0], townsend(range(100, 120))[1]),
    "problems.townsend.both": lambda: townsend([*range(20), *range(100, 120)]),
    "ask.ms.30": lambda: (cell("ask_speed.txt", "CPU ms", results=30, optimiser="cPMES"),),
    "ask.ms.100": lambda: (cell("ask_speed.txt", "CPU ms", results=100, optimiser="cPMES"),),
    "ask.ratio.optuna-gp.30": lambda: cpu_ratio("Optuna GP", 30),
    "ask.ratio.optuna-gp.100": lambda: cpu_ratio("Optuna GP", 100),
    "ask.ratio.botorch.30": lambda: cpu_ratio("BoTorch logCEI", 30),
    "ask.ratio.botorch.100": lambda: cpu_ratio("BoTorch logCEI", 100),
    **{
        f"bound.{config}.{column}": lambda config=config, column=column: bound(config, column)
        for config in ("default", "paper")
        for column in ("R1", "R2", "R3", "length", "bound")
    },
    "bound.k": lambda: bound("default", "k"),
    # trees
    "tree.chain.unpaid": lambda: (unpaid("chain"),),
    "tree.random.unpaid.least": lambda: (min(random_trees(unpaid)),),
    "tree.random.unpaid.most": lambda: (max(random_trees(unpaid)),),
    "tree.learned.worst": lambda: (max(missed(tree, "tree learner", 10**6).max() for tree in trees()),),
    "tree.slope.least": lambda: (min(slope(tree).mean for tree in trees()),),
    "tree.slope.most": lambda: (max(slope(tree).mean for tree in trees()),),
    "tree.slope.unpaid": lambda: (slope("chain", "no contracts").mean,),
    "tree.lost.plain.4": lambda: (tree_games("chain", "plain", 10**4, "regret").mean(),),
    "tree.lost.plain.5": lambda: (tree_games("chain", "plain", 10**5, "regret").mean(),),
    "tree.lost.default.4": lambda: (tree_games("chain", "tree learner", 10**4, "regret").mean(),),
    "tree.lost.default.5": lambda: (tree_games("chain", "tree learner", 10**5, "regret").mean(),),
    **{
        f"tree.keeps.{who}.{node}": lambda player=player, i=i: node_payoff(player, i)
        for who, player in (("default", "tree learner"), ("unpaid", "no contracts"), ("plain", "plain"))
        for i, node in enumerate(("root", "middle", "leaf"))
        if who != "plain" or node == "middle"
    },
    "tree.ipa.informed": lambda: (missed("ipa, sd 1", "IPA, informed agent", 10**4).mean(),),
    "tree.ipa.learning": lambda: (missed("ipa, sd 1", "IPA, UCB agent", 10**4).mean(),),
    "tree.belgic.5": lambda: (missed("ipa, sd 0.1", "BELGIC, UCB agent", 10**5).mean(),),
    "tree.belgic.6": lambda: (missed("ipa, sd 0.1", "BELGIC, UCB agent", 10**6).mean(),),
    "tree.speed.chain.tree": lambda: (rounds_per_second("chain", "tree") / 1e6,),
    "tree.speed.chain.ucb": lambda: (rounds_per_second("chain", "ucb") / 1e6,),
    "tree.speed.forty.tree": lambda: (rounds_per_second("random-4-3", "tree") / 1e6,),
    "tree.speed.python": lambda: (python_rounds_per_second() / 1e3,),
    "tree.noise.median": lambda: (
        max(float(np.median(under_noise(tree, noise))) for tree in trees() for noise in ("0.1", "0.5", "1")),
    ),
    "tree.noise.worst": lambda: (max(under_noise(tree, "1").max() for tree in trees()),),
    **{
        f"tree.noise.lost.{noise}": lambda noise=noise: (
            np.mean(
                [float(r["regret"]) for r in rows_of("tree_noise.csv") if (r["tree"], r["noise"]) == ("chain", noise)]
            ),
        )
        for noise in ("0.1", "0.5", "1")
    },
    "tree.noise.middle": lambda: chain_under_noise("1", 0),
    "tree.noise.leaf": lambda: chain_under_noise("1", 1),
    "tree.noise.quiet.middle": lambda: chain_under_noise("0.1", 0),
    "tree.noise.quiet.leaf": lambda: chain_under_noise("0.1", 1),
    "tree.noise.root": lambda: chain_under_noise("1", 2),
    "tree.noise.quiet.root": lambda: chain_under_noise("0.1", 2),
    "tree.unknown.least": lambda: (min(times_lost(games).mean() for games in all_not_knowing()),),
    "tree.unknown.most": lambda: (max(times_lost(games).mean() for games in all_not_knowing()),),
    "tree.unknown.chain.4": lambda: (100 * np.mean([float(r["gap_unknown"]) for r in not_knowing("chain", 10**4)]),),
    "tree.exact.nodes": lambda: (len(Participation.of().exact),),
    "tree.exact.below": lambda: (Participation.of().below(),),
    "tree.part.56.nodes": lambda: (len(Participation.of("depth 3, branching 2").learned),),
    "tree.part.56.below": lambda: (Participation.of("depth 3, branching 2").learned_below(),),
    "tree.part.56.beyond": lambda: (Participation.of("depth 3, branching 2").learned_beyond(),),
    "tree.part.56.least": lambda: Participation.of("depth 3, branching 2").least(),
    **cluster_figures.FIGURES,
    **family_figures.FIGURES,
    **reproduction_figures.FIGURES,
    # any PettingZoo game
    "zoo.steps.16": lambda: (zoo_speed(16)[0],),
    "zoo.percent.16": lambda: (100 * zoo_speed(16)[1],),
}
"""Name -> the number that the page must give, up to the decimals that it gives."""


# ---- tables


def learner_reaches() -> Table:
    """Harvest by crew size: mean, least and best seed, CPU time."""
    columns = ("mean", "least", "most")
    return [
        (str(n), [*(r[name] for name in columns), f"{float(r['median CPU-s']):.0f}"])
        for n, r in enumerate(rows_of("learning.txt"))
    ]


def tree_learners() -> Table:
    rows: Table = []
    for tree in trees():
        learned, growth = missed(tree, "tree learner", 10**6), slope(tree)
        assert len(learned) >= 20
        cells = [
            f"{unpaid(tree):.2f}", f"{learned.mean() + 0.0:.3f}", f"{learned.max():.3f}",
            f"{growth.mean:.2f} ± {growth.half_interval:.2f}",
            *(f"{missed(tree, player, 10**5).mean() + 0.0:.2f}" for player in ("plain", "no inflation", "no waiting")),
        ]  # fmt: skip
        rows.append((tree, cells))
    return rows


def tree_noise() -> Table:
    """Mean missed share with half its 95 % interval, and the worst game, for each noise."""
    rows: Table = []
    for tree in trees():
        cells: list[str] = []
        for noise in ("0.1", "0.5", "1"):
            games = under_noise(tree, noise)
            assert len(games) == 20
            e = Estimate.of(games)
            cells += [f"{e.mean + 0.0:.3f} ± {e.half_interval:.3f}", f"{games.max():.2f}"]
        rows.append((tree, cells))
    return rows


def tree_horizon() -> Table:
    rows: Table = []
    for tree, horizon in dict.fromkeys((r["tree"], int(r["horizon"])) for r in rows_of("tree_horizon.csv")):
        games = not_knowing(tree, horizon)
        assert len(games) == 20
        lost = [np.mean([float(r[column]) for r in games]) for column in ("regret_known", "regret_unknown")]
        gaps = [100 * np.mean([float(r[column]) for r in games]) + 0.0 for column in ("gap_known", "gap_unknown")]
        times = times_lost(games)
        e = Estimate.of(times)
        cells = [
            f"{horizon:,}", *(f"{x:.0f}" for x in lost), f"{e.mean:.2f} ± {e.half_interval:.2f}", f"{times.max():.2f}",
            *(f"{x:.3f}" for x in gaps),
        ]  # fmt: skip
        rows.append((tree, cells))
    return rows


def tree_participation() -> Table:
    """Nodes, those below, and the least margin: exact, and learned."""
    rows: Table = []
    for form in dict.fromkeys(r["tree"] for r in rows_of("tree_participation.csv")):
        found = Participation.of(form)
        cells = [str(len(found.exact)), str(found.below()), f"{found.exact.min() + 0.0:.4f}"]
        if len(found.learned):
            mean, half = found.least()
            counts = (len(found.learned), found.learned_below(), found.learned_beyond())
            cells += [*map(str, counts), f"{mean:.4f} ± {half:.4f}".replace("-0.0000", "0.0000")]
        rows.append((form, cells + [""] * (7 - len(cells))))
    return rows


TABLES: dict[str, Callable[[], Table]] = {
    **cluster_figures.TABLES,
    **family_figures.TABLES,
    **reproduction_figures.TABLES,
    "synthetic.batches": optimiser_figures.batches,
    "synthetic.budgets": optimiser_figures.budgets,
    "problems": optimiser_figures.problems,
    "problems.over": optimiser_figures.over_problems,
    "landscape.search": optimiser_figures.landscape_search,
    "landscape.search.paper": lambda: optimiser_figures.landscape_search("paper"),
    "landscape.search.costly": lambda: optimiser_figures.landscape_search("costly"),
    "noisy": optimiser_figures.noisy,
    "ask.many": optimiser_figures.many_results,
    "designs.unseen": lambda: optimiser_figures.design_problems("unseen"),
    "designs.long": lambda: optimiser_figures.design_problems("unseen-70"),
    "designs.all": lambda: optimiser_figures.design_problems("design_problems"),
    "landscape.scratch": optimiser_figures.scratch,
    "noisy.varying": lambda: optimiser_figures.noisy("noisy_search-varying.txt"),
    "noisy.constant": lambda: optimiser_figures.noisy("noisy_search-constant.txt"),
    "learner.reaches": learner_reaches,
    "tree.learners": tree_learners,
    "tree.noise": tree_noise,
    "tree.horizon": tree_horizon,
    "tree.participation": tree_participation,
}
"""Name -> the rows that the page must give."""
