"""Heartbeats: a worker records them while it works, and the others judge by them whether it lives.

No clocks are compared, of whichever machine: a worker is silent while what it recorded does not change, and it counts
as dead when that lasted for `GRACE_SECONDS` of the observer's own time. Between two looks only so much counts, so that
an observer that was itself held up (a laptop that slept, a slow disk) begins to believe nothing at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping

BEAT_SECONDS = 5.0
"""Pause between the heartbeats of a worker, and between its looks at those of others."""

GRACE_SECONDS = 120.0
"""Silence after which a worker that cannot be looked up counts as dead."""


class Watch:
    """Counts for how long others have been silent.

    >>> now = iter([0.0, 60.0, 120.0])
    >>> watch = Watch(grace=100.0, most=60.0, clock=lambda: next(now))
    >>> [watch.look({"trial 3": "12:00"}) for _ in range(3)]  # unchanged for 120 seconds
    [set(), set(), {'trial 3'}]
    """

    def __init__(
        self,
        grace: float = GRACE_SECONDS,
        most: float = 2 * BEAT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to watch.

        Args:
            grace: seconds of silence after which somebody counts as dead.
            most: seconds that count at most between two looks.
            clock: of the observer; it must not jump.
        """
        self._grace, self._most, self._clock = grace, most, clock
        self._silent: dict[Hashable, tuple[Hashable, float]] = {}
        self._last = -float("inf")
        self._one = threading.Lock()

    def look(self, signs: Mapping[str, Hashable]) -> set[str]:
        """Take what everybody recorded last; return who has been silent for too long. Who is missing is forgotten."""
        with self._one:
            now = self._clock()
            passed, self._last = min(now - self._last, self._most), now
            found: dict[Hashable, tuple[Hashable, float]] = {}
            for who, sign in signs.items():
                before, silent = self._silent.get(who, (None, 0.0))
                found[who] = (sign, silent + passed if before == sign else 0.0)
            self._silent = found
            return {who for who in signs if found[who][1] >= self._grace}

    def forget(self) -> None:
        """Begin anew: a look failed, so that nothing can be said of the time since the one before."""
        with self._one:
            self._silent = {}


class Beating:
    """A thread that does something every few seconds until it is stopped; what goes wrong in it is tried again."""

    def __init__(self, beat: Callable[[], None], every: float) -> None:
        """Start it."""
        self._beat, self._every, self._stop = beat, every, threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self._beat()

    def stop(self) -> None:
        """End it; what it does at the moment is waited for."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join()
