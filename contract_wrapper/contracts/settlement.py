"""The settlement of a step: raw rewards and what the agents did -> transfers, costs, utilities.

The PettingZoo wrapper and the batch of games both settle here, so that a contract means the same in either:
the same checks, the same messages, the same numbers to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import Contract, as_int, as_number
from contract_wrapper.contracts.costs import CostRule, Prices, as_costs, check_cost_roles, prices_of
from contract_wrapper.contracts.further_rules import FreeTax, SharesByRole, TaxAndPieceRate, TaxPerHarvester
from contract_wrapper.contracts.payment_rules import (
    CustomPayment,
    LinearShares,
    PaymentRule,
    PayPerCell,
    RewardSharing,
    TaxAndShare,
    TaxByCells,
    paid_by,
    payers_of,
)
from contract_wrapper.contracts.roles import ABSENT, KNOWN_ROLES, Activity, Roles
from contract_wrapper.contracts.transfer_checks import asked, check_transfers, payment_name
from contract_wrapper.contracts.transfers import FloatArray, check_taxes, per_agent, utilities
from contract_wrapper.errors import ContractsError, shown

_PURE_RULES = (
    TaxAndShare, TaxByCells, PayPerCell, LinearShares, TaxPerHarvester, TaxAndPieceRate, SharesByRole, FreeTax,
    RewardSharing,
)  # fmt: skip
"""Rules of this package, which change nothing that they are given."""

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
        self._check_kind("roles", Roles)
        self._check_kind("costs", CostRule)
        if self.horizon is not None:
            steps = as_int(self.horizon)
            if steps is None or not 1 <= steps < 2**63:
                raise ContractsError(f"horizon must be an integer of at least 1, or None, got {shown(self.horizon)}")
            object.__setattr__(self, "horizon", steps)
        object.__setattr__(self, "payment_name", payment_name(self.payment))
        self._check_payment()
        check_cost_roles(self.costs, {*KNOWN_ROLES, *self.roles.names} - {ABSENT}, self.roles.agents)
        object.__setattr__(self, "prices", prices_of(self.costs, self.roles, self.horizon))

    def settle(self, rewards: FloatArray, activity: Activity, roles: Roles | None = None) -> Settled:
        """Settle one step of a game, or of a batch of games.

        Args:
            rewards: raw rewards of the step, (..., N) in apples.
            activity: what the agents did in the step, (..., N) each.
            roles: roles in this step if agents are absent (`Roles.present`); default: all agents are present.

        Raises:
            ContractsError: a reward is not finite, a custom rule raises or gives transfers that cannot be
                paid out (see `check_transfers`), or amounts are so large that they do not add up to a number.
        """
        roles = self.roles if roles is None else roles
        raw = per_agent("rewards", rewards, roles)
        if not np.isfinite(raw).all():
            where = tuple(np.argwhere(~np.isfinite(raw))[0])
            raise ContractsError(
                f"the game gave {roles.label(int(where[-1]))} a reward of {raw[where]}: it must be finite"
            )
        if isinstance(self.payment, _PURE_RULES):
            given: object = self.payment.transfers(raw, activity, roles)
        else:  # a custom rule reads what the game wrote, and cannot change it
            given = asked(self.payment, self.payment_name, _read_only(raw), Activity(*map(_read_only, activity)), roles)
        mints = self._may_mint(roles)
        transfers = check_transfers(given, raw, roles, self.payment_name, mints=mints)
        prices = self.prices if roles is self.roles else prices_of(self.costs, roles, self.horizon)
        costs = prices.charge(activity)
        earned = utilities(raw, transfers, costs)
        if mints and not math.isfinite(earned.sum()):  # what conserves money was found finite, and prices are bounded
            raise ContractsError(
                f"rewards, transfers by {self.payment_name} and costs are so large that utilities do not add up to "
                "a finite number: pay in apples, not in their multiples"
            )
        return Settled(transfers, costs, earned)

    def counts_of(self, role: str, agent: object = None) -> tuple[str, ...]:
        """Return which counts of `Activity` a game must report of an agent of a role, to charge and to pay it.

        `agent` is its name, where it may have prices of its own.
        """
        prices = self.costs.role(role, None if agent in {*KNOWN_ROLES, *self.roles.names} else agent)
        charged = ["shots"] * (prices.per_shot > 0) + ["cleaned"] * (prices.per_cell > 0)
        return (*(self.payment.needs if role in paid_by(self.payment) else ()), *charged)

    def _may_mint(self, roles: Roles) -> bool:
        """Whether transfers may sum to something else than 0; `linear_shares` drops the shares of the absent."""
        return self.payment.mints or (isinstance(self.payment, LinearShares) and ABSENT in roles.names)

    def _check_kind(self, name: str, kind: type) -> None:
        if not isinstance(getattr(self, name), kind):
            raise ContractsError(f"{name} must be a {kind.__name__}, got {shown(getattr(self, name))}")

    def _check_payment(self) -> None:
        missing = [name for name in ("transfers", "mints", "needs") if not hasattr(self.payment, name)]
        if missing:
            raise ContractsError(
                f"{self.payment_name} lacks {' and '.join(missing)}: a payment rule has transfers, mints and needs; "
                "a function alone can be wrapped, CustomPayment(function=...)"
            )
        if not callable(self.payment.transfers) or not isinstance(self.payment.mints, (bool, np.bool_)):
            raise ContractsError(
                f"{self.payment_name} must have a method transfers(rewards, activity, roles) and say in mints, True or "
                "False, whether transfers may sum to something else than 0"
            )
        needs = self.payment.needs
        if not isinstance(needs, (tuple, list)) or not all(
            isinstance(count, str) and count in Activity._fields for count in needs
        ):
            listed = ", ".join(map(shown, needs)) if isinstance(needs, (tuple, list)) else shown(needs)
            raise ContractsError(
                f"{self.payment_name} needs {listed}: a rule can ask for {', '.join(Activity._fields)}"
            )
        if isinstance(self.payment, TaxPerHarvester):
            check_taxes(self.payment.taxes, self.roles)
        if isinstance(self.payment, LinearShares) and len(self.payment.weights) != len(self.roles.names):
            raise ContractsError(
                f"weights must have one entry per agent: there are {len(self.roles.names)} agents, "
                f"got {len(self.payment.weights)} weights"
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
        self._check_kind("contract", Contract)
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
        if not isinstance(contract, Contract):
            raise ContractsError(
                f"contract must be a Contract, for example Contract(tax=0.04, n_cleaners=5), got {shown(contract)}"
            )
        return cls(
            contract=contract,
            roles=roles,
            payment=TaxAndShare(tax=contract.tax) if payment is None else _as_rule(payment),
            costs=as_costs(costs),
            horizon=horizon,
        )

    def _check_tax(self) -> None:
        if "harvester" not in payers_of(self.payment):
            return  # the contract's tax is one on harvesters
        tax = getattr(self.payment, "tax", self.contract.tax)
        if as_number(tax) != self.contract.tax:
            raise ContractsError(
                f"the contract's tax is {self.contract.tax}, but {self.payment_name} takes {shown(tax)}: "
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


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    view = np.asarray(values).view()
    view.flags.writeable = False
    return view


def _as_rule(payment: Any) -> PaymentRule:
    if hasattr(payment, "transfers"):
        rule: PaymentRule = payment
        return rule
    if not callable(payment):
        raise ContractsError(f"payment must be a payment rule or a function, got {shown(payment)}")
    return CustomPayment(function=payment)
