"""Two lines on how a long job stands: redrawn on a terminal, printed now and then into a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

EVERY_SECONDS = 15.0
"""Pause between lines in a log file."""

DRAWN_SECONDS, MADE_SECONDS = 0.2, 2.0
"""Pause between lines on a terminal, and between two makings of lines for a log, which are seldom printed."""


STARTING = "starting ..."
"""What is said before the first training reports."""

COMPILING = f"{STARTING} (the first run after an install compiles the game and the learner: half a minute)"
"""What is said instead where that takes long."""

LONG_SECONDS = 10.0
"""Seconds after which it takes long: processes that start and load their libraries take less."""


def duration(seconds: float) -> str:
    """Seconds as `m:ss`, or `h:mm:ss` from an hour on.

    >>> duration(75)
    '1:15'
    """
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Pace:
    """How long a job still takes, if it goes on as it went since this was made.

    >>> seconds = iter([0.0, 60.0])
    >>> pace = Pace(10.0, clock=lambda: next(seconds))
    >>> pace.left(done=12.0, total=20.0)  # 2 in a minute, and 8 to go
    '4:00'
    """

    def __init__(self, done: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began, self._before, self._started = clock, clock(), done, False

    @property
    def started(self) -> bool:
        """Whether it has begun."""
        return self._started

    def start(self, done: float) -> bool:
        """Begin now, at the first sign of work: what came before, processes that start, says nothing of its speed.

        Returns:
            Whether it had not begun; later calls change nothing.
        """
        if self._started:
            return False
        self._started, self._began, self._before = True, self._clock(), done
        return True

    def regain(self, work: float) -> None:
        """Count work as there from the beginning: what a stopped training goes on from."""
        self._before += work

    def left(self, done: float, total: float) -> str:
        """Say how long it takes from `done` to `total`; "?" while that cannot be told."""
        spent, here = self._clock() - self._began, done - self._before
        return duration((total - done) * spent / here) if here > 0 and spent > 3 else "?"


class Progress:
    """Shows a few lines at the bottom of a stream; no control characters unless it is a terminal."""

    def __init__(
        self, stream: TextIO, every: float = EVERY_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._every, self._clock = stream, every, clock
        self._waiting_from = self._waited_at = -float("inf")
        self._terminal = stream.isatty()
        self._drawn = 0
        self._last = self._made = -float("inf")

    def show(self, lines: list[str] | Callable[[], list[str]]) -> None:
        """Bring the lines up to date (in a log: at most one set per `every` seconds).

        Args:
            lines: what is shown, or what makes it, which is asked every few seconds at most.
        """
        now = self._clock()
        if callable(lines):
            if now - self._made < (DRAWN_SECONDS if self._terminal else MADE_SECONDS):
                return
            self._made, lines = now, lines()
        if now - self._last < (DRAWN_SECONDS if self._terminal else self._every):
            return
        self._last = now
        if self._terminal:
            self._erase()
            width = _width()
            for line in lines:
                self._stream.write(line[: width - 1] + "\n")
            self._drawn = len(lines)
        else:
            self._stream.write("\n".join(lines) + "\n")
        self._stream.flush()

    def starting(self) -> str:
        """Say that nothing has reported yet, and after a while why that may be; asked again and again while it is so."""
        now = self._clock()
        if now - self._waited_at > LONG_SECONDS / 2:  # it was not so a moment ago
            self._waiting_from = now
        self._waited_at = now
        return COMPILING if now - self._waiting_from >= LONG_SECONDS else STARTING

    def say(self, text: str) -> None:
        """Print something that stays, above the lines."""
        self._erase()
        self._stream.write(text + "\n")
        self._stream.flush()

    def _erase(self) -> None:
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}F\x1b[J")
            self._drawn = 0


def _width() -> int:
    import shutil

    return shutil.get_terminal_size().columns
