"""The PettingZoo face: PettingZoo's own tests, and a stricter determinism test."""

import copy
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, render_test, seed_test, state_test
from pettingzoo.utils.conversions import aec_to_parallel

import cleanup_env
from cleanup_env import PRESETS, Action, BatchCleanup, CleanupError, make_config
from cleanup_env.config import OBSERVATIONS
from cleanup_env.render import rgb

from same import assert_equal  # isort: skip

KINDS = OBSERVATIONS
CASES = [(preset, kind) for preset in PRESETS for kind in KINDS]
every_case = pytest.mark.parametrize(("preset", "kind"), CASES)


def parallel(preset, kind, **settings):
    return cleanup_env.parallel_env(preset, observation=kind, **settings)


@every_case
def test_pettingzoo_parallel_api(preset, kind):
    parallel_api_test(parallel(preset, kind, horizon=40), num_cycles=100)


@every_case
def test_pettingzoo_aec_api(preset, kind):
    api_test(cleanup_env.env(preset=preset, observation=kind, horizon=20), num_cycles=100)


@every_case
def test_pettingzoo_seeds(preset, kind):
    parallel_seed_test(lambda: parallel(preset, kind), num_cycles=20)
    seed_test(lambda: cleanup_env.env(preset=preset, observation=kind), num_cycles=20)


@every_case
def test_pettingzoo_state(preset, kind):
    settings = {"observation": kind, "horizon": 20}
    state_test(cleanup_env.env(preset=preset, **settings), parallel(preset, kind, horizon=20))


@pytest.fixture
def no_screen(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.mark.parametrize("preset", PRESETS)
def test_pettingzoo_render(preset, no_screen):
    render_test(lambda **kwargs: cleanup_env.env(preset=preset, **kwargs))


def episode(game, seed):
    observations, infos = game.reset(seed=seed)
    rng = np.random.default_rng(seed)
    trace = [(observations, infos)]
    while game.agents:
        actions = {agent: int(rng.integers(game.action_space(agent).n)) for agent in game.agents}
        trace.append((*game.step(actions), game.state()))
    return trace


@every_case
def test_every_step_of_an_episode_is_the_same_again(preset, kind):
    """PettingZoo 1.27's own test compares one step."""
    first = episode(parallel(preset, kind, horizon=80), seed=3)
    game = parallel(preset, kind, horizon=80)
    episode(game, seed=8)  # what was played before does not matter
    second = episode(game, seed=3)
    assert len(first) == 81
    assert_equal(first, second)


@every_case
def test_the_face_is_the_batch_of_one(preset, kind):
    game, batch = parallel(preset, kind), BatchCleanup(make_config(preset), 1, observation=kind)
    seen, _ = game.reset(seed=6)
    expected = batch.reset(seed=6)
    rng = np.random.default_rng(0)
    for _ in range(50):
        np.testing.assert_array_equal(np.stack([seen[a] for a in game.agents]), expected[0])
        actions = rng.integers(0, batch.n_actions)
        seen, rewards, _, _, _ = game.step(dict(zip(game.agents, actions, strict=True)))
        expected, paid, _ = batch.step(actions[None])
        assert list(rewards.values()) == paid[0].tolist()


@every_case
def test_observations_lie_in_their_spaces(preset, kind):
    game = parallel(preset, kind, horizon=60)
    for observations, *_ in episode(game, seed=2):
        for agent, seen in observations.items():
            assert game.observation_space(agent).contains(seen)
            assert seen.dtype == game.observation_space(agent).dtype
    assert game.state_space.contains(game.state())


@pytest.mark.parametrize("way", ["pickle", "deepcopy"])
@every_case
def test_a_saved_environment_continues_identically(preset, kind, way):
    game = parallel(preset, kind, horizon=60)
    game.reset(seed=1)
    rng = np.random.default_rng(0)

    def play(env, actions):
        return [env.step(dict(zip(env.agents, row, strict=True))) for row in actions]

    plan = [[int(rng.integers(game.action_space(a).n)) for a in game.possible_agents] for _ in range(60)]
    play(game, plan[:20])
    other = pickle.loads(pickle.dumps(game)) if way == "pickle" else copy.deepcopy(game)
    assert_equal(play(game, plan[20:]), play(other, plan[20:]))


def test_an_observation_that_was_returned_is_not_overwritten():
    game = parallel("contract", "symbolic")
    observations, _ = game.reset(seed=0)
    kept = {agent: seen.copy() for agent, seen in observations.items()}
    game.step(dict.fromkeys(game.agents, Action.FORWARD))
    assert all((observations[agent] == kept[agent]).all() for agent in kept)


INFOS = [
    "apples", "cleaned", "shots", "total_reward", "total_apples", "total_cleaned", "total_shots", "steps",
    "waste_density", "apple_chance", "action_mask",
]  # fmt: skip


@pytest.mark.parametrize(
    ("preset", "happens"),
    [("contract", ["apples", "shots", "reward"]), ("original", ["shots", "cleaned", "reward"])],
)
def test_infos_tell_the_step_and_the_sums_so_far(preset, happens):
    game = parallel(preset, "symbolic", n_cleaners=2, n_harvesters=5 if preset == "contract" else 2, horizon=80)
    for seed in (0, 1):  # the sums of the second episode begin anew
        trace = episode(game, seed=seed)
        for steps, (_, infos) in enumerate([trace[0], *((entry[0], entry[4]) for entry in trace[1:])]):
            for agent in game.possible_agents:
                played = trace[1 : steps + 1]
                assert infos[agent]["steps"] == steps
                for what in ("apples", "cleaned", "shots"):
                    assert infos[agent][f"total_{what}"] == sum(entry[4][agent][what] for entry in played)
                assert infos[agent]["total_reward"] == sum(entry[1][agent] for entry in played)
        assert all(any(info[f"total_{what}"] for info in infos.values()) for what in happens)


@every_case
def test_infos_hold_the_same_plain_numbers_after_reset_and_after_every_step(preset, kind):
    game = parallel(preset, kind, horizon=5)
    trace = episode(game, seed=0)
    for infos in (trace[0][1], *(entry[4] for entry in trace[1:])):
        for info in infos.values():
            assert list(info) == INFOS
            assert [type(info[name]) for name in INFOS[:-1]] == [int] * 3 + [float] + [int] * 4 + [float] * 2
            assert info["action_mask"].dtype == np.int8


def test_infos_use_no_name_that_others_read_as_something_else():
    theirs = {
        "episode", "final_info", "final_obs", "final_observation", "terminal_observation", "TimeLimit.truncated",
        "is_success", "r", "l", "t", "reward", "done", "terminated", "truncated", "observation", "action", "mask", "env_id",
    }  # fmt: skip
    assert theirs.isdisjoint(INFOS)


def test_the_growth_that_infos_tell_is_that_of_the_field():
    """It is computed once for each number of waste cells."""
    for settings in ({}, {"depletion": 0.5, "restoration": 0.1, "p_apple": 0.3}):
        game = parallel("contract", "symbolic", n_cleaners=2, horizon=60, **settings)
        for seed in (0, 1):
            _, infos = game.reset(seed=seed)
            rng = np.random.default_rng(seed)
            while game.agents:
                assert infos["cleaner_1"]["waste_density"] == game.game.waste_density[0]
                assert infos["cleaner_1"]["apple_chance"] == game.game.apple_chance[0]
                *_, infos = game.step({agent: int(rng.integers(game.action_space(agent).n)) for agent in game.agents})


@pytest.mark.parametrize("cooldown", [0, 2])
def test_whoever_writes_into_a_mask_changes_no_other(cooldown):
    game = parallel("contract", "symbolic", n_cleaners=1, cooldown=cooldown)
    _, infos = game.reset(seed=0)
    infos["cleaner_0"]["action_mask"][:] = 0
    *_, later = game.step(dict.fromkeys(game.agents, Action.STAY))
    assert later["cleaner_0"]["action_mask"].tolist() == [1] * 8


def test_the_last_step_truncates_pays_and_empties_the_agents():
    game = parallel("contract", "symbolic", horizon=1)
    game.reset(seed=0)
    _, rewards, terminated, truncated, _ = game.step(dict.fromkeys(game.agents, Action.STAY))
    assert set(rewards) == set(game.possible_agents)
    assert not any(terminated.values())
    assert all(truncated.values())
    assert game.agents == []


def test_after_the_end_a_step_of_nobody_returns_nothing_as_often_as_asked():
    game = parallel("contract", "symbolic", horizon=1)
    game.reset(seed=0)
    game.step(dict.fromkeys(game.agents, Action.STAY))
    board = game.state()
    for _ in range(2):
        assert game.step({}) == ({}, {}, {}, {}, {})
    assert (game.state() == board).all()
    game.reset(seed=0)
    with pytest.raises(CleanupError, match="missing"):
        game.step({})


def test_random_numbers_for_wrappers_come_from_the_seed_and_change_no_episode():
    game, twin = parallel("contract", "symbolic", horizon=5), parallel("contract", "symbolic", horizon=5)
    first = episode(game, seed=3)
    drawn = game.np_random.integers(1000, size=5).tolist()
    assert game.np_random_seed == 3
    twin.reset(seed=3)
    assert twin.np_random.integers(1000, size=5).tolist() == drawn
    assert twin.np_random.integers(1000, size=5).tolist() != drawn  # it goes on
    assert_equal(episode(twin, seed=3), first)
    assert twin.np_random.integers(1000, size=5).tolist() == drawn
    twin.reset()  # an episode without a seed goes on with the same numbers, as in Gymnasium
    assert twin.np_random.integers(1000, size=5).tolist() != drawn
    twin.reset(seed=4)
    assert twin.np_random.integers(1000, size=5).tolist() != drawn


def test_random_numbers_for_wrappers_are_fresh_without_a_seed_and_can_be_replaced():
    game, other = parallel("contract", "symbolic"), parallel("contract", "symbolic")
    assert game.np_random_seed != other.np_random_seed
    assert game.np_random.integers(2**60) != other.np_random.integers(2**60)
    assert game.np_random is game.np_random
    own = np.random.default_rng(0)
    game.np_random = own
    assert game.np_random is own
    assert game.np_random_seed == -1
    saved = pickle.loads(pickle.dumps(game))
    assert saved.np_random.integers(2**60) == own.integers(2**60)


def test_max_cycles_is_the_horizon():
    assert cleanup_env.parallel_env(max_cycles=7).config.horizon == 7


def test_the_parallel_game_comes_back_from_the_aec_face():
    assert isinstance(aec_to_parallel(cleanup_env.env(n_cleaners=1)), cleanup_env.CleanupParallelEnv)


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_importing_the_game_loads_no_learning_library():
    code = (
        "import sys, cleanup_env; "
        "print([m for m in ('torch', 'sklearn', 'matplotlib', 'optuna', 'scipy.optimize') if m in sys.modules])"
    )
    assert run_python(code).stdout.strip() == "[]"


def test_without_a_place_for_compiled_code_the_game_warns_once_and_works():
    code = (
        "import numba.core.caching as c\n"
        "getattr(c, 'CacheImpl', getattr(c, '_CacheImpl', None))._locator_classes = []\n"
        "import numpy as np\n"
        "from cleanup_env import random_stream\n"
        "words = np.zeros(4, np.uint64); random_stream.seed_stream(words, np.uint64(0)); print(words[0])\n"
    )
    ran = run_python(code)
    assert ran.stdout.strip() == str(0xE220A8397B1DCDAF), ran.stderr
    assert ran.stderr.count("RuntimeWarning") == 1
    assert "NUMBA_CACHE_DIR" in ran.stderr


WAITING = (
    "from cleanup_env import BatchCleanup, numba_tools; numba_tools.PATIENCE = 0.1\n"
    "game = BatchCleanup(observation=None); print('built'); game.reset(seed=0); game.visible()\n"
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The folder that keeps what is compiled for a game, and what its first user was told."""
    folder = tmp_path_factory.mktemp("compiled")
    return folder, run_python(WAITING, NUMBA_CACHE_DIR=str(folder)).stderr


def test_who_waits_for_the_compiler_is_told_once_and_only_then(compiled):
    folder, told = compiled
    assert told.count("compiling the game") == 1
    assert run_python(WAITING, NUMBA_CACHE_DIR=str(folder)).stderr == ""


def test_compiling_that_takes_a_moment_is_not_told(compiled, tmp_path):
    """One small kernel is missing in the cache, as where a command needs one that no other command did."""
    shutil.copytree(compiled[0], tmp_path, dirs_exist_ok=True)
    small = list(tmp_path.rglob("random_stream.seed_stream-*"))
    assert small
    for path in small:
        path.unlink()
    told = (
        "from cleanup_env import random_stream; import numpy as np\n"
        "random_stream.seed_stream(np.zeros(4, np.uint64), np.uint64(0))\n"
        "print(dict(random_stream.seed_stream.stats.cache_misses))\n"
    )
    again = run_python(told, NUMBA_CACHE_DIR=str(tmp_path))
    assert "1}" in again.stdout  # it was compiled
    assert "compiling" not in again.stderr


def test_compiling_the_functions_of_others_is_none_of_the_games_business():
    code = "import cleanup_env, numba; print(numba.njit(lambda x: x + 1)(1))"
    ran = run_python(code)
    assert (ran.stdout.strip(), ran.stderr) == ("2", "")


def test_a_numba_that_does_not_tell_stale_code_is_not_trusted_with_any():
    code = (
        "import numba.core.caching as c\n"
        "original = c.IndexDataCacheFile.__init__\n"
        "def renamed(self, *args, **kwargs):\n"
        "    original(self, *args, **kwargs); self._stamp = self.__dict__.pop('_source_stamp')\n"
        "c.IndexDataCacheFile.__init__ = renamed\n"
        "import numpy as np\n"
        "from cleanup_env import random_stream\n"
        "words = np.zeros(4, np.uint64); random_stream.seed_stream(words, np.uint64(0)); print(words[0])\n"
        "print(random_stream.seed_stream.stats.cache_path)\n"
    )
    ran = run_python(code)
    assert ran.stdout.split() == [str(0xE220A8397B1DCDAF), "None"], ran.stderr
    assert ran.stderr.count("does not tell when it is stale") == 1


def test_a_window_shows_each_step_and_closes(no_screen):
    import pygame

    game = cleanup_env.parallel_env(render_mode="human", render_scale=4)
    game.metadata = {**game.metadata, "render_fps": 1000}
    for turn in range(2):
        game.reset(seed=turn)
        game.step(dict.fromkeys(game.agents, Action.FORWARD))
        shown = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
        np.testing.assert_array_equal(shown, rgb(game.game, scale=4))
    twin = pickle.loads(pickle.dumps(game))
    game.close()
    assert pygame.display.get_surface() is None
    twin.step(dict.fromkeys(twin.agents, Action.FORWARD))
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    with pytest.raises(KeyboardInterrupt, match="closed"):
        twin.render()
    assert pygame.display.get_surface() is None
