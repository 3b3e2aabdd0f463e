"""One step settled: what is refused at birth, what in a step, and that nothing is lost or made."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import COSTS, CostRule, RoleCost
from contract_wrapper.contracts.payment_rules import CustomPayment, LinearShares, PayPerCell, TaxAndShare, TaxByCells
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.settlement import Settlement
from contract_wrapper.contracts.transfers import TINY, conserves_money, welfare
from contract_wrapper.errors import ContractsError

ROLES = Roles(names=("harvester", "harvester", "cleaner", "cleaner"), agents=("h_0", "h_1", "c_0", "c_1"))
REWARDS = np.array([4.0, 2.0, 0.0, 0.0])
ACTIVITY = Activity(shots=np.array([0, 0, 2, 0]), cleaned=np.array([0, 0, 1, 0]), apples=np.array([4, 2, 0, 0]))
TAXED = Contract(tax=0.5, n_cleaners=2)
UNTAXED = Contract(tax=0.0, n_cleaners=2)


def test_a_step_by_hand():
    settled = Settlement.of(TAXED, ROLES, costs="cleaner:per_shot=0.25").settle(REWARDS, ACTIVITY)
    assert settled.transfers.tolist() == [-2.0, -1.0, 1.5, 1.5]
    assert settled.costs.tolist() == [0.0, 0.0, 0.5, 0.0]
    assert settled.utilities.tolist() == [2.0, 1.0, 1.0, 1.5]


def test_tax_and_share_and_effort_are_the_defaults():
    settlement = Settlement.of(TAXED, ROLES)
    assert (settlement.payment, settlement.costs) == (TaxAndShare(tax=0.5), COSTS["effort"])


def test_who_is_absent_neither_pays_nor_is_paid_nor_charged():
    settlement = Settlement.of(TAXED, ROLES, costs="paper")
    settled = settlement.settle(REWARDS, ACTIVITY, ROLES.present([True, True, False, True]))
    assert settled.transfers.tolist() == [-2.0, -1.0, 0.0, 3.0]
    assert settled.costs.tolist() == [0.0, 0.0, 0.0, 0.0092]


def test_shares_of_the_absent_may_vanish_under_linear_shares_and_under_no_other_conserving_rule():
    gone = ROLES.present([True, True, True, False])

    def quarters(rewards, activity, roles):
        return np.where(roles.mask("absent"), 0.0, 0.25 * rewards.sum() - rewards)

    shares = Settlement.of(UNTAXED, ROLES, payment=LinearShares(weights=(0.25,) * 4), costs="none")
    assert shares.settle(REWARDS, ACTIVITY, gone).utilities.tolist() == [1.5, 1.5, 1.5, 0.0]
    with pytest.raises(ContractsError, match=r"quarters conserves money, .* they sum to -1\.5 apples"):
        Settlement.of(UNTAXED, ROLES, payment=quarters).settle(REWARDS, ACTIVITY, gone)


def test_counts_that_a_role_needs_are_what_it_pays_or_is_paid_for():
    settlement = Settlement.of(
        TAXED, ROLES, payment=TaxByCells(tax=0.5), costs="cleaner:per_shot=1;harvester:per_cell=1"
    )
    assert settlement.counts_of("cleaner") == ("cleaned", "shots")
    assert settlement.counts_of("harvester") == ("cleaned",)
    assert settlement.counts_of("free") == ()


# Refused at birth.


@pytest.mark.parametrize("rule", [PayPerCell(price=1), LinearShares(weights=(0.25,) * 4), TaxAndShare(tax=0.25)])
def test_a_rule_that_takes_another_tax_than_the_contract_is_refused(rule):
    with pytest.raises(ContractsError, match=rf"tax is 0\.5, but the payment rule {type(rule).__name__} takes 0\."):
        Settlement.of(TAXED, ROLES, payment=rule)
    free = Settlement.of(Contract(tax=getattr(rule, "tax", 0.0), n_cleaners=2), ROLES, payment=rule)
    assert free.payment is rule


def test_another_number_of_cleaners_is_refused():
    with pytest.raises(ContractsError, match=r"recruits 3 cleaners, but the game has 2 \('c_0', 'c_1'\): build it"):
        Settlement.of(Contract(tax=0.5, n_cleaners=3), ROLES)


def test_costs_of_unknown_roles_and_costs_per_episode_without_a_horizon_are_refused():
    with pytest.raises(ContractsError, match="the costs name the role 'cleanr', which no agent has"):
        Settlement.of(TAXED, ROLES, costs=CostRule.of(cleanr=RoleCost(per_shot=1)))
    with pytest.raises(ContractsError, match="pass horizon"):
        Settlement.of(TAXED, ROLES, costs="costly")
    assert Settlement.of(TAXED, ROLES, costs="costly", horizon=100).prices.per_step.tolist() == [0, 0, 0.25, 0.25]


def test_an_incomplete_payment_rule_is_refused():
    class Half:
        mints = False

        def transfers(self, rewards, activity, roles):
            return rewards

    with pytest.raises(ContractsError, match=r"the payment rule Half lacks needs: .*CustomPayment\(function=\.\.\.\)"):
        Settlement.of(TAXED, ROLES, payment=Half())


def test_a_rule_that_needs_an_unknown_count_is_refused():
    with pytest.raises(ContractsError, match="needs 'beams': a rule can ask for shots, cleaned, apples"):
        Settlement.of(TAXED, ROLES, payment=CustomPayment(function=np.zeros_like, needs=("beams",)))


def test_payment_that_is_neither_rule_nor_function_is_refused():
    with pytest.raises(ContractsError, match=r"payment must be a payment rule or a function, got 0\.5"):
        Settlement.of(TAXED, ROLES, payment=0.5)


# Refused in a step.


def settle(function, *, rewards=REWARDS, **settings):
    payment = CustomPayment(function=function, **settings)
    activity = Activity(*(np.broadcast_to(count, np.shape(rewards)) for count in ACTIVITY))
    return Settlement.of(UNTAXED, ROLES, payment=payment).settle(rewards, activity).transfers


def test_a_function_pays_what_it_says():
    assert settle(lambda r, activity, roles: [-1, 0, 1, 0]).tolist() == [-1, 0, 1, 0]


@pytest.mark.parametrize("mints", [False, True])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_transfer_that_is_not_finite_names_function_agent_and_value(bad, mints):
    def odd(rewards, activity, roles):
        return np.where(rewards == 7, bad, 0)

    with pytest.raises(ContractsError, match=rf"function odd pays 'c_0' {bad} apples: a transfer must be a finite"):
        settle(odd, rewards=np.array([[0.0, 0, 0, 0], [0, 0, 7, 0]]), mints=mints)


def test_agents_without_names_are_named_by_number_and_role():
    nameless = Roles(names=("harvester", "cleaner"))
    settlement = Settlement.of(
        Contract(tax=0, n_cleaners=1), nameless, payment=lambda r, activity, roles: [0.0, np.nan], costs="none"
    )
    with pytest.raises(ContractsError, match=r"pays agent 1 \(cleaner\) nan apples"):
        settlement.settle(np.zeros(2), Activity(*np.zeros((3, 2))))


def test_transfers_of_wrong_shape_name_both_shapes():
    with pytest.raises(ContractsError, match=r"shape \(4,\) like the rewards, got shape \(3,\)"):
        settle(lambda r, activity, roles: r[:3])


def test_transfers_that_are_no_array_are_refused():
    with pytest.raises(ContractsError, match="must return an array of transfers per agent, got a dict"):
        settle(lambda r, activity, roles: {"h_0": 1.0})


def test_a_rule_that_makes_money_must_say_so():
    with pytest.raises(ContractsError, match=r"they sum to 2\.0 apples: .*mints=True"):
        settle(lambda r, activity, roles: [0, 0, 1, 1])
    assert settle(lambda r, activity, roles: [0, 0, 1, 1], mints=True).tolist() == [0, 0, 1, 1]


def test_one_game_of_a_batch_that_makes_money_is_enough():
    def last_one(rewards, activity, roles):
        transfers = np.zeros_like(rewards)
        transfers[-1, 0] = 0.5
        return transfers

    with pytest.raises(ContractsError, match=r"last_one conserves money, .* they sum to 0\.5 apples"):
        settle(last_one, rewards=np.zeros((3, 4)))


@pytest.mark.parametrize("name", ["rewards", "shots", "cleaned", "apples"])
def test_a_function_cannot_change_what_the_game_wrote(name):
    def greedy(rewards, activity, roles):
        (rewards if name == "rewards" else getattr(activity, name))[0] = 100
        return np.zeros(4)

    rewards, counts = REWARDS.copy(), Activity(*(count.copy() for count in ACTIVITY))
    settlement = Settlement.of(UNTAXED, ROLES, payment=greedy)
    with pytest.raises(ValueError, match="read-only"):
        settlement.settle(rewards, counts)
    assert rewards.tolist() == REWARDS.tolist()
    rewards[0] = 7  # the game itself still can
    assert rewards[0] == 7


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("transfers", [[1e308, 7e307, -1e308, 0.0], [1e308, 1e308, -1e308, -1e308], [1e308] * 4])
def test_transfers_that_cannot_be_summed_do_not_conserve_money(transfers):
    assert not conserves_money(transfers)
    with pytest.raises(ContractsError, match=r"<lambda> pays or is given amounts that are too large to be summed"):
        settle(lambda r, activity, roles: transfers)


@pytest.mark.filterwarnings("ignore:overflow")
def test_minted_transfers_whose_utilities_are_not_finite_are_refused():
    with pytest.raises(ContractsError, match="utilities do not add up to a finite number"):
        settle(lambda r, activity, roles: [1e308, 1e308, 0, 0], mints=True)


@pytest.mark.parametrize(
    "given", [["1", "-1", "0", "0"], np.array([1j, -1j, 0, 0]), [None, 0, 0, 0], np.array([{}] * 4)]
)
def test_transfers_that_are_no_real_numbers_are_refused(given):
    with pytest.raises(ContractsError, match="must return an array of transfers per agent"):
        settle(lambda r, activity, roles: given)


@pytest.mark.parametrize("role", ["cleaners", "Harvester", "free", "absent"])
def test_costs_of_a_role_that_nobody_can_have_are_refused_and_the_nearest_is_named(role):
    rule = CostRule.of(**{role: RoleCost(per_shot=5)})
    near = {"cleaners": ": did you mean 'cleaner'", "Harvester": ": did you mean 'harvester'"}.get(role, "$")
    with pytest.raises(
        ContractsError, match=f"role '{role}', which no agent has; the roles are cleaner, harvester{near}"
    ):
        Settlement.of(UNTAXED, ROLES, costs=rule)


def test_the_absent_are_never_charged_whatever_the_costs_say():
    gone = Roles(names=("harvester", "cleaner", "absent"))
    with pytest.raises(ContractsError, match="the costs name the role 'absent'"):
        Settlement.of(Contract(tax=0.0, n_cleaners=1), gone, costs="absent:per_step=1")


@pytest.mark.parametrize("horizon", ["nan", np.nan, np.inf, 0, -1, True, 1.5, 10**400])
def test_a_horizon_that_is_no_number_of_steps_is_refused(horizon):
    with pytest.raises(ContractsError, match="horizon must be an integer of at least 1, or None"):
        Settlement.of(UNTAXED, ROLES, horizon=horizon)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_reward_that_is_not_finite_is_blamed_on_the_game(bad):
    with pytest.raises(ContractsError, match=f"the game gave 'h_1' a reward of {bad}: it must be finite"):
        Settlement.of(TAXED, ROLES).settle(np.array([1.0, bad, 0, 0]), ACTIVITY)


def test_rewards_of_another_number_of_agents_are_refused():
    with pytest.raises(ContractsError, match=r"rewards must have one entry per agent .* got shape \(3,\)"):
        Settlement.of(TAXED, ROLES).settle(np.zeros(3), ACTIVITY)


# The law: utilities sum to welfare.

CONSERVING = (
    TaxAndShare(tax=0.5),
    TaxByCells(tax=0.5),
    PayPerCell(price=0.3),
    LinearShares(weights=(0.1, 0.2, 0.3, 0.4)),
    CustomPayment(function=lambda r, activity, roles: r.mean(axis=-1, keepdims=True) - r),
)


@given(
    st.sampled_from(CONSERVING),
    arrays(float, (3, 4), elements=st.floats(-1e6, 1e6)),
    arrays(np.int64, (3, 3, 4), elements=st.integers(0, 3)),
    st.floats(0, 10),
)
def test_utilities_sum_to_welfare(rule, rewards, counts, price):
    contract = Contract(tax=getattr(rule, "tax", 0.5), n_cleaners=2)
    costs = CostRule.of(cleaner=RoleCost(per_shot=price, per_cell=0.1), harvester=RoleCost(per_step=0.3))
    settled = Settlement.of(contract, ROLES, payment=rule, costs=costs).settle(rewards, Activity(*counts))
    size = sum(np.abs(part) for part in (rewards, *settled)).sum(axis=-1)
    off = np.abs(settled.utilities.sum(axis=-1) - welfare(rewards, settled.costs))
    assert (off <= 64 * np.finfo(float).eps * size + TINY).all()
