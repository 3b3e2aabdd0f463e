"""The settlement of a step: raw rewards and what the agents did -> transfers, costs, utilities.

The PettingZoo wrapper and the batch of games both settle here, so that a contract means the same in either:
the same checks, the same messages, the same numbers to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import CostRule, Prices, get_costs, prices_of
from contract_wrapper.contracts.payment_rules import CustomPayment, LinearShares, PaymentRule, TaxAndShare
from contract_wrapper.contracts.roles import ABSENT, Activity, Roles
from contract_wrapper.contracts.transfers import FloatArray, conserves_money, per_agent, utilities
from contract_wrapper.errors import ContractsError

KNOWN_ROLES = ("harvester", "cleaner", "free")
"""Roles of Clean-up, which costs may name in any game; more only if an agent has them."""

Payment = PaymentRule | Callable[[FloatArray, Activity, Roles], Any]
"""A payment rule, or a function (rewards, activity, roles) -> transfers that conserves money."""


class Settled(NamedTuple):
    """One step, settled; each array is (..., N) in apples."""

    transfers: FloatArray
    """What each agent got from others (> 0) or paid to them (< 0), net."""

    costs: FloatArray
    """What each agent's work cost it."""

    utilities: FloatArray
    """What each agent takes home: reward + transfer - cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSettlement:
    """How the steps of a game are settled under a payment rule and costs; checked at birth, and in every step.

    Raises:
        ContractsError: the payment rule is incomplete; the costs name a role that no agent has; there is a cost
            per episode and no horizon.
    """

    roles: Roles
    """Roles of all N agents of the game."""

    payment: PaymentRule
    """Who pays whom."""

    costs: CostRule
    """What work costs."""

    horizon: int | None = None
    """Steps per episode, only needed for costs per episode."""

    payment_name: str = field(init=False, repr=False, compare=False)
    """What messages call the payment rule."""

    prices: Prices = field(init=False, repr=False, compare=False)
    """What a step costs the N agents, by `costs`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "payment_name", _payment_name(self.payment))
        self._check_payment()
        self._check_costs()
        object.__setattr__(self, "prices", prices_of(self.costs, self.roles.names, self.horizon))

    def settle(self, rewards: FloatArray, activity: Activity, roles: Roles | None = None) -> Settled:
        """Settle one step of a game, or of a batch of games.

        Args:
            rewards: raw rewards of the step, (..., N) in apples.
            activity: what the agents did in the step, (..., N) each.
            roles: roles in this step if agents are absent (`Roles.present`); default: all agents are present.

        Raises:
            ContractsError: a reward is not finite, or the payment rule gives transfers that cannot be
                paid out (see `check_transfers`).
        """
        roles = self.roles if roles is None else roles
        raw = per_agent("rewards", rewards, roles)
        if not np.isfinite(raw).all():
            where = tuple(np.argwhere(~np.isfinite(raw))[0])
            raise ContractsError(
                f"the game gave {roles.label(int(where[-1]))} a reward of {raw[where]}: it must be finite"
            )
        given = self.payment.transfers(raw, activity, roles)
        transfers = check_transfers(given, raw, roles, self.payment_name, mints=self._may_mint(roles))
        prices = self.prices if roles is self.roles else prices_of(self.costs, roles.names, self.horizon)
        costs = prices.charge(activity)
        return Settled(transfers, costs, utilities(raw, transfers, costs))

    def counts_of(self, role: str) -> tuple[str, ...]:
        """Return which counts of `Activity` a game must report of agents of a role, to charge and to pay them."""
        prices = self.costs.role(role)
        charged = ["shots"] * (prices.per_shot > 0) + ["cleaned"] * (prices.per_cell > 0)
        return (*(self.payment.needs if role == "cleaner" else ()), *charged)

    def _may_mint(self, roles: Roles) -> bool:
        """Whether transfers may sum to something else than 0; `linear_shares` drops the shares of the absent."""
        return self.payment.mints or (isinstance(self.payment, LinearShares) and ABSENT in roles.names)

    def _check_payment(self) -> None:
        missing = [name for name in ("transfers", "mints", "needs") if not hasattr(self.payment, name)]
        if missing:
            raise ContractsError(
                f"{self.payment_name} lacks {' and '.join(missing)}: a payment rule has transfers, mints and needs; "
                "a function alone can be wrapped, CustomPayment(function=...)"
            )
        unknown = [repr(count) for count in self.payment.needs if count not in Activity._fields]
        if unknown:
            raise ContractsError(
                f"{self.payment_name} needs {', '.join(unknown)}: a rule can ask for {', '.join(Activity._fields)}"
            )

    def _check_costs(self) -> None:
        known = {*KNOWN_ROLES, *self.roles.names}
        for role, _ in self.costs.by_role:
            if role not in known:
                raise ContractsError(
                    f"the costs name the role {role!r}, which no agent has: the roles are {', '.join(sorted(known))}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement(StepSettlement):
    """How the steps of a game are settled under one contract.

    >>> roles = Roles(names=("harvester", "harvester", "cleaner"))
    >>> one_shot = Activity(shots=np.array([0, 0, 1]), cleaned=np.array([0, 0, 2]), apples=np.array([3, 1, 0]))
    >>> settlement = Settlement.of(Contract(tax=0.5, n_cleaners=1), roles)
    >>> settlement.settle(np.array([3.0, 1.0, 0.0]), one_shot).utilities.tolist()
    [1.5, 0.5, 1.98]

    Raises:
        ContractsError: as `StepSettlement`; the payment rule takes another tax than the contract; the game has
            another number of cleaners than the contract recruits.
    """

    contract: Contract
    """What the principal chose."""

    def __post_init__(self) -> None:
        StepSettlement.__post_init__(self)
        self._check_tax()
        self._check_crew()

    @classmethod
    def of(
        cls,
        contract: Contract,
        roles: Roles,
        *,
        payment: Payment | None = None,
        costs: CostRule | str | None = None,
        horizon: int | None = None,
    ) -> Settlement:
        """Build the settlement of a contract, with the defaults filled in.

        Args:
            contract: what the principal chose.
            roles: roles of all N agents of the game.
            payment: default: `TaxAndShare` with the contract's tax.
            costs: a cost rule, or text for `get_costs`; default: `effort`, 0.02 apples per shot of a cleaner.
            horizon: steps per episode, only needed for costs per episode.

        Raises:
            ContractsError: as the class, or the payment is neither a rule nor a function.
        """
        return cls(
            contract=contract,
            roles=roles,
            payment=TaxAndShare(tax=contract.tax) if payment is None else _as_rule(payment),
            costs=as_costs(costs),
            horizon=horizon,
        )

    def _check_tax(self) -> None:
        tax = getattr(self.payment, "tax", self.contract.tax)
        if tax != self.contract.tax:
            raise ContractsError(
                f"the contract's tax is {self.contract.tax}, but {self.payment_name} takes {tax}: "
                "give both the same tax"
            )

    def _check_crew(self) -> None:
        crew = [self.roles.label(int(i)) for i in np.flatnonzero(self.roles.cleaner)]
        wanted = self.contract.n_cleaners
        if len(crew) != wanted:
            has = f"{len(crew)} ({', '.join(crew)})" if crew else "none"
            raise ContractsError(
                f"the contract recruits {wanted} cleaner{'s' * (wanted != 1)}, but the game has {has}: "
                f"build it with n_cleaners={wanted}, or use make_contracted(contract, env_factory)"
            )


def as_costs(costs: CostRule | str | None) -> CostRule:
    """Return a cost rule as it is, or by its text (`get_costs`); None is `effort`, the default everywhere."""
    return costs if isinstance(costs, CostRule) else get_costs("effort" if costs is None else costs)


def check_transfers(given: object, rewards: FloatArray, roles: Roles, payment: str, *, mints: bool) -> FloatArray:
    """Return what a payment rule gave as float64 (..., N), after checking that it can be paid out.

    Args:
        given: what the rule returned.
        rewards: the raw rewards, (..., N).
        roles: roles of the step.
        payment: what messages call the rule.
        mints: whether transfers may sum to something else than 0.

    Raises:
        ContractsError: it is no array of numbers, has another shape than the rewards, holds NaN or
            infinity, pays an absent agent, or makes or destroys money although `mints` is false.
    """
    try:
        transfers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        kind = type(given).__name__
        raise ContractsError(f"{payment} must return an array of transfers per agent, got a {kind}") from None
    if transfers.shape != rewards.shape:
        raise ContractsError(
            f"{payment} must return one transfer per agent, an array of shape {rewards.shape} like the rewards, "
            f"got shape {transfers.shape}"
        )
    # What conserves money is finite: one pass over the numbers is enough where nothing is wrong.
    conserved = None if mints else conserves_money(transfers, rewards)
    if conserved is None or not conserved.all():
        _check_each(np.isfinite(transfers), transfers, roles, payment, "a transfer must be a finite number")
    if ABSENT in roles.names:
        fair = ~roles.mask(ABSENT) | (transfers == 0)
        _check_each(fair, transfers, roles, payment, "it has left the episode and must get 0")
    if conserved is not None and not conserved.all():
        raise ContractsError(
            f"{payment} conserves money, so transfers must sum to 0 in every step, but they sum to "
            f"{transfers.sum(axis=-1)[~conserved].flat[0]} apples: if that is meant, say so with mints=True"
        )
    return transfers


def _check_each(good: Any, transfers: FloatArray, roles: Roles, payment: str, rule: str) -> None:
    """Refuse the first transfer that is not good, an array (..., N); the message names agent, value and rule."""
    if not good.all():
        where = tuple(np.argwhere(~good)[0])
        raise ContractsError(f"{payment} pays {roles.label(int(where[-1]))} {transfers[where]} apples: {rule}")


def _as_rule(payment: Any) -> PaymentRule:
    if hasattr(payment, "transfers"):
        rule: PaymentRule = payment
        return rule
    if not callable(payment):
        raise ContractsError(f"payment must be a payment rule or a function, got {payment!r}")
    return CustomPayment(function=payment)


def _payment_name(payment: PaymentRule) -> str:
    if isinstance(payment, CustomPayment):
        return f"the payment function {getattr(payment.function, '__name__', repr(payment.function))}"
    return f"the payment rule {type(payment).__name__}"
