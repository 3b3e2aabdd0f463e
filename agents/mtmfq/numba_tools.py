"""The decorator of every compiled function, typed so that the function keeps its signature."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function` at its first call, and keep the machine code on disk where that can be written."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return cast(F, njit(cache=True, **options)(function))
    except RuntimeError:  # no writable cache directory: every process compiles anew, which takes seconds
        return cast(F, njit(**options)(function))
