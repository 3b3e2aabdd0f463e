"""A PettingZoo game as a batch: settled as by the wrapper, on Clean-up the same as Clean-up's own batch."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Discrete
from hypothesis import given, settings
from hypothesis import strategies as st
from small_zoo import Meadow, Spaces, sees_the_next

import cleanup_env
from cleanup_env import make_config
from contract_wrapper import (
    ConditionedGame,
    ConditionedPettingZooGames,
    Contract,
    ContractedGame,
    ContractsError,
    ContractWrapper,
    CustomPayment,
    LinearShares,
    PayPerCell,
    PettingZooGames,
    TaxAndShare,
    TaxByCells,
    TaxContracts,
)
from contract_wrapper.contracts.families import CellPriceContracts, CellTaxContracts
from contract_wrapper.envs.episode_sums import EpisodeSums
from mtmfq.interface import Signature

DEAL = Contract(tax=0.3, n_cleaners=2)
MEADOW = partial(Meadow, n_harvesters=2, n_cleaners=2)
ROLES = {"harvester_0": "harvester", "harvester_1": "harvester", "cleaner_0": "cleaner", "cleaner_1": "cleaner"}


def by_shots(rewards, activity, roles):
    """Harvesters pay 0.2 of their income; a cleaner's share grows with its shots."""
    paid = 0.2 * rewards * roles.harvester
    weights = roles.cleaner * (1.0 + activity.shots)
    total = weights.sum(axis=-1, keepdims=True)
    shares = np.where(total > 0, weights / np.where(total > 0, total, 1.0), 0.0)
    return np.where(total > 0, paid.sum(axis=-1, keepdims=True) * shares - paid, 0.0)


RULES: dict[str, tuple[Contract, Any]] = {
    "default": (DEAL, None),
    "by cells": (DEAL, TaxByCells(tax=0.3)),
    "per cell": (Contract(tax=0.0, n_cleaners=2), PayPerCell(price=0.1)),
    "minted": (Contract(tax=0.0, n_cleaners=2), PayPerCell(price=0.1, minted=True)),
    "shares": (Contract(tax=0.0, n_cleaners=2), LinearShares(weights=(0.1, 0.2, 0.3, 0.4))),
    "function": (Contract(tax=0.0, n_cleaners=2), by_shots),
}
COSTS = "cleaner:per_shot=0.02,per_episode=1;harvester:per_step=0.1"
TIMES = st.dictionaries(st.sampled_from(sorted(ROLES)), st.integers(1, 6))


# ---- settled as by the wrapper


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(RULES)), TIMES, TIMES, st.integers(0, 2**32), st.integers(1, 3))
def test_utilities_are_those_of_the_wrapper_on_each_copy_to_the_last_bit(rule, comes, leaves, seed, n_games):
    contract, payment = RULES[rule]
    make = partial(MEADOW, comes=comes, leaves=leaves)
    deal = {"payment": payment, "costs": COSTS}
    games = PettingZooGames(make, contract, n_games=n_games, **deal)
    games.reset(seed)
    wrapped = [ContractWrapper(make(), contract, **deal) for _ in range(n_games)]
    for env, own in zip(wrapped, games.seeds.tolist(), strict=True):
        env.reset(seed=own)
    rng = np.random.default_rng(seed)
    for _ in range(games.horizon):
        actions = rng.integers(0, 3, (n_games, 4))
        _, utilities = games.step(actions)
        for b, env in enumerate(wrapped):
            acts = dict(zip(env.possible_agents, actions[b].tolist(), strict=True))
            paid, infos = {}, {}
            if env.agents:  # a game without agents is over, whoever would have come
                _, paid, _, _, infos = env.step({a: acts[a] for a in env.agents})
            for i, agent in enumerate(env.possible_agents):
                told = infos.get(agent, {}) if agent in paid else {}
                assert utilities[b, i] == paid.get(agent, 0.0)
                assert games.settled.transfers[b, i] == told.get("transfer", 0.0)
                assert games.settled.costs[b, i] == told.get("cost", 0.0)
                assert games.raw_rewards[b, i] == told.get("reward_raw", 0.0)


class Leaving(Meadow):
    """A meadow that its first harvester leaves after step 3, and its second cleaner after step 4, if its seed is even."""

    def reset(self, seed=None, options=None):
        self.leaves = {} if seed % 2 else {"harvester_0": 3, "cleaner_1": 4}
        return super().reset(seed)


def test_copies_that_different_agents_have_left_are_settled_each_by_itself():
    games = PettingZooGames(partial(Leaving, n_cleaners=2), DEAL, n_games=3, costs="none")
    games.reset(0, seeds=[1, 2, 4])
    for _ in range(4):
        _, utilities = games.step(np.ones((3, 4), np.int64))
    assert games.here[:, 0].tolist() == [True, False, False]
    assert utilities[0] == pytest.approx([0.77, 0.77, 0.33, 0.33])
    assert utilities[1] == pytest.approx([0.0, 0.77, 0.165, 0.165])
    assert (utilities[2] == utilities[1]).all()


# ---- on Clean-up: the same as its own batch

STEPS = 30
CLEANUP = partial(cleanup_env.parallel_env, "contract", observation="features", horizon=STEPS, n_cleaners=2, cooldown=2)
CONFIG = make_config("contract", horizon=STEPS, cooldown=2)


def who_sees_whom(env):
    return env.game.visible()[0]


def both(n_games, **deal):
    ours = PettingZooGames(CLEANUP, DEAL, n_games=n_games, visible=who_sees_whom, no_op=4, **deal)
    return ours, ContractedGame(DEAL, n_games=n_games, config=CONFIG, **deal)


@pytest.mark.parametrize("n_games", [1, 3])
@pytest.mark.parametrize("deal", [{}, {"payment": TaxByCells(tax=0.3), "costs": "costly"}], ids=["default", "other"])
def test_clean_up_is_played_and_settled_as_by_its_own_batch(n_games, deal):
    ours, its = both(n_games, **deal)
    assert Signature.of(ours) == Signature.of(its)
    assert (ours.reward_scale() == its.reward_scale()).all()
    assert (ours.reward_shift() == its.reward_shift()).all()
    rng, sums, same = np.random.default_rng(3), EpisodeSums(ours), EpisodeSums(its)
    for seed in (5, 6):
        assert (ours.reset(seed) == its.reset(seed)).all()
        for step in range(STEPS):
            assert (ours.visible() == its.visible()).all()
            assert (ours.action_mask() == its.action_mask()).all()
            actions = rng.integers(0, its.game.n_actions, (n_games, 7))
            seen, utilities = ours.step(actions)
            other, also = its.step(actions)
            assert (seen == other).all(), step
            assert (utilities == also).all()
            assert all((a == b).all() for a, b in zip(ours.settled, its.settled, strict=True))
            sums.add()
            same.add()
    for name in ("rewards", "transfers", "costs", "utilities", "apples", "cleaned", "shots", "welfare"):
        assert (getattr(sums, name) == getattr(same, name)).all(), name
    assert sums.shots.sum() > 0 < sums.apples.sum()
    assert set(sums.waste) == {0.0}
    assert same.waste[-1] > 0


@pytest.mark.parametrize("family", [TaxContracts(), CellTaxContracts(), CellPriceContracts(high=0.5)], ids=str)
def test_clean_up_under_a_family_is_settled_and_shown_as_by_its_own_batch(family):
    ours = ConditionedPettingZooGames(CLEANUP, family, n_games=3, costs=COSTS)
    its = ConditionedGame(2, family=family, n_games=3, config=CONFIG, costs=COSTS)
    assert (Signature.of(ours).n_context, ours.n_parts) == (Signature.of(its).n_context, its.n_parts)
    assert (ours.reset(4) == its.reset(4)).all()
    rng = np.random.default_rng(0)
    assert (ours.terms == its.terms).all()
    for name in ("context", "episode_scale", "episode_shift"):
        assert (getattr(ours, name)() == getattr(its, name)()).all(), name
    for _ in range(STEPS):
        actions = rng.integers(0, its.game.n_actions, (3, 7))
        assert (ours.step(actions)[1] == its.step(actions)[1]).all()
        assert (ours.reward_parts() == its.reward_parts()).all()


# ---- who comes and goes


def test_who_has_left_or_not_come_sees_nothing_earns_nothing_and_is_not_seen():
    make = partial(Meadow, comes={"harvester_0": 2}, leaves={"harvester_1": 1, "cleaner_0": 3}, max_cycles=4)
    game = PettingZooGames(make, Contract(tax=0.0, n_cleaners=1), costs="none")
    seen = game.reset(0).copy()
    there = [(seen[0] != 0).any(axis=1).tolist()]
    visible, earned = [game.visible()[0].tolist()], []
    for _ in range(4):
        seen, utilities = game.step(np.ones((1, 3), np.int64))
        there.append((seen[0] != 0).any(axis=1).tolist())
        visible.append(game.visible()[0].tolist())
        earned.append(utilities[0].tolist())
    none = [[False] * 3] * 3
    each = [[False] * 3, [False, False, True], [False, True, False]]
    assert there == [
        [False, True, True], [False, False, True], [True, False, True], [True, False, False], [True, False, False]
    ]  # fmt: skip
    assert earned == [[0.0, 1.1, 0.0], [0.0, 0.0, 0.0], [1.1, 0.0, 0.0], [1.1, 0.0, 0.0]]
    assert visible[0] == each
    assert visible[1] == none
    assert visible[2] == [[False, False, True], [False] * 3, [True, False, False]]
    assert visible[4] == none


def test_a_game_that_is_over_stays_over_until_the_horizon_and_begins_anew():
    game = PettingZooGames(partial(MEADOW, max_cycles=2), DEAL, n_games=2, horizon=4)
    first = game.reset(3).copy()
    for step in range(4):
        seen, utilities = game.step(np.full((2, 4), 2))
        assert (utilities != 0).any() == (step < 2)
        assert seen.any() == (step < 1)  # what it shows last would be the end of the horizon, which is not here
        assert (game.settled.costs != 0).any() == (step < 2)
    with pytest.raises(ContractsError, match=r"no episode is under way \(horizon 4\): call reset"):
        game.step(np.full((2, 4), 2))
    assert (game.reset(3) == first).all()
    assert game.step(np.full((2, 4), 2))[1].any()


def test_in_the_last_step_agents_see_what_the_game_shows_last():
    game = PettingZooGames(MEADOW, DEAL, horizon=2)  # a game of six steps: it is cut
    game.reset(0)
    game.step(np.zeros((1, 4), np.int64))
    assert game.step(np.zeros((1, 4), np.int64))[0].all()
    whole = PettingZooGames(MEADOW, DEAL)
    whole.reset(0)
    for _ in range(6):
        seen, _ = whole.step(np.zeros((1, 4), np.int64))
    assert seen.all()


def test_who_sees_whom_can_be_an_array_or_asked_of_each_game():
    chain = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1]])
    for visible in (chain, chain.tolist(), sees_the_next):
        game = PettingZooGames(partial(Meadow, leaves={"cleaner_0": 2}), DEAL_OF_ONE, n_games=2, visible=visible)
        game.reset(0)
        assert game.visible().tolist() == [np.eye(3, k=1, dtype=bool).tolist()] * 2
        game.step(np.zeros((2, 3), np.int64))
        assert game.visible().any() == (visible is not sees_the_next)
        game.step(np.zeros((2, 3), np.int64))
        assert game.visible()[0].tolist() == [[False, True, False], [False] * 3, [False] * 3]


DEAL_OF_ONE = Contract(tax=0.5, n_cleaners=1)


# ---- families of contracts in other games


def test_parts_add_up_to_utilities_when_agents_have_left():
    game = ConditionedPettingZooGames(partial(Leaving, n_cleaners=2), TaxContracts(), n_games=3, costs=COSTS)
    game.reset(1, seeds=[2, 1, 4])  # the second copy keeps all its agents
    agents, rng = np.arange(4), np.random.default_rng(1)
    for _ in range(game.horizon):
        _, utilities = game.step(rng.integers(0, 3, (3, 4)))
        common = (utilities + game.episode_shift()) * game.episode_scale()
        parts = game.reward_parts()
        for b in range(3):
            _, weights = game.under(np.repeat(game.terms[b : b + 1], 4, axis=0), agents)
            assert (weights * parts[:, b].T).sum(axis=1) == pytest.approx(common[b], abs=1e-12)
            alone = TaxAndShare(tax=game.terms[b, 0])
            here = game.here[b].tolist()
            paid = alone.transfers(game.raw_rewards[b], game.activity, game.roles.present(here))
            assert (game.settled.transfers[b] == paid).all()
    assert game.here.all(axis=1).tolist() == [False, True, False]


class EqualSplit:
    """Everybody pays a part of its reward into a pot that all share: a family that knows no cleaners."""

    terms, bounds, n_shown, linear = ("part",), ((0.0, 1.0),), 1, True

    def payment(self, terms):
        part = terms[:, :1]
        return CustomPayment(function=lambda r, activity, roles: part * (r.mean(axis=-1, keepdims=True) - r))

    def shown(self, terms, roles):
        return np.repeat(terms[:, None], len(roles.names), axis=1)

    def scale(self, terms, roles):
        return np.ones((len(terms), len(roles.names)))


def test_a_family_of_ones_own_needs_no_cleaners_and_those_of_the_package_do():
    make = partial(Meadow, n_cleaners=0)
    game = ConditionedPettingZooGames(make, EqualSplit(), n_games=4, roles=lambda agent: "fisher")
    assert game.type_names == ("fisher",)
    game.reset(0)
    assert len(set(game.terms[:, 0].tolist())) == 4
    _, utilities = game.step(np.tile([2, 0], (4, 1)))
    part = game.terms[:, 0]
    assert utilities[:, 1] == pytest.approx(part * 1.1)
    assert game.context()[:, 0, 0] == pytest.approx(part)
    ours = ConditionedPettingZooGames(make, n_games=4)
    ours.reset(0)
    assert (ours.terms == 0).all()
    with pytest.raises(ContractsError, match="no cleaners to be paid, so tax must be 0"):
        ConditionedPettingZooGames(make, terms=[[0.5]])
    with pytest.raises(ContractsError, match=r"the game has 2 cleaners, but .* largest_crew=1: raise largest_crew"):
        ConditionedPettingZooGames(MEADOW, largest_crew=1)


# ---- what it says of itself


def test_types_are_the_roles_sorted_or_as_given_and_an_own_contract_may_be_left_out():
    game = PettingZooGames(MEADOW, n_games=2)
    assert (game.type_names, game.n_actions, game.agent_types.tolist()) == (
        ("cleaner", "harvester"), (4, 3), [1, 1, 0, 0],
    )  # fmt: skip
    other = PettingZooGames(MEADOW, type_names=["harvester", "cleaner"])
    assert (other.type_names, other.n_actions, other.agent_types.tolist()) == (
        ("harvester", "cleaner"), (3, 4), [0, 0, 1, 1],
    )  # fmt: skip
    assert (game.reward_scale() == 1).all()
    game.reset(0)
    game.step(np.full((2, 4), 2))
    assert not game.settled.transfers.any()
    assert (game.settled.costs[0] == [0, 0, 0.04, 0.04]).all()
    paid = PettingZooGames(MEADOW, payment=by_shots, costs="costly")
    assert (paid.reward_shift() == [25 / 6, 0]).all()
    paid.reset(0)
    paid.step(np.full((1, 4), 1))
    assert paid.settled.transfers[0] == pytest.approx([-0.22, -0.22, 0.22, 0.22])


def test_the_seeds_of_copies_are_those_of_clean_up_or_ones_own():
    game = PettingZooGames(MEADOW, n_games=3)
    game.reset(7)
    derived = np.random.SeedSequence(7).generate_state(3, np.uint64) >> np.uint64(1)
    assert game.seeds.tolist() == derived.tolist()
    alone = PettingZooGames(MEADOW)
    own = game.reset(0, seeds=[4, 4, 2**40]).copy()
    assert (own[0] == own[1]).all()
    assert (alone.reset(2**40)[0] == own[2]).all()
    assert (alone.reset(4)[0] == own[0]).all()
    small = PettingZooGames(MEADOW, n_games=50, seed_bits=31)
    small.reset(1)
    assert 2**29 < small.seeds.max() < 2**31


def test_the_games_are_closed_on_the_way_out():
    with PettingZooGames(MEADOW, DEAL) as game:
        (env,) = game.envs
        assert not env.closed
        game.reset(0)
    assert env.closed
    with pytest.raises(ContractsError, match="no episode is under way"):
        game.step(np.zeros((1, 4), np.int64))


# ---- refused


class Counting(Meadow):
    """Meadows of which each has one more harvester than the one before."""

    made = 1

    def __init__(self):
        type(self).made += 1
        super().__init__(n_harvesters=type(self).made)


class Nan(Meadow):
    def _see(self, agents):
        return {a: np.array([0.5, np.nan]) for a in agents}


class Stranger(Meadow):
    def step(self, actions):
        played = super().step(actions)
        self.agents = [*self.agents, "nobody_7"]
        return played


class NoLength(Meadow):
    def __init__(self):
        super().__init__()
        self.length, self.max_cycles = self.max_cycles, None


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: PettingZooGames(Meadow()), "make_env must be a function that builds a PettingZoo game, got"),
        (
            lambda: PettingZooGames(lambda: 3),
            "make_env must build a PettingZoo ParallelEnv with possible_agents, got 3",
        ),
        (
            lambda: PettingZooGames(partial(cleanup_env.env, n_cleaners=1)),
            r"is an AEC environment, .* pettingzoo.utils.conversions.aec_to_parallel\(env\)",
        ),
        (lambda: PettingZooGames(MEADOW, n_games=0), "n_games must be an integer from 1 to 2147483647, got 0"),
        (lambda: PettingZooGames(MEADOW, processes=0), "processes must be an integer from 1 to 512, got 0"),
        (lambda: PettingZooGames(MEADOW, n_games=2, processes=3), "processes must be at most n_games=2"),
        (lambda: PettingZooGames(MEADOW, horizon=0), "horizon must be an integer from 1 to 2147483647, got 0"),
        (lambda: PettingZooGames(NoLength), "does not say how long one is: pass horizon="),
        (lambda: PettingZooGames(MEADOW, seed_bits=64), "seed_bits must be an integer from 1 to 63, got 64"),
        (lambda: PettingZooGames(MEADOW, only_of_use=1), "only_of_use must be True or False, got 1"),
        (lambda: PettingZooGames(MEADOW, no_op=3), "no_op must be an integer from 0 to 2, got 3"),
        (lambda: PettingZooGames(MEADOW, roles={"harvester_0": "x"}), "no role is given for 'harvester_1'"),
        (
            lambda: PettingZooGames(MEADOW, type_names=["cleaner", "cleaner"]),
            r"type_names must be the roles of the game, cleaner, harvester, each once, got \['cleaner', 'cleaner'\]",
        ),
        (lambda: PettingZooGames(MEADOW, visible=[[1]]), r"visible must be an array of truth values of shape \(4, 4\)"),
        (
            lambda: PettingZooGames(MEADOW, roles=lambda agent: "all"),
            "of the role 'all' 'harvester_0' has 3 actions and 'cleaner_0' has 4: give them two roles",
        ),
        (lambda: PettingZooGames(Counting, n_games=2), "make_env must build the same game each time"),
        (lambda: PettingZooGames(MEADOW, DEAL_OF_ONE), "recruits 1 cleaner, but the game has 2"),
        (lambda: PettingZooGames(MEADOW, payment=0.3), "function must be a function"),
        (lambda: PettingZooGames(partial(Meadow, 0, 0)), "has no agents: possible_agents is empty"),
    ],
)
def test_games_that_cannot_be_are_refused(build, message):
    with pytest.raises(ContractsError, match=message) as error:
        build()
    assert "\n" not in str(error.value)


def begun(make=MEADOW, **deal):
    game = PettingZooGames(make, **deal)
    game.reset(0)
    return game


@pytest.mark.parametrize(
    ("play", "message"),
    [
        (lambda: PettingZooGames(MEADOW).step(np.zeros((1, 4), int)), "no episode is under way"),
        (lambda: begun().step(np.zeros((1, 3), int)), r"actions must be integers of shape \(1, 4\), got int64"),
        (lambda: begun().step(np.zeros((1, 4))), r"actions must be integers of shape \(1, 4\), got float64"),
        (lambda: begun().step(np.array([[0, 3, 0, 0]])), "'harvester_1' has actions 0..2, got 3 in game 0"),
        (lambda: begun().step(np.array([[0, 0, -1, 0]])), "'cleaner_0' has actions 0..3, got -1 in game 0"),
        (lambda: begun(Nan), "shows 'harvester_0' a number that is not finite in copy 0"),
        (
            lambda: begun(Stranger).step(np.zeros((1, 3), int)),
            "'nobody_7' takes part, but is not among possible_agents",
        ),
        (lambda: begun(visible=lambda env: [1]).visible(), r"visible must return an array of shape \(4, 4\)"),
        (lambda: begun(partial(MEADOW, reports=False)).step(np.zeros((1, 4), int)), "the game does not report it"),
        (lambda: PettingZooGames(MEADOW).reset(-1), "seed must be an integer of at least 0, got -1"),
        (lambda: PettingZooGames(MEADOW).reset(0, seeds=[1, 2]), "seeds must be 1 integers, one per copy"),
        (lambda: PettingZooGames(MEADOW).reset(0, seeds=[-1]), "seeds must be 1 integers, one per copy"),
        (
            lambda: begun(payment=lambda r, activity, roles: r).step(np.ones((1, 4), int)),
            "conserves money, so transfers must sum to 0 in every step",
        ),
    ],
)
def test_steps_that_cannot_be_are_refused(play, message):
    with pytest.raises(ContractsError, match=message) as error:
        play()
    assert "\n" not in str(error.value)


def test_a_reward_that_is_no_finite_number_is_blamed_on_the_game():
    for reward, message in ((np.nan, "gave 'wide_0' a reward of nan"), (np.ones(2), r"is a vector of shape \(2,\)")):
        game = begun(partial(Spaces, [Discrete(2)] * 2, [0, 1], reward=reward))
        with pytest.raises(ContractsError, match=message):
            game.step(np.zeros((1, 2), int))
