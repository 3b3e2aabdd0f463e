"""Judge a contract by crews that know it: they play, nobody learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from contract_wrapper.contracts.designed_contract import AnyContract, of_cleanup
from contract_wrapper.contracts.families import TaxContracts
from contract_wrapper.envs.episode_sums import EpisodeSums
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.judging.code_version import versions
from contract_wrapper.evaluation.outcome import Outcome, mean_over_crews
from contract_wrapper.learners.registry import learner_of
from contract_wrapper.problems.cleanup import CREW

if TYPE_CHECKING:
    from contract_wrapper.evaluation.crews import Crews
    from contract_wrapper.problems.cleanup import CleanupProblem
    from contract_wrapper.problems.problem import DesignProblem


def play_crews(
    crews: Sequence[Crews],
    contract: AnyContract,
    *,
    episodes: int = 100,
    seed: int = 0,
    problem: CleanupProblem | None = None,
) -> Outcome:
    """Let the crews of every training play greedy episodes under a contract, and average over them.

    Args:
        crews: of S independent trainings that know the same contracts.
        contract: one of those that they know, with cleaners.
        episodes: of the crews of each training, at least 2.
        seed: of the episodes; the crews of each training play episodes of their own.
        problem: whose contract it is; None: Clean-up's tax and crew.

    Returns:
        Means over the crews, with the standard errors of the episodes (see `Outcome.by_crew`).

    Raises:
        ContractsError: the agents do not know this contract or this crew size.
    """
    if problem is None:
        n_cleaners, terms = of_cleanup(contract).n_cleaners, [of_cleanup(contract).tax]
    else:
        n_cleaners, terms = problem.crew_of(contract), problem.terms_of(contract)
    outcomes = []
    for k, known in enumerate(crews):
        learner = learner_of(known.policy.config)
        game = known.games(n_cleaners, [terms], episodes)
        sums = EpisodeSums(game)
        learner.play(
            game,
            known.policy,
            int(np.random.SeedSequence([seed, 1, k]).generate_state(1, np.uint32)[0]),
            on_step=sums.add,
        )
        outcomes.append(Outcome.of_episodes(contract, sums, seed, versions(learner.name)))
    return mean_over_crews(outcomes)


def asked_of(crews: Crews, contract: AnyContract, problem: DesignProblem | None = None) -> tuple[int, list[float]]:
    """Return the crew of a contract and its terms, as crews are asked about it, after a look at whether they know such.

    Args:
        crews: of one training.
        contract: of the problem; without one, a tax and a number of cleaners.
        problem: whose contract it is; None: Clean-up's tax and crew.

    Raises:
        ContractsError: it is a contract of another problem, or the crews know contracts of another family.
    """
    family, known = getattr(problem, "family", None), type(crews.family).__name__
    if problem is None:
        mine = of_cleanup(contract)
        if type(crews.family) is not TaxContracts:
            raise ContractsError(
                f"a contract is a tax and a number of cleaners, but these crews know {known}: give crews of TaxContracts, "
                f"or a contract of theirs with the terms {', '.join(crews.family.terms)}"
            )
        return mine.n_cleaners, [mine.tax]
    problem.check(contract)
    if family is None or crews.family != family:
        wanted = problem.name if family is None else type(family).__name__
        raise ContractsError(
            f"these crews know {known} with the terms {', '.join(crews.family.terms)}, and {contract} is a contract of "
            f"{wanted}: give other crews"
        )
    numbers = dict(problem.check(contract).numbers)
    return int(numbers.get(CREW, 0)), [float(numbers[term]) for term in family.terms]
