import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contract_wrapper.contracts.payment_rules import (
    CustomPayment,
    LinearShares,
    PayPerCell,
    RewardSharing,
    TaxAndShare,
    TaxByCells,
)
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.transfers import (
    TINY,
    conserves_money,
    linear_shares,
    pay_per_cell,
    share_rewards,
    tax_and_share,
    tax_by_cells,
    utilities,
    welfare,
)
from contract_wrapper.errors import ContractsError

CREW = Roles(names=("harvester", "harvester", "cleaner", "cleaner"), agents=("h_0", "h_1", "c_0", "c_1"))
REWARDS = np.array([4.0, 2.0, 0.0, 0.0])
EPS = np.finfo(float).eps


def did(cleaned, shots=None):
    cleaned = np.asarray(cleaned)
    return Activity(shots=cleaned if shots is None else shots, cleaned=cleaned, apples=np.zeros_like(cleaned))


def test_tax_moves_money_but_makes_none():
    assert tax_and_share(REWARDS, CREW, 0.5).tolist() == [-2.0, -1.0, 1.5, 1.5]


def test_no_tax_moves_nothing():
    assert tax_and_share(REWARDS, CREW, 0.0).tolist() == [0, 0, 0, 0]


def test_full_tax_leaves_harvesters_nothing():
    assert (REWARDS + tax_and_share(REWARDS, CREW, 1.0)).tolist() == [0, 0, 3, 3]


def test_own_income_of_cleaners_and_free_agents_is_not_taxed():
    roles = Roles(names=("harvester", "cleaner", "free"))
    assert tax_and_share([2.0, 10.0, 10.0], roles, 0.5).tolist() == [-1, 1, 0]


def test_tax_on_a_loss_is_a_refund():
    assert tax_and_share([-2.0, 0, 0, 0], CREW, 0.5).tolist() == [1, 0, -0.5, -0.5]


def test_tax_by_cells_pays_three_times_for_three_times_the_work():
    assert tax_by_cells(REWARDS, [0, 0, 3, 1], CREW, 0.5).tolist() == [-2.0, -1.0, 2.25, 0.75]


def test_step_without_work_is_not_taxed_by_cells():
    assert tax_by_cells(REWARDS, [0, 0, 0, 0], CREW, 0.5).tolist() == [0, 0, 0, 0]


def test_cells_cleaned_by_others_than_cleaners_earn_nothing():
    assert tax_by_cells(REWARDS, [9, 0, 1, 0], CREW, 0.5).tolist() == [-2, -1, 3, 0]
    assert pay_per_cell([9, 0, 0, 0], CREW, 1.0).tolist() == [0, 0, 0, 0]


def test_harvesters_pay_for_cells_in_equal_parts():
    assert pay_per_cell([0, 0, 3, 1], CREW, 0.5).tolist() == [-1, -1, 1.5, 0.5]


def test_minted_pay_per_cell_costs_nobody_anything():
    assert pay_per_cell([0, 0, 3, 1], CREW, 0.5, minted=True).tolist() == [0, 0, 1.5, 0.5]
    assert PayPerCell(price=0.5, minted=True).mints
    assert not PayPerCell(price=0.5).mints


def test_linear_shares_give_each_agent_its_weight_of_the_team_reward():
    paid = linear_shares(REWARDS, CREW, [0.5, 0.25, 0.25, 0.5])
    assert (REWARDS + paid).tolist() == [3.0, 1.5, 1.5, 3.0]
    assert paid.sum() == (1.5 - 1) * 6  # mints half of the team's 6 apples


def test_linear_shares_conserve_only_if_weights_sum_to_one():
    assert not LinearShares(weights=(0.7, 0.2, 0.1)).mints
    assert LinearShares(weights=(0.7, 0.2, 0.2)).mints


def test_sharing_gives_each_agent_an_equal_part_of_what_all_others_give_away():
    # 4 and 2 apples, half of each is given to the three others: 2/3 and 1/3 to everybody else.
    assert share_rewards([6.0, 3.0, 0.0, 0.0], CREW, 0.5).tolist() == [-2.5, -0.5, 1.5, 1.5]
    assert share_rewards(REWARDS, CREW, 0.0).tolist() == [0, 0, 0, 0]
    assert (REWARDS + share_rewards(REWARDS, CREW, 0.75)).tolist() == [1.5] * 4  # 1 - 1/N: all earn the same


def test_sharing_knows_no_roles_and_needs_no_crew():
    alike = Roles(names=("harvester", "harvester", "free"))
    assert share_rewards([4.0, 0.0, -2.0], alike, 0.5).tolist() == [-2.5, 0.5, 2.0]
    assert share_rewards([4.0], Roles(names=("harvester",)), 0.5).tolist() == [0]
    assert (RewardSharing(share=0.5).mints, RewardSharing(share=0.5).needs, RewardSharing(share=0.5).tax) == (
        False,
        (),
        0,
    )


def test_who_has_left_gives_and_gets_nothing_of_what_is_shared():
    there = CREW.present([True, True, True, False])
    assert share_rewards([4.0, 2.0, 0.0, 0.0], there, 0.5).tolist() == [-1.5, 0.0, 1.5, 0.0]
    assert share_rewards([4.0, 0.0, 0.0, 0.0], CREW.present([True, False, False, False]), 0.5).tolist() == [0] * 4


def test_each_game_may_share_a_part_of_its_own():
    assert share_rewards([REWARDS, REWARDS], CREW, [0.0, 0.75]).tolist() == [[0] * 4, [-2.5, -0.5, 1.5, 1.5]]


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), "much", None, True])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(ContractsError, match="share must be a number between 0 and 1, got"):
        RewardSharing(share=share)


def test_a_crew_that_has_left_is_paid_nothing_and_nothing_is_taxed():
    gone = CREW.present([True, True, False, False])
    assert tax_and_share(REWARDS, gone, 0.5).tolist() == [0, 0, 0, 0]
    assert tax_by_cells(REWARDS, [0, 0, 0, 0], gone, 0.5).tolist() == [0, 0, 0, 0]


def test_who_stays_shares_among_the_staying():
    assert tax_and_share(REWARDS, CREW.present([True, True, True, False]), 0.5).tolist() == [-2, -1, 3, 0]
    assert linear_shares(REWARDS, CREW.present([True, True, True, False]), [0.25] * 4)[3] == 0


def test_payers_that_have_left_pay_nothing():
    gone = CREW.present([False, False, True, True])
    assert pay_per_cell([0, 0, 1, 1], gone, 0.5).tolist() == [0, 0, 0, 0]


def test_tax_without_cleaners_is_refused():
    alone = Roles(names=("harvester", "harvester"))
    with pytest.raises(ContractsError, match="no agent is a 'cleaner'"):
        tax_and_share([1.0, 1.0], alone, 0.1)
    assert tax_and_share([1.0, 1.0], alone, 0.0).tolist() == [0, 0]


def test_price_per_cell_without_harvesters_is_refused():
    with pytest.raises(ContractsError, match="no agent is a 'harvester'"):
        pay_per_cell([1], Roles(names=("cleaner",)), 0.1)


def test_rewards_of_another_number_of_agents_are_refused():
    with pytest.raises(ContractsError, match=r"there are 4 agents, got shape \(3,\)"):
        tax_and_share([1.0, 2.0, 3.0], CREW, 0.1)
    with pytest.raises(ContractsError, match="weights must have one entry per agent"):
        linear_shares(REWARDS, CREW, [0.5, 0.5])


# Laws: no money is made, one code for one game and many, utilities sum to welfare.

money = st.floats(-1e6, 1e6)


@st.composite
def games(draw):
    names = draw(st.lists(st.sampled_from(["harvester", "cleaner", "free"]), min_size=1, max_size=8))
    roles = Roles(names=("harvester", "cleaner", *names))
    shape = (draw(st.integers(1, 4)), len(roles.names))
    rewards = draw(arrays(float, shape, elements=money))
    cleaned = draw(arrays(np.int64, shape, elements=st.integers(0, 3)))
    rule = draw(st.sampled_from(["share", "cells", "price", "linear", "sharing", "own"]))
    x = draw(st.floats(0, 1))
    equal = (1.0 / shape[-1],) * shape[-1]
    made = {
        "share": TaxAndShare(tax=x),
        "cells": TaxByCells(tax=x),
        "price": PayPerCell(price=x),
        "linear": LinearShares(weights=equal),
        "sharing": RewardSharing(share=x),
        "own": CustomPayment(function=lambda r, activity, roles: r.mean(axis=-1, keepdims=True) - r),
    }
    return made[rule], rewards, did(cleaned), roles


@given(games())
def test_no_conserving_rule_makes_money(game):
    rule, rewards, activity, roles = game
    assert not rule.mints
    paid = rule.transfers(rewards, activity, roles)
    size = np.abs(paid).sum(axis=-1) + np.abs(rewards).sum(axis=-1)
    assert (np.abs(paid.sum(axis=-1)) <= 4 * len(roles.names) * EPS * size + TINY).all()


@given(games())
def test_tax_is_exact_to_the_last_bits(game):
    _, rewards, _, roles = game
    paid = tax_and_share(rewards, roles, 0.3)
    given_away = -np.where(roles.harvester, paid, 0).sum(axis=-1)
    received = np.where(roles.cleaner, paid, 0).sum(axis=-1)
    bits = np.abs(np.where(roles.harvester, paid, 0)).sum(axis=-1)
    assert (np.abs(given_away - received) <= 4 * len(roles.names) * EPS * bits + TINY).all()


@given(games())
def test_a_batch_is_its_games_side_by_side(game):
    rule, rewards, activity, roles = game
    paid = rule.transfers(rewards, activity, roles)
    assert paid.shape == rewards.shape
    assert paid.dtype == np.float64
    for b in range(len(rewards)):
        one = rule.transfers(rewards[b], Activity(*(field[b] for field in activity)), roles)
        np.testing.assert_array_equal(one, paid[b])


@given(games(), st.floats(0, 10))
def test_utilities_sum_to_welfare(game, price):
    rule, rewards, activity, roles = game
    costs = price * activity.shots
    total = utilities(rewards, rule.transfers(rewards, activity, roles), costs).sum(axis=-1)
    size = np.abs(rewards).sum(axis=-1) + np.abs(costs).sum(axis=-1) + np.abs(activity.cleaned).sum(axis=-1)
    assert (np.abs(total - welfare(rewards, costs)) <= 16 * len(roles.names) * EPS * size + TINY).all()


def test_welfare_counts_costs_and_no_transfers():
    assert welfare([4.0, 2.0, 0.0], [0.0, 0.0, 0.5]) == 5.5
    assert welfare([[1.0, 1.0], [2.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]).tolist() == [1, 2]


def test_sums_of_zero_up_to_rounding_conserve_money_and_nothing_else_does():
    third = 1 / 3
    assert conserves_money([[1.0, -third, -third, -third], [1.0, -0.5, -0.25, -0.25]]).tolist() == [True, True]
    assert conserves_money([[1.0, -0.999999], [2e-300, 0.0], [np.nan, 0.0], [np.inf, 0.0]]).tolist() == [False] * 4


def test_rounding_is_relative_to_rewards_too():
    residue = 0.1 + 0.2 - 0.3  # what is left of two equal rewards of 0.3 apples
    assert not conserves_money([residue, 0.0])
    assert conserves_money([residue, 0.0], rewards=[0.3, 0.3])


@given(games())
def test_conserving_rules_conserve_money_by_definition(game):
    rule, rewards, activity, roles = game
    assert conserves_money(rule.transfers(rewards, activity, roles), rewards).all()


@pytest.mark.parametrize("rule", [TaxAndShare, TaxByCells])
@pytest.mark.parametrize("tax", [-0.1, 1.1, float("nan"), "much"])
def test_rule_refuses_a_wrong_tax(rule, tax):
    with pytest.raises(ContractsError, match="tax must"):
        rule(tax=tax)


def test_rules_refuse_wrong_prices_and_weights():
    with pytest.raises(ContractsError, match="price must be at least 0"):
        PayPerCell(price=-1)
    with pytest.raises(ContractsError, match="price must be a finite number, got nan"):
        PayPerCell(price=float("nan"))
    with pytest.raises(ContractsError, match="weight 1 must be a finite number, got inf"):
        LinearShares(weights=(0.5, float("inf")))
