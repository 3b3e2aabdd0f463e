"""A learner of your own: independent Q-learning, linear in the features, with numpy alone; judged under a contract."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from contract_wrapper import (
    ArrayPolicy,
    Contract,
    EvaluationSettings,
    Learner,
    TrainingCourse,
    evaluate,
    register_learner,
)


@dataclass(frozen=True, kw_only=True)
class LinearQConfig:
    episodes: int = 640
    n_games: int = 16
    observation: str = "features"
    step: float = 0.02
    gamma: float = 0.9

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LinearQConfig:
        return cls(**values)


class LinearQPolicy(ArrayPolicy):
    """A linear Q-function for each type, of what an agent sees itself: nothing of what others do."""

    kind, settings = "linear-q", LinearQConfig

    @staticmethod
    def shapes(config: LinearQConfig, signature: Any) -> dict[str, tuple[int, ...]]:
        return {"q": (len(signature.n_actions), signature.n_features + 1, max(signature.n_actions))}

    def values(self, seen: np.ndarray, types: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (B, N, F + 1), and values of all actions (B, N, A); an action that a type lacks has -inf."""
        inputs = np.concatenate([seen, np.ones((*seen.shape[:2], 1))], axis=2)
        q = np.einsum("bnf,nfa->bna", inputs, self.weights["q"][types])
        return inputs, np.where(np.arange(q.shape[2]) < np.array(self.signature.n_actions)[types, None], q, -np.inf)

    def choose(self, q: np.ndarray, rng: np.random.Generator, explore: float, types: np.ndarray) -> np.ndarray:
        anything = rng.integers(0, np.array(self.signature.n_actions)[types], q.shape[:2])
        return np.where(rng.random(q.shape[:2]) < explore, anything, q.argmax(axis=2))

    def act(self, observations: np.ndarray, rng: np.random.Generator, *, agent_types: np.ndarray) -> np.ndarray:
        return self.choose(self.values(observations, agent_types)[1], rng, 0.05, agent_types)


def train(
    game: Any, config: LinearQConfig, seeds: np.random.SeedSequence, *,
    on_progress: Any, should_stop: Any, checkpoint: Any, identity: Any,
) -> Any:  # fmt: skip
    """Q-learning (Watkins 1989) in all games at once; without checkpoints: a stopped training begins anew."""
    rng, types = np.random.default_rng(seeds), game.agent_types
    scale, shift = game.reward_scale()[types], game.reward_shift()[types]  # units that the contract declares
    policy = LinearQPolicy.zeros(config, game, identity)
    course = TrainingCourse(game, config, on_progress, should_stop)
    while course.goes_on():
        inputs, q = policy.values(game.reset(int(rng.integers(2**31))), types)
        sums = np.zeros(q.shape[:2])
        for _ in range(game.horizon):
            actions = policy.choose(q, rng, 0.3 - 0.25 * course.done, types)
            value = np.take_along_axis(q, actions[..., None], axis=2)[..., 0]
            seen, rewards = game.step(actions)
            after, q = policy.values(seen, types)
            error = (rewards + shift) * scale + config.gamma * q.max(axis=2) - value
            move = config.step * error[..., None] * inputs / (inputs**2).sum(axis=2, keepdims=True)
            np.add.at(policy.weights["q"].transpose(0, 2, 1), (np.broadcast_to(types, actions.shape), actions), move)
            inputs, sums = after, sums + rewards
        course.add(sums)
    return course.result(policy)


def profile(name: str, **changes: Any) -> LinearQConfig:
    return LinearQConfig(**{**({"episodes": 64} if name == "smoke" else {}), **changes})


learner = Learner(
    name="linear-q",
    config=LinearQConfig,
    profile=profile,
    train=train,
    load=LinearQPolicy.load,
    kind=LinearQPolicy.kind,
)


def main(episodes: int = 640) -> list[float]:
    """Evaluate a contract with this learner, after one episode in each game and after all; return both harvests."""
    register_learner(learner)
    harvests = []
    for trained in (16, episodes):
        settings = EvaluationSettings(learner=profile("fast", episodes=trained), episodes=32)
        outcome = evaluate(Contract(tax=0.3, n_cleaners=3), settings, seed=0)
        harvests.append(outcome.harvest.mean)
        print(f"after {trained} episodes: welfare {outcome.welfare}, apples {outcome.harvest}, shots {outcome.shots}")
    return harvests


if __name__ == "__main__":
    main()
