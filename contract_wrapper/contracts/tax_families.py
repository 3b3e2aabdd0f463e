"""Families of taxes beyond the paper's: an own one per harvester, with a piece rate, and among free agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from contract_wrapper.contracts.contract import as_int
from contract_wrapper.contracts.families import (
    Bounds,
    checked_range,
    latin_hypercube,
    numbers_of,
    tax_scale,
    tax_shown,
)
from contract_wrapper.contracts.further_rules import FreeTax, TaxAndPieceRate, TaxPerHarvester
from contract_wrapper.contracts.payment_rules import CustomPayment, PaymentRule
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.transfers import (
    FloatArray,
    check_taxes,
    free_tax,
    split_tax,
    tax_by_piece_rate,
    tax_each,
)
from contract_wrapper.errors import ContractsError, shown

MOST_HARVESTERS = 1_000
"""Harvesters that may have a tax of their own: each is a number that a training has to cover."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HarvesterTaxContracts:
    """An own tax for each harvester, shared equally among the cleaners: `tax_each`, the paper's general problem.

    >>> roles = Roles(names=("harvester", "harvester", "cleaner", "cleaner"))
    >>> HarvesterTaxContracts(n_harvesters=2).shown(np.array([[0.0, 0.5]]), roles)[0].tolist()
    [[1.0, 0.0, 0.25, 0.5, 0.25], [0.5, 0.0, 0.25, 0.5, 0.25], [1.0, 0.125, 0.25, 0.5, 0.25], [1.0, 0.125, 0.25, 0.5, 0.25]]
    """

    n_harvesters: int = 5
    """Harvesters of the game, H, each with a tax (the paper's game has 5)."""

    low: float = 0.0
    """Least tax of each."""

    high: float = 1.0
    """Largest tax of each."""

    linear: ClassVar[bool] = True
    n_shown: ClassVar[int] = 5

    def __post_init__(self) -> None:
        count = as_int(self.n_harvesters)
        if count is None or not 1 <= count <= MOST_HARVESTERS:
            raise ContractsError(
                f"n_harvesters must be an integer from 1 to {MOST_HARVESTERS:,}, got {shown(self.n_harvesters)}"
            )
        object.__setattr__(self, "n_harvesters", count)
        low, high = checked_range("low and high", (self.low, self.high), 0.0, 1.0)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @property
    def terms(self) -> tuple[str, ...]:
        """`tax_0` to `tax_{H-1}`, of the harvesters in agent order."""
        return tuple(f"tax_{j}" for j in range(self.n_harvesters))

    @property
    def bounds(self) -> Bounds:
        """Least and largest tax, the same for all harvesters."""
        return ((self.low, self.high),) * self.n_harvesters

    def check_roles(self, roles: Roles) -> None:
        """Refuse a game with another number of harvesters."""
        there = roles.of_game.count("harvester")
        if there != self.n_harvesters:
            raise ContractsError(
                f"these contracts tax {self.n_harvesters} harvesters one by one, but the game has {there}: "
                f"use HarvesterTaxContracts(n_harvesters={there})"
            )

    def draw(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Draw n contracts (n, H) from nearly equal taxes to taxes that have nothing to do with each other.

        Independent taxes have nearly the same mean in every contract: of five on [0, 1], one contract in 1,260 has a
        mean below an eighth, so that agents would never learn to live with low taxes. So a contract mixes one tax for
        all with taxes of each harvester's own, whose weight is the square of an even draw, a third on average; of five,
        one contract in 22 then has such a mean. Level, weight and own taxes are a Latin hypercube sample.
        """
        drawn = latin_hypercube(((self.low, self.high), (0.0, 1.0), *self.bounds), n, rng)
        level, weight, own = drawn[:, :1], drawn[:, 1:2] ** 2, drawn[:, 2:]
        return np.clip(level + weight * (own - level), self.low, self.high)

    def payment(self, terms: FloatArray) -> PaymentRule:
        """Return the rule by which each game takes its own taxes, terms (B, H)."""

        def taxes_per_game(rewards: FloatArray, _: Activity, roles: Roles) -> FloatArray:
            return tax_each(rewards, roles, terms)

        return CustomPayment(function=taxes_per_game)

    def rule(self, **numbers: float) -> PaymentRule:
        """Return the payment rule of one contract: `rule(tax_0=0.1, tax_1=0.3, ...)`."""
        return TaxPerHarvester(taxes=numbers_of(self, numbers))

    def shown(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return own share kept, own share of the pot, mean tax, its square root and the taxes' spread, (B, N, 5).

        The share of the pot is that of the mean tax, and the spread is the standard deviation among harvesters: where
        it is large, the pot depends on who eats. With equal taxes the first four are what `TaxContracts` shows.
        """
        check_taxes(terms, roles)
        mean = terms.mean(axis=1, keepdims=True)
        seen = tax_shown(mean, roles)
        seen[:, roles.mask_of_game("harvester"), 0] = 1.0 - terms
        spread = np.broadcast_to(terms.std(axis=1)[:, None, None], (*seen.shape[:2], 1))
        return np.concatenate([seen, spread], axis=2)

    def scale(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return `tax_scale` of each harvester's own tax, and of the mean one for cleaners, (B, N)."""
        check_taxes(terms, roles)
        cleaner, _ = tax_scale(terms.mean(axis=1, keepdims=True), int(roles.cleaner.sum()))
        scales = np.where(roles.cleaner, cleaner, 1.0)
        scales[:, roles.mask_of_game("harvester")] = tax_scale(terms, 1)[1]
        return scales


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceRateContracts:
    """A tax, and the part of it that is shared by cells cleaned (a piece rate): `tax_by_piece_rate`.

    Not linear in its two terms, but in the part of the income that is shared equally, tax * (1 - piece_rate), and the
    part shared by cells, tax * piece_rate: these are its `weights`.
    """

    tax: tuple[float, float] = (0.0, 1.0)
    """Least and largest tax."""

    piece_rate: tuple[float, float] = (0.0, 1.0)
    """Least and largest part of the tax that is shared by cells cleaned."""

    terms: ClassVar[tuple[str, ...]] = ("tax", "piece_rate")
    parts: ClassVar[tuple[tuple[float, ...], ...]] = ((1.0, 0.0), (1.0, 1.0))
    n_shown: ClassVar[int] = 5

    def __post_init__(self) -> None:
        _check_shares(self)

    @property
    def bounds(self) -> Bounds:
        """Least and largest tax, and piece rate."""
        return (self.tax, self.piece_rate)

    def weights(self, terms: FloatArray) -> FloatArray:
        """Return the parts of income that are shared equally and by cells, (R, 2)."""
        return np.stack(split_tax(terms[:, 0], terms[:, 1]), axis=1)

    def payment(self, terms: FloatArray) -> PaymentRule:
        """Return the rule by which each game shares its own tax."""
        tax, part = terms.T

        def piece_rate_per_game(rewards: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
            return tax_by_piece_rate(rewards, activity.cleaned, roles, tax, part)

        return CustomPayment(function=piece_rate_per_game, needs=("cleaned",))

    def rule(self, **numbers: float) -> PaymentRule:
        """Return the payment rule of one contract: `rule(tax=0.1, piece_rate=0.5)`."""
        tax, part = numbers_of(self, numbers)
        return TaxAndPieceRate(tax=tax, piece_rate=part)

    def shown(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return what `TaxContracts` shows, and the part of income that is shared by cells, (B, N, 5)."""
        seen = tax_shown(terms[:, :1], roles)
        by_cells = np.broadcast_to((terms[:, 0] * terms[:, 1])[:, None, None], (*seen.shape[:2], 1))
        return np.concatenate([seen, by_cells], axis=2)

    def scale(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return `tax_scale` of each agent's role, (B, N)."""
        cleaner, harvester = tax_scale(terms[:, :1], int(roles.cleaner.sum()))
        return np.where(roles.cleaner, cleaner, np.where(roles.harvester, harvester, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeTaxContracts:
    """A tax on what free agents eat, shared among them, a part of it by cells cleaned: `free_tax`.

    For games without a crew, whose agents both eat and clean: presets `original` and `meltingpot-like`. Transfers
    between agents who all may work, as in formal contracts (Haupt et al. 2024), who pay per cell instead.
    """

    tax: tuple[float, float] = (0.0, 1.0)
    """Least and largest tax."""

    piece_rate: tuple[float, float] = (0.0, 1.0)
    """Least and largest part of the tax that is shared by cells cleaned."""

    terms: ClassVar[tuple[str, ...]] = ("tax", "piece_rate")
    parts: ClassVar[tuple[tuple[float, ...], ...]] = ((1.0, 0.0), (1.0, 1.0))
    pays: ClassVar[tuple[str, ...]] = ("free",)
    paid: ClassVar[tuple[str, ...]] = ("free",)
    n_shown: ClassVar[int] = 4

    def __post_init__(self) -> None:
        _check_shares(self)

    @property
    def bounds(self) -> Bounds:
        """Least and largest tax, and piece rate."""
        return (self.tax, self.piece_rate)

    def weights(self, terms: FloatArray) -> FloatArray:
        """Return the parts of what is eaten that are shared equally and by cells, (R, 2)."""
        return np.stack(split_tax(terms[:, 0], terms[:, 1]), axis=1)

    def payment(self, terms: FloatArray) -> PaymentRule:
        """Return the rule by which each game shares its own tax."""
        tax, part = terms.T

        def free_tax_per_game(_: FloatArray, activity: Activity, roles: Roles) -> FloatArray:
            return free_tax(activity.apples, activity.cleaned, roles, tax, part)

        return CustomPayment(function=free_tax_per_game, needs=FreeTax.needs, pays=self.pays, paid=self.paid)

    def rule(self, **numbers: float) -> PaymentRule:
        """Return the payment rule of one contract: `rule(tax=0.1, piece_rate=0.5)`."""
        tax, part = numbers_of(self, numbers)
        return FreeTax(tax=tax, piece_rate=part)

    def shown(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return own share kept, tax, its square root, and the part of the harvest shared by cells, (B, N, 4)."""
        tax, part = terms.T
        seen = np.stack([1.0 - tax, tax, np.sqrt(tax), tax * part], axis=1)
        return np.repeat(seen[:, None], len(roles.names), axis=1)

    def scale(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return ones, (B, N): what is taxed returns to the same agents, so their mean income does not change."""
        return np.ones((len(terms), len(roles.names)))


def _check_shares(family: PieceRateContracts | FreeTaxContracts) -> None:
    for name in ("tax", "piece_rate"):
        object.__setattr__(family, name, checked_range(name, getattr(family, name), 0.0, 1.0))
