"""Files of policies and trainings: one .npz of plain arrays with JSON beside them, sealed by hashes.

A file is input from outside: what it says of itself is compared with what its reader expects before memory is
taken, no array is read that was not asked for, and no code of a file is run. The hashes find damage and edits by
hand; they are no signature, so whoever makes a file on purpose can seal it, and readers check what they read.
"""

import contextlib
import hashlib
import io
import json
import math
import os
import stat
import struct
import tokenize
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mtmfq.interface import LearnerError

FORMAT = 2
MOST_HEADER_BYTES = 1 << 20
"""Largest JSON part of a file; also the most that is read at once, which bounds the table of contents of the archive."""

_HEADER, _SEAL = "mtmfq", "sha256"
FOREIGN = (ValueError, LookupError, ArithmeticError, TypeError, AttributeError, EOFError, RuntimeError,
           SyntaxError, struct.error, tokenize.TokenError, zipfile.BadZipFile)  # fmt: skip
"""What parsers raise on bytes that something else wrote."""


def save_arrays(path: Path, kind: str, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a file of `kind`; an older file at `path` stays whole until the new one is on disk.

    meta: plain values, for JSON. arrays: of numbers, by name.

    Raises:
        LearnerError: the file cannot be written.
    """
    path = Path(path)
    ordered = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    described = {
        name: {"dtype": array.dtype.str, "shape": array.shape, "sha256": _digest(array)}
        for name, array in ordered.items()
    }
    header = {"format": FORMAT, "kind": kind, "arrays": described, "meta": meta}
    text = json.dumps(header, default=_plain).encode()
    if len(text) > MOST_HEADER_BYTES - 1024:  # the .npy header comes on top
        raise LearnerError(
            f"{path} would say {len(text):,} bytes of what it is for, more than {MOST_HEADER_BYTES:,}: "
            "give a shorter identity, such as a hash"
        )
    said = {_HEADER: text, _SEAL: hashlib.sha256(text).digest()}
    members: dict[str, Any] = {**{name: np.frombuffer(part, np.uint8) for name, part in said.items()}, **ordered}
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.savez(file, **members)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise LearnerError(
            f"the checkpoint {path} could not be written ({error.strerror or error}): "
            "free some space or choose another folder; an older checkpoint there is unharmed"
        ) from error


class ArrayFile:
    """An open file of arrays: its JSON part, and the arrays that are asked for."""

    meta: dict[str, Any]
    """What `save_arrays` got as `meta`, after a trip through JSON."""

    kind: str
    """What the file says that it is."""

    def __init__(self, archive: zipfile.ZipFile, n_bytes: int) -> None:
        self._archive, self._n_bytes = archive, n_bytes
        self._members = {member.filename: member for member in archive.infolist()}
        if len(self._members) < len(archive.infolist()):
            raise ValueError("two members of one name")
        text = self._array(_HEADER, np.dtype(np.uint8), None).tobytes()
        if self._array(_SEAL, np.dtype(np.uint8), (32,)).tobytes() != hashlib.sha256(text).digest():
            raise ValueError("another seal")
        header = json.loads(text)
        self.format, self.kind = header["format"], header["kind"]
        if self.format == FORMAT:
            self.meta, self._described = header["meta"], header["arrays"]
            if set(self._members) != {f"{name}.npy" for name in (_HEADER, _SEAL, *self._described)}:
                raise ValueError("other members than described")

    def __contains__(self, name: str) -> bool:
        return name in self._described

    def length(self, name: str) -> int:
        """Length of the first axis of an array, as the file describes it."""
        return int(self._described[name]["shape"][0])

    def read(self, name: str, dtype: DTypeLike, shape: tuple[int, ...], *, finite: bool = True) -> NDArray[Any]:
        """Read an array that must have this type and shape; finite: whether NaN and infinities are refused.

        Raises:
            LearnerError: the array is another one, or damaged.
        """
        expected, described = np.dtype(dtype), self._described.get(name)
        if described is None:
            raise LearnerError(f"its array {name} is missing")
        found = (described["dtype"], tuple(described["shape"]))
        if found != (expected.str, shape):
            raise LearnerError(f"its array {name} should be {expected.str} {shape}, but is {found[0]} {found[1]}")
        array = self._array(name, expected, shape)
        if _digest(array) != described["sha256"]:
            raise LearnerError(f"its array {name} was changed after it was written")
        if finite and not np.isfinite(array).all():
            raise LearnerError(f"its array {name} holds numbers that are not finite")
        return array

    def _array(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...] | None) -> NDArray[Any]:
        """An uncompressed member whose size and .npy header fit type and shape; shape None: a short list of any length."""
        member = self._members[f"{name}.npy"]
        stored = member.compress_type == zipfile.ZIP_STORED and member.compress_size == member.file_size
        if not stored or not 0 <= member.file_size <= self._n_bytes:
            raise ValueError("a compressed member, or one larger than the file")
        if shape is None and member.file_size > MOST_HEADER_BYTES:
            raise ValueError("a header of more than 1 MiB")
        data = bytearray(member.file_size)
        with self._archive.open(member) as file:  # compares the check sum at its end
            for at in range(0, len(data), MOST_HEADER_BYTES):
                part = file.read(min(MOST_HEADER_BYTES, len(data) - at))
                data[at : at + len(part)] = part
                if at + len(part) < min(at + MOST_HEADER_BYTES, len(data)):
                    raise EOFError
        head = io.BytesIO(data[:16_384])
        if np.lib.format.read_magic(head) != (1, 0):
            raise ValueError("an array of another version")
        found_shape, fortran, found_dtype = np.lib.format.read_array_header_1_0(head)
        start = head.tell()
        expected = (len(data) - start,) if shape is None else shape
        if (found_shape, found_dtype, fortran) != (expected, dtype, False):
            raise ValueError("another array than described")
        if len(data) - start != dtype.itemsize * math.prod(expected):
            raise ValueError("an array of another size than described")
        return np.ndarray(expected, dtype, data, start)


@contextlib.contextmanager
def open_arrays(path: Path, kind: str) -> Iterator[ArrayFile]:
    """Open a file of `kind`; what goes wrong while it is read names the file.

    Raises:
        LearnerError: the file is missing, damaged, too large for what it says, or of another kind or format.
    """
    path = Path(path)
    try:
        with _opened(path) as file:
            if (file.format, file.kind) != (FORMAT, kind):
                raise LearnerError(
                    f"it is a checkpoint of kind {_short(file.kind)}, format {_short(file.format)}, "
                    f"but one of kind {kind!r}, format {FORMAT}, is needed here"
                )
            yield file
    except LearnerError as error:
        raise LearnerError(f"{path} cannot be used: {error}: give another path, or delete it and train anew") from error
    except FileNotFoundError:
        raise LearnerError(f"there is no checkpoint {path}: check the path, or train first") from None
    except OSError as error:
        raise LearnerError(f"the checkpoint {path} could not be read ({error.strerror or error})") from error
    except FOREIGN as error:
        raise LearnerError(
            f"{path} is no whole checkpoint of the learner (cut short, or another program's file): "
            "restore a copy, or delete it and train anew"
        ) from error


def kind_of(path: Path) -> str | None:
    """What a file says that it is; None if it cannot be read (`open_arrays` then says why)."""
    try:
        with _opened(Path(path)) as file:
            return str(file.kind)
    except (OSError, *FOREIGN):
        return None


def plain(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Values as they come back from JSON: tuples become lists, numpy numbers plain ones, None an empty mapping."""
    result: dict[str, Any] = json.loads(json.dumps(dict(values or {}), default=_plain))
    return result


def check_identity(stored: object, wanted: Mapping[str, Any] | None) -> None:
    """Refuse what was made for something else, naming the first entry that differs.

    stored: what a file says that it was made for; wanted: what it must say, no entry more or less.

    Raises:
        LearnerError: as above.
    """
    said, expected = stored if isinstance(stored, dict) else {}, plain(wanted)
    for name in (*expected, *(name for name in said if name not in expected)):
        if name not in said or name not in expected or said[name] != expected[name]:
            has, needs = (_short(values[name]) if name in values else "nothing" for values in (said, expected))
            raise LearnerError(f"it was made for another training: its {name} is {has}, but {needs} is needed here")


class _BoundedFile(io.FileIO):
    """A file that gives no more than a header's worth at once, so that a lie about sizes takes no memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = MOST_HEADER_BYTES if size is None or size < 0 else size
        if wanted > MOST_HEADER_BYTES:
            raise ValueError("a table of contents of more than 1 MiB")
        return super().read(wanted) or b""


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[ArrayFile]:
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise OSError("not a regular file")
    with _BoundedFile(path) as raw, zipfile.ZipFile(raw) as archive:
        yield ArrayFile(archive, about.st_size)


def _digest(array: NDArray[Any]) -> str:
    return hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _short(value: object, most: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _sync_folder(folder: Path) -> None:
    """Make the new name durable where the system allows a folder to be synced."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
