"""A typed face for numba, so that compiled functions keep their signatures."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile `function` at its first call and keep the machine code on disk for the next process."""
    return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))
