"""Pictures: text and RGB arrays."""

import numpy as np
import pytest

from cleanup_env import BatchCleanup, make_config
from cleanup_env.render import COLOURS, RIM, agent_colours, ansi, rgb

from tiny_games import CLEAN, arrange, build, step  # isort: skip


def test_text_shows_every_class_and_where_agents_face():
    game = build(["@PP RRSB@"], n_harvesters=1, n_cleaners=1)
    arrange(game, [(0, 1, "W"), (0, 2, "S")], waste=[(0, 5)])
    assert ansi(game).splitlines() == ["#<v ~%-.#", "step 0  waste 1  apples 0"]


def test_text_shows_apples_and_beams():
    game = build(["@P RB@"], n_harvesters=0, n_cleaners=1, beam_length=2)
    arrange(game, [(0, 1, "E")], apples=[(0, 4)])
    step(game, CLEAN)
    assert ansi(game).splitlines()[0] == "#>**o#"


def test_water_is_blue_and_waste_is_brown():
    assert COLOURS[2] == (99, 156, 194)
    assert COLOURS[3] == (113, 75, 24)
    game = build(["@PRR@"], n_harvesters=1)
    arrange(game, [(0, 1, "E")], waste=[(0, 3)])
    picture = rgb(game, scale=8)
    assert picture.shape == (8, 40, 3)
    assert picture.dtype == np.uint8
    assert (picture[:, 16:24] == (99, 156, 194)).all()
    assert (picture[:, 24:32] == (113, 75, 24)).all()


def test_beams_change_the_picture():
    game = build(["@PRR@"], n_harvesters=0, n_cleaners=1)
    arrange(game, [(0, 1, "E")])
    before = rgb(game)
    step(game, CLEAN)
    assert (rgb(game)[:, 32:64] != before[:, 32:64]).any(axis=2).all()


@pytest.mark.parametrize("count", [1, 5, 30])
def test_every_agent_has_a_colour_of_its_own(count):
    colours = agent_colours(("harvester",) * count + ("cleaner",) * count)
    assert len(set(colours)) == 2 * count


@pytest.mark.parametrize("scale", [1, 3, 16])
def test_any_scale_will_do(scale):
    game = BatchCleanup(make_config(n_cleaners=2), 2)
    game.reset(seed=0)
    assert rgb(game, 1, scale=scale).shape == (25 * scale, 18 * scale, 3)


def test_agents_have_a_dark_rim_and_apples_have_none():
    """So that a red disc is told from a green one without colour; in few pixels the rim is left out."""
    game = build(["@PBR@"], n_harvesters=1)
    arrange(game, [(0, 1, "N")], apples=[(0, 2)])
    for scale, rims in ((40, True), (8, False)):
        picture = rgb(game, scale=scale)
        agent, apple = picture[:, scale : 2 * scale], picture[:, 2 * scale : 3 * scale]
        assert (agent == RIM).all(axis=2).any() == rims
        assert not (apple == RIM).all(axis=2).any()
