"""The game alone: a PettingZoo parallel environment, then a batch of games with scripted players.

Needs the core install only: pip install . (in the clone)
"""

import numpy as np

import cleanup_env
from cleanup_env.scripted import ScriptedCrew, play_episode


def one_game(steps: int = 50) -> float:
    """Random agents, one game, dictionaries in and out; returns the apples eaten."""
    game = cleanup_env.parallel_env(n_cleaners=2)
    game.reset(seed=1)
    eaten = 0
    for agent in game.agents:
        game.action_space(agent).seed(0)
    for _ in range(steps):
        actions = {agent: int(game.action_space(agent).sample()) for agent in game.agents}
        _observations, _rewards, _terminations, _truncations, infos = game.step(actions)
        eaten += sum(info["apples"] for info in infos.values())
    return eaten


def many_games(n_games: int = 50) -> dict[int, float]:
    """Mean harvest of scripted crews, by number of cleaners."""
    harvest = {}
    for n_cleaners in range(6):
        game = cleanup_env.BatchCleanup(cleanup_env.make_config(n_cleaners=n_cleaners), n_games, observation=None)
        crew = ScriptedCrew(game, "greedy", rng=np.random.default_rng(0))
        harvest[n_cleaners] = float(play_episode(game, crew, seed=0)["apples"].sum(axis=1).mean())
    return harvest


if __name__ == "__main__":
    print(f"two random cleaners, five random harvesters, 50 steps: {one_game()} apples")
    for n_cleaners, apples in many_games().items():
        print(f"greedy harvesters with {n_cleaners} greedy cleaners: {apples:.0f} apples in 200 steps")
