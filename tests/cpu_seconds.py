"""What each test costs, for `pytest --cpu-seconds FILE`: on a busy machine clock seconds say little."""

import os
import time
from collections.abc import Generator
from pathlib import Path

OPTION = "--cpu-seconds"


def spent() -> tuple[float, float, float]:
    """CPU seconds of this process, those of ended processes that it started, and the clock."""
    times = os.times()
    return times.user + times.system, times.children_user + times.children_system, time.monotonic()


def noted(test: str, file: Path) -> Generator[None, object, object]:
    """Around a test with its fixtures: append a line with these three numbers and its name to a file."""
    before = spent()
    result = yield
    numbers = [after - then for then, after in zip(before, spent(), strict=True)]
    with file.open("a") as lines:
        lines.write("\t".join([*(f"{number:.2f}" for number in numbers), test]) + "\n")
    return result
