"""One process per folder: a second command on the same study or landscape is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from contract_wrapper.errors import ContractsError, require_package

if TYPE_CHECKING:
    from filelock import FileLock


def lock_folder(folder: Path) -> FileLock:
    """Hold a folder for this process; the lock goes with the process.

    Raises:
        ContractsError: another process holds it, it cannot be written, or the package that locks is not installed.
    """
    require_package("filelock", "search", "a study or landscape on disk")
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ContractsError(
            f"another process is working in the folder {folder}: wait for it, or choose another --folder"
        ) from error
    except OSError as error:
        raise ContractsError(
            f"cannot write to the folder {folder}: {error.strerror or error}; choose another with --folder"
        ) from error
    return lock
