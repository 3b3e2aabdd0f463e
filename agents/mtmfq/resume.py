"""A training put aside between two vector episodes and taken up again, bit for bit."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtmfq.checkpoint import load_arrays, rng_from_json, rng_to_json, save_arrays
from mtmfq.interface import LearnerError
from mtmfq.learner import Learner
from mtmfq.replay import Replay
from mtmfq.rollout import Rollout


def save_training(
    path: Path,
    meta: Mapping[str, Any],
    learner: Learner,
    rollouts: Sequence[Rollout],
    log: NDArray[np.float64],
    rng: np.random.Generator,
    cpu_seconds: float,
) -> None:
    """Write all that the rest of the training depends on; a finished one needs no rollouts."""
    position = {
        "rng": rng_to_json(rng),
        "updates": learner.updates,
        "cpu_seconds": cpu_seconds,
    }
    arrays = {**learner.state(), "log": log}
    for g, rollout in enumerate(rollouts):
        arrays |= {f"replay_{g}_{name}": array for name, array in rollout.replay.state().items()}
    save_arrays(path, "training", {**meta, "position": position}, arrays)


def load_training(
    path: Path,
    meta: Mapping[str, Any],
    learner: Learner,
    rollouts: Sequence[Rollout],
    log: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[int, float]:
    """Put everything where the checkpoint left it; vector episodes done and CPU-seconds spent."""
    stored, arrays = load_arrays(path, "training")
    try:
        position = stored["position"]
        _compare(path, meta, stored, position["rng"])
        done = len(arrays["log"])
        if done > len(log) or arrays["log"].shape[1:] != log.shape[1:]:
            raise ValueError("log")
        for name, own in learner.state().items():
            if arrays[name].shape != own.shape or arrays[name].dtype != own.dtype:
                raise ValueError(name)
        played = [len(range(g, done, len(rollouts))) for g in range(len(rollouts))]  # in turns
        kept = [
            _read_replay(arrays, f"replay_{g}_", rollout.replay, played[g]) if done < len(log) else None
            for g, rollout in enumerate(rollouts)
        ]
        learner.restore({name: arrays[name] for name in learner.state()}, int(position["updates"]))
        log[:done] = arrays["log"]
        for rollout, episodes, slots in zip(rollouts, played, kept, strict=True):
            rollout.resume(episodes)
            if slots is not None:
                rollout.replay.restore(slots, rollout.replay.written_after(episodes))
        rng_from_json(rng, position["rng"])
        return done, float(position["cpu_seconds"])
    except LearnerError:
        raise
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise LearnerError(
            f"{path} does not hold a whole training ({error} is missing or of another size): "
            "restore a copy, or delete it and train anew"
        ) from error


def _read_replay(
    arrays: Mapping[str, NDArray[Any]], prefix: str, replay: Replay, episodes: int
) -> dict[str, NDArray[Any]]:
    """The slots of a replay that so many episodes have filled; raises ValueError where they are not whole."""
    used = min(replay.written_after(episodes), replay.n_slots)
    kept = {name: arrays[prefix + name] for name in replay.arrays}
    for name, own in replay.arrays.items():
        if kept[name].shape != (used, *own.shape[1:]) or kept[name].dtype != own.dtype:
            raise ValueError(prefix + name)
    return kept


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
    for name in ("reward_scale", "reward_shift", "populations"):
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
