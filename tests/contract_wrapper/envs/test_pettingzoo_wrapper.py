import copy
import pickle
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.test import parallel_api_test, parallel_seed_test
from pettingzoo.utils import BaseParallelWrapper
from pettingzoo.utils.conversions import aec_to_parallel, parallel_to_aec, turn_based_aec_to_parallel

import cleanup_env
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import CostRule, RoleCost
from contract_wrapper.contracts.payment_rules import LinearShares, PayPerCell, TaxAndShare, TaxByCells
from contract_wrapper.envs.pettingzoo_wrapper import ContractWrapper, make_contracted
from contract_wrapper.errors import ContractsError


class Orchard(ParallelEnv):
    """Action 1 of a harvester eats 2 apples, action 1 of a cleaner fires and cleans 1 cell."""

    metadata = {"name": "orchard_v0", "render_modes": ["ansi"]}  # noqa: RUF012
    render_mode = "ansi"

    def __init__(self, n_harvesters=2, n_cleaners=1, leaves=(), reports=True, length=6):
        self.possible_agents = [f"harvester_{i}" for i in range(n_harvesters)]
        self.possible_agents += [f"cleaner_{i}" for i in range(n_cleaners)]
        self.agents = []
        self.leaves, self.reports, self.length = dict(leaves), reports, length
        self.spaces = {a: (Box(0, 1, (2,), np.float64), Discrete(2)) for a in self.possible_agents}
        self.state_space = Box(0, 1, (3,), np.float64)

    def observation_space(self, agent):
        return self.spaces[agent][0]

    def action_space(self, agent):
        return self.spaces[agent][1]

    def reset(self, seed=None, options=None):
        self.rng = np.random.default_rng(seed)
        self.agents = list(self.possible_agents)
        self.time = 0
        return {a: self.rng.random(2) for a in self.agents}, {a: {"fresh": True} for a in self.agents}

    def step(self, actions):
        self.time += 1
        acted = list(self.agents)
        work = {a: int(actions[a]) for a in acted}
        for agent in actions:
            if agent not in acted:
                raise KeyError(f"orchard does not know {agent}")
        rewards = {a: 2.0 * work[a] if a.startswith("harvester") else 0.0 for a in acted}
        infos = {a: {} for a in acted}
        if self.reports:
            for a in acted:
                cleaned = work[a] if a.startswith("cleaner") else 0
                infos[a] = {"apples": int(rewards[a]), "cleaned": cleaned, "shots": cleaned}
        terminated = {a: self.leaves.get(a) == self.time for a in acted}
        truncated = dict.fromkeys(acted, self.time >= self.length)
        self.agents = [a for a in acted if not (terminated[a] or truncated[a])]
        self.infos = infos
        return {a: self.rng.random(2) for a in acted}, rewards, terminated, truncated, infos

    def state(self):
        return np.zeros(3)

    def render(self):
        return "two trees"


DEAL = Contract(tax=0.5, n_cleaners=1)


def everybody_works(env):
    return dict.fromkeys(env.agents, 1)


def played(env, **actions):
    env.reset(seed=0)
    return env.step({**everybody_works(env), **actions})


def test_utility_is_reward_plus_transfer_minus_cost():
    _, rewards, _, _, infos = played(ContractWrapper(Orchard(), DEAL))
    assert rewards == {"harvester_0": 1.0, "harvester_1": 1.0, "cleaner_0": 2.0 - 0.02}
    assert infos["harvester_0"] == {
        "apples": 2, "cleaned": 0, "shots": 0, "reward_raw": 2.0, "transfer": -1.0, "cost": 0.0
    }  # fmt: skip
    assert (infos["cleaner_0"]["transfer"], infos["cleaner_0"]["cost"]) == (2.0, 0.02)


def test_no_contract_leaves_rewards_alone():
    _, rewards, _, _, _ = played(ContractWrapper(Orchard(n_cleaners=0), Contract.none()))
    assert rewards == {"harvester_0": 2.0, "harvester_1": 2.0}


def test_rewards_are_plain_floats():
    _, rewards, _, _, infos = played(ContractWrapper(Orchard(), DEAL))
    assert {type(r) for r in rewards.values()} == {float}
    assert type(infos["cleaner_0"]["cost"]) is float


def test_reset_reports_that_nothing_was_paid_yet():
    _, infos = ContractWrapper(Orchard(), DEAL).reset(seed=0)
    assert infos["cleaner_0"] == {"fresh": True, "reward_raw": 0.0, "transfer": 0.0, "cost": 0.0}


def test_infos_of_the_game_itself_stay_untouched():
    game = Orchard()
    played(ContractWrapper(game, DEAL))
    assert game.infos["cleaner_0"] == {"apples": 0, "cleaned": 1, "shots": 1}


def test_other_payments_can_be_chosen():
    two = Contract(tax=0.5, n_cleaners=2)
    env = ContractWrapper(Orchard(n_cleaners=2), two, payment=TaxByCells(tax=0.5), costs="none")
    _, rewards, _, _, _ = played(env, cleaner_0=0)
    assert rewards == {"harvester_0": 1.0, "harvester_1": 1.0, "cleaner_0": 0.0, "cleaner_1": 2.0}


def test_own_payment_function_can_be_passed_as_it_is():
    untaxed = Contract(tax=0, n_cleaners=1)
    env = ContractWrapper(Orchard(), untaxed, payment=lambda r, activity, roles: [-3, 0, 3], costs="none")
    assert played(env)[1] == {"harvester_0": -1.0, "harvester_1": 2.0, "cleaner_0": 3.0}


def test_cost_per_episode_is_spread_over_the_horizon():
    env = ContractWrapper(Orchard(), DEAL, costs="costly", horizon=100)
    assert played(env)[1]["cleaner_0"] == 2.0 - 0.25


def test_who_leaves_is_paid_for_its_last_step_and_no_more():
    two = Contract(tax=0.5, n_cleaners=2)
    env = ContractWrapper(Orchard(n_cleaners=2, leaves={"cleaner_0": 1}), two, costs="none")
    _, first, _, _, _ = played(env)
    assert first == {"harvester_0": 1.0, "harvester_1": 1.0, "cleaner_0": 1.0, "cleaner_1": 1.0}
    _, second, _, _, _ = env.step(everybody_works(env))
    assert second == {"harvester_0": 1.0, "harvester_1": 1.0, "cleaner_1": 2.0}


def test_once_the_crew_has_left_nothing_is_taxed():
    env = ContractWrapper(Orchard(leaves={"cleaner_0": 1}), DEAL)
    played(env)
    assert env.step(everybody_works(env))[1] == {"harvester_0": 2.0, "harvester_1": 2.0}


def test_weights_stay_with_their_agents_when_somebody_leaves():
    untaxed = Contract(tax=0, n_cleaners=1)
    rule = LinearShares(weights=(0.25, 0.25, 0.5))
    env = ContractWrapper(Orchard(leaves={"harvester_0": 1}), untaxed, payment=rule, costs="none")
    assert played(env)[1] == {"harvester_0": 1.0, "harvester_1": 1.0, "cleaner_0": 2.0}
    assert env.step(everybody_works(env))[1] == {"harvester_1": 0.5, "cleaner_0": 1.0}


def test_roles_can_come_from_a_dict_a_function_a_list_or_the_game():
    names = {"harvester_0": "cleaner", "harvester_1": "harvester"}
    for roles in (names, names.get, list(names.values())):
        env = ContractWrapper(Orchard(n_cleaners=0), DEAL, roles=roles, costs="none")
        assert played(env)[1] == {"harvester_0": 3.0, "harvester_1": 1.0}
    game = Orchard(n_cleaners=0)
    game.roles = names
    assert played(ContractWrapper(game, DEAL, costs="none"))[1] == {"harvester_0": 3.0, "harvester_1": 1.0}


def test_missing_role_is_named():
    with pytest.raises(ContractsError, match="no role is given for 'harvester_1', 'cleaner_0'"):
        ContractWrapper(Orchard(), DEAL, roles={"harvester_0": "harvester"})


def test_wrong_crew_is_refused_with_the_way_out():
    with pytest.raises(ContractsError) as error:
        ContractWrapper(Orchard(n_cleaners=2), Contract(tax=0.1, n_cleaners=3))
    assert str(error.value) == (
        "the contract recruits 3 cleaners, but the game has 2 ('cleaner_0', 'cleaner_1'): "
        "build it with n_cleaners=3, or use make_contracted(contract, env_factory)"
    )
    with pytest.raises(ContractsError, match="recruits 1 cleaner, but the game has none: build"):
        ContractWrapper(Orchard(n_cleaners=0), DEAL)


def test_make_contracted_builds_the_game_that_the_contract_asks_for():
    env = make_contracted(Contract(tax=0.5, n_cleaners=3), lambda n: Orchard(n_cleaners=n), costs="none")
    assert env.possible_agents[-1] == "cleaner_2"
    assert played(env)[1]["cleaner_2"] == pytest.approx(2 / 3)


def test_two_different_taxes_are_refused():
    with pytest.raises(ContractsError, match=r"contract's tax is 0\.5, but the payment rule TaxAndShare takes 0\.1"):
        ContractWrapper(Orchard(), DEAL, payment=TaxAndShare(tax=0.1))
    with pytest.raises(ContractsError, match=r"PayPerCell takes 0\.0"):
        ContractWrapper(Orchard(), DEAL, payment=PayPerCell(price=1))


def test_payment_that_is_no_rule_is_refused():
    with pytest.raises(ContractsError, match=r"payment must be a payment rule or a function, got 0\.5"):
        ContractWrapper(Orchard(), DEAL, payment=0.5)


def test_payment_function_that_returns_nan_names_the_agent():
    with pytest.raises(ContractsError, match="pays 'harvester_1' nan apples"):
        played(ContractWrapper(Orchard(), DEAL, payment=lambda r, activity, roles: [0, np.nan, 0]))


def test_payment_function_of_wrong_shape_is_refused():
    with pytest.raises(ContractsError, match=r"shape \(3,\) like the rewards, got shape \(\)"):
        played(ContractWrapper(Orchard(), DEAL, payment=lambda r, activity, roles: 1.0))


def test_payment_to_somebody_who_left_is_refused():
    game = Orchard(leaves={"cleaner_0": 1})
    env = ContractWrapper(game, DEAL, payment=lambda r, activity, roles: [-1, 0, 1])
    played(env)
    with pytest.raises(ContractsError, match=r"pays 'cleaner_0' 1\.0 apples: it has left the episode"):
        env.step(everybody_works(env))


def test_reward_that_is_not_finite_is_blamed_on_the_game():
    class Broken(Orchard):
        def step(self, actions):
            observations, rewards, *rest = super().step(actions)
            return observations, {**rewards, "harvester_1": np.nan}, *rest

    with pytest.raises(ContractsError, match="the game gave 'harvester_1' a reward of nan"):
        played(ContractWrapper(Broken(), DEAL))


def test_count_that_the_game_does_not_report_is_asked_for_only_if_it_matters():
    with pytest.raises(ContractsError, match="'shots' of 'cleaner_0', but the game does not report it"):
        played(ContractWrapper(Orchard(reports=False), DEAL))
    with pytest.raises(ContractsError, match="'cleaned' of 'cleaner_0', but the game does not report it"):
        played(ContractWrapper(Orchard(reports=False), DEAL, payment=TaxByCells(tax=0.5), costs="none"))
    assert played(ContractWrapper(Orchard(reports=False), DEAL, costs="paper"))[1]["harvester_0"] == 1.0


def test_missing_horizon_is_found_before_the_first_step():
    with pytest.raises(ContractsError, match="pass horizon"):
        ContractWrapper(Orchard(), DEAL, costs="costly")
    game = Orchard()
    game.config = SimpleNamespace(horizon=100)
    assert played(ContractWrapper(game, DEAL, costs="costly"))[1]["cleaner_0"] == 2.0 - 0.25
    game.horizon = 50
    assert played(ContractWrapper(game, DEAL, costs="costly"))[1]["cleaner_0"] == 2.0 - 0.5


def test_unknown_costs_and_unknown_roles_in_costs_are_refused():
    with pytest.raises(ContractsError, match="choose one of effort"):
        ContractWrapper(Orchard(), DEAL, costs="efort")
    with pytest.raises(ContractsError, match="the costs name the role 'cleanr', which no agent has"):
        ContractWrapper(Orchard(), DEAL, costs=CostRule.of(cleanr=RoleCost(per_shot=1)))


def test_actions_for_unknown_agents_meet_the_error_of_the_game():
    with pytest.raises(KeyError, match="orchard does not know nobody_7"):
        played(ContractWrapper(Orchard(), DEAL), nobody_7=1)


def test_step_of_a_game_that_is_over_pays_nobody():
    env = ContractWrapper(Orchard(length=1), DEAL)
    played(env)
    assert env.step({})[1] == {}


def test_infos_hold_the_same_entries_after_reset_and_after_every_step():
    game = ContractWrapper(cleanup_env.parallel_env(n_cleaners=1, horizon=3), DEAL)
    _, infos = game.reset(seed=0)
    told = [infos]
    while game.agents:
        told.append(game.step(dict.fromkeys(game.agents, 4))[4])
    assert len({tuple(info) for infos in told for info in infos.values()}) == 1
    assert all(np.isscalar(value) for info in told[-1].values() for k, value in info.items() if k != "action_mask")


def test_after_the_end_of_the_game_a_step_of_nobody_returns_nothing():
    game = ContractWrapper(cleanup_env.parallel_env(n_cleaners=1, horizon=1), DEAL)
    game.reset(seed=0)
    game.step(dict.fromkeys(game.agents, 4))
    assert game.step({}) == ({}, {}, {}, {}, {})
    with pytest.raises(cleanup_env.CleanupError, match="over"):
        game.step(dict.fromkeys(game.possible_agents, 4))


class InTurn(AECEnv):
    """Two agents that act in turn."""

    def __init__(self, **metadata):
        self.metadata = {"name": "in_turn_v0", **metadata}
        self.possible_agents = ["harvester_0", "cleaner_0"]
        self.render_mode = None

    def __str__(self):
        return "in_turn_v0"


def test_a_game_in_turns_is_refused_when_built_with_the_conversion():
    with pytest.raises(ContractsError) as error:
        ContractWrapper(InTurn(is_parallelizable=True), DEAL)
    assert str(error.value) == (
        "a contract settles steps in which all agents act at once, but in_turn_v0 is an AEC environment, where agents "
        "act in turn: pass pettingzoo.utils.conversions.aec_to_parallel(env)"
    )
    with pytest.raises(ContractsError, match=r"conversions\.turn_based_aec_to_parallel\(env\)"):
        ContractWrapper(InTurn(), DEAL)
    for turn_based in (cleanup_env.env(n_cleaners=1), parallel_to_aec(Orchard())):
        with pytest.raises(ContractsError, match=r"conversions\.aec_to_parallel\(env\)"):
            ContractWrapper(turn_based, DEAL)
    with pytest.raises(ContractsError, match="act in turn"):
        make_contracted(DEAL, lambda n: cleanup_env.env(n_cleaners=n))


def test_what_the_conversions_return_is_taken():
    assert turn_based_aec_to_parallel(parallel_to_aec(Orchard()))  # the other name that the message gives
    for game in (aec_to_parallel(cleanup_env.env(n_cleaners=1)), aec_to_parallel(parallel_to_aec(Orchard()))):
        env = ContractWrapper(game, DEAL)
        env.reset(seed=0)
        assert set(env.step(dict.fromkeys(env.agents, 1))[1]) == set(env.possible_agents)


class TwoGoals(Orchard):
    """Rewards of two numbers, apples and waste, as MOMAland's environments have them."""

    def step(self, actions):
        observations, rewards, *rest = super().step(actions)
        return observations, {agent: np.array([reward, -1.0]) for agent, reward in rewards.items()}, *rest


class DeclaredByAgent(TwoGoals):
    def reward_space(self, agent):
        return Box(-1, 2, (2,))


class DeclaredInATable(TwoGoals):
    def __init__(self):
        super().__init__()
        self.reward_spaces = {agent: Box(-1, 2, (2,)) for agent in self.possible_agents}


class DeclaredForAll(TwoGoals):
    reward_space = Box(-1, 2, (2,))


class Weighed(BaseParallelWrapper):
    """The first of the two goals; `reward_space` is still handed on from inside, as in MOMAland's LinearizeReward."""

    def step(self, actions):
        observations, rewards, *rest = self.env.step(actions)
        return observations, {agent: reward[0] for agent, reward in rewards.items()}, *rest


@pytest.mark.parametrize("build", [DeclaredByAgent, DeclaredInATable, DeclaredForAll])
def test_vector_rewards_that_are_declared_are_refused_when_built(build):
    with pytest.raises(ContractsError, match=r"vector of shape \(2,\).*one number per agent.*LinearizeReward"):
        ContractWrapper(build(), DEAL)
    assert played(ContractWrapper(Weighed(build()), DEAL))[1]["harvester_0"] == 1.0


@pytest.mark.parametrize("of_two", [np.array, list, tuple])
def test_vector_rewards_that_are_not_declared_are_refused_in_the_first_step(of_two):
    class Undeclared(Orchard):
        def step(self, actions):
            observations, rewards, *rest = super().step(actions)
            return observations, {agent: of_two([reward, -1.0]) for agent, reward in rewards.items()}, *rest

    with pytest.raises(ContractsError, match=r"'harvester_0' is a vector of shape \(2,\).*weigh the objectives"):
        played(ContractWrapper(Undeclared(), DEAL))


def test_a_reward_space_of_one_number_is_no_vector():
    class Scalar(Orchard):
        def reward_space(self, agent):
            return Box(0, 2, () if agent == "cleaner_0" else (1,))

    assert played(ContractWrapper(Scalar(), DEAL))[1]["harvester_0"] == 1.0


def test_everything_else_passes_through():
    game = Orchard()
    env = ContractWrapper(game, DEAL)
    assert env.unwrapped is game
    assert env.observation_space("cleaner_0") is game.observation_space("cleaner_0")
    assert env.action_space("cleaner_0") is game.action_space("cleaner_0")
    assert env.state_space is game.state_space
    assert env.render() == "two trees"
    assert env.state().tolist() == [0, 0, 0]
    plain, _ = Orchard().reset(seed=3)
    wrapped, _ = env.reset(seed=3)
    np.testing.assert_array_equal(plain["cleaner_0"], wrapped["cleaner_0"])


@pytest.mark.parametrize("leaves", [{}, {"cleaner_0": 2, "harvester_1": 4}])
def test_wrapped_game_passes_the_tests_of_pettingzoo(leaves):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(ContractWrapper(Orchard(leaves=leaves), DEAL), num_cycles=20)
        parallel_seed_test(lambda: ContractWrapper(Orchard(leaves=leaves), DEAL))


def test_wrapped_game_can_be_copied_and_pickled():
    env = ContractWrapper(Orchard(), DEAL)
    env.reset(seed=0)
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert twin.step(everybody_works(twin))[1] == {
            "harvester_0": 1.0,
            "harvester_1": 1.0,
            "cleaner_0": 1.98,
        }
