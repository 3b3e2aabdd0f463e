"""The black box: train agents under a contract, let them play, report the outcome.

`evaluate` is a function of (settings, contract, seed) and nothing else; the cache key is made of
exactly these and of the code that plays and learns, so that nothing is trained twice by mistake.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.envs.batch_game import TYPES, ContractedGame
from contract_wrapper.envs.episode_sums import EpisodeSums
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.outcome import Estimate, Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings, versions
from contract_wrapper.files import write_text
from contract_wrapper.learners.registry import (
    LearnedPolicy,
    Training,
    learner_of,
)

if TYPE_CHECKING:
    from mtmfq.interface import TrainProgress

log = logging.getLogger(__name__)


class EvaluationStopped(Exception):
    """The training was asked to stop; its checkpoint lets the same evaluation go on later."""


def evaluate(
    contract: Contract,
    settings: EvaluationSettings | None = None,
    seed: int = 0,
    *,
    folder: Path | None = None,
    on_progress: Callable[[TrainProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Outcome:
    """Train the agents under a contract, play greedy episodes with fresh seeds, and report.

    Args:
        contract: tax and number of cleaners.
        settings: game, costs, learner; default: preset `contract`, costs `effort`, profile `fast`.
        seed: of everything drawn; same arguments, same result.
        folder: where outcomes, policies and checkpoints of stopped trainings are kept; an outcome
            found there is returned at once. None keeps nothing, and is needed with a custom payment
            rule. PPO writes no checkpoints: its stopped trainings begin anew.
        on_progress: called with `mtmfq.TrainProgress` while training.
        should_stop: asked while training; true writes a checkpoint and raises EvaluationStopped.

    Raises:
        EvaluationStopped: as above. mtmfq.LearnerError: the learner diverged, or a checkpoint is broken.
        ContractsError: the learner's package is not installed; the payment rule does not fit the contract,
            or its transfers cannot be paid out (see `Settlement`); or the settings cannot be filed in a folder.
    """
    settings = settings or EvaluationSettings()
    key = settings.key(contract, seed) if folder is not None else ""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        known = _read_outcome(folder / f"{key}.json")
        if known is not None:
            return known
    began, cpu = time.monotonic(), time.process_time()
    training = _train(contract, settings, seed, folder, key, on_progress, should_stop)
    curve = training.curve
    outcome = dataclasses.replace(
        measure(contract, settings, seed, training.policy),
        training_curve={
            "episode": tuple(curve.episode.tolist()),
            **{name: tuple(curve.returns[:, m].tolist()) for m, name in enumerate(TYPES)},
        },
        cpu_seconds=time.process_time() - cpu,
        wall_seconds=time.monotonic() - began,
        policy=f"{key}.policy.npz" if folder is not None else "",
    )
    if folder is not None:
        training.policy.save(folder / outcome.policy)
        write_text(folder / f"{key}.json", json.dumps(outcome.to_dict(), indent=1))
        for checkpoint in (folder / f"{key}.training.npz", *folder.glob(f".{key}.training.npz.*")):
            checkpoint.unlink(missing_ok=True)
    return outcome


def _train(
    contract: Contract, settings: EvaluationSettings, seed: int, folder: Path | None, key: str,
    on_progress: Any, should_stop: Any,
) -> Training:  # fmt: skip
    training = learner_of(settings.learner).train(
        contracted_game(contract, settings, settings.learner.n_games),
        settings.learner,
        np.random.SeedSequence([seed, 0]),
        on_progress=on_progress,
        checkpoint=None if folder is None else folder / f"{key}.training.npz",
        should_stop=should_stop,
    )
    if not training.finished:
        raise EvaluationStopped(f"the training of {contract} was stopped; run the same command to go on")
    return training


def contracted_game(contract: Contract, settings: EvaluationSettings, n_games: int) -> ContractedGame:
    """Build the games in which a contract is learned and judged."""
    return ContractedGame(
        contract,
        n_games=n_games,
        config=settings.game,
        costs=settings.costs,
        payment=None if settings.payment is None else settings.payment(contract),
        observation=settings.learner.observation,
    )


def measure(contract: Contract, settings: EvaluationSettings, seed: int, policy: LearnedPolicy) -> Outcome:
    """Play greedy episodes of a trained policy, with seeds that training never saw."""
    learner = learner_of(policy.config)
    game = contracted_game(contract, settings, settings.episodes)
    sums = EpisodeSums(game)
    fresh = int(np.random.SeedSequence([seed, 1]).generate_state(1, np.uint32)[0])
    learner.play(game, policy, fresh, on_step=sums.add)
    return Outcome(
        contract=contract,
        welfare=Estimate.of(sums.welfare),
        utilities={agent: Estimate.of(sums.utilities[:, i]) for i, agent in enumerate(game.config.agents)},
        harvest=Estimate.of(sums.apples.sum(axis=1)),
        cleaned=Estimate.of(sums.cleaned.sum(axis=1)),
        shots=Estimate.of(sums.shots.sum(axis=1)),
        waste_curve=tuple(sums.waste),
        seed=seed,
        episodes=settings.episodes,
        versions=versions(learner.name),
    )


def _read_outcome(path: Path) -> Outcome | None:
    """Read an outcome from the cache; a broken file is set aside, with a warning, and trained again."""
    if not path.exists():
        return None
    try:
        outcome = Outcome.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError, ContractsError):
        log.warning("%s is broken: it is kept as %s.broken, and the contract is trained again", path, path.name)
        path.replace(path.with_suffix(".json.broken"))
        return None
    return outcome if math.isfinite(outcome.welfare.mean) else None
