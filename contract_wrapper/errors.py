"""The one exception type for everything that a user of the contract package can get wrong."""

import reprlib
import sys
import traceback
from importlib.util import find_spec
from pathlib import Path


class ContractsError(ValueError):
    """A wrong contract, payment, cost or setting; the message says what to do, in one line."""

    def __init__(self, message: object = "") -> None:
        super().__init__(" ".join(str(message).splitlines()))


_SHORT = reprlib.Repr()
"""Looks at no more of a value than a message shows: a list of a million numbers, or nested a thousand deep."""
_SHORT.maxlevel = 4
_SHORT.maxtuple = _SHORT.maxlist = _SHORT.maxdict = _SHORT.maxset = _SHORT.maxfrozenset = _SHORT.maxarray = 20
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 100


def shown(value: object, most: int = 100) -> str:
    """Return a value as a message shows it: its `repr` in one line, cut to a number of characters."""
    try:
        text = " ".join(_SHORT.repr(value).split())
    except Exception:  # Python writes no integer of more than 4,300 digits; a class may have no repr at all
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 3]}..."


def raised(error: BaseException) -> str:
    """Say in one line what code of a user raised, and where: the last line outside installed packages.

    >>> try:
    ...     1 / 0
    ... except ZeroDivisionError as error:
    ...     raised(error).split(" (")[0]
    'ZeroDivisionError: division by zero'
    """
    frames = traceback.extract_tb(error.__traceback__)
    last = next((frame for frame in reversed(frames) if "site-packages" not in frame.filename), frames[-1])
    return " ".join(f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno})".split())


class MissingPackage(ContractsError, ImportError):
    """An optional package is not installed; the message says which extra of this package brings it."""


EXTRAS = {
    "torch": "agents",
    **dict.fromkeys(("filelock", "optuna", "pymoo", "scipy", "skopt", "sqlalchemy", "threadpoolctl"), "search"),
    "psycopg": "cluster", "ray": "cluster",
    "matplotlib": "plots", "PIL": "plots",
    "bokeh": "html",
    "optuna_dashboard": "dashboard",
    "pyarrow": "parquet", "polars": "parquet",
    "stable_baselines3": "sb3", "supersuit": "sb3",
    "imageio_ffmpeg": "render", "pygame": "render",
}  # fmt: skip
"""Optional package, as it is imported -> extra of this package that installs it."""

_DISTRIBUTIONS = {"skopt": "scikit-optimize", "PIL": "pillow", "pygame": "pygame-ce"}
"""Names under which packages are installed, where these are not those under which they are imported."""


def missing(package: str, user: str, extra: str | None = None) -> MissingPackage:
    """Return the error that says which extra installs an optional package; `extra` where another one is wanted."""
    name = _DISTRIBUTIONS.get(package, package.replace("_", "-"))
    return MissingPackage(
        f"{user} needs the package {name}, which is not installed: "
        f'pip install "cleanup-contracts[{extra or EXTRAS.get(package, "all")}]"'
    )


def require_package(package: str, extra: str, user: str) -> None:
    """Make sure that an optional package (its import name) is there, without loading it.

    Raises:
        MissingPackage: it is not installed; the message names its user and the extra of this package that installs it.
    """
    try:
        there = find_spec(package) is not None
    except (ImportError, ValueError):  # a finder that refuses it, or a stub without a specification
        there = package in sys.modules
    if not there:
        raise missing(package, user, extra)
