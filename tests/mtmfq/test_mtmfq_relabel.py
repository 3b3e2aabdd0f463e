"""Samples that are learned from under another context than they were played under."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from mtmfq_small_games import TellingWish, Wish, flat, quick

from mtmfq.interface import LearnerError, Signature
from mtmfq.policy import Policy
from mtmfq.replay import Replay
from mtmfq.training import train

RELABEL = quick(relabel=0.5)


def greedy(policy: Policy, wish: int) -> np.ndarray:
    """Actions under a wish that was perhaps never played."""
    game = TellingWish(n_games=16)
    game.reset(0)
    game.wishes[:] = wish
    features, cells = Signature.of(game).split(np.zeros((16, 1, 1), np.float32), game.context())
    from mtmfq.policy import Actor

    actor = Actor(policy.networks, np.zeros(1, np.int64), 16)
    return actor.act(features, cells, np.zeros((16, 1, 4), np.float32), 0.01, np.random.default_rng(0))


def test_a_context_that_was_never_played_is_learned_from_what_was_played_under_another() -> None:
    policy = train(TellingWish(), RELABEL, np.random.default_rng(0)).policy
    assert (greedy(policy, 0) == 0).all()
    assert (greedy(policy, 1) == 1).all()


def test_without_relabelling_it_is_not_learned() -> None:
    policy = train(TellingWish(), quick(), np.random.default_rng(0)).policy
    assert (greedy(policy, 0) == 0).all()
    assert (greedy(policy, 1) == 0).all()


def test_a_game_that_cannot_say_is_learned_as_if_nothing_were_relabelled() -> None:
    config = quick(episodes=320)
    plain = train(Wish(), config, np.random.default_rng(0)).policy
    asked = train(Wish(), dataclasses.replace(config, relabel=0.5), np.random.default_rng(0)).policy
    assert np.array_equal(flat(plain), flat(asked))


@pytest.mark.parametrize("relabel", [0.0, 0.5, 1.0])
def test_relabelled_samples_have_the_returns_of_their_new_context_and_the_rest_stays(relabel: float) -> None:
    game = TellingWish(n_games=16, horizon=4)
    game.reset(0)
    config = quick(relabel=relabel, gamma=0.5, n_step=2, batch_size=400)
    replay = Replay(Signature.of(game), config, 50, game.n_parts, game.other_contexts)
    features, cells = Signature.of(game).split(np.zeros((16, 1, 1), np.float32), game.context())
    replay.start(features, cells)
    actions = np.tile([0, 0, 1, 0], (16, 1))
    means = np.zeros((16, 1, 4), np.float32)
    for t in range(4):
        _, rewards = game.step(actions[:, t : t + 1])
        replay.add(actions[:, t : t + 1], rewards, features, cells, means, game.reward_parts())
    batch = replay.sample(np.random.default_rng(1))
    # two-step returns with discount 1/2, of actions 0 0 1 0: under wish 0 from each step on, and under wish 1
    of_zero, of_one = {1.5, 1.0, 0.5}, {0.0, 0.5, 1.0}
    wish = batch.rows[0, :, 1].numpy()
    returns = batch.returns[0].numpy()
    assert np.array_equal(wish, batch.next_rows[0, :, 1].numpy())
    assert {float(r) for r in returns[wish == 0]} == of_zero
    assert {float(r) for r in returns[wish == 1]} == (set() if relabel == 0 else of_one)
    assert abs((wish == 1).mean() - relabel / 2) < 0.1


def test_a_training_that_relabels_goes_on_from_its_checkpoint_bit_for_bit(tmp_path: Path) -> None:
    config = dataclasses.replace(RELABEL, episodes=320)
    whole = train(TellingWish(), config, np.random.default_rng(3)).policy
    stops = iter([False] * 7 + [True])
    for stop in (lambda: next(stops), None):
        rng = np.random.default_rng(3)
        part = train(TellingWish(), config, rng, checkpoint=tmp_path / "t.npz", checkpoint_seconds=0, should_stop=stop)
    assert part.finished
    assert np.array_equal(flat(part.policy), flat(whole))


@pytest.mark.parametrize("n_parts", [-1, 1.5, True, "two"])
def test_a_number_of_parts_that_is_none_is_refused(n_parts: object) -> None:
    game = TellingWish()
    game.n_parts = n_parts  # type: ignore[assignment]
    with pytest.raises(LearnerError, match="n_parts of a game must be a whole number"):
        train(game, RELABEL, np.random.default_rng(0))


def test_contexts_of_another_shape_are_refused() -> None:
    class Wrong(TellingWish):
        def other_contexts(self, rng, agents):  # type: ignore[no-untyped-def]
            contexts, weights = super().other_contexts(rng, agents)
            return contexts, weights[:, :1]

    with pytest.raises(LearnerError, match="other_contexts must return contexts and weights"):
        train(Wrong(), RELABEL, np.random.default_rng(0))


@pytest.mark.parametrize("relabel", [-0.1, 1.1, float("nan"), "half", None])
def test_the_part_that_is_relabelled_lies_between_0_and_1(relabel: object) -> None:
    with pytest.raises(LearnerError, match="relabel must be 0 to 1"):
        quick(relabel=relabel)
