import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_wrapper.contracts.costs import COSTS, CostRule, RoleCost, costs, get_costs
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.errors import ContractsError

PAIR = Roles(names=("harvester", "cleaner"))
DID = Activity(shots=np.array([0, 2]), cleaned=np.array([0, 3]), apples=np.array([1, 0]))


def test_effort_charges_a_cleaner_per_shot():
    np.testing.assert_allclose(costs(get_costs("effort"), DID, PAIR), [0.0, 0.04])


def test_effort_charges_nothing_for_standing_still():
    idle = Activity(*np.zeros((3, 2)))
    assert COSTS["effort"].costs(idle, PAIR).tolist() == [0, 0]


def test_paper_charges_a_cleaner_the_same_every_step():
    assert COSTS["paper"].costs(DID, PAIR).tolist() == [0.0, 0.0092]
    assert COSTS["paper"].flat_per_step("cleaner") * 200 == pytest.approx(1.84)


def test_costly_spreads_25_apples_over_the_episode():
    assert COSTS["costly"].costs(DID, PAIR, 200).tolist() == [0.0, 0.125]
    assert COSTS["costly"].flat_per_step("cleaner", 200) == 0.125


def test_flat_part_leaves_out_what_an_agent_does():
    rule = CostRule.of(cleaner=RoleCost(per_step=0.5, per_shot=9, per_cell=9, per_episode=10))
    assert rule.flat_per_step("cleaner", 20) == 1.0
    assert rule.flat_per_step("harvester", 20) == 0.0


def test_all_prices_add_up():
    rule = CostRule.of(
        cleaner=RoleCost(per_step=1, per_shot=10, per_cell=100, per_episode=2000),
        harvester=RoleCost(per_step=7),
    )
    assert rule.costs(DID, PAIR, 2).tolist() == [7.0, 1 + 20 + 300 + 1000]


def test_who_is_absent_pays_nothing():
    rule = CostRule.of(cleaner=RoleCost(per_step=1, per_shot=1))
    assert rule.costs(DID, PAIR.present([True, False])).tolist() == [0, 0]


def test_a_batch_is_its_games_side_by_side():
    batch = Activity(*(np.stack([field, field, 2 * field]) for field in DID))
    paid = get_costs("cleaner:per_shot=0.5,per_cell=1").costs(batch, PAIR)
    assert paid.tolist() == [[0, 4], [0, 4], [0, 8]]


@pytest.mark.parametrize("horizon", [None, 0, -5])
def test_cost_per_episode_needs_a_horizon(horizon):
    with pytest.raises(ContractsError, match=rf"25\.0 apples per episode .* horizon is {horizon}: pass horizon"):
        COSTS["costly"].costs(DID, PAIR, horizon)


def test_text_gives_prices_by_role():
    rule = get_costs(" cleaner: per_shot=0.05, per_step=0.01; harvester:per_step=1e-3 ")
    assert rule.role("cleaner") == RoleCost(per_shot=0.05, per_step=0.01)
    assert rule.role("harvester") == RoleCost(per_step=0.001)


prices = st.builds(RoleCost, **dict.fromkeys(("per_step", "per_shot", "per_cell", "per_episode"), st.floats(0, 1e9)))


@given(prices, prices.filter(lambda p: p != RoleCost()))
def test_text_of_a_rule_reads_back_as_the_rule(harvester, cleaner):
    rule = CostRule.of(harvester=harvester, cleaner=cleaner)
    again = get_costs(str(rule))
    assert (again.role("harvester"), again.role("cleaner")) == (harvester, cleaner)


@pytest.mark.parametrize("name", COSTS)
def test_text_of_a_named_setting_reads_back(name):
    assert get_costs(str(COSTS[name])) == COSTS[name]


def test_unknown_costs_list_the_names():
    with pytest.raises(ContractsError, match="unknown costs 'efort': choose one of effort, paper, costly, none"):
        get_costs("efort")


@pytest.mark.parametrize(
    "text",
    ["cleaner:", "cleaner:per_shoot=1", "cleaner:per_shot", ":per_shot=1", "cleaner:per_shot=1,per_shot=2"],
)
def test_text_that_cannot_be_read_shows_how_to_write_it(text):
    with pytest.raises(ContractsError, match="the prices are per_step, per_shot, per_cell, per_episode"):
        get_costs(text)


def test_price_that_is_no_number_is_refused():
    with pytest.raises(ContractsError, match=r"per_shot in costs .* must be a number, got 'much'"):
        get_costs("cleaner:per_shot=much")


@pytest.mark.parametrize("price", [-1, float("nan"), float("inf"), "1", True])
def test_price_below_zero_or_not_finite_is_refused(price):
    with pytest.raises(ContractsError, match="per_cell must be a finite number of apples of at least 0"):
        RoleCost(per_cell=price)


def test_role_listed_twice_is_refused():
    with pytest.raises(ContractsError, match="lists each role once, got cleaner, cleaner"):
        get_costs("cleaner:per_shot=1;cleaner:per_step=1")
