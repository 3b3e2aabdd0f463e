"""The learners that an evaluation may train, and what it asks of one.

A learner is chosen by the type of its settings. To add one, write its settings with the attributes of
`LearnerConfig`, a policy with those of `LearnedPolicy`, and an entry in `LEARNERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.errors import ContractsError, require_package, shown
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.learners.ppo.config import PPOConfig, get_ppo_profile
from mtmfq.checkpoint import kind_of
from mtmfq.config import MTMFQConfig

if TYPE_CHECKING:
    from contract_wrapper.envs.batch_game import ContractedGame
    from mtmfq.interface import Curve

DEFAULT = "mtmfq"
"""Learner of whoever names none, and of files from before there was a choice."""


_CHECKPOINT_SECONDS = 60.0
"""Work that a crash may cost; whoever asks a training to stop loses none. Writing one takes about a second."""


class LearnerConfig(Protocol):
    """Settings of a learner, as far as an evaluation reads them; a frozen dataclass."""

    @property
    def episodes(self) -> int:
        """Length of the training."""
        ...

    @property
    def n_games(self) -> int:
        """Games played in lockstep."""
        ...

    @property
    def observation(self) -> str:
        """What the game should show."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        ...


class LearnedPolicy(Protocol):
    """What a training yields."""

    @property
    def config(self) -> Any:
        """Settings of the training (a `LearnerConfig`)."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """What it was trained for besides these settings, in plain values: rules of the game, contract, seed."""
        ...

    def save(self, path: Path | str) -> None:
        """Write it into one file, with the kind that the learner reads."""
        ...


class Training(Protocol):
    """What a training gives."""

    @property
    def policy(self) -> LearnedPolicy:
        """The policy as it stands."""
        ...

    @property
    def curve(self) -> Curve:
        """The course of the training."""
        ...

    @property
    def finished(self) -> bool:
        """False if it was asked to stop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """One way to train agents."""

    name: str
    """As in `--learner`."""

    config: Any
    """Type of its settings, with `from_dict`."""

    profile: Callable[..., Any]
    """Settings by the name of a profile, some of them replaced."""

    train: Callable[..., Training]
    """(game, settings, seeds, on_progress, should_stop, checkpoint, identity) -> result; seeds: a numpy SeedSequence;
    identity: what else the training is for, in plain values, kept in checkpoint and policy and compared on resuming."""

    play: Callable[..., NDArray[np.float64]]
    """(game, policy, seed, on_step) -> utilities (B, N) of one greedy episode in every game."""

    load: Callable[[Path, Mapping[str, Any] | None], LearnedPolicy]
    """(path, identity) -> policy; refuses one with another identity, unless that is None."""

    kind: str
    """What its policy files say that they are."""

    needs: str
    """Package that training needs, as it is imported."""

    extra: str
    """Extra of this package that installs it."""

    packages: tuple[str, ...] = ()
    """Importable packages outside this project whose sources its results depend on: a change there is a new result."""

    def check_installed(self) -> None:
        """Make sure that training can be begun, without loading anything.

        Raises:
            ContractsError: a package is missing.
        """
        require_package(self.needs, self.extra, f"the learner {self.name}")


def _train_mtmfq(
    game: ContractedGame, config: MTMFQConfig, seeds: np.random.SeedSequence, *,
    on_progress: Any, should_stop: Any, checkpoint: Path | None, identity: Mapping[str, Any] | None = None,
) -> Training:  # fmt: skip
    get_learner("mtmfq").check_installed()
    from mtmfq.training import train

    return train(
        game,
        config,
        np.random.default_rng(seeds),
        reward_scale=game.reward_scale() if config.scaled_rewards else None,
        reward_shift=game.reward_shift() if config.scaled_rewards else None,
        on_progress=on_progress,
        checkpoint=checkpoint,
        checkpoint_seconds=_CHECKPOINT_SECONDS,
        identity=identity,
        should_stop=should_stop,
    )


def _play_mtmfq(game: ContractedGame, policy: Any, seed: int, on_step: Any = None) -> NDArray[np.float64]:
    get_learner("mtmfq").check_installed()
    from mtmfq.policy import play

    return play(game, policy, seed, on_step=on_step)


def _load_mtmfq(path: Path, identity: Mapping[str, Any] | None) -> LearnedPolicy:
    get_learner("mtmfq").check_installed()
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
        reward_scale=game.reward_scale(),
        reward_shift=game.reward_shift(),
        on_progress=on_progress,
        identity=identity,
        should_stop=should_stop,
    )


def _play_ppo(game: ContractedGame, policy: Any, seed: int, on_step: Any = None) -> NDArray[np.float64]:
    from contract_wrapper.learners.ppo.policy import play

    return play(game, policy, seed, on_step=on_step)


def _load_ppo(path: Path, identity: Mapping[str, Any] | None) -> LearnedPolicy:
    from contract_wrapper.learners.ppo.policy import PPOPolicy

    return PPOPolicy.load(path, identity)


LEARNERS: Mapping[str, Learner] = MappingProxyType(
    {
        "mtmfq": Learner(
            name="mtmfq", config=MTMFQConfig, profile=get_mtmfq_profile, train=_train_mtmfq,
            play=_play_mtmfq, load=_load_mtmfq, kind="policy", needs="torch", extra="agents",
        ),
        "ppo": Learner(
            name="ppo", config=PPOConfig, profile=get_ppo_profile, train=_train_ppo,
            play=_play_ppo, load=_load_ppo, kind="ppo-policy",
            needs="stable_baselines3", extra="sb3",
        ),
    }
)  # fmt: skip
"""All learners by name."""


def get_learner(name: str) -> Learner:
    """Learner by name."""
    if not isinstance(name, str) or name not in LEARNERS:
        raise ContractsError(f"there is no learner {shown(name)}: choose one of {', '.join(LEARNERS)}")
    return LEARNERS[name]


def learner_of(config: object) -> Learner:
    """Learner that some settings are for."""
    for learner in LEARNERS.values():
        if isinstance(config, learner.config):
            return learner
    types = " or ".join(learner.config.__name__ for learner in LEARNERS.values())
    raise ContractsError(f"the settings of a learner must be of type {types}, got {shown(config)}")


def config_to_dict(config: LearnerConfig) -> dict[str, Any]:
    """Settings of any learner as plain data; only those of another than the default name their learner."""
    name = learner_of(config).name
    return config.to_dict() if name == DEFAULT else {"name": name, **config.to_dict()}


def config_from_dict(data: Mapping[str, Any]) -> LearnerConfig:
    """Read what `config_to_dict` wrote."""
    values = dict(data)
    config: LearnerConfig = get_learner(values.pop("name", DEFAULT)).config.from_dict(values)
    return config


def load_policy(path: Path, identity: Mapping[str, Any] | None = None) -> LearnedPolicy:
    """Read the policy file of any learner.

    path: for a file that an outcome names, made by `contract_wrapper.files.inside`. identity: what the policy must
    have been trained for, as its training got it; None: anything.

    Raises:
        LearnerError: it is missing, damaged, something else, or was trained for something else.
    """
    kind = kind_of(path)
    learner = next((learner for learner in LEARNERS.values() if learner.kind == kind), LEARNERS[DEFAULT])
    return learner.load(path, identity)
