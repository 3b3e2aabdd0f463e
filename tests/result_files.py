"""Committed results of the benchmarks, as rows and cells."""

import csv
import re
from functools import cache
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"

Figure = tuple[float, ...]
"""One number, or a number and what the page gives after its ±."""

Table = list[tuple[str, list[str]]]
"""The rows of a table, in order: the first cell and the others, as the page writes them."""


@cache
def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a result file: a .csv as it is, of a .txt the first table whose columns stand two blanks apart."""
    if name.endswith(".csv"):
        with (RESULTS / name).open(newline="") as file:
            return list(csv.DictReader(file))
    lines = [re.split(r"\s{2,}", line.strip()) for line in (RESULTS / name).read_text().splitlines()]
    start = next(i for i, cells in enumerate(lines) if len(cells) > 2)
    body = (cells for cells in lines[start + 1 :] if len(cells) == len(lines[start]))
    return [dict(zip(lines[start], cells, strict=True)) for cells in body]


def row(name: str, **where: object) -> dict[str, str]:
    """The one row of a result file in which every column of `where` reads so."""
    found = [r for r in rows_of(name) if all(r[column] == str(value) for column, value in where.items())]
    assert len(found) == 1, f"{name} has {len(found)} rows with {where}"
    return found[0]


def cell(name: str, column: str, **where: object) -> float:
    return float(row(name, **where)[column].replace(",", ""))
