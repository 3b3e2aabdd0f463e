"""A fishery and the best contract on it: a game of your own through the whole search, kept in a folder, with a report.

Four fishers share a stock that regrows logistically. Each chooses an effort of 0, 1 or 2 and catches 10 % of the stock
per unit of effort. Two units of all together keep the stock at its best, four end it. Under a contract a part of every
catch is shared equally, so that a fisher is hurt by what it takes from others. The search finds how large it should be.
"""

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

import contract_wrapper as cw
from mtmfq import MTMFQConfig


class Fishery(ParallelEnv):
    """Four fishers, 50 steps; each sees the stock, a number from 0 to 1."""

    possible_agents, horizon = [f"fisher_{i}" for i in range(4)], 50
    observation_space = lambda self, agent: spaces.Box(0.0, 1.0, (1,), np.float32)  # noqa: E731
    action_space = lambda self, agent: spaces.Discrete(3)  # noqa: E731

    def reset(self, seed=None, options=None):
        self.agents, self.time, self.stock = list(self.possible_agents), 0, 0.5
        return {agent: [self.stock] for agent in self.agents}, {agent: {} for agent in self.agents}

    def step(self, actions):
        self.time, catch = self.time + 1, {agent: 0.1 * effort * self.stock for agent, effort in actions.items()}
        self.stock += 0.4 * self.stock * (1.0 - self.stock) - sum(catch.values())
        over, never = (dict.fromkeys(catch, flag) for flag in (self.time == self.horizon, False))
        self.agents = [agent for agent in catch if not over[agent]]
        return {agent: [self.stock] for agent in catch}, catch, never, over, {agent: {} for agent in catch}


def games(numbers, n_games, observation):
    """The fishery under a contract, or without any: a part of every catch goes into a pot that is shared equally."""
    part = numbers["part"] if numbers else 0.0
    share = lambda rewards, activity, roles: part * (rewards.mean(axis=-1, keepdims=True) - rewards)  # noqa: E731
    return cw.PettingZooGames(Fishery, n_games=n_games, payment=share)


LEARNER = MTMFQConfig(
    episodes=320, n_games=8, hidden=(32,), gamma=0.9, n_step=5, learning_rate=3e-3, batch_size=64, tau=0.05,
    updates_per_step=0.5, temperature=((0.0, 0.05), (0.8, 0.001)), neighbours="none",
)  # fmt: skip
PROBLEM = cw.DesignProblem(
    name="fishery", terms=(cw.Term(name="part", low=0, high=1, step=0.05),), games=games, unit="fish"
)


def main(folder="studies/fishery", search=cw.SearchSettings(n_initial=4, n_search=6, n_confirm=3)):  # noqa: B008
    """Find the best part; a study that was stopped goes on by the same call."""
    record = cw.optimize(cw.EvaluationSettings(problem=PROBLEM, learner=LEARNER, episodes=16), search, folder=folder)
    print(cw.closing_table(record), f"report: {cw.write_report(record)[0]}", sep="\n")
    return record


if __name__ == "__main__":
    main()
