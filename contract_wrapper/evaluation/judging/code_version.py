"""Which code and which packages a result came from.

Code is told by a hash of its sources, so that an edit in any of them makes other results, which are kept apart.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable

from contract_wrapper.errors import ContractsError
from contract_wrapper.learners.origin import sources_of
from contract_wrapper.learners.registry import DEFAULT, get_learner

_DECISIVE = {
    "cleanup_env": (),
    "mtmfq": (),
    "contract_wrapper": ("contracts", "envs", "problems", "learners", "evaluation"),
}
"""Packages, and folders in them (none: all of it), that every result depends on."""


@lru_cache
def code_version(learner: str = DEFAULT) -> str:
    """Hash of the sources that play, settle, learn (with the learner of that name) and evaluate.

    Raises:
        ContractsError: the learner is unknown, or defined in a notebook, where no file tells its code.
    """
    folders = [
        folder
        for package, names in _DECISIVE.items()
        for folder in ([resources.files(package).joinpath(name) for name in names] or [resources.files(package)])
    ]
    return digest([*folders, *sources_of(get_learner(learner))])


def digest(folders: Iterable[Traversable]) -> str:
    """Hash of all modules and maps in some folders, to the bottom, and of single files: an edit changes it."""
    total = hashlib.sha256()
    for folder in folders:
        for name, source in sources(folder):
            for part in (f"{folder.name}/{name}".encode(), source):
                total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()[:12]


def sources(folder: Traversable) -> Iterator[tuple[str, bytes]]:
    """Names, relative to a folder, and contents of the modules and maps below it, to the bottom, in one order.

    Of a file: its own content, under an empty name.
    """
    if folder.is_file():
        yield "", folder.read_bytes()
        return
    for entry in sorted(folder.iterdir(), key=lambda f: f.name):
        if entry.is_dir():
            yield from ((f"{entry.name}/{name}", source) for name, source in sources(entry))
        elif entry.name.endswith((".py", ".txt")):
            yield entry.name, entry.read_bytes()


@lru_cache
def versions(learner: str = DEFAULT) -> dict[str, str]:
    """Versions of the packages that a result depends on; of code that no file holds (a notebook): unknown."""
    try:
        found = {"code": code_version(learner)}
    except ContractsError:
        found = {"code": "unknown"}
    for name in (
        "cleanup-contracts",
        "numpy",
        "numba",
        "torch",
        "stable-baselines3",
        "scipy",
        "scikit-optimize",
        "pymoo",
        "optuna",
    ):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
