"""Landscapes that come with the package, and any others by their path."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.landscapes.landscape import Landscape

FROM = {"effort": "effort", "paper": "paper", "costly": "paper"}
"""Name of a shipped landscape -> file that it is made from; costs of 'paper' and 'costly' are both flat."""


FILE = "landscape.npz"
"""Name of the landscape in a folder that `cleanup-contracts landscape` made."""


def load_landscape(name: str | Path) -> Landscape:
    """Load a shipped landscape by its name ('effort', 'paper', 'costly'), or any by the path of its file or folder.

    A name goes before a file of that name in the working folder: write './effort' for the file.

    Raises:
        ContractsError: there is neither; or the file is damaged, cut short, of another form, or no landscape.
    """
    if not isinstance(name, (str, Path)):
        raise ContractsError(f"a landscape is loaded by its name or path, got {shown(name)}")
    if isinstance(name, str) and name in FROM:
        file = _file(FROM[name])
        if not file.is_file():
            raise ContractsError(
                f"the landscape {name!r} is not shipped with this version, which has {_there()}: make it by "
                f"`cleanup-contracts landscape --costs {FROM[name]} --seeds 5`, and load its folder"
            )
        with resources.as_file(file) as path:
            landscape = Landscape.load(path)
        return landscape if FROM[name] == name else landscape.recosted(get_costs(name))
    path = Path(name)
    try:
        there = path.exists()
    except (OSError, ValueError):  # no name that a file could have
        there = False
    if not there:
        raise ContractsError(
            f"there is no landscape {shown(str(name))}: give the path of a file or folder that `cleanup-contracts landscape` "
            f"wrote, or a name; the names here are {_there()}"
        )
    return Landscape.load(path / FILE if path.is_dir() else path)


def shipped_names() -> list[str]:
    """Names of the landscapes that this installation has."""
    return [name for name, file in FROM.items() if _file(file).is_file()]


def _file(stem: str) -> Traversable:
    return resources.files("contract_wrapper.landscapes").joinpath("data", f"{stem}.npz")


def _there() -> str:
    return ", ".join(shipped_names()) or "none"
