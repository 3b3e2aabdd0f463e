"""A design problem of the user's own, that a command is to work on: `--problem FILE.py:NAME` or `MODULE:NAME`.

Only the command line names code. A configuration, a study or any other file says the problem's name alone, and never
what is imported for it.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contract_wrapper.errors import ContractsError, raised, shown

if TYPE_CHECKING:
    from contract_wrapper.problems.problem import DesignProblem


def add_problem(sub: argparse.ArgumentParser) -> None:
    """Add the choice of a problem of one's own."""
    sub.add_argument(
        "--problem",
        metavar="FILE.py:NAME",
        help="a design problem of yours in place of Clean-up's: its file, or importable module, and its name there; or "
        "the name under which an installed package offers it",
    )


def own_problem(text: str) -> DesignProblem:
    """Import a design problem and register it; workers find it by the module's name.

    Raises:
        ContractsError: there is no such file, module or name, what has the name is no design problem, or its module
            raises.
    """
    from contract_wrapper.problems.problem import DesignProblem
    from contract_wrapper.problems.registry import get_problem, register_problem

    where, colon, name = text.rpartition(":")
    if not colon:
        return get_problem(text)
    path = Path(where)
    by_file = path.suffix == ".py"
    if not where or not name or (by_file and not path.is_file()):
        why = f"there is no file {where}" if where and name else f"got {shown(text)}"
        raise ContractsError(f"--problem is FILE.py:NAME or MODULE:NAME, such as fishery.py:PROBLEM: {why}")
    folder = str(path.resolve().parent if by_file else Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module_name = path.stem if by_file else where
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise ContractsError(f"--problem {text}: its module raises {raised(error)}") from error
        raise ContractsError(f"--problem {text}: there is no module {error.name}, here or installed") from error
    except Exception as error:
        raise ContractsError(f"--problem {text}: its module raises {raised(error)}") from error
    found_in = Path(module.__file__ or "").resolve()
    if by_file and found_in != path.resolve():
        raise ContractsError(
            f"--problem {text}: another module is called {module_name} ({found_in}), give the file another name"
        )
    problem = getattr(module, name, None)
    if not isinstance(problem, DesignProblem):
        known = [key for key, value in vars(module).items() if isinstance(value, DesignProblem)]
        raise ContractsError(
            f"--problem {text}: {name} is no design problem there{f' ({shown(problem)})' if hasattr(module, name) else ''}; "
            f"problems in {module_name}: {', '.join(known) or 'none'}"
        )
    return register_problem(problem)
