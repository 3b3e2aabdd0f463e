"""What agents see, compiled: `symbolic` windows, `features` vectors, and who sees whom."""

from __future__ import annotations

import numpy as np

from cleanup_env.compiled import inlined, kernel
from cleanup_env.maps import APPLE, SELF, WALL, WASTE
from cleanup_env.rules import step_of

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


@kernel
def symbolic(world, rotate, s, out):
    """Fill out (B, N, 2r+1, 2r+1) uint8 with cell classes, the agent facing up."""
    n_games, n_agents = s.position.shape
    r, width = world.radius, world.width
    side = np.uint64(2 * r + 1)
    for b in range(n_games):
        board = s.board[b]
        for i in range(n_agents):
            heading = s.heading[b, i] if rotate else 0
            down, right = -step_of(heading, width), step_of((heading + 1) & 3, width)
            window = out[b, i].reshape(side * side)
            # Unsigned numbers: numba then leaves out the test for negative indices. They may
            # wrap around (down and right can be negative), the sum is a cell all the same.
            row, k = np.uint64(s.position[b, i] - r * down - r * right), np.uint64(0)
            u_down, u_right = np.uint64(np.int64(down)), np.uint64(np.int64(right))
            for _ in range(side):
                cell = row
                for _ in range(side):
                    window[k] = board[cell]
                    cell += u_right
                    k += np.uint64(1)
                row += u_down
            out[b, i, r, r] = SELF


@inlined
def _offset(row, at, d_row, d_col, heading, radius):
    """Write (forward, right, closeness) of a thing d_row south and d_col east of the agent."""
    if heading == 0:
        ahead, right = -d_row, d_col
    elif heading == 1:
        ahead, right = d_col, d_row
    elif heading == 2:
        ahead, right = d_row, -d_col
    else:
        ahead, right = -d_col, -d_row
    row[at] = ahead / radius
    row[at + 1] = right / radius
    row[at + 2] = 1.0 / (1.0 + abs(d_row) + abs(d_col))


@inlined
def _scan(row, at, cells, count, wanted, ground, here, heading, world):
    """Write the nearest cells of a class among `cells` (sorted by distance); return how many there are."""
    found = 0
    y, x = here // world.width, here % world.width
    for k in range(count):
        cell = np.int64(cells[k])
        if ground[cell] == wanted:
            if found < NEAREST_CELLS:
                _offset(
                    row,
                    at + 3 * found,
                    cell // world.width - y,
                    cell % world.width - x,
                    heading,
                    world.radius,
                )
            found += 1
    return found


@inlined
def waste_hit(b, i, heading, world, rules, s):
    """Waste cells that a cleaning shot of agent i along a heading would clean now."""
    ahead = step_of(heading, world.width)
    right = step_of((heading + 1) & 3, world.width)
    hit = 0
    for side in range(-rules.beam_sides, rules.beam_sides + 1):
        cell = s.position[b, i] + side * right + (ahead if side == 0 else 0)
        for _ in range(rules.beam_length):
            if s.ground[b, cell] == WALL or s.occupant[b, cell] >= 0:
                break
            if s.ground[b, cell] == WASTE:
                hit += 1
                break
            cell += ahead
    return hit


@inlined
def _nearest_agents(row, at, b, i, cleaners, heading, world, rules, s):
    """Write the offsets of the nearest visible others that can (cannot) clean."""
    width, r = world.width, world.radius
    y, x = s.position[b, i] // width, s.position[b, i] % width
    taken = -1
    for k in range(NEAREST_AGENTS):
        best, best_distance, best_row, best_col = -1, 1_000_000, 0, 0
        for j in range(s.position.shape[1]):
            if j == i or j == taken or rules.cleans[j] != cleaners:
                continue
            d_row = s.position[b, j] // width - y
            d_col = s.position[b, j] % width - x
            distance = abs(d_row) + abs(d_col)
            if abs(d_row) <= r and abs(d_col) <= r and distance < best_distance:
                best, best_distance, best_row, best_col = j, distance, d_row, d_col
        if best < 0:
            break
        taken = best
        _offset(row, at + 3 * k, best_row, best_col, heading, r)


@kernel
def features(world, rules, rotate, s, out):
    """Fill out (B, N, len(FEATURE_NAMES)) float32, entries as FEATURE_NAMES tells."""
    n_games, n_agents = s.position.shape
    width, r = world.width, world.radius
    rows, cols = world.height - 2 * r - 1, width - 2 * r - 1
    lanes = 2 * rules.beam_sides + 1
    for b in range(n_games):
        ground = s.ground[b]
        for i in range(n_agents):
            row = out[b, i]
            row[:] = 0.0
            here = np.int64(s.position[b, i])
            row[s.heading[b, i]] = 1.0
            heading = np.int64(s.heading[b, i]) if rotate else np.int64(0)
            row[4] = (here // width - r) / max(1, rows)
            row[5] = (here % width - r) / max(1, cols)
            near = world.n_near_orchard[here]
            found = _scan(row, 10, world.near_orchard[here], near, APPLE, ground, here, heading, world)
            row[6] = found / max(1, near)
            row[8] = found / max(1, world.orchard.size)
            near = world.n_near_river[here]
            found = _scan(row, 19, world.near_river[here], near, WASTE, ground, here, heading, world)
            row[7] = found / max(1, near)
            row[9] = found / world.river.size
            _nearest_agents(row, 28, b, i, False, heading, world, rules, s)
            _nearest_agents(row, 34, b, i, True, heading, world, rules, s)
            for quarter in range(4):
                cell = here + step_of((heading + quarter) & 3, width)
                if ground[cell] == WALL or s.occupant[b, cell] >= 0:
                    row[40 + quarter] = 1.0
                if rules.cleans[i] and found > 0:
                    row[44 + quarter] = waste_hit(b, i, (heading + quarter) & 3, world, rules, s) / lanes
            if s.recovery[b, i] == 0:
                row[48] = 1.0


@kernel
def visible(world, s, out):
    """Fill out (B, N, N) bool: does agent i see agent j in its window (False on the diagonal)."""
    n_games, n_agents = s.position.shape
    width, r = world.width, world.radius
    for b in range(n_games):
        for i in range(n_agents):
            y, x = s.position[b, i] // width, s.position[b, i] % width
            for j in range(n_agents):
                d_row, d_col = s.position[b, j] // width - y, s.position[b, j] % width - x
                out[b, i, j] = i != j and abs(d_row) <= r and abs(d_col) <= r
