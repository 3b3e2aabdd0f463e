"""Time the fishery of examples/11_fishery.py from an empty folder: environment, install, a stop, the rest, a report.

    python benchmarks/fishery_from_nothing.py

The example is copied into an empty folder and run there by a new virtual environment in which this checkout was
installed, as a user would. It is stopped as by Ctrl-C once it has begun to train, and then run again to its end. For
PyTorch's CPU build set PIP_EXTRA_INDEX_URL as README says; --requirement names what else pip is to take.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "11_fishery.py"
RESULT = ROOT / "benchmarks" / "results" / "fishery_from_nothing.txt"
STUDY = Path("studies") / "fishery"
STOP_AFTER = 5.0
"""Seconds of training after which the first run is stopped."""


def run(folder: Path, *command: str | Path) -> str:
    """What a command prints; raises SystemExit with its last lines if it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{Path(command[0]).name} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def stopped(folder: Path, python: Path) -> str:
    """Begin the example and stop it while it trains; it prints nothing here. Raises SystemExit if it ended before."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        [python, EXAMPLE.name],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while process.poll() is None and not (folder / STUDY / "study.sqlite3").exists():
        time.sleep(0.1)
    time.sleep(STOP_AFTER)
    process.send_signal(signal.SIGINT)
    if process.wait() == 0:
        raise SystemExit("the example ended before it was stopped: let it train for longer, or stop it earlier")
    return ""


def timed(what: str, step: Callable[[], str]) -> tuple[str, str, float]:
    """Run a step: a line with its seconds by the clock and of CPU, what it printed, and the seconds."""
    began, cpu = time.monotonic(), os.times()
    printed = step()
    took, now = time.monotonic() - began, os.times()
    used = now.children_user + now.children_system - cpu.children_user - cpu.children_system
    return f"{what:40} {took:6.0f} s by the clock, {used:6.0f} CPU-s", printed, took


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requirement", action="append", default=[], help="installed as well; may be repeated")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder, bin = Path(name), Path(name) / "env" / "bin"
        work = folder / "work"
        work.mkdir()
        shutil.copy(EXAMPLE, work)
        example = EXAMPLE.name
        steps: dict[str, Callable[[], str]] = {
            "virtual environment": lambda: run(folder, sys.executable, "-m", "venv", "env"),
            'pip install "cleanup-contracts[optimize]"': lambda: run(
                folder, bin / "pip", "install", "--quiet", *options.requirement, f"{ROOT}[optimize]"
            ),
            "the example, stopped while it trains": lambda: stopped(work, bin / "python"),
            "the same command again, to its end": lambda: run(work, bin / "python", example),
            "report": lambda: run(
                work, bin / "cleanup-contracts", "report", "--problem", f"{example}:PROBLEM", STUDY
            ),
        }  # fmt: skip
        lines, total, table = [], 0.0, ""
        for what, step in steps.items():
            line, printed, took = timed(what, step)
            print(line, file=sys.stderr, flush=True)
            lines.append(line)
            total += took
            table = printed if "again" in what else table
        lines.append(f"{'in all':40} {total:6.0f} s by the clock")
        lines.append(f"examples/{example}: {len(EXAMPLE.read_text().splitlines())} lines")
        command = " ".join(
            ["$ python benchmarks/fishery_from_nothing.py", *map("--requirement {}".format, options.requirement)]
        )
        text = "\n".join([command, *lines, "", table])
    RESULT.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
