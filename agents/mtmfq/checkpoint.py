"""Checkpoints: one .npz file of plain arrays with JSON beside them; loading runs no code of the file."""

import contextlib
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtmfq.interface import LearnerError

FORMAT = 1
_FOREIGN = (ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error)


def save_arrays(path: Path, kind: str, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a checkpoint of `kind`; an older file at `path` stays whole until the new one is on disk."""
    path = Path(path)
    text = json.dumps({"format": FORMAT, "kind": kind, **meta}, default=_plain)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, mtmfq=np.array(text), **arrays)
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


def load_arrays(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read a checkpoint of `kind`: its metadata and its arrays."""
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise ValueError("a single array")
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(str(arrays.pop("mtmfq")[()]))
        found = (meta.pop("format"), meta.pop("kind"))
    except FileNotFoundError:
        raise LearnerError(f"there is no checkpoint {path}: check the path, or train first") from None
    except OSError as error:
        raise LearnerError(f"the checkpoint {path} could not be read ({error.strerror or error})") from error
    except _FOREIGN as error:
        raise LearnerError(
            f"{path} is no whole checkpoint of the learner (cut short, or another program's file): "
            "restore a copy, or delete it and train anew"
        ) from error
    if found != (FORMAT, kind):
        raise LearnerError(
            f"{path} is a checkpoint of kind {found[1]!r}, format {found[0]}, but one of kind {kind!r}, "
            f"format {FORMAT}, is needed here: give another path"
        )
    return meta, arrays


def kind_of(path: Path) -> str | None:
    """What a checkpoint says that it is; None if it cannot be read (`load_arrays` then says why)."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return str(json.loads(str(file["mtmfq"][()]))["kind"])
    except (OSError, IndexError, *_FOREIGN):
        return None


def rng_to_json(rng: np.random.Generator) -> str:
    """State of a random generator as text; equal states give equal texts."""
    return json.dumps(rng.bit_generator.state, default=_plain, sort_keys=True)


def rng_from_json(rng: np.random.Generator, text: str) -> None:
    """Put `rng` into the state that `rng_to_json` wrote."""
    state = json.loads(text)
    own = rng.bit_generator.state["bit_generator"]
    if state["bit_generator"] != own:
        raise LearnerError(
            f"the checkpoint was written with the random generator {state['bit_generator']}, "
            f"but {own} came: pass a numpy Generator of the same kind"
        )
    rng.bit_generator.state = state


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


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
