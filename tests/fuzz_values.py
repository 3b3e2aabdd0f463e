"""Values that no field expects, and what must hold when one is given: for the fuzz tests of every package.

Everything is drawn from a seeded `random.Random`, not by hypothesis, which cannot print some of these values.
"""

import itertools
import math
import resource
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class NoRepr:
    """An object that cannot be printed."""

    def __repr__(self) -> str:
        raise RuntimeError("this object has no repr")


ODD_VALUES: tuple[Any, ...] = (
    None, ..., NotImplemented, True, False, np.True_, np.False_,
    0, 1, -1, 2, 3, 7, 100, 12_000, 100_000, 10**9, 2**31 - 1, 2**31, 2**63, 2**64, 10**30, 10**400, -(10**400), 10**5000,
    0.0, -0.0, 0.5, 1.5, -1.5, 3.0, 1e9, 1e155, 1e308, -1e308, 5e-324, math.nan, math.inf, -math.inf,
    np.int8(3), np.int64(5), np.int64(-(2**63)), np.uint8(200), np.uint64(2**64 - 1),
    np.float16(0.5), np.float32(0.25), np.float64(math.nan), np.longdouble(0.5), np.float32(math.inf), np.complex64(1j),
    np.array(3), np.array(0.5), np.array([1, 2]), np.array([[0.5]]), np.empty(0), np.array(["a", "b"]), np.datetime64("nat"),
    1j, Fraction(1, 3), Fraction(10**400, 3), Decimal("0.5"), Decimal("nan"), Decimal("1e999"),
    "", " ", "5", "0.5", "nan", "inf", "none", "cleaner", "cleaners", "\n", "a\nb", "../a", "é", "\ud800", "x" * 10_000, b"5",
    (), [], {}, (1, 2), [0.5], [None], ("a",), {"a": 1}, {1: 2}, {"cleaner": math.nan}, [[1], [2, 3]], set(), range(3),
    object(), NoRepr(), int, len, Random,
)  # fmt: skip
"""Numbers of all kinds and sizes, texts, containers and objects; none may be changed by who gets it."""


def odd(rng: Random, field_type: object = None) -> Any:
    """Return an odd value; half of them of the field's type (`int`, `"float"`, `"int | None"`, ...), if one is given.

    An infinite iterator is among them, a new one each time.
    """
    name = getattr(field_type, "__name__", str(field_type))
    if rng.random() < 0.5:
        if "int" in name:
            return rng.choice((-1, 1)) * int(10 ** rng.uniform(0, 12)) if rng.random() < 0.9 else rng.randrange(8)
        if "float" in name:
            return rng.choice((-1, 1, 1)) * 10 ** rng.uniform(-12, 12)
        if "bool" in name:
            return rng.random() < 0.5
    if rng.random() < 0.01:
        return itertools.count()
    return rng.choice(ODD_VALUES)


def odd_fields(rng: Random, types: Mapping[str, object], most: int = 3) -> dict[str, Any]:
    """Return odd values for one to `most` of some fields (name -> type), chosen at random."""
    names = rng.sample(sorted(types), min(len(types), rng.randint(1, most)))
    return {name: odd(rng, types[name]) for name in names}


def built(build: Callable[[], T], *errors: type[Exception], seconds: float = 2.0, n_bytes: int = 2 * 2**30) -> T | None:
    """Build something from odd values, and use it; return it, or None if it was refused by one of the package's errors.

    Any other exception goes on to the test. The message of an error must be one line of bounded length, and neither
    time nor memory (the peak of this process) may grow beyond the limits.
    """
    before, began = _peak_bytes(), time.process_time()
    result: T | None = None
    refusal: Exception | None = None
    try:
        result = build()
    except errors as error:
        refusal = error
    if refusal is not None:
        text = str(refusal)
        assert type(refusal) in errors, f"{type(refusal).__name__} is not the package's own error: {text[:300]}"
        assert len(text.splitlines()) == 1, f"not one line: {text[:300]}"
        assert len(text) < 3_000, f"a message of {len(text)} characters: {text[:300]}"
    spent, grown = time.process_time() - began, _peak_bytes() - before
    assert spent < seconds, f"{spent:.1f} s"
    assert grown < n_bytes, f"{grown / 2**30:.1f} GiB"
    return result


def _peak_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
