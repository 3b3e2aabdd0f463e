"""Own taxes, a piece rate, shares by role, and a tax among free agents: by hand, and as laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.further_rules import FreeTax, SharesByRole, TaxAndPieceRate, TaxPerHarvester
from contract_wrapper.contracts.payment_rules import CustomPayment, LinearShares, TaxAndShare, TaxByCells
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.settlement import Settlement
from contract_wrapper.contracts.transfers import TINY, free_tax, tax_by_piece_rate, tax_each
from contract_wrapper.errors import ContractsError

CREW = Roles(names=("harvester", "harvester", "cleaner", "cleaner"), agents=("h_0", "h_1", "c_0", "c_1"))
FREE = Roles(names=("free", "free", "free"), agents=("f_0", "f_1", "f_2"))
REWARDS = np.array([4.0, 2.0, 0.0, 0.0])
EPS = np.finfo(float).eps


def did(cleaned, apples=None):
    cleaned = np.asarray(cleaned)
    return Activity(shots=cleaned, cleaned=cleaned, apples=np.zeros_like(cleaned) if apples is None else apples)


# By hand.


def test_each_harvester_pays_its_own_tax_and_cleaners_share_all_of_it():
    assert tax_each(REWARDS, CREW, [0.25, 0.5]).tolist() == [-1.0, -1.0, 1.0, 1.0]


def test_taxes_belong_to_the_harvesters_of_the_game_also_where_some_have_left():
    gone = CREW.present([False, True, True, False])
    assert tax_each([0.0, 2.0, 0.0, 0.0], gone, [0.25, 0.5]).tolist() == [0.0, -1.0, 1.0, 0.0]
    nobody_works = CREW.present([True, True, False, False])
    assert tax_each(REWARDS, nobody_works, [0.25, 0.5]).tolist() == [0.0] * 4


def test_half_a_piece_rate_shares_half_equally_and_half_by_cells():
    # Tax 3 of 6 apples; 1.5 in equal parts, 1.5 as 3 cells to 1.
    assert tax_by_piece_rate(REWARDS, [0, 0, 3, 1], CREW, 0.5, 0.5).tolist() == [-2.0, -1.0, 1.875, 1.125]


def test_without_work_harvesters_keep_the_part_that_pays_for_work():
    assert tax_by_piece_rate(REWARDS, [0, 0, 0, 0], CREW, 0.5, 0.5).tolist() == [-1.0, -0.5, 0.75, 0.75]


def test_shares_by_role_give_each_agent_its_roles_weight_of_the_team_reward():
    rule = SharesByRole(harvester_weight=0.5, cleaner_weight=-0.25)
    assert (REWARDS + rule.transfers(REWARDS, did([0] * 4), CREW)).tolist() == [3.0, 3.0, -1.5, -1.5]
    assert rule.minted(CREW) == -0.5
    assert rule.transfers(REWARDS, did([0] * 4), CREW).sum() == -0.5 * 6


def test_agents_of_other_roles_keep_what_they_have_under_shares_by_role():
    roles = Roles(names=("harvester", "free"))
    rule = SharesByRole(harvester_weight=0.5, cleaner_weight=0.0)
    assert rule.transfers(np.array([1.0, 3.0]), did([0, 0]), roles).tolist() == [1.0, 0.0]


def test_free_agents_share_what_all_eat_equally_or_by_cells():
    assert free_tax([3, 0, 0], [0, 2, 0], FREE, 0.5).tolist() == [-1.0, 0.5, 0.5]
    assert free_tax([3, 0, 0], [0, 2, 1], FREE, 0.5, 1.0).tolist() == [-1.5, 1.0, 0.5]
    assert free_tax([4, 0, 0], [0, 1, 0], Roles(names=("free",) * 3), 0.75, 0.5).tolist() == [-2.5, 2.0, 0.5]
    assert free_tax([3, 0, 0], [0, 0, 0], FREE, 0.5, 1.0).tolist() == [0.0, 0.0, 0.0]


def test_a_fine_is_not_taxed_and_who_has_left_takes_no_part():
    rule = FreeTax(tax=0.5)
    fined = np.array([-49.0, 0.0, 0.0])
    assert rule.transfers(fined, did([0, 0, 0], np.array([1, 0, 0])), FREE).tolist() == pytest.approx(
        [-1 / 3, 1 / 6, 1 / 6]
    )
    gone = FREE.present([True, True, False])
    assert rule.transfers(fined, did([0, 0, 0], np.array([2, 0, 0])), gone).tolist() == [-0.5, 0.5, 0.0]
    assert rule.transfers(fined, did([0, 0, 0], np.array([0, 0, 0])), FREE.present([False] * 3)).tolist() == [0.0] * 3


def test_what_others_eat_and_clean_is_no_business_of_free_agents():
    roles = Roles(names=("free", "free", "harvester", "cleaner"))
    assert free_tax([2, 0, 9, 0], [0, 1, 0, 9], roles, 0.5, 0.5).tolist() == [-0.75, 0.75, 0.0, 0.0]


def test_what_is_due_to_all_alike_is_no_difference_of_roundings():
    """49 agents who all eat and clean one: 49 * (1 / 49) would not be 1."""
    many = Roles(names=("free",) * 49)
    ones = np.ones(49)
    assert (free_tax(ones, ones, many, 0.3, 0.5) == 0).all()


def test_a_tax_on_free_agents_without_any_is_refused():
    with pytest.raises(ContractsError, match=r"a tax of 0.1 is one on what free agents eat, but no agent is 'free'"):
        free_tax([1, 0, 0, 0], [0] * 4, CREW, 0.1)
    assert free_tax([1, 0, 0, 0], [0] * 4, CREW, 0.0).tolist() == [0.0] * 4


# Laws.

money = st.floats(-1e6, 1e6)
share = st.floats(0, 1)


@st.composite
def games(draw, names=("harvester", "cleaner")):
    roles = Roles(names=(*names, *draw(st.lists(st.sampled_from(names), max_size=6))))
    shape = (draw(st.integers(1, 3)), len(roles.names))
    rewards = draw(arrays(float, shape, elements=money))
    counts = draw(arrays(np.int64, (3, *shape), elements=st.integers(0, 3)))
    return roles, rewards, Activity(*counts)


@given(games(), share)
def test_equal_taxes_are_the_single_tax_bit_for_bit(game, tax):
    roles, rewards, activity = game
    own = TaxPerHarvester(taxes=(tax,) * int(roles.harvester.sum()))
    assert own.tax == tax
    assert np.array_equal(
        own.transfers(rewards, activity, roles), TaxAndShare(tax=tax).transfers(rewards, activity, roles)
    )


@given(games(), share)
def test_piece_rate_0_is_equal_sharing_and_1_is_by_cells_bit_for_bit(game, tax):
    roles, rewards, activity = game
    for part, same in ((0.0, TaxAndShare(tax=tax)), (1.0, TaxByCells(tax=tax))):
        rule = TaxAndPieceRate(tax=tax, piece_rate=part)
        assert np.array_equal(rule.transfers(rewards, activity, roles), same.transfers(rewards, activity, roles))


@given(games(), st.floats(-2, 2), st.floats(-2, 2))
def test_shares_by_role_are_linear_shares_bit_for_bit_and_mint_what_they_say(game, harvester, cleaner):
    roles, rewards, activity = game
    rule = SharesByRole(harvester_weight=harvester, cleaner_weight=cleaner)
    each = LinearShares(weights=tuple(harvester if name == "harvester" else cleaner for name in roles.names))
    paid = rule.transfers(rewards, activity, roles)
    assert np.array_equal(paid, each.transfers(rewards, activity, roles))
    size = (np.abs(paid) + np.abs(rewards)).sum(axis=-1) + abs(rule.minted(roles)) * np.abs(rewards).sum(axis=-1)
    off = np.abs(paid.sum(axis=-1) - rule.minted(roles) * rewards.sum(axis=-1))
    assert (off <= 64 * EPS * size + TINY).all()


@st.composite
def conserving(draw):
    kind = draw(st.sampled_from(["each", "piece", "free"]))
    roles, rewards, activity = draw(games(("free", "free") if kind == "free" else ("harvester", "cleaner")))
    if kind == "each":
        n = int(roles.harvester.sum())
        return TaxPerHarvester(taxes=draw(st.tuples(*[share] * n))), roles, rewards, activity
    made = FreeTax if kind == "free" else TaxAndPieceRate
    return made(tax=draw(share), piece_rate=draw(share)), roles, rewards, activity


@given(conserving())
@settings(max_examples=200)
def test_no_tax_makes_money(case):
    rule, roles, rewards, activity = case
    paid = rule.transfers(rewards, activity, roles)
    moved = np.abs(paid) + (activity.apples if isinstance(rule, FreeTax) else np.abs(rewards))
    assert not rule.mints
    assert (np.abs(paid.sum(axis=-1)) <= 8 * len(roles.names) * EPS * moved.sum(axis=-1) + TINY).all()


@given(conserving())
def test_a_batch_is_its_games_side_by_side(case):
    rule, roles, rewards, activity = case
    paid = rule.transfers(rewards, activity, roles)
    for b in range(len(rewards)):
        one = rule.transfers(rewards[b], Activity(*(count[b] for count in activity)), roles)
        assert np.array_equal(one, paid[b])


@given(conserving())
def test_income_taxes_take_no_more_than_the_tax_and_leave_no_cleaner_with_a_debt(case):
    rule, roles, rewards, activity = case
    paid = rule.transfers(np.abs(rewards), activity, roles)
    if isinstance(rule, FreeTax):
        assert (paid >= -rule.tax * activity.apples - 1e-12).all()
        return
    most = np.zeros(len(roles.names))
    most[roles.harvester] = getattr(rule, "taxes", rule.tax)
    assert (paid >= -most * np.abs(rewards) * (1 + 4 * EPS)).all()


# Settled under a contract.


def test_a_contract_states_the_mean_of_own_taxes():
    payment = TaxPerHarvester(taxes=(0.1, 0.3))
    Settlement.of(Contract(tax=0.2, n_cleaners=2), CREW, payment=payment)
    with pytest.raises(
        ContractsError, match=r"the contract's tax is 0.3, but the payment rule TaxPerHarvester takes 0.2"
    ):
        Settlement.of(Contract(tax=0.3, n_cleaners=2), CREW, payment=payment)


def test_other_numbers_of_taxes_than_harvesters_are_refused_at_birth():
    with pytest.raises(ContractsError, match="the game has 2 harvesters, got 3 taxes"):
        Settlement.of(Contract(tax=0.5, n_cleaners=2), CREW, payment=TaxPerHarvester(taxes=(0.5,) * 3))
    with pytest.raises(ContractsError, match="the game has 2 harvesters, got 1 taxes"):
        tax_each(REWARDS, CREW, 0.5)


def test_free_agents_are_settled_without_a_crew_and_their_counts_are_needed():
    settlement = Settlement.of(Contract.none(), FREE, payment=FreeTax(tax=0.5, piece_rate=1.0), costs="none")
    assert settlement.counts_of("free") == ("cleaned", "apples")
    assert settlement.counts_of("harvester") == ()
    paid = settlement.settle(np.array([3.0, 0, 0]), did([0, 2, 1], np.array([3, 0, 0])))
    assert paid.utilities.tolist() == [1.5, 1.0, 0.5]


def test_a_rule_says_what_it_mints_when_settled():
    contract = Contract(tax=0.0, n_cleaners=2)
    rule = SharesByRole(harvester_weight=1.0, cleaner_weight=0.5)
    assert Settlement.of(contract, CREW, payment=rule, costs="none").settle(REWARDS, did([0] * 4)).utilities.tolist() == [
        6.0, 6.0, 3.0, 3.0,
    ]  # fmt: skip


# Refused.


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: TaxPerHarvester(taxes=()), r"one tax per harvester, got \(\)"),
        (lambda: TaxPerHarvester(taxes=0.5), "one tax per harvester, got 0.5"),
        (lambda: TaxPerHarvester(taxes=(0.5, 1.5)), r"tax 1 must be a number in \[0, 1\], got 1.5"),
        (lambda: TaxPerHarvester(taxes=(float("nan"),)), r"tax 0 must be a number in \[0, 1\], got nan"),
        (lambda: TaxAndPieceRate(tax=1.5, piece_rate=0.5), r"tax must lie in \[0, 1\], got 1.5"),
        (lambda: TaxAndPieceRate(tax=0.5, piece_rate=-0.1), r"piece_rate must be a number in \[0, 1\], got -0.1"),
        (lambda: FreeTax(tax=0.5, piece_rate="half"), r"piece_rate must be a number in \[0, 1\], got 'half'"),
        (lambda: FreeTax(tax=True), "tax must be a number"),
        (lambda: SharesByRole(harvester_weight=float("inf"), cleaner_weight=0), "harvester_weight must be a finite"),
        (lambda: SharesByRole(harvester_weight=0, cleaner_weight=2e9), "cleaner_weight must be a finite number"),
        (lambda: CustomPayment(function=len, pays="harvester"), "pays must be a tuple of roles such as"),
        (lambda: CustomPayment(function=len, paid=()), r"paid must be a tuple of roles .* got \(\)"),
    ],
)
def test_numbers_that_no_rule_can_have_are_refused(build, message):
    with pytest.raises(ContractsError, match=message):
        build()


def test_roles_of_a_step_and_of_the_game_are_as_many():
    with pytest.raises(ContractsError, match="2 roles of a step were given for 1 of the game"):
        Roles(names=("free", "free"), of_game=("free",))
    gone = FREE.present([True, False, True]).present([True, True, False])
    assert gone.of_game == FREE.names
    assert gone.names == ("free", "absent", "absent")
