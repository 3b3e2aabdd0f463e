"""The file of a landscape: one sealed .npz of plain arrays, read with suspicion and without running anything of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.landscapes.table.fields import Form, sizes
from mtmfq.checkpoint import open_arrays, save_arrays
from mtmfq.interface import LearnerError

VERSION = 1
"""What a file says of its form; one without a version has the first."""


def write_fields(path: Path | str, fields: Mapping[str, Any], form: Form) -> None:
    """Write the fields of a landscape; an older file at `path` stays whole until the new one is on disk.

    Numbers are kept with 32 bits, those of contracts with 64.

    Raises:
        ContractsError: it cannot be written.
    """
    meta = {"version": VERSION, "about": dict(fields["about"]), **{name: fields[name] for name in form.lists}}
    arrays: dict[str, NDArray[Any]] = {
        name: fields[name].astype(np.int16 if name in form.whole else np.float64 if name == form.first else np.float32)
        for name in form.axes
    }
    try:
        save_arrays(Path(path), form.kind, meta, arrays)
    except (LearnerError, TypeError) as error:
        raise ContractsError(f"the landscape could not be written: {error}") from error


def read_fields(path: Path | str, form: Form) -> dict[str, Any]:
    """Read what `write_fields` wrote; whether the numbers make sense is for the landscape to check.

    Raises:
        ContractsError: the file is missing, damaged, cut short, of another form, or no landscape.
    """
    try:
        with open_arrays(Path(path), form.kind) as file:
            meta, damage = file.meta, _damage(file.meta, form.lists)
            fields: dict[str, Any] = {}
            if not damage:
                lists = {name: tuple(meta[name]) for name in form.lists}
                lengths = sizes(lists, n_contracts=file.length(form.first), n_tried=file.length("tried_at"))
                for name, axes in form.axes.items():
                    kind = np.float64 if name == form.first else np.int16 if name in form.whole else np.float32
                    read = file.read(name, kind, tuple(lengths[axis] for axis in axes), finite=False)
                    fields[name] = read.astype(np.int64 if name in form.whole else np.float64)
                fields |= {**lists, "about": meta.get("about")}
    except LearnerError as error:
        raise ContractsError(f"{Path(path)} is no landscape that can be used: {error}") from error
    if damage:
        raise ContractsError(f"{Path(path)} is no landscape that can be used: {damage}")
    return fields


def _damage(meta: object, lists: tuple[str, ...]) -> str:
    """What is wrong with the plain part of a file; empty: nothing."""
    if not isinstance(meta, dict):
        return f"what it says of itself is damaged, got {shown(meta)}"
    if meta.get("version", VERSION) != VERSION:
        return (
            f"it is of form {shown(meta['version'])}, and this version reads form {VERSION}: use the one that wrote it"
        )
    broken = next((name for name in lists if not isinstance(meta.get(name), list)), None)
    return "" if broken is None else f"its list of {broken} is damaged, got {shown(meta.get(broken))}"
