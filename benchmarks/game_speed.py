"""How fast the game is: game steps per CPU-second, one thread, for batches and for PettingZoo.

    python benchmarks/game_speed.py

A game step moves all agents of one game and writes their observations. Actions are random and
drawn in advance; each figure is the median of several repeats after a warm-up. CPU time, not
wall time, so that a busy machine disturbs less (it still does, through shared caches). The last
lines compare one process with two at once, in game steps per second of wall time, and time the
first import and step of fresh processes: without compiled code on disk, and with it.
"""

import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

from cleanup_env import BatchCleanup, make_config, parallel_env
from cleanup_env.config import OBSERVATIONS

REPEATS = 7
STEPS = 100_000  # game steps in one repeat, at most
KINDS = (*OBSERVATIONS, None)


def per_second(play, steps):
    """Median speed of `play()`, which plays so many steps."""
    play()
    speeds = []
    for _ in range(REPEATS):
        start = time.process_time()
        play()
        speeds.append(steps / (time.process_time() - start))
    return statistics.median(speeds)


def batch_speed(n_games, n_cleaners, observation):
    game = BatchCleanup(make_config("contract", n_cleaners=n_cleaners), n_games, observation=observation)
    rng = np.random.default_rng(0)
    plan = [rng.integers(0, game.n_actions, (n_games, game.n_agents)) for _ in range(game.config.horizon)]
    episodes = max(1, STEPS // (n_games * len(plan)) // (20 if n_games == 1 else 1))

    def play():
        for _ in range(episodes):
            game.reset(seed=0)
            for actions in plan:
                game.step(actions)

    return per_second(play, episodes * n_games * len(plan))


def pettingzoo_speed(observation):
    game = parallel_env("contract", observation=observation)
    game.reset(seed=0)
    rng = np.random.default_rng(0)
    plan = [{agent: int(rng.integers(7)) for agent in game.agents} for _ in range(game.config.horizon)]

    def play():
        for _ in range(5):
            game.reset(seed=0)
            for actions in plan:
                game.step(actions)

    return per_second(play, 5 * len(plan))


def wall_speed(_number=0):
    """Game steps per second of wall time: 64 games, 5 agents, symbolic."""
    game = BatchCleanup(make_config("contract"), 64)
    actions = np.random.default_rng(0).integers(0, 7, (200, 64, 5))

    def play(episodes):
        for _ in range(episodes):
            game.reset(seed=0)
            for row in actions:
                game.step(row)

    play(1)
    began = time.perf_counter()
    play(100)
    return 100 * 200 * 64 / (time.perf_counter() - began)


def scaling():
    """How many times faster two processes are than one."""
    ratios = []
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for _ in range(5):
            (alone,) = pool.map(wall_speed, [0])
            ratios.append(sum(pool.map(wall_speed, [0, 1], chunksize=1)) / alone)
    return statistics.median(ratios)


def first_step(folder, kind):
    """Wall seconds of a fresh process that imports the game and plays one step with a kind of observation."""
    code = (
        "import numpy as np, cleanup_env as c\n"
        f"game = c.BatchCleanup(observation={kind!r}); game.reset(seed=0); game.step(np.full((1, 5), c.Action.STAY))"
    )
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "NUMBA_CACHE_DIR": folder})
    return time.perf_counter() - began


def main():
    print("game steps per CPU-second, one thread, preset contract")
    print(f"{'games':>12} {'agents':>6}" + "".join(f"{kind or 'none':>12}" for kind in KINDS))
    for n_games in (1, 64, 1024):
        for n_cleaners in (0, 5):
            speeds = [batch_speed(n_games, n_cleaners, kind) for kind in KINDS]
            print(f"{n_games:>12} {5 + n_cleaners:>6}" + "".join(f"{speed:>12,.0f}" for speed in speeds), flush=True)
    speeds = [pettingzoo_speed(kind) for kind in OBSERVATIONS]
    print(f"{'PettingZoo 1':>12} {5:>6}" + "".join(f"{speed:>12,.0f}" for speed in speeds))
    print(f"two processes at once: {scaling():.2f} times one")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("symbolic", "features"):  # the second kind finds the rules compiled
            compiling, afterwards = first_step(folder, kind), first_step(folder, kind)
            print(f"first import and step, {kind}: {compiling:.1f} s when compiling, {afterwards:.1f} s afterwards")


if __name__ == "__main__":
    main()
