"""What agents of any PettingZoo game see becomes a row of numbers, and what they do a numbered action."""

from functools import partial

import numpy as np
import pytest
from gymnasium import spaces
from small_zoo import Spaces

from contract_wrapper import ContractsError, PettingZooGames

NARROW = spaces.Box(0, 9, (1,), np.float64)


def rows(space, shown, *, then=None, **settings):
    """Rows of an agent who sees this in this space, and of another who sees the number 7."""
    game = PettingZooGames(partial(Spaces, [space, NARROW], [shown, np.array([7.0])], **settings))
    seen = game.reset(0)
    assert seen.dtype == np.float32
    assert seen.shape == (1, 2, *game.observation_shape)
    return seen[0].tolist()


@pytest.mark.parametrize(
    ("space", "shown", "row"),
    [
        (spaces.Box(0, 9, (2, 2), np.uint8), np.array([[1, 2], [3, 4]], np.uint8), [1, 2, 3, 4]),
        (spaces.Discrete(3), 2, [0, 0, 1]),
        (spaces.Discrete(3, start=-1), np.int64(-1), [1, 0, 0]),
        (spaces.MultiBinary(3), np.array([0, 1, 1], np.int8), [0, 1, 1]),
        (spaces.MultiDiscrete([2, 3]), np.array([1, 0]), [0, 1, 1, 0, 0]),
        (spaces.Tuple([spaces.Discrete(2), NARROW]), (1, np.array([5.0])), [0, 1, 5]),
        (spaces.Dict(at=spaces.Discrete(2), far=NARROW), {"far": np.array([5.0]), "at": 0}, [1, 0, 5]),
        (
            spaces.Dict(observation=spaces.Box(0, 9, (2,)), action_mask=spaces.MultiBinary(2)),
            {"observation": np.array([3.0, 4.0]), "action_mask": np.array([1, 0], np.int8)},
            [3, 4],
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, spaces.Space) else "",
)
def test_every_space_becomes_a_row_and_the_shorter_row_ends_with_zeros(space, shown, row):
    assert rows(space, shown) == [row, [7.0] + [0.0] * (len(row) - 1)]


def test_rows_hold_nothing_of_the_step_before():
    game = PettingZooGames(partial(Spaces, [spaces.Discrete(2), NARROW], [1, np.array([7.0])], horizon=5))
    game.reset(0)
    (env,) = game.envs
    env.shown = [0, np.array([3.0])]
    assert game.step(np.zeros((1, 2), int))[0][0].tolist() == [[1, 0], [3, 0]]


def test_actions_get_the_games_own_numbers():
    actions = [spaces.Discrete(2, start=5), spaces.Discrete(3)]
    game = PettingZooGames(partial(Spaces, [NARROW] * 2, [np.array([7.0])] * 2, actions))
    assert (game.type_names, game.n_actions) == (("narrow", "wide"), (3, 2))
    game.reset(0)
    game.step(np.array([[1, 2]]))
    (env,) = game.envs
    assert env.got == [{"wide_0": 6, "narrow_0": 2}]
    assert {type(action) for action in env.got[0].values()} == {int}


MASKED = spaces.Dict(observation=NARROW, action_mask=spaces.MultiBinary(2))


def with_masks(mask_of_wide, mask_of_narrow, **settings):
    """A game in which one agent is told its mask in its observation, the other in its infos."""
    shown = {"observation": np.array([7.0]), "action_mask": np.array(mask_of_wide, np.int8)}
    masks = [[0, 0], np.array(mask_of_narrow, np.int8)]
    make = partial(Spaces, [MASKED, NARROW], [shown, np.array([7.0])], masks=masks)
    game = PettingZooGames(make, n_games=2, **settings)
    game.reset(0)
    return game


def test_masks_are_read_from_observations_or_infos():
    game = with_masks([0, 1], [1, 0, 1])
    assert game.action_mask().tolist() == [[[False, True, False], [True, False, True]]] * 2
    game.step(np.zeros((2, 2), int))
    game.step(np.zeros((2, 2), int))  # over: none of its actions is played, so that any may be chosen
    assert game.action_mask().tolist() == [[[True, True, False], [True, True, True]]] * 2


def test_an_agent_with_nothing_to_do_may_choose_any_of_its_actions():
    assert with_masks([0, 0], [0, 0, 0]).action_mask()[0].tolist() == [[True, True, False], [True, True, True]]


def test_useless_actions_are_passed_on_or_replaced_by_the_first_of_use():
    for only_of_use, played in ((False, [0, 1]), (True, [1, 2])):
        game = with_masks([0, 1], [0, 0, 1], only_of_use=only_of_use)
        game.step(np.array([[0, 1], [1, 2]]))
        first, second = game.envs
        assert list(first.got[0].values()) == played
        assert list(second.got[0].values()) == [1, 2]


@pytest.mark.parametrize(
    ("seen", "shown", "actions", "message"),
    [
        (NARROW, np.zeros(1), [spaces.Box(0, 1, (2,)), spaces.Discrete(2)],
         r"action space of 'wide_0' is Box\(.*: wrap the game so that it is Discrete"),
        (spaces.Sequence(NARROW), (), None, "a row of numbers of fixed length, .* of 'wide_0' is Sequence"),
        (spaces.Box(0, 1, (0,)), np.zeros(0), None, r"'wide_0' observes nothing, Box\("),
        (NARROW, np.zeros(2), None, r"an observation of 2 numbers, but its observation space Box\(.* has 1"),
        (spaces.Discrete(2), 2, None, r"shows 2, which its observation space Discrete\(2\) does not hold"),
        (None, np.zeros(1), None, "the observation space of 'wide_0' is None"),
    ],
)  # fmt: skip
def test_what_the_learner_cannot_take_is_refused(seen, shown, actions, message):
    with pytest.raises(ContractsError, match=message) as error:
        rows(seen, shown, actions=actions)
    assert "\n" not in str(error.value)


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(ContractsError, match=r"action_mask of shape \(3,\) was expected, .* got \(2,\)"):
        with_masks([1, 1], [1, 1]).action_mask()
