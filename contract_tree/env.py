"""The tree as a PettingZoo environment: in a round nodes act one after another, the root first."""

from __future__ import annotations

from collections.abc import Mapping
from operator import index
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import AECEnv
from pettingzoo.utils import wrappers

from contract_tree.checks import MOST_ROUNDS, MOST_SEED, brief, check_noise, check_whole
from contract_tree.errors import TreeError
from contract_tree.instances import as_tree
from contract_tree.tree import Tree

MOST_PAYMENT = 2.0
"""Highest payment of an offer; no node ever needs more than 1 (tau* lies in [0, 1])."""


class BanditTreeEnv(AECEnv[str, NDArray[np.float32], dict[str, Any]]):
    """A tree of principals and agents as a PettingZoo AEC environment.

    Actions: a dictionary with `action`, the node's own; nodes with children also say what they
    offer, `recommended` (an action of each child) and `payments` (what following it earns,
    0 to 2). A payment of 0 is no contract.

    Observations, float32 (5 + children,): the action that the principal recommends in this round
    and the payment for it (-1 and 0 before it has spoken, and at the root), then of the round
    before the own action, the reward before payments, the utility, and each child's action
    (-1 in the first round).

    Rewards: the utility of the round, given to all when the last node has acted: the node's reward,
    with the payment it earned, less the payments its children earned. `infos[agent]` then
    holds `reward_raw`, `received` and `paid`. Nothing terminates; the horizon truncates.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "bandit_tree_v0",
        "render_modes": ["ansi"],
        "is_parallelizable": False,
    }

    def __init__(
        self,
        tree: Tree | str | None = None,
        *,
        horizon: int = 100,
        noise: float | None = 0.1,
        render_mode: str | None = None,
    ) -> None:
        """Build the game.

        tree: a Tree or the name of one (see `named_tree`), default the chain of three; horizon: rounds of an
        episode; noise: standard deviation of
        Gaussian rewards, or None for Bernoulli rewards.
        """
        horizon, noise = check_whole("horizon", horizon, 1, MOST_ROUNDS), check_noise(noise)
        if render_mode not in (None, "ansi"):
            raise TreeError(f"unknown render_mode {brief(render_mode)}: choose ansi, or leave it out")
        super().__init__()
        self.tree = as_tree("chain" if tree is None else tree)
        self.horizon, self.noise, self.render_mode = horizon, noise, render_mode
        self.possible_agents = list(self.tree.names)
        self.agents: list[str] = []
        self._rng: np.random.Generator | None = None
        self._number = {name: v for v, name in enumerate(self.tree.names)}
        self.action_spaces = {name: self._action_space(v) for v, name in enumerate(self.tree.names)}
        self.observation_spaces = {
            name: spaces.Box(-np.inf, np.inf, (5 + len(self.tree.children(v)),), np.float32)
            for v, name in enumerate(self.tree.names)
        }

    def _action_space(self, v: int) -> spaces.Dict:
        own: dict[str, spaces.Space[Any]] = {"action": spaces.Discrete(self.tree.n_actions[v])}
        if children := self.tree.children(v):
            own["recommended"] = spaces.MultiDiscrete([self.tree.n_actions[u] for u in children])
            own["payments"] = spaces.Box(0.0, MOST_PAYMENT, (len(children),), np.float32)
        return spaces.Dict(own)

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The observation space of one agent."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """The action space of one agent."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start an episode. With no seed, the first comes from fresh entropy and each later one goes on from the last."""
        if seed is not None or self._rng is None:
            self._rng = np.random.default_rng(None if seed is None else check_whole("seed", seed, 0, MOST_SEED))
        n = self.tree.n_nodes
        self.agents = list(self.possible_agents)
        self.clock = 0
        self._chosen, self._before = [-1] * n, [-1] * n
        self._recommended, self._payment = [-1] * n, [0.0] * n
        self._raw, self._utility = np.zeros(n), np.zeros(n)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self.agent_selection = self.agents[0]

    def observe(self, agent: str) -> NDArray[np.float32]:
        """What one agent sees now (see the class)."""
        v = self._number[agent]
        below = [self._before[u] for u in self.tree.children(v)]
        own = [self._recommended[v], self._payment[v], self._before[v], self._raw[v], self._utility[v]]
        return np.array([*own, *below], np.float32)

    def step(self, action: dict[str, Any] | None) -> None:
        """Let the selected agent act; when all have acted, the round is settled."""
        if not self.agents or self._rng is None:
            raise TreeError("step was called before reset, or after the end of an episode: call reset(seed=...) first")
        agent = self.agent_selection
        if self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0.0
        v = self._number[agent]
        self._act(v, action)
        if v + 1 < self.tree.n_nodes:
            self._clear_rewards()
            self.agent_selection = self.agents[v + 1]
        else:
            self._settle(self._rng)
            self.agent_selection = self.agents[0]
        self._accumulate_rewards()

    def _act(self, v: int, action: dict[str, Any] | None) -> None:
        name, children = self.tree.names[v], self.tree.children(v)
        keys = {"action", "recommended", "payments"} if children else {"action"}
        if not isinstance(action, Mapping) or set(action) != keys:
            raise TreeError(
                f"the action of {name!r} must be a dictionary with {', '.join(sorted(keys))}, got {brief(action, 200)}"
            )
        chosen = _whole(action["action"], self.tree.n_actions[v], f"the action of {name!r}")
        if children:
            recommended, payments = np.atleast_1d(action["recommended"]), np.atleast_1d(action["payments"])
            if not len(recommended) == len(payments) == len(children):
                raise TreeError(
                    f"{name!r} has {len(children)} children: recommended and payments need one entry for each, "
                    f"got {len(recommended)} and {len(payments)}"
                )
            for u, what, pay in zip(children, recommended, payments, strict=True):
                below = self.tree.names[u]
                what = _whole(what, self.tree.n_actions[u], f"what {name!r} recommends to {below!r}")
                if not 0.0 <= pay <= MOST_PAYMENT:
                    raise TreeError(
                        f"the payment of {name!r} to {below!r} must lie in [0, {MOST_PAYMENT:g}], got {brief(pay)}"
                    )
                self._recommended[u], self._payment[u] = (what, float(pay)) if pay > 0 else (-1, 0.0)
        self._chosen[v] = chosen

    def _settle(self, rng: np.random.Generator) -> None:
        """Draw everybody's reward, pay those who followed, and begin the next round."""
        tree = self.tree
        means = np.array([tree.mean(v, self._chosen) for v in range(tree.n_nodes)])
        self._raw = (
            (rng.random(tree.n_nodes) < means).astype(float) if self.noise is None else rng.normal(means, self.noise)
        )
        received = np.where(np.equal(self._chosen, self._recommended), self._payment, 0.0)
        paid = np.array([sum(received[u] for u in tree.children(v)) for v in range(tree.n_nodes)], float)
        self._utility = self._raw + received - paid
        self.clock += 1
        over = self.clock == self.horizon
        for v, agent in enumerate(self.agents):
            self.rewards[agent] = float(self._utility[v])
            self.truncations[agent] = over
            self.infos[agent] = {
                "reward_raw": float(self._raw[v]), "received": float(received[v]), "paid": float(paid[v]),
            }  # fmt: skip
        self._before = self._chosen
        self._chosen = [-1] * tree.n_nodes
        self._recommended, self._payment = [-1] * tree.n_nodes, [0.0] * tree.n_nodes

    def render(self) -> str | None:
        """Return the last round as text, one line per node (`ansi`); None without a render mode."""
        if self.render_mode is None:
            return None
        return "\n".join(
            f"{name}: action {self._before[v]}, reward {self._raw[v]:.2f}, utility {self._utility[v]:.2f}"
            for v, name in enumerate(self.tree.names)
        )

    def close(self) -> None:
        """Nothing to close."""


def _whole(value: object, n: int, what: str) -> int:
    try:
        action = index(value)  # type: ignore[arg-type]
    except TypeError:
        action = -1
    if isinstance(value, bool) or not 0 <= action < n:
        raise TreeError(f"{what} must be an integer 0..{n - 1}, got {brief(value)}")
    return action


def raw_env(
    tree: Tree | str = "chain", *, horizon: int = 100, noise: float | None = 0.1, render_mode: str | None = None
) -> BanditTreeEnv:
    """Build the environment without wrappers; tree: a Tree or the name of one (see `named_tree`)."""
    return BanditTreeEnv(tree, horizon=horizon, noise=noise, render_mode=render_mode)


def env(
    tree: Tree | str = "chain", *, horizon: int = 100, noise: float | None = 0.1, render_mode: str | None = None
) -> AECEnv[str, NDArray[np.float32], dict[str, Any]]:
    """Build the environment with the order of calls enforced.

    >>> game = env("chain", horizon=2)
    >>> game.reset(seed=1)
    >>> game.step({"action": 1, "recommended": [1], "payments": [0.15]})
    >>> game.agent_selection, game.observe("middle")[:2].round(2).tolist()
    ('middle', [1.0, 0.15000000596046448])
    """
    return wrappers.OrderEnforcingWrapper(raw_env(tree, horizon=horizon, noise=noise, render_mode=render_mode))
