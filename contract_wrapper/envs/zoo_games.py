"""A PettingZoo parallel game as a batch of games whose steps are settled; how, subclasses say.

What agents see and do becomes rows of numbers and numbered actions (`zoo_layout`); the copies are played in this
process (`zoo_copies`) or in several (`zoo_workers`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pettingzoo import ParallelEnv

from contract_wrapper.contracts.contract import as_int
from contract_wrapper.contracts.roles import Activity
from contract_wrapper.envs.game_readings import RoleMap, check_declared_rewards, find_horizon, find_roles
from contract_wrapper.envs.settled_games import SettledGames
from contract_wrapper.envs.zoo_copies import Copies, Recipe
from contract_wrapper.envs.zoo_layout import actions_by_type
from contract_wrapper.envs.zoo_workers import Workers
from contract_wrapper.errors import ContractsError, shown

MakeEnv = Callable[[], ParallelEnv[Any, Any, Any]]
Visible = ArrayLike | Callable[[Any], Any]
"""Who sees whom: (N, N), entry (i, j) true if agent i sees agent j; or a function from a game to that."""


class ZooGames(SettledGames):
    """B copies of a PettingZoo parallel game whose steps are settled; how, its subclasses say.

    Copy b begins an episode with a seed of its own, `seeds[b]`: with one copy it is the seed of `reset`, with several
    they are derived from it as Clean-up's are, `np.random.SeedSequence(seed).generate_state(B, np.uint64) >> 1`, so
    that a copy plays the same episode in whatever process it is.
    """

    _nobody_leaves = False

    def __init__(
        self,
        make_env: MakeEnv,
        *,
        n_games: int = 1,
        roles: RoleMap | None = None,
        horizon: int | None = None,
        visible: Visible | None = None,
        processes: int = 1,
        type_names: Sequence[str] | None = None,
        no_op: int | None = None,
        only_of_use: bool = False,
        seed_bits: int = 63,
    ) -> None:
        """Build the games; arguments and errors as in `PettingZooGames`. Subclasses set `settlement`."""
        if not callable(make_env):
            raise ContractsError(f"make_env must be a function that builds a PettingZoo game, got {shown(make_env)}")
        self.n_games = _whole("n_games", n_games, 1, 2**31 - 1)
        n_processes = _whole("processes", processes, 1, 512)
        if n_processes > self.n_games:
            raise ContractsError(
                f"processes must be at most n_games={self.n_games}, since a copy plays in one, got {n_processes}"
            )
        _flag("only_of_use", only_of_use)
        seen_by = visible if callable(visible) else None
        recipe = Recipe(make_env=make_env, visible=seen_by, only_of_use=only_of_use)
        env = recipe.build()
        check_declared_rewards(env)
        self.roles = find_roles(env, roles)
        self.n_agents = len(self.roles.names)
        self._set_horizon(env, horizon)
        self.type_names = _type_names(self.roles.names, type_names)
        self.agent_types = np.array([self.type_names.index(role) for role in self.roles.names], np.int64)
        self._sees = None if visible is None or seen_by is not None else self._who_sees_whom(visible)
        self._seed_shift = np.uint64(64 - _whole("seed_bits", seed_bits, 1, 63))
        self.seeds: NDArray[np.uint64] = np.zeros(self.n_games, np.uint64)
        """(B,) the seed that each copy was last reset with."""
        here = Copies(recipe, self.n_games if n_processes == 1 else 1, first=env)
        layout = here.layout
        self.n_actions = actions_by_type(layout, self.agent_types, self.type_names)
        self.observation_shape, self.n_classes = (layout.n_features,), 0
        self._sizes = np.array([agent.n_actions for agent in layout.each])
        if no_op is not None:
            self.no_op = _whole("no_op", no_op, 0, min(self.n_actions) - 1)
        self._asks_who_sees = seen_by is not None
        self._present: NDArray[np.bool_] = np.zeros((self.n_games, self.n_agents), np.bool_)
        self._clock = self.horizon
        self._begin_unsettled()
        self._copies: Copies | Workers = here
        if n_processes > 1:
            here.close()
            self._copies = Workers(recipe, self.n_games, n_processes, layout)

    @property
    def envs(self) -> list[ParallelEnv[Any, Any, Any]]:
        """The B games themselves, to look at.

        Raises:
            ContractsError: they play in worker processes.
        """
        if isinstance(self._copies, Workers):
            raise ContractsError("the games play in worker processes, where they cannot be looked at: use processes=1")
        return self._copies.envs

    def visible(self) -> NDArray[np.bool_]:
        """(B, N, N): does agent i see agent j now? False on the diagonal, and for agents that are not there."""
        present = self._present
        seen = present[:, :, None] & present[:, None, :] & ~np.eye(self.n_agents, dtype=np.bool_)
        if self._asks_who_sees:
            return seen & self._copies.visible()
        return seen if self._sees is None else seen & self._sees

    def action_mask(self) -> NDArray[np.bool_]:
        """(B, N, A): which actions are of use now? As the game says it (`action_mask` in observations or infos).

        False for actions that an agent lacks. Who is not there may choose any of its actions: none is played.
        """
        return self._copies.masks()

    def close(self) -> None:
        """Close all copies, and end the worker processes if there are any."""
        self._clock = self.horizon
        self._copies.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, seed: int, seeds: Any) -> NDArray[Any]:
        self.seeds = self._derived(seed) if seeds is None else _own_seeds(seeds, self.n_games)
        named = zip(self.roles.agents, self.roles.names, strict=True)
        needs = {agent: self.settlement.counts_of(role, agent) for agent, role in named}
        self._begin_unsettled()
        observations, self._present = self._copies.reset(self.seeds.tolist(), needs)
        self._clock = 0
        return _finite(observations, self)

    def _play(self, actions: NDArray[np.int64]) -> NDArray[Any]:
        acts = self._check_actions(actions)
        if self._clock >= self.horizon:
            raise ContractsError(
                f"no episode is under way (horizon {self.horizon}): call reset(seed) before the next step"
            )
        self._clock += 1
        played = self._copies.step(acts, self._clock == self.horizon)
        self.raw_rewards, self.here, self._present = played.rewards, played.here, played.present
        counts = dict(zip(Activity._fields, np.ascontiguousarray(np.moveaxis(played.counts, 1, 0)), strict=True))
        self.activity = Activity(**counts)
        return _finite(played.observations, self)

    def _derived(self, seed: int) -> NDArray[np.uint64]:
        number = as_int(seed)
        if number is None or number < 0:
            raise ContractsError(f"seed must be an integer of at least 0, got {shown(seed)}")
        if self.n_games == 1:
            return _own_seeds([number], 1)
        return np.random.SeedSequence(number).generate_state(self.n_games, np.uint64) >> self._seed_shift

    def _check_actions(self, actions: NDArray[np.int64]) -> NDArray[np.int64]:
        acts = np.asarray(actions)
        shape = (self.n_games, self.n_agents)
        if acts.shape != shape or acts.dtype.kind not in "iu":
            raise ContractsError(f"actions must be integers of shape {shape}, got {acts.dtype} of shape {acts.shape}")
        wrong = (acts < 0) | (acts >= self._sizes)
        if wrong.any():
            b, i = np.argwhere(wrong)[0]
            raise ContractsError(
                f"{self.roles.label(int(i))} has actions 0..{self._sizes[i] - 1}, got {acts[b, i]} in game {b}"
            )
        return acts.astype(np.int64, copy=False)

    def _set_horizon(self, env: Any, horizon: int | None) -> None:
        found = find_horizon(env) if horizon is None else _whole("horizon", horizon, 1, 2**31 - 1)
        if found is None:
            raise ContractsError(
                f"a batch of games plays episodes of equal length, but {env} does not say how long one is: pass "
                "horizon=..., the number of steps"
            )
        self.horizon = found

    def _who_sees_whom(self, visible: Any) -> NDArray[np.bool_]:
        seen, shape = np.asarray(visible), (self.n_agents, self.n_agents)
        if seen.shape != shape or seen.dtype.kind not in "biu":
            raise ContractsError(
                f"visible must be an array of truth values of shape {shape}, who sees whom, a function from a game to "
                f"such an array, or None (all who are there see each other), got {shown(visible)}"
            )
        return seen.astype(np.bool_)


def _type_names(roles: Sequence[str], names: Sequence[str] | None) -> tuple[str, ...]:
    there = tuple(sorted(set(roles)))
    if names is None:
        return there
    given = tuple(names) if isinstance(names, Sequence) and not isinstance(names, str) else ()
    if sorted(map(str, given)) != list(there):
        raise ContractsError(
            f"type_names must be the roles of the game, {', '.join(there)}, each once, got {shown(names)}"
        )
    return given


def _own_seeds(seeds: Any, n_games: int) -> NDArray[np.uint64]:
    numbers = [as_int(seed) for seed in np.asarray(seeds).reshape(-1).tolist()]
    if np.shape(seeds) != (n_games,) or any(seed is None or not 0 <= seed < 2**64 for seed in numbers):
        raise ContractsError(f"seeds must be {n_games} integers, one per copy, from 0 to 2**64 - 1, got {shown(seeds)}")
    return np.array(numbers, np.uint64)


def _finite(observations: NDArray[np.float32], game: ZooGames) -> NDArray[np.float32]:
    if not np.isfinite(observations).all():
        b, i, _ = np.argwhere(~np.isfinite(observations))[0]
        raise ContractsError(
            f"the game shows {game.roles.label(int(i))} a number that is not finite in copy {b}: learners need finite "
            "observations"
        )
    return observations


def _whole(name: str, value: object, least: int, most: int) -> int:
    number = as_int(value)
    if number is None or not least <= number <= most:
        raise ContractsError(f"{name} must be an integer from {least} to {most}, got {shown(value)}")
    return number


def _flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ContractsError(f"{name} must be True or False, got {shown(value)}")
