"""Files that are either whole or not there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from contract_wrapper.errors import ContractsError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the name of a file beside `path` to write; it takes the place of `path` once it is whole.

    A reader sees the old file or the new one, never half of one; the folder is made if need be.

    Raises:
        ContractsError: the disk is full or the folder cannot be written; the old file is kept.
    """
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise ContractsError(
            f"cannot write {path}: {error.strerror or error}; free some space, make its folder writable or choose "
            "another place, then run the same command again"
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) as a whole; errors as in `replacing`."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file as a whole; errors as in `replacing`."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)
