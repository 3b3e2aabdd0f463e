"""A fishery, a contract on it, and agents that learn to live with it: how to bring a game and learn in it.

Four fishers share a stock that regrows logistically. Each chooses an effort of 0, 1 or 2 and catches 10 % of the stock
per unit of effort. Two units of all together keep the stock at its best, four end it. Under the contract a part of every
catch is shared equally, so that a fisher is hurt by what it takes from others.
"""

from functools import partial

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

from contract_wrapper import PettingZooGames
from mtmfq import MTMFQConfig, play, train


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


def share(rewards, activity, roles, part):
    """Everybody pays a part of its catch, and gets an equal share of what is paid; transfers (..., N)."""
    return part * (rewards.mean(axis=-1, keepdims=True) - rewards)


def main(parts=(0.0, 0.9), episodes=320, seed=0):
    """Train the fishers with each part shared; return catch of all per episode, and the stock left at its end."""
    config = MTMFQConfig(
        episodes=episodes, n_games=8, hidden=(32,), gamma=0.9, n_step=5, learning_rate=3e-3, batch_size=64, tau=0.05,
        updates_per_step=0.5, temperature=((0.0, 0.05), (0.8, 0.001)), neighbours="none",
    )  # fmt: skip
    found = {}
    for part in parts:
        games = PettingZooGames(Fishery, n_games=8, payment=partial(share, part=part))
        policy = train(games, config, np.random.default_rng(seed)).policy
        caught = play(games, policy, seed=1).sum(axis=1).mean()  # what is shared sums to 0
        found[part] = float(caught), float(np.mean([env.stock for env in games.envs]))
        print(f"{part:4.0%} of each catch shared: {found[part][0]:.2f} caught, a stock of {found[part][1]:.2f} left")
    return found


if __name__ == "__main__":
    main()
