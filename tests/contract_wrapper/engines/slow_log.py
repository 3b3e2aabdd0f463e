"""A log that slows trainings down without a change of what they compute, and notes which process of which node does them.

Workers of a cluster import it.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract_wrapper.listeners.listener import TrainingRun


@dataclass(frozen=True)
class SlowLog:
    """Appends `node pid name first_step` to a file when a training begins, and sleeps after every vector episode."""

    file: Path
    seconds: float

    def begin(self, run: TrainingRun) -> "Slow":
        import ray

        node = ray.get_runtime_context().get_node_id()
        threads = os.environ.get("NUMBA_NUM_THREADS", "all")
        with self.file.open("a") as file:
            file.write(f"{node} {os.getpid()} {run.name} {run.first_step} {threads}\n")
        return Slow(self.seconds)

    def begun(self) -> list[tuple[str, ...]]:
        return [tuple(line.split()) for line in self.file.read_text().splitlines()] if self.file.exists() else []


class Slow:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_progress(self, step: int, scalars: Mapping[str, float]) -> None:
        time.sleep(self.seconds)

    def on_end(self, finished: bool) -> None: ...
