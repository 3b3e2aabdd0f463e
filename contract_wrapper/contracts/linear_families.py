"""The paper's linear contracts by type: a weight on the team's reward for each role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from contract_wrapper.contracts.costs import MOST_APPLES
from contract_wrapper.contracts.families import SMALLEST_TAX, Bounds, checked_range, numbers_of
from contract_wrapper.contracts.further_rules import SharesByRole
from contract_wrapper.contracts.payment_rules import CustomPayment, PaymentRule
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.transfers import FloatArray, shares_by_role


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearContracts:
    """A weight per type on the team's reward, r_i = alpha_type * G (eq. 1): `shares_by_role`.

    G is the sum of all rewards of the step. Negative weights are penalties. Such a contract mints money, or destroys
    it, unless the weights of all agents sum to 1 (`minted`); welfare counts what the game gave, and not what was
    minted.

    >>> family = LinearContracts(harvester_weight=(0.0, 0.5), cleaner_weight=(-0.5, 0.5))
    >>> family.minted(np.array([[0.25, 0.25], [0.5, 0.5]]), Roles(names=("harvester", "cleaner", "cleaner"))).tolist()
    [-0.25, 0.5]
    """

    harvester_weight: tuple[float, float]
    """Least and largest weight of each harvester."""

    cleaner_weight: tuple[float, float]
    """Least and largest weight of each cleaner."""

    terms: ClassVar[tuple[str, ...]] = ("harvester_weight", "cleaner_weight")
    parts: ClassVar[tuple[tuple[float, ...], ...]] = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    paid: ClassVar[tuple[str, ...]] = ("harvester", "cleaner")
    n_shown: ClassVar[int] = 3

    def __post_init__(self) -> None:
        for name in self.terms:
            object.__setattr__(self, name, checked_range(name, getattr(self, name), -MOST_APPLES, MOST_APPLES))

    @property
    def bounds(self) -> Bounds:
        """Least and largest weight of harvesters, and of cleaners."""
        return (self.harvester_weight, self.cleaner_weight)

    def weights(self, terms: FloatArray) -> FloatArray:
        """Return the weights (R, 3) of: everybody loses its own; harvesters, or cleaners, get the team's reward."""
        harvester, cleaner = terms.T
        return np.stack([1.0 - harvester - cleaner, harvester, cleaner], axis=1)

    def payment(self, terms: FloatArray) -> PaymentRule:
        """Return the rule by which each game pays its own weights."""
        harvester, cleaner = terms.T

        def weights_per_game(rewards: FloatArray, _: Activity, roles: Roles) -> FloatArray:
            return shares_by_role(rewards, roles, {"harvester": harvester, "cleaner": cleaner})

        return CustomPayment(function=weights_per_game, mints=True, paid=self.paid)

    def rule(self, **numbers: float) -> PaymentRule:
        """Return the payment rule of one contract: `rule(harvester_weight=0.1, cleaner_weight=0.1)`."""
        harvester, cleaner = numbers_of(self, numbers)
        return SharesByRole(harvester_weight=harvester, cleaner_weight=cleaner)

    def minted(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return what each contract mints per apple of the team's reward, (B,); below 0 it destroys money."""
        counts = np.array([roles.harvester.sum(), roles.cleaner.sum()], np.float64)
        return np.asarray(terms @ counts - 1.0)

    def shown(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return own weight, that of harvesters and that of cleaners, in units of the largest of any, (B, N, 3)."""
        unit = max(abs(value) for pair in self.bounds for value in pair) or 1.0
        harvester, cleaner = (terms[:, k : k + 1] / unit for k in (0, 1))
        own = np.where(roles.harvester, harvester, np.where(roles.cleaner, cleaner, 0.0))
        return np.stack([own, np.broadcast_to(harvester, own.shape), np.broadcast_to(cleaner, own.shape)], axis=2)

    def scale(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return 0.2 / |own weight|, (B, N), as `tax_scale` has it: a fifth of the team's reward is one unit for all.

        It stops growing where all agents of a role together have the smallest tax.
        """
        scales = np.ones((len(terms), len(roles.names)))
        for k, mask in enumerate((roles.harvester, roles.cleaner)):
            least = SMALLEST_TAX / max(1, int(mask.sum()))
            scales = np.where(mask, 0.2 / np.maximum(np.abs(terms[:, k : k + 1]), least), scales)
        return scales
