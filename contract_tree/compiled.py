"""How the rules are compiled: the two decorators of every compiled function."""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from importlib import resources
from typing import Any

import numba

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


def _stamp() -> str:
    """Digest of the package's sources."""
    digest = hashlib.sha256()
    for file in sorted(resources.files("contract_tree").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            digest.update(file.read_bytes())
    return digest.hexdigest()


_STAMP = _stamp()


def kernel(function: Any) -> Any:
    """Compile a function, and keep the machine code on disk where that can be written."""
    global _warned
    try:
        compiled = njit(cache=True, **_OPTIONS)(function)
        with contextlib.suppress(AttributeError):
            # numba compiles anew when the kernel's own file has changed; but a kernel holds code of
            # other modules too, and old rules must not play on.
            compiled._cache._cache_file._source_stamp = _STAMP
        return compiled
    except RuntimeError:
        if not _warned:
            _warned = True
            warnings.warn(
                "contract_tree cannot keep its compiled code (no writable cache directory): every process "
                "compiles anew for some seconds; set NUMBA_CACHE_DIR to a writable directory",
                RuntimeWarning,
                stacklevel=2,
            )
        return njit(**_OPTIONS)(function)


inlined: Any = njit(inline="always", **_OPTIONS)
