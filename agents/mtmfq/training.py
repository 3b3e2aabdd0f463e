"""Multi-type mean-field Q-learning, read top to bottom: play an episode, learn from the replay, repeat."""

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
from mtmfq.config import MTMFQConfig
from mtmfq.interface import BatchGame, Curve, LearnerError, Signature, TrainProgress
from mtmfq.learner import Learner
from mtmfq.policy import Actor, Policy, all_others, one_thread
from mtmfq.replay import Replay
from mtmfq.resume import load_training, rng_to_json, save_training
from mtmfq.update import fill_mean_actions


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
    game: BatchGame,
    config: MTMFQConfig,
    rng: np.random.Generator,
    *,
    reward_scale: Sequence[float] | NDArray[np.float64] | None = None,
    reward_shift: Sequence[float] | NDArray[np.float64] | None = None,
    on_progress: Callable[[TrainProgress], None] | None = None,
    checkpoint: Path | str | None = None,
    checkpoint_seconds: float = 20.0,
    identity: Mapping[str, Any] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainResult:
    """Train one network per type on `game`; everything drawn comes from `rng`.

    A type's learner sees scale * (reward + shift) of its agents' rewards, (M,) each. An existing
    `checkpoint` is resumed and gives exactly what an uninterrupted training would have given; it is
    written every `checkpoint_seconds`, and seldom enough that writing takes a tenth of the time at most.
    `identity` says in plain values what the settings here do not (rules of the game, contract, seed); it is
    written into checkpoint and policy, and a checkpoint with another one is refused.
    """
    one_thread()
    signature = Signature.of(game)
    if game.n_games != config.n_games:
        raise LearnerError(f"the game plays {game.n_games} copies, but n_games is {config.n_games}: make them equal")
    types, sizes = np.array(signature.agent_types, np.int64), np.array(signature.n_actions, np.int64)
    n_types, n_agents, horizon = len(sizes), len(types), signature.horizon
    scale = signature.per_type(reward_scale, 1.0, "reward_scale")
    shift = signature.per_type(reward_shift, 0.0, "reward_shift")
    if not config.scaled_rewards and (scale != 1.0).any():
        raise LearnerError(
            f"this configuration keeps absolute rewards, but reward_scale {scale.tolist()} came: "
            "leave it out, or set scaled_rewards=True"
        )
    vector_episodes = math.ceil(config.episodes / config.n_games)
    n_slots = min(config.replay_capacity, vector_episodes * (horizon + 1))
    rows_per_update = config.batch_size * sum(count > 0 for count in signature.population)

    meta = {
        "config": config.to_dict(),
        "signature": asdict(signature),
        "reward_scale": scale.tolist(),
        "reward_shift": shift.tolist(),
        "identity": plain(identity),
        "rng_start": rng_to_json(rng),
    }
    began = time.process_time()
    learner = Learner(signature, config, seed=int(rng.integers(2**62)))
    replay = Replay(signature, config, n_slots)
    log = np.full((vector_episodes, n_types + 2), np.nan)  # returns, temperature, loss
    done, spent = 0, 0.0
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and path.exists():
        done, spent = load_training(path, meta, learner, replay, log, rng)
    actor = Actor(learner.networks, types, config.n_games)
    everyone = all_others(config.n_games, n_agents)
    means = np.zeros((config.n_games, n_agents, signature.n_means), np.float32)
    saved, saving = time.monotonic(), 0.0

    while done < vector_episodes and not (should_stop is not None and should_stop()):
        temperature = config.temperature_at(done / vector_episodes)
        sums, losses = np.zeros((config.n_games, n_agents)), []
        features, cells = signature.split(game.reset(int(rng.integers(2**31))))
        means[:] = 0.0
        replay.start(features, cells)
        for t in range(horizon):
            actions = actor.act(features, cells, means, temperature, rng)
            seen = game.visible() if config.neighbours == "visible" else everyone
            fill_mean_actions(actions, seen, types, sizes, means)
            observations, rewards = game.step(actions)
            features, cells = signature.split(observations)
            sums += rewards
            replay.add(actions, (rewards + shift[types]) * scale[types], features, cells, means)
            played = (done * horizon + t + 1) * config.n_games * n_agents
            due = int(config.replay_ratio * played / rows_per_update)
            first, stop = replay.starts()
            while learner.updates < due and first < stop:
                losses.append(learner.update(replay, temperature, rng))
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
            save_training(path, meta, learner, replay, log[:done], rng, cpu)
            saved, saving = time.monotonic(), time.monotonic() - saved - pause

    if not torch.isfinite(learner.networks.flat).all():
        raise LearnerError("the learner diverged: its weights are not finite; lower learning_rate")
    cpu = spent + time.process_time() - began
    finished = done == vector_episodes
    if path is not None:
        save_training(path, meta, learner, None if finished else replay, log[:done], rng, cpu)
    return TrainResult(
        policy=Policy(config=config, signature=signature, networks=learner.learned(), identity=plain(identity)),
        curve=Curve(
            episode=np.arange(1, done + 1) * config.n_games,
            returns=log[:done, :n_types].copy(),
            temperature=log[:done, n_types].copy(),
            loss=log[:done, n_types + 1].copy(),
        ),
        updates=learner.updates,
        agent_steps=done * horizon * config.n_games * n_agents,
        cpu_seconds=cpu,
        finished=finished,
    )
