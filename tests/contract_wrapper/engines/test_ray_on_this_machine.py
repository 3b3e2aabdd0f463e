"""A Ray cluster that is started for a search: it goes with the search, however that ends, and the study goes on without it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from process_table import descendants, environment, running
from slow_log import SlowLog
from test_ray_engine import SHORT, TINY, untimed, wait_until

from contract_wrapper import optimize
from contract_wrapper.studies.study import read_study

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")]

SEARCH = """
import sys
from pathlib import Path
from slow_log import SlowLog
from test_ray_engine import SHORT, TINY
from contract_wrapper import interrupts, log_trainings, optimize

if __name__ == "__main__":
    interrupts.install()
    with log_trainings(SlowLog(Path("log"), float(sys.argv[1]))):
        optimize(TINY, SHORT, folder="study", engine="ray", processes=2)
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Searches that are ended, with all that they started, when the test is over."""
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for search in found:
        search.kill()
        search.wait()


def begin(folder: Path, seconds: float) -> subprocess.Popen[bytes]:
    script = folder / "search.py"
    script.write_text(SEARCH)
    path = os.pathsep.join(sys.path)
    command = [sys.executable, str(script), str(seconds)]
    return subprocess.Popen(command, cwd=folder, env={**environment(), "PYTHONPATH": path}, start_new_session=True)


def ended(processes: set[int], seconds: float = 90.0) -> set[int]:
    """Those of some processes that still run after a while."""
    until = time.monotonic() + seconds
    while processes & running() and time.monotonic() < until:
        time.sleep(0.2)
    return processes & running()


def test_a_cluster_ends_with_a_search_that_is_killed_or_interrupted_and_processes_finish_the_study(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    log = SlowLog(tmp_path / "log", 1.0)
    for name, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 1)):
        before = len(log.begun())
        search = begin(tmp_path, 1.0)
        started.append(search)
        wait_until(lambda before=before: len(log.begun()) > before)
        time.sleep(3.0)
        its = descendants(search.pid)
        assert len(its) > 3, "no cluster runs"
        if name is signal.SIGKILL:
            search.kill()
        else:
            os.killpg(search.pid, signal.SIGINT)  # as Ctrl-C in a terminal: everything in front gets it
        assert search.wait(timeout=180) in (code, -signal.SIGINT)
        assert ended(its) == set()
    assert list((tmp_path / "study" / "outcomes").glob("*.training.npz")), "stopped without a checkpoint"
    assert not any(t.is_finished for t in read_study(tmp_path / "study").trials)
    record = optimize(TINY, SHORT, folder=tmp_path / "study")
    assert untimed(record) == untimed(optimize(TINY, SHORT, folder=tmp_path / "here"))


def test_a_cluster_of_this_machine_finishes_what_processes_began(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    begun = optimize(TINY, SHORT.__class__(n_initial=3, n_search=0, n_confirm=0), folder=tmp_path / "study")
    assert len(begun.trials) == 4
    search = begin(tmp_path, 0.0)
    started.append(search)
    assert search.wait(timeout=300) == 0
    record = read_study(tmp_path / "study")
    assert len(record.trials) == 5
    assert untimed(record) == untimed(optimize(TINY, SHORT, folder=tmp_path / "here"))
    assert len({threads for *_, threads in SlowLog(tmp_path / "log", 0.0).begun()} - {"1"}) == 0
