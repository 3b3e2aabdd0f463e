"""A learner of a user, as small as one can be: it learns how often each action was lucky, from games it plays once.

It stands in a module of its own, so that worker processes can import it; nothing here registers it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from contract_wrapper import ContractsError, Learner
from mtmfq import Curve, Signature, TrainProgress
from mtmfq.checkpoint import check_identity, open_arrays, plain, save_arrays


@dataclass(frozen=True, kw_only=True)
class LuckyConfig:
    episodes: int = 4
    n_games: int = 2
    observation: str = "features"
    luck: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LuckyConfig:
        return cls(**values)


@dataclass(kw_only=True)
class LuckyPolicy:
    config: LuckyConfig
    signature: Signature
    weights: np.ndarray
    """How likely each action of each type is, (M, A)."""
    identity: Mapping[str, Any] = field(default_factory=dict)

    def act(self, observations: np.ndarray, rng: np.random.Generator, *, agent_types: np.ndarray) -> np.ndarray:
        shares = (self.weights / self.weights.sum(axis=1, keepdims=True)).cumsum(axis=1)[agent_types]
        drawn = (rng.random(observations.shape[:2])[..., None] > shares).sum(axis=-1)
        return np.minimum(drawn, np.array(self.signature.n_actions)[agent_types] - 1)

    def save(self, path: Path | str) -> None:
        meta = {
            "config": self.config.to_dict(), "signature": dataclasses.asdict(self.signature),
            "identity": plain(self.identity),
        }  # fmt: skip
        save_arrays(Path(path), "lucky-policy", meta, {"weights": self.weights})

    @classmethod
    def load(cls, path: Path, identity: Mapping[str, Any] | None) -> LuckyPolicy:
        with open_arrays(path, "lucky-policy") as file:
            if identity is not None:
                check_identity(file.meta["identity"], identity)
            signature = Signature.from_dict(file.meta["signature"])
            weights = file.read("weights", np.float64, (len(signature.n_actions), max(signature.n_actions)))
            config = LuckyConfig.from_dict(file.meta["config"])
            return cls(config=config, signature=signature, weights=weights, identity=file.meta["identity"])


@dataclass
class LuckyTraining:
    policy: LuckyPolicy
    curve: Curve
    finished: bool


def train(game, config, seeds, *, on_progress, should_stop, checkpoint, identity) -> LuckyTraining:
    """Play at random; what a type earned while it took an action makes the action likelier. Checkpoints its weights."""
    signature, rng = Signature.of(game), np.random.default_rng(seeds)
    types, m = game.agent_types, len(signature.n_actions)
    weights, returns, done = np.ones((m, max(signature.n_actions))), [], 0
    if checkpoint is not None and checkpoint.exists():
        with open_arrays(checkpoint, "lucky-training") as file:
            check_identity(file.meta["identity"], identity)
            done = file.meta["done"]
            weights = file.read("weights", np.float64, weights.shape)
            returns = list(file.read("returns", np.float64, (done, m)))
            rng.bit_generator.state = file.meta["rng"]
    policy = LuckyPolicy(config=config, signature=signature, weights=weights, identity=plain(identity))
    turns = -(-config.episodes // config.n_games)
    while done < turns and not (should_stop is not None and should_stop()):
        seen, sums = game.reset(int(rng.integers(2**31))), np.zeros((game.n_games, game.n_agents))
        for _ in range(game.horizon):
            actions = policy.act(seen, rng, agent_types=types)
            seen, rewards = game.step(actions)
            sums += rewards
            np.add.at(weights, (np.broadcast_to(types, actions.shape), actions), config.luck * np.maximum(rewards, 0))
        returns.append(np.array([sums[:, types == k].sum() / game.n_games for k in range(m)]))
        done += 1
        if on_progress is not None:
            on_progress(
                TrainProgress(
                    episode=done * game.n_games, episodes=turns * game.n_games, returns=returns[-1],
                    total=float(returns[-1].sum()), temperature=np.nan, loss=np.nan, updates=done, cpu_seconds=0.0,
                )
            )  # fmt: skip
    if checkpoint is not None and done < turns:
        meta = {"identity": plain(identity), "done": done, "rng": rng.bit_generator.state}
        save_arrays(
            checkpoint, "lucky-training", meta, {"weights": weights, "returns": np.array(returns).reshape(done, m)}
        )
    nan = np.full(done, np.nan)
    curve = Curve(
        episode=np.arange(1, done + 1) * config.n_games,
        returns=np.array(returns).reshape(done, m),
        temperature=nan,
        loss=nan,
    )
    return LuckyTraining(policy, curve, done == turns)


def profile(name: str, **changes: Any) -> LuckyConfig:
    if name not in ("fast", "smoke"):
        raise ContractsError(f"lucky has no profile {name!r}: choose fast or smoke")
    return LuckyConfig(**changes)


LUCKY = Learner(
    name="lucky", config=LuckyConfig, profile=profile, train=train, load=LuckyPolicy.load, kind="lucky-policy"
)
