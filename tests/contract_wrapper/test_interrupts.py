"""A first interrupt is never lost, a second one always ends the program, and no worker outlives a killed parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from process_table import descendants, environment, running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

SWALLOWING = """
import os, signal, time, weakref
from contract_wrapper import interrupts

class Thing: pass

interrupts.install()
thing = Thing()
reference = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGINT))
del thing  # the callback's KeyboardInterrupt is ignored by Python
time.sleep(0.5)
"""


def python(program: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload, no-any-return]


def test_an_interrupt_that_a_library_swallows_is_seen_where_work_is_begun() -> None:
    result = python(SWALLOWING + "print('goes on')\ninterrupts.check()")
    assert "goes on" in result.stdout
    assert "KeyboardInterrupt" in result.stderr.strip().splitlines()[-1]
    assert result.returncode != 0


def test_a_second_interrupt_ends_the_program_whatever_it_does() -> None:
    program = (
        SWALLOWING + "try:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept BaseException: pass\nprint('not reached')"
    )
    result = python(program)
    assert result.returncode == 130
    assert "not reached" not in result.stdout
    assert "last checkpoint" in result.stderr


def test_signals_that_come_together_are_one_wish() -> None:
    """As `timeout -s INT` sends them: to the program, and to its group."""
    program = (
        "import os, signal, time\nfrom contract_wrapper import interrupts\ninterrupts.install()\n"
        "for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):\n"
        "    try:\n        os.kill(os.getpid(), number)\n        time.sleep(0.01)\n    except KeyboardInterrupt: pass\n"
        "print('a checkpoint', interrupts.asked())"
    )
    result = python(program)
    assert (result.returncode, result.stdout) == (0, "a checkpoint True\n")


def test_the_command_line_ends_with_130_if_its_interrupt_was_swallowed(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, weakref\nfrom contract_wrapper import cli\n"
        "class Thing: pass\n"
        "def swallow(options, output):\n"
        "    thing = Thing()\n"
        "    reference = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGINT))\n"
        "    del thing\n"
        "    return 0\n"
        "cli.show.report = swallow\n"
        "sys.exit(cli.main(['report', 'study']))"
    )
    assert python(program, cwd=tmp_path).returncode == 130


def test_an_interrupt_that_is_ignored_from_outside_stays_ignored() -> None:
    program = (
        "import os, signal\nfrom contract_wrapper import interrupts\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\ninterrupts.install()\n"
        "os.kill(os.getpid(), signal.SIGINT)\ninterrupts.check()\nprint('goes on')"
    )
    assert python(program).stdout == "goes on\n"


WORKING = """
import sys, time
from contract_wrapper.evaluation.worker_pool import working

if __name__ == "__main__":
    with working(2) as workers:
        [workers.pool._executor.submit(time.sleep, 600) for _ in range(2)]
        print("begun", flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize(
    ("delay", "round_"),
    [
        pytest.param(delay, k, marks=() if k == 0 and delay in (0.0, 0.5, 2.0) else pytest.mark.slow)
        for delay in (0.0, 0.2, 0.5, 1.0, 2.0)
        for k in range(4)
    ],
)
def test_workers_end_when_their_parent_is_killed_while_they_start(tmp_path: Path, delay: float, round_: int) -> None:
    script = tmp_path / "begin.py"
    script.write_text(WORKING)
    parent = subprocess.Popen([sys.executable, script], env=environment(), stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "begun\n"
    time.sleep(delay + 0.05 * round_)
    children = descendants(parent.pid)
    assert len(children) >= 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 60
    while children & running() and time.monotonic() < until:
        time.sleep(0.1)
    left = children & running()
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == set()


def test_an_interrupt_in_a_call_from_a_script_is_seen_although_it_was_swallowed_and_forgotten_afterwards() -> None:
    code = """
import os, signal
from contract_wrapper import interrupts

class Swallows:
    def __del__(self):  # Python ignores what is raised here
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000): pass

signal.signal(signal.SIGINT, signal.default_int_handler)
with interrupts.noted():
    Swallows()
    print(interrupts.asked())
    try:
        interrupts.check()
    except KeyboardInterrupt:
        print("stopped")
print(interrupts.asked(), signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.split() == ["True", "stopped", "False", "True"], ran.stderr
