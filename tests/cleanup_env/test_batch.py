"""Batches: independent copies of one game, saved and brought back."""

import copy
import pickle

import numpy as np
import pytest

from cleanup_env import PRESETS, BatchCleanup, kernels, make_config, numba_tools, scripted, state
from cleanup_env.config import OBSERVATIONS

from tiny_games import random_actions  # isort: skip

CASES = [(preset, kind) for preset in PRESETS for kind in (*OBSERVATIONS, None)]


@pytest.mark.parametrize(("preset", "kind"), CASES)
def test_copy_i_plays_as_a_single_game_with_its_seed(preset, kind):
    config = make_config(preset, **({"n_cleaners": 3} if preset == "contract" else {}), horizon=70)
    batch = BatchCleanup(config, 5, observation=kind)
    together = batch.reset(seed=11)
    singles = [BatchCleanup(config, 1, observation=kind) for _ in range(5)]
    rng = np.random.default_rng(0)
    for b, single in enumerate(singles):
        np.testing.assert_array_equal(single.reset(seed=int(batch.seeds[b]))[0], together[b])
    for _ in range(70):
        actions = random_actions(batch, rng)
        observations, rewards, truncated = batch.step(actions)
        for b, single in enumerate(singles):
            alone, reward, end = single.step(actions[b : b + 1])
            np.testing.assert_array_equal(alone[0], observations[b])
            np.testing.assert_array_equal(reward[0], rewards[b])
            np.testing.assert_array_equal(single.board()[0], batch.board()[b])
            assert end[0] == truncated[b]


def play(game, steps, seed):
    rng = np.random.default_rng(seed)
    trace = []
    for _ in range(steps):
        observations, rewards, _ = game.step(random_actions(game, rng))
        trace.append((observations.copy(), rewards.copy(), game.board(), game.waste.copy()))
    return trace


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("way", ["state", "pickle", "deepcopy"])
@pytest.mark.parametrize(("preset", "kind"), CASES)
def test_a_saved_game_continues_identically(preset, kind, way):
    game = BatchCleanup(make_config(preset), 3, observation=kind)
    game.reset(seed=4)
    play(game, 30, seed=0)
    if way == "state":
        state = game.get_state()
        other = BatchCleanup(game.config, 3, observation=kind)
        other.set_state(state)
    else:
        other = pickle.loads(pickle.dumps(game)) if way == "pickle" else copy.deepcopy(game)
    np.testing.assert_array_equal(other._observe(), game._observe())
    expected = play(game, 30, seed=1)
    assert_same(play(other, 30, seed=1), expected)
    if way == "state":
        game.set_state(state)
        assert_same(play(game, 30, seed=1), expected)


def test_a_state_is_a_copy_and_not_a_view():
    game = BatchCleanup(make_config(), 1)
    game.reset(seed=0)
    state = game.get_state()
    before = {name: array.copy() for name, array in state.items()}
    play(game, 5, seed=0)
    assert all((state[name] == before[name]).all() for name in state)


def test_deep_copies_do_not_disturb_each_other():
    game = BatchCleanup(make_config(), 1)
    game.reset(seed=0)
    other = copy.deepcopy(game)
    board = game.board()
    play(other, 5, seed=0)
    np.testing.assert_array_equal(game.board(), board)


def test_rewards_do_not_depend_on_how_many_agents_or_copies_there_are():
    """One apple is one reward, whatever the number of agents."""
    for n in (1, 4, 10):
        game = BatchCleanup(make_config(n_harvesters=n), 3, observation=None)
        game.reset(seed=0)
        total = np.zeros(3)
        apples = np.zeros(3)
        for _, (_, rewards, _, _) in zip(range(100), play(game, 100, seed=0), strict=True):
            total += rewards.sum(axis=1)
        game.reset(seed=0)
        rng = np.random.default_rng(0)
        for _ in range(100):
            game.step(random_actions(game, rng))
            apples += game.apples.sum(axis=1)
        np.testing.assert_array_equal(total, apples)


def test_no_observation_gives_an_empty_array():
    game = BatchCleanup(make_config(), 2, observation=None)
    assert game.reset(seed=0).shape == (2, 5, 0)


@pytest.mark.parametrize("function", [kernels.step_symbolic, kernels.visible, state.redraw, scripted._act])
def test_machine_code_on_disk_is_that_of_all_sources_of_the_package(function):
    """numba looks at the file of a kernel only; edited rules in another file would not be compiled."""
    assert function._cache._cache_file._source_stamp == numba_tools._STAMP


@pytest.mark.parametrize("name", ["rules.py", "deep/rules.py", "deep/deeper/rules.py"])
def test_an_edit_at_any_depth_of_the_package_makes_machine_code_stale(tmp_path, name):
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "top.py").write_text("a = 1\n")
    before = numba_tools.source_stamp(tmp_path)
    (tmp_path / name).write_text("b = 1\n")
    between = numba_tools.source_stamp(tmp_path)
    (tmp_path / name).write_text("b = 2\n")
    assert len({before, between, numba_tools.source_stamp(tmp_path)}) == 3


def test_a_table_of_addresses_takes_no_arrays_that_the_rules_do_not_expect():
    game = BatchCleanup(make_config(), 1, observation=None)
    wrong = game._state._replace(clock=game._state.clock.astype(np.int64))
    with pytest.raises(TypeError, match="the arrays of a game are"):
        kernels.addresses(game.world, game.rules, wrong, game._scratch)
