"""The tools of compilation: the two decorators of every compiled function.

numba has no public interface for two things, which are used here and nowhere else in the package: the
option `_nrt` (without it games are slower) and the stamp of a cached file (without it nothing is
cached, and a warning says so). pyproject.toml names the newest numba that was tested.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import numba

TESTED = "numba<0.69"
"""Versions of numba that this was tested with, as in pyproject.toml."""

njit: Any = numba.njit
_OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}  # nothing here divides by zero

try:
    # Without reference counting: the kernels allocate nothing, and counting the references of
    # arrays of records at every access takes longer than the rules themselves. The option is
    # numba's own but not documented, hence the way back.
    njit(_nrt=False, **_OPTIONS)(lambda: None)
    _OPTIONS["_nrt"] = False
except (KeyError, TypeError):  # pragma: no cover - a numba without the option
    pass

_warned = False


def _modules(folder: Traversable) -> Iterator[bytes]:
    """Contents of the modules of a folder, to the bottom, in one order."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _modules(entry)
        elif entry.name.endswith(".py"):
            yield entry.read_bytes()


def source_stamp(folder: Traversable) -> str:
    """Digest of all modules of a folder, to the bottom."""
    digest = hashlib.sha256()
    for module in _modules(folder):
        digest.update(module)
    return digest.hexdigest()


_STAMP = source_stamp(resources.files("contract_tree"))


def kernel(function: Any) -> Any:
    """Compile a function, and keep the machine code on disk where that can be done."""
    try:
        compiled = njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:
        _warn_once("no writable cache directory", "set NUMBA_CACHE_DIR to a writable directory")
        return njit(**_OPTIONS)(function)
    # numba compiles anew when the kernel's own file has changed; but a kernel holds code of other
    # modules too, and old rules must not play on.
    file: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if not hasattr(file, "_source_stamp"):
        _warn_once(f"numba {numba.__version__} does not tell when it is stale", f"install {TESTED}")
        return njit(**_OPTIONS)(function)
    file._source_stamp = _STAMP
    return compiled


def _warn_once(reason: str, remedy: str) -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            f"contract_tree cannot keep its compiled code ({reason}): every process compiles anew for some seconds; {remedy}",
            RuntimeWarning,
            stacklevel=3,
        )


inlined: Any = njit(inline="always", **_OPTIONS)
