"""What agents see."""

import numpy as np
import pytest

from cleanup_env import CLASS_NAMES, FEATURE_NAMES, BatchCleanup, make_config
from cleanup_env.colours import agent_colours, palette
from cleanup_env.maps import AGENT, APPLE, BEAM, ORCHARD, RIVER, SELF, WALL, WASTE

from tiny_games import CLEAN, STAY, arrange, build, random_actions, step  # isort: skip

BEAM_OFF = {"beam_length": 1, "beam_width": 1}


def window(observations, i=0):
    return observations[0, i]


def reference_window(game, b, i):
    """The window by the plainest means: pad the board, cut, turn."""
    r = game.config.radius
    board = np.pad(game.board()[b], r, constant_values=WALL)
    row, column = game.position[b, i]
    cut = board[row : row + 2 * r + 1, column : column + 2 * r + 1]
    cut = np.rot90(cut, game.heading[b, i] if game.config.rotate else 0).copy()
    cut[r, r] = SELF
    return cut


@pytest.mark.parametrize("rotate", [True, False])
@pytest.mark.parametrize("radius", [5, 7, 9])
@pytest.mark.parametrize("preset", ["contract", "original", "meltingpot-like"])
def test_windows_are_the_padded_board_cut_and_turned(preset, radius, rotate):
    game = BatchCleanup(make_config(preset, radius=radius, rotate=rotate), 2)
    observations = game.reset(seed=1)
    rng = np.random.default_rng(0)
    for _ in range(60):
        for b in range(2):
            for i in range(game.n_agents):
                np.testing.assert_array_equal(observations[b, i], reference_window(game, b, i))
        observations, _, _ = game.step(random_actions(game, rng))


def played_beside_symbolic(kind, preset, steps=60, **settings):
    """Two games of one seed, observed in two ways, after each of some random steps."""
    config = make_config(preset, **settings)
    game, twin = (BatchCleanup(config, 2, observation=k) for k in (kind, "symbolic"))
    seen, classes = game.reset(seed=1), twin.reset(seed=1)
    rng = np.random.default_rng(0)
    for _ in range(steps):
        yield game, seen, classes
        actions = random_actions(game, rng)
        (seen, _, _), (classes, _, _) = game.step(actions), twin.step(actions)


@pytest.mark.parametrize("rotate", [True, False])
@pytest.mark.parametrize("radius", [6, 7])
@pytest.mark.parametrize("preset", ["contract", "original"])
def test_one_hot_planes_are_the_symbolic_window_class_by_class(preset, radius, rotate):
    for _, seen, classes in played_beside_symbolic("one_hot", preset, radius=radius, rotate=rotate):
        np.testing.assert_array_equal(seen, classes[:, :, None] == np.arange(10)[:, None, None])


@pytest.mark.parametrize("rotate", [True, False])
@pytest.mark.parametrize("radius", [6, 7])
@pytest.mark.parametrize("preset", ["contract", "original"])
def test_rgb_shows_the_symbolic_window_in_colours_and_everybody_in_their_own(preset, radius, rotate):
    colours = {name: palette()[k] for k, name in enumerate(CLASS_NAMES)}
    assert tuple(colours["river"]) == (99, 156, 194)
    assert tuple(colours["waste"]) == (113, 75, 24)
    seen_agents = set()
    for game, seen, classes in played_beside_symbolic("rgb", preset, radius=radius, rotate=rotate, n_harvesters=3):
        ground = classes != AGENT
        np.testing.assert_array_equal(seen[ground], palette()[classes[ground]])
        own = np.array(agent_colours(game.roles), np.uint8)
        for b, i, y, x in np.argwhere(classes == AGENT):
            ahead, aside = radius - y, x - radius
            heading = game.heading[b, i] if rotate else 0
            step_row, step_column = ((-1, 0), (0, 1), (1, 0), (0, -1))[heading]
            at = game.position[b, i] + (
                ahead * step_row + aside * step_column, ahead * step_column - aside * step_row
            )  # fmt: skip
            (j,) = np.flatnonzero((game.position[b] == at).all(axis=1))
            np.testing.assert_array_equal(seen[b, i, y, x], own[j])
            seen_agents.add(j)
    assert len(seen_agents) == game.n_agents


def test_colours_stay_right_for_more_agents_than_any_list_of_colours_holds():
    game = BatchCleanup(make_config("original", n_free=40, spawn_anywhere=True), 1, observation="rgb")
    game.reset(seed=0)
    colours = np.array(agent_colours(game.roles))
    assert len(np.unique(colours, axis=0)) == 40


def test_the_agent_faces_up_in_its_window():
    """On the 3 x 3 window of an agent that faces east, the east neighbour is on top."""
    game = build(["@@@", " PR", "@B@"], observation="symbolic", radius=1, **BEAM_OFF)
    arrange(game, [(1, 1, "E")])
    seen, _, _ = game.step(np.array([[STAY]]))
    assert seen[0, 0].tolist() == [[WALL, RIVER, WALL], [WALL, SELF, ORCHARD], [WALL, 0, WALL]]


def test_others_are_agents_and_apples_waste_and_beams_are_seen():
    lines = ["@PPPPR@", "@BBBBR@"]
    game = build(lines, n_harvesters=1, n_cleaners=1, observation="symbolic", beam_length=3)
    arrange(game, [(0, 1, "N"), (0, 2, "E")], apples=[(1, 2)], waste=[(1, 5)])
    step(game, STAY, CLEAN)
    seen = window(game._observe())
    assert seen[7, 7] == SELF
    assert seen[7, 8] == AGENT
    assert (seen[7, 9], seen[7, 10], seen[7, 11]) == (BEAM, BEAM, BEAM)
    assert seen[8, 7:12].tolist() == [ORCHARD, BEAM, BEAM, BEAM, WASTE]  # beside the cleaner, three cells
    step(game, STAY, STAY)
    seen = window(game._observe())
    assert (seen[8, 8], seen[8, 11], seen[7, 9]) == (APPLE, WASTE, 0)


def test_beams_are_visible_to_the_shooter_in_the_step_of_the_shot():
    game = BatchCleanup(make_config("contract", n_harvesters=0, n_cleaners=1))
    game.reset(seed=3)
    observations, _, _ = game.step(np.array([[CLEAN]]))
    assert (observations == BEAM).any()


def test_river_and_waste_have_the_published_classes_and_are_not_swapped():
    game = BatchCleanup(make_config("original"))
    game.reset(seed=0)
    board = game.ground()[0]
    for letter, what in (("R", RIVER), ("H", WASTE)):
        at = np.array([[c == letter for c in row] for row in game.config.map])
        assert (board[at] == what).all()


@pytest.mark.parametrize(
    ("kind", "dtype"), [("symbolic", np.uint8), ("one_hot", np.uint8), ("rgb", np.uint8), ("features", np.float32)]
)
def test_delivered_dtype_and_shape_are_the_declared_ones(kind, dtype):
    game = BatchCleanup(make_config("original"), 2, observation=kind)
    for observations in (game.reset(seed=0), game.step(np.full((2, 5), STAY))[0]):
        assert observations.dtype == dtype
        assert observations.shape == (2, 5, *game.observation_shape)


# ---- features


def reference_features(game, b, i):
    """Every entry by its definition in FEATURE_NAMES, in plain Python."""
    config, world, out = game.config, game.world, dict.fromkeys(FEATURE_NAMES, 0.0)
    r, ground = config.radius, game.ground()[b]
    (y, x), heading = game.position[b, i], int(game.heading[b, i])
    out["heading_" + ("north", "east", "south", "west")[heading]] = 1.0
    heading = heading if config.rotate else 0
    out["row"], out["column"] = y / (ground.shape[0] - 1), x / (ground.shape[1] - 1)

    def to_frame(dy, dx):
        return [(-dy, dx), (dx, dy), (dy, -dx), (-dx, -dy)][heading]

    def tell(name, k, dy, dx):
        ahead, right = to_frame(dy, dx)
        out[f"{name}_{k}_forward"], out[f"{name}_{k}_right"] = ahead / r, right / r
        out[f"{name}_{k}_closeness"] = 1 / (1 + abs(dy) + abs(dx))

    for name, what, base in (("apple", APPLE, world.ground == ORCHARD), ("waste", WASTE, world.ground == RIVER)):
        whole = base.reshape(world.height, world.width)[r:-r, r:-r]
        near = [(yy - y, xx - x) for yy, xx in np.argwhere(whole) if abs(yy - y) <= r and abs(xx - x) <= r]
        found = sorted((abs(dy) + abs(dx), dy, dx) for dy, dx in near if ground[y + dy, x + dx] == what)
        out[f"visible_{name}_density"] = len(found) / max(1, len(near))
        out["apples_in_view" if name == "apple" else "waste_in_view"] = len(found) / whole.sum()
        for k, (_, dy, dx) in enumerate(found[:3]):
            tell(name, k, dy, dx)
    for name, cleans in (("eater", False), ("cleaner", True)):
        others = sorted(
            (int(np.abs(game.position[b, j] - (y, x)).sum()), j) for j in range(game.n_agents)
            if j != i and game.rules.cleans[j] == cleans and np.abs(game.position[b, j] - (y, x)).max() <= r
        )  # fmt: skip
        for k, (_, j) in enumerate(others[:2]):
            tell(name, k, *(game.position[b, j] - (y, x)))
    taken = {tuple(p) for p in game.position[b]}
    board = np.pad(ground, 1, constant_values=WALL)
    deltas = [(-1, 0), (0, 1), (1, 0), (0, -1)]
    for q, name in enumerate(("forward", "right", "back", "left")):
        dy, dx = deltas[(heading + q) % 4]
        out[f"blocked_{name}"] = float(board[y + dy + 1, x + dx + 1] == WALL or (int(y + dy), int(x + dx)) in taken)
        if game.rules.cleans[i]:
            ry, rx = deltas[(heading + q + 1) % 4]
            hits = 0
            for side in range(-(config.beam_width // 2), config.beam_width // 2 + 1):
                for k in range(config.beam_length):
                    k = k + (side == 0)
                    cy, cx = y + side * ry + k * dy, x + side * rx + k * dx
                    inside = 0 <= cy < ground.shape[0] and 0 <= cx < ground.shape[1]
                    if not inside or ground[cy, cx] == WALL or (int(cy), int(cx)) in taken:
                        break
                    if ground[cy, cx] == WASTE:
                        hits += 1
                        break
            out[f"shot_{name}"] = hits / config.beam_width
    out["beam_ready"] = float(game.get_state()["recovery"][b, i] == 0)
    return np.array([out[name] for name in FEATURE_NAMES])


@pytest.mark.parametrize(
    ("preset", "changes"),
    [("contract", {"n_cleaners": 3}), ("contract", {"n_cleaners": 5, "rotate": False}), ("original", {}),
     ("meltingpot-like", {"radius": 5})],
)  # fmt: skip
def test_features_are_what_their_names_say(preset, changes):
    game = BatchCleanup(make_config(preset, **changes), 2, observation="features")
    observations = game.reset(seed=5)
    rng = np.random.default_rng(0)
    for _ in range(40):
        for b in range(2):
            for i in range(game.n_agents):
                np.testing.assert_allclose(observations[b, i], reference_features(game, b, i), atol=1e-6)
        assert np.abs(observations).max() <= 1.0
        observations, _, _ = game.step(random_actions(game, rng))


def test_there_are_49_features_with_different_names():
    assert len(FEATURE_NAMES) == len(set(FEATURE_NAMES)) == 49


def test_visible_is_who_stands_in_whose_window():
    game = build(["@PPPPPPPPPPR@"], n_harvesters=3)
    arrange(game, [(0, 1, "N"), (0, 8, "N"), (0, 9, "N")])
    assert game.visible()[0].tolist() == [[False, True, False], [True, False, True], [False, True, False]]
