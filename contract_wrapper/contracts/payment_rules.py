"""Payment rules to choose from: the functions of `transfers` with their numbers filled in.

Anything with the three members of `PaymentRule` will do; the frozen classes check their numbers at birth.
A rule may also have a `tax`, its share of harvest income: `Settlement` refuses one that is not the contract's.
It may say which roles pay and which are paid (`pays`, `paid`); left out, harvesters pay cleaners.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from contract_wrapper.contracts.contract import as_items, as_number, check_tax
from contract_wrapper.contracts.costs import MOST_APPLES
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.transfers import (
    FloatArray,
    linear_shares,
    pay_per_cell,
    share_rewards,
    tax_and_share,
    tax_by_cells,
)
from contract_wrapper.errors import ContractsError, shown


class PaymentRule(Protocol):
    """Who pays whom in a step: anything with these three members."""

    @property
    def mints(self) -> bool:
        """Whether transfers may sum to something else than zero."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Which of 'shots', 'cleaned', 'apples' the rule must know of those who are paid."""

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return net transfers (..., N) in apples."""


def payers_of(rule: object) -> tuple[str, ...]:
    """Return the roles that pay under a rule or a family of contracts: its `pays`, by default the harvesters."""
    found = getattr(rule, "pays", None)
    return found if isinstance(found, tuple) else ("harvester",)


def paid_by(rule: object) -> tuple[str, ...]:
    """Return the roles that are paid under a rule or a family of contracts: its `paid`, by default the cleaners."""
    found = getattr(rule, "paid", None)
    return found if isinstance(found, tuple) else ("cleaner",)


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
        object.__setattr__(self, "price", bounded("price", self.price))
        if self.price < 0:
            raise ContractsError(f"price must be at least 0 apples per cell, got {self.price}")
        check_flag("minted", self.minted)

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
        weights = as_items(self.weights)
        if weights is None:
            raise ContractsError(f"weights must be a sequence with one number per agent, got {shown(self.weights)}")
        checked = tuple(bounded(f"weight {i}", weight) for i, weight in enumerate(weights))
        object.__setattr__(self, "weights", checked)

    @property
    def mints(self) -> bool:
        """Whether the weights sum to something else than 1 (to 1e-12)."""
        return abs(math.fsum(self.weights) - 1.0) > 1e-12

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return net transfers (..., N) in apples."""
        return linear_shares(rewards, roles, self.weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardSharing:
    """Every agent gives a share of its own reward to all others equally: `share_rewards`. Conserves money.

    It needs no cleaners and takes no tax: it goes with a contract of tax 0 and any number of cleaners, none included.
    """

    share: float
    """Part of its reward that an agent gives away, in [0, 1] (1 less the self-interest level of Willis et al. 2024)."""

    tax: ClassVar[float] = 0.0
    mints: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        share = as_number(self.share)
        if share is None or not 0.0 <= share <= 1.0:
            raise ContractsError(f"share must be a number between 0 and 1, got {shown(self.share)}")
        object.__setattr__(self, "share", share + 0.0)  # -0.0 becomes 0.0

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return net transfers (..., N) in apples."""
        return share_rewards(rewards, roles, self.share)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomPayment:
    """A function as a payment rule; `Settlement` checks in every step what it returns."""

    function: Callable[[FloatArray, Activity, Roles], Any]
    """Takes rewards (..., N), activity and roles, returns net transfers (..., N) in apples.

    `Settlement` hands it read-only views: it may keep no reference to them, as the game's next step changes them."""

    mints: bool = False
    """Whether the transfers may sum to something else than zero."""

    needs: tuple[str, ...] = ()
    """Which of 'shots', 'cleaned', 'apples' the function must know of those who are paid."""

    pays: tuple[str, ...] = ("harvester",)
    """Roles that pay."""

    paid: tuple[str, ...] = ("cleaner",)
    """Roles that are paid."""

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ContractsError(
                f"function must be a function (rewards, activity, roles) -> transfers, got {shown(self.function)}"
            )
        check_flag("mints", self.mints)
        needs = as_items(self.needs)
        if needs is None:
            raise ContractsError(
                f"needs must be a tuple of names among {', '.join(Activity._fields)}, got {shown(self.needs)}"
            )
        object.__setattr__(self, "needs", needs)
        for name in ("pays", "paid"):
            object.__setattr__(self, name, check_roles_named(name, getattr(self, name)))

    def transfers(self, rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
        """Return what the function returns, unchecked."""
        given: FloatArray = self.function(rewards, activity, roles)
        return given


def check_roles_named(name: str, roles: object) -> tuple[str, ...]:
    """Return roles as a tuple of names, at least one.

    Raises:
        ContractsError: they are something else; the message calls them by `name`.
    """
    items = as_items(roles)
    if not items or not all(isinstance(role, str) and role for role in items):
        raise ContractsError(f"{name} must be a tuple of roles such as ('harvester',), got {shown(roles)}")
    return items


def bounded(name: str, value: object) -> float:
    """Return a number of apples, or a weight, as a float; an error if it is none, or above 1e9 in size."""
    number = as_number(value)
    if number is None or not -MOST_APPLES <= number <= MOST_APPLES:
        raise ContractsError(f"{name} must be a finite number, got {shown(value)}: at most {MOST_APPLES:,.0f} in size")
    return number


def check_flag(name: str, value: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool):
        raise ContractsError(f"{name} must be True or False, got {shown(value)}")
