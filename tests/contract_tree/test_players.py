"""Built-in players, one law each."""

import numpy as np
import pytest
from small_trees import pair

from contract_tree import (
    BELGIC,
    IPA,
    UCB,
    Informed,
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


def place(horizon: int = 10_000, height: int = 2, n_children: int = 1, most_actions: int = 2) -> Place:
    return Place(
        name="boss", horizon=horizon, height=height, n_actions=2, n_children=n_children, most_actions=most_actions
    )


def test_the_plain_schedule_is_that_of_page_5() -> None:
    """T = 10^4: S_2 = 4 * 100, R = ceil(13.3 / 4) + 2 = 6, L_2 = 200, so S_3 = 400 + 2 * 6 * 200 = 2800."""
    low, high = TreeLearner.plain().parameters(place()), TreeLearner.plain().parameters(place(height=3))
    assert (low.start, low.halvings, low.batch, low.inflation) == (400, 6, 200, pytest.approx(0.1))
    assert (high.start, high.batch) == (2800, 400)
    assert (low.lead, low.watch, low.variance_aware, low.free_favourites) == (0, 0, 0, 0)
    assert TreeLearner.plain(staggered=False).parameters(place(height=3)).start == 400


def test_a_horizon_that_ends_within_the_search_is_refused() -> None:
    """The search of height 4 ends at 2800 + 2 * 6 * 400 + 2 * 6 * 800 = 17200."""
    with pytest.raises(TreeError, match=r"horizon of 10000 rounds is too short for the tree learner at 'boss'.*17200"):
        TreeLearner.plain().parameters(place(height=4))
    with pytest.raises(TreeError, match=r"too short for IPA at 'boss'.*until round 20"):
        IPA().parameters(place(horizon=10, most_actions=5))  # 5 actions, ceil(log2 10) = 4 bisections each
    with pytest.raises(TreeError, match="too short for BELGIC"):
        BELGIC(batch=1000).parameters(place())
    with pytest.raises(TreeError, match="horizon of 100 rounds is too short for the tree learner at 'root'"):
        simulate(named_tree("chain"), "tree-plain", horizon=100)


def test_without_contracts_the_chain_stays_where_nobody_is_paid() -> None:
    result = simulate(named_tree("chain"), "ucb", horizon=20_000, n_games=4)
    assert result.gap() == pytest.approx(0.25 / 2.05, abs=0.005)
    assert (result.received == 0).all()
    assert result.per_round() == pytest.approx(np.array([[0.5, 0.7, 0.6]] * 4), abs=0.01)


def test_paying_the_leaf_alone_is_not_enough() -> None:
    result = simulate(
        named_tree("chain"), {"middle": "oracle", "root": "ucb", "leaves": "ucb"}, horizon=20_000, n_games=4
    )
    assert result.gap() == pytest.approx(0.25 / 2.05, abs=0.01)


def test_oracles_bring_the_chain_to_its_optimum_and_an_indifferent_child_errs_for_ever() -> None:
    paid = simulate(named_tree("chain"), Oracle(), horizon=20_000, n_games=4)
    bare = simulate(named_tree("chain"), Oracle(inflation=0.0), horizon=20_000, n_games=4)
    assert paid.gap().max() < 0.02
    assert bare.gap().min() > 0.1


@pytest.mark.parametrize("player", [TreeLearner(), TreeLearner.plain()])
def test_tree_learners_bring_the_chain_to_its_optimum(player: TreeLearner) -> None:
    result = simulate(named_tree("chain"), player, horizon=30_000, n_games=4)
    assert np.abs(result.gap()).max() < 0.01
    wanted = np.concatenate(solve(result.tree).payment)[2:]
    eta = player.inflation * 30_000**-0.25
    # Each payment found lies within the inflations of all below and the brackets' width of what is needed.
    assert np.abs(np.median(result.payments, axis=0)[2:] - wanted).max() < 3 * eta


def test_on_the_chain_nobody_keeps_less_than_without_contracts() -> None:
    with_contracts = simulate(named_tree("chain"), TreeLearner(), horizon=30_000, n_games=8).per_round().mean(axis=0)
    assert (with_contracts >= [0.5, 0.7, 0.6]).all()


def test_without_inflation_a_child_that_learns_is_indifferent() -> None:
    chain = named_tree("chain")
    whole = simulate(chain, TreeLearner.plain(), horizon=30_000, n_games=4)
    bare = simulate(chain, TreeLearner.plain(inflation=0.0), horizon=30_000, n_games=4)
    assert whole.gap().max() < 0.001
    assert bare.gap().min() > 0.1


def test_without_waiting_the_root_learns_nothing_from_a_child_that_still_searches() -> None:
    """The middle plays at random while the root asks what it needs, so that the majority is a coin."""
    chain = named_tree("chain")
    needed = np.concatenate(solve(chain).payment)[2:4]  # of the middle
    errors = [
        np.abs(
            simulate(chain, TreeLearner.plain(staggered=s), horizon=30_000, n_games=8).payments[:, 2:4] - needed
        ).mean()
        for s in (True, False)
    ]
    assert errors[0] < 0.1 < errors[1]


def test_misaligned_trees_reach_the_optimum_with_contracts_and_miss_it_without() -> None:
    for seed in range(2):
        tree = misaligned_tree(depth=3, branching=2, seed=seed)
        missed = simulate(tree, UCB(), horizon=20_000, n_games=2).gap(since=0.5)
        learned = simulate(tree, TreeLearner(), horizon=20_000, n_games=2).gap(since=0.5)
        assert missed.min() > 0.03
        assert learned.max() < 0.02


def test_ipa_finds_the_payments_of_its_example() -> None:
    """Fourteen bisections leave a bracket of 1 / 2^14; the payment is its upper end."""
    tree = named_tree("ipa")
    result = simulate(tree, {"inner": IPA(), "leaves": Informed()}, horizon=10_000, n_games=4, noise=1.0)
    found = result.payments[:, 1:]
    assert (found > solve(tree).payment[1]).all()
    assert found == pytest.approx(np.tile(solve(tree).payment[1], (4, 1)), abs=2.0**-14 + 1e-7)
    assert result.gap().max() < 0.02
    assert result.welfare_regret()[:, -1].mean() < 400


def test_belgic_pays_an_agent_that_learns() -> None:
    """The worker wants 0.2 for action 1, of which the boss has 0.6 more."""
    result = simulate(pair(), {"inner": BELGIC(), "leaves": UCB()}, horizon=40_000, n_games=4)
    assert result.gap().max() < 0.05
    paid = result.payments[:, 2]
    assert ((paid > 0.2) & (paid < 0.45)).all()


def test_kinds_of_players_can_be_mixed_in_one_tree() -> None:
    mixed = {"root": TreeLearner(), "middle": Oracle(), "leaf": UCB()}
    result = simulate(named_tree("chain"), mixed, horizon=50_000, n_games=2)
    assert result.gap().max() < 0.02
    assert [text.split("(")[0] for text in result.players] == ["TreeLearner", "Oracle", "UCB"]


def test_watching_raises_a_payment_that_is_refused() -> None:
    """Nothing searches here: with far too short batches payments start wrong, and only watching mends them."""
    short = {"wait": 0.0, "batch": 0.01, "inflation": 1.0, "free_favourites": False, "lead": 0.0}
    tree = pair(agent=(0.9, 0.1), principal=((0.0, 1.0),))
    blind = simulate(tree, TreeLearner(**short, watch=0.0), horizon=20_000, n_games=6)
    aware = simulate(tree, TreeLearner(**short, watch=100.0), horizon=20_000, n_games=6)
    assert (aware.payments[:, 2] >= blind.payments[:, 2]).all()
    assert (aware.payments[:, 2] > blind.payments[:, 2]).any()
    assert aware.gap().mean() < blind.gap().mean()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: get_player("ucbb"), "unknown player 'ucbb': choose one of ucb, informed"),
        (lambda: get_player("ucb", width=1), "ucb has no setting 'width': it has spread"),
        (lambda: get_player("tree-plain", width=1), "tree-plain has no setting 'width'"),
        (lambda: UCB(spread=-1.0), "spread must be a number of at least 0, got -1.0"),
        (lambda: UCB(spread=True), "spread must be a number"),
        (lambda: Oracle(inflation=float("nan")), "inflation must be a number"),
        (lambda: BELGIC(batch=0), "batch must be an integer of at least 1, got 0"),
        (lambda: TreeLearner(lead=1.5), r"lead must lie in \[0, 1\]"),
        (lambda: TreeLearner(growth=0.5), "growth must be a number of at least 1"),
        (lambda: IPA().parameters(place(n_children=2)), "IPA is a principal of one agent, but 'boss' has 2"),
        (lambda: BELGIC().parameters(place(n_children=0)), "BELGIC is a principal of one agent, but 'boss' has 0"),
        (lambda: Informed().parameters(place()), "informed player knows its own means alone, but 'boss' has agents"),
    ],
)
def test_a_bad_player_is_refused(build: object, message: str) -> None:
    with pytest.raises(TreeError, match=message):
        build()  # type: ignore[operator]


def test_players_stand_where_they_are_put() -> None:
    chain: Tree = named_tree("chain")
    with pytest.raises(TreeError, match="there is no node 'top' to play at"):
        simulate(chain, {"top": "ucb", "leaves": "ucb", "inner": "ucb"}, horizon=100)
    with pytest.raises(TreeError, match="nobody plays at 'leaf': name a player for it or for leaves"):
        simulate(chain, {"inner": "ucb"}, horizon=100)
    with pytest.raises(TreeError, match="must be a built-in player, its name, or a function"):
        simulate(chain, 3, horizon=100)  # type: ignore[arg-type]
