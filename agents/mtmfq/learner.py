"""Multi-type mean-field Q-learning, read top to bottom: play an episode, learn from the replay, repeat."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mtmfq.checkpoint import rng_to_json
from mtmfq.config import LearnerError, MTMFQConfig
from mtmfq.game import BatchGame, Signature
from mtmfq.network import NetworkShape, QNetworks
from mtmfq.policy import Actor, Policy, all_others, one_thread
from mtmfq.replay import Replay
from mtmfq.results import Curve, TrainProgress, TrainResult
from mtmfq.resume import load_training, save_training
from mtmfq.update import fill_mean_actions, td_loss, td_targets


class Learner:
    """Networks, their slow copy and the optimiser; one `update` is one gradient step of all types."""

    def __init__(self, signature: Signature, config: MTMFQConfig, seed: int) -> None:
        self.config = config
        self.networks = QNetworks.initialised(NetworkShape.of(signature, config), seed)
        self.target = self.networks.copy()
        self.flat = torch.nn.Parameter(self.networks.flat)
        self.optimiser = torch.optim.Adam([self.flat], lr=config.learning_rate, fused=True)
        self.present = torch.tensor([float(count > 0) for count in signature.crew])
        self.has_cells = signature.n_cells > 0
        self.updates = 0
        self.average, self.averaged = torch.zeros_like(self.networks.flat), 0

    def update(self, replay: Replay, temperature: float, rng: np.random.Generator) -> float:
        """One step of (y - Q)^2 or Huber down its gradient, then the target a step closer; the loss."""
        batch = replay.sample(rng)
        with torch.no_grad():
            next_q = self.target(batch.next_rows, batch.next_cells if self.has_cells else None)
            targets = td_targets(batch.returns, batch.discounts, next_q, temperature)
        q = self.networks(batch.rows, batch.cells if self.has_cells else None)
        loss = td_loss(q, batch.actions, targets, self.config.loss).dot(self.present)
        value = loss.item()
        if not math.isfinite(value):
            raise LearnerError(
                f"the learner diverged: its loss is {value} at update {self.updates + 1}; lower "
                f"learning_rate ({self.config.learning_rate}), lower gamma, or set grad_clip"
            )
        gradients = torch.autograd.grad(loss, self.networks.parameters)
        self.flat.grad = torch.cat([gradient.flatten(1) for gradient in gradients], dim=1)
        if self.config.grad_clip is not None:
            norms = self.flat.grad.norm(dim=1, keepdim=True)
            self.flat.grad *= (self.config.grad_clip / (norms + 1e-6)).clamp(max=1.0)
        decays = self.updates // self.config.decay_every
        rate = self.config.learning_rate * self.config.learning_rate_decay**decays
        self.optimiser.param_groups[0]["lr"] = rate
        self.optimiser.step()
        self.target.flat.lerp_(self.networks.flat, self.config.tau)
        self.updates += 1
        return value

    def add_to_average(self) -> None:
        """Count the present weights in the average (Polyak & Juditsky 1992)."""
        self.averaged += 1
        self.average.lerp_(self.networks.flat, 1 / self.averaged)

    def learned(self) -> QNetworks:
        """The averaged networks, or a copy of the present ones while nothing has been averaged."""
        return QNetworks(self.networks.shape, self.average.clone()) if self.averaged else self.networks.copy()

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights, target, Adam's moments and the average, for a checkpoint."""
        adam = self.optimiser.state[self.flat]
        zero = torch.zeros_like(self.flat)
        return {
            "weights": self.networks.flat.numpy(),
            "target": self.target.flat.numpy(),
            "adam_mean": adam.get("exp_avg", zero).detach().numpy(),
            "adam_square": adam.get("exp_avg_sq", zero).detach().numpy(),
            "average": self.average.numpy(),
            "averaged": np.array([self.averaged]),
        }

    def restore(self, arrays: dict[str, NDArray[Any]], updates: int) -> None:
        """Take back what `state` gave."""
        with torch.no_grad():
            self.networks.flat.copy_(torch.from_numpy(arrays["weights"]))
            self.target.flat.copy_(torch.from_numpy(arrays["target"]))
            self.average.copy_(torch.from_numpy(arrays["average"]))
        self.averaged = int(arrays["averaged"][0])
        if updates:
            self.optimiser.state[self.flat] = {
                "step": torch.tensor(float(updates)),
                "exp_avg": torch.from_numpy(arrays["adam_mean"].copy()),
                "exp_avg_sq": torch.from_numpy(arrays["adam_square"].copy()),
            }
        self.updates = updates


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
    should_stop: Callable[[], bool] | None = None,
) -> TrainResult:
    """Train one network per type on `game`; everything drawn comes from `rng`.

    A type's learner sees scale * (reward + shift) of its agents' rewards, (M,) each. An existing
    `checkpoint` is resumed and gives exactly what an uninterrupted training would have given; it is
    written every `checkpoint_seconds`, and seldom enough that writing takes a tenth of the time at most.
    """
    one_thread()
    signature = Signature.of(game)
    if game.n_games != config.n_games:
        raise LearnerError(f"the game plays {game.n_games} copies, but n_games is {config.n_games}: make them equal")
    types, sizes = np.array(signature.agent_types, np.int64), np.array(signature.n_actions, np.int64)
    n_types, n_agents, horizon = len(sizes), len(types), signature.horizon
    scale = _per_type(reward_scale, 1.0, "reward_scale", n_types)
    shift = _per_type(reward_shift, 0.0, "reward_shift", n_types)
    if not config.scaled_rewards and (scale != 1.0).any():
        raise LearnerError(
            f"this configuration keeps absolute rewards, but reward_scale {scale.tolist()} came: "
            "leave it out, or set scaled_rewards=True"
        )
    vector_episodes = math.ceil(config.episodes / config.n_games)
    n_slots = min(config.replay_capacity, vector_episodes * (horizon + 1))
    rows_per_update = config.batch_size * sum(count > 0 for count in signature.crew)

    meta = {
        "config": config.to_dict(),
        "signature": asdict(signature),
        "reward_scale": scale.tolist(),
        "reward_shift": shift.tolist(),
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
            raise LearnerError("the game paid rewards that are not finite: check its payments")
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
        policy=Policy(config=config, signature=signature, networks=learner.learned()),
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


def _per_type(
    values: Sequence[float] | NDArray[np.float64] | None, default: float, name: str, n_types: int
) -> NDArray[np.float64]:
    """One finite number per type, (M,)."""
    array = np.full(n_types, default) if values is None else np.asarray(values, np.float64)
    if array.shape != (n_types,) or not np.isfinite(array).all():
        raise LearnerError(f"{name} must hold one finite number for each of {n_types} types, but is {values}")
    return array
