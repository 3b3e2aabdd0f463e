"""A policy that PPO trained: acts on observations, plays whole episodes, lives in one small file.

It is plain numpy, so that trained agents can be measured and watched without the library that trained it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.learners.ppo.config import PPOConfig
from mtmfq.checkpoint import ArrayFile, check_identity, open_arrays, save_arrays
from mtmfq.interface import LearnerError, Signature

KIND = "ppo-policy"
"""What the policy's file says that it is."""


@dataclass(slots=True, kw_only=True)
class PPOPolicy:
    """What training yields: one network for all agents, which see their type as a one-hot input."""

    config: PPOConfig
    """Settings of the training."""

    signature: Signature
    """Game of the training; a policy also plays other numbers of agents and games of the same kind."""

    weights: dict[str, NDArray[np.float32]]
    """Arrays of stable-baselines3's `MlpPolicy`, by their names there; the value function's are kept too."""

    identity: Mapping[str, Any] = field(default_factory=dict)
    """What else it was trained for, in plain values, as `train_ppo` got it (rules of the game, contract, seed)."""

    def __post_init__(self) -> None:
        check_no_op(self.signature)
        expected = _shapes(self.signature, self.config)
        found = {name: array.shape for name, array in self.weights.items()}
        if found != expected or any(array.dtype != np.float32 for array in self.weights.values()):
            raise LearnerError(f"the weights should be float32 with the shapes {expected}, but have {found}")

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Inputs (..., F + C + M) as `with_types` makes them -> logits of all actions (..., A)."""
        hidden = inputs
        for layer in range(len(self.config.hidden)):
            hidden = np.tanh(self._dense(hidden, f"mlp_extractor.policy_net.{2 * layer}"))
        return self._dense(hidden, "action_net")

    def _dense(self, inputs: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        outputs: NDArray[np.float32] = inputs @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return outputs

    def act(
        self,
        observations: NDArray[Any],
        rng: np.random.Generator,
        *,
        greedy: bool | None = None,
        agent_types: NDArray[np.int64] | None = None,
        context: NDArray[np.float32] | None = None,
    ) -> NDArray[np.int64]:
        """Observations (B, N, F) -> actions (B, N), all of them legal.

        greedy: the likeliest action; default: as configured. agent_types (N,) defaults to the population of
        the training, of its first game if there were several. context (B, N, C) is needed if the training had one.

        Raises:
            LearnerError: observations or context have other shapes than in training.
        """
        types = np.asarray(self.signature.agent_types if agent_types is None else agent_types, np.int64)
        features, _ = self.signature.split(observations, context)
        scores: NDArray[Any] = self.logits(with_types(features, types, len(self.signature.type_names)))
        if not (self.config.greedy if greedy is None else greedy):
            scores = scores + rng.gumbel(size=scores.shape)  # its argmax is a draw from the softmax
        return legal(scores.argmax(axis=-1), types, self.signature)

    def save(self, path: Path | str) -> None:
        """Write the policy into one file of plain arrays, with JSON beside them."""
        save_arrays(Path(path), KIND, self.meta(), self.weights)

    def meta(self) -> dict[str, Any]:
        """What a file says of the policy, in plain values."""
        return {
            "config": self.config.to_dict(), "signature": dataclasses.asdict(self.signature),
            "identity": dict(self.identity),
        }  # fmt: skip

    @classmethod
    def load(cls, path: Path | str, identity: Mapping[str, Any] | None = None) -> PPOPolicy:
        """Read a policy that `save` wrote; with an `identity`, one that was trained for just that.

        Raises:
            LearnerError: the file is missing, damaged, no policy of this learner, or trained for something else.
        """
        with open_arrays(Path(path), KIND) as file:
            if identity is not None:
                check_identity(file.meta["identity"], identity)
            return cls.read(file, PPOConfig.from_dict(file.meta["config"]))

    @classmethod
    def read(cls, file: ArrayFile, config: PPOConfig) -> PPOPolicy:
        """Read a policy from an open file with the entries of `meta` and the arrays of `weights`; errors as in `load`."""
        signature = Signature.from_dict(file.meta["signature"])
        weights = {name: file.read(name, np.float32, shape) for name, shape in _shapes(signature, config).items()}
        return cls(config=config, signature=signature, weights=weights, identity=file.meta["identity"])


def with_types(
    observations: NDArray[Any],
    agent_types: NDArray[np.int64],
    n_types: int,
    context: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Observations (B, N, F), context (B, N, C) if there is one, and types (N,) -> the network's inputs
    (B, N, F + C + M), in memory of their own.
    """
    n_games, n_agents, n_features = observations.shape
    n_context = 0 if context is None else context.shape[2]
    inputs = np.empty((n_games, n_agents, n_features + n_context + n_types), np.float32)
    inputs[..., :n_features] = observations
    if context is not None:
        inputs[..., n_features : n_features + n_context] = context
    inputs[..., n_features + n_context :] = np.eye(n_types, dtype=np.float32)[agent_types]
    return inputs


def check_no_op(signature: Signature) -> None:
    """Make sure that something can be played in place of an action that a type lacks.

    Raises:
        LearnerError: types have different numbers of actions, and the game names none that does nothing.
    """
    if signature.no_op is None and len(set(signature.n_actions)) > 1:
        raise LearnerError(
            f"PPO offers all actions to all agents, but the types {signature.type_names} have {signature.n_actions}: "
            "give the game an attribute no_op, the number of an action of every type that does nothing"
        )


def legal(actions: NDArray[np.int64], agent_types: NDArray[np.int64], signature: Signature) -> NDArray[np.int64]:
    """Actions (B, N) of a network that offers every type's actions to all -> `no_op` for those that a type lacks."""
    if signature.no_op is None:
        return actions
    return np.where(actions < np.array(signature.n_actions)[agent_types], actions, signature.no_op)


def _shapes(signature: Signature, config: PPOConfig) -> Mapping[str, tuple[int, ...]]:
    """Shapes of all arrays by name; a dense layer holds its weights as (outputs, inputs)."""
    widths = [signature.n_features + len(signature.type_names), *config.hidden]
    dense = {
        f"mlp_extractor.{net}_net.{2 * layer}": sizes
        for net in ("policy", "value")
        for layer, sizes in enumerate(pairwise(widths))
    }
    dense |= {"action_net": (widths[-1], max(signature.n_actions)), "value_net": (widths[-1], 1)}
    weights = {f"{name}.weight": (outputs, inputs) for name, (inputs, outputs) in dense.items()}
    return {**weights, **{f"{name}.bias": (outputs,) for name, (_, outputs) in dense.items()}}
