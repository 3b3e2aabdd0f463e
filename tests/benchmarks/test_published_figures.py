"""The tables of the README and of the optimiser's page are those that the benchmarks wrote."""

import csv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
NAMES = {
    "cPMES paper": "cPMES as printed",
    "Optuna GP": "Optuna, constrained Gaussian process",
    "Optuna TPE": "Optuna, TPE",
    "BoTorch logCEI": "BoTorch, constrained log EI",
    "skopt penalty": "scikit-optimize, penalty",
}
"""Names that differ between the tables and the pages."""


def rows_of(name):
    """(setting, optimiser, evaluations) -> row of a table."""
    with (RESULTS / f"{name}.csv").open(newline="") as file:
        return {(row["setting"], row["optimiser"], int(row["evaluations"])): row for row in csv.DictReader(file)}


def table(rows, columns, form=".0f", solved=True):
    """Markdown: one line per optimiser, one cell per (setting, evaluations), and the share solved of the first setting."""
    lines = []
    for name in dict.fromkeys(optimiser for _, optimiser, _ in rows):
        found = [rows[setting, name, t] for setting, t in columns]
        cells = [f"{float(row['mean']):{form}} ± {float(row['half']):{form}}" for row in found]
        if solved:
            last = rows[columns[0][0], name, max(t for _, t in columns)]
            cells.append(f"{100 * float(last['solved']):.0f} %")
        lines.append(f"| {NAMES.get(name, name)} | {' | '.join(cells)} |")
    return lines


def published():
    synthetic, whole, problems = rows_of("synthetic"), rows_of("synthetic-all"), rows_of("problems-all")
    settings = dict.fromkeys((setting, 24) for setting, _, _ in problems)
    return {
        "README.md": table(synthetic, [(f"batch {b}", 20) for b in (1, 2, 4)]),
        "docs/optimiser.md": [
            *table(whole, [("batch 1", t) for t in (4, 8, 12, 16, 20)]),
            *table(problems, list(settings), form=".2f", solved=False),
        ],
    }


@pytest.mark.parametrize("page", ["README.md", "docs/optimiser.md"])
def test_every_row_of_a_table_is_the_one_that_the_benchmark_wrote(page):
    text = (
        (ROOT / page)
        .read_text()
        .replace("| constrained expected improvement |", "| cEI |")
        .replace("as the paper prints it |", "as printed |")
    )
    rows = published()[page]
    assert len(rows) >= 7
    missing = [row for row in rows if row not in text]
    assert not missing, "\n".join(["these rows should stand in " + page, *missing])


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("synthetic", 50), ("synthetic-all", 50), ("synthetic-ablations", 50), ("problems", 20), ("problems-all", 20),
    ],
)  # fmt: skip
def test_a_table_rests_on_as_many_runs_as_the_pages_say_for_every_optimiser(name, runs):
    assert {int(row["runs"]) for row in rows_of(name).values()} == {runs}
