"""Families of contracts: terms, what agents see of them, and who pays whom in a batch of games."""

import math

import numpy as np
import pytest

from contract_wrapper.contracts.costs import as_costs
from contract_wrapper.contracts.families import (
    CellPriceContracts,
    CellTaxContracts,
    TaxContracts,
    check_terms,
    sharing_scale,
    stratified_terms,
    tax_scale,
)
from contract_wrapper.contracts.payment_rules import PayPerCell, TaxAndShare, TaxByCells
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.settlement import StepSettlement
from contract_wrapper.errors import ContractsError

CREW = Roles(names=("harvester", "harvester", "cleaner", "cleaner"))
FAMILIES = {
    "tax": (TaxContracts(), lambda number: TaxAndShare(tax=number)),
    "cell tax": (CellTaxContracts(), lambda number: TaxByCells(tax=number)),
    "cell price": (CellPriceContracts(), lambda number: PayPerCell(price=number)),
}


class TwoTerms:
    """A family of two terms, as far as drawing and checking read it."""

    terms = ("tax", "price")
    bounds = ((0.0, 1.0), (2.0, 4.0))


@pytest.mark.parametrize("name", FAMILIES)
def test_each_game_is_settled_as_under_its_own_contract_to_the_last_bit(name):
    family, rule = FAMILIES[name]
    rng = np.random.default_rng(0)
    terms = np.array([[0.0], [0.07], [0.3], [1.0]])
    rewards = rng.integers(0, 3, (4, 4)) * CREW.harvester
    counts = rng.integers(0, 4, (4, 4)) * CREW.cleaner
    activity = Activity(shots=counts, cleaned=counts, apples=rewards)
    together = StepSettlement(roles=CREW, payment=family.payment(terms), costs=as_costs(None)).settle(rewards, activity)
    for b, (number,) in enumerate(terms):
        own = Activity(*(array[b] for array in activity))
        alone = StepSettlement(roles=CREW, payment=rule(number), costs=as_costs(None)).settle(rewards[b], own)
        for batch, single in zip(together, alone, strict=True):
            assert batch[b].tolist() == single.tolist()
    assert (together.transfers != 0).any()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_reports_the_counts_that_its_rule_needs(name):
    family, rule = FAMILIES[name]
    assert family.payment(np.array([[0.5]])).needs == rule(0.5).needs


@pytest.mark.parametrize("family", [TaxContracts(), CellTaxContracts()])
def test_agents_see_their_own_shares_and_the_tax(family):
    harvester, cleaner = family.shown(np.array([[0.36]]), CREW)[0, [0, 3]]
    assert harvester == pytest.approx([0.64, 0.0, 0.36, 0.6])
    assert cleaner == pytest.approx([1.0, 0.18, 0.36, 0.6])


def test_agents_see_what_a_cleaned_cell_brings_them_in_units_of_the_largest_price():
    shown = CellPriceContracts(high=4.0).shown(np.array([[1.0], [4.0]]), CREW)
    assert shown[0].tolist() == [[-0.125, 0.25], [-0.125, 0.25], [0.25, 0.25], [0.25, 0.25]]
    assert shown[1, 3].tolist() == [1.0, 1.0]
    assert (CellPriceContracts(high=0.0).shown(np.zeros((1, 1)), CREW) == 0).all()


def test_what_is_shown_has_as_many_numbers_as_the_family_says():
    for family, _ in FAMILIES.values():
        assert family.shown(np.array([[0.5], [0.1]]), CREW).shape == (2, 4, family.n_shown)
        assert family.scale(np.array([[0.5], [0.1]]), CREW).shape == (2, 4)


def test_a_tax_is_scaled_by_role_and_by_game():
    assert TaxContracts().scale(np.array([[0.5], [0.1]]), CREW).tolist() == [
        [2.0, 2.0, 0.8, 0.8],
        pytest.approx([1 / 0.9, 1 / 0.9, 4.0, 4.0]),
    ]


def test_scales_stop_growing_at_a_hundredth():
    for tax, (cleaner, harvester) in {0.0: (40.0, 1.0), 1.0: (0.4, 100.0)}.items():
        assert tax_scale(tax, 2) == (pytest.approx(cleaner), pytest.approx(harvester))


def test_sharing_is_scaled_as_a_tax_that_brings_a_cleaner_the_same_part_of_the_harvest():
    # A cleaner of two among six agents gets 0.5 / 5 of the harvest, as under a tax of 0.2.
    cleaner, harvester = sharing_scale(0.5, 6)
    assert cleaner == pytest.approx(tax_scale(0.2, 2)[0])
    assert harvester == pytest.approx(2.0)
    assert sharing_scale(0.0, 6) == (pytest.approx(20.0), 1.0)
    assert sharing_scale(1.0, 1) == (pytest.approx(0.2), pytest.approx(100.0))


def test_a_draw_has_one_contract_in_each_part_of_every_term():
    drawn = stratified_terms(TwoTerms(), 10, np.random.default_rng(3))
    assert sorted((10 * drawn[:, 0]).astype(int)) == list(range(10))
    assert sorted((10 * (drawn[:, 1] - 2) / 2).astype(int)) == list(range(10))
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.9
    assert np.array_equal(drawn, stratified_terms(TwoTerms(), 10, np.random.default_rng(3)))
    narrow = TaxContracts(low=0.3, high=0.3)
    assert (stratified_terms(narrow, 50, np.random.default_rng(0)) == 0.3).all()


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ([[1.1, 3.0]], r"tax must lie in \[0, 1\] here, got 1.1"),
        ([[0.5, 3.0], [0.5, 1.9]], r"price must lie in \[2, 4\] here, got 1.9"),
        ([[math.nan, 3.0]], r"tax must lie in \[0, 1\] here, got nan"),
        ([0.5, 3.0], r"tax, price: terms must be numbers of shape \(contracts, 2\), got \(2,\)"),
        ([[0.5]], r"got \(1, 1\)"),
        (np.empty((0, 2)), r"got \(0, 2\)"),
        ("half", "got 'half'"),
        ([[0.5], [0.5, 3.0]], r"got \[\[0.5\], \[0.5, 3.0\]\]"),
    ],
)
def test_contracts_of_another_family_are_refused(terms, message):
    with pytest.raises(ContractsError, match=message):
        check_terms(TwoTerms(), terms)


def test_the_edges_belong_to_a_family():
    given = np.array([[-0.0, 4.0], [1.0, 2.0]])
    checked = check_terms(TwoTerms(), given)
    assert np.array_equal(checked, given)
    assert not np.signbit(checked[0, 0])
    assert checked is not given


@pytest.mark.parametrize("kind", [TaxContracts, CellTaxContracts, CellPriceContracts])
@pytest.mark.parametrize("wrong", [-0.1, math.nan, math.inf, "0.5", True])
def test_bounds_are_numbers_that_can_be_contracts(kind, wrong):
    with pytest.raises(ContractsError, match="must be a number between 0 and"):
        kind(high=wrong)
    with pytest.raises(ContractsError, match=r"low must be at most high, got 0.5 and 0.4"):
        kind(low=0.5, high=0.4)


def test_a_tax_is_at_most_1_and_a_price_need_not_be():
    with pytest.raises(ContractsError, match=r"high must be a number between 0 and 1, got 1\.5"):
        TaxContracts(high=1.5)
    assert CellPriceContracts(high=1.5).bounds == ((0.0, 1.5),)
