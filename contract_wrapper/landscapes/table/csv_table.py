"""A landscape as CSV text: one row per contract."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from contract_wrapper.landscapes.bounds import FloatArray, Unit, standard_error

Measured = tuple[FloatArray, FloatArray]


def csv_table(
    columns: Mapping[str, Any],
    measured: Mapping[str, Measured],
    by_name: Mapping[str, tuple[Sequence[str], FloatArray, FloatArray]],
    last: Mapping[str, Any],
    unit: Unit,
) -> str:
    """Write K rows as CSV; numbers that do not exist are empty.

    Args:
        columns: first columns, (K,) each.
        measured: means of trainings and their errors over episodes, (S, K) each: two columns, `name` and `name_se`.
        by_name: the same for several names, (S, K, names): two columns for each, `utility_cleaner_0` and so on.
        last: last columns, (K,) each.
        unit: what the errors are over.
    """
    table: dict[str, Any] = dict(columns)
    for name, (values, errors) in measured.items():
        table[name], table[f"{name}_se"] = values.mean(axis=0), standard_error(values, errors, unit)
    for what, (names, values, errors) in by_name.items():
        for i, name in enumerate(names):
            column = f"{what}_{name}"
            table[column] = values[:, :, i].mean(axis=0)
            table[f"{column}_se"] = standard_error(values[:, :, i], errors[:, :, i], unit)
    table |= last
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*(map(_cell, column) for column in table.values()), strict=True))
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else float(f"{float(value):.6g}")
    return value
