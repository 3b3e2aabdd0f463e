"""What crews are trained for: the game, its costs and the family of contracts that settings judge."""

from __future__ import annotations

from typing import Any, NamedTuple

from cleanup_env import CleanupConfig
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import CostRule
from contract_wrapper.contracts.designed_contract import AnyContract, of_cleanup
from contract_wrapper.contracts.families import ContractFamily
from contract_wrapper.contracts.named_families import family_as_dict
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.problems.cleanup import CREW, CleanupProblem


class World(NamedTuple):
    """What crews of some settings are trained for."""

    game: CleanupConfig
    """The game without recruits."""

    costs: CostRule
    """What work costs."""

    family: ContractFamily | None
    """The contracts; None: all taxes."""

    sizes: tuple[int, ...]
    """Crew sizes that the agents get to know."""

    largest_crew: int | None
    """Unit in which sizes are shown; None: the largest size."""

    def plain(self) -> dict[str, Any]:
        """What tells it from others, as plain values; nothing more than there was before there were families."""
        told = {} if self.family is None else {"family": family_as_dict(self.family), "largest_crew": self.largest_crew}
        game = {**self.game.as_dict(), "map": list(self.game.map)}
        return {"game": game, "costs": str(self.costs), "sizes": self.sizes, **told}


def world_of(settings: EvaluationSettings) -> World:
    """Return what the crews of some settings are trained for.

    Raises:
        ContractsError: the settings name no crews, or a problem whose contracts agents cannot be conditioned on.
    """
    if settings.crews is None:
        raise ContractsError("these settings train every contract from scratch: set crews=CrewSettings()")
    problem, sizes = settings.problem, settings.crews.sizes
    if problem is None:
        return World(settings.game, settings.costs, None, sizes, None)
    if not isinstance(problem, CleanupProblem):
        raise ContractsError(
            f"agents cannot be conditioned on the contracts of {problem.name}: leave out crews, or make it by "
            "cleanup_problem(family)"
        )
    crew = next((term for term in problem.terms if term.name == CREW), None)
    return World(problem.game, problem.costs, problem.family, (0,) if crew is None else sizes, problem.largest_crew)


def size_and_terms(contract: AnyContract, settings: EvaluationSettings) -> tuple[int, list[float]]:
    """Return the crew of a contract and its terms, as agents that know all contracts are asked about it.

    Raises:
        ContractsError: it is a contract of another problem, or its crew size is none that the crews know.
    """
    if isinstance(settings.problem, CleanupProblem):
        n_cleaners, terms = settings.problem.crew_of(contract), settings.problem.terms_of(contract)
        if n_cleaners and settings.crews is not None:
            settings.crews.check_knows(n_cleaners)
        return n_cleaners, terms
    mine: Contract = of_cleanup(contract)
    if settings.crews is not None:
        settings.crews.check_knows(mine.n_cleaners)
    return mine.n_cleaners, [mine.tax]
