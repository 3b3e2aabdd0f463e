"""A training put aside between two vector episodes and taken up again, bit for bit."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtmfq.checkpoint import load_arrays, rng_from_json, rng_to_json, save_arrays
from mtmfq.interface import LearnerError
from mtmfq.learner import Learner
from mtmfq.replay import Replay


def save_training(
    path: Path,
    meta: Mapping[str, Any],
    learner: Learner,
    replay: Replay | None,
    log: NDArray[np.float64],
    rng: np.random.Generator,
    cpu_seconds: float,
) -> None:
    """Write all that the rest of the training depends on; a finished one needs no replay."""
    position = {
        "rng": rng_to_json(rng),
        "updates": learner.updates,
        "cpu_seconds": cpu_seconds,
        "n_written": 0 if replay is None else replay.n_written,
    }
    arrays = {**learner.state(), "log": log}
    if replay is not None:
        arrays |= {f"replay_{name}": array for name, array in replay.state().items()}
    save_arrays(path, "training", {**meta, "position": position}, arrays)


def load_training(
    path: Path,
    meta: Mapping[str, Any],
    learner: Learner,
    replay: Replay,
    log: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[int, float]:
    """Put everything where the checkpoint left it; vector episodes done and CPU-seconds spent."""
    stored, arrays = load_arrays(path, "training")
    try:
        position = stored["position"]
        _compare(path, meta, stored, position["rng"])
        done = len(arrays["log"])
        kept = {name: arrays[f"replay_{name}"] for name in replay.arrays} if position["n_written"] else {}
        if done > len(log) or arrays["log"].shape[1:] != log.shape[1:]:
            raise ValueError("log")
        for name, own in {**learner.state(), **replay.arrays}.items():
            other = kept[name] if name in kept else arrays.get(name, own)
            whole = other.shape == own.shape or (name in kept and other.shape[1:] == own.shape[1:])
            if not whole or other.dtype != own.dtype or len(other) > len(own):
                raise ValueError(name)
        learner.restore({name: arrays[name] for name in learner.state()}, int(position["updates"]))
        log[:done] = arrays["log"]
        if kept:
            replay.restore(kept, int(position["n_written"]))
        rng_from_json(rng, position["rng"])
        return done, float(position["cpu_seconds"])
    except LearnerError:
        raise
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise LearnerError(
            f"{path} does not hold a whole training ({error} is missing or of another size): "
            "restore a copy, or delete it and train anew"
        ) from error


def _compare(path: Path, meta: Mapping[str, Any], stored: Mapping[str, Any], reached: str) -> None:
    """Refuse a checkpoint of another training, naming what differs."""
    plain = json.loads(json.dumps(meta))
    for part in ("config", "signature"):
        for name, value in plain[part].items():
            if stored[part].get(name) != value:
                raise LearnerError(
                    f"{path} belongs to a training with {name}={stored[part].get(name)}, but this one has "
                    f"{name}={value}: make them equal, or give another checkpoint path"
                )
    for name in ("reward_scale", "reward_shift"):
        if stored[name] != plain[name]:
            raise LearnerError(
                f"{path} belongs to a training with {name}={stored[name]}, but this one has "
                f"{name}={plain[name]}: make them equal, or give another checkpoint path"
            )
    if plain["rng_start"] not in (stored["rng_start"], reached):
        raise LearnerError(
            f"{path} belongs to a training from another seed: pass the same random generator, "
            "or give another checkpoint path"
        )
