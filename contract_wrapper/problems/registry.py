"""The design problems that the running program knows by name: registered by a call, or by an installed package."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.problems.cleanup import KIND, cleanup_from
from contract_wrapper.problems.problem import DesignProblem

GROUP = "contract_wrapper.problems"
"""Group of entry points under which an installed package offers design problems: name = "package.module:problem"."""

_known: dict[str, DesignProblem] = {}


def register_problem(problem: DesignProblem) -> DesignProblem:
    """Make a design problem known by its name, so that studies of it can be read; returns it.

    Raises:
        ContractsError: it is none, or another one has its name.
    """
    if not isinstance(problem, DesignProblem):
        raise ContractsError(f"register_problem takes a DesignProblem, got {shown(problem)}")
    there = _known.get(problem.name)
    if there is not None and there.to_dict() != problem.to_dict():
        raise ContractsError(f"there is another design problem named {problem.name}: give this one another name")
    _known[problem.name] = problem
    return problem


def problem_names() -> tuple[str, ...]:
    """Names of the design problems that `get_problem` returns: registered ones, and those that installed packages offer."""
    return tuple(sorted({*_known, *(entry.name for entry in entry_points(group=GROUP))}))


def get_problem(name: str) -> DesignProblem:
    """Return a design problem by name.

    Raises:
        ContractsError: nobody registered it, or the package that offers it cannot be loaded.
    """
    if name in _known:
        return _known[name]
    offered = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in offered:
        known = ", ".join(problem_names()) or "none"
        raise ContractsError(
            f"there is no design problem {shown(name)} (known: {known}): run the program that defines it, which calls "
            "register_problem(...), or name it to the command (--problem FILE.py:NAME)"
        )
    try:
        problem = offered[name].load()
    except Exception as error:
        raise ContractsError(
            f"the design problem {name} cannot be loaded from {offered[name].value}: {error}"
        ) from error
    if not isinstance(problem, DesignProblem) or problem.name != name:
        raise ContractsError(f"{offered[name].value} is no design problem named {name}")
    return register_problem(problem)


def problem_from(data: Mapping[str, Any]) -> DesignProblem:
    """Return the registered problem of which a file keeps what `to_dict` wrote; one of Clean-up is built again.

    Raises:
        ContractsError: it is not registered, or is another than the file says.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("name"), str):
        raise ContractsError(f"a file names its design problem, got {shown(data)}")
    if data.get("kind") == KIND:
        return cleanup_from(data)
    problem = get_problem(data["name"])
    mine = problem.to_dict()
    for key in dict.fromkeys((*mine, "epsilon")):
        if data.get(key) != mine.get(key):
            raise ContractsError(
                f"the design problem {problem.name} of this program has other {key} than that of the file "
                f"({shown(mine.get(key))}, there {shown(data.get(key))}): give it another name, or the same {key}"
            )
    return problem
