"""The black box: let agents that learned to live with a contract play, report the outcome.

The agents are trained under this contract alone, from scratch, or are crews that know every contract
(`EvaluationSettings.crews`). `evaluate` is a function of (settings, contract, seed) and nothing else; the cache key is made of
exactly these and of the code that plays and learns, so that nothing is trained twice by mistake.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.designed_contract import AnyContract, DesignedContract
from contract_wrapper.envs.batch_game import ContractedGame
from contract_wrapper.envs.episode_sums import EpisodeSums
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.by_crews.crew_folder import crews_file, crews_in
from contract_wrapper.evaluation.by_crews.crew_outcome import play_crews
from contract_wrapper.evaluation.by_crews.world import size_and_terms
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.outcome_files import read_outcome, write_outcome
from contract_wrapper.evaluation.settings import EvaluationSettings, check_seed
from contract_wrapper.files import make_folder
from contract_wrapper.learners.learner import LearnedPolicy, Training, check_play
from contract_wrapper.learners.registry import learner_of
from contract_wrapper.listeners.listener import told
from contract_wrapper.problems.cleanup import CleanupProblem

if TYPE_CHECKING:
    from mtmfq.interface import TrainProgress


class EvaluationStopped(Exception):
    """The training was asked to stop; its checkpoint lets the same evaluation go on later."""


def evaluate(
    contract: AnyContract,
    settings: EvaluationSettings | None = None,
    seed: int = 0,
    *,
    folder: Path | str | None = None,
    on_progress: Callable[[TrainProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Outcome:
    """Train the agents under a contract, play greedy episodes with fresh seeds, and report.

    With `settings.crews`, crews that know every contract play instead; they are trained if they are not in `folder`
    yet, once for all contracts. The game without a contract is trained from scratch in either case.

    Args:
        contract: tax and number of cleaners; or a contract of `settings.problem`.
        settings: game, costs, learner, crews; default: preset `contract`, costs `effort`, profile `fast`, no crews.
        seed: of everything drawn; same arguments, same result. Crews have seeds of their own (`CrewSettings.seed`),
            and this one draws their episodes alone.
        folder: where outcomes, policies and checkpoints of stopped trainings are kept, and in its `crews/` the crews;
            an outcome found there is returned at once, one that is damaged or another evaluation's is set aside.
            None keeps nothing, and is needed with a custom payment rule; crews need a folder. PPO writes no
            checkpoints: its stopped trainings begin anew.
        on_progress: called with `mtmfq.TrainProgress` while training.
        should_stop: asked while training; true writes a checkpoint and raises EvaluationStopped.

    Raises:
        EvaluationStopped: as above. mtmfq.LearnerError: the learner diverged, or a checkpoint is broken.
        ContractsError: the learner's package is not installed; the payment rule does not fit the contract,
            or its transfers cannot be paid out (see `Settlement`); the settings cannot be filed in a folder, or
            the folder cannot be made or read; crews have no folder, or do not know the crew size.
    """
    settings, seed = check_arguments(contract, settings, seed)
    if contract.is_none:
        settings = settings.from_scratch()
    if settings.crews is not None:
        size_and_terms(contract, settings)
        if folder is None:
            raise ContractsError(
                "crews are trained once and kept for all contracts: give evaluate a folder, for example "
                "folder='studies/evaluations'; or play crews that you have by play_crews"
            )
    key = ""
    if folder is not None:
        key, folder = settings.key(contract, seed), make_folder(folder)
        known = read_outcome(folder / f"{key}.json", contract, settings, seed)
        if known is not None:
            return known
    if folder is not None and settings.crews is not None:
        outcome = _by_crews(contract, settings, seed, folder, on_progress, should_stop)
        write_outcome(folder / f"{key}.json", outcome, settings)
        return outcome
    began, cpu = time.monotonic(), time.process_time()
    training, types = _train(contract, settings, seed, folder, key, on_progress, should_stop)
    curve = training.curve
    outcome = dataclasses.replace(
        measure(contract, settings, seed, training.policy),
        training_curve={
            "episode": tuple(curve.episode.tolist()),
            **{name: tuple(curve.returns[:, m].tolist()) for m, name in enumerate(types)},
        },
        cpu_seconds=time.process_time() - cpu,
        wall_seconds=time.monotonic() - began,
        policy=f"{key}.policy.npz" if folder is not None else "",
    )
    if folder is not None:
        training.policy.save(folder / outcome.policy)
        write_outcome(folder / f"{key}.json", outcome, settings)
        for checkpoint in (folder / f"{key}.training.npz", *folder.glob(f".{key}.training.npz.*")):
            checkpoint.unlink(missing_ok=True)
    return outcome


def _by_crews(
    contract: AnyContract, settings: EvaluationSettings, seed: int, folder: Path, on_progress: Any, should_stop: Any
) -> Outcome:
    crews = crews_in(folder, settings, on_progress=on_progress, should_stop=should_stop)
    if crews is None:
        raise EvaluationStopped("the training of the crews was stopped; run the same command to go on")
    began, cpu = time.monotonic(), time.process_time()
    return dataclasses.replace(
        play_crews(
            crews,
            contract,
            episodes=settings.episodes,
            seed=seed,
            problem=settings.problem if isinstance(settings.problem, CleanupProblem) else None,
        ),
        cpu_seconds=time.process_time() - cpu,
        wall_seconds=time.monotonic() - began,
        policy=crews_file(folder, settings, 0).name,
    )


def _train(
    contract: AnyContract, settings: EvaluationSettings, seed: int, folder: Path | None, key: str,
    on_progress: Any, should_stop: Any,
) -> tuple[Training, tuple[str, ...]]:  # fmt: skip
    """Train the agents; also the names of their types."""
    game, learner = contracted_game(contract, settings, settings.learner.n_games), learner_of(settings.learner)
    with told(
        on_progress, f"{_file_name(contract)}-seed{seed}", _about(contract, settings, seed), game.type_names
    ) as tell:
        training = learner.train(
            game,
            settings.learner,
            np.random.SeedSequence([seed, 0]),
            on_progress=tell,
            checkpoint=None if folder is None else folder / f"{key}.training.npz",
            should_stop=should_stop,
            identity=None if folder is None else settings.identity(contract, seed),
        )
    learner.check_training(training, len(game.type_names))
    if not training.finished:
        raise EvaluationStopped(f"the training of {contract} was stopped; run the same command to go on")
    return training, game.type_names


def _file_name(contract: AnyContract) -> str:
    """Name of a contract in logs: letters, digits, points and dashes."""
    if contract.is_none:
        return "no-contract"
    if isinstance(contract, Contract):
        return f"tax{contract.tax:g}-cleaners{contract.n_cleaners}"
    return "-".join(f"{name}{value:g}" for name, value in contract.numbers)


def _about(contract: AnyContract, settings: EvaluationSettings, seed: int) -> dict[str, Any]:
    """What a training is, for those who listen."""
    plain = dataclasses.replace(settings, payment=None).to_dict()
    own = {} if settings.payment is None else {"payment": shown(settings.payment)}
    return {**plain, **own, "contract": contract.as_dict(), "seed": seed}


def contracted_game(contract: AnyContract, settings: EvaluationSettings, n_games: int) -> Any:
    """Build the games in which a contract is learned and judged: a `ContractedGame`, or a `ProblemGame`."""
    if settings.problem is not None:
        return settings.problem.build(contract, n_games, settings.learner.observation)
    if not isinstance(contract, Contract):
        raise ContractsError(f"{contract} is a contract of the problem {contract.problem}: give it in the settings")
    return ContractedGame(
        contract,
        n_games=n_games,
        config=settings.game,
        costs=settings.costs,
        payment=None if settings.payment is None else settings.payment(contract),
        observation=settings.learner.observation,
    )


def measure(contract: AnyContract, settings: EvaluationSettings, seed: int, policy: LearnedPolicy) -> Outcome:
    """Play greedy episodes of a trained policy, with seeds that training never saw."""
    learner = learner_of(policy.config)
    game = contracted_game(contract, settings, settings.episodes)
    sums = EpisodeSums(game)
    learner.play(game, policy, evaluation_seed(seed), on_step=sums.add)
    check_play(learner, len(sums.waste), game.horizon)
    return Outcome.of_episodes(contract, sums, seed, settings.versions())


def evaluation_seed(seed: int) -> int:
    """Seed of the greedy episodes of an evaluation, which its training never sees."""
    return int(np.random.SeedSequence([seed, 1]).generate_state(1, np.uint32)[0])


def check_arguments(contract: object, settings: object, seed: object) -> tuple[EvaluationSettings, int]:
    """Return settings, with their default filled in, and seed, after checking what every evaluation is given.

    Raises:
        ContractsError: one of them is of another type, or the seed is out of range.
    """
    if not isinstance(contract, (Contract, DesignedContract)):
        raise ContractsError(
            f"contract must be a Contract, for example Contract(tax=0.04, n_cleaners=5), got {shown(contract)}"
        )
    settings = EvaluationSettings() if settings is None else settings
    if not isinstance(settings, EvaluationSettings):
        raise ContractsError(
            f"settings must be EvaluationSettings, for example EvaluationSettings(), got {shown(settings)}"
        )
    if settings.problem is not None:
        settings.problem.check(contract)
    elif not isinstance(contract, Contract):
        raise ContractsError(
            f"{contract} is a contract of the problem {contract.problem}: name it, EvaluationSettings(problem=...)"
        )
    return settings, check_seed(seed)
