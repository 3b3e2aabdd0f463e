"""Payment rules to choose from: the functions of `transfers` with their numbers filled in.

Anything with the three members of `PaymentRule` will do; the frozen classes check their numbers at birth.
A rule may also have a `tax`, its share of harvest income: `Settlement` refuses one that is not the contract's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from contract_wrapper.contracts.contract import as_number, check_tax
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.transfers import (
    FloatArray,
    linear_shares,
    pay_per_cell,
    tax_and_share,
    tax_by_cells,
)
from contract_wrapper.errors import ContractsError


class PaymentRule(Protocol):
    """Who pays whom in a step: anything with these three members."""

    @property
    def mints(self) -> bool:
        """Whether transfers may sum to something else than zero."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Which of 'shots', 'cleaned', 'apples' the rule must know of cleaners."""

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return net transfers (..., N) in apples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxAndShare:
    """The paper's contract, and the default: `tax_and_share`. Conserves money."""

    tax: float
    """Share of harvest income in [0, 1] (the paper's alpha)."""

    mints: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "tax", check_tax(self.tax))

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return net transfers (..., N) in apples."""
        return tax_and_share(rewards, roles, self.tax)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxByCells:
    """The tax, shared in proportion to cells cleaned: `tax_by_cells`. Conserves money."""

    tax: float
    """Share of harvest income in [0, 1] (the paper's alpha)."""

    mints: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("cleaned",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tax", check_tax(self.tax))

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return net transfers (..., N) in apples."""
        return tax_by_cells(rewards, activity.cleaned, roles, self.tax)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayPerCell:
    """A price per cell cleaned: `pay_per_cell`. Conserves money unless `minted`."""

    price: float
    """Apples per waste cell cleaned, 0 or more (ours, not in the paper)."""

    minted: bool = False
    """Whether the principal pays out of nothing; else the harvesters pay in equal parts."""

    tax: ClassVar[float] = 0.0
    needs: ClassVar[tuple[str, ...]] = ("cleaned",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "price", _finite("price", self.price))
        if self.price < 0:
            raise ContractsError(f"price must be at least 0 apples per cell, got {self.price}")

    @property
    def mints(self) -> bool:
        """Whether the principal pays out of nothing."""
        return self.minted

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return net transfers (..., N) in apples."""
        return pay_per_cell(activity.cleaned, roles, self.price, minted=self.minted)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearShares:
    """An own weight per agent, r_i = alpha_i * G (eq. 1): `linear_shares`, which says what it mints."""

    weights: tuple[float, ...]
    """Share of the team's reward per agent, in agent order (the paper's alpha_1..alpha_N)."""

    tax: ClassVar[float] = 0.0
    needs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        checked = tuple(_finite(f"weight {i}", weight) for i, weight in enumerate(self.weights))
        object.__setattr__(self, "weights", checked)

    @property
    def mints(self) -> bool:
        """Whether the weights sum to something else than 1 (to 1e-12)."""
        return abs(math.fsum(self.weights) - 1.0) > 1e-12

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return net transfers (..., N) in apples."""
        return linear_shares(rewards, roles, self.weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomPayment:
    """A function as a payment rule; `Settlement` checks in every step what it returns."""

    function: Callable[[FloatArray, Activity, Roles], Any]
    """Takes rewards (..., N), activity and roles, returns net transfers (..., N) in apples."""

    mints: bool = False
    """Whether the transfers may sum to something else than zero."""

    needs: tuple[str, ...] = ()
    """Which of 'shots', 'cleaned', 'apples' the function must know of cleaners."""

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return what the function returns, unchecked; it gets a copy of the rewards."""
        given: FloatArray = self.function(rewards.copy(), activity, roles)
        return given


def _finite(name: str, value: object) -> float:
    number = as_number(value)
    if number is None or not math.isfinite(number):
        raise ContractsError(f"{name} must be a finite number, got {value!r}")
    return number
