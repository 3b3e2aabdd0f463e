"""A landscape of the contracts of a design problem: the same table, with any number of terms in place of a tax."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from contract_wrapper.contracts.designed_contract import AnyContract, DesignedContract
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.landscapes.bounds import FloatArray
from contract_wrapper.landscapes.certificate import checked_epsilon, default_epsilon
from contract_wrapper.landscapes.table.contract_table import ContractTable
from contract_wrapper.landscapes.table.fields import LISTS, MEASURED_AXES, Form

DESIGN_FORM = Form(
    kind="landscape of designs",
    axes={
        "numbers": "KP", **MEASURED_AXES,
        **{name + end: axes for name, axes in (("margin", "SKA"), ("value", "SK")) for end in ("", "_se")},
    },
    lists=(*LISTS, "terms", "roles"),
)  # fmt: skip
"""A landscape of designed contracts."""

NEAR = 1e-9
"""Numbers of contracts that differ by less are the same."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DesignLandscape(ContractTable):
    """What K contracts of a design problem bring about for crews of S conditioned trainings; see `ContractTable`.

    `about["problem"]` is what a file keeps of the problem (`DesignProblem.to_dict`).
    """

    FORM: ClassVar[Form] = DESIGN_FORM

    terms: tuple[str, ...]
    """Names of the P numbers of a contract."""

    roles: tuple[str, ...]
    """Who deviates, the axis R: the first agent of a role, which stands for all; where contracts or costs tell agents of
    a role apart, one of each kind, by name."""

    numbers: FloatArray
    """Numbers of the contracts, (K, P); NaN for no contract, which is the first."""

    margin: FloatArray
    """Margin of every agent by the problem's outside options, (S, K, A); see `margins`."""

    margin_se: FloatArray

    value: FloatArray
    """What the principal maximises, (S, K)."""

    value_se: FloatArray

    def __post_init__(self) -> None:
        self.check()
        problem = self.about.get("problem")
        said = problem.get("terms") if isinstance(problem, Mapping) else None
        names = [term[0] for term in said] if isinstance(said, list) and all(map(_is_term, said)) else None
        if names != list(self.terms):
            raise ContractsError(
                f"a landscape of designs says of which problem it is, with the terms {', '.join(self.terms)} "
                f"(about['problem']), got {shown(problem)}"
            )
        checked_epsilon(self.about["problem"].get("epsilon") or 0.0)
        if np.isfinite(self.numbers[0]).any() or not np.isfinite(self.numbers[1:]).all():
            raise ContractsError(
                "numbers of a landscape are finite, but for no contract, the first, which has none (NaN)"
            )
        if len(set(self.contracts())) < len(self.numbers):
            raise ContractsError("no contract of a landscape comes twice")
        if (np.isfinite(self.margin) != np.isfinite(self.utilities)).any() or not np.isfinite(self.value).all():
            raise ContractsError(
                "a landscape has a margin for every agent that is there, and a value for every contract"
            )

    @property
    def problem(self) -> str:
        """Name of the design problem."""
        return str(self.about["problem"]["name"])

    @property
    def maximised(self) -> str:
        """What the principal maximises: `welfare`, `worst`, `nash` or `income`."""
        return str(self.about["problem"].get("objective", "welfare"))

    @property
    def tried_roles(self) -> tuple[str, ...]:
        """Roles, or agents by name, whose deviations are measured: the axis R."""
        return self.roles

    def role_of(self, agent: str) -> str:
        """Role of an agent, which its name begins with."""
        return agent.rpartition("_")[0]

    def contracts(self) -> list[DesignedContract]:
        """All contracts, by number."""
        whole = [bool(term[4]) for term in self.about["problem"]["terms"]]
        return [DesignedContract(problem=self.problem)] + [
            DesignedContract.of(
                self.problem,
                {name: round(x) if w else float(x) for name, x, w in zip(self.terms, row, whole, strict=True)},
            )
            for row in self.numbers[1:]
        ]

    def number(self, contract: AnyContract) -> int:
        """Number of a contract.

        Raises:
            ContractsError: it is none of the table's; nothing is interpolated.
        """
        if not isinstance(contract, DesignedContract) or contract.problem != self.problem:
            raise ContractsError(f"{contract} is no contract of {self.problem}, of which this landscape is")
        if contract.is_none:
            return 0
        wanted = dict(contract.numbers)
        if set(wanted) != set(self.terms):
            raise ContractsError(f"a contract of {self.problem} has {', '.join(self.terms)}, got {contract}")
        away = np.abs(self.numbers[1:] - [wanted[name] for name in self.terms]).max(axis=1)
        if away.min() > NEAR:
            raise ContractsError(
                f"{contract} is not in this landscape; the nearest that is: {self.contracts()[1 + int(away.argmin())]}"
            )
        return 1 + int(away.argmin())

    def margins(self) -> FloatArray:
        """Margins of participation, (S, K, A), >= 0 good: each agent against no contract or its outside option.

        Source: Molina Concha et al. 2024, eqs. 4 to 6. NaN for absent agents; no contract has margins of 0, or those of
        agents who would rather leave for their outside option.
        """
        return self.margin.copy()

    def margins_se(self) -> FloatArray:
        """Standard errors of `margins` over episodes, (S, K, A)."""
        return self.margin_se.copy()

    def objective(self) -> tuple[FloatArray, FloatArray]:
        """What the principal maximises, and its standard errors over episodes, both (S, K)."""
        return self.value, self.value_se

    def default_epsilon(self) -> float:
        """What a certificate takes for nothing: as the problem says it, else 2 % of the mean utility without a contract."""
        said = self.about["problem"].get("epsilon")
        if said is not None:
            return checked_epsilon(said)
        without = self.utilities[:, 0]
        return default_epsilon(without[np.isfinite(without)])

    def terms_by_name(self) -> dict[str, Any]:
        """Numbers of the contracts by term, (K,) each; what is maximised, where it is not welfare, mean over trainings."""
        told = {} if self.maximised == "welfare" else {self.maximised: self.value.mean(axis=0)}
        return {name: self.numbers[:, k] for k, name in enumerate(self.terms)} | told


def _is_term(term: object) -> bool:
    return isinstance(term, list) and len(term) == 5 and isinstance(term[0], str)
