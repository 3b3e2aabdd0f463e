"""Who trains crews that know every contract: mean-field Q-learning or PPO, and how files hold what they learned."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.learners.ppo.config import PPOConfig
from contract_wrapper.learners.ppo.policy import PPOPolicy
from contract_wrapper.learners.registry import config_to_dict
from mtmfq.config import MTMFQConfig
from mtmfq.interface import LearnerError

if TYPE_CHECKING:
    from contract_wrapper.envs.conditioned_game import ConditionedGame
    from contract_wrapper.learners.ppo.train import PPOResult
    from mtmfq.checkpoint import ArrayFile
    from mtmfq.interface import Curve, TrainProgress
    from mtmfq.policy import Policy
    from mtmfq.training import TrainResult

CrewLearner = MTMFQConfig | PPOConfig
"""Settings of the learners that can train crews."""

_CHECKPOINT_SECONDS = 60.0
_CURVE = ("episode", "returns", "temperature", "loss")


def check_crew_learner(config: object, n_sizes: int) -> CrewLearner:
    """Return settings of a learner of crews, after checking that they can train so many crew sizes.

    Raises:
        ContractsError: they are another learner's, or PPO has fewer games than there are sizes.
    """
    if not isinstance(config, MTMFQConfig | PPOConfig):
        raise ContractsError(
            "crews that know every contract are trained by mtmfq or ppo: learner must be an MTMFQConfig or a PPOConfig, "
            f"for example CREWS, got {shown(config)}"
        )
    if isinstance(config, PPOConfig) and config.n_games < n_sizes:
        raise ContractsError(
            f"PPO plays all crew sizes side by side, at least one game each: n_games must be at least {n_sizes}, "
            f"got {config.n_games}"
        )
    return config


def copies_of(config: CrewLearner, n_sizes: int) -> list[int]:
    """Games in lockstep of each crew size: `n_games` for mtmfq, where sizes take turns; for PPO, which plays all sizes
    side by side, they share `n_games`, the first ones take the rest.

    >>> copies_of(PPOConfig(n_games=64), 5)
    [13, 13, 13, 13, 12]
    """
    if isinstance(config, MTMFQConfig):
        return [config.n_games] * n_sizes
    each, rest = divmod(config.n_games, n_sizes)
    return [each + (k < rest) for k in range(n_sizes)]


def train_on(
    games: Sequence[ConditionedGame], config: CrewLearner, seed: int, *,
    on_progress: Callable[[TrainProgress], None] | None, checkpoint: Path | None, identity: Mapping[str, Any],
    should_stop: Callable[[], bool] | None,
) -> TrainResult | PPOResult:  # fmt: skip
    """Train the agents of one batch of games per crew size, by the learner of the settings; arguments as `train_crews`.

    PPO writes no checkpoint. Where PPO plays side by side, its curve takes the sizes in turns, as mtmfq plays them.
    """
    seeds = np.random.SeedSequence([seed, 0])
    if isinstance(config, PPOConfig):
        from contract_wrapper.learners.ppo.train import train_ppo

        number = int(seeds.generate_state(1, np.uint32)[0])
        return train_ppo(games, config, number, on_progress=on_progress, identity=identity, should_stop=should_stop)
    from mtmfq.training import train

    return train(
        games,
        config,
        np.random.default_rng(seeds),
        on_progress=on_progress,
        checkpoint=checkpoint,
        checkpoint_seconds=_CHECKPOINT_SECONDS,
        identity=identity,
        should_stop=should_stop,
    )


def policy_parts(policy: Policy | PPOPolicy) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What a file holds of a policy: plain values, and arrays by name."""
    meta = {**policy.meta(), "config": config_to_dict(policy.config)}
    if isinstance(policy, PPOPolicy):
        return meta, dict(policy.weights)
    return meta, {"weights": policy.networks.flat.detach().numpy()}


def learner_in(file: ArrayFile) -> str:
    """Name of the learner whose crews an open file holds.

    Raises:
        LearnerError: it names one that trains no crews.
    """
    said = file.meta["config"]
    name = said.get("name", "mtmfq") if isinstance(said, Mapping) else None
    if name not in ("mtmfq", "ppo"):
        raise LearnerError(f"it holds crews of another learner than mtmfq and ppo: {shown(said)}")
    return str(name)


def read_policy(file: ArrayFile) -> Policy | PPOPolicy:
    """Read what `policy_parts` gave from an open file; of mtmfq it needs torch.

    Raises:
        LearnerError: the file is damaged, or names a learner that trains no crews.
    """
    if learner_in(file) == "ppo":
        values = {key: value for key, value in file.meta["config"].items() if key != "name"}
        return PPOPolicy.read(file, PPOConfig.from_dict(values))
    from mtmfq.policy import Policy

    return Policy.read(file)


def curve_arrays(curve: Curve) -> dict[str, NDArray[Any]]:
    """The course of a training, as arrays of a file."""
    return {name: getattr(curve, name) for name in _CURVE}


def read_curve(file: ArrayFile, policy: Policy | PPOPolicy) -> Curve:
    """Read what `curve_arrays` gave from an open file; errors as `mtmfq.checkpoint.ArrayFile.read`."""
    from mtmfq.interface import Curve

    n, types = file.length("episode"), len(policy.signature.n_actions)
    return Curve(
        episode=file.read("episode", np.int64, (n,)),
        returns=file.read("returns", np.float64, (n, types)),
        # PPO has no temperature; before the first gradient step there is no loss.
        temperature=file.read("temperature", np.float64, (n,), finite=not isinstance(policy, PPOPolicy)),
        loss=file.read("loss", np.float64, (n,), finite=False),
    )


def hash_of(policy: Policy | PPOPolicy) -> str:
    """Hash of a policy's weights, by which what was trained against it is told apart."""
    if isinstance(policy, PPOPolicy):
        total = hashlib.sha256()
        for name in sorted(policy.weights):
            total.update(name.encode() + policy.weights[name].tobytes())
        return total.hexdigest()
    from mtmfq.network import weights_hash

    return weights_hash(policy.networks)
