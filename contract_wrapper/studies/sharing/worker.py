"""Who a worker is, and whether it is surely gone, as far as this machine can say.

A process that is on this machine is looked up: it is gone at once when it was killed, and never while it runs, however
slow its disk is. Of a worker elsewhere only its heartbeats tell (`heartbeat`).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_open_here: set[str] = set()
"""Workers of this process that are at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One worker: a process that takes trials of a study, or the part of one that does."""

    name: str
    """Machine, process, and a random part: no two workers have the same."""

    machine: str = ""
    """The running system and its set of process numbers; empty where they cannot be told."""

    pid: int = 0
    """Number of the process."""

    began: str = ""
    """When the process began, in ticks of its machine."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object) -> Worker:
        """Read what `to_dict` wrote; what is something else has an empty name."""
        if not isinstance(data, Mapping) or not all(isinstance(data.get(k), str) for k in ("name", "machine", "began")):
            return cls(name="")
        pid = data.get("pid")
        return cls(
            name=data["name"], machine=data["machine"], began=data["began"], pid=pid if isinstance(pid, int) else 0
        )

    def is_gone(self) -> bool | None:
        """Whether the worker surely ended; None if this machine cannot say."""
        if not self.machine or self.machine != machine():
            return None
        if self.pid == os.getpid() and self.began == _began(self.pid):
            return self.name not in _open_here
        return _began(self.pid) != self.began

    def leave(self) -> None:
        """Say that this worker, of this process, takes no more trials, and leaves those that it has."""
        _open_here.discard(self.name)


def begin() -> Worker:
    """Make a worker of this process."""
    pid = os.getpid()
    name = f"{socket.gethostname()}-{pid}-{secrets.token_hex(4)}"
    _open_here.add(name)
    return Worker(name=name, machine=machine(), pid=pid, began=_began(pid))


def machine() -> str:
    """Name the running system and its set of process numbers: two containers of one machine differ.

    Empty where the system does not tell (it is Linux that does).
    """
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    return ""


def _began(pid: int) -> str:
    """When a process of this machine began; empty if there is none, or it ended and is only not waited for."""
    with contextlib.suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    return ""
