"""How a command ends: what each kind of error prints, and the exit code.

0: done. 2: something that the user can put right, in one line. 70: an error of this program, in one line that
names the file with its traceback. 130: interrupted. 1: the reader of the output went away.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import TextIO

from contract_wrapper import interrupts
from contract_wrapper.errors import EXTRAS, ContractsError, missing

USER_ERROR, PROGRAM_ERROR = 2, 70


def run(command: Callable[[], int], name: str) -> int:
    """Run a command of the program `name` and return its exit code; no error leaves as a traceback."""
    _accept_any_text()
    interrupts.install()
    try:
        code = command()
        interrupts.check()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _say("\nstopped; everything finished so far is stored, and the same command goes on from there")
        return interrupts.EXIT_CODE
    except BrokenPipeError:
        _drop_output()
        return 1
    except Exception as error:
        message = _message(error)
        if message is None:
            _say(
                f"{name}: internal error: {_one_line(error)}; please report it with the command and {_keep_traceback(name)}"
            )
            _drop_output()
            return PROGRAM_ERROR
        _say(f"{name}: error: {message}")
        _drop_output()
        return USER_ERROR


def _message(error: Exception) -> str | None:
    """What to tell the user; None if it is not the user's doing."""
    from cleanup_env.errors import CleanupError
    from mtmfq.interface import LearnerError

    if isinstance(error, (ContractsError, CleanupError, LearnerError)):
        return str(error)
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        return f"{error.strerror or error}{where}"
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").partition(".")[0]
        return str(missing(package, "this command", "optimize" if EXTRAS.get(package) != "sb3" else "sb3"))
    if isinstance(error, MemoryError):
        return f"there is not enough memory ({_one_line(error)}): ask for less at once"
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


def _accept_any_text() -> None:
    """Write what a terminal cannot show as something that it can, instead of failing at the end of an hour's work.

    Streams that were closed from outside swallow what is written.
    """
    codecs.register_error("plain", _plain)
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plain")


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def _plain(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join("+-" if letter == "±" else "?" for letter in error.object[error.start : error.end]), error.end


def _drop_output() -> None:
    """Leave nothing for Python to flush on its way out: it would fail again."""
    with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
