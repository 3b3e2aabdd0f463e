"""The learners that this package brings: multi-type mean-field Q-learning, and PPO of stable-baselines3."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.errors import require_package
from contract_wrapper.learners.learner import LearnedPolicy, Learner, Training
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.learners.ppo.config import PPOConfig, get_ppo_profile
from mtmfq.config import MTMFQConfig

if TYPE_CHECKING:
    from contract_wrapper.envs.batch_game import ContractedGame

_CHECKPOINT_SECONDS = 60.0
"""Work that a crash may cost; whoever asks a training to stop loses none. Writing one takes about a second."""


def _require_torch() -> None:
    require_package("torch", "agents", "the learner mtmfq")


def _train_mtmfq(
    game: ContractedGame, config: MTMFQConfig, seeds: np.random.SeedSequence, *,
    on_progress: Any, should_stop: Any, checkpoint: Path | None, identity: Mapping[str, Any] | None = None,
) -> Training:  # fmt: skip
    _require_torch()
    from mtmfq.training import train

    return train(
        game,
        config,
        np.random.default_rng(seeds),
        **_units(game, config.scaled_rewards),
        on_progress=on_progress,
        checkpoint=checkpoint,
        checkpoint_seconds=_CHECKPOINT_SECONDS,
        identity=identity,
        should_stop=should_stop,
    )


def _units(game: Any, scaled: bool = True) -> dict[str, Any]:
    """Declared scale and shift of rewards; none where each episode declares its own, with what agents see of it."""
    if not scaled or getattr(game, "n_context", 0) > 0:
        return {}
    return {"reward_scale": game.reward_scale(), "reward_shift": game.reward_shift()}


def _play_mtmfq(game: ContractedGame, policy: Any, seed: int, on_step: Any = None) -> NDArray[np.float64]:
    _require_torch()
    from mtmfq.policy import play

    return play(game, policy, seed, on_step=on_step)


def _load_mtmfq(path: Path, identity: Mapping[str, Any] | None) -> LearnedPolicy:
    _require_torch()
    from mtmfq.policy import Policy

    return Policy.load(path, identity)


def _train_ppo(
    game: ContractedGame, config: PPOConfig, seeds: np.random.SeedSequence, *,
    on_progress: Any, should_stop: Any, checkpoint: Path | None, identity: Mapping[str, Any] | None = None,
) -> Training:  # fmt: skip
    """Train without checkpoints: a training that was stopped begins anew."""
    from contract_wrapper.learners.ppo.train import train_ppo

    return train_ppo(
        game,
        config,
        int(seeds.generate_state(1, np.uint32)[0]),
        **_units(game),
        on_progress=on_progress,
        identity=identity,
        should_stop=should_stop,
    )


def _load_ppo(path: Path, identity: Mapping[str, Any] | None) -> LearnedPolicy:
    from contract_wrapper.learners.ppo.policy import PPOPolicy

    return PPOPolicy.load(path, identity)


MTMFQ = Learner(
    name="mtmfq", config=MTMFQConfig, profile=get_mtmfq_profile, train=_train_mtmfq, play=_play_mtmfq,
    load=_load_mtmfq, kind="policy", needs="torch", extra="agents",
)  # fmt: skip
"""Multi-type mean-field Q-learning, the default."""

PPO = Learner(
    name="ppo", config=PPOConfig, profile=get_ppo_profile, train=_train_ppo, load=_load_ppo, kind="ppo-policy",
    needs="stable_baselines3", extra="sb3",
)  # fmt: skip
"""Proximal policy optimisation by stable-baselines3."""
