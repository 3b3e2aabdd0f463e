"""Families of contracts: what varies from contract to contract, who is paid under it, and what agents see of it.

A contract of a family is given by its terms, P numbers; a batch of games has terms (B, P), one contract per game.
Agents that see the terms can learn to live with every contract of a family in one training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike

from contract_wrapper.contracts.contract import as_number
from contract_wrapper.contracts.payment_rules import CustomPayment, PaymentRule
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.transfers import FloatArray, as_floats, pay_per_cell, tax_and_share, tax_by_cells
from contract_wrapper.errors import ContractsError, shown

SMALLEST_TAX = 0.01
"""Tax below which reward scales stop growing (they are proportional to 1 / tax)."""

Bounds = tuple[tuple[float, float], ...]


class ContractFamily(Protocol):
    """Contracts that differ in P numbers, their terms: anything with these members.

    `payment`, `shown` and `scale` take terms that `check_terms` has checked.
    """

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the P terms."""

    @property
    def bounds(self) -> Bounds:
        """Least and largest value of each term."""

    @property
    def n_shown(self) -> int:
        """Numbers that each agent sees of its contract, C."""

    def payment(self, terms: FloatArray) -> PaymentRule:
        """Return who pays whom in B games under B contracts, terms (B, P)."""

    def shown(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return what each agent sees of its contract, (B, N, C): what its pay depends on, about 0 to 1 each."""

    def scale(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return factors on utilities, (B, N), after which one unit means about the same under all contracts."""


def is_linear(family: ContractFamily) -> bool:
    """Whether transfers are sums of what each term would move alone, times the term: the family then says `linear`.

    What was played under one contract can then be learned from under every other (`ConditionedGame.reward_parts`).
    """
    return getattr(family, "linear", False) is True


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxContracts:
    """All taxes between two bounds, shared equally among the cleaners: `tax_and_share`, the paper's contracts.

    >>> roles = Roles(names=("harvester", "cleaner", "cleaner"))
    >>> TaxContracts().shown(np.array([[0.25]]), roles)[0].round(3).tolist()
    [[0.75, 0.0, 0.25, 0.5], [1.0, 0.125, 0.25, 0.5], [1.0, 0.125, 0.25, 0.5]]
    """

    low: float = 0.0
    """Least tax."""

    high: float = 1.0
    """Largest tax."""

    linear: ClassVar[bool] = True
    terms: ClassVar[tuple[str, ...]] = ("tax",)
    n_shown: ClassVar[int] = 4

    def __post_init__(self) -> None:
        _check_bounds(self, 1.0)

    @property
    def bounds(self) -> Bounds:
        """Least and largest tax."""
        return ((self.low, self.high),)

    def payment(self, terms: FloatArray) -> PaymentRule:
        """Return the rule by which each game shares its own tax."""
        tax = terms[:, 0]

        def tax_per_game(rewards: FloatArray, _: Activity, roles: Roles) -> FloatArray:
            return tax_and_share(rewards, roles, tax)

        return CustomPayment(function=tax_per_game)

    def shown(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return own share kept, own share of the pot, tax and sqrt(tax), (B, N, 4)."""
        return _tax_shown(terms[:, :1], roles)

    def scale(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return `tax_scale` of each agent's role, (B, N)."""
        cleaner, harvester = tax_scale(terms[:, :1], int(roles.cleaner.sum()))
        return np.where(roles.cleaner, cleaner, np.where(roles.harvester, harvester, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class CellTaxContracts(TaxContracts):
    """All taxes between two bounds, shared in proportion to cells cleaned: `tax_by_cells`."""

    def payment(self, terms: FloatArray) -> PaymentRule:
        """Return the rule by which each game shares its own tax."""
        tax = terms[:, 0]

        def tax_by_cells_per_game(rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
            return tax_by_cells(rewards, activity.cleaned, roles, tax)

        return CustomPayment(function=tax_by_cells_per_game, needs=("cleaned",))


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPriceContracts:
    """All prices per cell cleaned between two bounds, paid by the harvesters in equal parts: `pay_per_cell`."""

    low: float = 0.0
    """Least price, in apples per cell."""

    high: float = 1.0
    """Largest price, in apples per cell."""

    linear: ClassVar[bool] = True
    terms: ClassVar[tuple[str, ...]] = ("price",)
    n_shown: ClassVar[int] = 2

    def __post_init__(self) -> None:
        _check_bounds(self, math.inf)

    @property
    def bounds(self) -> Bounds:
        """Least and largest price."""
        return ((self.low, self.high),)

    def payment(self, terms: FloatArray) -> PaymentRule:
        """Return the rule by which each game pays its own price."""
        price = terms[:, 0]

        def price_per_game(_: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
            return pay_per_cell(activity.cleaned, roles, price)

        return CustomPayment(function=price_per_game, needs=("cleaned",))

    def shown(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return what a cleaned cell brings the agent, and the price, in units of the largest price, (B, N, 2)."""
        price = terms[:, :1] / (self.high or 1.0)
        own = np.where(
            roles.cleaner, price, np.where(roles.harvester, -price / max(1, int(roles.harvester.sum())), 0.0)
        )
        return np.stack([own, np.broadcast_to(price, own.shape)], axis=2)

    def scale(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return ones, (B, N): an apple is an apple under every price."""
        return np.ones((len(terms), len(roles.names)))


def check_terms(family: ContractFamily, terms: ArrayLike) -> FloatArray:
    """Return terms as float64 (B, P), a copy, after checking that each is one of the family's contracts.

    Raises:
        ContractsError: they have another shape, or a term lies outside its bounds; nothing is extrapolated.
    """
    array = as_floats(terms)
    if array is None or array.ndim != 2 or array.shape[1] != len(family.terms) or not len(array):
        raise ContractsError(
            f"a contract is given by {', '.join(family.terms)}: terms must be numbers of shape "
            f"(contracts, {len(family.terms)}), got {shown(terms) if array is None else array.shape}"
        )
    for column, name, (low, high) in zip(array.T, family.terms, family.bounds, strict=True):
        outside = ~((low <= column) & (column <= high))  # true for NaN, too
        if outside.any():
            raise ContractsError(f"{name} must lie in [{low:g}, {high:g}] here, got {column[outside][0]:g}")
    return array + 0.0  # -0.0 becomes 0.0


def stratified_terms(family: ContractFamily, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw n contracts that cover the family, terms (n, P): a Latin hypercube sample (McKay et al. 1979).

    Each term's range falls into n parts of equal length, and one contract lies in each.
    """
    bounds = np.array(family.bounds)
    places = np.stack([rng.permutation(n) for _ in family.terms], axis=1)
    parts = (places + rng.random(places.shape)) / n
    drawn: FloatArray = bounds[:, 0] + (bounds[:, 1] - bounds[:, 0]) * parts
    inside: FloatArray = np.minimum(drawn, bounds[:, 1])  # the product may round up
    return inside


def tax_scale(tax: ArrayLike, n_cleaners: int) -> tuple[FloatArray, FloatArray]:
    """Return declared factors on the utilities of a cleaner, 0.2 N_a / tax, and of a harvester, 1 / (1 - tax).

    They have the shape of the tax. After them one temperature means the same under every tax; utilities are scaled
    as a whole, costs included, so no preference changes.
    """
    share = np.maximum(np.asarray(tax, np.float64), SMALLEST_TAX) / max(1, n_cleaners)
    return 0.2 / share, 1.0 / np.maximum(1.0 - np.asarray(tax, np.float64), SMALLEST_TAX)


def sharing_scale(share: float, n_agents: int) -> tuple[float, float]:
    """Return declared factors on utilities under `share_rewards`, of a cleaner and of a harvester.

    A cleaner harvests nothing and lives on share / (N - 1) of what all others eat; a harvester keeps 1 - share. They
    are what `tax_scale` declares for an equal part of the harvest.
    """
    part = max(share / max(1, n_agents - 1), SMALLEST_TAX)
    return 0.2 / part, 1.0 / max(1.0 - share, SMALLEST_TAX)


def _tax_shown(tax: FloatArray, roles: Roles) -> FloatArray:
    share = tax / max(1, int(roles.cleaner.sum()))
    kept, of_pot = np.where(roles.harvester, 1.0 - tax, 1.0), np.where(roles.cleaner, share, 0.0)
    return np.stack([kept, of_pot, np.broadcast_to(tax, kept.shape), np.broadcast_to(np.sqrt(tax), kept.shape)], axis=2)


def _check_bounds(family: TaxContracts | CellPriceContracts, most: float) -> None:
    for name in ("low", "high"):
        number = as_number(getattr(family, name))
        if number is None or not 0.0 <= number <= most or number == math.inf:
            raise ContractsError(f"{name} must be a number between 0 and {most:g}, got {shown(getattr(family, name))}")
        object.__setattr__(family, name, number + 0.0)
    if family.low > family.high:
        raise ContractsError(f"low must be at most high, got {family.low} and {family.high}")
