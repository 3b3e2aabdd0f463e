"""Files that are either whole or not there, that say what they are, and that lie where they should."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from contract_wrapper.errors import ContractsError, shown


def make_folder(folder: object) -> Path:
    """Return a folder as a path, after making it, and those above it, if need be.

    Raises:
        ContractsError: it is no path, or cannot be made.
    """
    if not isinstance(folder, (str, Path)):
        raise ContractsError(f"a folder must be a path, got {shown(folder)}")
    try:
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: names that no system has
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ContractsError(
            f"cannot make the folder {shown(str(folder))}: {why}; choose another with --folder"
        ) from error
    return path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the name of a file beside `path` to write; it takes the place of `path` once it is whole.

    A reader sees the old file or the new one, never half of one; the folder is made if need be.

    Raises:
        ContractsError: the disk is full or the folder cannot be written; the old file is kept.
    """
    if "\0" in str(path):
        raise ContractsError(f"no file can be called {shown(str(path))}: leave out the zero byte")
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


def inside(folder: Path, name: str) -> Path:
    """Path of a file directly in `folder`, for names that stand in files and may have been edited.

    Raises:
        ContractsError: the name is empty, or would lead out of the folder or deeper into it.
    """
    if not isinstance(name, str) or name in ("", ".", "..") or not name.isprintable() or set(name) & set("/\\:"):
        raise ContractsError(f"{name!r:.80} is no name of a file in {folder}: what names it was damaged or edited")
    return folder / name


MOST_JSON_BYTES = 16 << 20
"""Largest sealed file that is read."""


def write_sealed(path: Path, kind: str, content: Mapping[str, Any]) -> None:
    """Write plain values as JSON, with what they are and a hash that finds damage and edits by hand.

    Raises:
        ContractsError: as in `replacing`.
    """
    write_text(path, sealed_text(kind, content))


def sealed_text(kind: str, content: Mapping[str, Any]) -> str:
    """What `write_sealed` writes."""
    values = json.loads(json.dumps(content))
    return json.dumps({"kind": kind, "sha256": seal(kind, values), "content": values}, indent=1) + "\n"


def read_sealed(path: Path, kind: str) -> dict[str, Any]:
    """Read what `write_sealed` wrote as the same kind.

    Raises:
        ContractsError: the file is missing, unreadable, damaged, edited, or of another kind.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_JSON_BYTES + 1)
    except OSError as error:
        raise ContractsError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        if len(text) > MOST_JSON_BYTES:
            raise ValueError("too large")
        sealed = json.loads(text)
        found, hashed, content = sealed["kind"], sealed["sha256"], sealed["content"]
        whole = isinstance(content, dict) and hashed == seal(found, content)
    except (ValueError, LookupError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise ContractsError(f"{path} was cut short, damaged or edited: restore a copy, or delete it")
    if found != kind:
        raise ContractsError(f"{path} is a file of kind {found!r:.80}, but one of kind {kind!r} is needed")
    return dict(content)


def seal(kind: str, content: Any) -> str:
    """Return a hash of plain data of some kind, the same before and after a trip through JSON."""
    return hashlib.sha256(json.dumps([kind, content], sort_keys=True).encode()).hexdigest()
