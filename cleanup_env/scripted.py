"""Scripted players: yardsticks for learners. They see what the rules allow anyone to see: their window.

`greedy` harvesters walk to the nearest visible apple; `greedy` cleaners shoot where a shot cleans
most and walk to waste otherwise. Both are compiled and play a whole batch at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanup_env.actions import (
    BACK,
    FORWARD,
    LEFT,
    RIGHT,
    STAY,
    TURN_CLOCKWISE,
    TURN_COUNTER_CLOCKWISE,
    Action,
)
from cleanup_env.batch import BatchCleanup
from cleanup_env.config import ROLES
from cleanup_env.errors import CleanupError, shown
from cleanup_env.limits import as_float, check_memory
from cleanup_env.maps import APPLE, WALL, WASTE
from cleanup_env.numba_tools import inlined, kernel
from cleanup_env.observe import waste_hit
from cleanup_env.state import step_of

IDLE, RANDOM, GREEDY, HARVEST = range(4)
PLAYERS = ("idle", "random", "greedy", "harvest")


@inlined
def _towards(b, i, cell, world, s):
    """The move of agent i that brings it nearer to a cell and is not blocked; STAY if none is."""
    here = np.int64(s.position[b, i])
    d_row, d_col = world.row[cell] - world.row[here], world.column[cell] - world.column[here]
    best, best_gain = STAY, 0
    for quarter in range(4):
        heading = (s.heading[b, i] + quarter) & 3
        gain = -d_row if heading == 0 else d_col if heading == 1 else d_row if heading == 2 else -d_col
        there = here + step_of(heading, world.width)
        if gain > best_gain and s.ground[b, there] != WALL and s.occupant[b, there] < 0:
            best_gain = gain
            best = FORWARD if quarter == 0 else RIGHT if quarter == 1 else BACK if quarter == 2 else LEFT
    return best


@inlined
def _distance(one, other, world):
    """Steps between two cells on a map without walls."""
    return abs(world.row[one] - world.row[other]) + abs(world.column[one] - world.column[other])


@inlined
def _nearer(b, i, cell, world, rules, s):
    """Is another agent that eats nearer to the cell than agent i?"""
    own = _distance(s.position[b, i], cell, world)
    for j in range(s.position.shape[1]):
        if j != i and rules.eats[j] and _distance(s.position[b, j], cell, world) < own:
            return True
    return False


@inlined
def _harvester(b, i, world, rules, s, claimed):
    """Walk to the nearest visible apple that nobody else is nearer to or has chosen in this step."""
    here = s.position[b, i]
    for k in range(world.n_near_orchard[here]):
        cell = np.int64(world.near_orchard[here, k])
        free = s.ground[b, cell] == APPLE and claimed[cell] == 0 and s.occupant[b, cell] < 0
        # Leaving an apple to whoever is nearer spreads the crew over the orchard.
        if free and not _nearer(b, i, cell, world, rules, s):
            claimed[cell] = 1
            return _towards(b, i, cell, world, s)
    # Nothing in view: walk towards the orchard, the middle of which sees most of it.
    if world.orchard.size > 0:
        return _towards(
            b, i, np.int64(world.orchard[(i * 37 + world.orchard.size // 2) % world.orchard.size]), world, s
        )
    return STAY


@inlined
def _cleaner(b, i, world, rules, s, claimed, clean):
    """Shoot if that cleans and no turn cleans more than one cell more, else turn, else walk to waste."""
    ahead = waste_hit(b, i, s.heading[b, i], world, rules, s)
    right = waste_hit(b, i, (s.heading[b, i] + 1) & 3, world, rules, s)
    left = waste_hit(b, i, (s.heading[b, i] + 3) & 3, world, rules, s)
    if ahead > 0 and ahead + 1 >= max(right, left):
        return clean
    if max(right, left) > 0:
        return TURN_CLOCKWISE if right >= left else TURN_COUNTER_CLOCKWISE
    here = s.position[b, i]
    for k in range(world.n_near_river[here]):
        cell = np.int64(world.near_river[here, k])
        if s.ground[b, cell] == WASTE and claimed[cell] == 0:
            claimed[cell] = 1
            return _towards(b, i, cell, world, s)
    # No waste in view: go to a stretch of the river of one's own and wait there.
    n = s.position.shape[1]
    return _towards(
        b, i, np.int64(world.river[((2 * i + 1) * world.river.size // (2 * n)) % world.river.size]), world, s
    )


@kernel
def _act(policy, clean, world, rules, s, claimed, actions):
    """Fill actions (B, N) for the agents whose policy is GREEDY or HARVEST, STAY for the others; clean (N,): its number."""
    for b in range(actions.shape[0]):
        for cell in range(claimed.size):
            claimed[cell] = 0
        for i in range(actions.shape[1]):
            actions[b, i] = STAY
            if policy[i] < GREEDY:
                continue
            if rules.cleans[i] and policy[i] == GREEDY:
                actions[b, i] = _cleaner(b, i, world, rules, s, claimed, clean[i])
            else:
                actions[b, i] = _harvester(b, i, world, rules, s, claimed)


class ScriptedCrew:
    """One scripted player per agent, for all games of a batch.

    players: `idle`, `random`, `greedy` or `harvest`, one name for all, or a mapping role -> name.
    noise: share of steps in which a greedy player of a role acts at random, a number for all or a
    mapping role -> number. rng draws all of it. Free agents play `greedy` as cleaners, and `harvest` as harvesters.
    """

    def __init__(
        self,
        game: BatchCleanup,
        players: str | dict[str, str] = "greedy",
        *,
        noise: float | dict[str, float] = 0.0,
        rng: np.random.Generator,
    ) -> None:
        """Assign a player to every agent of the game."""
        if not isinstance(game, BatchCleanup):
            raise CleanupError(f"game must be a BatchCleanup, got {shown(game)}")
        if not isinstance(rng, np.random.Generator):
            raise CleanupError(f"rng must be a numpy Generator, for example default_rng(0), got {shown(rng)}")
        for what in (players, noise):
            for role in what if isinstance(what, dict) else ():
                if role not in ROLES:
                    raise CleanupError(f"unknown role {shown(role)}: the roles are {', '.join(ROLES)}")
        for share in noise.values() if isinstance(noise, dict) else (noise,):
            number = as_float(share)
            if number is None or not 0.0 <= number <= 1.0:
                raise CleanupError(f"noise must lie in [0, 1], got {shown(share)}")
        for name in players.values() if isinstance(players, dict) else (players,):
            if not isinstance(name, str) or name not in PLAYERS:
                raise CleanupError(f"unknown player {shown(name)}: choose one of {', '.join(PLAYERS)}")
        names = [players if isinstance(players, str) else players.get(role, "greedy") for role in game.roles]
        self._game, self._rng = game, rng
        self._policy = np.array([PLAYERS.index(name) for name in names])
        shares = [noise if not isinstance(noise, dict) else noise.get(role, 0.0) for role in game.roles]
        self._noise = np.where(self._policy == RANDOM, 1.0, np.where(self._policy >= GREEDY, shares, 0.0))
        numbers = [
            game.config.action_number(role, Action.CLEAN) if cleans else -1
            for role, cleans in zip(game.roles, game.rules.cleans, strict=True)
        ]
        self._clean = np.array(numbers)
        self._claimed = np.zeros(game.world.ground.size, np.uint8)
        self._actions = np.zeros((game.n_games, game.n_agents), np.int64)

    def act(self) -> NDArray[np.int64]:
        """Actions (B, N) in the present state of the game."""
        game = self._game
        _act(self._policy, self._clean, game.world, game.rules, game._state, self._claimed, self._actions)
        if self._noise.any():
            shape = self._actions.shape
            at_random = self._rng.random(shape) < self._noise
            return np.where(at_random, self._rng.integers(0, game.n_actions, shape), self._actions)
        return self._actions


def play_episode(game: BatchCleanup, crew: ScriptedCrew, seed: int) -> dict[str, NDArray[Any]]:
    """Play one episode of every copy; return sums per agent (B, N) and the waste curve (B, horizon)."""
    needed = 4 * game.n_games * game.config.horizon
    check_memory(f"the waste curve of {game.n_games} games", needed, "play fewer games, or a smaller horizon")
    game.reset(seed)
    sums: dict[str, NDArray[Any]] = {
        name: np.zeros((game.n_games, game.n_agents)) for name in ("rewards", "apples", "cleaned", "shots")
    }
    waste = np.zeros((game.n_games, game.config.horizon), np.int32)
    for t in range(game.config.horizon):
        _, rewards, _ = game.step(crew.act())
        played: tuple[NDArray[Any], ...] = (rewards, game.apples, game.cleaned, game.shots)
        for name, values in zip(sums, played, strict=True):
            sums[name] += values
        waste[:, t] = game.waste
    return {**sums, "waste": waste}
