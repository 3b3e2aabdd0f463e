"""A landscape: what every contract of a grid brings about, for several conditioned trainings.

One seed is one training of crews that know all contracts, and the independent unit of every interval: the seeds are
shared by all contracts, so that two contracts are compared by the differences of their seeds.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanup_env import CleanupConfig
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import CostRule
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes import compare, making
from contract_wrapper.landscapes.bounds import FloatArray
from contract_wrapper.landscapes.certificate import default_epsilon
from contract_wrapper.landscapes.table.contract_table import ContractTable
from contract_wrapper.landscapes.table.fields import ROLES as ROLES
from contract_wrapper.landscapes.table.fields import TAX_FORM, Form, check_presence, number_of

KIND = TAX_FORM.kind
"""What a file says that it is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Landscape(ContractTable):
    """What K contracts bring about for crews of S conditioned trainings; contract 0 is no contract.

    Means and standard errors (`*_se`) are over the episodes that one training's crews played, in apples per episode;
    intervals over trainings are taken from the axis S. What does not exist is NaN: the utility of an agent that the
    contract does not recruit, the gain of a cleaner where there is none.
    """

    FORM: ClassVar[Form] = TAX_FORM

    tax: FloatArray
    """Taxes, (K,)."""

    n_cleaners: NDArray[np.int64]
    """Crew sizes, (K,)."""

    def __post_init__(self) -> None:
        self.check()
        if (self.tax[0], self.n_cleaners[0]) != (0, 0) or len(set(self.contracts())) < len(self.tax):
            raise ContractsError("contract 0 of a landscape is no contract (tax 0, no cleaners), and none comes twice")
        check_presence(self.agents, self.n_cleaners, self.utilities)

    def contracts(self) -> list[Contract]:
        """All contracts, by number."""
        return [Contract(tax=float(t), n_cleaners=int(n)) for t, n in zip(self.tax, self.n_cleaners, strict=True)]

    def number(self, contract: Contract) -> int:
        """Number of a contract.

        Raises:
            ContractsError: it is none of the table's; nothing is interpolated.
        """
        return number_of(self.tax, self.n_cleaners, contract)

    @property
    def tried_roles(self) -> tuple[str, ...]:
        """Roles whose deviations are measured, the axis R: cleaner, harvester."""
        return ROLES

    def role_of(self, agent: str) -> str:
        """Role of an agent, which its name begins with."""
        return agent.rpartition("_")[0]

    def terms_by_name(self) -> dict[str, Any]:
        """Taxes and crew sizes, (K,) each."""
        return {"tax": self.tax, "n_cleaners": self.n_cleaners}

    def margins(self) -> FloatArray:
        """Margins of participation, (S, K, A), >= 0 good: harvesters against no contract (eq. 4), cleaners against 0 (eq. 5).

        Source: Molina Concha et al. 2024. NaN for absent agents; no contract has margins of 0.
        """
        margins = self.utilities.copy()
        places = self.of_role("harvester")
        margins[:, :, places] -= self.utilities[:, :1, places]
        return margins

    def check_made_for(
        self, *, game: CleanupConfig | None = None, costs: CostRule | str | None = None, code: str | None = None
    ) -> None:
        """Refuse a landscape of another game, cost rule or version of the code; what is None is not compared.

        Raises:
            ContractsError: naming the first difference.
        """
        making.check_made_for(self.about, game, costs, code)

    def default_epsilon(self) -> float:
        """2 % of the baseline harvester's utility: apples that a certificate takes for nothing."""
        return default_epsilon(self.utilities[:, 0, self.of_role("harvester")])

    def margins_se(self) -> FloatArray:
        """Standard errors of `margins` over episodes, (S, K, A): a harvester's adds that of its baseline."""
        errors = self.utilities_se.copy()
        places = self.of_role("harvester")
        errors[:, :, places] = np.hypot(errors[:, :, places], errors[:, :1, places])
        errors[:, 0, places] = 0.0
        return errors

    def tie_break(self, rule: compare.TieBreak, among: ArrayLike) -> int:
        """Number of the contract of a set that is preferred by 'lowest tax', 'smallest crew' or 'fairest'."""
        worst_off = np.nanmin(self.utilities.mean(axis=0), axis=1)
        return compare.tie_break(rule, among, self.tax, self.n_cleaners, worst_off, self.welfare)

    def recosted(self, costs: CostRule | str) -> Landscape:
        """Return the landscape of another flat cost rule: nobody's play depends on a cost that no action changes.

        Raises:
            ContractsError: one of the rules has a price per shot or cell, or the landscape does not say what it
                was made for.
        """
        costs_now, shift = making.shifts(self.about, costs, self.agents)
        there = np.isfinite(self.utilities)
        return dataclasses.replace(
            self,
            about={**self.about, "costs": costs_now, "recosted_from": self.about["costs"]},
            utilities=self.utilities - shift,
            welfare=self.welfare - (there * shift).sum(axis=2),
        )
