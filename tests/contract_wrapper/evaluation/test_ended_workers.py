"""SIGTERM to a worker, alone or with its parent, as `timeout` and cluster schedulers send it: checkpoints, and no word more."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("signals of POSIX", allow_module_level=True)

PROGRAM = """
import os, sys, time
from dataclasses import dataclass
from pathlib import Path

from contract_wrapper import program
from contract_wrapper.evaluation.evaluate import EvaluationStopped
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.worker_pool import working


@dataclass(frozen=True)
class Patience:
    number: int
    reads: tuple = ()

    def do(self, settings, folder, on_progress, should_stop):
        (folder / f"begun-{self.number}").write_text(str(os.getpid()))
        while not should_stop():
            time.sleep(0.02)
        (folder / f"checkpoint-{self.number}").touch()
        raise EvaluationStopped("stopped")


def main():
    with working(2) as workers:
        tasks = [Patience(number=k) for k in range(4)]  # two of them wait
        workers.run(tasks, EvaluationSettings(), Path.cwd(), lambda *_: None, lambda _: None, lambda: None)


if __name__ == "__main__":
    sys.exit(program.run(main, "patience"))
"""


def wait_for(condition: object, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("whom", ["all of them", "a worker"])
def test_a_worker_that_is_told_to_end_stops_with_a_checkpoint(tmp_path: Path, whom: str) -> None:
    (tmp_path / "patience.py").write_text(PROGRAM)
    root = Path(__file__).resolve().parents[3]
    path = os.pathsep.join([str(root), str(root / "agents")])
    process = subprocess.Popen(
        [sys.executable, "patience.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(lambda: len([p for p in tmp_path.glob("begun-*") if p.read_text()]) == 2 or process.poll() is not None)
        if whom == "a worker":
            os.kill(int((tmp_path / "begun-0").read_text()), signal.SIGTERM)
        else:
            os.killpg(process.pid, signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130, said
    begun, kept = (sorted(p.name[-1] for p in tmp_path.glob(what)) for what in ("begun-*", "checkpoint-*"))
    assert kept == begun  # also a task that was at hand when the first one ended
    assert {"0", "1"} <= set(kept)
    assert "Traceback" not in said
