"""How fast a PettingZoo game is as a batch: Clean-up by `PettingZooGames`, as ratios to its own batch.

    python benchmarks/pettingzoo_batch.py
    python benchmarks/pettingzoo_batch.py --processes

Speed: steps of games per second of CPU time, one thread, preset contract with 2 cleaners, features, random actions that
were drawn in advance. Beside `PettingZooGames` stand what it is made of, the PettingZoo environment stepped in a loop by
itself and under `ContractWrapper`. All are measured in turns, so that a busy machine disturbs all alike; a ratio is the
median over turns. `--processes` adds two worker processes beside one, of wall time, for Clean-up, which needs two
idle cores for that, and for a game that waits 2 ms in each step.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from cleanup_env import BatchCleanup, make_config, parallel_env
from contract_wrapper import Contract, ContractedGame, ContractWrapper, PettingZooGames

DEAL, STEPS, AGENTS = Contract(tax=0.3, n_cleaners=2), 50, 7
SIZES = (1, 16, 64)
make = partial(parallel_env, "contract", n_cleaners=2, observation="features")
PLAN = {n: np.random.default_rng(0).integers(0, 7, (STEPS, n, AGENTS)) for n in SIZES}


def slow(seconds: float = 2e-3):
    """A Clean-up game that waits some milliseconds in each step, as for a simulator outside."""
    env = make()
    step = env.step

    def later(actions):
        time.sleep(seconds)
        return step(actions)

    env.step = later
    return env


def batch(game, n_games: int) -> None:
    """Play a part of an episode of a batch."""
    game.reset(0)
    for actions in PLAN[n_games]:
        game.step(actions)


def one_by_one(env, n_games: int) -> None:
    """Play as many steps of one PettingZoo environment."""
    for b in range(n_games):
        env.reset(seed=b)
        for actions in PLAN[n_games][:, b].tolist():
            env.step(dict(zip(env.possible_agents, actions, strict=True)))


def players(n_games: int) -> dict[str, Callable[[], None]]:
    """What plays so many steps, by name; Clean-up's own batch first."""
    config = make_config("contract", n_cleaners=2)
    return {
        "BatchCleanup": partial(batch, BatchCleanup(config, n_games, observation="features"), n_games),
        "ContractedGame": partial(batch, ContractedGame(DEAL, n_games=n_games), n_games),
        "PettingZooGames": partial(batch, PettingZooGames(make, DEAL, n_games=n_games), n_games),
        "parallel_env": partial(one_by_one, make(), n_games),
        "ContractWrapper": partial(one_by_one, ContractWrapper(make(), DEAL), n_games),
    }


def speed(play: Callable[[], None], n_games: int, clock: Callable[[], float]) -> float:
    """Steps of games per second; repeated until a twentieth of a second has passed."""
    began, times = clock(), 0
    while clock() < began + 0.05:
        play()
        times += 1
    return times * STEPS * n_games / (clock() - began)


def by_processes(build: Callable[[], object], turns: int) -> float:
    """How many times faster two processes are than one, of wall time, 16 games."""
    games = [PettingZooGames(build, DEAL, n_games=16, processes=p) for p in (1, 2)]
    ratios = []
    for _ in range(turns):
        one, two = (speed(partial(batch, game, 16), 16, time.perf_counter) for game in games)
        ratios.append(two / one)
    for game in games:
        game.close()
    return statistics.median(ratios)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=9, help="turns of each (default 9)")
    parser.add_argument("--processes", action="store_true", help="two processes beside one, too")
    arguments = parser.parse_args()
    turns = arguments.turns
    print(f"steps of games per second of CPU time, {AGENTS} agents, features, one thread; median of {turns} turns")
    print(f"{'games':>5} {'':>16} {'steps / s':>11} {'/ BatchCleanup':>15}")
    for n_games in SIZES:
        each = players(n_games)
        for play in each.values():
            play()
        rounds = [[speed(play, n_games, time.process_time) for play in each.values()] for _ in range(turns)]
        for k, name in enumerate(each):
            ratio = statistics.median(row[k] / row[0] for row in rounds)
            print(
                f"{n_games:>5} {name:>16} {statistics.median(r[k] for r in rounds):>11,.0f} {ratio:>15.4f}", flush=True
            )
    for name, build in (("Clean-up", make), ("a game that waits 2 ms", slow)) if arguments.processes else ():
        print(f"two processes / one, 16 games, wall time, {name}: {by_processes(build, 3):.2f}", flush=True)


if __name__ == "__main__":
    main()
