"""Which contracts are designed and for what, as options and files say it: names and text alone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from cleanup_env import CleanupConfig
from contract_wrapper.contracts.costs import CostRule
from contract_wrapper.contracts.named_families import family_names
from contract_wrapper.errors import ContractsError
from contract_wrapper.problems.cleanup import CleanupProblem, cleanup_problem
from contract_wrapper.problems.problem import DesignProblem
from contract_wrapper.problems.registry import get_problem, problem_names

USUAL = "tax"
"""The paper's contracts, which need no design problem of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenProblem:
    """What the principal chooses among, what it maximises, and what agents could have elsewhere."""

    contract: str = USUAL
    """Family of contracts by name: `tax`, `tax-by-cells`, `price-per-cell`, `tax-per-harvester`, `tax-and-piece-rate`,
    `linear`, `free-tax`, or one that this program registered; or the name of a design problem of your own (`--problem`),
    which then says game and costs."""

    objective: str = "welfare"
    """What is maximised: `welfare`, `worst` (utility of the worst-off agent), `nash` or `income`."""

    outside: str = ""
    """What agents could have elsewhere, per episode, by role or agent: `cleaner:5;cleaner_2:8`."""

    epsilon: float | None = None
    """Apples per episode that a certificate takes for nothing; None: 2 % of an agent's mean utility without a contract."""

    @property
    def own(self) -> DesignProblem | None:
        """The design problem of the user's own that `contract` names; None: a family of contracts of Clean-up.

        Raises:
            ContractsError: a package offers it that cannot be loaded; or `objective`, `outside` or `epsilon` are
                given, which the problem says for itself.
        """
        if self.contract in family_names() or self.contract not in problem_names():
            return None
        problem = get_problem(self.contract)
        for name in ("objective", "outside", "epsilon"):
            if getattr(self, name) != getattr(ChosenProblem(), name):
                raise ContractsError(f"the problem {problem.name} says for itself what its {name} is: leave out {name}")
        return problem

    @property
    def usual(self) -> bool:
        """Whether it is the paper's problem."""
        return self == ChosenProblem()

    @classmethod
    def of(cls, problem: CleanupProblem) -> ChosenProblem:
        """What a problem was made of."""
        return cls(
            contract=problem.settings["family"]["family"], objective=problem.objective, outside=str(problem.outside),
            epsilon=problem.epsilon,
        )  # fmt: skip

    def problem(self, game: CleanupConfig, costs: CostRule, max_cleaners: int) -> CleanupProblem:
        """Build the problem; errors as `cleanup_problem`."""
        name = "-".join(["cleanup", *(str(v) for v in dataclasses.astuple(self) if v)])
        return cleanup_problem(
            self.contract, name=name, game=game, costs=costs, max_cleaners=max_cleaners, objective=self.objective,
            outside=self.outside, epsilon=self.epsilon,
        )  # fmt: skip
