"""One line on how a run stands: redrawn on a terminal, printed now and then into a log."""

from __future__ import annotations

import time
from typing import TextIO

EVERY_SECONDS = 15.0
"""Pause between lines in a log file."""

STARTING = "starting ... (the first run after an install compiles for half a minute)"
"""What is said before the first round."""


def duration(seconds: float) -> str:
    """Seconds as `m:ss`, or `h:mm:ss` from an hour on.

    >>> duration(75)
    '1:15'
    """
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Progress:
    """Shows how many rounds of all games are played; no control characters unless the stream is a terminal."""

    def __init__(self, stream: TextIO, horizon: int, every: float = EVERY_SECONDS) -> None:
        self._stream, self._horizon, self._every = stream, horizon, every
        self._terminal = stream.isatty()
        self._began = self._last = time.monotonic()
        self._first = 0
        self._drawn = False

    def show(self, played: int) -> None:
        """Bring the line up to date (in a log: at most one per `every` seconds, and one at the end)."""
        now = time.monotonic()
        over = played >= self._horizon
        if played == 0:
            line = STARTING
        elif self._first == 0 and not over:  # what came before was compiling: time is taken from here
            self._began, self._first = now, played
            return
        elif now - self._last < (0.2 if self._terminal else self._every) and not over:
            return
        else:
            took = now - self._began
            rest = took * (self._horizon - played) / (played - self._first)
            line = f"round {played:,} of {self._horizon:,} ({100 * played // self._horizon} %), " + (
                f"took {duration(took)}" if over else f"{duration(rest)} left"
            )
        self._last = now
        if self._terminal:
            self._stream.write(("\x1b[1F\x1b[J" if self._drawn else "") + line + "\n")
            self._drawn = True
        else:
            self._stream.write(line + "\n")
        self._stream.flush()
