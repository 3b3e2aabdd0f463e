"""Where a command says what: results on stdout, progress on stderr, or one JSON document and nothing else on stdout."""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from contract_wrapper.commands.documents import document, to_json
from contract_wrapper.listeners.listener import TrainingListener, TrainingRun, current_logs, set_logs

WIDTH = 80
"""Characters to which lines of text are folded; tables fit into them."""

_NOT_TOLD = ("run", "command", "quiet", "verbose", "json", "given", "words")


@dataclass(slots=True, kw_only=True)
class Output:
    """What a command says, and how much of it."""

    command: str
    """Name of the command, for the document."""

    options: Mapping[str, Any]
    """What was asked for, for the document."""

    quiet: bool = False
    """Whether only results and errors are said."""

    verbose: bool = False
    """Whether settings, versions, and the beginning and end of every training are said, too."""

    json: bool = False
    """Whether stdout gets one document, in place of text."""

    configuration: Mapping[str, Any] | None = None
    """The settings that the options come to, for the document; None where they are not known."""

    documents: list[str] = field(default_factory=list)
    """Documents so far, at most one."""

    @property
    def progress(self) -> TextIO:
        """Stream of progress lines: stderr, as a log where more lines come between, or nothing."""
        if self.quiet:
            return _Nowhere()
        return _Log(sys.stderr) if self.verbose else sys.stderr

    def say(self, text: str) -> None:
        """Say what is about to be done: on stdout, or with a document on stderr; not if quiet."""
        if not self.quiet:
            print(folded(text), flush=True, file=sys.stderr if self.json else sys.stdout)

    def detail(self, what: str, data: Any) -> None:
        """Say more, on stderr, if verbose: plain data as one line of JSON."""
        if self.verbose:
            print(f"{what}: {to_json(data, indent=None)}", flush=True, file=sys.stderr)

    def result(self, text: str, data: Callable[[], Mapping[str, Any]], *, fold: bool = True) -> None:
        """Give the result: as text, or as a document; `fold`: whether long lines of text are folded."""
        if self.json:
            self.documents.append(to_json(document(self.command, self.options, data(), self.configuration)))
        else:
            print(folded(text) if fold else text, flush=True)


def _told(name: str, value: Any) -> Any:
    """An option as documents tell it: the URL of a database without its password."""
    if name != "storage" or value is None:
        return value
    from contract_wrapper.studies.sharing.place import public

    return public(value)


@contextlib.contextmanager
def output(options: argparse.Namespace) -> Iterator[Output]:
    """Give what a command speaks through; the document, if one is asked for, is written at the end of the block."""
    it = Output(
        command=options.command,
        options={k: _told(k, v) for k, v in vars(options).items() if k not in _NOT_TOLD},
        quiet=options.quiet, verbose=options.verbose, json=getattr(options, "json", False),
    )  # fmt: skip
    before = current_logs()
    if it.verbose:
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
        set_logs((*before, SpokenLog()))
    try:
        if not it.json:
            yield it
            return
        with _stdout_to_stderr():
            yield it
        for text in it.documents:
            print(text, flush=True)
    finally:
        set_logs(before)


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Whatever is printed inside the block, by this process, its libraries or its workers, goes to stderr."""
    try:
        sys.stdout.flush()
        kept, here = os.dup(sys.stdout.fileno()), sys.stdout.fileno()
        os.dup2(sys.stderr.fileno(), here)
    except (OSError, ValueError, AttributeError):  # no files: streams of a test, or closed ones
        kept, here = -1, -1
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if kept >= 0:
            os.dup2(kept, here)
            os.close(kept)


class _Nowhere(io.StringIO):
    """A stream that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)


class _Log(io.StringIO):
    """A stream in which no line is taken back, for it is no terminal, whatever stands behind it."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()


@dataclass(frozen=True, slots=True)
class SpokenLog:
    """Says on stderr when a training begins and ends."""

    def begin(self, run: TrainingRun) -> TrainingListener:
        """Say that it begins."""
        return _Spoken(run)


class _Spoken:
    """Says of one training when it begins and ends."""

    def __init__(self, run: TrainingRun) -> None:
        self._name, self._step, self._scalars = run.name, run.first_step, dict[str, float]()
        print(f"training {self._name} begins (episode {run.first_step})", file=sys.stderr, flush=True)

    def on_progress(self, step: int, scalars: Mapping[str, float]) -> None:
        self._step, self._scalars = step, dict(scalars)

    def on_end(self, finished: bool) -> None:
        total = next((v for name, v in self._scalars.items() if name.endswith("/all")), float("nan"))
        how = "ends" if finished else "stops"
        seconds = self._scalars.get("cpu_seconds", float("nan"))
        print(
            f"training {self._name} {how} at episode {self._step}: return {total:.2f}, {seconds:.0f} s of CPU time",
            file=sys.stderr, flush=True,
        )  # fmt: skip


def folded(text: str, width: int = WIDTH) -> str:
    """Fold lines that are too long at their blanks; words that are longer, such as paths, stay whole.

    >>> print(folded("a long sentence", width=10))
    a long
        sentence
    """
    lines = (
        textwrap.wrap(line, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        if len(line) > width
        else [line]
        for line in text.split("\n")
    )
    return "\n".join(part for some in lines for part in some)
