"""Proximal policy optimisation (Schulman et al. 2017) as a learner, done by stable-baselines3.

All agents share one network that is told their type (parameter sharing). The library is loaded only
while training: playing and reading a trained policy does not need it.
"""

from __future__ import annotations

import contextlib
import math
import random
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.errors import require_package
from contract_wrapper.learners.ppo.config import PPOConfig
from contract_wrapper.learners.ppo.policy import PPOPolicy
from mtmfq.checkpoint import plain
from mtmfq.interface import BatchGame, Curve, LearnerError, TrainProgress

if TYPE_CHECKING:
    from contract_wrapper.learners.ppo.vec_env import GameVecEnv

PerType = Sequence[float] | NDArray[np.float64] | None
"""One number per type, (M,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PPOResult:
    """What a training gives, named like `mtmfq.TrainResult`."""

    policy: PPOPolicy
    """The policy as it stands."""

    curve: Curve
    """The course of the training; its temperatures are NaN, as PPO has none."""

    updates: int
    """Gradient steps taken."""

    agent_steps: int
    """Steps of single agents played."""

    cpu_seconds: float
    """CPU time."""

    finished: bool
    """False if `should_stop` ended the training early."""


def sb3_vec_env(
    game: BatchGame | Sequence[BatchGame], *, reward_scale: PerType = None, reward_shift: PerType = None
) -> GameVecEnv:
    """A batch of games as a stable-baselines3 `VecEnv`, one sub-environment per agent of every game; or several.

    Any of that library's algorithms can train on it, and sb3-contrib's `MaskablePPO` with the masks of the game; see
    `contract_wrapper.learners.ppo.vec_env.GameVecEnv`.
    """
    require_package("stable_baselines3", "sb3", "the learner ppo")
    from contract_wrapper.learners.ppo.vec_env import GameVecEnv

    return GameVecEnv(game, reward_scale=reward_scale, reward_shift=reward_shift)


def train_ppo(
    game: BatchGame | Sequence[BatchGame],
    config: PPOConfig,
    seed: int,
    *,
    reward_scale: PerType = None,
    reward_shift: PerType = None,
    on_progress: Callable[[TrainProgress], None] | None = None,
    identity: Mapping[str, Any] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> PPOResult:
    """Train one network for all agents of `game`; same arguments, same weights.

    Args:
        game: `config.n_games` copies in lockstep that show features; or several batches of games of one kind, with so
            many copies together, which are played side by side. A game with a context (`mtmfq.ContextGame`) shows it
            beside the features, and declares scale and shift for each episode.
        config: settings.
        seed: 0 to 2**32 - 1, of network, games and batches; the random streams of the process
            (random, numpy.random, torch) are left as they were.
        reward_scale, reward_shift: the network learns from scale * (reward + shift) of an agent's type.
        on_progress: called after every episode (one in every game), for one batch of games after another; its
            temperature is NaN.
        identity: what the settings here do not say (rules of the game, contract, seed), in plain values,
            for the policy's file.
        should_stop: asked before every episode. There are no checkpoints: a stopped training gives its
            policy as it stands, and training again begins anew.

    Raises:
        ContractsError: stable-baselines3 is not installed.
        LearnerError: the game does not fit the settings, or the learner diverged.
    """
    require_package("stable_baselines3", "sb3", "the learner ppo")
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.logger import Logger

    from mtmfq.policy import one_thread

    one_thread()
    began = time.process_time()
    env = sb3_vec_env(game, reward_scale=reward_scale, reward_shift=reward_shift)
    if sum(env.n_games) != config.n_games:
        raise LearnerError(
            f"the game plays {sum(env.n_games)} copies, but n_games is {config.n_games}: make them equal"
        )
    horizon = env.signature.horizon
    rollouts = math.ceil(math.ceil(config.episodes / config.n_games) * horizon / config.n_steps)
    watch = _Watch(env, rollouts * config.n_steps // horizon, began, on_progress, should_stop)
    with _random_streams_kept(), warnings.catch_warnings():
        # Populations of several sizes rarely fill whole batches: the last one of a pass is then smaller.
        warnings.filterwarnings("ignore", "You have specified a mini-batch size", UserWarning)
        model = PPO(
            "MlpPolicy", env, seed=seed, device="cpu", learning_rate=config.learning_rate, n_steps=config.n_steps,
            batch_size=config.batch_size, n_epochs=config.epochs, gamma=config.gamma, gae_lambda=config.gae_lambda,
            clip_range=config.clip_range, ent_coef=config.ent_coef,
            policy_kwargs={"net_arch": list(config.hidden), "activation_fn": torch.nn.Tanh},
        )  # fmt: skip
        model.set_logger(Logger(folder=None, output_formats=[]))  # its own would make a folder in /tmp each time
        try:
            if watch.may_go_on():
                steps = rollouts * config.n_steps * env.num_envs
                model.learn(steps, callback=lambda known, _: watch(known["self"]), log_interval=rollouts + 1)
        except ValueError as error:  # torch refuses to draw from a distribution of NaN
            if _finite(_weights(model)):
                raise
            raise _diverged() from error
    weights = _weights(model)
    if not _finite(weights):
        raise _diverged()
    return PPOResult(
        policy=PPOPolicy(config=config, signature=env.signature, weights=weights, identity=plain(identity)),
        curve=watch.curve(),
        updates=watch.updates(model),
        agent_steps=int(model.num_timesteps),
        cpu_seconds=time.process_time() - began,
        finished=not watch.stopped,
    )


class _Watch:
    """Looks at a training after every step, and says after each episode how it stands."""

    def __init__(
        self,
        env: GameVecEnv,
        episodes: int,
        began: float,
        on_progress: Callable[[TrainProgress], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.env, self.episodes, self.began = env, episodes, began
        self.on_progress, self.should_stop = on_progress, should_stop
        self.stopped = False
        self.losses: list[float] = []

    def __call__(self, model: Any) -> bool:
        done = len(self.env.returns)
        if done == len(self.losses):
            return True
        loss = float(model.logger.name_to_value.get("train/loss", math.nan))
        for k in range(len(self.losses), done):
            self.losses.append(loss)
            if self.on_progress is not None:
                self.on_progress(
                    TrainProgress(
                        episode=int(self.finished(k + 1)[-1]),
                        episodes=self.episodes * sum(self.env.n_games),
                        returns=self.env.returns[k].copy(),
                        total=float(self.env.returns[k].sum()),
                        temperature=math.nan,
                        loss=loss,
                        updates=self.updates(model),
                        cpu_seconds=time.process_time() - self.began,
                    )
                )
        return done == self.episodes * len(self.env.n_games) or self.may_go_on()

    def finished(self, rows: int) -> NDArray[np.int64]:
        """Episodes finished after each of so many rows of returns, over all games, (rows,)."""
        turns = -(-rows // len(self.env.n_games))
        done: NDArray[np.int64] = np.cumsum(np.tile(np.array(self.env.n_games, np.int64), turns))
        return done[:rows]

    def may_go_on(self) -> bool:
        self.stopped = self.should_stop is not None and self.should_stop()
        return not self.stopped

    def updates(self, model: Any) -> int:
        """Gradient steps so far; the library counts passes over a rollout."""
        return int(model._n_updates * math.ceil(model.n_steps * self.env.num_envs / model.batch_size))

    def curve(self) -> Curve:
        done = len(self.env.returns)
        returns = np.array(self.env.returns).reshape(done, len(self.env.signature.type_names))
        return Curve(
            episode=self.finished(done),
            returns=returns,
            temperature=np.full(done, np.nan),
            loss=np.array(self.losses),
        )


def _weights(model: Any) -> dict[str, NDArray[np.float32]]:
    return {name: tensor.detach().numpy().copy() for name, tensor in model.policy.state_dict().items()}


def _finite(weights: dict[str, NDArray[np.float32]]) -> bool:
    return all(bool(np.isfinite(array).all()) for array in weights.values())


def _diverged() -> LearnerError:
    return LearnerError("the learner diverged: its weights are not finite; lower learning_rate")


@contextlib.contextmanager
def _random_streams_kept() -> Iterator[None]:
    """Put the process's random streams back at the end: stable-baselines3 seeds and draws from them."""
    import torch

    mine = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(mine[0])
        np.random.set_state(mine[1])  # noqa: NPY002
        torch.set_rng_state(mine[2])
