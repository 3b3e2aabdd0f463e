"""Files that are either whole or not there, and that are read no further than they may be long."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from contract_tree.errors import TreeError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside `path` and put it in its place; the folder is made if need be, an older file is kept.

    Raises:
        TreeError: the disk is full, or the folder cannot be written.
    """
    if "\0" in str(path):
        raise TreeError(f"no file can be called {str(path)!r}: leave out the zero byte")
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise TreeError(
            f"cannot write {path}: {error.strerror or error}; free some space, make its folder writable or choose "
            "another folder"
        ) from error


def read_limited(path: Path, most: int) -> bytes:
    """Read a file of at most so many bytes.

    Raises:
        TreeError: it is longer. OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise TreeError(f"{path} is longer than {most:,} bytes: it is no file of the kind that is read here")
    return content
