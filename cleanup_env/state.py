"""What a batch of games holds, how it starts, and how cells change.

Shapes: B games, N agents, cells of the padded board (see :mod:`cleanup_env.maps`).
`ground` is the board without agents and beams, `board` is what is seen. Headings are
0 north, 1 east, 2 south, 3 west.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanup_env.maps import AGENT, APPLE, BEAM, CLASS_NAMES, WALL, WASTE, World
from cleanup_env.numba_tools import copy_bytes, inlined, kernel
from cleanup_env.random_stream import draw_below, seed_stream

N_CLASSES = len(CLASS_NAMES)
_1, _6, _63 = np.uint64(1), np.uint64(6), np.uint64(63)


class Rules(NamedTuple):
    """Settings of the game as the compiled rules take them (see `CleanupConfig`)."""

    horizon: int
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
    rotate: bool
    eats: NDArray[np.bool_]  # (N,)
    cleans: NDArray[np.bool_]  # (N,)
    n_actions: NDArray[np.int64]  # (N,)
    kinds: NDArray[np.int8]  # (N, 9) the `Action` behind each agent's numbers, -1 for none


class State(NamedTuple):
    """Everything that changes. Copying these arrays copies the game."""

    stream: NDArray[np.uint64]  # (B, 4)
    clock: NDArray[np.int32]  # (B,) steps played
    ground: NDArray[np.uint8]  # (B, cells)
    position: NDArray[np.int32]  # (B, N) cell
    heading: NDArray[np.int8]  # (B, N)
    recovery: NDArray[np.int32]  # (B, N) steps until the beam works again
    beam: NDArray[np.int32]  # (B, lanes * length * N) cells on which the beam is drawn
    n_beam: NDArray[np.int32]  # (B,)
    apples: NDArray[np.int32]  # (B, N) eaten in the last step
    cleaned: NDArray[np.int32]  # (B, N) waste cells cleaned in the last step
    shots: NDArray[np.int32]  # (B, N) shots in the last step
    rewards: NDArray[np.float64]  # (B, N) of the last step
    # Derived from the above (see `redraw`):
    n_waste: NDArray[np.int32]  # (B,)
    occupant: NDArray[np.int16]  # (B, cells) agent on the cell, or -1
    marks: NDArray[np.uint64]  # (B, words) one bit per orchard and river cell: apple, waste
    board: NDArray[np.uint8]  # (B, 1 or 4, cells) what is seen, turned so that each heading is up
    picture: NDArray[np.uint8]  # (B, 0, 1 or 4, cells * 3) the same in colours, where somebody sees colours
    colours: NDArray[np.uint8]  # ((classes + N) * 3,) of the classes, then of the agents; these never change


DERIVED = ("n_waste", "occupant", "marks", "board", "picture", "colours")


class Scratch(NamedTuple):
    """Room for the rules to work in; holds nothing between steps."""

    target: NDArray[np.int32]  # (N,)
    rivals: NDArray[np.int16]  # (cells,) zero between steps
    winner: NDArray[np.int16]  # (cells,)
    order: NDArray[np.int64]  # (N,)
    places: NDArray[np.int32]  # (start cells,)


def allocate(
    n_games: int, colours: NDArray[np.uint8], world: World, turns: tuple[int, int], n_beam: int
) -> tuple[State, Scratch]:
    """Make the arrays of a batch of games: colours (classes + N, 3), turned copies of board and picture."""
    b, n = n_games, len(colours) - N_CLASSES
    n_cells, n_words, n_places = world.ground.size, world.window_bits.shape[1], world.start.size
    state = State(
        stream=np.zeros((b, 4), np.uint64),
        clock=np.zeros(b, np.int32),
        ground=np.zeros((b, n_cells), np.uint8),
        position=np.zeros((b, n), np.int32),
        heading=np.zeros((b, n), np.int8),
        recovery=np.zeros((b, n), np.int32),
        beam=np.zeros((b, n_beam), np.int32),
        n_beam=np.zeros(b, np.int32),
        apples=np.zeros((b, n), np.int32),
        cleaned=np.zeros((b, n), np.int32),
        shots=np.zeros((b, n), np.int32),
        rewards=np.zeros((b, n), np.float64),
        n_waste=np.zeros(b, np.int32),
        occupant=np.full((b, n_cells), -1, np.int16),
        marks=np.zeros((b, n_words), np.uint64),
        board=np.full((b, turns[0], n_cells), WALL, np.uint8),
        picture=np.tile(colours[WALL], (b, turns[1], n_cells)),
        colours=colours.ravel(),
    )
    scratch = Scratch(
        target=np.zeros(n, np.int32),
        rivals=np.zeros(n_cells, np.int16),
        winner=np.zeros(n_cells, np.int16),
        order=np.zeros(n, np.int64),
        places=np.zeros(n_places, np.int32),
    )
    return state, scratch


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
def _paint(b, cell, colour, world, s):
    for turn in range(s.picture.shape[1]):
        copy_bytes(s.picture[b, turn], 3 * np.int64(world.turned[turn, cell]), s.colours, 3 * np.int64(colour), 3)


@inlined
def show(b, cell, what, world, s):
    """Draw a class on the board and the picture, and on the turned copies that windows are read from."""
    for turn in range(s.board.shape[1]):
        s.board[b, turn, world.turned[turn, cell]] = what
    _paint(b, cell, what, world, s)


@inlined
def show_agent(b, cell, i, world, s):
    """Draw an agent, in the picture in its own colour."""
    for turn in range(s.board.shape[1]):
        s.board[b, turn, world.turned[turn, cell]] = AGENT
    _paint(b, cell, N_CLASSES + i, world, s)


@inlined
def change(b, cell, what, world, s):
    """Change the ground of an orchard or river cell to its other class, and mark it so."""
    s.ground[b, cell] = what
    bit = world.bit[cell]
    s.marks[b, bit >> _6] ^= _1 << (bit & _63)


@inlined
def put(b, cell, what, world, s):
    """Change the ground and show it, unless an agent or a beam is drawn above it."""
    change(b, cell, what, world, s)
    if s.board[b, 0, cell] != AGENT and s.board[b, 0, cell] != BEAM:
        show(b, cell, what, world, s)


@kernel
def redraw(world, s):
    """Derive `n_waste`, `occupant`, `marks` and `board` of every game from the rest of its state."""
    for b in range(s.clock.size):
        s.n_waste[b] = 0
        s.marks[b, :] = np.uint64(0)
        s.occupant[b, :] = -1
        for cell in world.open:  # walls were drawn when the board was made
            what = s.ground[b, cell]
            show(b, cell, what, world, s)
            if what in (WASTE, APPLE):
                bit = world.bit[cell]
                s.marks[b, bit >> _6] |= _1 << (bit & _63)
                s.n_waste[b] += what == WASTE
        for k in range(s.n_beam[b]):
            show(b, s.beam[b, k], BEAM, world, s)
        for i in range(s.position.shape[1]):
            s.occupant[b, s.position[b, i]] = i
            show_agent(b, s.position[b, i], i, world, s)


@kernel
def reset_all(seeds, world, rules, s, scratch):
    """Start every game anew from its seed (uint64)."""
    places = scratch.places
    for b in range(seeds.size):
        seed_stream(s.stream[b], seeds[b])
        s.clock[b] = s.n_beam[b] = 0
        for cell in range(world.ground.size):
            s.ground[b, cell] = world.ground[cell]
        if rules.soiled:
            for cell in world.soiled:
                s.ground[b, cell] = WASTE
        else:
            for cell in world.orchard:
                s.ground[b, cell] = APPLE
        for k in range(places.size):
            places[k] = world.start[k]
        for i in range(s.position.shape[1]):
            k = i + draw_below(s.stream[b], places.size - i)
            places[i], places[k] = places[k], places[i]
            s.position[b, i] = places[i]
            s.heading[b, i] = draw_below(s.stream[b], 4)
            s.recovery[b, i] = s.apples[b, i] = s.cleaned[b, i] = s.shots[b, i] = 0
            s.rewards[b, i] = 0.0
    redraw(world, s)
