"""The page of clients has the table that the command printed."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_has_the_stored_table_row_by_row() -> None:
    stored = [
        line for line in (ROOT / "benchmarks/results/clients.txt").read_text().splitlines() if line.startswith("|")
    ]
    page = [line for line in (ROOT / "docs/clients.md").read_text().splitlines() if line.startswith("|")]
    assert len(stored) > 10
    assert page == stored
