"""What the page on the paper gives beside the paper's own numbers, from committed results and the shipped landscape."""

import re
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from optimiser_figures import LABELS, mean, regret
from result_files import RESULTS, Figure, Table, cell, rows_of

from contract_wrapper import load_landscape
from contract_wrapper.evaluation.published_results import PAPER
from contract_wrapper.landscapes.landscape import Landscape
from optimiser_bench.clustered import plus_minus
from paper_bench.tables import PUBLISHED

BUDGETS = {8: 1, 20: 4}
"""Evaluations -> place among the budgets of the paper's Table 1."""


@cache
def landscape() -> Landscape:
    """The shipped landscape of the costs `paper`."""
    return load_landscape("paper")


def regrets() -> Table:
    """The paper's Table 1 at two budgets, and the same of ours; what it prints stands in the benchmark's output."""
    text, rows = (RESULTS / "synthetic.txt").read_text(), Table()
    for name in ("cEI", "cMES", "MACE", "cPMES", "cPMES paper"):
        printed = re.findall(rf"^{name} \(printed\) +(.*)$", text, re.MULTILINE)
        theirs = [printed[0].split()[k] if printed else "" for k in BUDGETS.values()]
        ours = [plus_minus(*mean(regret(name, t, "synthetic")), ".0f") for t in BUDGETS]
        rows.append((LABELS.get(name, name), [*theirs, *ours]))
    return rows


def best_contract() -> Table:
    """The paper's best contract in the paper and by crews that know every contract: least utility of each role."""
    table = landscape()
    k = table.number(PAPER.contract)
    utilities = table.utilities.mean(axis=0)
    harvesters = [agent.startswith("harvester") for agent in table.agents]
    cleaners = np.logical_not(harvesters)
    paper = [PAPER.welfare, PAPER.worst_harvester, PAPER.worst_cleaner, PAPER.baseline_harvester]
    ours = [
        table.welfare[:, k].mean(), utilities[k, harvesters].min(), np.nanmin(utilities[k, cleaners]),
        utilities[0, harvesters].max(),
    ]  # fmt: skip
    return [(who, [f"{x:.2f}" for x in values]) for who, values in (("the paper", paper), ("crews of ours", ours))]


def of_trainings(contract: str, *columns: str, profile: str = "fast") -> list[str]:
    """How many trainings of a contract by a profile are stored; their means, with standard deviations if they are several."""
    rows = [r for r in rows_of(f"paper_figures-{profile}.csv") if short_of(r) == contract]
    cells = []
    for column in columns:
        values = np.array([float(r[column]) for r in rows])
        cells.append(f"{values.mean():.0f}" + (f" ± {values.std(ddof=1):.0f}" if len(values) > 1 else ""))
    return [str(len(rows)), *cells]


def short_of(row: Mapping[str, str]) -> str:
    """The contract of a row, as the paper writes it."""
    return f"({row['n_cleaners']}, {float(row['tax']):g})"


def trained(profile: str = "fast") -> Table:
    """Collective reward while training, of the contracts of Figures 3 to 6, beside what the paper's text says."""
    contracts = {"Figure 3": "(1, 0.01)", "Figure 4": "(5, 0.01)", "Figure 5": "(1, 0.99)", "Figure 6": "(5, 0.99)"}
    columns = ("first_tenth", "half_way", "last_tenth", "welfare")
    return [
        (f"{name}: {contract}", [PUBLISHED[name], *of_trainings(contract, *columns, profile=profile)])
        for name, contract in contracts.items()
    ]


def played() -> Table:
    """Greedy play after one training by the profile `faithful`, without a contract and under the paper's best."""
    cells = []
    for contract in ("(0, 0)", "(5, 0.04)"):
        (found,) = (r for r in rows_of("paper_figures-faithful.csv") if short_of(r) == contract)
        cleaner = f"{float(found['least_cleaner']):.2f}" if found["least_cleaner"] else ""
        harvesters = f"{float(found['least_harvester']):.1f} to {float(found['most_harvester']):.1f}"
        cells.append([f"{float(found['welfare']):.0f}", harvesters, cleaner, f"{float(found['shots']):.0f}"])
    return [("no contract", cells[0]), ("(5, 0.04)", cells[1])]


def feasible_contracts() -> np.ndarray:
    """Which contracts are feasible, those without cleaners left out."""
    return landscape().feasible() & (landscape().n_cleaners > 0)


FIGURES: Mapping[str, Callable[[], Figure]] = {
    "paper.feasible": lambda: (int(feasible_contracts().sum()),),
    "paper.feasible.highest": lambda: (landscape().tax[feasible_contracts()].max(),),
    "paper.theirs": lambda: (landscape().welfare[:, landscape().number(PAPER.contract)].mean(),),
    "paper.random": lambda: (mean(regret("random", 20, "synthetic"))[0],),
    "paper.fast": lambda: (cell("learning.txt", "mean", contract="tax 0.04, 5 cleaners"),),
    "paper.best": lambda: (landscape().welfare.mean(axis=0)[feasible_contracts()].max(),),
}
TABLES: Mapping[str, Callable[[], Table]] = {
    "paper.regret": regrets,
    "paper.best": best_contract,
    "paper.trained": trained,
    "paper.faithful": lambda: trained("faithful"),
    "paper.faithful.play": played,
}
