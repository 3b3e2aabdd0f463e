"""One interface for everybody who wants to follow trainings, and the block in which trainings tell it.

    with log_trainings(TensorBoardLog(folder="runs")):
        evaluate(contract)

Whatever is trained inside the block, here or in the worker processes that are started in it, opens a listener of its
own and tells it scalars after every vector episode. Listening changes nothing of what is computed, and an outcome that
is only read from its file tells nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from contract_wrapper.errors import ContractsError, shown

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """Which training is told of."""

    name: str
    """What is trained, its seed, and a short hash of `settings`, such as `tax0.3-cleaners5-seed0-1f8a33`: letters,
    digits, `.`, `-` and `_` alone."""

    settings: Mapping[str, Any]
    """All that determines the training, as plain values for JSON."""

    first_step: int
    """Episodes at which it is told of first; above one vector episode for a training that goes on from a checkpoint."""


class TrainingListener(Protocol):
    """Who is told of one training."""

    def on_progress(self, step: int, scalars: Mapping[str, float]) -> None:
        """Hear how the training stands.

        Args:
            step: episodes finished, over all games; it grows from call to call.
            scalars: finite numbers by name: `return/ROLE` and `return/all` (utility per episode, in apples; of
                crews for all contracts `return/3_cleaners/ROLE`), `temperature`, `loss`, `updates`, `cpu_seconds`.
                What there is not yet, or not in this learner, is left out.
        """
        ...

    def on_end(self, finished: bool) -> None:
        """Hear that no more comes; `finished`: the training was not stopped and did not fail."""
        ...


@runtime_checkable
class TrainingLog(Protocol):
    """Where trainings are told of: opens a listener for each. One that worker processes are to use can be pickled."""

    def begin(self, run: TrainingRun) -> TrainingListener:
        """Open the listener of a training that begins, in the process that trains it."""
        ...


_logs: ContextVar[tuple[TrainingLog, ...]] = ContextVar("trainings_are_told_to", default=())


def current_logs() -> tuple[TrainingLog, ...]:
    """Return the logs that trainings begun here and now are told to."""
    return _logs.get()


def set_logs(logs: Sequence[TrainingLog]) -> None:
    """Let all trainings of this process be told to some logs from now on, as worker processes do."""
    _logs.set(tuple(logs))


@contextmanager
def log_trainings(*logs: TrainingLog) -> Iterator[None]:
    """Let all trainings that begin inside the block tell how they stand, in addition to those of blocks around it.

    What a listener raises is a warning, once, and its training goes on without it: a training of an hour is not lost
    to a full disk or a network that is away.

    Args:
        logs: such as `TensorBoardLog(folder="runs")`; none: nothing changes.

    Raises:
        ContractsError: one of them is no log; or, at once, what a log needs is not installed (its method `check`).
    """
    for it in logs:
        if not isinstance(it, TrainingLog):
            raise ContractsError(
                f"a log of trainings has a method begin(run), such as TensorBoardLog(folder='runs'), got {shown(it)}"
            )
        check = getattr(it, "check", None)
        if check is not None:
            check()
    token = _logs.set((*_logs.get(), *logs))
    try:
        yield
    finally:
        _logs.reset(token)


Tell = Callable[[Any], None]
"""What a training calls with its `mtmfq.TrainProgress`."""


@contextmanager
def told(
    on_progress: Tell | None, name: str, settings: Mapping[str, Any], roles: Sequence[str],
    part: Callable[[Any], str] | None = None,
) -> Iterator[Tell | None]:  # fmt: skip
    """Give what a training is to call: `on_progress` itself, or with logs around, one that tells them, too.

    Args:
        on_progress: who wants to know in any case.
        name: what is trained, and its seed.
        settings: all that determines the training, as plain values.
        roles: names of the types, in the order of the returns.
        part: where games take turns, which of them a `TrainProgress` is about.
    """
    logs = current_logs()
    if not logs:
        yield on_progress
        return
    teller = _Teller(on_progress, logs, name, settings, roles, part)
    try:
        yield teller
    finally:
        teller.end()


class _Teller:
    """Tells one training to a callback and to a listener of each log."""

    def __init__(
        self, on_progress: Tell | None, logs: Sequence[TrainingLog], name: str, settings: Mapping[str, Any],
        roles: Sequence[str], part: Callable[[Any], str] | None,
    ) -> None:  # fmt: skip
        self._on_progress, self._logs, self._roles, self._part = on_progress, logs, roles, part
        self._name, self._settings = f"{plain_name(name)}-{_digest(settings)}", settings
        self._listeners: list[TrainingListener] | None = None
        self._finished = False

    def __call__(self, p: Any) -> None:
        if self._listeners is None:
            run = TrainingRun(name=self._name, settings=self._settings, first_step=int(p.episode))
            self._listeners = []
            for place in self._logs:
                self._try(place, lambda place=place: self._listeners.append(place.begin(run)))  # type: ignore[misc,union-attr]
        self._finished = p.episode >= p.episodes
        scalars = scalars_of(p, self._roles, "" if self._part is None else self._part(p))
        for it in list(self._listeners):
            if not self._try(it, lambda it=it: it.on_progress(int(p.episode), scalars)):  # type: ignore[misc]
                self._listeners.remove(it)
        if self._on_progress is not None:
            self._on_progress(p)

    def end(self) -> None:
        """Close all listeners."""
        for it in self._listeners or ():
            self._try(it, lambda it=it: it.on_end(self._finished))  # type: ignore[misc]

    def _try(self, who: object, what: Callable[[], None]) -> bool:
        try:
            what()
        except Exception as error:
            log.warning(
                "the training %s goes on without %s: %s: %s",
                self._name,
                type(who).__name__,
                type(error).__name__,
                error,
            )
            return False
        return True


def scalars_of(p: Any, roles: Sequence[str], part: str = "") -> dict[str, float]:
    """Return the finite numbers of a `mtmfq.TrainProgress` by name.

    >>> from types import SimpleNamespace
    >>> now = SimpleNamespace(returns=[3.0, 0.5], total=3.5, temperature=2.0, loss=float("nan"), updates=0, cpu_seconds=1.5)
    >>> scalars_of(now, ("harvester", "cleaner"))["return/harvester"], "loss" in scalars_of(now, ())
    (3.0, False)
    """
    where = f"return/{part}/" if part else "return/"
    named = {f"{where}{role}": float(value) for role, value in zip(roles, p.returns, strict=False)}
    rest = {f"{where}all": p.total, "temperature": p.temperature, "loss": p.loss}
    rest |= {"updates": p.updates, "cpu_seconds": p.cpu_seconds}
    return {name: float(value) for name, value in {**named, **rest}.items() if math.isfinite(value)}


def plain_name(text: str) -> str:
    """Text as part of a name of a run or folder.

    >>> plain_name("learned anew: tax 0.3")
    'learned_anew__tax_0.3'
    """
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in ".-_") else "_" for letter in text)


def _digest(settings: Mapping[str, Any]) -> str:
    """Six letters by which trainings of the same name and other settings are told apart."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:6]
