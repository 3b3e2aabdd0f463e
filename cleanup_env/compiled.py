"""How the rules are compiled: the two decorators that every kernel of the game uses."""

from __future__ import annotations

from typing import Any

from numba import njit

try:
    # Without reference counting: the kernels allocate nothing, and counting the references of
    # the arrays inside a NamedTuple at every access costs more than the rules themselves
    # (a step of 64 games takes 2.5 times as long with it). The option is numba's own but not
    # documented, hence the way back.
    kernel: Any = njit(cache=True, _nrt=False)
    kernel(lambda: None)
except (KeyError, TypeError):  # pragma: no cover - a numba without the option
    kernel = njit(cache=True)

inlined: Any = njit(inline="always")
