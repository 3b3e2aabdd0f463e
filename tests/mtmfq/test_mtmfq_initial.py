"""Trainings that go on from the weights of a policy."""

from pathlib import Path

import numpy as np
import pytest
from mtmfq_small_games import Relay, Wish, flat, quick

from mtmfq import LearnerError, Policy, TrainResult, play, train


def learned(seed: int = 0) -> Policy:
    return train(Wish(), quick(episodes=160), np.random.default_rng(seed)).policy


def run(initial: Policy | None, path: Path | None = None, rounds: int = 99, **changes: object) -> TrainResult:
    left = iter(range(rounds))
    config = quick(**{"episodes": 160, **changes})
    return train(
        Wish(), config, np.random.default_rng(1), initial=initial, checkpoint=path,
        should_stop=lambda: next(left, None) is None,
    )  # fmt: skip


def test_without_a_gradient_step_the_weights_stay_as_they_were() -> None:
    policy = learned()
    before = flat(policy).copy()
    assert np.array_equal(flat(run(policy, updates_per_step=0.0).policy), before)
    assert not np.array_equal(flat(run(policy).policy), before)
    assert np.array_equal(flat(policy), before)  # it learns in memory of its own


def test_what_was_learned_is_there_at_once() -> None:
    policy = train(Wish(), quick(episodes=800), np.random.default_rng(0)).policy
    result = run(policy, episodes=16, temperature=((0.0, 0.001),), updates_per_step=0.0)
    assert result.curve.returns[0, 0] == 4.0  # the best play from the first episode on
    assert (play(Wish(), result.policy, seed=0) == 4.0).all()


def test_a_stopped_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    policy = learned()
    run(policy, tmp_path / "training.npz", rounds=3)
    assert np.array_equal(flat(run(policy, tmp_path / "training.npz").policy), flat(run(policy).policy))


def test_a_checkpoint_says_from_which_weights_it_began(tmp_path: Path) -> None:
    path = tmp_path / "training.npz"
    run(learned(), path, rounds=3)
    for other, word in (
        (None, "this one begins from random weights"),
        (learned(7), "this one begins from the weights"),
    ):
        with pytest.raises(LearnerError, match=word):
            run(other, path)
    run(None, tmp_path / "other.npz", rounds=3)
    with pytest.raises(LearnerError, match="began from random weights"):
        run(learned(), tmp_path / "other.npz")


def test_networks_of_another_shape_are_refused() -> None:
    with pytest.raises(LearnerError, match=r"cannot go on from networks of .*hidden=\(16, 16\).* same hidden layers"):
        run(learned(), hidden=(8,))
    other = train(Relay(), quick(episodes=16), np.random.default_rng(0)).policy
    with pytest.raises(LearnerError, match="same kind of game"):
        run(other)
    with pytest.raises(LearnerError, match="initial must be a policy to go on from, or None, got 3"):
        run(3)  # type: ignore[arg-type]


def test_numbers_that_are_given_take_the_place_of_drawn_ones() -> None:
    policy, rng = learned(), np.random.default_rng(5)
    seen, means, context = (
        np.ones((16, 1, 1), np.float32),
        np.zeros((16, 1, 4), np.float32),
        np.ones((16, 1, 2), np.float32),
    )
    drawn = policy.act(seen, means, np.random.default_rng(5), 0.5, context=context)
    given = policy.act(seen, means, rng, 0.5, context=context, uniforms=np.random.default_rng(5).random((16, 1)))
    assert np.array_equal(given, drawn)
    assert rng.random() == np.random.default_rng(5).random()  # nothing was drawn from it
