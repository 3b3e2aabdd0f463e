"""What takes long to make, and is made once for all processes of a test run."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(name: str, make: Callable[[Path], object], temporary: pytest.TempPathFactory) -> Path:
    """A folder that `make` fills; of several processes that want it, one makes it and the others wait."""
    from filelock import FileLock

    base = temporary.getbasetemp()
    shared = (
        base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    )  # a process of pytest-xdist has a folder in it
    folder, making = shared / name, base / f"{name}-in-the-making"
    with FileLock(shared / f"{name}.lock"):
        if not folder.exists():
            making.mkdir()
            make(making)
            making.rename(folder)
    return folder
