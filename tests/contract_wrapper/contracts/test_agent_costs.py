"""Prices of single agents: they replace those of the role, wherever costs are charged, checked and written."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import CostRule, RoleCost, check_cost_roles, costs, get_costs, prices_of
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.settlement import Settlement
from contract_wrapper.errors import ContractsError

AGENTS = ("harvester_0", "harvester_1", "cleaner_0", "cleaner_1")
ROLES = Roles.from_agents(AGENTS)
DID = Activity(shots=np.array([0, 0, 2, 2]), cleaned=np.array([0, 0, 1, 1]), apples=np.array([1, 1, 0, 0]))
RULE = get_costs("harvester:per_step=0.5;harvester_1:per_step=0.25;cleaner:per_shot=1,per_step=1;cleaner_1:per_cell=8")


def test_an_agents_own_prices_replace_all_of_its_roles():
    assert costs(RULE, DID, ROLES).tolist() == [0.5, 0.25, 3.0, 8.0]


def test_flat_parts_are_told_per_agent():
    rule = get_costs("harvester:per_step=0.5;harvester_1:per_episode=10")
    assert prices_of(rule, ROLES, 20).per_step.tolist() == [0.5, 0.5, 0.0, 0.0]
    assert prices_of(rule, ROLES, 10).per_step.tolist() == [0.5, 1.0, 0.0, 0.0]
    assert rule.flat_per_step("harvester", 10) == 0.5
    assert rule.flat_per_step("harvester", 10, "harvester_1") == 1.0
    assert rule.flat_per_step("harvester", 10, "harvester_0") == 0.5


def test_who_has_left_pays_nothing_whatever_its_own_price():
    gone = ROLES.present([True, False, True, False])
    assert costs(RULE, DID, gone).tolist() == [0.5, 0.0, 3.0, 0.0]


def test_a_name_that_is_a_role_and_an_agent_is_the_role():
    """A game whose agents are called as roles are, and have other ones."""
    odd = Roles(names=("harvester", "cleaner"), agents=("cleaner", "harvester"))
    rule = get_costs("cleaner:per_step=1;harvester:per_step=2")
    assert costs(rule, Activity(*np.zeros((3, 2))), odd).tolist() == [2.0, 1.0]


def test_agents_of_other_names_than_their_role_can_have_prices_and_agents_without_names_none():
    bakery = Roles(names=("harvester", "harvester"), agents=("ann", "bob"))
    nothing = Activity(*np.zeros((3, 2)))
    assert costs(get_costs("harvester:per_step=1;bob:per_step=2"), nothing, bakery).tolist() == [1.0, 2.0]
    numbered = Roles(names=("harvester", "harvester"), agents=(0, 1))
    assert costs(get_costs("harvester:per_step=1"), nothing, numbered).tolist() == [1.0, 1.0]


def test_counts_that_an_agents_own_prices_need_are_asked_of_it_alone():
    settlement = Settlement.of(Contract(tax=0.1, n_cleaners=2), ROLES, costs=RULE)
    assert settlement.counts_of("cleaner", "cleaner_0") == ("shots",)
    assert settlement.counts_of("cleaner", "cleaner_1") == ("cleaned",)
    assert settlement.counts_of("harvester", "harvester_1") == ()


def test_a_settled_step_charges_each_agent_its_own_prices():
    settled = Settlement.of(Contract(tax=0.0, n_cleaners=2), ROLES, costs=RULE).settle(np.array([1.0, 1, 0, 0]), DID)
    assert settled.utilities.tolist() == [0.5, 0.75, -3.0, -8.0]
    batch = Settlement.of(Contract(tax=0.0, n_cleaners=2), ROLES, costs=RULE).settle(
        np.tile([1.0, 1, 0, 0], (3, 1)), Activity(*(np.tile(count, (3, 1)) for count in DID))
    )
    assert batch.costs.tolist() == [[0.5, 0.25, 3.0, 8.0]] * 3


prices = st.builds(
    RoleCost, **dict.fromkeys(("per_step", "per_shot", "per_cell", "per_episode"), st.sampled_from([0.0, 0.25, 3.0]))
)


@given(st.dictionaries(st.sampled_from(["harvester", "cleaner", *AGENTS]), prices))
def test_text_of_a_rule_charges_as_the_rule(listed):
    """Also where an agent works for nothing while its role does not."""
    rule = CostRule.of(**listed)
    again = get_costs(str(rule))
    for one, other in zip(prices_of(rule, ROLES, 10), prices_of(again, ROLES, 10), strict=True):
        assert one.tolist() == other.tolist()


@given(st.dictionaries(st.sampled_from(AGENTS), prices), prices)
def test_each_agent_pays_its_own_prices_or_its_roles(own, role):
    rule = CostRule.of(harvester=role, cleaner=role, **own)
    charged = costs(rule, DID, ROLES, 10)
    for i, agent in enumerate(AGENTS):
        each = own.get(agent, role)
        by_hand = each.per_step + each.per_episode / 10 + each.per_shot * DID.shots[i] + each.per_cell * DID.cleaned[i]
        assert charged[i] == by_hand


def test_an_agent_that_works_for_nothing_is_written_so():
    rule = CostRule.of(harvester=RoleCost(per_step=1), harvester_3=RoleCost())
    assert str(rule) == "harvester:per_step=1.0;harvester_3:per_step=0.0"
    assert str(CostRule.of(harvester=RoleCost())) == "none"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("harvester_2:per_step=1", "the costs name the agent 'harvester_2', which the game does not have: it has harv"),
        ("harvester_02:per_step=1", "the costs name the role 'harvester_02', which no agent has; .* did you mean"),
        ("harvestr_1:per_step=1", "name the role 'harvestr_1', which no agent has; .*: did you mean 'harvester_1'"),
        ("cleaner_x:per_step=1", "name the role 'cleaner_x', which no agent has"),
        ("free_0:per_step=1", "name the role 'free_0', which no agent has"),
    ],
)
def test_prices_of_agents_that_cannot_be_are_refused(text, message):
    with pytest.raises(ContractsError, match=message):
        Settlement.of(Contract(tax=0.0, n_cleaners=2), ROLES, costs=text)


def test_cleaners_of_a_larger_crew_may_have_prices_and_unknown_games_any_agent_of_a_role():
    Settlement.of(Contract(tax=0.0, n_cleaners=2), ROLES, costs="cleaner_4:per_shot=1")
    check_cost_roles(get_costs("harvester_7:per_step=1;cleaner_9:per_step=1"))
    with pytest.raises(ContractsError, match="name the role 'porter_7'"):
        check_cost_roles(get_costs("porter_7:per_step=1"))


def test_settings_of_an_evaluation_know_the_harvesters_of_their_game():
    from contract_wrapper.evaluation.settings import EvaluationSettings

    settings = EvaluationSettings(costs="harvester_4:per_step=0.05;cleaner_3:per_shot=0.1", learner="smoke")
    assert EvaluationSettings.from_dict(settings.to_dict()) == settings
    assert settings.fingerprint() != dataclasses.replace(settings, costs="harvester:per_step=0.05").fingerprint()
    with pytest.raises(ContractsError, match="the costs name the agent 'harvester_5', which the game does not have"):
        EvaluationSettings(costs="harvester_5:per_step=0.05", learner="smoke")


def test_text_for_an_agent_that_cannot_be_read_shows_how_to_write_it():
    with pytest.raises(ContractsError, match="write role:price=apples or agent:price=apples, each price once"):
        get_costs("harvester_3:per_stp=1")
