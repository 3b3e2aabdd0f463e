"""Odd values in every setting of the game: accepted and playable, or a CleanupError, at once."""

import dataclasses
from random import Random
from typing import Any

import numpy as np
import pytest
from fuzz_values import built, odd, odd_fields

from cleanup_env import BatchCleanup, CentralizedCleanup, CleanupConfig, CleanupError, make_config, parallel_env
from cleanup_env.limits import as_float, as_int, size_text
from cleanup_env.maps import LEGEND, check_map
from cleanup_env.render import rgb
from cleanup_env.scripted import PLAYERS, ScriptedCrew, play_episode
from cleanup_env.vector import vector_env
from cleanup_env.yardsticks import table, yardstick

TYPES = {f.name: f.type for f in dataclasses.fields(CleanupConfig)}
SMALL = {"n_games": 2, "horizon": 3}


def played(game: BatchCleanup) -> BatchCleanup:
    """One reset and two steps in which all stay."""
    game.reset(seed=1)
    for _ in range(min(2, game.config.horizon)):
        game.step(np.full((game.n_games, game.n_agents), 4))
    return game


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    for observation in ("symbolic", "one_hot", "rgb", "features", None):
        played(BatchCleanup(observation=observation))


def test_odd_settings_of_the_game_and_its_batches() -> None:
    rng = Random(0)
    accepted = 0
    for _ in range(1_500):
        fields = odd_fields(rng, TYPES, 2)
        config = built(lambda f=fields: make_config("contract", **f), CleanupError)
        if config is not None:
            hash(config)
            assert all(type(v) in (int, float, bool, str, tuple, type(None)) for v in config.as_dict().values())
            accepted += built(lambda c=config: played(BatchCleanup(c, 2)), CleanupError) is not None
    assert accepted > 100


def test_odd_arguments_of_batches_and_environments() -> None:
    rng = Random(1)
    for _ in range(400):
        built(lambda: played(BatchCleanup(odd(rng), 1)), CleanupError)
        built(lambda: played(BatchCleanup(None, _small_or_huge(rng))), CleanupError)
        built(lambda: BatchCleanup(observation=odd(rng)), CleanupError)
        built(lambda: BatchCleanup(n_games=2).reset(odd(rng, "int")), CleanupError)
        built(lambda: BatchCleanup(n_games=2).reset(seeds=odd(rng)), CleanupError)
        built(lambda: played(BatchCleanup(n_games=2)).step(odd(rng)), CleanupError)
        built(lambda: played(BatchCleanup(n_games=2)).set_state(odd(rng)), CleanupError)
        built(lambda: vector_env(odd(rng), n_games=odd(rng)), CleanupError)
        built(lambda: vector_env(copy=odd(rng), observation=odd(rng)), CleanupError)
        built(lambda: parallel_env(odd(rng), max_cycles=odd(rng)), CleanupError)
        built(lambda: parallel_env(render_mode=odd(rng), observation=odd(rng)), CleanupError)
        built(lambda: CentralizedCleanup(odd(rng), observation=odd(rng)), CleanupError)
        built(lambda: _rendered(odd(rng, "int")), CleanupError)


def test_odd_arguments_of_scripted_players() -> None:
    rng = Random(2)
    game = BatchCleanup(make_config(n_cleaners=1, horizon=2), 2, observation=None)
    for _ in range(400):
        noise = {"cleaner": odd(rng, "float")} if rng.random() < 0.5 else odd(rng, "float")
        players = {"cleaner": odd(rng)} if rng.random() < 0.5 else rng.choice([odd(rng), *PLAYERS])
        crew = built(
            lambda p=players, n=noise: ScriptedCrew(game, p, noise=n, rng=np.random.default_rng(0)), CleanupError
        )
        if crew is not None:
            play_episode(game, crew, seed=0)
        built(lambda: ScriptedCrew(game, rng=odd(rng)), CleanupError)
        built(lambda: yardstick(odd(rng), odd(rng), episodes=odd(rng), seed=odd(rng)), CleanupError)
        built(lambda: table(odd(rng), episodes=1, seed=odd(rng), preset=odd(rng)), CleanupError)


def test_odd_maps() -> None:
    rng = Random(3)
    for _ in range(100):
        letters = [*LEGEND, *"PPRRX"[: 4 + (rng.random() < 0.1)]]
        width = int(10 ** rng.uniform(0, 3))
        rows: Any = [
            "".join(rng.choices(letters, k=width)) for _ in range(min(int(10 ** rng.uniform(0, 3)), 20_000 // width))
        ]
        if rng.random() < 0.1 and rows:
            rows[-1] = odd(rng)
        radius = rng.choice([5, 7, 20, 50])
        built(lambda m=rows, r=radius: played(BatchCleanup(make_config(n_harvesters=1, map=m, radius=r))), CleanupError)


def _small_or_huge(rng: Random) -> Any:
    value = odd(rng, "int")
    return value if (as_int(value) or 0) < 1_000 or (as_int(value) or 0) > 10**6 else 2


def _rendered(scale: Any) -> Any:
    env = parallel_env(render_mode="rgb_array", render_scale=scale)
    env.reset(seed=0)
    return env.render() if env.render_scale < 100 else None


# ---- limits, with their numbers


def refused(*words: str) -> Any:
    return pytest.raises(CleanupError, match=r"^[^\n]*" + "[^\n]*".join(words) + r"[^\n]*$")


def test_a_billion_games_are_refused_with_the_memory_that_they_would_take() -> None:
    with refused("n_games=1000000000", "GiB of memory, at most 2.0 GiB", "fewer games"):
        BatchCleanup(n_games=10**9)
    with refused("n_games=1000000000"):
        vector_env(n_games=10**9)
    with refused("350000 sub-environments", "observe 'features'"):
        vector_env(n_games=70_000, observation="rgb")


def test_a_window_of_a_radius_of_12_000_is_refused() -> None:
    with refused("too large", "577032450 cells", "padding of 12000", "smaller radius"):
        make_config(radius=12_000)


def test_a_large_map_with_a_wide_window_is_refused_with_the_memory_that_its_index_would_take() -> None:
    with refused("8100 cells", "radius 45", "GiB", "at most 640 MiB"):
        make_config(map=("P" + "R" * 89,) + ("R" * 90,) * 89, n_harvesters=1, radius=45)


def test_a_map_without_end_is_refused() -> None:
    with refused("too large", "32,768 rows or more"):
        check_map("PR" for _ in iter(int, 1))


def test_a_picture_of_a_hundred_thousand_pixels_per_cell_is_refused() -> None:
    with refused("render_scale=100000", "GiB", "smaller render_scale"):
        parallel_env(render_mode="rgb_array", render_scale=100_000)
    with refused("scale=100000"):
        rgb(played(BatchCleanup()), scale=100_000)


def test_the_waste_curve_of_an_endless_episode_is_refused() -> None:
    game = BatchCleanup(make_config(horizon=2**31 - 1), observation=None)
    with refused("waste curve of 1 games", "7.9 GiB"):
        play_episode(game, ScriptedCrew(game, rng=np.random.default_rng(0)), seed=0)


@pytest.mark.parametrize("value", [-1, 1e308, float("nan"), True])
@pytest.mark.parametrize("name", ["fire_cost", "fire_penalty"])
def test_a_penalty_that_pays_is_refused(name: str, value: float) -> None:
    with refused(name, "between 0 and 1,000,000,000"):
        make_config("original", **{name: value})


def test_numbers_of_numpy_become_plain_numbers() -> None:
    config = make_config(
        p_apple=np.float32(0.25), n_cleaners=np.int8(2), rotate=np.True_, waste_ceiling=np.float64(0.5)
    )
    assert config == make_config(p_apple=0.25, n_cleaners=2, rotate=True, waste_ceiling=0.5)
    assert [type(v) for v in (config.p_apple, config.n_cleaners, config.rotate)] == [float, int, bool]


@pytest.mark.parametrize(
    ("value", "whole", "real"),
    [
        (3, 3, 3.0),
        (True, None, None),
        (np.uint8(3), 3, 3.0),
        (0.5, None, 0.5),
        ("3", None, None),
        (10**400, 10**400, np.inf),
    ],
)
def test_what_counts_as_a_number(value: Any, whole: int | None, real: float | None) -> None:
    assert (as_int(value), as_float(value)) == (whole, real)


def test_sizes_as_text() -> None:
    assert [size_text(n) for n in (5 * 2**20, 3 * 2**29, 10**5000)] == ["5 MiB", "1.5 GiB", "more than 100,000,000 GiB"]
