"""A training put aside between two vector episodes and taken up again, bit for bit."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtmfq.checkpoint import ArrayFile, check_identity, open_arrays, plain, save_arrays
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
    """Write all that the rest of the training depends on; a finished one needs no rollouts.

    meta: what the training is, for `load_training` to compare.
    """
    position = {"rng": rng_to_json(rng), "updates": learner.updates, "cpu_seconds": cpu_seconds}
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
    """Put everything where the checkpoint left it; vector episodes done and CPU-seconds spent.

    Raises:
        LearnerError: the file is damaged, or belongs to a training with another `meta`.
    """
    with open_arrays(path, "training") as file:
        position = file.meta["position"]
        _compare(meta, file.meta, position["rng"])
        updates, spent = position["updates"], float(position["cpu_seconds"])
        done = file.length("log")
        if done > len(log) or type(updates) is not int or updates < 0 or not 0 <= spent < np.inf:
            raise LearnerError("its counts are not those of a training like this one")
        record = file.read("log", log.dtype, (done, *log.shape[1:]), finite=False)
        if not np.isfinite(record[:, :-1]).all() or np.isinf(record).any():  # the loss is NaN where nothing was learned
            raise LearnerError("its array log holds numbers that are not finite")
        state = {name: file.read(name, own.dtype, own.shape) for name, own in learner.state().items()}
        if state["averaged"][0] < 0 or (state["adam_square"] < 0).any():
            raise LearnerError("its state of the optimiser is not one that learning leads to")
        played = [len(range(g, done, len(rollouts))) for g in range(len(rollouts))]  # in turns
        kept = [
            None if done == len(log) else _read_replay(file, f"replay_{g}_", rollout.replay, played[g])
            for g, rollout in enumerate(rollouts)
        ]
        rng_from_json(rng, position["rng"])
        learner.restore(state, updates)
        log[:done] = record
        for rollout, episodes, slots in zip(rollouts, played, kept, strict=True):
            rollout.resume(episodes)
            if slots is not None:
                rollout.replay.restore(slots, rollout.replay.written_after(episodes))
        return done, spent


def _read_replay(file: ArrayFile, prefix: str, replay: Replay, episodes: int) -> dict[str, NDArray[Any]]:
    """The slots that so many vector episodes have filled; everything in them can be learned from."""
    used = min(replay.written_after(episodes), replay.n_slots)
    kept = {name: file.read(prefix + name, own.dtype, (used, *own.shape[1:])) for name, own in replay.arrays.items()}
    replay.check(kept)
    return kept


def rng_to_json(rng: np.random.Generator) -> str:
    """State of a random generator as text; equal states give equal texts."""
    return json.dumps(plain(rng.bit_generator.state), sort_keys=True)


def rng_from_json(rng: np.random.Generator, text: str) -> None:
    """Put `rng` into the state that `rng_to_json` wrote."""
    state = json.loads(text)
    own = rng.bit_generator.state["bit_generator"]
    if state["bit_generator"] != own:
        raise LearnerError(
            f"it was written with the random generator {state['bit_generator']}, but got {own}: "
            "pass a numpy Generator of the same kind"
        )
    rng.bit_generator.state = state


def _compare(meta: Mapping[str, Any], stored: Mapping[str, Any], reached: str) -> None:
    """Refuse a checkpoint of another training, naming what differs; `reached`: the generator's state in the file."""
    wanted = plain(meta)
    for part in ("config", "signature"):
        for name, value in wanted[part].items():
            if stored[part].get(name) != value:
                raise LearnerError(
                    f"it belongs to a training with {name}={stored[part].get(name)}, but this one has {name}={value}"
                )
    for name in ("reward_scale", "reward_shift", "populations"):
        if stored[name] != wanted[name]:
            raise LearnerError(
                f"it belongs to a training with {name}={stored[name]}, but this one has {name}={wanted[name]}"
            )
    if stored.get("initial") != wanted["initial"]:  # files from before there was a choice began at random
        raise LearnerError(
            f"it belongs to a training that began from {_weights(stored.get('initial'))}, but this one begins from "
            f"{_weights(wanted['initial'])}"
        )
    check_identity(stored["identity"], wanted["identity"])
    if wanted["rng_start"] not in (stored["rng_start"], reached):
        raise LearnerError("it belongs to a training from another seed, and the same random generator must be passed")


def _weights(initial: object) -> str:
    return "random weights" if initial is None else f"the weights {initial!r:.40}"
