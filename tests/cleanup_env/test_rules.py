"""One law of the game each, on maps small enough to check by head."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_games import (
    BACK,
    CLEAN,
    CLOCKWISE,
    COUNTER,
    FIRE,
    FORWARD,
    FREE_CLEAN,
    LEFT,
    RIGHT,
    STAY,
    arrange,
    build,
    places,
    random_actions,
    step,
)  # fmt: skip

from cleanup_env import BatchCleanup, make_config
from cleanup_env.maps import AGENT, APPLE, BEAM, RIVER, STREAM, WASTE

# ---- moves


@pytest.mark.parametrize(
    ("heading", "action", "place"),
    [
        ("N", FORWARD, (1, 2)), ("N", RIGHT, (2, 3)), ("N", BACK, (3, 2)), ("N", LEFT, (2, 1)),
        ("E", FORWARD, (2, 3)), ("E", RIGHT, (3, 2)), ("E", BACK, (2, 1)), ("E", LEFT, (1, 2)),
        ("S", FORWARD, (3, 2)), ("S", RIGHT, (2, 1)), ("W", FORWARD, (2, 1)), ("W", RIGHT, (1, 2)),
        ("N", STAY, (2, 2)), ("N", CLOCKWISE, (2, 2)),
    ],
)  # fmt: skip
def test_moves_are_relative_to_the_heading(heading, action, place):
    game = arrange(build(), [(2, 2, heading)])
    step(game, action)
    assert places(game) == [place]


def test_turns_change_the_heading_by_a_quarter():
    game = arrange(build(n_harvesters=2), [(1, 1, "N"), (3, 1, "N")])
    step(game, CLOCKWISE, COUNTER)
    assert game.heading[0].tolist() == [1, 3]


def test_a_wall_and_the_edge_of_a_map_without_walls_stop_a_move():
    game = arrange(build(), [(1, 1, "N")])
    step(game, FORWARD)
    assert places(game) == [(1, 1)]
    bare = arrange(build(["P R"]), [(0, 0, "N")])
    step(bare, LEFT)
    assert places(bare) == [(0, 0)]


def test_nobody_enters_the_cell_of_one_who_stays():
    game = arrange(build(n_harvesters=2), [(2, 1, "E"), (2, 2, "E")])
    step(game, FORWARD, STAY)
    assert places(game) == [(2, 1), (2, 2)]


def test_a_line_follows_its_leader_in_one_step():
    game = arrange(build(n_harvesters=3), [(2, 1, "E"), (2, 2, "E"), (2, 3, "E")])
    step(game, FORWARD, FORWARD, FORWARD)
    assert places(game) == [(2, 2), (2, 3), (2, 4)]


def test_a_line_whose_leader_meets_a_wall_stays():
    game = arrange(build(n_harvesters=3), [(2, 3, "E"), (2, 4, "E"), (2, 5, "E")])
    step(game, FORWARD, FORWARD, FORWARD)
    assert places(game) == [(2, 3), (2, 4), (2, 5)]


def test_two_agents_never_swap():
    game = arrange(build(n_harvesters=2), [(2, 1, "E"), (2, 2, "W")])
    step(game, FORWARD, FORWARD)
    assert places(game) == [(2, 1), (2, 2)]


def test_a_ring_of_four_moves_round():
    game = arrange(build(n_harvesters=4), [(1, 1, "E"), (1, 2, "S"), (2, 2, "W"), (2, 1, "N")])
    step(game, FORWARD, FORWARD, FORWARD, FORWARD)
    assert places(game) == [(1, 2), (2, 2), (2, 1), (1, 1)]


def test_a_ring_stops_when_an_outsider_wins_one_of_its_cells():
    game = build(n_harvesters=5, n_games=300)
    arrange(game, [(1, 1, "E"), (1, 2, "S"), (2, 2, "W"), (2, 1, "N"), (1, 3, "W")])
    game.set_state({**game.get_state(), "stream": _fresh_streams(300)})
    step(game, *[FORWARD] * 5)
    moved = (game.position[:, 4] != [1, 3]).any(axis=1)
    assert not moved.any()  # (1, 2) never empties for the outsider: who lost the lot stands in the way
    ring = (game.position[:, 0] == [1, 2]).all(axis=1)
    assert 100 < ring.sum() < 200  # half of the lots


def _fresh_streams(count):
    return np.random.default_rng(0).integers(1, 2**63, (count, 4)).astype(np.uint64)


@pytest.mark.parametrize("contenders", [2, 3, 4])
def test_a_contested_cell_goes_to_each_contender_equally_often(contenders):
    agents = [(1, 2, "S"), (3, 2, "N"), (2, 1, "E"), (2, 3, "W")][:contenders]
    game = arrange(build(n_harvesters=contenders, n_games=3000), agents)
    game.set_state({**game.get_state(), "stream": _fresh_streams(3000)})
    step(game, *[FORWARD] * contenders)
    wins = (game.position == [2, 2]).all(axis=2).sum(axis=0)
    assert wins.sum() == 3000
    np.testing.assert_allclose(wins / 3000, 1 / contenders, atol=0.04)  # more than four sd


# ---- harvest


def test_a_harvester_eats_the_apple_it_steps_on_and_earns_one():
    game = arrange(build(), [(2, 4, "E")], apples=[(2, 5), (1, 5)])
    assert step(game, FORWARD) == [1.0]
    assert game.apples.tolist() == [[1]]
    assert (game.ground() == APPLE).sum() == 1
    assert step(game, STAY) == [0.0]


@pytest.mark.parametrize(("eats", "reward"), [(False, 0.0), (True, 1.0)])
def test_a_cleaner_eats_only_where_the_settings_say_so(eats, reward):
    game = build(n_harvesters=0, n_cleaners=1, cleaners_eat=eats)
    arrange(game, [(2, 4, "E")], apples=[(2, 5)])
    assert step(game, FORWARD) == [reward]
    assert (game.ground() == APPLE).sum() == (0 if eats else 1)


def test_a_free_agent_eats():
    game = arrange(build(n_harvesters=0, n_free=1), [(2, 4, "E")], apples=[(2, 5)])
    assert step(game, FORWARD) == [1.0]


def test_an_apple_under_a_cleaner_is_there_when_it_leaves():
    game = arrange(build(n_harvesters=0, n_cleaners=1), [(2, 4, "E")], apples=[(2, 5)])
    step(game, FORWARD)
    assert game.board()[0, 2, 5] == AGENT
    step(game, BACK)
    assert game.board()[0, 2, 5] == APPLE


# ---- beams

RIVERS = [  # rows 1..3 and 5..7 are river, row 4 the meadow with the shooter in column 1
    "@@@@@@@@@",
    "@RRRRRRR@",
    "@RRRRRRR@",
    "@RRRRRRR@",
    "@PPPPPPP@",
    "@RRRRRRR@",
    "@@@@@@@@@",
]


def crew(n=1, lines=RIVERS, **settings):
    return build(lines, n_harvesters=0, n_cleaners=n, **settings)


def waste_of(game):
    return {(int(r), int(c)) for r, c in np.argwhere(game.ground()[0] == WASTE)}


def beam_of(game):
    return {(int(r), int(c)) for r, c in np.argwhere(game.board()[0] == BEAM)}


def test_an_unhindered_beam_covers_five_cells_ahead_and_five_from_beside_the_agent():
    game = arrange(crew(), [(4, 1, "E")])
    step(game, CLEAN)
    assert beam_of(game) == (
        {(4, c) for c in range(2, 7)} | {(3, c) for c in range(1, 6)} | {(5, c) for c in range(1, 6)}
    )


@pytest.mark.parametrize(("length", "width", "cells"), [(1, 1, 1), (2, 1, 2), (2, 3, 6), (3, 3, 9)])
def test_length_and_width_of_the_beam_are_settings(length, width, cells):
    game = arrange(crew(beam_length=length, beam_width=width), [(4, 2, "E")])
    step(game, CLEAN)
    assert len(beam_of(game)) == cells


def test_the_beam_is_seen_for_one_step_and_what_lay_below_comes_back():
    game = arrange(crew(), [(4, 1, "E")])
    before = game.board()
    step(game, CLEAN)
    step(game, STAY)
    np.testing.assert_array_equal(game.board(), before)


def test_one_shot_cleans_one_cell_per_lane_and_each_lane_ends_there():
    waste = [(3, 2), (3, 3), (5, 1), (5, 2)]
    game = arrange(crew(), [(4, 1, "E")], waste=waste)
    step(game, CLEAN)
    assert waste_of(game) == {(3, 3), (5, 2)}
    assert game.cleaned.tolist() == [[2]]
    assert game.shots.tolist() == [[1]]
    assert game.waste.tolist() == [2]
    assert (5, 2) not in beam_of(game)


def test_three_lanes_clean_three_cells():
    game = arrange(crew(lines=["@RRR@", "@PRR@", "@RRR@"]), [(1, 1, "E")], waste=[(0, 1), (1, 2), (2, 3)])
    step(game, CLEAN)
    assert game.cleaned.tolist() == [[3]]


def test_the_side_lane_begins_beside_the_agent_not_ahead_of_it():
    game = arrange(crew(), [(4, 3, "E")], waste=[(3, 3), (5, 2)])
    step(game, CLEAN)
    assert waste_of(game) == {(5, 2)}  # behind the agent's shoulder: out of reach


def test_a_cell_six_ahead_is_out_of_reach():
    line = ["@P     R@"]
    game = arrange(crew(lines=line), [(0, 1, "E")], waste=[(0, 7)])
    step(game, CLEAN)
    assert waste_of(game) == {(0, 7)}
    game = arrange(crew(lines=line), [(0, 2, "E")], waste=[(0, 7)])
    step(game, CLEAN)
    assert waste_of(game) == set()


def test_a_wall_and_an_agent_end_a_lane():
    for obstacle in "@ ":
        lines = [f"@PP{obstacle}R@"]
        game = crew(2, lines)
        other = (0, 3, "N") if obstacle == " " else (0, 1, "N")
        arrange(game, [(0, 2, "E"), other], waste=[(0, 4)])
        step(game, CLEAN, STAY)
        assert waste_of(game) == {(0, 4)}


def test_waste_under_an_agent_is_shielded_by_it():
    game = arrange(crew(2), [(3, 1, "E"), (3, 3, "N")], waste=[(3, 3), (3, 4)])
    step(game, CLEAN, STAY)
    assert waste_of(game) == {(3, 3), (3, 4)}


def test_beams_act_one_after_the_other_in_random_order():
    """Two shooters with one waste cell between them: the second finds what the first has left."""
    game = build(["@PRP@"], n_games=400, n_harvesters=0, n_cleaners=2, beam_width=1)
    arrange(game, [(0, 1, "E"), (0, 3, "W")], waste=[(0, 2)])
    game.set_state({**game.get_state(), "stream": _fresh_streams(400)})
    step(game, CLEAN, CLEAN)
    assert game.cleaned.sum() == 400  # never both
    assert 150 < game.cleaned[:, 0].sum() < 250


def test_a_shot_in_the_cooldown_does_nothing_and_the_next_after_it_works():
    game = arrange(crew(cooldown=2), [(4, 1, "E")])
    fired = []
    for _ in range(7):
        step(game, CLEAN)
        fired.append(int(game.shots[0, 0]))
    assert fired == [1, 0, 0, 1, 0, 0, 1]


def test_the_penalty_beam_costs_the_shooter_one_and_the_one_hit_fifty():
    game = build(n_harvesters=0, n_free=3, penalty_beam=True)
    arrange(game, [(2, 1, "E"), (2, 3, "E"), (2, 4, "E")])
    assert step(game, FIRE, STAY, STAY) == [-1.0, -50.0, 0.0]  # the lane ends at the first agent
    arrange(game, [(2, 1, "E"), (1, 1, "N"), (3, 2, "N")])
    assert step(game, FIRE, STAY, STAY) == [-1.0, -50.0, -50.0]  # the side lanes hit, too
    arrange(game, [(2, 1, "W"), (2, 3, "E"), (3, 3, "E")])
    assert step(game, FIRE, STAY, STAY) == [-1.0, 0.0, 0.0]


def test_the_penalty_beam_does_not_clean_and_the_cleaning_beam_does_not_hurt():
    lines = ["@PPPR@"]
    game = build(lines, n_harvesters=0, n_free=1, penalty_beam=True)
    arrange(game, [(0, 1, "E")], waste=[(0, 4)])
    step(game, FIRE)
    assert game.waste.tolist() == [1]
    assert step(game, FREE_CLEAN) == [0.0]
    assert game.waste.tolist() == [0]
    two = build(lines, n_harvesters=0, n_free=2, penalty_beam=True)
    arrange(two, [(0, 1, "E"), (0, 2, "E")])
    assert step(two, FREE_CLEAN, STAY) == [0.0, 0.0]


def test_one_who_moved_in_this_step_is_hit_where_it_is_now():
    game = build(n_harvesters=0, n_free=2, penalty_beam=True, beam_width=1)
    arrange(game, [(2, 1, "E"), (1, 3, "S")])
    assert step(game, FIRE, FORWARD) == [-1.0, -50.0]


# ---- growth

ORCHARD = ["@" * 22, *["@" + "B" * 20 + "@"] * 20, "@PPPP" + "R" * 10 + "@" * 7]


def grown(n_waste, seed=0, n_games=200, **settings):
    """Share of empty orchard cells that grow an apple in one step with so much waste of ten."""
    game = build(ORCHARD, n_games=n_games, **{"p_apple": 0.2, **settings})
    arrange(game, [(21, 1, "N")], waste=[(21, 5 + k) for k in range(n_waste)])
    game.set_state({**game.get_state(), "stream": _fresh_streams(n_games)})
    step(game, STAY)
    return (game.ground() == APPLE).mean() * (22 * 22) / 400


@pytest.mark.parametrize(("n_waste", "chance"), [(0, 0.2), (1, 0.15), (2, 0.1), (3, 0.05), (4, 0.0), (9, 0.0)])
def test_apples_grow_at_p_apple_times_one_minus_density_over_depletion(n_waste, chance):
    """80,000 cells: one sd is at most 0.0014."""
    assert grown(n_waste) == pytest.approx(chance, abs=0.006)


def test_restoration_is_the_density_below_which_growth_is_full():
    assert grown(2, restoration=0.2) == pytest.approx(0.2, abs=0.006)
    assert grown(3, restoration=0.2) == pytest.approx(0.1, abs=0.006)


def test_cells_grow_independently_of_each_other():
    """The count of apples among 400 cells has the binomial variance 400 p (1 - p) = 64."""
    game = build(ORCHARD, n_games=2000, p_apple=0.2)
    arrange(game, [(21, 1, "N")])
    game.set_state({**game.get_state(), "stream": _fresh_streams(2000)})
    step(game, STAY)
    counts = (game.ground() == APPLE).sum(axis=(1, 2))
    assert counts.var() == pytest.approx(64, rel=0.15)


def test_growth_sees_the_waste_that_the_beams_have_left():
    """One of two river cells is waste (density 0.5: nothing grows) until the shot of this step."""
    game = build(["@PRRBBBBBBBB@"], n_harvesters=0, n_cleaners=1, p_apple=1.0, beam_width=1)
    arrange(game, [(0, 1, "E")], waste=[(0, 2)])
    step(game, CLEAN)
    assert (game.ground() == APPLE).sum() == 8


def test_an_apple_never_grows_under_an_agent_but_waste_may():
    game = build(["@PRB@"], n_harvesters=1, p_apple=1.0)
    arrange(game, [(0, 3, "E")])
    step(game, STAY)
    assert (game.ground() == APPLE).sum() == 0
    game = build(["@PRB@"], n_harvesters=1, p_waste=1.0)
    arrange(game, [(0, 2, "E")])
    step(game, STAY)
    assert game.waste.tolist() == [1]
    assert game.board()[0, 0, 2] == AGENT
    step(game, BACK)
    assert game.board()[0, 0, 2] == WASTE


def test_an_apple_grows_again_on_the_cell_that_an_eater_has_left():
    game = arrange(build(["@PRB@"], p_apple=1.0), [(0, 2, "E")], apples=[(0, 3)])
    assert step(game, FORWARD) == [1.0]
    assert step(game, BACK) == [0.0]
    assert step(game, FORWARD) == [1.0]


def test_idle_waste_curve_of_the_contract_game():
    """Waste cells at steps 1, 10, 20, 30, 40, 47, 48 are 1, 10, 20, 30, 40, 47, 48, and stay at 48."""
    game = BatchCleanup(make_config("contract"), 8, observation=None)
    game.reset(seed=0)
    curve = []
    for _ in range(200):
        game.step(np.full((8, 5), STAY))
        curve.append(game.waste.copy())
    curve = np.array(curve)
    assert (curve == np.minimum(np.arange(1, 201), 48)[:, None]).all()


def test_in_loop_mode_waste_fails_to_come_only_when_every_clean_cell_fails():
    """Two clean cells and p = 0.5: waste comes with chance 1 - 0.25."""
    game = build(["@PRRRRR@"], n_games=4000, p_waste=0.5, waste_ceiling=1.0)
    arrange(game, [(0, 1, "E")], waste=[(0, 2), (0, 3), (0, 4)])
    game.set_state({**game.get_state(), "stream": _fresh_streams(4000)})
    step(game, STAY)
    assert (game.waste == 4).mean() == pytest.approx(0.75, abs=0.03)


def test_in_bernoulli_mode_waste_comes_with_chance_p_on_a_uniform_clean_cell():
    game = build(["@PRRRRR@"], n_games=6000, p_waste=0.5, waste_mode="bernoulli", waste_ceiling=None)
    arrange(game, [(0, 1, "E")], waste=[(0, 2)])
    game.set_state({**game.get_state(), "stream": _fresh_streams(6000)})
    step(game, STAY)
    assert (game.waste == 2).mean() == pytest.approx(0.5, abs=0.03)
    hits = (game.ground()[:, 0, 3:7] == WASTE).sum(axis=0)
    np.testing.assert_allclose(hits / hits.sum(), 0.25, atol=0.04)


def test_without_a_ceiling_the_whole_river_becomes_waste_and_with_one_it_does_not():
    for ceiling, most in ((None, 5), (0.5, 3)):
        game = build(["@PRRRRR@"], p_waste=1.0, waste_mode="bernoulli", waste_ceiling=ceiling)
        arrange(game, [(0, 1, "E")])
        for _ in range(9):
            step(game, STAY)
        assert game.waste.tolist() == [most]


def test_the_ceiling_follows_the_depletion_threshold_unless_it_is_set():
    for depletion, most in ((0.4, 2), (0.8, 4)):
        game = build(["@PRRRRR@"], p_waste=1.0, depletion=depletion)
        arrange(game, [(0, 1, "E")])
        for _ in range(9):
            step(game, STAY)
        assert game.waste.tolist() == [most]


def test_waste_waits_for_its_delay():
    game = build(["@PRRRRR@"], p_waste=1.0, waste_delay=3, waste_ceiling=None)
    arrange(game, [(0, 1, "E")])
    curve = []
    for _ in range(5):
        step(game, STAY)
        curve.append(int(game.waste[0]))
    assert curve == [0, 0, 0, 1, 2]


def test_nothing_grows_in_the_original_start_until_somebody_cleans():
    game = BatchCleanup(make_config("original"), 1, observation=None)
    game.reset(seed=0)
    assert game.waste.tolist() == [56]
    assert game.waste_density[0] == pytest.approx(56 / 119)
    assert game.apple_chance.tolist() == [0.0]
    for _ in range(100):
        game.step(np.full((1, 5), STAY))
    assert game.waste.tolist() == [56]
    assert (game.ground() == APPLE).sum() == 0


def test_stream_cells_are_never_waste_and_not_counted_in_the_density():
    game = build(["@PRRS@"], p_waste=1.0, waste_ceiling=None)
    arrange(game, [(0, 1, "E")])
    for _ in range(5):
        step(game, STAY)
    assert game.waste.tolist() == [2]
    assert game.waste_density.tolist() == [1.0]
    assert game.ground()[0, 0, 4] == STREAM


def test_the_episode_is_truncated_at_the_horizon_and_the_last_reward_is_paid():
    game = arrange(build(horizon=2), [(2, 3, "E")], apples=[(2, 5)])
    _, rewards, truncated = game.step(np.array([[FORWARD]]))
    assert (rewards.tolist(), truncated.tolist()) == ([[0.0]], [False])
    _, rewards, truncated = game.step(np.array([[FORWARD]]))
    assert (rewards.tolist(), truncated.tolist()) == ([[1.0]], [True])


# ---- laws of every episode

PRESET_CASES = [
    ("contract", {"n_cleaners": 5}), ("original", {}), ("meltingpot-like", {}),
    ("contract", {"n_harvesters": 12, "n_cleaners": 4, "spawn_anywhere": True}),
    ("contract", {"map": ("@@@@@@", "@PPRB@", "@PPHB@", "@PPSB@", "@@@@@@"), "n_cleaners": 1}),
]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(case=st.sampled_from(PRESET_CASES), seed=st.integers(0, 2**32))
def test_laws_that_hold_at_every_step(case, seed):
    preset, changes = case
    game = BatchCleanup(make_config(preset, **changes, horizon=80), 3, observation=None)
    game.reset(seed=seed)
    rng = np.random.default_rng(seed)
    loop, config = game.config.waste_mode == "loop", game.config
    start = game.waste_density.max()
    before, ground = game.position.copy(), game.ground()
    for _ in range(80):
        _, rewards, _ = game.step(random_actions(game, rng))
        position, now = game.position, game.ground()
        for b in range(3):  # nobody overlaps
            assert len({tuple(p) for p in position[b]}) == game.n_agents
        assert (np.abs(position - before).sum(axis=2) <= 1).all()  # nobody moves more than a cell
        assert ((game.board() == AGENT).sum(axis=(1, 2)) == game.n_agents).all()
        assert (game.waste == (now == WASTE).sum(axis=(1, 2))).all()  # the count is the count
        assert ((now == WASTE) <= np.isin(ground, (RIVER, WASTE))).all()  # only river becomes waste
        assert ((now == STREAM) == (ground == STREAM)).all()
        at = (np.arange(3)[:, None], position[..., 0], position[..., 1])
        assert not ((now == APPLE) & (ground != APPLE))[at].any()  # no apple grows under an agent
        if loop:
            assert game.waste_density.max() <= max(start, 0.4 + 1 / game.world.river.size)
        assert (game.apples <= game.rules.eats).all()
        if not config.penalty_beam:
            assert (rewards == game.apples).all()
        assert (game.shots <= game.rules.cleans).all()
        assert (game.cleaned <= config.beam_width * game.shots).all()
        chance = config.p_apple * np.clip(1 - game.waste_density / config.depletion, 0, 1)
        np.testing.assert_allclose(game.apple_chance, chance)
        before, ground = position, now
