"""Tiny games, drawn and arranged by hand."""

import numpy as np

from cleanup_env import BatchCleanup, CleanupConfig
from cleanup_env.actions import BACK, FORWARD, LEFT, RIGHT, STAY, TURN_CLOCKWISE, TURN_COUNTER_CLOCKWISE  # noqa: F401
from cleanup_env.maps import APPLE, ORCHARD, RIVER, WASTE

CLOCKWISE, COUNTER = TURN_CLOCKWISE, TURN_COUNTER_CLOCKWISE
FIRE = CLEAN = 7  # of free agents with the penalty beam, and of cleaners
FREE_CLEAN = 8
HEADINGS = "NESW"

FIELD = [  # 5 x 7: one river cell out of the way, an orchard column, a meadow
    "@@@@@@@",
    "@PPP B@",
    "@PPP B@",
    "@PPPRB@",
    "@@@@@@@",
]


def build(lines=FIELD, n_games=1, observation=None, **settings):
    """A game in which nothing grows unless the test says so."""
    settings = {"n_harvesters": 1, "p_apple": 0.0, "p_waste": 0.0, **settings}
    return BatchCleanup(CleanupConfig(map=tuple(lines), **settings), n_games, observation=observation)


def arrange(game, agents, apples=(), waste=()):
    """Put agents (row, column, "N" | "E" | "S" | "W"), apples and waste, and nothing else, in every copy."""
    game.reset(seed=0)
    state, world, radius = game.get_state(), game.world, game.config.radius

    def cell(row, column):
        return (row + radius) * world.width + column + radius

    state["ground"][:] = world.ground
    for row, column in apples:
        assert world.ground[cell(row, column)] == ORCHARD
        state["ground"][:, cell(row, column)] = APPLE
    for row, column in waste:
        assert world.ground[cell(row, column)] == RIVER
        state["ground"][:, cell(row, column)] = WASTE
    for i, (row, column, heading) in enumerate(agents):
        state["position"][:, i] = cell(row, column)
        state["heading"][:, i] = HEADINGS.index(heading)
    game.set_state(state)
    return game


def places(game, copy=0):
    """Where the agents are: [(row, column), ...]."""
    return [tuple(int(k) for k in place) for place in game.position[copy]]


def step(game, *actions):
    """One step of all copies with the same actions; return rewards of the first copy."""
    _, rewards, _ = game.step(np.tile(actions, (game.n_games, 1)))
    return rewards[0].tolist()


def random_actions(game, rng):
    return rng.integers(0, game.n_actions, (game.n_games, game.n_agents))
