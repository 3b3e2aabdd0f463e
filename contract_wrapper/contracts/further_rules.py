"""Payment rules beyond the paper's: own taxes, a piece rate, shares by role, and a tax among free agents.

As in `payment_rules`: the functions of `transfers` with their numbers filled in, checked at birth.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import ClassVar

from contract_wrapper.contracts.contract import as_items, as_number, check_tax
from contract_wrapper.contracts.payment_rules import bounded
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.transfers import (
    FloatArray,
    free_tax,
    shares_by_role,
    tax_by_piece_rate,
    tax_each,
)
from contract_wrapper.errors import ContractsError, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxPerHarvester:
    """An own tax for each harvester, shared equally among the cleaners: `tax_each`. Conserves money.

    >>> TaxPerHarvester(taxes=(0.1, 0.3)).tax  # that of the contract: Contract(tax=0.2, n_cleaners=...)
    0.2
    """

    taxes: tuple[float, ...]
    """Share of each harvester's income in [0, 1], in agent order (the paper's alpha_1..alpha_H)."""

    mints: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        taxes = as_items(self.taxes)
        if not taxes:
            raise ContractsError(f"taxes must be a sequence with one tax per harvester, got {shown(self.taxes)}")
        for i, tax in enumerate(taxes):
            check_share(f"tax {i}", tax)
        object.__setattr__(self, "taxes", tuple(check_tax(tax) for tax in taxes))

    @property
    def tax(self) -> float:
        """Mean tax, which the contract states."""
        return float(statistics.mean(self.taxes))  # exact: the mean of equal taxes is that tax

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return net transfers (..., N) in apples."""
        return tax_each(rewards, roles, self.taxes)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxAndPieceRate:
    """The tax, shared in part by cells cleaned and the rest equally: `tax_by_piece_rate`. Conserves money."""

    tax: float
    """Share of harvest income in [0, 1] (the paper's alpha)."""

    piece_rate: float
    """Part of the tax in [0, 1] that is shared by cells cleaned: 0 is `TaxAndShare`, 1 is `TaxByCells`."""

    mints: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("cleaned",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tax", check_tax(self.tax))
        object.__setattr__(self, "piece_rate", check_share("piece_rate", self.piece_rate))

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return net transfers (..., N) in apples."""
        return tax_by_piece_rate(rewards, activity.cleaned, roles, self.tax, self.piece_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesByRole:
    """The same weight for all agents of a role, r_i = alpha_role * G (eq. 1, types of eq. 9): `shares_by_role`.

    Mints (sum_i alpha_i - 1) * G apples per step, destroys them where that is negative; `minted` says the factor.
    """

    harvester_weight: float
    """Share of the team's reward that each harvester gets in place of its own; a negative one is a penalty."""

    cleaner_weight: float
    """Share of the team's reward that each cleaner gets in place of its own; a negative one is a penalty."""

    mints: ClassVar[bool] = True
    tax: ClassVar[float] = 0.0
    needs: ClassVar[tuple[str, ...]] = ()
    paid: ClassVar[tuple[str, ...]] = ("harvester", "cleaner")

    def __post_init__(self) -> None:
        for name in ("harvester_weight", "cleaner_weight"):
            object.__setattr__(self, name, bounded(name, getattr(self, name)) + 0.0)

    def minted(self, roles: Roles) -> float:
        """Return what is minted per apple of the team's reward, in a game of harvesters and cleaners."""
        return float(self.harvester_weight * roles.harvester.sum() + self.cleaner_weight * roles.cleaner.sum() - 1.0)

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return net transfers (..., N) in apples."""
        weights = {"harvester": self.harvester_weight, "cleaner": self.cleaner_weight}
        return shares_by_role(rewards, roles, weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeTax:
    """A tax on what free agents eat, shared among them, by cells cleaned in part: `free_tax`. Conserves money.

    For games whose agents both eat and clean, so that nobody is recruited: `Contract.none()` goes with it.
    """

    tax: float
    """Share in [0, 1] of the apples that each agent eats."""

    piece_rate: float = 0.0
    """Part of the tax in [0, 1] that is shared by cells cleaned; the rest is shared equally."""

    mints: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("cleaned", "apples")
    pays: ClassVar[tuple[str, ...]] = ("free",)
    paid: ClassVar[tuple[str, ...]] = ("free",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tax", check_tax(self.tax))
        object.__setattr__(self, "piece_rate", check_share("piece_rate", self.piece_rate))

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return net transfers (..., N) in apples."""
        return free_tax(activity.apples, activity.cleaned, roles, self.tax, self.piece_rate)


def check_share(name: str, value: object) -> float:
    """Return a share as a plain float in [0, 1].

    Raises:
        ContractsError: it is no number, or lies outside; the message calls it by `name`.
    """
    number = as_number(value)
    if number is None or not 0.0 <= number <= 1.0:  # false for NaN too
        raise ContractsError(f"{name} must be a number in [0, 1], got {shown(value)}")
    return number + 0.0
