"""Own taxes, piece rates, weights by type, free agents, and functions as families: settled, shown, scaled, drawn."""

import dataclasses
import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_wrapper.contracts.costs import as_costs
from contract_wrapper.contracts.families import CellPriceContracts, CellTaxContracts, TaxContracts, stratified_terms
from contract_wrapper.contracts.family_tools import check_family, drawn_terms, parts_of, weights_of
from contract_wrapper.contracts.function_families import FunctionContracts
from contract_wrapper.contracts.linear_families import LinearContracts
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.settlement import StepSettlement
from contract_wrapper.contracts.tax_families import FreeTaxContracts, HarvesterTaxContracts, PieceRateContracts
from contract_wrapper.errors import ContractsError

CREW = Roles(names=("harvester", "harvester", "cleaner", "cleaner"))
FREE = Roles(names=("free", "free", "free"))


def bonus(rewards, activity, roles, tax, per_shot):
    """Harvesters pay a tax to cleaners in equal parts, and per shot."""
    paid = tax * rewards * roles.harvester
    shots = per_shot * activity.shots * roles.cleaner
    from_each = shots.sum(axis=-1, keepdims=True) * roles.harvester / roles.harvester.sum()
    return paid.sum(axis=-1, keepdims=True) * roles.cleaner / roles.cleaner.sum() - paid + shots - from_each


def minted(rewards, activity, roles, wage):
    return wage * activity.cleaned * roles.cleaner + 0 * rewards


BONUS = FunctionContracts(function=bonus, terms={"tax": (0, 1), "per_shot": (0, 2)}, needs=("shots",), linear=True)
MINTED = FunctionContracts(function=minted, terms={"wage": (1, 3)}, needs=("cleaned",), mints=True)
FAMILIES = {
    "tax": (TaxContracts(), CREW),
    "tax by cells": (CellTaxContracts(), CREW),
    "price": (CellPriceContracts(), CREW),
    "own taxes": (HarvesterTaxContracts(n_harvesters=2), CREW),
    "piece rate": (PieceRateContracts(), CREW),
    "linear": (LinearContracts(harvester_weight=(-1, 1), cleaner_weight=(-0.5, 2)), CREW),
    "free tax": (FreeTaxContracts(), FREE),
    "function": (BONUS, CREW),
    "minting function": (MINTED, CREW),
}
each_family = pytest.mark.parametrize("name", FAMILIES)


def played(roles, seed=0, games=6):
    """Rewards (B, N) and what agents did in a step of so many games."""
    rng = np.random.default_rng(seed)
    shape = (games, len(roles.names))
    apples = rng.integers(0, 3, shape) * ~roles.cleaner
    counts = rng.integers(0, 4, shape) * ~roles.harvester
    return apples.astype(float), Activity(shots=counts, cleaned=counts * (rng.random((games, 1)) < 0.7), apples=apples)


def settled(payment, roles, rewards, activity):
    return StepSettlement(roles=roles, payment=payment, costs=as_costs(None)).settle(rewards, activity)


@each_family
def test_each_game_is_settled_as_by_the_rule_of_its_own_contract_to_the_last_bit(name):
    family, roles = FAMILIES[name]
    terms = stratified_terms(family, 6, np.random.default_rng(1))
    rewards, activity = played(roles)
    together = settled(family.payment(terms), roles, rewards, activity)
    for b, numbers in enumerate(terms):
        rule = family.rule(**dict(zip(family.terms, numbers.tolist(), strict=True)))
        alone = settled(rule, roles, rewards[b], Activity(*(count[b] for count in activity)))
        assert rule.needs == family.payment(terms).needs
        for batch, single in zip(together, alone, strict=True):
            assert batch[b].tolist() == single.tolist()
    assert (together.transfers != 0).any()


@each_family
def test_a_family_shows_scales_and_bounds_as_it_says(name):
    family, roles = FAMILIES[name]
    terms = stratified_terms(family, 8, np.random.default_rng(2))
    seen, scale = family.shown(terms, roles), family.scale(terms, roles)
    assert seen.shape == (8, len(roles.names), family.n_shown)
    assert scale.shape == (8, len(roles.names))
    assert (scale > 0).all()
    assert np.isfinite(seen).all()
    assert np.abs(seen).max() <= 1.5
    low, high = np.array(family.bounds).T
    assert ((low <= terms) & (terms <= high)).all()
    assert len(family.terms) == len(family.bounds) == terms.shape[1]


@each_family
def test_agents_are_shown_different_contracts_as_different(name):
    family, roles = FAMILIES[name]
    terms = stratified_terms(family, 8, np.random.default_rng(3))
    seen = family.shown(terms, roles).reshape(8, -1)
    assert len(np.unique(seen, axis=0)) == 8


@each_family
def test_transfers_are_the_weighted_sums_of_the_parts(name):
    family, roles = FAMILIES[name]
    parts = parts_of(family)
    if family is MINTED:
        assert parts.shape == (0, 1)
        return
    assert len(parts)
    terms = stratified_terms(family, 6, np.random.default_rng(4))
    rewards, activity = played(roles, seed=5)
    alone = [family.payment(np.tile(one, (6, 1))).transfers(rewards, activity, roles) for one in parts]
    whole = family.payment(terms).transfers(rewards, activity, roles)
    weighted = np.einsum("bq,qbn->bn", weights_of(family, terms), np.array(alone))
    np.testing.assert_allclose(weighted, whole, atol=1e-12)


# Own taxes.


def test_each_harvester_sees_its_own_kept_share_and_all_see_the_mean_tax():
    family = HarvesterTaxContracts(n_harvesters=2)
    first, second, cleaner, _ = family.shown(np.array([[0.1, 0.5]]), CREW)[0].tolist()
    assert first == pytest.approx([0.9, 0.0, 0.3, 0.3**0.5, 0.2])
    assert second == pytest.approx([0.5, 0.0, 0.3, 0.3**0.5, 0.2])
    assert cleaner == pytest.approx([1.0, 0.15, 0.3, 0.3**0.5, 0.2])


@given(st.floats(0, 1), st.integers(1, 8), st.integers(0, 3))
def test_with_equal_taxes_agents_see_and_value_what_they_do_under_the_single_tax(tax, harvesters, cleaners):
    roles = Roles(names=("harvester",) * harvesters + ("cleaner",) * cleaners)
    own, one = HarvesterTaxContracts(n_harvesters=harvesters), TaxContracts()
    terms = np.full((1, harvesters), tax)
    assert own.shown(terms, roles)[..., :4] == pytest.approx(one.shown(np.array([[tax]]), roles), abs=1e-12)
    assert own.shown(terms, roles)[..., 4] == pytest.approx(0, abs=1e-12)
    assert own.scale(terms, roles) == pytest.approx(one.scale(np.array([[tax]]), roles), rel=1e-9)


def test_a_harvesters_scale_is_that_of_its_own_tax():
    scale = HarvesterTaxContracts(n_harvesters=2).scale(np.array([[0.5, 0.0]]), CREW)
    assert scale.tolist() == [[2.0, 1.0, 1.6, 1.6]]


def test_drawn_taxes_reach_low_and_high_means_and_equal_ones():
    family = HarvesterTaxContracts(low=0.2, high=0.6)
    for draw in (stratified_terms, drawn_terms):
        drawn = draw(family, 400, np.random.default_rng(0))
        assert drawn.shape == (400, 5)
        assert (drawn >= 0.2).all()
        assert (drawn <= 0.6).all()
        mean, spread = drawn.mean(axis=1), drawn.std(axis=1)
        assert (mean < 0.25).mean() > 0.03  # of independent taxes fewer than 1 in 1,000 are so low
        assert (mean > 0.55).mean() > 0.03
        assert (spread < 0.01).mean() > 0.2
        assert (spread > 0.1).mean() > 0.02
    narrow = HarvesterTaxContracts(low=0.3, high=0.3)
    assert (stratified_terms(narrow, 50, np.random.default_rng(0)) == 0.3).all()


def test_families_without_a_draw_of_their_own_draw_as_before():
    rng, same = np.random.default_rng(7), np.random.default_rng(7)
    assert drawn_terms(TaxContracts(low=0.2), 5, rng).tolist() == same.uniform([0.2], [1.0], (5, 1)).tolist()


# Piece rates, free agents, weights.


def test_a_piece_rate_is_shown_as_the_part_of_income_that_is_shared_by_cells():
    family = PieceRateContracts(tax=(0, 0.5), piece_rate=(0.2, 1))
    harvester, cleaner = family.shown(np.array([[0.25, 0.5]]), CREW)[0, [0, 2]].tolist()
    assert harvester == [0.75, 0.0, 0.25, 0.5, 0.125]
    assert cleaner == [1.0, 0.125, 0.25, 0.5, 0.125]
    assert family.bounds == ((0.0, 0.5), (0.2, 1.0))


def test_free_agents_all_see_the_same_contract_and_keep_their_units():
    family = FreeTaxContracts()
    assert family.shown(np.array([[0.25, 0.5]]), FREE)[0].tolist() == [[0.75, 0.25, 0.5, 0.125]] * 3
    assert family.scale(np.array([[0.25, 0.5]]), FREE).tolist() == [[1.0] * 3]


def test_weights_are_shown_in_units_of_the_largest_and_scaled_to_a_fifth_of_the_team_reward():
    family = LinearContracts(harvester_weight=(0, 0.5), cleaner_weight=(-1, 1))
    assert (
        family.shown(np.array([[0.25, -0.5]]), CREW)[0].tolist() == [[0.25, 0.25, -0.5]] * 2 + [[-0.5, 0.25, -0.5]] * 2
    )
    assert family.scale(np.array([[0.25, -0.5], [0.0, 0.0]]), CREW).tolist() == [[0.8, 0.8, 0.4, 0.4], [40.0] * 4]
    assert (LinearContracts(harvester_weight=(0, 0), cleaner_weight=(0, 0)).shown(np.zeros((1, 2)), CREW) == 0).all()


def test_what_linear_contracts_mint_is_told_per_contract():
    family = LinearContracts(harvester_weight=(-1, 1), cleaner_weight=(-1, 1))
    terms = np.array([[0.25, 0.25], [0.5, 0.25], [-0.5, 0.0]])
    assert family.minted(terms, CREW).tolist() == [0.0, 0.5, -2.0]
    rewards, activity = played(CREW, games=3)
    paid = family.payment(terms).transfers(rewards, activity, CREW).sum(axis=1)
    np.testing.assert_allclose(paid, family.minted(terms, CREW) * rewards.sum(axis=1), atol=1e-12)


# Functions.


def test_a_function_gets_a_number_per_game_in_a_batch_and_a_float_in_one_game():
    seen = []

    def watch(rewards, activity, roles, wage):
        seen.append(wage)
        return 0 * rewards

    family = FunctionContracts(function=watch, terms={"wage": (1, 3)})
    rewards, activity = played(CREW, games=2)
    settled(family.payment(np.array([[1.0], [2.5]])), CREW, rewards, activity)
    settled(family.rule(wage=2), CREW, rewards[0], Activity(*(count[0] for count in activity)))
    assert seen[0].tolist() == [[1.0], [2.5]]
    assert seen[1] == 2.0
    assert type(seen[1]) is float


def test_a_functions_terms_are_shown_from_0_to_1():
    seen = FunctionContracts(function=bonus, terms={"tax": (0.5, 0.5), "per_shot": (-1, 3)}).shown(
        np.array([[0.5, -1.0], [0.5, 1.0], [0.5, 3.0]]), CREW
    )
    assert seen[:, 0].tolist() == seen[:, 3].tolist() == [[0.0, 0.0], [0.0, 0.5], [0.0, 1.0]]


def test_a_function_that_makes_money_without_saying_so_is_refused_by_its_name():
    family = FunctionContracts(function=minted, terms={"wage": (1, 3)})
    rewards, activity = played(CREW)
    with pytest.raises(ContractsError, match="the payment function minted conserves money, so transfers must sum to 0"):
        settled(family.payment(np.full((6, 1), 2.0)), CREW, rewards, activity)


def test_a_function_family_can_be_replaced_in_parts_and_compared():
    assert dataclasses.replace(BONUS, linear=False) != BONUS
    assert dataclasses.replace(BONUS, linear=False).bounds == BONUS.bounds
    assert BONUS.with_bounds({"per_shot": (0, 1), "tax": (0, 1)}).bounds == ((0.0, 1.0), (0.0, 1.0))
    assert FunctionContracts(function=functools.partial(minted), terms={"wage": (1, 3)}, mints=True).rule(wage=1).mints
    with pytest.raises(ContractsError, match="these contracts have the terms tax, per_shot, got"):
        BONUS.with_bounds({"tax": (0, 1)})


# Roles.


def test_every_agent_of_a_game_must_pay_or_be_paid():
    check_family(TaxContracts(), Roles(names=("harvester",)))  # an empty crew is no fault
    check_family(FreeTaxContracts(), FREE)
    check_family(HarvesterTaxContracts(n_harvesters=2), CREW.present([True, False, True, False]))
    for family, roles, message in (
        (TaxContracts(), FREE, "take from harvester and pay cleaner, but the game has agents of the role free"),
        (TaxContracts(), Roles(names=("harvester", "free")), "agents of the role free: choose contracts for the roles"),
        (TaxContracts(), Roles(names=("cleaner",)), "nobody in the game pays: choose contracts for the roles cleaner"),
        (FreeTaxContracts(), CREW, "agents of the role cleaner and harvester"),
        (
            HarvesterTaxContracts(),
            CREW,
            r"tax 5 harvesters one by one, but the game has 2: use HarvesterTaxContracts\(n",
        ),
        (dataclasses.replace(BONUS, paid=("porter",)), CREW, "pay porter, but the game has agents of the role cleaner"),
    ):
        with pytest.raises(ContractsError, match=message):
            check_family(family, roles)


# Refused.


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: HarvesterTaxContracts(n_harvesters=0), "n_harvesters must be an integer from 1 to 1,000, got 0"),
        (lambda: HarvesterTaxContracts(n_harvesters=2.5), "n_harvesters must be an integer from 1 to 1,000, got 2.5"),
        (
            lambda: HarvesterTaxContracts(high=1.5),
            r"low and high must be .* two numbers between 0 and 1, got \(0.0, 1.5\)",
        ),
        (lambda: HarvesterTaxContracts(low=0.5, high=0.4), "low and high must have its least value first"),
        (lambda: PieceRateContracts(tax=(0, 1.5)), "tax must be the least and the largest value, two numbers between"),
        (lambda: PieceRateContracts(piece_rate=0.5), "piece_rate must be the least and the largest value, .* got 0.5"),
        (
            lambda: FreeTaxContracts(piece_rate=(0.5, 0.4)),
            r"piece_rate must have its least value first, got \(0.5, 0.4\)",
        ),
        (lambda: FreeTaxContracts(tax=(float("nan"), 1)), "tax must be the least and the largest value"),
        (
            lambda: LinearContracts(harvester_weight=(0, float("inf")), cleaner_weight=(0, 1)),
            "harvester_weight must be the least and the largest value, two numbers between -1e",
        ),
        (lambda: FunctionContracts(function=bonus, terms={}), "terms must map the name of each number .* got {}"),
        (lambda: FunctionContracts(function=bonus, terms=["tax"]), r"terms must map the name .* got \['tax'\]"),
        (lambda: FunctionContracts(function=bonus, terms={"tax": 1}), "tax must be the least and the largest value"),
        (
            lambda: FunctionContracts(function=bonus, terms={"roles": (0, 1)}),
            "other than rewards, activity, roles, got",
        ),
        (lambda: FunctionContracts(function=bonus, terms={"a b": (0, 1)}), "is the name of an argument .* got 'a b'"),
        (
            lambda: FunctionContracts(function=bonus, terms={"tax": (0, 1)}),
            r"must take \(rewards, activity, roles, tax\), but cannot: missing a required argument: 'per_shot'",
        ),
        (
            lambda: FunctionContracts(function=minted, terms={"wages": (0, 1)}),
            r"must take \(rewards, activity, roles, wages\), but cannot: ",
        ),
        (lambda: FunctionContracts(function=0.5, terms={"tax": (0, 1)}), "function must be a function"),
        (lambda: FunctionContracts(function=minted, terms={"wage": (0, 1)}, linear=1), "linear must be True or False"),
        (lambda: FunctionContracts(function=minted, terms={"wage": (0, 1)}, pays=0), "pays must be a tuple of roles"),
        (lambda: MINTED.rule(wage=0.5), r"wage must lie in \[1, 3\] here, got 0.5"),
        (lambda: MINTED.rule(wages=2), "a contract is given by wage, got wages"),
        (lambda: TaxContracts().rule(), "a contract is given by tax, got nothing"),
        (lambda: TaxContracts().rule(tax="much"), "tax must be a number, got 'much'"),
        (lambda: HarvesterTaxContracts(n_harvesters=2).rule(tax_0=0.5), "given by tax_0, tax_1, got tax_0"),
    ],
)
def test_what_cannot_be_a_family_or_a_contract_of_it_is_refused(build, message):
    with pytest.raises(ContractsError, match=message):
        build()
