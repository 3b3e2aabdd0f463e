"""Two herders on a common, as a design problem of a user who makes mistakes; small enough for a whole search in a second."""

from functools import partial

import numpy as np
from gymnasium import spaces
from lucky_learner import LUCKY, LuckyConfig
from pettingzoo import ParallelEnv

from contract_wrapper import DesignProblem, EvaluationSettings, PettingZooGames, SearchSettings, Term, register_learner


class Commons(ParallelEnv):
    """Who grazes gains 2 and costs all 1; `earns` makes another reward of one, `leaves` is when herder_1 goes."""

    def __init__(self, n=2, earns=float, leaves=99):
        self.possible_agents, self.earns, self.leaves, self.horizon = (
            [f"herder_{i}" for i in range(n)],
            earns,
            leaves,
            4,
        )

    def observation_space(self, agent):
        return spaces.Box(0.0, 1.0, (1,), np.float32)

    def action_space(self, agent):
        return spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        self.agents, self.time = list(self.possible_agents), 0
        return self._told([1.0]), self._told({})

    def step(self, actions):
        self.time += 1
        rewards = {agent: self.earns(2.0 * grazes - sum(actions.values())) for agent, grazes in actions.items()}
        seen, infos = self._told([1.0]), self._told({})
        over = {a: self.time >= (self.leaves if a == "herder_1" else self.horizon) for a in actions}
        self.agents = [agent for agent in actions if not over[agent]]
        return seen, rewards, dict.fromkeys(actions, False), over, infos

    def _told(self, what):
        return dict.fromkeys(self.agents, what)


def share(rewards, activity, roles, part):
    """A part of every reward is shared equally among those who are there."""
    here = ~roles.mask("absent")
    pot = part * rewards
    return pot.sum(axis=-1, keepdims=True) / here.sum() * here - pot


def common(make=Commons, pay=share, before=lambda numbers: None, name="commons", **changes):
    """The problem: `before` is called with the numbers of a contract, None without one, before its games are built."""

    def games(numbers, n_games, observation):
        other = before(numbers)
        part = numbers["part"] if numbers else 0.0
        return PettingZooGames(other or make, n_games=n_games, payment=partial(pay, part=part))

    terms = (Term(name="part", low=0, high=1, step=0.1),)
    return DesignProblem(**{"name": name, "terms": terms, "games": games} | changes)


def settings_of(problem):
    register_learner(LUCKY)
    return EvaluationSettings(problem=problem, learner=LuckyConfig(), episodes=2)


SEARCH = SearchSettings(n_initial=3, n_search=2, n_confirm=0)
"""Its initial contracts have the parts 0, 1 and 0.2."""
