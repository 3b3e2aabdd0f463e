"""How an input is tried: what counts as an answer, and what as a fault.

A target makes one input from a random stream and tries it. It answers "accepted" or "refused"; everything else is a
fault: an exception that is not the package's own, a wrong thing accepted (AssertionError), no answer within
`SECONDS`, or more than `BYTES` of memory.
"""

from __future__ import annotations

import faulthandler
import io
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SECONDS, BYTES = 20, 2 * 2**30
"""An input that takes longer hangs; one that takes more memory than this beyond the imports is too large."""

Target = Callable[[np.random.Generator, Path], str]
"""(random stream, an empty folder) -> "accepted" or "refused"."""


class TooSlow(BaseException):
    """No answer in time; nothing of the package catches it."""


@dataclass
class Report:
    """What became of the inputs of one target."""

    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0


def generator(seed: int, name: str, number: int) -> np.random.Generator:
    """Random stream of one input: the same for the same seed, target and number."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), number])


def try_one(target: Target, name: str, seed: int, number: int) -> tuple[str, str]:
    """Try one input: its answer, or "fault" and what happened."""

    def too_slow(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(SECONDS)
    home = os.getcwd()
    try:
        with tempfile.TemporaryDirectory() as folder:
            try:
                answer = target(generator(seed, name, number), Path(folder))
            finally:
                os.chdir(home)
        return (answer, "") if answer in ("accepted", "refused") else ("fault", f"answered {answer!r}")
    except TooSlow:
        return "fault", f"no answer in {SECONDS} s:\n{traceback.format_exc()}"
    except BaseException:
        return "fault", traceback.format_exc()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def run_target(target: Target, name: str, seed: int, numbers: range) -> Report:
    """Try inputs in a process of their own, begun again where one kills it."""
    report = Report()
    context = multiprocessing.get_context("fork")
    start = numbers.start
    while start < numbers.stop:
        mine, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_work, args=(theirs, target, name, seed, range(start, numbers.stop)))
        child.start()
        theirs.close()
        number = start - 1
        try:
            while True:
                number, answer, what, took = mine.recv()
                report.answers[answer] += 1
                report.slowest = max(report.slowest, took)
                if answer == "fault":
                    report.faults.append(f"{name}, seed {seed}, input {number}: {what}")
        except EOFError:
            child.join()
        start = number + 1
        if start < numbers.stop:  # it died in this input: compiled code that hangs, or memory
            report.answers["fault"] += 1
            report.faults.append(f"{name}, seed {seed}, input {start}: the process ended with {child.exitcode}")
            start += 1
    return report


def _work(pipe: Any, target: Target, name: str, seed: int, numbers: range) -> None:
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
    used = _address_space() + BYTES
    resource.setrlimit(resource.RLIMIT_AS, (used, used))
    for number in numbers:
        faulthandler.dump_traceback_later(SECONDS + 10, exit=True, file=sys.__stderr__)
        began = time.monotonic()
        pipe.send((number, *try_one(target, name, seed, number), time.monotonic() - began))
    faulthandler.cancel_dump_traceback_later()
    pipe.close()
    os._exit(0)


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
