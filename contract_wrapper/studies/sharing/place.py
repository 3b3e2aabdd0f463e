"""Where a study is kept: in the file of its folder, or under a name in a database that a URL names.

A password stands in no message and in no file: the note in the folder says where the study is without it.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_wrapper.errors import ContractsError, require_package, shown
from contract_wrapper.files import write_text

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

DATABASE = "study.sqlite3"
"""File of the database in a study's folder, where no other is named."""

NOTE = "storage.json"
"""File in a study's folder that says in which database it is, where that is not in the folder."""

LONGEST_NAME = 200
"""Characters of a study's name."""

DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
"""Kind of database -> its driver."""


class NoStudy(ContractsError):
    """There is no study at a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlace:
    """Where a study is kept."""

    url: str = dataclasses.field(repr=False)
    """URL of the database, with the password if it has one."""

    shown: str
    """What messages call it: a file, or the URL without the password."""

    name: str | None
    """Name of the study; None: the only one that is there, or else `new_name`."""

    new_name: str
    """Name of a study that is begun without one."""

    in_folder: bool
    """Whether it is the folder's own file."""

    def __str__(self) -> str:
        return self.shown if self.name is None else f"{self.shown}, study {self.name!r}"

    def without_password(self, text: str) -> str:
        """Return a text in which the password, if it is there, is made unreadable."""
        from sqlalchemy.engine import make_url

        url = make_url(self.url)
        for secret in (url.password, url.query.get("password")):
            text = text.replace(str(secret), "***") if secret else text
        return text


def place_of(folder: Path, storage: str | None = None, study: str | None = None) -> StudyPlace:
    """Say where the study of a folder is kept.

    Args:
        folder: of its outcomes.
        storage: URL of a database, `sqlite:///FILE` or `postgresql+psycopg://USER@HOST/DATABASE`; None: a file in the
            folder.
        study: its name in the database; None: that of the folder.

    Raises:
        ContractsError: the URL or the name cannot be used, or the folder belongs to a study that is kept elsewhere.
    """
    for package in ("optuna", "sqlalchemy"):
        require_package(package, "search", "a study on disk")
    from sqlalchemy.engine import URL

    note = _note(folder)
    if storage is None:
        if study is not None:
            raise ContractsError(
                f"--study {shown(study)} names a study in a database: give its URL with --storage, too; a folder has one "
                "study, and is named by --folder"
            )
        if note is not None and not (folder / DATABASE).exists():
            raise ContractsError(
                f"the study of {folder} is kept in {note['storage']} as {note['study']!r}: say so with --storage (and the "
                "password, if it has one), or choose another --folder"
            )
        path = folder / DATABASE
        url = URL.create("sqlite", database=str(path.absolute()))
        return StudyPlace(
            url=url.render_as_string(),
            shown=str(path),
            name=None,
            new_name=folder.resolve().name or "study",
            in_folder=True,
        )
    url = read_url(storage)
    name = study or (note["study"] if note is not None else folder.resolve().name)
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ContractsError(
            f"the name of a study has 1 to {LONGEST_NAME} printable characters, got {shown(name)}: choose one with --study"
        )
    if note is not None and note["study"] != name:
        raise ContractsError(
            f"the folder {folder} belongs to the study {note['study']!r}, got {name!r}: choose another with --folder"
        )
    own = url.get_backend_name() == "sqlite" and Path(url.database or "").resolve() == (folder / DATABASE).resolve()
    if (folder / DATABASE).exists() and not own:
        raise ContractsError(
            f"the folder {folder} holds a study of its own ({DATABASE}): leave out --storage, or choose another --folder"
        )
    return StudyPlace(
        url=url.render_as_string(hide_password=False), shown=_public(url), name=name, new_name=name, in_folder=own
    )


def check_there(folder: Path) -> None:
    """Make sure that a folder has the database of a study.

    Raises:
        NoStudy: it has none.
    """
    if not (folder / DATABASE).is_file():
        raise NoStudy(
            f"there is no study in {folder} (no {DATABASE}): give the folder that `cleanup-contracts optimize` printed"
        )


def read_url(text: str) -> URL:
    """Read the URL of a database, and fill in its driver.

    Raises:
        ContractsError: it is none, or names a kind of database that is not supported; what it says is not repeated, for
            it may hold a password.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
        kind = url.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise ContractsError(
            "--storage is the URL of a database, for example sqlite:///studies.sqlite3 or "
            "postgresql+psycopg://user@host/database; got something else"
        ) from error
    if kind not in DRIVERS:
        raise ContractsError(
            f"--storage takes databases of {' or '.join(DRIVERS)}, got {shown(kind)}: for example "
            "postgresql+psycopg://user@host/database"
        )
    if kind == "sqlite" and url.database in (None, "", ":memory:"):
        raise ContractsError("--storage needs a file with sqlite, for example sqlite:///studies.sqlite3, got none")
    if kind == "postgresql":
        require_package("psycopg", "cluster", "a study in PostgreSQL")
    return url.set(drivername=DRIVERS[kind])


def write_note(folder: Path, place: StudyPlace) -> None:
    """Say in a folder where its study is kept, if that is not there; errors as in `files.write_text`."""
    if not place.in_folder and not (folder / NOTE).exists():
        write_text(folder / NOTE, json.dumps({"storage": place.shown, "study": place.name}, indent=1) + "\n")


def public(text: str) -> str:
    """Return the URL of a database without its password; what is none is not repeated."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return _public(make_url(text))
    except (ArgumentError, ValueError):
        return "(no URL)"


def _public(url: URL) -> str:
    """A URL without its password, wherever it stands."""
    from sqlalchemy.engine import URL

    query = {name: value for name, value in url.query.items() if "pass" not in name.lower()}
    public = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, query)
    return public.render_as_string(hide_password=False)


def _note(folder: Path) -> dict[str, Any] | None:
    """What a folder's note says; None without one."""
    try:
        content = json.loads((folder / NOTE).read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise ContractsError(f"{folder / NOTE} cannot be read: remove it, and name the study with --storage") from error
    if not isinstance(content, dict) or not all(isinstance(content.get(key), str) for key in ("storage", "study")):
        raise ContractsError(f"{folder / NOTE} was damaged or edited: remove it, and name the study with --storage")
    return content
