"""Contexts: numbers that agents see beside their observations, the same through an episode."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mtmfq_small_games import Letters, Relay, Wish, flat, quick

from mtmfq import LearnerError, Policy, Signature, play, train
from mtmfq.network import NetworkShape, QNetworks
from mtmfq.rollout import Rollout


class LettersWithContext(Letters):
    """Symbolic observations, and a context that says nothing."""

    n_context = 1

    def context(self):
        return np.ones((self.n_games, 2, 1), np.float32)

    def episode_scale(self):
        return np.ones((self.n_games, 2))

    def episode_shift(self):
        return np.zeros((self.n_games, 2))


def test_one_training_serves_every_context() -> None:
    game = Wish()
    result = train(game, quick(episodes=800), np.random.default_rng(0))
    for seed in (0, 1):  # each copy plays both wishes
        assert (play(game, result.policy, seed=seed) == 4.0).all()


def test_a_context_stands_behind_the_features_and_before_the_mean_actions() -> None:
    game = Wish()
    signature = Signature.of(game)
    assert (signature.n_context, signature.n_features) == (2, 3)
    networks = QNetworks.initialised(NetworkShape.of(signature, quick()), seed=0)
    rollout = Rollout(game, signature, quick(), networks, 50, np.ones(1), np.zeros(1))
    rollout.start(seed=1)
    rollout.step(0.5, np.random.default_rng(0))
    rows = rollout.replay.arrays["rows"]
    assert np.array_equal(rows[0, :, 0, 1], (np.arange(16) + 1) % 2)
    assert np.array_equal(rows[0, :, 0, :3], rows[1, :, 0, :3])  # the same through the episode
    assert (rows[:2, :, 0, 2] == 1).all()
    assert (rows[:2, :, 0, 3:] == 0).all()  # no neighbours


def test_a_symbolic_observation_can_have_a_context_beside_it() -> None:
    config = quick(n_games=8, episodes=1_600, observation="symbolic", gamma=0.5, n_step=1, learning_rate=1e-2)
    game = LettersWithContext()
    assert Signature.of(game).n_features == 1
    assert play(game, train(game, config, np.random.default_rng(0)).policy, seed=3).mean() > 4.5  # of 5


def test_an_episode_is_learned_in_the_units_that_the_game_declares() -> None:
    class Priced(Wish):
        def episode_scale(self):
            return 1.0 + np.arange(self.n_games)[:, None]

        def episode_shift(self):
            return np.full((self.n_games, 1), 0.5)

    for scaled in (True, False):
        game, config = Priced(horizon=1), quick(n_step=1, scaled_rewards=scaled)
        signature = Signature.of(game)
        networks = QNetworks.initialised(NetworkShape.of(signature, config), seed=0)
        rollout = Rollout(game, signature, config, networks, 50, np.ones(1), np.zeros(1))
        rollout.start(seed=0)
        rewards = rollout.step(1e6, np.random.default_rng(0))[:, 0]
        assert 0 < rewards.sum() < 16
        learned = rollout.replay.arrays["returns"][0, :, 0]
        assert np.allclose(learned, (rewards + 0.5) * (1 + np.arange(16)) if scaled else rewards)


def test_the_curve_is_in_the_units_of_the_game() -> None:
    result = train(Wish(pay=8.0), quick(episodes=800), np.random.default_rng(0))
    assert result.curve.returns[-1, 0] == pytest.approx(4 * 8.0, rel=0.05)


def test_a_policy_with_a_context_comes_back_the_same(tmp_path: Path) -> None:
    policy = train(Wish(), quick(episodes=48), np.random.default_rng(0)).policy
    policy.save(tmp_path / "policy.npz")
    loaded = Policy.load(tmp_path / "policy.npz")
    assert loaded.signature == policy.signature
    assert np.array_equal(play(Wish(), loaded, seed=3), play(Wish(), policy, seed=3))


def test_a_stopped_training_with_a_context_resumes_bit_for_bit(tmp_path: Path) -> None:
    def run(path: Path | None, rounds: int) -> torch.Tensor:
        left = iter(range(rounds))
        result = train(
            Wish(), quick(episodes=160), np.random.default_rng(0), checkpoint=path,
            should_stop=lambda: next(left, None) is None,
        )  # fmt: skip
        return flat(result.policy)

    path = tmp_path / "training.npz"
    run(path, 3)
    assert np.array_equal(run(path, 99), run(None, 99))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.ones((16, 1, 3), np.float32), r"context of shape \(16, 1, 2\) was declared, got one of shape \(16, 1, 3\)"),
        (np.full((16, 1, 2), np.nan, np.float32), "context that is not finite"),
    ],
)
def test_a_context_is_as_declared_and_finite(wrong: np.ndarray, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Wish, "context", lambda _: wrong)
    with pytest.raises(LearnerError, match=message):
        train(Wish(), quick(episodes=16), np.random.default_rng(0))


@pytest.mark.parametrize("name", ["episode_scale", "episode_shift"])
@pytest.mark.parametrize("wrong", [np.ones(16), np.full((16, 1), np.inf)])
def test_declared_units_are_finite_and_one_for_each_agent(
    name: str, wrong: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wish, name, lambda _: wrong)
    with pytest.raises(LearnerError, match=r"must be finite and of shape \(16, 1\)"):
        train(Wish(), quick(episodes=16), np.random.default_rng(0))


def test_units_are_declared_once() -> None:
    with pytest.raises(LearnerError, match="declares its own reward scale and shift: leave them out"):
        train(Wish(), quick(episodes=16), np.random.default_rng(0), reward_scale=[1.0, 1.0])


def test_a_policy_is_not_played_without_its_context() -> None:
    policy = train(Wish(), quick(episodes=16), np.random.default_rng(0)).policy
    with pytest.raises(LearnerError, match=r"see a context beside their observations: pass one of shape \(16, 1, 2\)"):
        policy.act(np.zeros((16, 1, 1), np.float32), np.zeros((16, 1, 4), np.float32), np.random.default_rng(0))
    blind = Wish()
    blind.n_context = 0
    with pytest.raises(LearnerError, match="trained on a game with n_context 2, but this one has 0"):
        play(blind, policy, seed=0)
    blind.n_context = -1
    with pytest.raises(LearnerError, match="n_context must be at least 0, but is -1"):
        Signature.of(blind)


def test_games_without_a_context_need_not_name_one() -> None:
    assert Signature.of(Relay()).n_context == 0
