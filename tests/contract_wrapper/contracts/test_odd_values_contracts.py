"""Odd values in contracts, costs, roles, rules and settlements: accepted and usable, or a ContractsError, at once."""

import dataclasses
import warnings
from random import Random
from typing import Any

import numpy as np
import pytest
from fuzz_values import built, odd, odd_fields

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import COSTS, CostRule, RoleCost, get_costs
from contract_wrapper.contracts.function_families import FunctionContracts
from contract_wrapper.contracts.further_rules import FreeTax, SharesByRole, TaxAndPieceRate, TaxPerHarvester
from contract_wrapper.contracts.linear_families import LinearContracts
from contract_wrapper.contracts.named_families import family_from_dict, get_family, register_family
from contract_wrapper.contracts.outside_options import OutsideOptions, get_outside_options
from contract_wrapper.contracts.payment_rules import CustomPayment, LinearShares, PayPerCell, TaxAndShare, TaxByCells
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.settlement import Settlement
from contract_wrapper.contracts.tax_families import HarvesterTaxContracts, PieceRateContracts
from contract_wrapper.errors import ContractsError

ROLES = Roles(names=("harvester", "cleaner"))
NOTHING = Activity(*np.zeros((3, 2)))
ROUNDS = 2_000
TAXES = (TaxAndShare, TaxByCells, TaxPerHarvester, TaxAndPieceRate)


def test_odd_contracts() -> None:
    rng = Random(0)
    for _ in range(ROUNDS):
        fields = {"tax": 0.5, "n_cleaners": 1, **odd_fields(rng, {"tax": "float", "n_cleaners": "int"})}
        contract = built(lambda f=fields: Contract(**f), ContractsError)
        if contract is not None:
            assert 0 <= contract.tax <= 1
            assert Contract.from_dict(contract.as_dict()) == contract
            assert len(str(contract)) < 50
        built(lambda: Contract.from_dict(odd(rng)), ContractsError)
        built(lambda: Contract.from_dict({"tax": odd(rng), odd_name(rng): odd(rng)}), ContractsError)


def test_odd_costs() -> None:
    rng = Random(1)
    types = dict.fromkeys((f.name for f in dataclasses.fields(RoleCost)), "float")
    for _ in range(ROUNDS):
        prices = built(lambda: RoleCost(**odd_fields(rng, types)), ContractsError)
        if prices is not None:
            rule = CostRule.of(cleaner=prices)
            assert get_costs(str(rule)) == rule or not any(dataclasses.astuple(prices))
            built(lambda r=rule: rule_of(costs=r, horizon=odd(rng, "int")).settle(np.zeros(2), NOTHING), ContractsError)
        built(lambda: CostRule(by_role=odd(rng)), ContractsError)
        built(lambda: CostRule(by_role=((odd(rng), odd(rng)),)), ContractsError)
        built(lambda: get_costs(odd(rng)), ContractsError)
        text = "".join(
            rng.choices(["cleaner", "harvester", "per_shot", ":", "=", ";", ",", "1", "nan", " ", "-", "e9"], k=8)
        )
        built(lambda t=text: get_costs(t), ContractsError)


def test_odd_roles_rules_and_settlements() -> None:
    rng = Random(2)
    for _ in range(ROUNDS):
        built(lambda: Roles(names=odd(rng), agents=odd(rng)), ContractsError)
        built(lambda: Roles(names=(odd(rng), "cleaner")), ContractsError)
        rules = (
            lambda: TaxAndShare(tax=odd(rng, "float")),
            lambda: TaxByCells(tax=odd(rng, "float")),
            lambda: PayPerCell(price=odd(rng, "float"), minted=rng.choice([False, True, odd(rng)])),
            lambda: LinearShares(weights=rng.choice([odd(rng), (odd(rng, "float"), 0.5)])),
            lambda: CustomPayment(
                function=rng.choice([odd(rng), len]), mints=odd(rng, "bool"), needs=rng.choice([odd(rng), ()])
            ),
            lambda: OddRule(odd(rng), odd(rng), odd(rng)),
            lambda: TaxPerHarvester(taxes=rng.choice([odd(rng), (odd(rng, "float"),)])),
            lambda: TaxAndPieceRate(tax=odd(rng, "float"), piece_rate=odd(rng, "float")),
            lambda: SharesByRole(harvester_weight=odd(rng, "float"), cleaner_weight=odd(rng, "float")),
            lambda: FreeTax(tax=odd(rng, "float"), piece_rate=odd(rng, "float")),
        )
        rule = built(rng.choice(rules), ContractsError)
        tax = getattr(rule, "tax", 0.0) if isinstance(rule, TAXES) else 0.0
        built(lambda r=rule, t=tax: rule_of(payment=r, tax=t), ContractsError)
        built(lambda: rule_of(payment=odd(rng), costs=odd(rng)), ContractsError)
        built(lambda: Settlement.of(odd(rng), odd(rng)), ContractsError)


def test_odd_families_and_options() -> None:
    rng = Random(4)

    def pair() -> Any:
        return rng.choice([odd(rng), (odd(rng, "float"), 1.0), (0.0, odd(rng, "float"))])

    for _ in range(ROUNDS):
        families = (
            lambda: HarvesterTaxContracts(n_harvesters=rng.choice([1, odd(rng, "int")]), high=odd(rng, "float")),
            lambda: PieceRateContracts(tax=pair()),
            lambda: LinearContracts(harvester_weight=pair(), cleaner_weight=(0.0, 1.0)),
            lambda: FunctionContracts(function=rng.choice([odd(rng), nothing]), terms=rng.choice([odd(rng), {"x": pair()}])),
            lambda: get_family(odd(rng)),
            lambda: family_from_dict(odd(rng)),
            lambda: family_from_dict({"family": rng.choice(["tax", "linear", odd(rng)]), "bounds": {"tax": pair()}}),
        )  # fmt: skip
        family = built(rng.choice(families), ContractsError)
        if family is not None and len(family.terms) == 1:
            low = [[least for least, _ in family.bounds]]
            built(
                lambda f=family, t=low: rule_of(payment=f.payment(np.array(t))).settle(np.zeros(2), NOTHING),
                ContractsError,
            )
        built(lambda: register_family(odd(rng), odd(rng)), ContractsError)
        options = built(
            lambda: OutsideOptions(by_name=rng.choice([odd(rng), (("cleaner", odd(rng)),)])), ContractsError
        )
        assert options is None or get_outside_options(str(options)) == options
        built(lambda: get_outside_options(odd(rng)), ContractsError)


def nothing(rewards: Any, activity: Any, roles: Any, x: Any) -> Any:
    return 0.0 * x * rewards


def test_odd_transfers_of_a_function() -> None:
    rng = Random(3)
    for _ in range(ROUNDS):
        given = odd(rng) if rng.random() < 0.5 else [odd(rng, "float"), odd(rng, "float")]
        payment = CustomPayment(function=lambda *_, g=given: g, mints=rng.random() < 0.5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            settled = built(lambda p=payment: rule_of(payment=p).settle(np.array([1.0, 0.0]), NOTHING), ContractsError)
        assert settled is None or np.isfinite(settled.utilities).all()


class OddRule:
    def __init__(self, transfers: Any, mints: Any, needs: Any) -> None:
        self.transfers, self.mints, self.needs = transfers, mints, needs


def odd_name(rng: Random) -> str:
    return rng.choice(["n_cleaners", "n", ""])


def rule_of(*, tax: float = 0.0, **parts: Any) -> Settlement:
    return Settlement.of(Contract(tax=tax, n_cleaners=1), ROLES, **parts)


# ---- limits, one by one


@pytest.mark.parametrize("price", [-0.5, np.nan, np.inf, 1e10, "1", True])
@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(RoleCost)])
def test_a_price_outside_its_range_is_refused(name: str, price: Any) -> None:
    with pytest.raises(ContractsError, match=f"{name} must be a finite number of apples of at least 0 and at most"):
        RoleCost(**{name: price})


def test_a_cost_per_episode_over_more_steps_than_a_float_holds_is_refused() -> None:
    with pytest.raises(ContractsError, match="pass horizon"):
        RoleCost(per_episode=1.0).flat_per_step(10**400)


def test_a_crew_larger_than_any_game_is_refused() -> None:
    assert Contract(tax=0.1, n_cleaners=1_000_000).n_cleaners == 1_000_000
    for count in (1_000_001, 10**400, 10**5000):
        with pytest.raises(ContractsError, match="n_cleaners must be at most 1,000,000, got"):
            Contract(tax=0.1, n_cleaners=count)


def test_weights_for_another_number_of_agents_are_refused_at_birth() -> None:
    with pytest.raises(ContractsError, match="there are 2 agents, got 3 weights"):
        rule_of(payment=LinearShares(weights=(0.5, 0.25, 0.25)))


def test_a_named_cost_keeps_its_rule() -> None:
    assert {name: get_costs(name) for name in COSTS} == dict(COSTS)
