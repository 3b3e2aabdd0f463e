"""The figures of README and pages are those that the code and the committed results give."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_figures import FIGURES, TABLES, Figure, Table, rows_of

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
    ("name", "runs"),
    [
        ("synthetic", 50), ("synthetic-all", 50), ("synthetic-ablations", 50), ("problems", 20), ("problems-all", 20),
    ],
)  # fmt: skip
def test_a_table_rests_on_as_many_runs_as_the_pages_say_for_every_optimiser(name: str, runs: int) -> None:
    assert {int(row["runs"]) for row in rows_of(f"{name}.csv")} == {runs}
