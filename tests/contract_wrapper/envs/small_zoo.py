"""PettingZoo games small enough to check by head; at the top of a module, so that worker processes can build them."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv


class Meadow(ParallelEnv):
    """Action k of a harvester eats k apples, of a cleaner cleans k cells with k shots; everybody sees a draw.

    `comes` and `leaves`: agent -> the step before which it comes (0: it is there from the beginning), and after which
    it leaves. Only who is there may act.
    """

    metadata: dict[str, Any] = {"name": "meadow_v0"}  # noqa: RUF012

    def __init__(self, n_harvesters=2, n_cleaners=1, comes=(), leaves=(), max_cycles=6, reports=True):
        self.possible_agents = [f"harvester_{i}" for i in range(n_harvesters)]
        self.possible_agents += [f"cleaner_{i}" for i in range(n_cleaners)]
        self.comes, self.leaves, self.max_cycles, self.reports = dict(comes), dict(leaves), max_cycles, reports
        self.agents = []
        self.closed = False

    def observation_space(self, agent):
        return spaces.Box(0.0, 1.0, (2,), np.float64)

    def action_space(self, agent):
        return spaces.Discrete(3 if agent.startswith("harvester") else 4)

    def reset(self, seed=None, options=None):
        self.seed, self.rng, self.time = seed, np.random.default_rng(seed), 0
        self.agents = self._there()
        return self._see(self.agents), {a: {} for a in self.agents}

    def step(self, actions):
        acted = list(self.agents)
        assert sorted(actions) == sorted(acted), f"{sorted(actions)} acted, but {sorted(acted)} are there"
        self.time += 1
        rewards = {a: float(actions[a]) * 1.1 if a.startswith("harvester") else 0.0 for a in acted}
        infos = {a: {} for a in acted}
        if self.reports:
            for a in acted:
                work = int(actions[a]) if a.startswith("cleaner") else 0
                infos[a] = {"apples": 0 if work else int(actions[a]), "cleaned": work, "shots": work}
        over = self.time >= self.max_cycles
        self.agents = [] if over else self._there()
        gone = {a: a not in self.agents for a in acted}
        return self._see({*acted, *self.agents}), rewards, gone, dict.fromkeys(acted, over), infos

    def close(self):
        self.closed = True

    def _there(self):
        return [
            a for a in self.possible_agents if self.comes.get(a, 0) <= self.time < self.leaves.get(a, self.max_cycles)
        ]

    def _see(self, agents):
        return {a: self.rng.random(2) for a in sorted(agents)}


class Spaces(ParallelEnv):
    """Two agents with spaces of one's choice, who are shown what one says; action masks in infos, if there are any."""

    metadata: dict[str, Any] = {"name": "spaces_v0"}  # noqa: RUF012

    def __init__(self, seen, shown, actions=None, masks=None, horizon=2, reward=0.0):
        self.possible_agents = ["wide_0", "narrow_0"]
        self.seen, self.shown, self.horizon, self.reward = seen, shown, horizon, reward
        self.actions = actions or [spaces.Discrete(2), spaces.Discrete(3)]
        self.masks = masks
        self.got = []

    def observation_space(self, agent):
        return self.seen[self.possible_agents.index(agent)]

    def action_space(self, agent):
        return self.actions[self.possible_agents.index(agent)]

    def reset(self, seed=None, options=None):
        self.agents, self.time = list(self.possible_agents), 0
        return self._see(), self._infos()

    def step(self, actions):
        self.got.append(dict(actions))
        self.time += 1
        over = self.time >= self.horizon
        result = (
            self._see(), dict.fromkeys(self.agents, self.reward), dict.fromkeys(self.agents, False),
            dict.fromkeys(self.agents, over), self._infos(),
        )  # fmt: skip
        if over:
            self.agents = []
        return result

    def _see(self):
        return dict(zip(self.possible_agents, self.shown, strict=True))

    def _infos(self):
        if self.masks is None:
            return {a: {} for a in self.possible_agents}
        return {a: {"action_mask": m} for a, m in zip(self.possible_agents, self.masks, strict=True)}


class Well(ParallelEnv):
    """A matrix game of two states that take turns by lot: who sees state s and pumps (1) in state 1 fills the jug.

    The cleaner's pumping in state 1 earns the harvester 1, if the harvester carries (its action is the state). Pumping
    is a shot. Without pay, a cleaner whose shots cost something should rest; with half of the harvest it should pump in
    state 1, and rest in state 0. Best harvest: one per step in state 1.
    """

    metadata: dict[str, Any] = {"name": "well_v0"}  # noqa: RUF012
    possible_agents = ["harvester_0", "cleaner_0"]  # noqa: RUF012

    def __init__(self, horizon=8):
        self.horizon = horizon

    def observation_space(self, agent):
        return spaces.Discrete(2)

    def action_space(self, agent):
        return spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        self.rng, self.time = np.random.default_rng(seed), 0
        self.agents = list(self.possible_agents)
        return self._see(), {a: {} for a in self.agents}

    def step(self, actions):
        self.time += 1
        pumped, carried = int(actions["cleaner_0"]), int(actions["harvester_0"]) == self.state
        rewards = {"harvester_0": float(pumped and carried and self.state), "cleaner_0": 0.0}
        infos = {"harvester_0": {}, "cleaner_0": {"shots": pumped}}
        flags = dict.fromkeys(self.possible_agents, self.time >= self.horizon)
        if self.time >= self.horizon:
            self.agents = []
        return self._see(), rewards, dict.fromkeys(self.possible_agents, False), flags, infos

    def _see(self):
        self.state = int(self.rng.integers(2))
        return dict.fromkeys(self.possible_agents, self.state)


class Fails(Meadow):
    """A meadow that fails in the second step with a given error."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def step(self, actions):
        if self.time == 1:
            raise self.error
        return super().step(actions)


def sees_the_next(env):
    """Agent i sees agent i + 1, in a game in an even step; nobody in an odd one."""
    n = len(env.possible_agents)
    return np.eye(n, k=1, dtype=bool) & (env.time % 2 == 0)
