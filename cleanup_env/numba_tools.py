"""The tools of compilation: the decorators of every compiled function, and what numba lacks.

That is copying and clearing bytes, and reading tuples of arrays off a table of addresses. numba has
no public interface for parts of this, so they are used here and nowhere else in the package:
`numba.core.cgutils` and `numba.np.arrayobj` (without them the import says which numba to install),
the option `_nrt` (without it the game is slower) and the stamp of a cached file (without it nothing
is cached, and a warning says so). pyproject.toml names the newest numba that was tested.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core.event import Listener, register
from numba.extending import intrinsic
from numpy.typing import NDArray

TESTED = "numba<0.69"
"""Versions of numba that this was tested with, as in pyproject.toml."""

try:
    from numba.core import cgutils
    from numba.np.arrayobj import populate_array
except ImportError as error:  # pragma: no cover - a numba newer than any that was tested
    raise ImportError(
        f"cleanup_env cannot be compiled by numba {numba.__version__} ({error}): install {TESTED}"
    ) from error

njit: Any = numba.njit
_OPTIONS: dict[str, Any] = {"error_model": "numpy"}  # nothing here divides by zero

try:
    # Without reference counting: the kernels allocate nothing, and counting the references of
    # the arrays inside a NamedTuple at every access costs more than the rules themselves
    # (a step of 64 games takes 2.5 times as long with it). The option is numba's own but not
    # documented, hence the way back.
    njit(_nrt=False, **_OPTIONS)(lambda: None)
    _OPTIONS["_nrt"] = False
except (KeyError, TypeError):  # pragma: no cover - a numba without the option
    pass

log = logging.getLogger("cleanup_env")
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


_STAMP = source_stamp(resources.files("cleanup_env"))


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
            f"cleanup_env cannot keep its compiled code ({reason}): every process compiles anew for some seconds; {remedy}",
            RuntimeWarning,
            stacklevel=3,
        )


PATIENCE = 2.0
"""Seconds of compiling after which whoever waits is told for what: shorter waits need no words."""


class _Teller(Listener):
    """Says, once per process, that kernels of the game are being compiled, if that takes longer than `PATIENCE`.

    numba starts this event only for what is not in its cache. Most of it is compiled in one go, but a kernel that is
    needed later is compiled then, in a moment; so the seconds of all of them count together.
    """

    def __init__(self) -> None:
        self.told = False
        self._depth, self._spent, self._began = 0, 0.0, 0.0
        self._timer: threading.Timer | None = None

    def on_start(self, event: Any) -> None:
        if not event.data["dispatcher"].py_func.__module__.startswith("cleanup_env."):
            return
        self._depth += 1  # a kernel that calls another one waits for it
        if self._depth == 1 and not self.told:
            self._began = time.monotonic()
            self._timer = threading.Timer(max(0.0, PATIENCE - self._spent), self._tell)
            self._timer.daemon = True
            self._timer.start()

    def on_end(self, event: Any) -> None:
        if not event.data["dispatcher"].py_func.__module__.startswith("cleanup_env."):
            return
        self._depth -= 1
        if self._depth == 0 and self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._spent += time.monotonic() - self._began

    def _tell(self) -> None:
        if not self.told:
            self.told = True
            log.warning("compiling the game for this machine: up to 30 seconds, once after an install")


register("numba:compile", _Teller())


inlined: Any = njit(inline="always", **_OPTIONS)


def _copy_bytes(typing_context, to, at, source, start, count):
    """to[at : at + count] = source[start : start + count], for contiguous arrays of bytes.

    A slice assignment would allocate views and look for overlap. With a `count` that is
    constant where it is called, this becomes two or three moves.
    """

    def generate(context, builder, signature, arguments):
        to, at, source, start, count = arguments
        to_type, _, source_type, _, _ = signature.args
        to_data = context.make_array(to_type)(context, builder, to).data
        source_data = context.make_array(source_type)(context, builder, source).data
        cgutils.raw_memcpy(builder, builder.gep(to_data, [at]), builder.gep(source_data, [start]), count, 1)
        return context.get_dummy_value()

    where = types.int64
    return types.void(to, where, source, where, where), generate


copy_bytes: Any = intrinsic(_copy_bytes)


def _clear_bytes(typing_context, to, at, count):
    """to[at : at + count] = 0, for a contiguous array of bytes."""

    def generate(context, builder, signature, arguments):
        to, at, count = arguments
        data = context.make_array(signature.args[0])(context, builder, to).data
        cgutils.memset(builder, builder.gep(data, [at]), count, 0)
        return context.get_dummy_value()

    return types.void(to, types.int64, types.int64), generate


clear_bytes: Any = intrinsic(_clear_bytes)
"""How to clear bytes inside a kernel: (to, at, count)."""


def table_of(parts: Sequence[tuple[Any, ...]]) -> NDArray[np.int64]:
    """Write tuples of arrays and numbers as one table: addresses and shapes, and the numbers' bits."""
    words: list[int] = []
    for value in (value for part in parts for value in part):
        if isinstance(value, np.ndarray):
            words += [value.ctypes.data, *value.shape]
        else:
            words.append(int(np.float64(value).view(np.int64)) if isinstance(value, float) else int(value))
    return np.array(words, np.int64)


def reader(parts: Sequence[Any]) -> Any:
    """Make the function that reads named tuples of some numba types off a table of theirs, inside a kernel."""
    word = ir.IntType(64)
    together = types.Tuple(tuple(parts))

    def _read(typing_context, table):
        def generate(context, builder, signature, arguments):
            start = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            places = itertools.count()

            def load():
                return builder.load(builder.gep(start, [ir.Constant(word, next(places))]))

            def value_of(kind):
                if not isinstance(kind, types.Array):
                    bits = load()
                    if isinstance(kind, types.Float):
                        return builder.bitcast(bits, context.get_value_type(kind))
                    return builder.trunc(bits, ir.IntType(1)) if isinstance(kind, types.Boolean) else bits
                array = context.make_array(kind)(context, builder)
                data = builder.inttoptr(load(), array.data.type)
                shape = [load() for _ in range(kind.ndim)]
                size = ir.Constant(word, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
                strides = [size]
                for length in reversed(shape[1:]):
                    strides.insert(0, builder.mul(strides[0], length))
                populate_array(
                    array, data=data, shape=cgutils.pack_array(builder, shape),
                    strides=cgutils.pack_array(builder, strides), itemsize=size, meminfo=None,
                )  # fmt: skip
                return array._getvalue()

            tuples = [context.make_tuple(builder, part, [value_of(kind) for kind in part.types]) for part in parts]
            return context.make_tuple(builder, signature.return_type, tuples)

        return together(table), generate

    return intrinsic(_read)
