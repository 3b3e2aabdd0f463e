"""Maps: the published one, and the refusal of bad ones (see test_bad_input for the messages)."""

from collections import Counter

import numpy as np

from cleanup_env import BatchCleanup, CleanupConfig, default_map
from cleanup_env.maps import build_world, check_map


def test_the_published_map_has_the_published_cells():
    rows = default_map()
    assert (len(rows), len(rows[0])) == (25, 18)
    count = Counter("".join(rows))
    assert {k: count[k] for k in "BRHSP"} == {"B": 103, "R": 63, "H": 56, "S": 12, "P": 10}


def test_the_river_is_r_and_h_without_the_stream():
    world = build_world(default_map(), 7)
    assert (world.river.size, world.soiled.size, world.orchard.size, world.start.size) == (119, 56, 103, 10)


def test_a_map_may_be_one_text_with_line_breaks():
    assert check_map("@P@\n@R@") == ("@P@", "@R@")


def test_a_map_without_outer_walls_is_walled_by_its_padding():
    world = build_world(("PR",), 2)
    assert (world.height, world.width) == (5, 6)
    assert (world.ground.reshape(5, 6) == 1).sum() == 30 - 2


def test_near_cells_are_those_in_the_window_nearest_first():
    world = build_world(("P B", "B R", "  B"), 1)
    here = 1 * world.width + 1  # 'P': sees the B below it, not those two away
    assert world.n_near_orchard[here] == 1
    assert world.near_orchard[here, 0] == here + world.width
    wide = build_world(("P B", "B R", "  B"), 2)
    here = 2 * wide.width + 2
    steps = [
        abs(wide.row[c] - wide.row[here]) + abs(wide.column[c] - wide.column[here]) for c in wide.near_orchard[here, :3]
    ]
    assert steps == [1, 2, 4]


def test_turned_boards_are_numpy_rotations():
    world = build_world(("P B", "B R"), 1)
    cells = np.arange(world.ground.size).reshape(world.height, world.width)
    for heading in range(4):
        turned = np.empty(cells.size, int)
        turned[world.turned[heading]] = cells.ravel()
        expected = np.rot90(cells, heading)  # heading east: the east side comes up
        np.testing.assert_array_equal(turned.reshape(expected.shape), expected)


def test_a_game_can_be_played_on_a_map_of_ones_own_without_orchard():
    game = BatchCleanup(CleanupConfig(map=("PR",), n_harvesters=1), observation="features")
    game.reset(seed=1)
    observations, _, _ = game.step(np.array([[4]]))
    assert np.isfinite(observations).all()


def test_worlds_are_shared_and_cannot_be_written():
    world = build_world(default_map(), 7)
    assert world is build_world(default_map(), 7)
    assert not world.ground.flags.writeable
