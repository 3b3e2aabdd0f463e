"""Measures on sums that can be checked by head."""

import numpy as np
import pytest
from small_trees import pair

from contract_tree import Estimate, Result, TreeError, simulate
from contract_tree.result import checkpoints, student


def made_up(lost: np.ndarray) -> Result:
    """A result of two games whose welfare regret is `lost` (best welfare 1.2 per round, horizon 100)."""
    rounds = checkpoints(100)
    rewards = np.zeros((2, len(rounds), 2))
    rewards[:, :, 0] = 1.2 * rounds - lost
    nothing = np.zeros_like(rewards)
    return Result(
        tree=pair(), players=("a", "b"), horizon=100, noise=0.1, seed=0, rounds=rounds, rewards=rewards,
        utilities=rewards / 2, regrets=nothing, received=nothing, shares=np.zeros((2, 3)), payments=np.zeros((2, 3)),
    )  # fmt: skip


def test_regret_that_grows_like_a_root_has_slope_one_half() -> None:
    rounds = checkpoints(100)
    result = made_up(np.stack([3 * rounds**0.5, rounds.astype(float)]))
    assert result.slopes() == pytest.approx([0.5, 1.0])
    assert result.welfare_regret()[:, -1] == pytest.approx([30.0, 100.0])


def test_the_gap_of_the_last_tenth_is_a_share_of_the_best_welfare() -> None:
    """Regret 0.6 per round of 1.2 is a gap of a half."""
    result = made_up(np.stack([0.6 * checkpoints(100), 0 * checkpoints(100)]))
    assert result.gap() == pytest.approx([0.5, 0.0])
    assert result.gap(since=0.5) == pytest.approx([0.5, 0.0])
    assert result.per_round()[:, 0] == pytest.approx([0.3, 0.6])
    with pytest.raises(TreeError, match="round 33 was not recorded"):
        result.gap(since=0.33)


def test_a_margin_is_what_a_node_keeps_less_what_it_has_where_nobody_pays() -> None:
    """Nobody pays: the worker takes 0.6 with action 0, of which the boss has 0.2. Here the boss keeps 0.6 or 0.3."""
    result = made_up(np.stack([0 * checkpoints(100), 0.6 * checkpoints(100)]))
    assert result.solution.alone == pytest.approx((0.2, 0.6))
    assert result.margins() == pytest.approx(np.array([[0.6 - 0.2, -0.6], [0.3 - 0.2, -0.6]]))
    assert result.margins(since=0.5) == pytest.approx(result.margins())


def test_recorded_rounds_hold_the_last_tenth_and_every_twentieth() -> None:
    assert {90, 95, 100, 5, 1} <= set(checkpoints(100).tolist())
    assert 1003 - 100 in checkpoints(1003)
    assert checkpoints(12)[-1] == 12


@pytest.mark.parametrize(("degrees", "quantile"), [(4, 2.776), (9, 2.262), (19, 2.093), (99, 1.984)])
def test_students_quantile_is_that_of_the_tables(degrees: int, quantile: float) -> None:
    assert student(degrees) == pytest.approx(quantile, rel=0.005)


def test_an_interval_needs_two_games() -> None:
    assert Estimate.of([1.0, 1.0]).half_interval == 0.0
    assert np.isnan(Estimate.of([1.0]).half_interval)
    assert Estimate.of(np.arange(20)).half_interval == pytest.approx(
        2.093 * np.arange(20).std(ddof=1) / 20**0.5, rel=1e-3
    )


def test_shares_of_the_last_tenth_sum_to_one_for_every_node() -> None:
    result = simulate(pair(), "ucb", horizon=1000, n_games=2)
    assert result.shares[:, 0] == pytest.approx([1, 1])
    assert result.shares[:, 1:].sum(axis=1) == pytest.approx([1, 1])
