"""Contracts as the optimiser sees them, and back: the designs of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contract_wrapper.bo.dimensions import Integer, Real
from contract_wrapper.bo.space import Design, DesignSpace, contract_space
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.problems.problem import DesignProblem
from contract_wrapper.problems.terms import Term


@dataclass(frozen=True, kw_only=True)
class Designs:
    """The contracts that a study may choose: Clean-up's tax and crew, or those of a design problem."""

    space: DesignSpace
    """Their designs."""

    problem: DesignProblem | None = None
    """Whose contracts they are; None: Clean-up's."""

    @classmethod
    def of(cls, problem: DesignProblem | None, max_cleaners: int) -> Designs:
        """Build them; `max_cleaners` counts for Clean-up alone."""
        if problem is None:
            return cls(space=contract_space(max_cleaners))
        return cls(space=DesignSpace(dimensions=tuple(map(_dimension, problem.terms))), problem=problem)

    def none(self) -> AnyContract:
        """The contract that is none: the baseline."""
        return Contract.none() if self.problem is None else self.problem.none()

    def contract(self, design: Sequence[float]) -> AnyContract:
        """Read a design as a contract."""
        if self.problem is None:
            tax, cleaners = design
            return Contract(tax=float(tax), n_cleaners=int(cleaners))
        return self.problem.contract(**{term.name: x for term, x in zip(self.problem.terms, design, strict=True)})

    def design(self, contract: AnyContract) -> Design | None:
        """Return a contract as the optimiser sees it; None of a problem's baseline, which is no design.

        Raises:
            ContractsError: it is a contract of another problem.
        """
        if self.problem is None:
            if not isinstance(contract, Contract):
                raise ContractsError(
                    f"{contract} is a contract of the problem {contract.problem}, this study is Clean-up's"
                )
            return (contract.tax, contract.n_cleaners)
        checked = self.problem.check(contract)
        return None if checked.is_none else tuple(number for _, number in checked.numbers)

    def check(self, contract: AnyContract) -> None:
        """Make sure that a contract other than none is one of these, on the grid.

        Raises:
            ContractsError: it is not.
        """
        if not contract.is_none:
            design = self.design(contract)
            assert design is not None  # only none has no design
            self.space.check_bounds(design, steps=True)


def _dimension(term: Term) -> Real | Integer:
    if term.whole:
        return Integer(name=term.name, low=int(term.low), high=int(term.high))
    return Real(name=term.name, low=term.low, high=term.high, step=term.step)
