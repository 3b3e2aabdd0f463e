"""Files that are either whole or not there."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from contract_wrapper.errors import ContractsError


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically: a reader sees the old file or the new one, never half of one.

    Raises:
        ContractsError: the disk is full or the folder cannot be written; the old file is kept.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise ContractsError(
            f"cannot write {path}: {error.strerror or error}; free some space or choose another folder with --folder, "
            "then run the same command again"
        ) from error
