"""Which actions are of use: those of the role, and a beam only when it is not cooling down."""

import numpy as np
import pytest

from cleanup_env import PRESETS, BatchCleanup, make_config, parallel_env

from tiny_games import CLEAN, FIRE, STAY, build, random_actions, step  # isort: skip


def test_a_mask_holds_what_the_role_can_do():
    game = build(n_harvesters=1, n_cleaners=1, n_free=1, penalty_beam=True)
    game.reset(seed=0)
    assert game.action_mask().astype(int).tolist() == [
        [
            [1, 1, 1, 1, 1, 1, 1, 0, 0],  # a harvester moves and turns
            [1, 1, 1, 1, 1, 1, 1, 1, 0],  # a cleaner cleans
            [1, 1, 1, 1, 1, 1, 1, 1, 1],  # a free agent fires and cleans
        ]
    ]


def test_a_beam_that_cools_down_for_two_steps_is_masked_for_two_steps():
    game = build(n_harvesters=0, n_cleaners=2, cooldown=2)
    game.reset(seed=0)
    usable = [game.action_mask()[0, :, CLEAN].tolist()]
    for _ in range(4):
        step(game, CLEAN, STAY)  # a shot, two in vain, a shot
        usable.append(game.action_mask()[0, :, CLEAN].tolist())
    assert usable == [[True, True], [False, True], [False, True], [True, True], [False, True]]


def test_both_beams_of_a_free_agent_cool_down_together():
    game = build(n_harvesters=0, n_free=1, penalty_beam=True, cooldown=1)
    game.reset(seed=0)
    step(game, FIRE)
    assert game.action_mask()[0, 0].astype(int).tolist() == [1, 1, 1, 1, 1, 1, 1, 0, 0]


def test_a_masked_beam_does_nothing_and_an_unmasked_one_fires():
    config = make_config("meltingpot-like", n_harvesters=1, n_cleaners=2)
    game = BatchCleanup(config, 3, observation=None)
    game.reset(seed=1)
    rng, beams = np.random.default_rng(0), np.array([7] * 10)
    for _ in range(50):
        mask, actions = game.action_mask(), random_actions(game, rng)
        shoots = rng.random(actions.shape) < 0.5
        actions = np.where(shoots & (game.n_actions > 7), beams, actions)
        game.step(actions)
        fired = np.take_along_axis(mask, actions[..., None], axis=2)[..., 0] & (actions >= 7)
        np.testing.assert_array_equal(game.shots, fired)


def test_a_mask_that_was_returned_is_not_overwritten():
    game = build(n_harvesters=0, n_cleaners=1, cooldown=1)
    game.reset(seed=0)
    mask = game.action_mask()
    mask[:] = False
    assert game.action_mask().all()
    kept = game.action_mask()
    step(game, CLEAN)
    assert kept.all()


@pytest.mark.parametrize("preset", PRESETS)
def test_the_pettingzoo_face_tells_each_agent_its_own_mask(preset):
    game = parallel_env(preset, n_cleaners=2, horizon=30)
    _, infos = game.reset(seed=0)
    rng = np.random.default_rng(0)
    while game.agents:
        masks = game.game.action_mask()[0]
        for agent, row in zip(game.possible_agents, masks, strict=True):
            mask, space = infos[agent]["action_mask"], game.action_space(agent)
            assert (mask.dtype, mask.shape) == (np.int8, (space.n,))  # what Discrete.sample takes
            assert mask.tolist() == row[: space.n].tolist()
            assert not row[space.n :].any()
            space.sample(mask)
        *_, infos = game.step({agent: int(rng.integers(game.action_space(agent).n)) for agent in game.agents})


def test_without_a_cooldown_no_beam_is_ever_masked():
    game = parallel_env(n_cleaners=1)
    game.reset(seed=0)
    for _ in range(3):
        *_, infos = game.step({agent: game.action_space(agent).n - 1 for agent in game.agents})
        assert all(info["action_mask"].all() for info in infos.values())
