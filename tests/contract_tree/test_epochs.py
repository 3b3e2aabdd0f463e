"""Players that do not know the horizon: epochs that double, each a game of its own."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from small_trees import pair

from contract_tree import Move, Offer, Oracle, Place, Result, TreeError, TreeLearner, named_tree, simulate, solve
from contract_tree.engine import Games
from contract_tree.epochs import Epoch, doubling, epochs_of, places_of
from contract_tree.player_parameters import BuiltIn

SUMS = ("rewards", "utilities", "regrets", "received")
PLAIN = TreeLearner.plain()


@given(k=st.integers(0, 12), horizon=st.integers(1, 10**6))
def test_epochs_double_and_fill_the_game(k: int, horizon: int) -> None:
    epochs = doubling(2**k, horizon)
    assert [epoch.length for epoch in epochs] == [2 ** (k + e) for e in range(len(epochs))]
    assert [epoch.begin for epoch in epochs] == [2**k * (2**e - 1) for e in range(len(epochs))]
    assert epochs[-1].begin < horizon <= sum(epochs[-1])


def test_the_first_epoch_is_the_shortest_power_of_two_in_which_the_search_ends() -> None:
    """The plain learner at height 2: at T = 512 until round 91 + 2 * 5 * 46 = 551, at 1024 until 128 + 2 * 5 * 64 = 768."""
    assert epochs_of(pair(), [PLAIN, PLAIN], 4000, unknown=True) == (
        Epoch(0, 1024),
        Epoch(1024, 2048),
        Epoch(3072, 4096),
    )
    assert epochs_of(pair(), [PLAIN, PLAIN], 4000, unknown=False) == (Epoch(0, 4000),)
    assert epochs_of(pair(), [PLAIN, PLAIN], 1024, unknown=True) == (Epoch(0, 1024),)


def test_a_game_that_ends_before_the_first_epoch_is_refused() -> None:
    assert simulate(pair(), PLAIN, horizon=1000, n_games=1).epochs == (0,)
    with pytest.raises(TreeError, match=r"^a game of 1000 rounds is shorter than the first epoch .* 1024 rounds"):
        simulate(pair(), PLAIN, horizon=1000, n_games=1, unknown_horizon=True)
    with pytest.raises(TreeError, match="the horizon of 100 rounds is too short for the tree learner at 'boss'"):
        simulate(pair(), PLAIN, horizon=100, n_games=1, unknown_horizon=True)
    with pytest.raises(TreeError, match="IPA is a principal of one agent, but 'worker' has 0"):
        simulate(pair(), "ipa", horizon=100, n_games=1, unknown_horizon=True)
    with pytest.raises(TreeError, match="unknown_horizon must be True or False, got 1"):
        simulate(pair(), "ucb", horizon=100, n_games=1, unknown_horizon=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("player", [PLAIN, TreeLearner(), Oracle()])
def test_players_that_begin_anew_know_as_much_as_in_a_first_round_of_a_game_of_that_length(player: BuiltIn) -> None:
    tree = named_tree("chain")
    games, fresh = (
        Games(tree, solve(tree), [player] * 3, places_of(tree, horizon), noise=0.1, seed=0, n_games=2)
        for horizon in (8192, 16384)
    )
    games.play_until(3000)
    assert (games.minds["phase"] > 0).any()
    assert (games.nodes != fresh.nodes).any() or games.log_horizon != fresh.log_horizon
    games.begin(places_of(tree, 16384))
    for what in ("nodes", "minds", "own", "cells", "prices"):
        assert_array_equal(getattr(games, what), getattr(fresh, what), what)
    assert games.log_horizon == fresh.log_horizon
    assert (games.words != fresh.words).any()  # what is drawn goes on


def since(result: Result, begin: int) -> list[np.ndarray]:
    """What the sums grew by from a recorded round on."""
    (c,) = np.flatnonzero(result.rounds == begin)
    return [getattr(result, what)[:, -1] - getattr(result, what)[:, c] for what in SUMS]


def test_without_chance_epochs_are_games_with_that_horizon_one_after_the_other() -> None:
    """UCB draws nothing, and without noise nature draws nothing either: 48 rounds are a game of 16 and one of 32."""
    both = simulate(pair(), "ucb", horizon=48, n_games=1, noise=0.0, unknown_horizon=True)
    first, second = (simulate(pair(), "ucb", horizon=t, n_games=1, noise=0.0) for t in (16, 32))
    assert both.epochs == (0, 16)
    for what, later, one, two in zip(
        SUMS, since(both, 16), *([getattr(r, w)[:, -1] for w in SUMS] for r in (first, second)), strict=True
    ):
        np.testing.assert_allclose(later, two, atol=1e-12, err_msg=what)
        np.testing.assert_allclose(getattr(both, what)[:, -1], one + two, atol=1e-12, err_msg=what)
    assert (
        np.abs(since(both, 16)[0] - since(simulate(pair(), "ucb", horizon=48, n_games=1, noise=0.0), 16)[0]).max() > 0.1
    )


def test_the_first_epoch_is_a_game_with_that_horizon() -> None:
    """A fifth of 5120 rounds is the first epoch of 1024."""
    unknown = simulate(pair(), PLAIN, horizon=5120, n_games=2, unknown_horizon=True)
    known = simulate(pair(), PLAIN, horizon=1024, n_games=2)
    (c,) = np.flatnonzero(unknown.rounds == 1024)
    for what in SUMS:
        assert_array_equal(getattr(unknown, what)[:, c], getattr(known, what)[:, -1], what)


@pytest.mark.parametrize("name", ["ucb", "oracle", "tree", "tree-plain"])
def test_both_engines_and_any_number_of_threads_give_the_same_epochs(name: str) -> None:
    one, *others = (
        simulate(pair(), name, horizon=3000, n_games=2, unknown_horizon=True, **how)
        for how in ({}, {"engine": "python"}, {"threads": 2})
    )
    assert len(one.epochs) > 1
    for other in others:
        assert other.epochs == one.epochs
        for what in (*SUMS, "shares", "payments"):
            assert_array_equal(getattr(one, what), getattr(other, what), what)


def test_a_custom_player_is_made_anew_for_every_epoch_and_draws_what_it_did_not_draw_before() -> None:
    made: list[tuple[int, float]] = []

    class Still:
        def __init__(self, place: Place, rng: np.random.Generator) -> None:
            made.append((place.horizon, rng.random()))

        def play(self, offer: Offer | None) -> Move:
            return Move(0)

        def learn(self, reward: float, children: tuple[int, ...]) -> None:
            pass

    simulate(pair(), {"boss": Still, "worker": "ucb"}, horizon=100, n_games=2, unknown_horizon=True)
    assert [horizon for horizon, _ in made] == [16, 16, 32, 32, 64, 64]
    assert len({draw for _, draw in made}) == 6


def test_players_that_do_not_know_the_horizon_reach_the_optimum_and_lose_more_on_the_way() -> None:
    settings: Any = {"horizon": 60_000, "n_games": 4}
    known, unknown = (simulate(named_tree("chain"), "tree", **settings, unknown_horizon=u) for u in (False, True))
    assert unknown.gap().max() < 0.01
    lost, least = unknown.welfare_regret()[:, -1].mean(), known.welfare_regret()[:, -1].mean()
    assert least < lost < 4 * least
