"""The rules of Clean-up, compiled, for a batch of independent games. The only implementation.

Shapes: B games, N agents, cells of the padded board (see :mod:`cleanup_env.maps`).
`ground` is the board without agents and beams, `board` is what is seen. Headings are
0 north, 1 east, 2 south, 3 west.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanup_env.compiled import inlined, kernel
from cleanup_env.maps import AGENT, APPLE, BEAM, ORCHARD, RIVER, WALL, WASTE
from cleanup_env.random_stream import draw, draw_below, draw_unit, seed_stream

LEFT, RIGHT, FORWARD, BACK, STAY, TURN_CLOCKWISE, TURN_COUNTER_CLOCKWISE, FIRE, CLEAN = range(9)
_LOW_32, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)


class Rules(NamedTuple):
    """Settings of the game as the compiled rules take them (see `CleanupConfig`)."""

    p_apple: float
    depletion: float
    restoration: float
    loop_waste: bool
    p_waste: float
    waste_ceiling: float  # infinity: none
    waste_delay: int
    beam_length: int
    beam_sides: int  # pairs of side lanes
    cooldown: int
    fire_cost: float
    fire_penalty: float
    soiled: bool
    eats: NDArray[np.bool_]  # (N,)
    cleans: NDArray[np.bool_]  # (N,)
    n_actions: NDArray[np.int64]  # (N,)
    kinds: NDArray[np.int8]  # (N, 9) what the numbered actions of each agent do, -1 for none


class State(NamedTuple):
    """Everything that changes. Copying these arrays copies the game."""

    stream: NDArray[np.uint64]  # (B, 4)
    clock: NDArray[np.int32]  # (B,) steps played
    ground: NDArray[np.uint8]  # (B, cells)
    board: NDArray[np.uint8]  # (B, cells)
    occupant: NDArray[np.int16]  # (B, cells) agent on the cell, or -1
    position: NDArray[np.int32]  # (B, N) cell
    heading: NDArray[np.int8]  # (B, N)
    recovery: NDArray[np.int32]  # (B, N) steps until the beam works again
    n_waste: NDArray[np.int32]  # (B,)
    beam: NDArray[np.int32]  # (B, lanes * length * N) cells on which the beam is drawn
    n_beam: NDArray[np.int32]  # (B,)
    apples: NDArray[np.int32]  # (B, N) eaten in the last step
    cleaned: NDArray[np.int32]  # (B, N) waste cells cleaned in the last step
    shots: NDArray[np.int32]  # (B, N) beams fired in the last step
    rewards: NDArray[np.float64]  # (B, N) of the last step


@inlined
def step_of(heading, width):
    """Difference in cell number of one step along a heading."""
    if heading == 0:
        return -width
    if heading == 1:
        return 1
    if heading == 2:
        return width
    return -1


@inlined
def apple_chance(n_waste, n_river, rules):
    """p_apple * clip(1 - (d - restoration) / (depletion - restoration), 0, 1), d the waste density."""
    d = n_waste / n_river
    share = 1.0 - (d - rules.restoration) / (rules.depletion - rules.restoration)
    return rules.p_apple * min(1.0, max(0.0, share))


@kernel
def reset(b, seed, world, rules, s, places):
    """Start game b anew from its seed. Scratch: places (start cells,)."""
    words = s.stream[b]
    seed_stream(words, seed)
    s.clock[b] = 0
    s.n_beam[b] = 0
    for cell in range(world.ground.size):
        s.ground[b, cell] = world.ground[cell]
        s.occupant[b, cell] = -1
    s.n_waste[b] = 0
    if rules.soiled:
        for cell in world.soiled:
            s.ground[b, cell] = WASTE
        s.n_waste[b] = world.soiled.size
    else:
        for cell in world.orchard:
            s.ground[b, cell] = APPLE
    for cell in range(world.ground.size):
        s.board[b, cell] = s.ground[b, cell]
    for k in range(places.size):
        places[k] = world.start[k]
    for i in range(s.position.shape[1]):
        k = i + draw_below(words, places.size - i)
        places[i], places[k] = places[k], places[i]
        s.position[b, i] = places[i]
        s.occupant[b, places[i]] = i
        s.board[b, places[i]] = AGENT
        s.heading[b, i] = draw_below(words, 4)
        s.recovery[b, i] = 0
        s.apples[b, i] = s.cleaned[b, i] = s.shots[b, i] = 0
        s.rewards[b, i] = 0.0


@inlined
def _move(b, actions, world, rules, s, target, rivals, winner):
    """Turns, and moves without overlap: contested cells by lot, no swaps, longer cycles all move.

    Scratch: target (N,), rivals and winner (cells,); rivals is zero before and after.
    """
    n = actions.size
    board, ground, occupant, position = s.board[b], s.ground[b], s.occupant[b], s.position[b]
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
            board[position[i]] = ground[position[i]]
    for i in range(n):
        if target[i] != position[i]:
            position[i] = target[i]
            occupant[target[i]] = i
            board[target[i]] = AGENT


@inlined
def _harvest(b, rules, s):
    """Who may eat and stands on an apple eats it."""
    for i in range(s.position.shape[1]):
        cell = s.position[b, i]
        s.apples[b, i] = 0
        s.rewards[b, i] = 0.0
        if s.ground[b, cell] == APPLE and rules.eats[i]:
            s.ground[b, cell] = ORCHARD
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
            if s.board[b, cell] != BEAM:
                s.board[b, cell] = BEAM
                s.beam[b, s.n_beam[b]] = cell
                s.n_beam[b] += 1
            if cleaning and s.ground[b, cell] == WASTE:
                s.ground[b, cell] = RIVER
                s.n_waste[b] -= 1
                s.cleaned[b, i] += 1
                break
            cell += ahead
    if not cleaning:
        s.rewards[b, i] -= rules.fire_cost


@inlined
def _fire_beams(b, actions, world, rules, s, order):
    """Beams in uniformly random order, each taking effect before the next. Scratch: order (N,)."""
    shooters = 0
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
def _put(b, cell, what, s):
    """Change the ground; agents and beams stay visible above it."""
    s.ground[b, cell] = what
    if s.board[b, cell] != AGENT and s.board[b, cell] != BEAM:
        s.board[b, cell] = what


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
                    _put(b, cell, APPLE, s)
    n_clean = n_river - s.n_waste[b]
    if s.n_waste[b] / n_river < rules.waste_ceiling and s.clock[b] >= rules.waste_delay and n_clean > 0:
        # Cells drawing in random order until one succeeds: somebody does unless all fail,
        # and by symmetry each clean cell is equally likely to be the one.
        success = 1.0 - (1.0 - rules.p_waste) ** n_clean if rules.loop_waste else rules.p_waste
        if draw_unit(words) < success:
            k = draw_below(words, n_clean)
            for cell in world.river:
                if s.ground[b, cell] == RIVER:
                    if k == 0:
                        _put(b, cell, WASTE, s)
                        break
                    k -= 1
            s.n_waste[b] += 1


@inlined
def _clear_beams(b, s):
    """The beams of the last step are no longer drawn."""
    for k in range(s.n_beam[b]):
        cell = s.beam[b, k]
        if s.board[b, cell] == BEAM:
            s.board[b, cell] = s.ground[b, cell]
    s.n_beam[b] = 0


@kernel
def step(actions, world, rules, s, target, rivals, winner, order):
    """One step of every game, in the order of the rules. actions (B, N) int64.

    Plays nothing and returns the flat index of the first action that its agent does not have,
    or, if all are fine, plays and returns -1.
    """
    n = actions.shape[1]
    for b in range(actions.shape[0]):
        for i in range(n):
            if not 0 <= actions[b, i] < rules.n_actions[i]:
                return b * n + i
    for b in range(actions.shape[0]):
        _clear_beams(b, s)
        _move(b, actions[b], world, rules, s, target, rivals, winner)
        _harvest(b, rules, s)
        _fire_beams(b, actions[b], world, rules, s, order)
        _grow(b, world, rules, s)
        s.clock[b] += 1
    return -1


@kernel
def reset_all(seeds, world, rules, s, places):
    """Start every game anew from its seed (uint64)."""
    for b in range(seeds.size):
        reset(b, seeds[b], world, rules, s, places)
