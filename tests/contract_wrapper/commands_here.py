"""Commands, workers and reports at little cost, for tests of something else.

Commands and workers run in the process of the tests, which has all imports: alone each would take seconds for them.
"""

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]
"""Runs a command of `cleanup-contracts`, given word by word, in the folder `cwd`."""


def put_workers_here(patch: pytest.MonkeyPatch) -> None:
    """Let one thread of this process do what a pool's worker processes would.

    Not for what is said of processes: that they are stopped or killed, must import something, or work at the same time.
    """
    from contract_wrapper.evaluation import worker_pool
    from contract_wrapper.listeners.listener import set_logs

    def pool(_processes: int, _context: Any, _begin: Any, arguments: tuple[Any, ...]) -> ThreadPoolExecutor:
        statuses, stop, logs, _ = arguments
        patch.setattr(worker_pool, "_statuses", statuses)
        patch.setattr(worker_pool, "_stop", stop)
        return ThreadPoolExecutor(1, initializer=set_logs, initargs=(logs,))

    patch.setattr(worker_pool, "ProcessPoolExecutor", pool)


def render_nothing(patch: pytest.MonkeyPatch) -> None:
    """Let reports draw all their figures, and write a few letters in place of each picture, which takes a second each."""
    patch.setattr("contract_wrapper.reports.page.file_content", lambda figure, _: f"{figure.get_label()}.".encode())


def command_here(capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> Command:
    """A function that runs a command in this process."""
    from contract_wrapper.cli import main

    def run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        patch.chdir(cwd or os.curdir)
        capsys.readouterr()
        try:
            code = main(list(words))
        except SystemExit as end:  # of argparse
            code = int(end.code or 0)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, said.out, said.err)

    return run
