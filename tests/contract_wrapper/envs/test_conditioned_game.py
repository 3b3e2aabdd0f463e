"""Games under contracts of their own: settled as under one contract each, drawn at every reset, and shown."""

import numpy as np
import pytest

from cleanup_env import make_config
from cleanup_env.scripted import ScriptedCrew
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import COSTS
from contract_wrapper.contracts.families import CellPriceContracts, CellTaxContracts, TaxContracts, stratified_terms
from contract_wrapper.contracts.payment_rules import PayPerCell, TaxByCells
from contract_wrapper.envs.batch_game import ContractedGame
from contract_wrapper.envs.conditioned_game import ConditionedGame
from contract_wrapper.errors import ContractsError
from mtmfq.interface import Signature

STEPS = 40
CONFIG = make_config("contract", horizon=STEPS)


def skilled(game, seed):
    """Actions (STEPS, B, N) of skilled players in such a game."""
    players = ScriptedCrew(game.game, "greedy", rng=np.random.default_rng(seed))
    game.game.reset(seed)
    chosen = []
    for _ in range(STEPS):
        chosen.append(players.act().copy())
        game.game.step(chosen[-1])
    return chosen


@pytest.mark.parametrize("costs", COSTS)
@pytest.mark.parametrize(
    ("family", "number", "tax", "payment"),
    [
        (TaxContracts(), 0.07, 0.07, None),
        (TaxContracts(), 0.0, 0.0, None),
        (CellTaxContracts(), 0.3, 0.3, TaxByCells(tax=0.3)),
        (CellPriceContracts(), 0.1, 0.0, PayPerCell(price=0.1)),
    ],
)
def test_copies_under_one_contract_are_settled_as_a_contracted_game_to_the_last_bit(
    costs, family, number, tax, payment
):
    contracted = ContractedGame(Contract(tax=tax, n_cleaners=3), n_games=4, config=CONFIG, costs=costs, payment=payment)
    conditioned = ConditionedGame(3, family=family, terms=[[number]], n_games=4, config=CONFIG, costs=costs)
    actions = skilled(contracted, 7)
    first, second = contracted.reset(7), conditioned.reset(7)
    assert np.array_equal(first, second)
    for chosen in actions:
        observations, utilities = contracted.step(chosen)
        same, also = conditioned.step(chosen)
        assert np.array_equal(observations, same)
        assert np.array_equal(utilities, also)
        for one, other in zip(contracted.settled, conditioned.settled, strict=True):
            assert np.array_equal(one, other)
        assert np.array_equal(contracted.raw_rewards, conditioned.raw_rewards)
    assert np.array_equal(conditioned.episode_shift()[0], contracted.reward_shift()[contracted.agent_types])
    if payment is None:
        assert np.array_equal(conditioned.episode_scale()[0], contracted.reward_scale()[contracted.agent_types])


def test_each_copy_is_settled_under_its_own_tax():
    game = ConditionedGame(2, terms=[[0.0], [0.5]], n_games=2, config=CONFIG)
    actions = skilled(game, 1)
    game.reset(1)
    paid = np.zeros(2)
    for chosen in actions:
        game.step(chosen)
        paid -= np.minimum(game.settled.transfers, 0).sum(axis=1)
    assert paid[0] == 0 < paid[1]


def test_contracts_are_drawn_anew_at_every_reset_from_its_seed_alone():
    game, again = ConditionedGame(2, n_games=8), ConditionedGame(2, n_games=8)
    game.reset(3)
    first = game.terms.copy()
    assert sorted((8 * first[:, 0]).astype(int)) == list(range(8))
    game.reset(4)
    assert not np.array_equal(game.terms, first)
    again.reset(3)
    assert np.array_equal(again.terms, first)
    shown = game.context()
    assert np.array_equal(shown[:, 0, 2], game.terms[:, 0].astype(np.float32))  # of the present episode, not the first


def test_drawing_contracts_leaves_the_games_as_they_are():
    drawn, fixed = ConditionedGame(2, n_games=3), ConditionedGame(2, terms=[[0.5]], n_games=3)
    assert np.array_equal(drawn.reset(5), fixed.reset(5))
    assert (fixed.terms == 0.5).all()


def test_copies_can_have_seeds_of_their_own():
    game = ConditionedGame(2, n_games=2)
    seen = game.reset(0, seeds=np.array([9, 9]))
    assert np.array_equal(seen[0], seen[1])


def test_agents_see_their_contract_and_the_size_of_their_crew():
    game = ConditionedGame(2, terms=[[0.25]], largest_crew=4, config=CONFIG)
    assert Signature.of(game).n_context == 5
    assert game.context().shape == (1, 7, 5)
    assert game.context().dtype == np.float32
    assert game.context()[0, 0].tolist() == [0.75, 0.0, 0.25, 0.5, 0.5]
    assert game.context()[0, 6].tolist() == [1.0, 0.125, 0.25, 0.5, 0.5]


def test_the_context_of_a_flat_cost_declares_it_as_a_shift():
    game = ConditionedGame(1, costs="costly", config=CONFIG)
    assert game.episode_shift()[0].tolist() == [0.0] * 5 + [25.0 / STEPS]


def test_without_cleaners_nobody_is_taxed():
    game = ConditionedGame(0, n_games=4)
    game.reset(3)
    assert (game.terms == 0).all()
    assert game.context()[0, 0].tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ConditionedGame(6), "n_cleaners must be an integer between 0 and largest_crew=5, got 6"),
        (lambda: ConditionedGame("two"), "n_cleaners must be an integer between 0 and largest_crew=5, got 'two'"),
        (lambda: ConditionedGame(0, largest_crew=0), "largest_crew must be an integer of at least 1, got 0"),
        (lambda: ConditionedGame(-1), "n_cleaners must be an integer between 0 and largest_crew=5, got -1"),
        (
            lambda: ConditionedGame(2, terms=[[0.1], [0.2]], n_games=3),
            "3 games need as many contracts, or one for all, got 2",
        ),
        (lambda: ConditionedGame(2, terms=[[1.5]]), r"tax must lie in \[0, 1\] here, got 1.5"),
        (lambda: ConditionedGame(0, terms=[[0.5]]), "no cleaners to be paid, so tax must be 0"),
        (lambda: ConditionedGame(0, family=TaxContracts(low=0.1)), "no cleaners to be paid, so tax must be 0"),
        (lambda: ConditionedGame(2, costs="efort"), "choose one of effort"),
    ],
)
def test_games_that_cannot_be_are_refused(build, message):
    with pytest.raises(ContractsError, match=message):
        build()


FAMILIES = [TaxContracts(), TaxContracts(low=0.2, high=0.6), CellTaxContracts(), CellPriceContracts(high=0.5)]
FLAT_AND_MORE = "harvester:per_step=0.01;cleaner:per_shot=0.02,per_episode=3"


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_utilities_in_common_units_are_the_weighted_sum_of_their_parts(family):
    game = ConditionedGame(3, family=family, n_games=3, config=CONFIG, costs=FLAT_AND_MORE)
    actions = skilled(game, 5)
    game.reset(5)
    agents = np.arange(game.n_agents)
    for chosen in actions:
        _, utilities = game.step(chosen)
        common = (utilities + game.episode_shift()) * game.episode_scale()
        parts = game.reward_parts()
        for b in range(game.n_games):
            contexts, weights = game.under(np.repeat(game.terms[b : b + 1], len(agents), axis=0), agents)
            assert np.array_equal(contexts, game.context()[b])
            assert (weights * parts[:, b].T).sum(axis=1) == pytest.approx(common[b], abs=1e-12)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_what_was_played_reads_under_other_contracts_as_if_these_had_been_the_contracts(family):
    played = ConditionedGame(2, family=family, n_games=4, config=CONFIG, costs=FLAT_AND_MORE)
    other = stratified_terms(family, 4, np.random.default_rng(3))
    there = ConditionedGame(2, family=family, terms=other, n_games=4, config=CONFIG, costs=FLAT_AND_MORE)
    actions = skilled(played, 2)
    played.reset(2)
    there.reset(2)
    for chosen in actions:
        played.step(chosen)
        _, utilities = there.step(chosen)
        common = (utilities + there.episode_shift()) * there.episode_scale()
        for agent in range(played.n_agents):
            contexts, weights = played.under(other, np.full(4, agent))
            assert np.array_equal(contexts, there.context()[:, agent])
            read = (weights * played.reward_parts()[:, :, agent].T).sum(axis=1)
            assert read == pytest.approx(common[:, agent], abs=1e-12)


def test_contracts_drawn_for_samples_lie_within_the_family_and_cover_it():
    game = ConditionedGame(2, family=TaxContracts(low=0.2, high=0.6), n_games=1, config=CONFIG)
    contexts, weights = game.other_contexts(np.random.default_rng(0), np.zeros(1000, np.int64))
    tax = contexts[:, 2]
    assert tax.min() >= np.float32(0.2)
    assert tax.max() <= np.float32(0.6)
    assert np.histogram(tax, 4, (0.2, 0.6))[0] == pytest.approx(250, abs=60)
    assert weights.shape == (1000, game.n_parts)


def test_only_contracts_that_are_drawn_and_linear_can_be_read_otherwise():
    class Bent(TaxContracts):
        linear = False

    assert ConditionedGame(2, config=CONFIG).n_parts == 3
    assert ConditionedGame(2, family=Bent(), config=CONFIG).n_parts == 0
    assert ConditionedGame(2, terms=[[0.3]], config=CONFIG).n_parts == 0
    assert ConditionedGame(0, config=CONFIG).n_parts == 0
