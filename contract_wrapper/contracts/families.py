"""Families of contracts: what varies from contract to contract, who is paid under it, and what agents see of it.

A contract of a family is given by its terms, P numbers; a batch of games has terms (B, P), one contract per game.
Agents that see the terms can learn to live with every contract of a family in one training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contract_wrapper.contracts.contract import as_items, as_number
from contract_wrapper.contracts.payment_rules import CustomPayment, PaymentRule, PayPerCell, TaxAndShare, TaxByCells
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.transfers import FloatArray, as_floats, pay_per_cell, tax_and_share, tax_by_cells
from contract_wrapper.errors import ContractsError, shown

SMALLEST_TAX = 0.01
"""Tax below which reward scales stop growing (they are proportional to 1 / tax)."""

Bounds = tuple[tuple[float, float], ...]


class ContractFamily(Protocol):
    """Contracts that differ in P numbers, their terms: anything with these members.

    `payment`, `shown` and `scale` take terms that `check_terms` has checked. A family may also say

    - `pays` and `paid`: the roles that pay and that are paid, tuples of names; left out, harvesters pay cleaners.
      A game with agents of other roles is refused (`family_tools.check_family`).
    - `check_roles(roles)`: refuse other games that it does not fit.
    - `linear = True`, or `parts` and `weights(terms)`: of what its transfers are sums (`family_tools.parts_of`).
    - `draw(n, rng)`: how contracts are drawn, (n, P), where an equal chance for all terms would miss what matters.
    - `rule(**numbers)`: the payment rule of one contract, for a game of its own.
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

    def rule(self, **numbers: float) -> PaymentRule:
        """Return the payment rule of one contract: `rule(tax=0.1)`."""
        return TaxAndShare(tax=numbers_of(self, numbers)[0])

    def shown(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return own share kept, own share of the pot, tax and sqrt(tax), (B, N, 4)."""
        return tax_shown(terms[:, :1], roles)

    def scale(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return `tax_scale` of each agent's role, (B, N)."""
        cleaner, harvester = tax_scale(terms[:, :1], int(roles.cleaner.sum()))
        return np.where(roles.cleaner, cleaner, np.where(roles.harvester, harvester, 1.0))

    def seen_by(self, agents: NDArray[np.int64], terms: FloatArray, roles: Roles) -> tuple[FloatArray, FloatArray]:
        """Return `shown` (R, 4) and `scale` (R,) of one agent (its number) for each of R contracts."""
        tax, n_cleaners = terms[:, 0], int(roles.cleaner.sum())
        harvests, cleans = roles.harvester[agents], roles.cleaner[agents]
        kept, of_pot = np.where(harvests, 1.0 - tax, 1.0), np.where(cleans, tax / max(1, n_cleaners), 0.0)
        cleaner, harvester = tax_scale(tax, n_cleaners)
        scale = np.where(cleans, cleaner, np.where(harvests, harvester, 1.0))
        return np.stack([kept, of_pot, tax, np.sqrt(tax)], axis=1), scale


@dataclass(frozen=True, slots=True, kw_only=True)
class CellTaxContracts(TaxContracts):
    """All taxes between two bounds, shared in proportion to cells cleaned: `tax_by_cells`."""

    def payment(self, terms: FloatArray) -> PaymentRule:
        """Return the rule by which each game shares its own tax."""
        tax = terms[:, 0]

        def tax_by_cells_per_game(rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
            return tax_by_cells(rewards, activity.cleaned, roles, tax)

        return CustomPayment(function=tax_by_cells_per_game, needs=("cleaned",))

    def rule(self, **numbers: float) -> PaymentRule:
        """Return the payment rule of one contract: `rule(tax=0.1)`."""
        return TaxByCells(tax=numbers_of(self, numbers)[0])


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

    def rule(self, **numbers: float) -> PaymentRule:
        """Return the payment rule of one contract: `rule(price=0.1)`."""
        return PayPerCell(price=numbers_of(self, numbers)[0])

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


def numbers_of(family: ContractFamily, numbers: Mapping[str, object]) -> tuple[float, ...]:
    """Return the terms of one contract, given by name, in the family's order, (P,).

    Raises:
        ContractsError: a name is missing or unknown, or a number lies outside its bounds.
    """
    if set(numbers) != set(family.terms):
        raise ContractsError(
            f"a contract is given by {', '.join(family.terms)}, got {', '.join(map(str, numbers)) or 'nothing'}"
        )
    checked = {name: as_number(number) for name, number in numbers.items()}
    for name, number in checked.items():
        if number is None:
            raise ContractsError(f"{name} must be a number, got {shown(numbers[name])}")
    return tuple(check_terms(family, [[checked[name] or 0.0 for name in family.terms]])[0].tolist())


def stratified_terms(family: ContractFamily, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw n contracts that cover the family, terms (n, P): a Latin hypercube sample (McKay et al. 1979).

    Each term's range falls into n parts of equal length, and one contract lies in each; unless the family draws its
    own (`draw`).
    """
    draw = getattr(family, "draw", None)
    return latin_hypercube(family.bounds, n, rng) if draw is None else draw(n, rng)


def latin_hypercube(bounds_of_terms: Bounds, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw n points (n, P) within bounds, one in each of n parts of equal length of every range."""
    bounds = np.array(bounds_of_terms)
    places = np.stack([rng.permutation(n) for _ in bounds_of_terms], axis=1)
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


def tax_shown(tax: FloatArray, roles: Roles) -> FloatArray:
    """Return own share kept, own share of the pot, tax and sqrt(tax) under taxes (B, 1), (B, N, 4)."""
    share = tax / max(1, int(roles.cleaner.sum()))
    kept, of_pot = np.where(roles.harvester, 1.0 - tax, 1.0), np.where(roles.cleaner, share, 0.0)
    return np.stack([kept, of_pot, np.broadcast_to(tax, kept.shape), np.broadcast_to(np.sqrt(tax), kept.shape)], axis=2)


def checked_range(name: str, given: object, least: float, most: float) -> tuple[float, float]:
    """Return the least and largest value of a term as floats.

    Raises:
        ContractsError: they are no pair of numbers, lie outside [least, most] or in the wrong order; the message calls
            them by `name`.
    """
    pair = as_items(given)
    low, high = map(as_number, pair) if pair is not None and len(pair) == 2 else (None, None)
    if low is None or high is None or not (least <= low <= most and least <= high <= most):
        raise ContractsError(
            f"{name} must be the least and the largest value, two numbers between {least:g} and {most:g}, got {shown(given)}"
        )
    if low > high:
        raise ContractsError(f"{name} must have its least value first, got {shown(given)}")
    return low + 0.0, high + 0.0


def _check_bounds(family: TaxContracts | CellPriceContracts, most: float) -> None:
    for name in ("low", "high"):
        number = as_number(getattr(family, name))
        if number is None or not 0.0 <= number <= most or number == math.inf:
            raise ContractsError(f"{name} must be a number between 0 and {most:g}, got {shown(getattr(family, name))}")
        object.__setattr__(family, name, number + 0.0)
    if family.low > family.high:
        raise ContractsError(f"low must be at most high, got {family.low} and {family.high}")
