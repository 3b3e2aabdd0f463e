"""What the optimiser takes for a number, and how large it may be; nothing else reaches its arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from contract_wrapper.errors import ContractsError, shown

Floats = npt.NDArray[np.float64]

LARGEST = 1e60
"""Largest size of a bound, design, result or standard error: squares of their ratios must stay below 1e308."""

_NUMBERS = (int, float, np.integer, np.floating)
_ADVICE = "pass plain numbers, and report an evaluation without a result as failed"


def is_number(value: object) -> bool:
    """Tell whether the value is a real number: Python's or NumPy's, and no boolean."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def in_range(value: Any) -> bool:
    """Tell whether the value is a finite number of at most `LARGEST` in size."""
    return is_number(value) and -LARGEST <= _plain(value) <= LARGEST


def _plain(value: Any) -> int | float:
    return int(value) if isinstance(value, (int, np.integer)) else float(value)


def as_numbers(values: Any, name: str, shape: tuple[int | str, ...], *, least: float = -LARGEST) -> Floats:
    """Return a new array of finite numbers, at least `least` and at most `LARGEST` in size.

    Args:
        values: a number, an array, or sequences of numbers.
        name: what they are, for messages.
        shape: length of each axis, a letter where any length will do; () for a single number.
        least: 0 where no negative number makes sense.

    Raises:
        ContractsError: the shape is another, or a value is no number (text, complex, boolean), not finite or too large.
    """
    try:
        if isinstance(values, (str, bytes)):
            raise TypeError
        # as objects: among numbers, booleans would turn into numbers and text could be parsed
        raw = np.asarray(values, dtype=object if isinstance(values, (list, tuple)) else None)
    except Exception as error:  # whatever a foreign object's conversion raises
        raise _not_numbers(name, shape, values) from error
    if len(raw.shape) != len(shape) or any(
        isinstance(n, int) and n != got for n, got in zip(shape, raw.shape, strict=True)
    ):
        if raw.dtype == object and not all(map(is_number, raw.flat)):
            raise _not_numbers(name, shape, values)
        raise ContractsError(f"{name} must have the shape {_written(shape)}, but got {raw.shape}: {_ADVICE}")
    if raw.dtype.kind not in "iufO" or (raw.dtype == object and not all(map(is_number, raw.flat))):
        raise _not_numbers(name, shape, values)
    # compared as Python's or in double precision: 400 digits have no float, and 1e60 is infinite in single precision
    if raw.dtype != object:
        array: Floats = raw.astype(float)
        if ((array >= least) & (array <= LARGEST)).all():
            return array
    plain = [_plain(value) for value in raw.flat]
    for value in plain:
        if not least <= value <= LARGEST:
            lowest = "" if least < 0 else f"at least {least:g}, "
            raise ContractsError(
                f"{name} must be {lowest}finite and at most {LARGEST:g} in size, but got {shown(value)}: {_ADVICE}"
            )
    return np.array(plain, dtype=float).reshape(raw.shape)


def check_count(value: Any, name: str, least: int, most: int) -> int:
    """Return an integer within limits, or say what they are.

    Raises:
        ContractsError: it is no integer, or outside the limits.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= most:
        raise ContractsError(
            f"{name} must be an integer from {least} to {most}, but got {shown(value)}: stay within these limits"
        )
    return int(value)


def check_seed(seed: Any, user: str) -> int:
    """Return a seed, an integer >= 0.

    Raises:
        ContractsError: it is another thing.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ContractsError(f"{user} needs an integer >= 0 as seed, but got {shown(seed)}")
    return int(seed)


def _not_numbers(name: str, shape: tuple[int | str, ...], values: Any) -> ContractsError:
    return ContractsError(
        f"{name} must be numbers of the shape {_written(shape)}, no text, booleans or complex numbers, "
        f"but got {shown(values)}: {_ADVICE}"
    )


def _written(shape: tuple[int | str, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
