"""Which processes run, the environment in which a test starts one, and how it waits for one."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def environment() -> dict[str, str]:
    """Environment of a child that imports this checkout and keeps to one thread."""
    root = Path(__file__).parents[1]
    path = os.pathsep.join([str(root), str(root / "agents"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def parents() -> dict[int, int]:
    """Parent of every process that runs, by number; those that have ended and were not reaped yet apart."""
    if not Path("/proc/self/stat").exists():
        rows = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
        lines = [(int(pid), int(ppid), state) for pid, ppid, state in map(str.split, rows.splitlines())]
    else:
        lines = []
        for file in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it ends while we look
                state, ppid = file.read_text().rpartition(")")[2].split()[:2]
                lines.append((int(file.parent.name), int(ppid), state))
    return {pid: ppid for pid, ppid, state in lines if not state.startswith("Z")}


def running() -> set[int]:
    """Numbers of all processes that run."""
    return set(parents())


def descendants(pid: int) -> set[int]:
    """Numbers of the children of a process, their children, and so on."""
    table, found = parents(), {pid}
    while more := {child for child, parent in table.items() if parent in found} - found:
        found |= more
    return found - {pid}


def wait_until(true: Callable[[], object], seconds: float = 300.0) -> None:
    """Wait until something is true; a test fails where it never is."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.05)
