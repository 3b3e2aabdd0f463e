"""Who is judged by a certificate: the agents of one training under one contract."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.by_crews.crew_learners import hash_of
from contract_wrapper.evaluation.by_crews.crew_outcome import asked_of
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.evaluation.deviators import DEVIATORS
from contract_wrapper.evaluation.evaluate import check_arguments, contracted_game
from contract_wrapper.evaluation.judging.code_version import code_version
from contract_wrapper.evaluation.settings import EvaluationSettings, check_seed
from contract_wrapper.problems.cleanup import CleanupProblem
from contract_wrapper.problems.problem import DesignProblem
from mtmfq.config import MTMFQConfig

if TYPE_CHECKING:
    from contract_wrapper.learners.population import PlayedGame

AT_ONE_CONTRACT: MTMFQConfig = dataclasses.replace(DEVIATORS, episodes=2_500, replay_capacity=1_500)
"""Settings of a deviator that learns at one contract, against crews that know all of them or that PPO trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The agents of one training under one contract, as they are judged."""

    contract: AnyContract
    """The contract."""

    policy: Any
    """What the agents do: a policy of any learner."""

    games: Callable[[int], PlayedGame]
    """Builds so many games in which they are judged, all under the contract."""

    identity: Mapping[str, Any]
    """What determined them, in plain values."""

    deviators: MTMFQConfig
    """Settings with which one of them may learn alone."""

    seed: int
    """Seed of the deviators and of all episodes."""

    problem: DesignProblem | None = None
    """Whose contract it is, which says what agents could have elsewhere; None: Clean-up's tax and crew."""


def subject_of_crews(
    crews: Crews, contract: AnyContract, seed: int = 0, *, problem: DesignProblem | None = None
) -> Subject:
    """Judge crews that know many contracts under one of them.

    Args:
        crews: of one training.
        contract: one that they know; of `problem` if there is one, else a tax and a number of cleaners.
        seed: of deviators and episodes.
        problem: whose contract it is, made by `cleanup_problem`.

    Raises:
        ContractsError: they know contracts of another kind, other terms, or other crew sizes; they play another game or
            for other costs than the problem says.
    """
    if problem is not None:
        check_crews_of(crews, problem, "these crews")
    n_cleaners, terms = asked_of(crews, contract, problem)
    crews.games(n_cleaners, [terms], 1)  # refuses what the crews never saw
    return Subject(
        contract=contract,
        policy=crews.policy,
        games=lambda n: crews.games(n_cleaners, [terms], n),
        identity={
            **crews.policy.identity, "crew": hash_of(crews.policy), "contract": contract.as_dict(),
            "code": code_version(),
        },
        deviators=AT_ONE_CONTRACT,
        seed=check_seed(seed),
        problem=problem,
    )  # fmt: skip


def subject_of_training(contract: AnyContract, settings: EvaluationSettings, policy: Any, seed: int = 0) -> Subject:
    """Judge agents that were trained under the contract alone; their own settings are those of deviators, too.

    Raises:
        ContractsError: the contract is none of the settings' problem, or the seed is none.
    """
    settings, seed = check_arguments(contract, settings, seed)
    return Subject(
        contract=contract,
        policy=policy,
        games=lambda n: contracted_game(contract, settings, n),
        identity=settings.identity(contract, seed),
        deviators=settings.learner if isinstance(settings.learner, MTMFQConfig) else AT_ONE_CONTRACT,
        seed=seed,
        problem=settings.problem,
    )


def crews_for(path: Path, settings: EvaluationSettings) -> Crews:
    """Read a file of crews that play the game of some settings, at their costs.

    Raises:
        ContractsError: the file is of another game or other costs, or settings name a problem whose contracts no crews know.
        mtmfq.LearnerError: the file is missing or damaged.
    """
    crews = Crews.load(path)
    if settings.problem is not None:
        check_crews_of(crews, settings.problem, f"the crews of {path}")
    else:
        _check_game(crews, settings, f"the crews of {path}")
    return crews


def check_crews_of(crews: Crews, problem: DesignProblem, who: str) -> None:
    """Refuse crews that were not trained for the contracts of a problem.

    Raises:
        ContractsError: they know other contracts, play another game, or were trained for other costs.
    """
    if not isinstance(problem, CleanupProblem):
        raise ContractsError(
            f"agents cannot be conditioned on the contracts of {problem.name}, so that no crews know them: certify agents "
            "that were trained from scratch"
        )
    _check_game(crews, problem, who)
    if crews.largest_crew != problem.largest_crew and problem.recruits:
        raise ContractsError(
            f"{who} see crew sizes in units of {crews.largest_crew}, those of {problem.name} in units of "
            f"{problem.largest_crew}: give other crews, or another max_cleaners"
        )


def _check_game(crews: Crews, wanted: EvaluationSettings | CleanupProblem, who: str) -> None:
    if crews.game != wanted.game:
        raise ContractsError(f"{who} play another game than asked for: give its --preset, or other crews")
    if crews.costs != wanted.costs:
        raise ContractsError(
            f"{who} were trained for the costs {crews.costs}, got {wanted.costs}: "
            f"give --costs '{crews.costs}', or other crews"
        )
