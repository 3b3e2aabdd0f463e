"""The page "Read a report" explains what a report has."""

import re
from pathlib import Path

from contract_wrapper.reports.report import write_report
from contract_wrapper.reports.summary_table import closing_table
from contract_wrapper.studies.record import StudyRecord

PAGE = Path(__file__).parents[3] / "docs" / "how_to" / "read_a_report.md"


def first_cells(header: str) -> list[str]:
    """The first cells of the rows of the table whose header begins so."""
    (table,) = re.findall(rf"^\| {header} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE.read_text(), flags=re.MULTILINE)
    return [line.split("|")[1].strip().strip("`") for line in table.splitlines()]


def test_the_figures_that_the_page_explains_are_drawn(fake_study: StudyRecord) -> None:
    page, *figures = write_report(fake_study)
    assert "`field.png`: no learned policy" in page.read_text()
    named = first_cells("figure")
    assert len(named) >= 6
    assert set(named) <= {"field", *(figure.stem for figure in figures)}


def test_the_columns_that_the_page_explains_are_in_the_table(fake_study: StudyRecord) -> None:
    words = set(re.findall(r"\w+", closing_table(fake_study)))
    assert {"certified", "gain"} <= set(re.findall(r"\w+", " ".join(first_cells("column"))))
    for column in first_cells("column")[:4]:
        assert set(re.findall(r"\w+", column)) <= words, column
