"""The decorator of every compiled function, typed so that the function keeps its signature."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function` at its first call and keep the machine code on disk for the next process."""
    return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))
