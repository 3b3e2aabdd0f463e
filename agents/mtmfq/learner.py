"""One gradient step: the networks, their slow copy, the optimiser, and the average that becomes the policy."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.adam import adam

from mtmfq.config import MTMFQConfig
from mtmfq.interface import LearnerError, Signature
from mtmfq.network import NetworkShape, QNetworks
from mtmfq.replay import Batch, Replay
from mtmfq.update import td_loss, td_targets

ADAM: dict[str, Any] = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False}
"""Settings of Adam (Kingma & Ba 2015), those of the paper and of torch."""


class Learner:
    """Networks, their slow copy and the optimiser; one `update` is one gradient step of all types."""

    def __init__(self, signature: Signature, config: MTMFQConfig, seed: int, initial: QNetworks | None = None) -> None:
        self.config = config
        shape = NetworkShape.of(signature, config)
        if initial is not None and initial.shape != shape:
            raise LearnerError(
                f"training cannot go on from networks of {initial.shape}, since it needs {shape}: give those of a "
                "policy for the same kind of game, with the same hidden layers"
            )
        self.networks = QNetworks.initialised(shape, seed) if initial is None else initial.copy()
        self.target = self.networks.copy()
        self.moments = torch.zeros_like(self.networks.flat), torch.zeros_like(self.networks.flat)
        self._step = torch.tensor(0.0)
        self.has_cells = signature.n_cells > 0
        self.updates = 0
        self.average, self.averaged = torch.zeros_like(self.networks.flat), 0

    def update(self, replay: Replay, temperature: float, rng: np.random.Generator) -> float:
        """One step of (y - Q)^2 or Huber down its gradient, then the target a step closer; the loss."""
        batch = replay.sample(rng)
        loss = torch.stack(
            [self._loss(batch, types, n, temperature, replay.present) for types, n in replay.parts]
        ).sum()
        value = loss.item()
        if not math.isfinite(value):
            raise LearnerError(
                f"the learner diverged: its loss is {value} at update {self.updates + 1}; lower "
                f"learning_rate ({self.config.learning_rate}), lower gamma, or set grad_clip"
            )
        gradients = torch.autograd.grad(loss, self.networks.parameters)
        gradient = torch.cat([part.flatten(1) for part in gradients], dim=1)
        if self.config.grad_clip is not None:
            norms = gradient.norm(dim=1, keepdim=True)
            gradient *= (self.config.grad_clip / (norms + 1e-6)).clamp(max=1.0)
        decays = self.updates // self.config.decay_every
        rate = self.config.learning_rate * self.config.learning_rate_decay**decays
        mean, square = self.moments
        adam(  # torch.optim.Adam takes three times as long around the same step
            [self.networks.flat], [gradient], [mean], [square], [], [self._step],
            lr=rate, fused=True, maximize=False, **ADAM,
        )  # fmt: skip
        self.target.flat.lerp_(self.networks.flat, self.config.tau)
        self.networks.changed()
        self.target.changed()
        self.updates += 1
        return value

    def _loss(self, batch: Batch, types: slice, n: int, temperature: float, present: Tensor) -> Tensor:
        """Loss of some types, each by its first n samples, summed over those that have agents."""
        part = (types, slice(0, n))
        cells = (batch.cells[part], batch.next_cells[part]) if self.has_cells else (None, None)
        warmth = batch.temperatures[part].unsqueeze(2) if self.config.target_temperature == "sample" else temperature
        with torch.no_grad():
            next_q = self.target(batch.next_rows[part], cells[1], types)
            targets = td_targets(batch.returns[part], batch.discounts[part], next_q, warmth)
        q = self.networks(batch.rows[part], cells[0], types)
        return td_loss(q, batch.actions[part], targets, self.config.loss).dot(present[types])

    def add_to_average(self) -> None:
        """Count the present weights in the average (Polyak & Juditsky 1992)."""
        self.averaged += 1
        self.average.lerp_(self.networks.flat, 1 / self.averaged)

    def learned(self) -> QNetworks:
        """The averaged networks, or a copy of the present ones while nothing has been averaged."""
        return QNetworks(self.networks.shape, self.average.clone()) if self.averaged else self.networks.copy()

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights, target, Adam's moments and the average, for a checkpoint."""
        return {
            "weights": self.networks.flat.numpy(),
            "target": self.target.flat.numpy(),
            "adam_mean": self.moments[0].numpy(),
            "adam_square": self.moments[1].numpy(),
            "average": self.average.numpy(),
            "averaged": np.array([self.averaged]),
        }

    def restore(self, arrays: dict[str, NDArray[Any]], updates: int) -> None:
        """Take back what `state` gave."""
        with torch.no_grad():
            self.networks.flat.copy_(torch.from_numpy(arrays["weights"]))
            self.target.flat.copy_(torch.from_numpy(arrays["target"]))
            self.average.copy_(torch.from_numpy(arrays["average"]))
            for moment, name in zip(self.moments, ("adam_mean", "adam_square"), strict=True):
                moment.copy_(torch.from_numpy(arrays[name]))
        self.networks.changed()
        self.target.changed()
        self.averaged = int(arrays["averaged"][0])
        self._step.fill_(updates)
        self.updates = updates
