"""Values of an outcome as they are read from a file, each checked: it was perhaps not written by this program."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TypeGuard

from contract_wrapper.contracts.contract import as_int, as_items
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.estimate import Estimate


def no_outcome(wanted: str, got: object) -> ContractsError:
    """Return the error of a file that holds something else."""
    return ContractsError(f"this is no outcome of an evaluation: it has {wanted}, got {shown(got)}; evaluate again")


def some_roles(data: object, agents: Mapping[str, Any]) -> dict[str, str]:
    """Read roles of some agents."""
    if not isinstance(data, Mapping) or not all(
        a in agents and isinstance(role, str) and 0 < len(role) <= 200 for a, role in data.items()
    ):
        raise no_outcome("names of roles, by agent, in roles", data)
    return dict(data)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number that a float can hold."""
    most = sys.float_info.max
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -most <= value <= most


def an_estimate(name: str, data: object) -> Estimate:
    """Read a mean with its standard error."""
    if not isinstance(data, Mapping) or set(data) != {"mean", "se"} or not all(map(is_number, data.values())):
        raise no_outcome(f"a finite mean and standard error for {name}", data)
    if data["se"] < 0:
        raise no_outcome(f"a standard error of at least 0 for {name}", data["se"])
    return Estimate(mean=float(data["mean"]), se=float(data["se"]))


def a_curve(name: str, data: object) -> tuple[float, ...]:
    """Read finite numbers."""
    values = as_items(data)
    if values is None or not all(map(is_number, values)):
        raise no_outcome(f"finite numbers in {name}", data)
    return tuple(map(float, values))


def some_seconds(name: str, value: object) -> float:
    """Read a number of at least 0."""
    if not is_number(value) or value < 0:
        raise no_outcome(f"a number of at least 0 as {name}", value)
    return float(value)


def a_count(name: str, value: object) -> int:
    """Read an integer of at least 0."""
    number = as_int(value)
    if number is None or not 0 <= number < 2**63:
        raise no_outcome(f"an integer of at least 0 as {name}", value)
    return number


def is_file_name(text: str) -> bool:
    """Whether text is empty or names a file in the folder that it is looked for in, on any system."""
    return text not in (".", "..") and len(text) <= 200 and all(c.isprintable() and c not in '/\\:*?"<>|' for c in text)
