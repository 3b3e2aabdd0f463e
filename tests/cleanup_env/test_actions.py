"""Actions and their numbers."""

import numpy as np
import pytest

from cleanup_env import Action, BatchCleanup, CleanupConfig, CleanupError
from cleanup_env.config import ROLES


def test_moves_turns_and_staying_have_the_same_number_for_every_role():
    for penalty in (False, True):
        config = CleanupConfig(penalty_beam=penalty)
        for role in ROLES:
            assert config.actions(role)[:7] == tuple(Action)[:7]
            assert [config.action_number(role, action) for action in tuple(Action)[:7]] == list(range(7))


@pytest.mark.parametrize(
    ("role", "penalty", "action", "number"),
    [("cleaner", True, "CLEAN", 7), ("free", False, "CLEAN", 7), ("free", True, "FIRE", 7), ("free", True, "CLEAN", 8)],
)
def test_the_number_of_a_beam_depends_on_what_else_the_role_can_do(role, penalty, action, number):
    config = CleanupConfig(penalty_beam=penalty)
    assert config.action_number(role, Action[action]) == number
    assert config.actions(role)[number] is Action[action]


def test_an_action_that_a_role_lacks_is_refused_with_those_that_it_has():
    with pytest.raises(CleanupError, match=r"a harvester has no action <Action.CLEAN: 8>: it has left, .*, stay, "):
        CleanupConfig().action_number("harvester", Action.CLEAN)


def test_actions_are_played_as_they_are():
    config = CleanupConfig(n_harvesters=1, n_cleaners=1)
    game, other = BatchCleanup(config), BatchCleanup(config)
    game.reset(seed=3)
    other.reset(seed=3)
    for action, number in ((Action.TURN_CLOCKWISE, 5), (Action.FORWARD, 2), (Action.STAY, 4), (Action.BACK, 3)):
        game.step(np.full((1, 2), action))
        other.step(np.full((1, 2), number))
        np.testing.assert_array_equal(game.board(), other.board())
