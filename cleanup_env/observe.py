"""What agents see, compiled: windows in three forms, `features` vectors, and who sees whom."""

from __future__ import annotations

import numpy as np

from cleanup_env.maps import AGENT, APPLE, SELF, WALL, WASTE
from cleanup_env.numba_tools import clear_bytes, copy_bytes, inlined, kernel
from cleanup_env.state import step_of

NEAREST_CELLS, NEAREST_AGENTS = 3, 2


def _offsets(what: str, count: int) -> tuple[str, ...]:
    return tuple(f"{what}_{k}_{axis}" for k in range(count) for axis in ("forward", "right", "closeness"))


FEATURE_NAMES: tuple[str, ...] = (
    *(f"heading_{name}" for name in ("north", "east", "south", "west")),
    "row",
    "column",
    "visible_apple_density",
    "visible_waste_density",
    "apples_in_view",
    "waste_in_view",
    *_offsets("apple", NEAREST_CELLS),
    *_offsets("waste", NEAREST_CELLS),
    *_offsets("eater", NEAREST_AGENTS),
    *_offsets("cleaner", NEAREST_AGENTS),
    *(f"blocked_{side}" for side in ("forward", "right", "back", "left")),
    *(f"shot_{side}" for side in ("forward", "right", "back", "left")),
    "beam_ready",
)
"""Names of the entries of a `features` observation, all in [-1, 1].

heading: one-hot. row, column: position on the map, 0 to 1. visible densities: share of the
orchard (river) cells in the window that hold an apple (waste). apples_in_view,
waste_in_view: number in the window over all orchard (river) cells of the map. Offsets to the
nearest three apples and waste cells and the nearest two others of each role (`cleaner`: whoever
can clean, `eater`: the rest), in the agent's frame, in window radii; closeness is
1 / (1 + Manhattan distance), and all three are 0 when there is none in view. blocked: 1 if a
wall or an agent stands there. shot: waste cells that a cleaning shot would clean now if the
agent faced there, over the number of lanes (0 for agents that cannot clean). beam_ready: 1 if
the beam would work now. Distances and headings follow the rotated frame unless the game was
built with rotate=False; then `forward` is north.
"""
N_FEATURES = len(FEATURE_NAMES)


_1, _2, _4, _56 = (np.uint64(k) for k in (1, 2, 4, 56))
_FIVES, _THREES, _FIFTEENS, _ONES = (np.uint64(k * 0x0101010101010101) for k in (0x55, 0x33, 0x0F, 0x01))


@inlined
def _window_corner(b, i, world, rules, s):
    """Turn of the board on which agent i faces up, its width, and the first cell of the window there.

    On that board the window is made of pieces of rows.
    """
    turn = s.heading[b, i] if rules.rotate else 0
    width = world.height if turn & 1 else world.width
    return turn, width, np.int64(world.turned[turn, s.position[b, i]]) - world.radius * (width + 1)


@inlined
def _window(window, board, corner, width, side, size):
    """Copy side x side cells of `size` bytes from a board of some width, beginning at a corner."""
    if side == 15:  # the default: a constant length makes each row a few moves
        for k in range(15):
            copy_bytes(window, 15 * size * k, board, size * (corner + k * width), 15 * size)
    else:
        for k in range(side):
            copy_bytes(window, side * size * k, board, size * (corner + k * width), side * size)


@kernel
def symbolic(world, rules, s, out):
    """Fill out (B, N, 2r+1, 2r+1) uint8 with cell classes, the agent facing up."""
    n_games, n_agents = s.position.shape
    side = 2 * world.radius + 1
    for b in range(n_games):
        for i in range(n_agents):
            turn, width, corner = _window_corner(b, i, world, rules, s)
            window = out[b, i].reshape(side * side)
            _window(window, s.board[b, turn], corner, width, side, 1)
            window[side * side // 2] = SELF


@kernel
def one_hot(world, rules, s, out):
    """Fill out (B, N, classes, 2r+1, 2r+1) uint8: 1 where a cell is of a class, the agent facing up."""
    n_games, n_agents = s.position.shape
    side = 2 * world.radius + 1
    size = side * side
    for b in range(n_games):
        for i in range(n_agents):
            turn, width, corner = _window_corner(b, i, world, rules, s)
            board, planes = s.board[b, turn], out[b, i].reshape(out.shape[2] * size)
            clear_bytes(planes, 0, planes.size)
            for y in range(side):
                for x in range(side):
                    planes[np.int64(board[corner + y * width + x]) * size + y * side + x] = 1
            planes[AGENT * size + size // 2] = 0
            planes[SELF * size + size // 2] = 1


@kernel
def rgb(world, rules, s, out):
    """Fill out (B, N, 2r+1, 2r+1, 3) uint8 with colours, the agent facing up and white."""
    n_games, n_agents = s.position.shape
    side = 2 * world.radius + 1
    for b in range(n_games):
        for i in range(n_agents):
            turn, width, corner = _window_corner(b, i, world, rules, s)
            window = out[b, i].reshape(3 * side * side)
            _window(window, s.picture[b, turn], corner, width, side, 3)
            copy_bytes(window, 3 * (side * side // 2), s.colours, 3 * SELF, 3)


@inlined
def _offset(row, at, cell, here, south, east, world):
    """Write (forward, right, closeness) of a cell; an agent's forward is `south` rows and `east` columns."""
    d_row, d_column = world.row[cell] - world.row[here], world.column[cell] - world.column[here]
    unit = 1.0 / world.radius
    row[at] = (d_row * south + d_column * east) * unit
    row[at + 1] = (d_row * east - d_column * south) * unit
    row[at + 2] = 1.0 / (1.0 + abs(d_row) + abs(d_column))


@inlined
def _count_bits(word):
    """How many bits are 1 (compilers know these lines and make them one instruction)."""
    word = word - ((word >> _1) & _FIVES)
    word = (word & _THREES) + ((word >> _2) & _THREES)
    return (((word + (word >> _4)) & _FIFTEENS) * _ONES) >> _56


@inlined
def _in_view(b, here, first, last, world, s):
    """How many cells in the window of a cell are marked in the words first..last-1."""
    total = np.uint64(0)
    for w in range(first, last):
        total += _count_bits(s.marks[b, w] & world.window_bits[here, w])
    return np.int64(total)


@inlined
def _nearest(row, at, cells, wanted, count, ground, here, south, east, world):
    """Write the nearest cells of a class among `cells` (sorted by distance), of which there are `count`."""
    k = np.uint64(0)
    for found in range(min(count, NEAREST_CELLS)):
        while ground[cells[k]] != wanted:
            k += _1
        _offset(row, at + 3 * found, cells[k], here, south, east, world)
        k += _1


@inlined
def _nearest_agents(row, at, b, i, south, east, world, rules, s):
    """Write the two nearest visible others that cannot clean, then the two nearest that can."""
    here, r, n = s.position[b, i], world.radius, s.position.shape[1]
    # A rival is one number, distance * 2**16 + j, so that finding the two least takes no branches
    # (which no processor can foresee).
    far = np.int64(1 << 40)
    eater_1, eater_2, cleaner_1, cleaner_2 = far, far, far, far
    for j in range(n):
        d_row = abs(world.row[s.position[b, j]] - world.row[here])
        d_column = abs(world.column[s.position[b, j]] - world.column[here])
        hidden = (j == i) | (d_row > r) | (d_column > r)
        rival = (np.int64(d_row + d_column) << 16) + j + hidden * far
        eater = rival + rules.cleans[j] * far
        eater_2 = min(eater_2, max(eater_1, eater))
        eater_1 = min(eater_1, eater)
        cleaner = rival + (not rules.cleans[j]) * far
        cleaner_2 = min(cleaner_2, max(cleaner_1, cleaner))
        cleaner_1 = min(cleaner_1, cleaner)
    for k, rival in enumerate((eater_1, eater_2, cleaner_1, cleaner_2)):
        if rival < far:
            _offset(row, at + 3 * k, s.position[b, rival & 0xFFFF], here, south, east, world)


@inlined
def waste_hit(b, i, heading, world, rules, s):
    """Waste cells that a cleaning shot of agent i along a heading would clean now."""
    ground, occupant = s.ground[b], s.occupant[b]
    ahead = step_of(heading, world.width)
    right = step_of((heading + 1) & 3, world.width)
    hit = 0
    for side in range(-rules.beam_sides, rules.beam_sides + 1):
        start = s.position[b, i] + side * right + (ahead if side == 0 else 0)
        # Unsigned numbers spare the test for negative indices; a negative step wraps around rightly.
        cell, onward = np.uint64(np.int64(start)), np.uint64(np.int64(ahead))
        for _ in range(rules.beam_length):
            what = ground[cell]
            if what == WALL or occupant[cell] >= 0:
                break
            if what == WASTE:
                hit += 1
                break
            cell += onward
    return hit


@kernel
def features(world, rules, s, out):
    """Fill out (B, N, len(FEATURE_NAMES)) float32, entries as FEATURE_NAMES tells."""
    n_games, n_agents = s.position.shape
    width, r = world.width, world.radius
    rows, columns = max(1, world.height - 2 * r - 1), max(1, width - 2 * r - 1)
    lanes = 2 * rules.beam_sides + 1
    middle, end = world.n_orchard_words, world.window_bits.shape[1]
    for b in range(n_games):
        ground = s.ground[b]
        for i in range(n_agents):
            row = out[b, i]
            for k in range(N_FEATURES):
                row[k] = 0.0
            here = np.int64(s.position[b, i])
            row[s.heading[b, i]] = 1.0
            heading = np.int64(s.heading[b, i]) if rules.rotate else np.int64(0)
            row[4] = (world.row[here] - r) / rows
            row[5] = (world.column[here] - r) / columns
            apples = _in_view(b, here, 0, middle, world, s)
            waste = _in_view(b, here, middle, end, world, s)
            row[6] = apples / max(1, world.n_near_orchard[here])
            row[7] = waste / max(1, world.n_near_river[here])
            row[8] = apples / max(1, world.orchard.size)
            row[9] = waste / world.river.size
            south, east = (heading == 2) - (heading == 0), (heading == 1) - (heading == 3)
            _nearest(row, 10, world.near_orchard[here], APPLE, apples, ground, here, south, east, world)
            _nearest(row, 19, world.near_river[here], WASTE, waste, ground, here, south, east, world)
            _nearest_agents(row, 28, b, i, south, east, world, rules, s)
            for quarter in range(4):
                cell = here + step_of((heading + quarter) & 3, width)
                if ground[cell] == WALL or s.occupant[b, cell] >= 0:
                    row[40 + quarter] = 1.0
                if rules.cleans[i] and waste > 0:
                    row[44 + quarter] = waste_hit(b, i, (heading + quarter) & 3, world, rules, s) / lanes
            if s.recovery[b, i] == 0:
                row[48] = 1.0


@kernel
def visible(world, s, out):
    """Fill out (B, N, N) bool: does agent i see agent j in its window (False on the diagonal)."""
    n_games, n_agents = s.position.shape
    r = world.radius
    for b in range(n_games):
        for i in range(n_agents):
            here = s.position[b, i]
            for j in range(n_agents):
                d_row = world.row[s.position[b, j]] - world.row[here]
                d_column = world.column[s.position[b, j]] - world.column[here]
                out[b, i, j] = i != j and abs(d_row) <= r and abs(d_column) <= r
