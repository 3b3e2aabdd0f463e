"""Ctrl-C and SIGTERM: the first asks for a stop that keeps everything, the second ends the program at once.

The first raises KeyboardInterrupt where the program stands, which may be inside a callback of a library
whose exceptions Python ignores. So it also leaves a mark, and whatever begins work calls `check`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

EXIT_CODE = 130
"""Exit code of an interrupted program, as shells have it for SIGINT."""

ONE_SECONDS = 0.3
"""Signals that come within so long of the first are the same wish: `timeout -s INT` sends one to the program and one to its group."""

_asked = False
_asked_at = 0.0
_others: list[Callable[[], bool]] = []


def install() -> None:
    """Take over SIGINT and SIGTERM of this process; signals that are ignored stay so (a job in the background)."""
    global _asked
    _asked = False
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupted)


@contextlib.contextmanager
def noted() -> Iterator[None]:
    """In a call from a script or a notebook: Ctrl-C raises KeyboardInterrupt as ever, and also leaves the mark.

    Handlers that somebody set stay, and nothing is done outside of the main thread, which alone gets signals.
    """
    global _asked
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    _asked = False
    signal.signal(signal.SIGINT, _noted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _asked = False


def asked() -> bool:
    """Whether a stop was asked for."""
    return _asked or any(other() for other in _others)


@contextlib.contextmanager
def also(other: Callable[[], bool]) -> Iterator[None]:
    """In a worker, which gets no signals: a stop is also asked for while `other` says so."""
    _others.append(other)
    try:
        yield
    finally:
        _others.remove(other)


def check() -> None:
    """Raise KeyboardInterrupt if a stop was asked for; to be called before work is begun, and while waiting for it."""
    if asked():
        raise KeyboardInterrupt


def _noted(_signal: int, _frame: FrameType | None) -> None:
    global _asked
    _asked = True
    raise KeyboardInterrupt


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    global _asked, _asked_at
    if _asked and time.monotonic() - _asked_at < ONE_SECONDS:
        return
    if _asked:
        os.write(2, b"\nstopped at once; trainings go on from their last checkpoint when the same command is given\n")
        os._exit(EXIT_CODE)  # its workers see that it is gone, and stop
    _asked, _asked_at = True, time.monotonic()
    raise KeyboardInterrupt
