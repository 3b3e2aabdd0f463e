"""Both engines: who is paid, who sees what, same seed same result, and players of one's own."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_trees import pair

from contract_tree import (
    Move,
    Offer,
    Oracle,
    Place,
    Tree,
    TreeError,
    TreeLearner,
    get_player,
    misaligned_tree,
    named_tree,
    simulate,
    solve,
)
from contract_tree.engine import Games
from contract_tree.epochs import places_of
from contract_tree.player_parameters import BuiltIn

SHORT = TreeLearner(wait=0.5, batch=0.1)


def games_of(tree: Tree, player: BuiltIn, horizon: int) -> Games:
    players = [player] * tree.n_nodes
    return Games(tree, solve(tree), players, places_of(tree, horizon), noise=0.1, seed=0, n_games=1)


@pytest.mark.parametrize("player", [Oracle(), SHORT, TreeLearner.plain(wait=0.5, batch=0.1)])
def test_payments_are_made_for_following_alone_and_change_hands_in_full(player: BuiltIn) -> None:
    """Every round: utilities sum to rewards, a payment comes to whom it was promised for what was played."""
    tree = misaligned_tree(depth=3, branching=2, seed=1)
    games = games_of(tree, player, 2000)
    seen = set()
    for t in range(1, 400):
        before = games.sums[0].copy()
        games.play_until(t)
        means, utilities, _, received = games.sums[0] - before
        minds = games.minds[0]
        assert (minds["payment"] >= 0).all()
        followed = minds["action"] == minds["recommended"]
        seen |= set(followed.tolist())
        assert_allclose(received, np.where(followed, minds["payment"], 0.0), atol=1e-9)
        assert_allclose(utilities.sum(), means.sum(), atol=1e-9)
        for v in range(tree.n_nodes):
            paid = sum(received[u] for u in tree.children(v))
            assert utilities[v] == pytest.approx(tree.mean(v, minds["action"]) + received[v] - paid, abs=1e-9)
    assert seen == {False, True}


def test_regret_of_a_round_is_what_could_have_been_kept_less_what_was() -> None:
    """Without offers: the boss could keep max(0.2, 0.8 - 0.2) = 0.6, the worker 0.6; welfare could be 1.2."""
    games = games_of(pair(), get_player("ucb"), 1000)
    games.play_until(1)
    assert games.minds["action"][0].tolist() == [0, 0]
    assert_allclose(games.sums[0, 2], [0.6 - 0.2, 0.6 - 0.6], atol=1e-12)
    games.play_until(2)  # now the worker tries action 1
    assert games.minds["action"][0].tolist() == [0, 1]
    assert_allclose(games.sums[0, 2], [0.4 + 0.6 - 0.8, 0.2], atol=1e-12)
    result = simulate(pair(), "ucb", horizon=1000, n_games=1)
    assert_allclose(result.welfare_regret()[0, :2], [1.2 - 0.8, 0.4 + 1.2 - 1.2], atol=1e-12)


@pytest.mark.parametrize("name", ["ucb", "oracle", "tree", "tree-plain"])
@pytest.mark.parametrize("noise", [0.1, None])
def test_built_in_players_give_the_same_in_both_engines(name: str, noise: float | None) -> None:
    tree = misaligned_tree(depth=2, branching=2, seed=0)
    compiled, python = (
        simulate(tree, name, horizon=3000, n_games=1, noise=noise, engine=engine) for engine in ("compiled", "python")
    )
    assert_same(compiled, python)


def test_ipa_and_belgic_give_the_same_in_both_engines() -> None:
    for inner, leaves in (("ipa", "informed"), ("belgic", "ucb")):
        compiled, python = (
            simulate(pair(), {"inner": inner, "leaves": leaves}, horizon=3000, n_games=1, engine=engine)
            for engine in ("compiled", "python")
        )
        assert_same(compiled, python)


def assert_same(one: Any, other: Any) -> None:
    for what in ("rewards", "utilities", "regrets", "received", "shares", "payments"):
        assert_array_equal(getattr(one, what), getattr(other, what), what)


def test_same_seed_same_result_on_one_thread_or_two_and_games_differ() -> None:
    chain = named_tree("chain")
    one = simulate(chain, "tree", horizon=5000, n_games=4, seed=3)
    assert_same(one, simulate(chain, "tree", horizon=5000, n_games=4, seed=3, threads=2))
    fewer = simulate(chain, "tree", horizon=5000, n_games=2, seed=3)
    assert_array_equal(fewer.rewards, one.rewards[:2])
    assert (one.rewards[0] != one.rewards[1]).any()
    assert (one.rewards != simulate(chain, "tree", horizon=5000, n_games=4, seed=4).rewards).any()


def test_rewards_have_the_mean_and_the_spread_that_were_asked_for() -> None:
    class Watcher:
        def __init__(self, place: Place, rng: np.random.Generator) -> None:
            self.seen = seen

        def play(self, offer: Offer | None) -> Move:
            return Move(0)

        def learn(self, reward: float, children: tuple[int, ...]) -> None:
            self.seen.append(reward)

    tree = Tree.from_nested({"name": "only", "theta": [0.3]})
    for noise, spread in ((0.5, 0.5), (None, (0.3 * 0.7) ** 0.5), (0.0, 0.0)):
        seen: list[float] = []
        simulate(tree, Watcher, horizon=4000, n_games=1, noise=noise)
        assert np.mean(seen) == pytest.approx(0.3, abs=4 * spread / 4000**0.5 + 1e-12)
        assert np.std(seen) == pytest.approx(spread, rel=0.1, abs=1e-12)


class Generous:
    """A boss that pays 0.3 for action 1, and remembers what it saw."""

    games: list["Generous"] = []  # noqa: RUF012

    def __init__(self, place: Place, rng: np.random.Generator) -> None:
        self.place, self.first_draw, self.seen = place, rng.random(), []
        Generous.games.append(self)

    def play(self, offer: Offer | None) -> Move:
        assert offer is None
        return Move(0, (Offer(1, 0.3),))

    def learn(self, reward: float, children: tuple[int, ...]) -> None:
        self.seen.append(children)


def test_a_player_of_ones_own_moves_a_built_in_one() -> None:
    Generous.games.clear()
    result = simulate(pair(), {"boss": Generous, "worker": "ucb"}, horizon=2000, n_games=2, noise=0.1)
    assert [len(player.seen) for player in Generous.games] == [2000, 2000]
    assert Generous.games[0].place.horizon == 2000
    assert Generous.games[0].first_draw != Generous.games[1].first_draw
    followed = [player.seen.count((1,)) for player in Generous.games]
    assert_allclose(result.received[:, -1, 1], 0.3 * np.array(followed))
    assert result.shares[:, 2].min() > 0.8
    assert result.players == ("Generous", "UCB(spread=2.0)")


def test_a_player_of_ones_own_sees_the_offer_of_a_built_in_one() -> None:
    class Obedient:
        def __init__(self, place: Place, rng: np.random.Generator) -> None:
            pass

        def play(self, offer: Offer | None) -> Move:
            offers.append(offer)
            return Move(0 if offer is None else offer.action)

        def learn(self, reward: float, children: tuple[int, ...]) -> None:
            assert children == ()

    offers: list[Offer | None] = []
    result = simulate(pair(), {"boss": Oracle(inflation=0.0), "worker": Obedient}, horizon=1000, n_games=1)
    assert {offer.action for offer in offers if offer} == {0, 1}
    assert {round(offer.payment, 12) for offer in offers if offer and offer.action == 1} == {0.2}
    assert result.gap()[0] < 0.05


@pytest.mark.parametrize(
    ("move", "message"),
    [
        (Move(1), r"the action of 'boss' must be an integer 0\.\.0, got 1"),
        (Move(True), "the action of 'boss'"),
        (Move(0, (Offer(2, 0.1),)), r"the action offered by 'boss' to 'worker' must be an integer 0\.\.1, got 2"),
        (Move(0, (Offer(1, -0.1),)), "payment offered by 'boss' to 'worker' must be a number of at least 0, got -0.1"),
        (Move(0, (Offer(1, float("inf")),)), "payment offered"),
        (Move(0, (None, None)), "made 2 offers, but has 1 children"),
        (0, r"must return a Move\(action, offers\), got 0"),
    ],
)
def test_a_move_that_breaks_the_rules_is_refused(move: Any, message: str) -> None:
    class Wrong:
        def __init__(self, place: Place, rng: np.random.Generator) -> None:
            pass

        def play(self, offer: Offer | None) -> Move:
            return move  # type: ignore[no-any-return]

        def learn(self, reward: float, children: tuple[int, ...]) -> None:
            pass

    with pytest.raises(TreeError, match=message):
        simulate(pair(), {"boss": Wrong, "worker": "ucb"}, horizon=100, n_games=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon": 5}, "horizon must be an integer of at least 10, got 5"),
        ({"n_games": 0}, "n_games must be an integer of at least 1"),
        ({"seed": -1}, "seed must be an integer of at least 0"),
        ({"threads": True}, "threads must be"),
        ({"noise": -0.1}, "noise must be a standard deviation"),
        ({"engine": "fast"}, "unknown engine 'fast'"),
        ({"players": {"inner": Generous, "leaves": "ucb"}, "engine": "compiled"}, "'boss' is not built in: it needs engine='python'"),
    ],
)  # fmt: skip
def test_a_bad_simulation_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(TreeError, match=message):
        simulate(pair(), **{"players": "ucb", "horizon": 100, **settings})
