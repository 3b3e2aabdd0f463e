"""The file of a bundle: a zip archive with a manifest, written the same for the same content, and read with suspicion.

Everything that can be said without unpacking is checked before anything is unpacked: how large the archive says that it
is, where its parts lie, and what they are called. What is unpacked is counted, and its hash compared with the manifest.
Hashes find damage and edits; they are no signature.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from contract_wrapper.bundles import members
from contract_wrapper.bundles.members import MANIFEST, check_known, check_name, check_together
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.files import replacing

FORMAT, VERSION = "cleanup-contracts bundle", 1
"""What a manifest says that it is of."""

MOST_MANIFEST_BYTES = 4 << 20
"""Largest manifest."""

_STORED = (".npz", ".png", ".parquet")  # packed already
_DATE = (1980, 1, 1, 0, 0, 0)  # of every file, so that the same content gives the same bundle
_END, _LOCAL_BYTES, _ENTRY_BYTES = struct.Struct("<4s4H2LH"), 30, 46
_CHUNK = 1 << 20
_FOREIGN = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, NotImplementedError,
            RuntimeError, ValueError, LookupError, OverflowError, TypeError)  # fmt: skip
"""What parsers raise on bytes that something else wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a bundle says of itself."""

    kind: str
    """What was exported: "study" or "landscape"."""

    name: str
    """Name of the folder that it was exported from."""

    program: str
    """Version of the program that wrote it."""

    members: Mapping[str, tuple[int, str]]
    """File, the manifest apart -> its bytes and their SHA-256."""


def write_bundle(path: Path, kind: str, name: str, program: str, content: Mapping[str, bytes | Path]) -> None:
    """Write a bundle.

    Args:
        path: the file.
        kind: of the result, "study" or "landscape".
        name: of its folder.
        program: version of this program.
        content: files by their names in the bundle, as bytes or as files.

    Raises:
        ContractsError: it cannot be written, or would be larger than what is read.
    """
    described: dict[str, dict[str, Any]] = {}
    with replacing(path) as temporary:
        left = members.MOST_BUNDLE_BYTES  # so that zipfile needs none of its forms for larger archives
        with zipfile.ZipFile(temporary, "w", allowZip64=False) as archive:
            for member in sorted(content):
                given = content[member]
                data = given if isinstance(given, bytes) else given.read_bytes()
                left -= len(data)
                if left < 0 or len(content) >= members.MOST_MEMBERS:
                    raise ContractsError(
                        f"{path} would hold more than {members.MOST_BUNDLE_BYTES:,} bytes or {members.MOST_MEMBERS:,} files: "
                        "leave out the policies"
                    )
                described[member] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                archive.writestr(_entry(member), data)
            about = {
                "format": FORMAT, "version": VERSION, "kind": kind, "name": name, "program": program,
                "members": described,
            }  # fmt: skip
            archive.writestr(_entry(MANIFEST), json.dumps(about, indent=1) + "\n")
        with _opened(temporary):  # what would not be read is not written
            pass


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(check_name(name), _DATE)
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(_STORED) else zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


def digest(path: Path) -> str:
    """SHA-256 of a whole file, by which two people can say that they have the same one."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpack(path: Path, folder: Path, wanted: Callable[[str], bool]) -> Manifest:
    """Check a whole bundle, and write those of its files that are wanted into a folder, which is there and empty.

    Raises:
        ContractsError: the file is no bundle, damaged, edited, too large, of another version, or has names that lead
            elsewhere; or the folder cannot be written.
    """
    with _opened(path) as (archive, manifest):
        for name, (size, sha256) in manifest.members.items():
            target = None
            if wanted(name):
                target = folder.joinpath(*name.split("/"))
                target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.ExitStack() as stack:
                out = None if target is None else stack.enter_context(target.open("xb"))
                found = _copy(archive, name, out)
            if found != (size, sha256):
                raise ContractsError(f"its file {name} is another than its manifest says: it was damaged or edited")
    return manifest


def _copy(archive: zipfile.ZipFile, name: str, out: BinaryIO | None) -> tuple[int, str]:
    """Read a file in pieces, and write it if it is wanted; its bytes and their hash."""
    total, size = hashlib.sha256(), 0
    with archive.open(name) as file:
        while piece := file.read(_CHUNK):
            size += len(piece)
            total.update(piece)
            if out is not None:
                out.write(piece)
    return size, total.hexdigest()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Open a bundle whose layout, names, sizes and manifest are as they must be; errors name the file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ContractsError("it is no regular file")
        with path.open("rb") as file:
            end = _check_end(file)
            with zipfile.ZipFile(file) as archive:
                _check_entries(archive.infolist(), end)
                yield archive, _manifest(archive)
    except ContractsError as error:
        raise ContractsError(f"{path} is no bundle that can be used: {error}") from error
    except OSError as error:
        raise ContractsError(f"{path} cannot be read or unpacked: {error.strerror or error}") from error
    except _FOREIGN as error:
        why = " ".join(f"{error}".split())
        raise ContractsError(f"{path} is no bundle that can be used: it is no whole archive ({why:.80})") from error


def _check_end(file: BinaryIO) -> int:
    """Where the table of contents begins; refuses an archive that is too large, before anything of it is parsed."""
    size = file.seek(0, os.SEEK_END)
    if size > members.MOST_BUNDLE_BYTES:
        raise ContractsError(f"it has {size:,} bytes, more than {members.MOST_BUNDLE_BYTES:,}")
    if size < _END.size:
        raise ContractsError("it is too short")
    file.seek(max(0, size - _END.size - 20))
    before, end = file.read(min(20, size - _END.size)), file.read(_END.size)
    mark, disk, first_disk, here, entries, length, start, comment = _END.unpack(end)
    if mark != b"PK\x05\x06" or comment or before.startswith(b"PK\x06\x07"):
        raise ContractsError("it is cut short, has something behind its end, or is no archive that `export` wrote")
    if disk or first_disk or here != entries or start + length != size - _END.size:
        raise ContractsError("its table of contents is not where it says")
    longest = members.MOST_MEMBERS * (_ENTRY_BYTES + 400)
    if entries > members.MOST_MEMBERS or length > longest:
        raise ContractsError(f"it has {entries:,} files, more than {members.MOST_MEMBERS:,}: a zip bomb?")
    file.seek(0)
    return int(start)


def _check_entries(entries: list[zipfile.ZipInfo], end: int) -> None:
    """Refuse whatever a bundle's entry is not: of another name, kind, size or place."""
    if len(entries) > members.MOST_MEMBERS:
        raise ContractsError(f"it has {len(entries):,} files, more than {members.MOST_MEMBERS:,}: a zip bomb?")
    at = total = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        name = check_name(entry.orig_filename)
        mode = entry.external_attr >> 16
        if name != entry.filename or stat.S_IFMT(mode) not in (0, stat.S_IFREG) or entry.external_attr & 0x10:
            raise ContractsError(f"its file {name} is a link, a folder or a device: do not unpack it")
        if entry.flag_bits & ~0x0806 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ContractsError(f"its file {name} is encrypted or packed as `export` packs none")
        if entry.extra or entry.comment or entry.header_offset != at:
            raise ContractsError(
                f"its file {name} lies elsewhere, or has more to say, than `export` writes: ask for the file as it was written"
            )
        at += _LOCAL_BYTES + len(name) + entry.compress_size
        total += entry.file_size
        if entry.file_size > members.MOST_MEMBER_BYTES or total > members.MOST_UNPACKED_BYTES:
            raise ContractsError(
                f"it would unpack to more than {members.MOST_UNPACKED_BYTES >> 20:,} MiB, or its file {name} to more than "
                f"{members.MOST_MEMBER_BYTES >> 20:,} MiB: a zip bomb?"
            )
        small = entry.file_size <= members.SMALL_BYTES
        if not small and entry.file_size > members.MOST_RATIO * max(entry.compress_size, 1):
            raise ContractsError(
                f"its file {name} unpacks to more than {members.MOST_RATIO} times its size: a zip bomb?"
            )
    if at != end:
        raise ContractsError("it holds more than its files")
    check_together(entry.filename for entry in entries)


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    """Read the manifest, and compare it with what the archive holds."""
    sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    if not 0 < sizes.get(MANIFEST, 0) <= MOST_MANIFEST_BYTES:
        raise ContractsError(f"its {MANIFEST} is missing or too large")
    out = io.BytesIO()
    _copy(archive, MANIFEST, out)
    data = json.loads(out.getvalue().decode(), object_pairs_hook=_once)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ContractsError(f"its {MANIFEST} is none of a bundle of this program")
    if data.get("version") != VERSION:
        raise ContractsError(
            f"its version is {shown(data.get('version'))}, and this program reads {VERSION}: use the version that wrote it"
        )
    kind, listed = data.get("kind"), data.get("members")
    if not isinstance(kind, str) or kind not in members.KNOWN or not isinstance(listed, dict):
        raise ContractsError(f"it is of the kind {shown(kind)}, and not one of {', '.join(members.KNOWN)}")
    name, program = data.get("name"), data.get("program")
    for text in (name, program):
        if not isinstance(text, str) or not 0 < len(text) <= 200 or not text.isprintable():
            raise ContractsError(f"its {MANIFEST} says no name and no version of a program, got {shown(text)}")
    found = {member: _size_and_hash(member, said) for member, said in listed.items()}
    if {MANIFEST: sizes[MANIFEST], **{member: size for member, (size, _) in found.items()}} != sizes:
        raise ContractsError("it holds other files than its manifest names: it was damaged or edited")
    check_known(kind, found)
    return Manifest(kind=kind, name=str(name), program=str(program), members=found)


def _size_and_hash(member: str, said: object) -> tuple[int, str]:
    size, sha256 = (said.get("bytes"), said.get("sha256")) if isinstance(said, dict) else (None, None)
    whole = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    if not whole or not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ContractsError(f"its manifest says no size and hash of {shown(member)}")
    return int(size or 0), sha256


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice in its manifest")
    return found
