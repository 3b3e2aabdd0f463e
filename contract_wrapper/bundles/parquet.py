"""A table of trials as Parquet, by pyarrow or polars: whichever is installed."""

from __future__ import annotations

import csv
import io
from importlib.util import find_spec
from typing import Any

from contract_wrapper.errors import MissingPackage

TEXTS = ("phase", "state", "acceptance", "policy", "why", "failure")
"""Columns of `trials.csv` that are text, whatever stands in them."""

_WORDS = {"True": True, "False": False}


def can_write() -> bool:
    """Whether one of the two packages is installed."""
    return _package() is not None


def to_parquet(text: str) -> bytes:
    """Return a table as Parquet; empty cells become null, numbers and truth values get types of their own.

    text: the table as CSV, which `StudyRecord.to_csv` or `Landscape.to_csv` gives.

    Raises:
        MissingPackage: neither pyarrow nor polars is installed.
    """
    package, out = _package(), io.BytesIO()
    if package is None:
        raise MissingPackage(
            "a table as Parquet needs the package pyarrow or polars, and neither is installed: "
            'pip install "cleanup-contracts[parquet]"'
        )
    if package == "pyarrow":
        import pyarrow
        import pyarrow.parquet

        kinds = {str: pyarrow.string(), bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64()}
        arrays = {name: pyarrow.array(values, kinds[kind]) for name, (kind, values) in columns(text).items()}
        pyarrow.parquet.write_table(pyarrow.table(arrays), out)
    else:
        import polars

        types = {str: polars.String, bool: polars.Boolean, int: polars.Int64, float: polars.Float64}
        series = [polars.Series(name, values, types[kind]) for name, (kind, values) in columns(text).items()]
        polars.DataFrame(series).write_parquet(out)
    return out.getvalue()


def columns(text: str) -> dict[str, tuple[type, list[Any]]]:
    """The columns of a table in CSV, each with its type and its values; None for an empty cell.

    >>> columns("number,why,mean\\n1,3,0.5\\n2,,\\n")
    {'number': (<class 'int'>, [1, 2]), 'why': (<class 'str'>, ['3', None]), 'mean': (<class 'float'>, [0.5, None])}
    """
    head, *rows = csv.reader(io.StringIO(text))
    return {name: _typed(name, [row[k] or None for row in rows]) for k, name in enumerate(head)}


def _typed(name: str, cells: list[str | None]) -> tuple[type, list[Any]]:
    some = [cell for cell in cells if cell is not None]
    if name in TEXTS:
        return str, cells
    if some and set(some) <= set(_WORDS):
        return bool, [None if cell is None else _WORDS[cell] for cell in cells]
    for kind in (int, float):
        try:
            values = [None if cell is None else kind(cell) for cell in cells]
        except ValueError:
            continue
        if kind is float or all(abs(value) < 2**63 for value in values if value is not None):
            return (kind if some else float), values
    return str, cells


def _package() -> str | None:
    return next((name for name in ("pyarrow", "polars") if find_spec(name) is not None), None)
