"""The rules of Clean-up, compiled, for a batch of independent games. The only implementation.

`step` plays one step of every game; above it stand the parts of a step, in the order of play.
Names: b is the number of a game, i of an agent, s the state (see :mod:`cleanup_env.state`).
"""

from __future__ import annotations

import numpy as np

from cleanup_env.actions import BACK, CLEAN, FIRE, FORWARD, RIGHT, STAY, TURN_CLOCKWISE, TURN_COUNTER_CLOCKWISE, Action
from cleanup_env.config import CleanupConfig
from cleanup_env.maps import APPLE, BEAM, ORCHARD, RIVER, WALL, WASTE
from cleanup_env.numba_tools import inlined, kernel
from cleanup_env.random_stream import draw, draw_below, draw_unit
from cleanup_env.state import Rules, change, put, show, show_agent, step_of

PLAYED, OVER = -1, -2
_LOW_32, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)


@inlined
def apple_chance(n_waste, n_river, rules):
    """p_apple * clip(1 - (d - restoration) / (depletion - restoration), 0, 1), d the waste density."""
    d = n_waste / n_river
    share = 1.0 - (d - rules.restoration) / (rules.depletion - rules.restoration)
    return rules.p_apple * min(1.0, max(0.0, share))


@inlined
def _move(b, actions, world, rules, s, scratch):
    """Turns, and moves without overlap: contested cells by lot, no swaps, longer cycles all move."""
    n = actions.size
    ground, occupant, position = s.ground[b], s.occupant[b], s.position[b]
    target, rivals, winner = scratch.target, scratch.rivals, scratch.winner
    for i in range(n):
        kind = rules.kinds[i, actions[i]]
        target[i] = position[i]
        if kind < STAY:
            quarter = 0 if kind == FORWARD else 1 if kind == RIGHT else 2 if kind == BACK else 3
            cell = position[i] + step_of((s.heading[b, i] + quarter) & 3, world.width)
            if ground[cell] != WALL:
                target[i] = cell
                rivals[cell] += 1
                # The k-th contender takes the place with chance 1/k: all are equally likely.
                if rivals[cell] == 1 or draw_below(s.stream[b], rivals[cell]) == 0:
                    winner[cell] = i
        elif kind == TURN_CLOCKWISE:
            s.heading[b, i] = (s.heading[b, i] + 1) & 3
        elif kind == TURN_COUNTER_CLOCKWISE:
            s.heading[b, i] = (s.heading[b, i] + 3) & 3
    for i in range(n):  # those who lost the lot stay
        cell = target[i]
        if cell != position[i]:
            rivals[cell] = 0
            if winner[cell] != i:
                target[i] = position[i]
    for i in range(n):  # two who would swap stay
        cell = target[i]
        if cell != position[i] and occupant[cell] >= 0 and target[occupant[cell]] == position[i]:
            target[occupant[cell]] = cell
            target[i] = position[i]
    blocked = True
    while blocked:  # nobody enters a cell whose occupant stays; that may block the next in line
        blocked = False
        for i in range(n):
            cell = target[i]
            if cell != position[i] and occupant[cell] >= 0 and target[occupant[cell]] == cell:
                target[i] = position[i]
                blocked = True
    for i in range(n):
        if target[i] != position[i]:
            occupant[position[i]] = -1
            show(b, position[i], ground[position[i]], world, s)
    for i in range(n):
        if target[i] != position[i]:
            position[i] = target[i]
            occupant[target[i]] = i
            show_agent(b, target[i], i, world, s)


@inlined
def _harvest(b, world, rules, s):
    """Who may eat and stands on an apple eats it."""
    for i in range(s.position.shape[1]):
        cell = s.position[b, i]
        s.apples[b, i] = 0
        s.rewards[b, i] = 0.0
        if s.ground[b, cell] == APPLE and rules.eats[i]:
            change(b, cell, ORCHARD, world, s)
            s.apples[b, i] = 1
            s.rewards[b, i] = 1.0


@kernel
def _shoot(b, i, cleaning, world, rules, s):
    """One beam of agent i: its lanes end at a wall, an agent, or the first waste when cleaning."""
    ahead = step_of(s.heading[b, i], world.width)
    right = step_of((s.heading[b, i] + 1) & 3, world.width)
    s.shots[b, i] += 1
    for side in range(-rules.beam_sides, rules.beam_sides + 1):
        # The centre lane starts ahead of the agent, a side lane beside it.
        cell = s.position[b, i] + side * right + (ahead if side == 0 else 0)
        for _ in range(rules.beam_length):
            if s.ground[b, cell] == WALL:
                break
            if s.occupant[b, cell] >= 0:
                if not cleaning:
                    s.rewards[b, s.occupant[b, cell]] -= rules.fire_penalty
                break
            if s.board[b, 0, cell] != BEAM:
                show(b, cell, BEAM, world, s)
                s.beam[b, s.n_beam[b]] = cell
                s.n_beam[b] += 1
            if cleaning and s.ground[b, cell] == WASTE:
                change(b, cell, RIVER, world, s)
                s.n_waste[b] -= 1
                s.cleaned[b, i] += 1
                break
            cell += ahead
    if not cleaning:
        s.rewards[b, i] -= rules.fire_cost


@inlined
def _fire_beams(b, actions, world, rules, s, scratch):
    """Beams in uniformly random order, each taking effect before the next."""
    order, shooters = scratch.order, 0
    for i in range(actions.size):
        s.cleaned[b, i] = s.shots[b, i] = 0
        if s.recovery[b, i] > 0:
            s.recovery[b, i] -= 1
        elif rules.kinds[i, actions[i]] >= FIRE:
            order[shooters] = i
            shooters += 1
            s.recovery[b, i] = rules.cooldown
    for k in range(shooters):
        if k < shooters - 1:
            other = k + draw_below(s.stream[b], shooters - k)
            order[k], order[other] = order[other], order[k]
        i = order[k]
        _shoot(b, i, rules.kinds[i, actions[i]] == CLEAN, world, rules, s)


@inlined
def _grow(b, world, rules, s):
    """Apples and waste come, both by the waste density that the beams have left."""
    words = s.stream[b]
    n_river = world.river.size
    chance = apple_chance(s.n_waste[b], n_river, rules)
    if chance > 0.0:
        threshold = np.uint64(chance * 4294967296.0)
        bits, fresh = np.uint64(0), False
        for cell in world.orchard:
            if s.ground[b, cell] == ORCHARD and s.occupant[b, cell] < 0:
                fresh = not fresh  # one draw of 64 bits serves two cells
                bits = draw(words) if fresh else bits >> _32
                if (bits & _LOW_32) < threshold:
                    put(b, cell, APPLE, world, s)
    n_clean = n_river - s.n_waste[b]
    if s.n_waste[b] / n_river < rules.waste_ceiling and s.clock[b] >= rules.waste_delay and n_clean > 0:
        # Cells drawing in random order until one succeeds: somebody does unless all fail,
        # and by symmetry each clean cell is equally likely to be the one.
        success = 1.0 - (1.0 - rules.p_waste) ** n_clean if rules.loop_waste else rules.p_waste
        if draw_unit(words) < success:
            cell = world.river[draw_below(words, n_river)]
            while s.ground[b, cell] == WASTE:
                cell = world.river[draw_below(words, n_river)]
            put(b, cell, WASTE, world, s)
            s.n_waste[b] += 1


@inlined
def _clear_beams(b, world, s):
    """The beams of the last step are no longer drawn."""
    for k in range(s.n_beam[b]):
        cell = s.beam[b, k]
        show(b, cell, s.ground[b, cell], world, s)
    s.n_beam[b] = 0


@kernel
def step(actions, world, rules, s, scratch):
    """One step of every game, in the order of the rules. actions (B, N) int64.

    Returns PLAYED; or plays nothing, and returns OVER if a game has reached the horizon, else the
    flat index of the first action that its agent does not have.
    """
    n = actions.shape[1]
    for b in range(actions.shape[0]):
        if s.clock[b] >= rules.horizon:
            return OVER
    for b in range(actions.shape[0]):
        for i in range(n):
            if not 0 <= actions[b, i] < rules.n_actions[i]:
                return b * n + i
    for b in range(actions.shape[0]):
        _clear_beams(b, world, s)
        _move(b, actions[b], world, rules, s, scratch)
        _harvest(b, world, rules, s)
        _fire_beams(b, actions[b], world, rules, s, scratch)
        _grow(b, world, rules, s)
        s.clock[b] += 1
    return PLAYED


def rules_of(config: CleanupConfig) -> Rules:
    """Settings as the numbers and arrays that the compiled rules take."""
    roles = np.array(config.roles)
    kinds = np.full((config.n_agents, len(Action)), -1, dtype=np.int8)
    for i, role in enumerate(config.roles):
        own = config.actions(role)
        kinds[i, : len(own)] = own
    ceiling = config.depletion if config.waste_ceiling == "depletion" else config.waste_ceiling
    return Rules(
        horizon=config.horizon,
        p_apple=float(config.p_apple),
        depletion=float(config.depletion),
        restoration=float(config.restoration),
        loop_waste=config.waste_mode == "loop",
        p_waste=float(config.p_waste),
        waste_ceiling=float("inf") if ceiling is None else float(ceiling),
        waste_delay=config.waste_delay,
        beam_length=config.beam_length,
        beam_sides=config.beam_width // 2,
        cooldown=config.cooldown,
        fire_cost=float(config.fire_cost),
        fire_penalty=float(config.fire_penalty),
        soiled=config.start == "soiled",
        rotate=config.rotate,
        eats=(roles != "cleaner") | config.cleaners_eat,
        cleans=roles != "harvester",
        n_actions=(kinds >= 0).sum(axis=1),
        kinds=kinds,
    )
