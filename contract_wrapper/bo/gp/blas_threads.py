"""One BLAS thread, for matrices so small that a second one costs 4 to 15 times what it gives."""

from __future__ import annotations

import functools
from typing import Any


def one_thread() -> Any:
    """Return a context in which BLAS keeps to one thread."""
    return _blas().limit(limits=1, user_api="blas")


@functools.cache
def _blas() -> Any:
    import scipy.linalg  # noqa: F401  # the controller sees only libraries that are loaded by now
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
