"""Checks of single settings, each with the limits up to which the program can keep its promises."""

from __future__ import annotations

import math

from contract_tree.errors import TreeError

MOST_ROUNDS = 10**9
"""Longest game: half an hour of a compiled game of three nodes."""

MOST_GAMES = 10**6
"""Most games of a simulation."""

MOST_NUMBERS = 2 * 10**7
"""Most numbers that the games of a simulation hold, or a result: 160 MB in memory, half a gigabyte on disk."""

MOST_SEED = 2**64 - 1
"""Largest seed."""

MOST_THREADS = 1024
"""Most games played at once."""

MOST_NUMBER = 1e6
"""Largest setting that is no count, such as the standard deviation of rewards, whose means lie in [0, 1]."""


def check_whole(name: str, value: object, least: int, most: int) -> int:
    """Return a whole number within limits, as an int.

    Raises:
        TreeError: it is none.
    """
    whole = not isinstance(value, bool) and hasattr(value, "__index__")
    number = value.__index__() if whole else least - 1  # type: ignore[attr-defined]
    if number < least:
        raise TreeError(f"{name} must be an integer of at least {least}, got {brief(value)}")
    if number > most:
        raise TreeError(f"{name} must be at most {most:,}, got {brief(value)}")
    return int(number)


def check_number(name: str, value: object, least: float, most: float = MOST_NUMBER) -> float:
    """Return a number within limits, as a float.

    Raises:
        TreeError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < math.inf:
        raise TreeError(f"{name} must be a number of at least {least:g}, got {brief(value)}")
    if value > most:
        raise TreeError(f"{name} must be at most {most:g}, got {brief(value)}")
    return float(value)


def check_noise(noise: object) -> float | None:
    """Return the standard deviation of Gaussian rewards, or None for Bernoulli rewards.

    Raises:
        TreeError: it is neither.
    """
    if noise is None:
        return None
    try:
        return check_number("noise", noise, 0.0)
    except TreeError as error:
        raise TreeError(
            f"noise must be a standard deviation of at least 0 and at most {MOST_NUMBER:g}, or None for Bernoulli "
            f"rewards, got {brief(noise)}"
        ) from error


def brief(value: object, most: int = 60) -> str:
    """Return a value as text that is short, whatever the value is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of many thousand digits; lists within lists
        text = f"an endless {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 3]}..."
