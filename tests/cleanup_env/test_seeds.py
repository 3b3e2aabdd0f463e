"""Randomness: every game its own stream, fixed by its seed and by nothing else."""

import random

import numpy as np
import pytest
from numba import njit

from cleanup_env import Action, BatchCleanup, make_config, parallel_env
from cleanup_env.random_stream import draw, seed_stream

from tiny_games import random_actions  # isort: skip


def test_a_seed_fills_the_stream_as_splitmix64_does():
    """The published first outputs of splitmix64 for seed 0."""
    words = np.zeros(4, np.uint64)
    seed_stream(words, np.uint64(0))
    assert [hex(w) for w in words.tolist()] == [
        "0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4", "0x6c45d188009454f", "0xf88bb8a8724c81ec",
    ]  # fmt: skip


def test_the_stream_is_xoshiro256_plus_plus():
    """The published outputs for the state 1, 2, 3, 4."""

    @njit
    def five(words, out):
        for k in range(5):
            out[k] = draw(words)

    words, out = np.array([1, 2, 3, 4], np.uint64), np.zeros(5, np.uint64)
    five(words, out)
    assert out.tolist() == [
        41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205,
    ]  # fmt: skip


def trace(seed, steps=40, **settings):
    game = BatchCleanup(make_config(**settings), 1, observation=None)
    game.reset(seed=seed)
    rng = np.random.default_rng(0)
    boards = [game.board()]
    for _ in range(steps):
        game.step(random_actions(game, rng))
        boards.append(game.board())
    return np.array(boards)


def test_the_same_seed_plays_the_same_and_another_seed_another_episode():
    np.testing.assert_array_equal(trace(5), trace(5))
    assert (trace(5) != trace(6)).any()


def test_the_seed_matters_after_the_first_step():
    """Two games put into the same state but for the stream part ways later on."""
    games = [BatchCleanup(make_config(), 1, observation=None) for _ in range(2)]
    for k, game in enumerate(games):
        game.reset(seed=k)
    one = games[0].get_state()
    games[1].set_state({**one, "stream": games[1].get_state()["stream"]})
    np.testing.assert_array_equal(games[0].board(), games[1].board())
    boards = []
    for game in games:
        for _ in range(20):
            game.step(np.full((1, 5), Action.STAY))
        boards.append(game.ground())
    assert (boards[0] != boards[1]).any()


def test_global_random_states_are_neither_read_nor_moved():
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    before = (np.random.get_state()[1].copy(), random.getstate())  # noqa: NPY002
    first = trace(5)
    assert (np.random.get_state()[1] == before[0]).all()  # noqa: NPY002
    assert random.getstate() == before[1]
    np.random.seed(2)  # noqa: NPY002
    random.seed(2)
    np.testing.assert_array_equal(trace(5), first)


def test_environments_do_not_share_randomness():
    """A game plays the same whether or not another is played between its steps."""
    alone = trace(5)
    game, other = (BatchCleanup(make_config(), 1, observation=None) for _ in range(2))
    game.reset(seed=5)
    other.reset(seed=9)
    rng, noise = np.random.default_rng(0), np.random.default_rng(1)
    for k in range(40):
        np.testing.assert_array_equal(game.board(), alone[k])
        game.step(random_actions(game, rng))
        other.step(random_actions(other, noise))


def test_apples_and_waste_are_not_drawn_with_the_same_numbers():
    """With one key for both, whether waste comes would tell whether the first apple grows."""
    lines = ("@PRRRBBBB@",)
    config = make_config(map=lines, n_harvesters=1, p_apple=0.5, p_waste=0.5, waste_mode="bernoulli",
                         waste_ceiling=None, start="soiled")  # fmt: skip
    game = BatchCleanup(config, 8000, observation=None)
    game.reset(seed=0)
    game.step(np.full((8000, 1), Action.STAY))
    waste, apples = game.waste == 1, game.ground()[:, 0, 5:9] == 6
    for k in range(4):
        assert abs(np.corrcoef(waste, apples[:, k])[0, 1]) < 0.05  # four sd
    assert abs(np.corrcoef(apples.T) - np.eye(4)).max() < 0.05


def test_copies_of_a_batch_have_different_seeds_and_play_differently():
    game = BatchCleanup(make_config(), 50, observation=None)
    game.reset(seed=0)
    assert len(set(game.seeds.tolist())) == 50
    assert len({board.tobytes() for board in game.board()}) > 40


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_a_seeded_reset_fixes_all_episodes_that_follow(seed):
    """Seed 0, too: it is a seed like any other."""
    runs = []
    for _ in range(2):
        game = parallel_env()
        game.reset(seed=seed)
        states = []
        for _ in range(3):
            game.reset()
            states.append(game.state().tobytes())
        assert len(set(states)) == 3
        runs.append(states)
    assert runs[0] == runs[1]


def test_without_a_seed_two_games_differ():
    states = set()
    for _ in range(3):
        game = parallel_env()
        game.reset()
        states.add(game.state().tobytes())
    assert len(states) > 1
