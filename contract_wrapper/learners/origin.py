"""Where a learner comes from: the files that its results depend on, and how another process imports it."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import contract_wrapper
import mtmfq
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.learners.learner import Learner
from contract_wrapper.learners.registry import is_of_entry_point, register_learner

_OURS = tuple(Path(str(package.__file__)).parent for package in (contract_wrapper, mtmfq))
_MAIN = ("__main__", "__mp_main__")

Place = tuple[str, str]
"""Name of a module, and name of a learner at its top level."""


def sources_of(learner: Learner) -> list[Traversable]:
    """Folders and files whose contents the results of a learner depend on, besides those of this project.

    Raises:
        ContractsError: one of `packages` is gone, or there is no file of the module that defines it, as in a notebook.
    """
    if learner.packages:
        return [place for name in learner.packages for place in _package(learner, name)]
    files = {path for path in _files(learner) if not any(path.is_relative_to(home) for home in _OURS)}
    gone = [path for path in files if not path.is_file()]
    if gone:
        raise ContractsError(
            f"the learner {learner.name} is defined in a notebook or at a prompt ({shown(gone[0].name)} is no file), so "
            "nothing can say later which code an outcome came from: put it into a module, or evaluate without a folder"
        )
    return sorted(files, key=lambda path: (path.name, str(path)))


def _package(learner: Learner, name: str) -> Iterator[Traversable]:
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ContractsError(f"the learner {learner.name} depends on {name}, which cannot be imported")
    if spec.submodule_search_locations is not None:
        yield resources.files(name)
    elif spec.origin is not None:
        yield Path(spec.origin)


def _files(learner: Learner) -> Iterator[Path]:
    """Files of the members' code."""
    for member in (learner.config, learner.profile, learner.train, learner.play, learner.load):
        while isinstance(member, functools.partial):
            member = member.func
        if isinstance(member, type):
            file = getattr(sys.modules.get(member.__module__), "__file__", None)
            yield from map(Path, [file] if file else _files_of_methods(member))
        else:
            code = getattr(inspect.unwrap(member), "__code__", None) or getattr(type(member).__call__, "__code__", None)
            if code is not None:
                yield Path(code.co_filename)


def _files_of_methods(config: type) -> list[str]:
    """Files of a class whose module is not loaded, as in a script that another one ran."""
    codes = [getattr(getattr(config, name), "__code__", None) for name in ("to_dict", "from_dict")]
    return [code.co_filename for code in codes if code is not None] or [config.__module__]


def place_of(learner: Learner) -> Place | None:
    """Where another process finds a learner that was registered by a call; None: it needs no place, or has none.

    The main script and notebooks are no such places: another process cannot import them.
    """
    if is_of_entry_point(learner):
        return None
    first = [getattr(member, "__module__", None) for member in (learner.config, learner.train)]
    for name in dict.fromkeys([*first, *list(sys.modules)]):
        module = sys.modules.get(name) if isinstance(name, str) and name not in _MAIN else None
        for attribute, value in list(getattr(module, "__dict__", {}).items()):
            if value is learner:
                return str(name), attribute
    return None


def check_importable(learner: Learner) -> None:
    """Make sure that worker processes can import a learner.

    Raises:
        ContractsError: it is no entry point's, and stands in the main script, a notebook or inside a function.
    """
    if not is_of_entry_point(learner) and place_of(learner) is None:
        raise ContractsError(
            f"worker processes cannot import the learner {learner.name}, which stands in the main script, a notebook or "
            "inside a function: write it at the top level of a module of its own (my_learner.py: learner = Learner(...)), "
            "and import it from there"
        )


def import_learner(place: Place) -> str | None:
    """Import and register a learner in this process; why it failed in one line, or None.

    place: given by the program that runs, never by a file.
    """
    module, attribute = place
    try:
        register_learner(getattr(importlib.import_module(module), attribute))
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return f"a worker process cannot import the learner {module}.{attribute}: {told}"
    return None
