"""How the command ends: what each kind of error prints, and the exit code.

0: done. 2: something that the user can put right, in one line. 70: an error of this program, in one line that
names the file with its traceback. 130: interrupted, by Ctrl-C or SIGTERM. 1: the reader of the output went away.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from types import FrameType
from typing import TextIO

from contract_tree.errors import TreeError

USER_ERROR, PROGRAM_ERROR, INTERRUPTED = 2, 70, 130


def run(command: Callable[[], int], name: str) -> int:
    """Run a command of the program `name` and return its exit code; no error leaves as a traceback."""
    _prepare_output()
    _catch_signals()
    try:
        try:
            code = command()
        except SystemExit as exit:  # how argparse ends: what it printed may not be written yet
            code = exit.code if isinstance(exit.code, int) else 0
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _say("\nstopped; nothing was written")
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return 1
    except Exception as error:
        message = _message(error)
        if message is None:
            _say(
                f"{name}: internal error: {_one_line(error)}; please report it with the command and {_keep_traceback(name)}"
            )
        else:
            _say(f"{name}: error: {message}")
        _drop_output()
        return PROGRAM_ERROR if message is None else USER_ERROR


def _message(error: Exception) -> str | None:
    """What to tell the user; None if it is not the user's doing."""
    if isinstance(error, TreeError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.strerror or error}" + (f" {error.filename}" if error.filename else "")
    if isinstance(error, ModuleNotFoundError):
        return f'the package {error.name} is missing: install what figures need with pip install "cleanup-contracts[plots]"'
    if isinstance(error, MemoryError):
        return f"there is not enough memory ({_one_line(error)}): play fewer games or a smaller tree"
    return None


def _keep_traceback(name: str) -> str:
    """Write the traceback of the error at hand into a file of its own, and say where it is."""
    try:
        with tempfile.NamedTemporaryFile("w", prefix=f"{name}-", suffix=".txt", delete=False, encoding="utf-8") as file:
            traceback.print_exc(file=file)
        return f"the traceback in {file.name}"
    except OSError:
        return f"its traceback, which could not be stored: {traceback.format_exc()}"


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # nobody to tell
        print(text, file=sys.stderr, flush=True)


def _prepare_output() -> None:
    """Write what a terminal cannot show as something that it can; streams closed from outside swallow what is written."""
    codecs.register_error("contract_tree_plain", _plain)
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="contract_tree_plain")


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join("+-" if letter == "±" else "?" for letter in error.object[error.start : error.end]), error.end


def _drop_output() -> None:
    """Leave nothing for Python to flush on its way out: it would fail again."""
    with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _catch_signals() -> None:
    """Stop at the first Ctrl-C or SIGTERM, and at once at the second; signals that are ignored stay so."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupted)


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(INTERRUPTED))
    raise KeyboardInterrupt
