"""Files that are made from a study: `trials.csv`, and `run.json` (configuration, seeds, versions, machine, time)."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contract_wrapper.command_runs import to_plain
from contract_wrapper.evaluation.by_crews.crew_folder import crews_seconds
from contract_wrapper.files import write_text
from contract_wrapper.studies.record import StudyRecord
from contract_wrapper.studies.running.stored import Configuration

OUTCOMES = "outcomes"
"""Folder of outcomes, learned policies, crews and checkpoints in a study's folder."""

WRITE_PAUSES = 10
"""Between two writings there are at least so many times as long as one takes, whichever worker of the folder writes."""


class StudyFiles:
    """The files of one study; they follow its database, more slowly where they are long."""

    def __init__(self, folder: Path) -> None:
        """Begin, without writing anything."""
        self._folder, self._behind = folder, False
        self._from, self._pause, self._seen = -float("inf"), 0.0, self._mark()

    def follow(self, record: Callable[[], StudyRecord], *, at_once: bool = False) -> None:
        """Write the files if the study has changed, now or after a while; `at_once`: what was put off is written now."""
        self._behind |= not at_once
        seen = self._mark()
        if seen != self._seen:  # another worker wrote them just now
            self._seen, self._from = seen, time.monotonic() + self._pause
        if self._behind and (at_once or time.monotonic() >= self._from):
            self.write(record())

    def write(self, record: StudyRecord) -> None:
        """Write the files; errors as in `files.write_text`."""
        began = time.monotonic()
        write_text(self._folder / "run.json", json.dumps(run_of(record), indent=2) + "\n")
        write_text(self._folder / "trials.csv", record.to_csv())
        self._behind, self._seen, now = False, self._mark(), time.monotonic()
        self._pause = WRITE_PAUSES * (now - began)
        self._from = now + self._pause

    def _mark(self) -> tuple[int, int] | None:
        """What changes when anybody writes the table; no clocks are compared."""
        try:
            found = (self._folder / "trials.csv").stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


def run_of(record: StudyRecord) -> dict[str, Any]:
    """What the file holds."""
    configuration = Configuration(evaluation=record.settings, search=record.search)
    crews = {} if record.settings.crews is None else crews_seconds(record.folder / OUTCOMES, record.settings)
    return {
        "configuration": configuration.to_dict(),
        "commands": to_plain(record.commands),
        "versions": record.settings.versions(),
        "machine": {
            "system": platform.system(), "kind": platform.machine(), "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "seeds": {str(t.number): t.seed for t in record.trials},
        "crews_cpu_seconds": {str(seed): seconds for seed, seconds in crews.items()},
        "cpu_seconds": sum(crews.values()) + sum(t.outcome.cpu_seconds for t in record.trials if t.outcome is not None),
    }  # fmt: skip
