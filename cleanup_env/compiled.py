"""How the rules are compiled: the decorators of every kernel of the game, and one copy instruction."""

from __future__ import annotations

import warnings
from typing import Any

import numba
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

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

_warned = False


def kernel(function: Any) -> Any:
    """Compile a function, and keep the machine code on disk where that can be written."""
    global _warned
    try:
        return njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:
        if not _warned:
            _warned = True
            warnings.warn(
                "cleanup_env cannot keep its compiled code (no writable cache directory): every process "
                "compiles anew for some seconds; set NUMBA_CACHE_DIR to a writable directory",
                RuntimeWarning,
                stacklevel=2,
            )
        return njit(**_OPTIONS)(function)


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
