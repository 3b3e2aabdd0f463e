"""The figures of README and pages are those that the code and the committed results give."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_figures import FIGURES, TABLES
from result_files import Figure, Table, rows_of

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

NUMBER = r"-?\d[\d,]*(?:\.\d+)?"
MARKED = re.compile(rf"({NUMBER}(?: ± {NUMBER})?)<!-- figure: (\S+) -->")
MARKED_TABLE = re.compile(r"^<!-- table: (\S+) -->\n\n?((?:\|.*\n)+)", re.MULTILINE)


def prose(page: Path) -> str:
    """A page without code: blocks, and marks that are shown as code."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*<!--[^`\n]*`", "", text)


def marked_figures() -> Iterator[tuple[str, str, str]]:
    """Page, name, and what the page gives."""
    for page in PAGES:
        for given, name in MARKED.findall(prose(page)):
            yield page.name, name, given


def marked_tables() -> Iterator[tuple[str, str, Table]]:
    """Page, name, and the rows that the page gives."""
    for page in PAGES:
        for name, lines in MARKED_TABLE.findall(prose(page)):
            rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines.splitlines()[2:]]
            yield page.name, name, [(first, cells) for first, *cells in rows]


def written(figure: Figure, like: str) -> str:
    """A figure with as many decimals as the page gives, number by number."""
    decimals = [len(number.partition(".")[2]) for number in like.split(" ± ")]
    return " ± ".join(f"{value:.{d}f}" for value, d in zip(figure, decimals, strict=True))


def test_every_mark_stands_right_behind_a_figure_or_before_a_table() -> None:
    marks = sum(len(re.findall(r"<!-- (?:figure|table):", prose(page))) for page in PAGES)
    assert len(list(marked_figures())) + len(list(marked_tables())) == marks


def test_figures_and_tables_have_a_source_and_no_source_is_left_over() -> None:
    assert {name for _, name, _ in marked_figures()} == set(FIGURES)
    assert {name for _, name, _ in marked_tables()} == set(TABLES)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_in_a_page_is_the_one_that_its_source_gives(name: str) -> None:
    for page, marked, given in marked_figures():
        if marked == name:
            assert given.replace(",", "") == written(FIGURES[name](), given), f"{name} in {page}"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_in_a_page_is_the_one_that_its_source_gives(name: str) -> None:
    for page, marked, given in marked_tables():
        if marked == name:
            assert given == TABLES[name](), f"{name} in {page}"


@pytest.mark.parametrize(
    ("name", "rests_on"),
    [
        ("synthetic", {("instance", 10, 50)}), ("synthetic-all", {("instance", 10, 50)}),
        ("synthetic-ablations", {("instance", 10, 50)}),
        ("problems", {("run", 20, 20), ("problem", 6, 120)}), ("problems-all", {("run", 20, 20), ("problem", 6, 120)}),
    ],
)  # fmt: skip
def test_a_table_rests_on_what_the_pages_say_for_every_optimiser(
    name: str, rests_on: set[tuple[str, int, int]]
) -> None:
    """Independent unit, how many there are, and runs."""
    assert {(row["unit"], int(row["units"]), int(row["runs"])) for row in rows_of(f"{name}.csv")} == rests_on


def lead(optimiser: str, file: str = "synthetic-all", setting: str = "batch 1") -> str:
    """The budgets at which cPMES is ahead of a rival by more than the interval; '-' before those at which it is behind."""
    rows = [row for row in rows_of(f"{file}.csv") if (row["optimiser"], row["setting"]) == (optimiser, setting)]
    lags = [(row["evaluations"], float(row["behind"]), float(row["behind_half"])) for row in rows]
    return " ".join(("-" if lag < 0 else "") + t for t, lag, half in lags if abs(lag) > half)


def test_the_page_says_at_which_budgets_cpmes_is_ahead() -> None:
    every = "4 8 12 16 20"
    for optimiser in ("random", "Optuna TPE", "skopt penalty"):
        assert lead(optimiser) == every
    assert (lead("Optuna GP"), lead("BoTorch logCEI")) == ("8 12 16 20", "12 16")
    assert {lead(optimiser) for optimiser in ("cMES", "MACE", "cPMES paper")} == {"8"}
    assert lead("CMES-IBO") == ""
    assert [lead(o, "synthetic", "batch 4") for o in ("cPMES paper", "CMES-IBO")] == [every, "4 8 12 16"]
    assert {lead("cEI", "synthetic", f"batch {b}") for b in (1, 2, 4)} == {""}
    assert lead("cPMES one term", "synthetic-ablations") == "4 8 12"
    at_the_end = {b: {o for o in ("cEI", "cMES", "CMES-IBO", "MACE", "cPMES paper", "random")
                      if "20" in lead(o, "synthetic", f"batch {b}")} for b in (1, 2, 4)}  # fmt: skip
    assert at_the_end == {1: {"random"}, 2: {"random"}, 4: {"random", "cPMES paper"}}
    lags = [float(row["behind"]) + float(row["behind_half"]) for row in rows_of("synthetic-all.csv")]
    lags += [float(row["behind"]) + float(row["behind_half"]) for row in rows_of("synthetic.csv")]
    assert not any(lag < 0 for lag in lags)


def test_the_page_says_which_rivals_six_problems_cannot_tell_from_cpmes() -> None:
    rivals = dict.fromkeys(row["optimiser"] for row in rows_of("problems-all.csv") if row["optimiser"] != "cPMES")
    alike = {o for o in rivals if "24" not in lead(o, "problems-all", "all problems")}
    assert alike == {"cEI", "cMES", "Optuna GP"}
