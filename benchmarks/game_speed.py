"""How fast the game is: game steps per CPU-second, one thread, for batches and for PettingZoo.

    python benchmarks/game_speed.py

A game step moves all agents of one game and writes their observations. Actions are random and
drawn in advance; each figure is the median of several repeats after a warm-up. CPU time, not
wall time, so that a busy machine disturbs less (it still does, through shared caches).
"""

import statistics
import time

import numpy as np

from cleanup_env import BatchCleanup, make_config, parallel_env

REPEATS = 7
STEPS = 100_000  # game steps in one repeat, at most
OBSERVATIONS = ("symbolic", "features", None)


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


def main():
    print(f"{'games':>12} {'agents':>6}" + "".join(f"{kind or 'none':>12}" for kind in OBSERVATIONS))
    for n_games in (1, 64, 1024):
        for n_cleaners in (0, 5):
            speeds = [batch_speed(n_games, n_cleaners, kind) for kind in OBSERVATIONS]
            print(f"{n_games:>12} {5 + n_cleaners:>6}" + "".join(f"{speed:>12,.0f}" for speed in speeds))
    speeds = [pettingzoo_speed(kind) for kind in ("symbolic", "features")]
    print(f"{'PettingZoo 1':>12} {5:>6}" + "".join(f"{speed:>12,.0f}" for speed in speeds))


if __name__ == "__main__":
    main()
