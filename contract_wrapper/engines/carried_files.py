"""Files that travel with a task, where the machine that does it does not see the folder of the study or landscape."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from contract_wrapper.errors import ContractsError
from contract_wrapper.files import make_folder, write_bytes

Files = Mapping[str, bytes]
"""Path relative to a folder, with slashes -> content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A result, and the files that came about with it."""

    result: Any
    """What the task returned."""

    files: Files
    """What it left in its folder."""


def read_files(folder: Path, patterns: Sequence[str]) -> dict[str, bytes]:
    """Files of a folder whose paths fit one of some glob patterns; hidden ones (locks, half-written files) are left out."""
    found = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
    names = [path.relative_to(folder) for path in found]
    return {
        name.as_posix(): (folder / name).read_bytes()
        for name in names
        if not any(part.startswith(".") for part in name.parts)
    }


def write_files(folder: Path, files: Files) -> None:
    """Write files into a folder, each at once or not at all.

    Raises:
        ContractsError: a path leads out of the folder, or it cannot be written.
    """
    for name, content in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise ContractsError(f"a task sent the file {name!r}, which is not in its folder")
        make_folder((folder / path).parent)
        write_bytes(folder / path, content)


@contextmanager
def unpacked(files: Files) -> Iterator[Path]:
    """Have files in a folder of this machine while a block runs."""
    with tempfile.TemporaryDirectory(prefix="cleanup-contracts-") as name:
        write_files(Path(name), files)
        yield Path(name)


def came_about(folder: Path, before: Files) -> dict[str, bytes]:
    """Files of a folder that are new, or differ from before."""
    return {name: content for name, content in read_files(folder, ("**/*",)).items() if before.get(name) != content}
