"""Copies of a PettingZoo game in this process, played in lockstep: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from contract_wrapper.contracts.roles import Activity
from contract_wrapper.envs.game_readings import Needs, check_parallel, read_counts, read_reward
from contract_wrapper.envs.zoo_layout import ZooLayout
from contract_wrapper.errors import ContractsError, shown

Visible = Callable[[Any], Any]
"""Who sees whom: from a game in its present state to an array (N, N), entry (i, j) true if agent i sees agent j."""


class Played(NamedTuple):
    """What a step of B copies gave; the arrays are overwritten by the next step."""

    observations: NDArray[np.float32]
    """(B, N, F)."""

    rewards: NDArray[np.float64]
    """(B, N), 0 for agents that did not act."""

    counts: NDArray[np.float64]
    """What they did, (B, 3, N): a row for each field of `Activity`."""

    here: NDArray[np.bool_]
    """(B, N): who acted and was rewarded in the step."""

    present: NDArray[np.bool_]
    """(B, N): who will act in the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a copy is made and read; it can be sent to another process if its functions can."""

    make_env: Callable[[], ParallelEnv[Any, Any, Any]]
    """Builds one copy."""

    visible: Visible | None = None
    """Who sees whom in a copy; None: the games are not asked."""

    only_of_use: bool = False
    """Whether an action that the mask says is of no use is replaced by the first that is."""

    def build(self) -> ParallelEnv[Any, Any, Any]:
        """Build one copy.

        Raises:
            ContractsError: it is no game in which all agents act at once.
        """
        env = self.make_env()
        check_parallel(env)
        if not callable(getattr(env, "step", None)) or not hasattr(env, "possible_agents"):
            raise ContractsError(f"make_env must build a PettingZoo ParallelEnv with possible_agents, got {shown(env)}")
        return env


class Copies:
    """B copies of a game, all with the same agents, spaces and actions."""

    def __init__(self, recipe: Recipe, n_games: int, *, first: ParallelEnv[Any, Any, Any] | None = None) -> None:
        """Build the copies.

        first: a game that the recipe has built already.

        Raises:
            ContractsError: the recipe builds another game each time, or none that can be read.
        """
        self.recipe = recipe
        made: list[ParallelEnv[Any, Any, Any]] = [] if first is None else [first]
        made += [recipe.build() for _ in range(n_games - len(made))]
        self.envs = made
        self.layout = ZooLayout.of(made[0])
        for env in made[1:]:
            check_same(self.layout, ZooLayout.of(env))
        self._place = {agent: i for i, agent in enumerate(self.layout.agents)}
        n, size = len(self.layout.agents), (n_games, len(self.layout.agents))
        self._played = Played(
            np.zeros((*size, self.layout.n_features), np.float32), np.zeros(size),
            np.zeros((n_games, len(Activity._fields), n)), np.zeros(size, np.bool_), np.zeros(size, np.bool_),
        )  # fmt: skip
        self._needs: Needs = {}
        self._acting: list[list[Any]] = [[] for _ in made]
        self._told: list[tuple[Any, Any]] = [({}, {}) for _ in made]  # observations and infos, of which masks are read
        owned = [agent.n_actions for agent in self.layout.each]
        self._owned = np.arange(self.layout.n_actions) < np.array(owned)[:, None]

    def reset(self, seeds: Sequence[int], needs: Needs) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Start an episode in every copy, each from its seed; observations (B, N, F), and who is there, (B, N).

        needs: counts that the games must report of each agent.
        """
        self._needs = needs
        for array in self._played:
            array[...] = 0
        for b, (env, seed) in enumerate(zip(self.envs, seeds, strict=True)):
            observations, infos = env.reset(seed=seed)
            self._look(b, env, observations, infos, last=False)
        return self._played.observations, self._played.present

    def step(self, actions: NDArray[np.int64], last: bool) -> Played:
        """Play actions (B, N), of which those of agents that are not there are left out.

        last: whether the episode ends here for all. Agents then see what the game shows them last.
        """
        if self.recipe.only_of_use:
            actions = self._of_use(actions)
        played = self._played
        for array in played[:-1]:
            array[...] = 0
        for b, env in enumerate(self.envs):
            acting = self._acting[b]
            if not acting:
                continue
            chosen = {}
            for agent in acting:
                i = self._place[agent]
                chosen[agent] = int(actions[b, i]) + self.layout.each[i].first_action
            observations, rewards, _, _, infos = env.step(chosen)
            here, raw = played.here[b], played.rewards[b]
            for agent in acting:
                if agent in rewards:
                    i = self._place[agent]
                    here[i], raw[i] = True, read_reward(agent, rewards[agent])
            played.counts[b] = read_counts(infos, self.layout.agents, here.tolist(), self._needs)
            self._look(b, env, observations, infos, last)
        return played

    def masks(self) -> NDArray[np.bool_]:
        """(B, N, A): which actions are of use now? An agent that is told of none, or is not there, may choose any."""
        masks = np.repeat(self._owned[None], len(self.envs), axis=0)
        for b, (observations, infos) in enumerate(self._told):
            for agent in self._acting[b]:
                i = self._place[agent]
                mask = self.layout.each[i].mask(observations.get(agent), infos.get(agent) or {})
                if mask is not None and mask.any():
                    masks[b, i, : len(mask)] = mask
        return masks

    def visible(self) -> NDArray[np.bool_]:
        """(B, N, N): what `Recipe.visible` says of each copy in its present state; nobody sees in one that is over.

        Raises:
            ContractsError: it says something of another shape.
        """
        assert self.recipe.visible is not None  # is asked only if there is such a function
        n = len(self.layout.agents)
        seen = np.zeros((len(self.envs), n, n), np.bool_)
        for b, env in enumerate(self.envs):
            if not self._acting[b]:
                continue
            told = np.asarray(self.recipe.visible(env))
            if told.shape != (n, n):
                raise ContractsError(
                    f"visible must return an array of shape {(n, n)}, who sees whom, got {shown(told)}"
                )
            seen[b] = told
        return seen

    def close(self) -> None:
        """Close all copies."""
        for env in self.envs:
            env.close()

    def _look(self, b: int, env: ParallelEnv[Any, Any, Any], observations: Any, infos: Any, last: bool) -> None:
        """Note who is there after a reset or a step, and write what they see."""
        acting = list(env.agents)
        looking = {*acting, *self._acting[b]} if last else acting
        played = self._played
        played.present[b] = False
        for agent in acting:
            if agent not in self._place:
                raise ContractsError(
                    f"{agent!r} takes part, but is not among possible_agents {shown(self.layout.agents)}: a batch of "
                    "games needs to know beforehand who may come"
                )
            played.present[b, self._place[agent]] = True
        for agent in looking:
            if agent in observations:
                i = self._place[agent]
                self.layout.each[i].write(observations[agent], played.observations[b, i])
        self._acting[b], self._told[b] = acting, (observations, infos)

    def _of_use(self, actions: NDArray[np.int64]) -> NDArray[np.int64]:
        masks = self.masks()
        useless = ~np.take_along_axis(masks, actions[..., None], axis=2)[..., 0]
        return np.where(useless, masks.argmax(axis=2), actions)


def check_same(layout: ZooLayout, other: ZooLayout) -> None:
    """Refuse copies that are not of one game.

    Raises:
        ContractsError: their agents, spaces or actions differ.
    """
    if layout != other:
        raise ContractsError(
            f"make_env must build the same game each time, but one has the agents {shown(layout.agents)} and another "
            f"{shown(other.agents)}, or their spaces differ"
        )
