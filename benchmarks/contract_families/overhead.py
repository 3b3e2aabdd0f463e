"""How fast the games of a design problem are, beside `ContractedGame` under the same contract."""

from __future__ import annotations

import argparse
import statistics
import time
from functools import partial
from typing import Any

from contract_wrapper import ContractedGame, DesignProblem, Term, cleanup_problem
from pettingzoo_batch import DEAL, batch, speed

N_GAMES, TURNS = 64, 9
ROWS = {
    "tax": {"tax": DEAL.tax},
    "tax-per-harvester": {f"tax_{j}": DEAL.tax for j in range(5)},
    "tax-and-piece-rate": {"tax": DEAL.tax, "piece_rate": 0.5},
}


def overhead(options: argparse.Namespace) -> None:
    """Print speeds and ratios: steps of games per second of CPU time, in turns, so that a busy machine disturbs all alike."""
    games = {"ContractedGame": ContractedGame(DEAL, n_games=N_GAMES, costs=options.costs)}
    for name, numbers in ROWS.items():
        problem = cleanup_problem(name, costs=options.costs)
        games[f"problem {name}"] = problem.build(problem.contract(**numbers, n_cleaners=DEAL.n_cleaners), N_GAMES)
    mine = DesignProblem(
        name="mine", terms=(Term(name="tax", low=0, high=1),), games=partial(_mine, costs=options.costs)
    )
    games["problem of a user"] = mine.build(mine.contract(tax=DEAL.tax), N_GAMES)
    plays = [partial(batch, game, N_GAMES) for game in games.values()]
    for play in plays:
        play()
    rounds = [[speed(play, N_GAMES, time.process_time) for play in plays] for _ in range(TURNS)]
    print(f"steps of games per second of CPU time, {N_GAMES} games, {DEAL}; median of {TURNS} turns")
    for k, name in enumerate(games):
        ratio = statistics.median(row[k] / row[0] for row in rounds)
        print(f"{name:28} {statistics.median(row[k] for row in rounds):>11,.0f}   {ratio:.3f} of ContractedGame")


def _mine(numbers: Any, n_games: int, observation: str, costs: str) -> ContractedGame:
    return ContractedGame(DEAL, n_games=n_games, costs=costs, observation=observation)
