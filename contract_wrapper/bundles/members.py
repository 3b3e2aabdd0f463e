"""What a bundle may hold: names of its files, and how large they may be. Whatever is not said here is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable

from contract_wrapper.errors import ContractsError, shown

MANIFEST = "manifest.json"
"""The file that names all others, with their sizes and hashes."""

MOST_BUNDLE_BYTES = 1 << 30
"""Largest bundle."""

MOST_UNPACKED_BYTES = 2 << 30
"""Largest sum of the files in it, unpacked."""

MOST_MEMBER_BYTES = 512 << 20
"""Largest file in it, unpacked."""

MOST_MEMBERS = 5_000
"""Files in it."""

MOST_RATIO = 200
"""Unpacked bytes per packed byte, of files of more than `SMALL_BYTES`: text shrinks ten times, a zip bomb a thousand."""

SMALL_BYTES = 1 << 20
"""Up to this size any ratio is harmless."""

_PART = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,119}"
_FIGURES = rf"figures/{_PART}\.(?:png|pdf|svg|md|html)"
_TABLES = ("README.txt", "configuration.toml")

KNOWN = {
    "study": re.compile(
        "|".join([
            *map(re.escape, (*_TABLES, "study.json", "trials.jsonl", "trials.csv", "trials.parquet")),
            r"run\.json", r"certificates\.json", _FIGURES, rf"outcomes/(?:crews/)?{_PART}\.npz",
        ])
    ),
    "landscape": re.compile(
        "|".join([
            *map(re.escape, (*_TABLES, "landscape.npz", "landscape.csv", "landscape.parquet")),
            r"settings\.json", r"commands\.json", _FIGURES, rf"seed-[0-9]{{1,19}}/(?:crews/)?{_PART}\.npz",
        ])
    ),
}  # fmt: skip
"""Kind of a bundle -> names that its files may have."""

NEEDED = {"study": ("study.json", "trials.jsonl", "trials.csv"), "landscape": ("landscape.npz", "landscape.csv")}
"""Kind of a bundle -> files without which it is none."""

_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def check_name(name: object) -> str:
    """Return the name of a file in a bundle, if it is one on every system and leads nowhere else.

    Raises:
        ContractsError: it is absolute, leads out of the bundle, names a device, or has other letters than A-Z, a-z, 0-9
            and ._+- (so no backslash, no blank, no colon, no zero byte).
    """
    parts = name.split("/") if isinstance(name, str) else []
    for part in parts:
        if not re.fullmatch(_PART, part) or part.endswith(".") or _DEVICES.fullmatch(part):
            parts = []
            break
    if not 1 <= len(parts) <= 3:
        raise ContractsError(f"it has a file with the name {shown(name)}, which no bundle has: do not unpack it")
    return "/".join(parts)


def check_together(names: Iterable[str]) -> None:
    """Refuse names that are one on some system, or of which one would be a folder of another.

    Raises:
        ContractsError: naming the first.
    """
    there, folders = set[str](), set[str]()
    for name in names:
        lower = name.casefold()
        if lower in there:
            raise ContractsError(f"it has the file {shown(name)} twice: do not unpack it")
        there.add(lower)
        parts = lower.split("/")
        folders |= {"/".join(parts[:k]) for k in range(1, len(parts))}
    both = sorted(there & folders)
    if both:
        raise ContractsError(f"its file {shown(both[0])} is also a folder: do not unpack it")


def check_known(kind: str, names: Iterable[str]) -> None:
    """Refuse files that a bundle of this kind does not have, and a bundle without those that it needs.

    Raises:
        ContractsError: naming the first.
    """
    found = set(names)
    for name in sorted(found):
        if name != MANIFEST and not KNOWN[kind].fullmatch(name):
            raise ContractsError(f"it has the file {shown(name)}, which no bundle of a {kind} has: do not unpack it")
    for name in NEEDED[kind]:
        if name not in found:
            raise ContractsError(f"its file {name} is missing: ask for the bundle again")
