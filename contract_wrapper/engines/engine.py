"""Which engine does the tasks of a search or a landscape: processes of this machine, or a Ray cluster.

What comes of a task does not depend on it, so that work begun by one engine goes on by the other.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass

from contract_wrapper.errors import ContractsError, require_package, shown

PROCESSES, RAY = ENGINES = ("processes", "ray")
"""Names of the engines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Where tasks are done."""

    name: str = PROCESSES
    """`"processes"` of this machine, or `"ray"`: tasks of a Ray cluster (extra `cluster`)."""

    ray_address: str | None = dataclasses.field(default=None, metadata={"key": False})
    """HOST:PORT of the head of a Ray cluster that runs. None: a cluster of this machine alone, which is started and shut
    down again."""

    ray_memory: float | None = None
    """Memory in GB (10^9 bytes) that Ray keeps free for each task; None: it counts processors alone."""

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            raise ContractsError(f"the engine must be {' or '.join(ENGINES)}, got {shown(self.name)}")
        for field in ("ray_address", "ray_memory"):
            if self.name != RAY and getattr(self, field) is not None:
                raise ContractsError(f"{field} belongs to the engine ray, and the engine is {self.name}: choose ray")
        memory = self.ray_memory
        if self.ray_address is not None:
            self.place()
        if memory is not None and (
            isinstance(memory, bool) or not isinstance(memory, (int, float)) or not 0.0 < memory < math.inf
        ):
            raise ContractsError(f"ray_memory must be a number of GB above 0, got {shown(memory)}")

    def place(self) -> tuple[str, int]:
        """Host and port of the address.

        Raises:
            ContractsError: it is no HOST:PORT.
        """
        found = re.fullmatch(r"(\[[0-9A-Fa-f:]+\]|[^\s:/\[\]]+):(\d{1,5})", str(self.ray_address))
        if found is None or not 0 < int(found[2]) < 65536:
            raise ContractsError(
                f"ray_address must be HOST:PORT of a cluster's head, such as 10.0.0.1:6379, got {shown(self.ray_address)}"
            )
        return found[1].strip("[]"), int(found[2])

    def check_installed(self) -> None:
        """Raise MissingPackage if the engine's package is not installed; it is not loaded."""
        if self.name == RAY:
            require_package("ray", "cluster", "the engine ray")

    def usual_processes(self, usual: int) -> int:
        """Tasks at once where nobody says how many: on a cluster that runs, as many as it has room for."""
        from contract_wrapper.evaluation.worker_pool import MOST_PROCESSES

        return MOST_PROCESSES if self.ray_address is not None else usual


LOCAL = Engine()
"""Processes of this machine."""
