"""What is at fault where settings cannot be built: the assignments without which the error would be another or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from cleanup_env import CleanupError
from contract_wrapper.configuration.sources import Assignment
from contract_wrapper.errors import ContractsError
from mtmfq.interface import LearnerError

ERRORS = (ContractsError, CleanupError, LearnerError)
"""What settings raise that are out of range."""

MOST_NAMED = 3
"""Keys that one error names."""

T = TypeVar("T")


def explained(build: Callable[[list[Assignment]], T], assignments: Sequence[Assignment]) -> T:
    """Build something from assignments; an error names those at fault.

    Raises:
        ContractsError: assignments by hand are at fault; otherwise the error of the settings as it is.
    """
    given = list(assignments)
    try:
        return build(given)
    except ERRORS as error:
        guilty = [
            one for i, one in enumerate(given) if one.by_hand and _told(build, given[:i] + given[i + 1 :]) != str(error)
        ]
        if not guilty:
            raise
        places = ", ".join(dict.fromkeys(one.place for one in guilty[:MOST_NAMED]))
        raise ContractsError(f"{places}: {error}") from error


def _told(build: Callable[[list[Assignment]], Any], assignments: list[Assignment]) -> str:
    """The error of building something; empty if it can be built."""
    try:
        build(assignments)
    except ERRORS as error:
        return str(error)
    return ""
