"""Multi-type mean-field Q-learning, read top to bottom: play an episode, learn from the replay, repeat.

Several games of one kind, with other populations, can be learned by the same networks: they are played in turns,
and each gradient step is on the replay of one of them.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mtmfq.checkpoint import plain
from mtmfq.checks import shown
from mtmfq.config import MTMFQConfig
from mtmfq.interface import BatchGame, Curve, LearnerError, TrainProgress
from mtmfq.learner import Learner
from mtmfq.network import weights_hash
from mtmfq.policy import Policy, one_thread
from mtmfq.resume import load_training, rng_to_json, save_training
from mtmfq.rollout import Rollout, signatures_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a training gives."""

    policy: Policy
    """The policy as it stands."""

    curve: Curve
    """The course of the training."""

    updates: int
    """Gradient steps taken."""

    agent_steps: int
    """Steps of single agents played."""

    cpu_seconds: float
    """CPU time, over all runs of a training that was resumed."""

    finished: bool
    """False if `should_stop` ended the training early."""


def train(
    game: BatchGame | Sequence[BatchGame],
    config: MTMFQConfig,
    rng: np.random.Generator,
    *,
    reward_scale: Sequence[float] | NDArray[np.float64] | None = None,
    reward_shift: Sequence[float] | NDArray[np.float64] | None = None,
    initial: Policy | None = None,
    on_progress: Callable[[TrainProgress], None] | None = None,
    checkpoint: Path | str | None = None,
    checkpoint_seconds: float = 20.0,
    identity: Mapping[str, Any] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainResult:
    """Train one network per type on `game`; everything drawn comes from `rng`.

    Several games of the same kind (their populations may differ) are played in turns, one vector episode each:
    game e % G in vector episode e. Each has a replay of its own, and each gradient step is on the replay of a
    game drawn at random among those that have something to learn from.

    A type's learner sees scale * (reward + shift) of its agents' rewards, (M,) each. A game with a context
    (`ContextGame`) declares its own for each episode instead. The networks start from the weights of `initial`, a
    policy with networks of the same shape, or from random ones (None). An existing
    `checkpoint` is resumed and gives exactly what an uninterrupted training would have given; it is
    written every `checkpoint_seconds`, and seldom enough that writing takes a tenth of the time at most.
    `identity` says in plain values what the settings here do not (rules of the game, contract, seed); it is
    written into checkpoint and policy, and a checkpoint with another one is refused.
    """
    one_thread()
    games: list[BatchGame] = list(game) if isinstance(game, Sequence) else [game]
    signatures = signatures_of(games, config)
    signature = signatures[0]
    n_types, horizon = len(signature.n_actions), signature.horizon
    scale = signature.per_type(reward_scale, 1.0, "reward_scale")
    shift = signature.per_type(reward_shift, 0.0, "reward_shift")
    if not config.scaled_rewards and (scale != 1.0).any():
        raise LearnerError(
            f"this configuration keeps absolute rewards, but reward_scale {scale.tolist()} came: "
            "leave it out, or set scaled_rewards=True"
        )
    if signature.n_context and not (reward_scale is None and reward_shift is None):
        raise LearnerError("a game with a context declares its own reward scale and shift: leave them out")
    if initial is not None and not isinstance(initial, Policy):
        raise LearnerError(f"initial must be a policy to go on from, or None, got {shown(initial)}")
    vector_episodes = math.ceil(config.episodes / config.n_games)

    meta = {
        "config": config.to_dict(),
        "signature": asdict(signature),
        "populations": [s.agent_types for s in signatures],
        "reward_scale": scale.tolist(),
        "reward_shift": shift.tolist(),
        "initial": None if initial is None else weights_hash(initial.networks),
        "identity": plain(identity),
        "rng_start": rng_to_json(rng),
    }
    began = time.process_time()
    learner = Learner(
        signature, config, seed=int(rng.integers(2**62)), initial=None if initial is None else initial.networks
    )
    n_slots = min(config.replay_capacity, math.ceil(vector_episodes / len(games)) * (horizon + 1))
    rollouts = [
        Rollout(
            g, s, config, learner.networks, n_slots,
            scale=scale[list(s.agent_types)], shift=shift[list(s.agent_types)],
        )
        for g, s in zip(games, signatures, strict=True)
    ]  # fmt: skip
    log = np.full((vector_episodes, n_types + 2), np.nan)  # returns, temperature, loss
    done, spent = 0, 0.0
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and path.exists():
        done, spent = load_training(path, meta, learner, rollouts, log, rng)
    saved, saving = time.monotonic(), 0.0

    while done < vector_episodes and not (should_stop is not None and should_stop()):
        temperature = config.temperature_at(done / vector_episodes)
        rollout = rollouts[done % len(rollouts)]
        types = rollout.types
        sums, losses = np.zeros((config.n_games, len(types))), []
        rollout.start(int(rng.integers(2**31)))
        for _ in range(horizon):
            sums += rollout.step(temperature, rng)
            due = int(sum(r.updates_due for r in rollouts))
            ready = [r.replay for r in rollouts if r.replay.is_ready()]
            while learner.updates < due and ready:
                drawn = int(rng.integers(len(ready))) if len(ready) > 1 else 0
                losses.append(learner.update(ready[drawn], temperature, rng))
                if config.average_from is not None and done >= config.average_from * vector_episodes:
                    learner.add_to_average()
        if not np.isfinite(sums).all():
            raise LearnerError("the game paid rewards that are not finite: check how it pays")
        log[done, :n_types] = [sums[:, types == m].sum() / config.n_games for m in range(n_types)]
        log[done, n_types:] = temperature, np.mean(losses) if losses else np.nan
        done += 1
        cpu = spent + time.process_time() - began
        if on_progress is not None:
            on_progress(
                TrainProgress(
                    episode=done * config.n_games,
                    episodes=vector_episodes * config.n_games,
                    returns=log[done - 1, :n_types].copy(),
                    total=float(log[done - 1, :n_types].sum()),
                    temperature=temperature,
                    loss=float(log[done - 1, -1]),
                    updates=learner.updates,
                    cpu_seconds=cpu,
                )
            )
        pause = time.monotonic() - saved
        if path is not None and done < vector_episodes and pause >= max(checkpoint_seconds, 10 * saving):
            save_training(path, meta, learner, rollouts, log[:done], rng, cpu)
            saved, saving = time.monotonic(), time.monotonic() - saved - pause

    if not torch.isfinite(learner.networks.flat).all():
        raise LearnerError("the learner diverged: its weights are not finite; lower learning_rate")
    cpu = spent + time.process_time() - began
    finished = done == vector_episodes
    if path is not None:
        save_training(path, meta, learner, [] if finished else rollouts, log[:done], rng, cpu)
    return TrainResult(
        policy=Policy(config=config, signature=signature, networks=learner.learned(), identity=plain(identity)),
        curve=Curve(
            episode=np.arange(1, done + 1) * config.n_games,
            returns=log[:done, :n_types].copy(),
            temperature=log[:done, n_types].copy(),
            loss=log[:done, n_types + 1].copy(),
        ),
        updates=learner.updates,
        agent_steps=sum(r.agent_steps for r in rollouts),
        cpu_seconds=cpu,
        finished=finished,
    )
