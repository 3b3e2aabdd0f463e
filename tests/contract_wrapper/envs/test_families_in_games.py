"""Every family in Clean-up: batch, wrapper and batch under many contracts settle alike; free agents; prices of agents."""

import dataclasses
from typing import ClassVar

import numpy as np
import pytest
from pettingzoo import ParallelEnv

from cleanup_env import Action, make_config, parallel_env
from cleanup_env.batch import BatchCleanup
from cleanup_env.scripted import ScriptedCrew
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.families import TaxContracts, stratified_terms
from contract_wrapper.contracts.function_families import FunctionContracts
from contract_wrapper.contracts.further_rules import FreeTax
from contract_wrapper.contracts.linear_families import LinearContracts
from contract_wrapper.contracts.payment_rules import CustomPayment
from contract_wrapper.contracts.tax_families import FreeTaxContracts, HarvesterTaxContracts, PieceRateContracts
from contract_wrapper.envs.batch_game import ContractedGame, check_game, types_of
from contract_wrapper.envs.conditioned_game import ConditionedGame
from contract_wrapper.envs.pettingzoo_wrapper import ContractWrapper, make_contracted
from contract_wrapper.errors import ContractsError
from mtmfq.interface import Signature

STEPS, SEED = 40, 3
BASE = make_config("contract", horizon=STEPS, n_harvesters=2)
FREE_BASE = make_config("original", horizon=STEPS, n_free=3, start="clean", penalty_beam=False)
DEAR = "harvester:per_step=0.01;harvester_1:per_step=0.25;cleaner:per_shot=0.02;cleaner_1:per_cell=0.5,per_episode=3"


def wage(rewards, activity, roles, price):
    earned = price * activity.cleaned * roles.cleaner
    return earned - earned.sum(axis=-1, keepdims=True) * roles.harvester / roles.harvester.sum()


FAMILIES = {
    "own taxes": (HarvesterTaxContracts(n_harvesters=2), [[0.125, 0.375]], 0.25),
    "piece rate": (PieceRateContracts(), [[0.5, 0.25]], 0.5),
    "linear": (LinearContracts(harvester_weight=(-1, 1), cleaner_weight=(-1, 1)), [[0.5, -0.25]], 0.0),
    "function": (FunctionContracts(function=wage, terms={"price": (0, 1)}, needs=("cleaned",), linear=True), [[0.3]], 0.0),
    "free tax": (FreeTaxContracts(), [[0.5, 0.75]], 0.0),
}  # fmt: skip
each_family = pytest.mark.parametrize("name", FAMILIES)


def about(name):
    """Game without recruits, its crew, and costs."""
    return (FREE_BASE, 0, "free:per_shot=0.02;free_1:per_step=0.25") if name == "free tax" else (BASE, 2, DEAR)


@pytest.fixture(scope="module")
def plays():
    """Actions (STEPS, N) in either game, such that apples are eaten and cells cleaned."""
    return {"linear": skilled(), "free tax": busy()}


def skilled():
    game = BatchCleanup(dataclasses.replace(BASE, n_cleaners=2), 1)
    players = ScriptedCrew(game, "greedy", rng=np.random.default_rng(SEED))
    game.reset(SEED)
    chosen = []
    for _ in range(STEPS):
        chosen.append(players.act()[0].copy())
        game.step(chosen[-1][None])
    return np.array(chosen)


def busy():
    """Free agents walk about at random and shoot every third step."""
    rng = np.random.default_rng(5)
    shape = (STEPS, FREE_BASE.n_agents)
    return np.where(rng.random(shape) < 0.4, FREE_BASE.action_number("free", Action.CLEAN), rng.integers(0, 7, shape))


def played(plays, name):
    return plays["free tax" if name == "free tax" else "linear"]


@each_family
def test_batch_wrapper_and_many_contracts_settle_alike_to_the_last_bit(name, plays):
    (family, terms, tax), (base, crew, costs) = FAMILIES[name], about(name)
    contract = Contract(tax=tax, n_cleaners=crew)
    rule = family.rule(**dict(zip(family.terms, terms[0], strict=True)))
    contracted = ContractedGame(contract, n_games=1, config=base, costs=costs, payment=rule)
    conditioned = ConditionedGame(crew, family=family, terms=terms, n_games=1, config=base, costs=costs)
    settings = {**base.as_dict(), "n_cleaners": crew}
    wrapped = make_contracted(
        contract, lambda n: parallel_env("contract", observation="features", **settings), payment=rule, costs=costs
    )
    contracted.reset(SEED)
    conditioned.reset(SEED)
    wrapped.reset(seed=SEED)
    moved = charged = 0.0
    for chosen in played(plays, name):
        contracted.step(chosen[None])
        conditioned.step(chosen[None])
        _, utilities, _, _, infos = wrapped.step(dict(zip(wrapped.possible_agents, chosen.tolist(), strict=True)))
        for one, other in zip(contracted.settled, conditioned.settled, strict=True):
            assert one[0].tolist() == other[0].tolist()
        assert [utilities[a] for a in wrapped.possible_agents] == contracted.settled.utilities[0].tolist()
        assert [infos[a]["cost"] for a in wrapped.possible_agents] == contracted.settled.costs[0].tolist()
        moved += np.abs(contracted.settled.transfers).sum()
        charged = charged + contracted.settled.costs[0]
    assert moved > 0
    assert len(set(charged.tolist())) > 2 or name == "free tax"
    assert charged[1] >= 0.25 * STEPS  # its own price, not its role's


@each_family
def test_what_was_played_reads_under_other_contracts_as_if_these_had_been_the_contracts(name, plays):
    (family, _, _), (base, crew, costs) = FAMILIES[name], about(name)
    game = ConditionedGame(crew, family=family, n_games=3, config=base, costs=costs)
    other = stratified_terms(family, 3, np.random.default_rng(3))
    there = ConditionedGame(crew, family=family, terms=other, n_games=3, config=base, costs=costs)
    game.reset(2)
    there.reset(2)
    assert game.n_parts > 2
    moved = 0.0
    for chosen in played(plays, name):
        game.step(np.stack([chosen] * 3))
        _, utilities = there.step(np.stack([chosen] * 3))
        common = (utilities + there.episode_shift()) * there.episode_scale()
        moved += np.abs(game.settled.transfers - there.settled.transfers).sum()
        for agent in range(game.n_agents):
            contexts, weights = game.under(other, np.full(3, agent))
            assert weights.shape == (3, game.n_parts)
            assert np.array_equal(contexts, there.context()[:, agent])
            read = (weights * game.reward_parts()[:, :, agent].T).sum(axis=1)
            assert read == pytest.approx(common[:, agent], abs=1e-10)
    assert moved > 0


@each_family
def test_a_learner_finds_what_it_needs(name):
    (family, terms, tax), (base, crew, costs) = FAMILIES[name], about(name)
    game = ConditionedGame(crew, family=family, n_games=3, config=base, costs=costs)
    game.reset(1)
    signature = Signature.of(game)
    assert signature.n_context == family.n_shown + 1
    assert game.context().shape == (3, game.n_agents, signature.n_context)
    rule = family.rule(**dict(zip(family.terms, terms[0], strict=True)))
    single = ContractedGame(Contract(tax=tax, n_cleaners=crew), config=base, costs=costs, payment=rule)
    assert single.reward_scale().shape == single.reward_shift().shape == (len(single.type_names),)
    assert len(Signature.of(single).type_names) == len(single.type_names)


def test_flat_costs_are_declared_per_agent_and_per_type_by_their_mean():
    game = ConditionedGame(2, n_games=2, config=BASE, costs=DEAR)
    assert game.episode_shift().tolist() == [[0.01, 0.25, 0.0, 3 / STEPS]] * 2
    single = ContractedGame(Contract(tax=0.1, n_cleaners=2), config=BASE, costs=DEAR)
    assert single.reward_shift() == pytest.approx([1.5 / STEPS, 0.13])
    alike = ContractedGame(Contract(tax=0.1, n_cleaners=3), config=BASE, costs="cleaner:per_step=0.1")
    assert alike.reward_shift().tolist() == [0.1, 0.0]  # no rounding of a mean
    alone = ContractedGame(Contract.none(), config=BASE, costs="cleaner:per_step=0.1")
    assert alone.reward_shift().tolist() == [0.1, 0.0]  # a type without agents has its role's


class Silent(ParallelEnv):
    """Two agents who report what they shot, and no cells."""

    metadata: ClassVar = {"name": "silent_v0"}
    possible_agents: ClassVar = ["harvester_0", "harvester_1"]

    def reset(self, seed=None, options=None):
        self.agents = list(self.possible_agents)
        return dict.fromkeys(self.agents, 0), {agent: {} for agent in self.agents}

    def step(self, actions):
        over = dict.fromkeys(self.agents, False)
        infos = {agent: {"shots": 2} for agent in self.agents}
        return dict.fromkeys(self.agents, 0), dict.fromkeys(self.agents, 1.0), over, over, infos


def test_a_game_must_report_what_an_agents_own_prices_charge_for():
    env = ContractWrapper(Silent(), Contract.none(), costs="harvester_1:per_shot=0.25")
    env.reset()
    assert env.step({"harvester_0": 0, "harvester_1": 0})[1] == {"harvester_0": 1.0, "harvester_1": 0.5}
    env = ContractWrapper(Silent(), Contract.none(), costs="harvester_1:per_cell=0.25")
    env.reset()
    with pytest.raises(
        ContractsError, match="charge or pay for 'cleaned' of 'harvester_1', but the game does not report"
    ):
        env.step({"harvester_0": 0, "harvester_1": 0})


# Who is in the game.


def test_types_of_agents_are_as_ever_without_free_agents():
    assert types_of(BASE) == ("cleaner", "harvester")
    assert types_of(dataclasses.replace(BASE, n_free=1)) == ("cleaner", "harvester", "free")
    game = ContractedGame(Contract.none(), config=FREE_BASE, payment=FreeTax(tax=0.5))
    assert game.type_names == ("free",)
    assert game.n_actions == (8,)
    assert game.agent_types.tolist() == [0, 0, 0]
    assert game.reward_scale().tolist() == [1.0]


def test_a_game_with_the_penalty_beam_conserves_money_too():
    base = make_config("meltingpot-like", horizon=STEPS, start="clean")
    game = ConditionedGame(0, family=FreeTaxContracts(), n_games=4, config=base)
    game.reset(0)
    rng, fined, moved = np.random.default_rng(0), 0.0, 0.0
    for _ in range(STEPS):
        game.step(rng.integers(0, 9, (4, 7)))
        fined += (game.raw_rewards < -10).sum()
        moved += np.abs(game.settled.transfers).sum()
        np.testing.assert_allclose(game.settled.transfers.sum(axis=1), 0.0, atol=1e-12)
    assert fined > 0
    assert moved > 0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: ConditionedGame(0, config=FREE_BASE),
            "know the roles cleaner and harvester, but the game has 3 free agents: use a preset .* or FreeTax$",
        ),
        (lambda: ContractedGame(Contract.none(), config=FREE_BASE), "but the game has 3 free agents"),
        (
            lambda: ConditionedGame(0, family=FreeTaxContracts(), config=BASE),
            "contracts know the roles free, but the game has 2 harvesters: use a preset without them, such as 'original'",
        ),
        (
            lambda: ConditionedGame(2, family=FreeTaxContracts(), config=FREE_BASE),
            "know the roles free, so nobody is recruited: n_cleaners must be 0, got 2",
        ),
        (
            lambda: ContractedGame(Contract(tax=0.0, n_cleaners=1), config=FREE_BASE, payment=FreeTax(tax=0.5)),
            "so nobody is recruited: n_cleaners must be 0, got 1",
        ),
        (lambda: check_game(FREE_BASE, 0, pays=("porter",), paid=("free",)), "nobody pays in a game without agents of the role porter"),
        (
            lambda: check_game(dataclasses.replace(BASE, n_harvesters=0, n_cleaners=1)),
            "there is nothing to tax in a game without harvesters: set n_harvesters",
        ),
        (
            lambda: check_game(dataclasses.replace(FREE_BASE, n_harvesters=1), FREE_BASE.n_places - 2, pays=("harvester",), paid=("cleaner", "free")),
            "too few for 1 harvesters and 3 free agents and [0-9]+ cleaners",
        ),
        (lambda: ConditionedGame(2, family=HarvesterTaxContracts(), config=BASE), "but the game has 2: use Harvester"),
        (
            lambda: ConditionedGame(0, family=PieceRateContracts(tax=(0.1, 1)), config=BASE),
            "no cleaners to be paid, so tax and piece_rate must be 0",
        ),
        (
            lambda: ContractedGame(Contract(tax=0.0, n_cleaners=2), config=BASE, costs="harvester_2:per_step=1"),
            "the costs name the agent 'harvester_2', which the game does not have",
        ),
    ],
)  # fmt: skip
def test_games_that_a_contract_is_not_for_are_refused(build, message):
    with pytest.raises(ContractsError, match=message):
        build()


def test_without_anybody_to_pay_a_tax_of_0_is_no_contract_whatever_the_piece_rate():
    game = ConditionedGame(0, family=PieceRateContracts(piece_rate=(0.5, 1)), n_games=2, config=BASE)
    game.reset(1)
    assert game.terms.tolist() == [[0.0, 0.5]] * 2
    assert game.n_parts == 0


def test_where_harvesters_are_paid_contracts_are_drawn_without_a_crew_too():
    game = ConditionedGame(0, family=FAMILIES["linear"][0], n_games=4, config=BASE)
    game.reset(1)
    assert len(np.unique(game.terms[:, 0])) == 4


def test_a_function_can_pay_whom_it_names():
    def equal(rewards, activity, roles):
        return rewards.mean(axis=-1, keepdims=True) - rewards

    rule = CustomPayment(function=equal, pays=("free",), paid=("free",))
    game = ContractedGame(Contract.none(), config=FREE_BASE, payment=rule)
    game.reset(0)
    game.step(np.zeros((1, 3), np.int64))
    assert np.ptp(game.settled.utilities) < 1e-12


def test_the_first_four_things_that_agents_see_are_those_of_the_single_tax():
    one = ConditionedGame(2, terms=[[0.25]], config=BASE).context()
    own = ConditionedGame(2, family=HarvesterTaxContracts(n_harvesters=2), terms=[[0.25, 0.25]], config=BASE).context()
    part = ConditionedGame(2, family=PieceRateContracts(), terms=[[0.25, 0.5]], config=BASE).context()
    for other in (own, part):
        assert np.array_equal(one[..., :4], other[..., :4])
        assert np.array_equal(one[..., 4], other[..., 5])  # the size of the crew comes last
    assert TaxContracts().n_shown == 4
