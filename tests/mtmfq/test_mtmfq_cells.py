"""Sums over the cells of a window, taken run by run: those of the one-hot product, and so is their gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mtmfq_small_games import Letters, quick

from mtmfq import LearnerError, Signature, train
from mtmfq.cells import CellLayout, CellSums, Runs
from mtmfq.learner import Learner
from mtmfq.network import NetworkShape, QNetworks
from mtmfq.replay import Replay


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 4), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_sums_and_gradient_are_those_of_the_one_hot_product(
    n_lines: int, n_columns: int, n_classes: int, n_windows: int, seed: int
) -> None:
    rng, n_cells, layout = (
        np.random.default_rng(seed),
        n_lines * n_columns,
        CellLayout(n_lines * n_columns, n_columns, n_classes),
    )
    classes = np.minimum(rng.integers(0, 5, (2, n_windows, n_cells)) // 2, n_classes - 1)  # runs, and single cells
    numbers = (np.arange(n_cells) * n_classes + classes).astype(np.int32)
    tables = torch.tensor(rng.normal(size=(2, n_cells * n_classes, 3)), dtype=torch.float32, requires_grad=True)
    weights = torch.tensor(rng.normal(size=(2, n_windows, 3)), dtype=torch.float32)
    one_hot = torch.zeros(2, n_windows, n_cells * n_classes).scatter_(2, torch.from_numpy(numbers).long(), 1.0)
    expected = one_hot @ tables
    lookups = [layout.lookup(table.detach().numpy()) for table in tables]
    sums = CellSums.apply(tables, lookups, [Runs(each, layout) for each in numbers])
    assert torch.allclose(sums, expected, atol=1e-4)
    (wanted,) = torch.autograd.grad((expected * weights).sum(), tables)
    (gradient,) = torch.autograd.grad((sums * weights).sum(), tables)
    assert torch.allclose(gradient, wanted, atol=1e-4)


@pytest.mark.parametrize(("n_cells", "kind"), [(4095, np.int16), (4096, np.int32)])
def test_windows_of_thousands_of_cells_have_places_for_all_of_their_rows(n_cells: int, kind: type) -> None:
    rng, layout = np.random.default_rng(0), CellLayout(n_cells, 1, 4)  # 32,764 and 32,772 rows; 16 bits hold 32,767
    assert layout.places is kind
    numbers = (np.arange(n_cells) * 4 + rng.integers(0, 4, (2, n_cells))).astype(np.int32)
    table, sums = rng.normal(size=(4 * n_cells, 3)).astype(np.float32), np.empty((2, 3), np.float32)
    lookup = layout.lookup(table)
    assert len(lookup) == (2 * n_cells * 4) + 4
    Runs(numbers, layout).sums(lookup, sums)
    np.testing.assert_allclose(sums, [table[row].sum(axis=0) for row in numbers], atol=1e-2)


def test_a_lookup_may_be_written_over_an_earlier_one() -> None:
    rng, layout = np.random.default_rng(1), CellLayout(6, 3, 2)
    first, second = rng.normal(size=(2, 12, 3)).astype(np.float32)
    made = layout.lookup(first)
    assert layout.lookup(second, made) is made
    np.testing.assert_array_equal(made, layout.lookup(second))


@pytest.mark.parametrize("wrong", [[[0, 4, 6, 2]], [[0, 3, 6, 12]], [[-1, 3, 6, 9]], [[3, 3, 6, 9]]])
def test_a_class_that_the_game_does_not_have_is_refused(wrong: list[list[int]]) -> None:
    with pytest.raises(LearnerError, match="not below its n_classes, 3"):
        Runs(np.array(wrong, np.int32), CellLayout(4, 2, 3))


def test_a_game_that_shows_more_classes_than_it_declares_is_refused() -> None:
    game = Letters()
    game.n_classes = 2  # type: ignore[misc]
    with pytest.raises(LearnerError, match="check its observations"):
        train(game, quick(n_games=8, episodes=16, observation="symbolic"), np.random.default_rng(0))


def test_networks_read_their_cells_from_the_weights_as_they_are_after_an_update() -> None:
    game, config = Letters(), quick(n_games=8, observation="symbolic", n_step=1)
    signature = Signature.of(game)
    learner, replay = Learner(signature, config, seed=0), Replay(signature, config, 20)
    rng, none = np.random.default_rng(0), np.zeros((8, 2, signature.n_means), np.float32)
    features, cells = signature.split(game.reset(0))
    replay.start(features, cells)
    for _ in range(3):
        observations, rewards = game.step(np.zeros((8, 2), np.int64))
        replay.add(np.zeros((8, 2), np.int64), rewards, *signature.split(observations), none)
    batch = replay.sample(rng)
    for networks in (learner.networks, learner.target):
        networks(batch.rows, batch.cells)
    learner.update(replay, 0.5, rng)
    for networks in (learner.networks, learner.target):
        fresh = QNetworks(NetworkShape.of(signature, config), networks.flat.clone())
        assert torch.equal(networks(batch.rows, batch.cells), fresh(batch.rows, batch.cells))
