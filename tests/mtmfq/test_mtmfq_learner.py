from dataclasses import replace

import numpy as np
import pytest
import torch
from mtmfq_small_games import Choice, Letters, Relay, flat, quick

from mtmfq import LearnerError, TrainProgress, play, train
from mtmfq.learner import Learner
from mtmfq.replay import Replay
from mtmfq.update import boltzmann_value


@pytest.mark.parametrize("timing", ["observed", "paper"])
def test_both_types_learn_the_relay_with_its_delayed_shared_reward(timing: str) -> None:
    game = Relay()
    result = train(game, quick(timing=timing), np.random.default_rng(0))
    sums = play(game, result.policy, seed=1)
    assert sums.mean(axis=0) == pytest.approx([5.0, 5.0], abs=0.3)  # best: horizon 6 less the first step
    assert result.curve.returns[:5].mean() < 2.0


def test_values_count_the_steps_after_the_time_limit() -> None:
    # One state, 1 for action 0, gamma 0.5, temperature 0.5: pi(0) = p = 1 / (1 + exp(-1 / 0.5)) = 0.881,
    # v = p (1 + v / 2) + (1 - p) v / 2 = 2 p, Q = 1 + p and p; without a bootstrap it would be 1 and 0.
    config = quick(n_games=8, gamma=0.5, n_step=1, episodes=4_000, temperature=((0.0, 0.5),))
    result = train(Choice(horizon=1), config, np.random.default_rng(0))
    q = result.policy.networks(torch.tensor([[[1.0, 0.0, 0.0]]]))[0, 0].tolist()
    assert q == pytest.approx([1.881, 0.881], abs=0.05)


def test_targets_come_from_the_slow_copy() -> None:
    # With a copy that stands still, Q learns r + v / 2 where v is the value of the first, untrained networks.
    game, temperature = Choice(horizon=1), 0.5
    config = quick(n_games=8, gamma=0.5, n_step=1, episodes=4_000, temperature=((0.0, temperature),))
    states = torch.tensor([[[1.0, 0.0, 0.0]]])
    first = train(game, replace(config, updates_per_step=0.0), np.random.default_rng(0)).policy.networks(states)
    value = boltzmann_value(first[0, 0].detach(), temperature).item()
    result = train(game, replace(config, tau=1e-12), np.random.default_rng(0))
    q = result.policy.networks(states)[0, 0].tolist()
    assert q == pytest.approx([1 + value / 2, value / 2], abs=0.02)
    assert abs(value - 1.762) > 0.5  # far from the value of a copy that follows


def test_acting_hears_the_mean_actions_in_the_order_of_agents() -> None:
    policy = train(Relay(population=(2, 3)), quick(episodes=16), np.random.default_rng(0)).policy
    rng = np.random.default_rng(1)
    seen = rng.normal(size=(50, 5, 3)).astype(np.float32)
    means = 3 * rng.random((50, 5, 5), dtype=np.float32)
    types = np.array([1, 0, 1, 0, 1])
    actions = policy.act(seen, means, rng, temperature=0.0, agent_types=types)
    rows = torch.from_numpy(np.concatenate([seen, means], axis=2))
    for n, m in enumerate(types):
        q = policy.networks(rows[:, n].expand(2, 50, 8))[m]
        assert np.array_equal(actions[:, n], q.argmax(dim=1).numpy())


def test_training_samples_and_does_not_take_the_best_action() -> None:
    game = Choice()
    hot = quick(n_games=8, episodes=80, temperature=((0.0, 1e6),))
    train(game, hot, np.random.default_rng(0))
    assert np.mean(game.played) == pytest.approx(0.5, abs=0.1)


def test_symbolic_observations_are_learned_with_an_empty_type_beside() -> None:
    game = Letters()
    config = quick(
        n_games=8,
        episodes=1_600,
        hidden=(16, 8),
        mean_actions_join="after_first",
        observation="symbolic",
        gamma=0.5,
        n_step=1,
        learning_rate=1e-2,
    )
    result = train(game, config, np.random.default_rng(0))
    assert play(game, result.policy, seed=3).mean() > 4.5  # of 5
    assert (result.curve.returns[:, 1] == 0).all()


def test_an_empty_type_keeps_its_first_weights_and_makes_no_nan() -> None:
    game = Relay(population=(2, 0))
    config = quick(episodes=160)
    before = train(game, quick(episodes=160, updates_per_step=0.0), np.random.default_rng(0))
    after = train(game, config, np.random.default_rng(0))
    assert np.array_equal(flat(before.policy)[1], flat(after.policy)[1])
    assert not np.array_equal(flat(before.policy)[0], flat(after.policy)[0])
    assert np.isfinite(after.curve.returns).all()
    assert np.isnan(before.curve.loss).all()
    assert np.isfinite(after.curve.loss[1:]).all()


def test_two_runs_from_one_seed_are_equal_bit_for_bit() -> None:
    runs = [train(Relay(), quick(episodes=160), np.random.default_rng(7)) for _ in range(2)]
    assert np.array_equal(flat(runs[0].policy), flat(runs[1].policy))
    assert np.array_equal(runs[0].curve.returns, runs[1].curve.returns)
    other = train(Relay(), quick(episodes=160), np.random.default_rng(8))
    assert not np.array_equal(flat(runs[0].policy), flat(other.policy))


def test_progress_curve_and_counts_agree() -> None:
    seen: list[TrainProgress] = []
    result = train(Relay(), quick(episodes=40), np.random.default_rng(0), on_progress=seen.append)
    assert [p.episode for p in seen] == [16, 32, 48]  # 40 episodes take 3 rounds of 16 games
    assert seen[0].episodes == 48
    assert result.agent_steps == 48 * 6 * 2
    assert result.updates == int(1.5 * 18)  # of 3 vector episodes, 6 steps each
    assert np.array_equal(result.curve.returns, [p.returns for p in seen])
    assert seen[-1].total == pytest.approx(seen[-1].returns.sum())
    assert result.finished


def test_scale_and_shift_change_the_learner_but_not_the_reported_returns() -> None:
    def first_round(**scaling: object) -> tuple[np.ndarray, np.ndarray]:
        result = train(Relay(), quick(episodes=16), np.random.default_rng(0), **scaling)  # type: ignore[arg-type]
        return result.curve.returns, flat(result.policy)

    plain, scaled = first_round(), first_round(reward_scale=[2.0, 3.0], reward_shift=[0.5, 0.0])
    assert not np.array_equal(plain[1], scaled[1])
    assert np.array_equal(plain[0], scaled[0])


def test_a_shift_of_one_is_worth_its_discounted_sum() -> None:
    config = quick(n_games=8, gamma=0.5, n_step=2, episodes=3_000, temperature=((0.0, 0.3), (0.5, 0.01)))
    result = train(Choice(), config, np.random.default_rng(0), reward_scale=[0.5], reward_shift=[1.0])
    q = result.policy.networks(torch.tensor([[[1.0, 0.0, 0.0]]]))[0, 0, 0].item()
    assert q == pytest.approx(0.5 * (1 + 1) / (1 - 0.5), abs=0.1)


def test_absolute_rewards_refuse_a_scale() -> None:
    with pytest.raises(LearnerError, match="scaled_rewards=True"):
        train(Relay(), quick(scaled_rewards=False), np.random.default_rng(0), reward_scale=[2.0, 1.0])


def test_a_diverged_learner_says_so() -> None:
    config = quick(learning_rate=1e30, loss="mse")
    with pytest.raises(LearnerError, match="diverged: its loss is"):
        train(Relay(), config, np.random.default_rng(0))


def test_a_game_of_another_size_is_refused() -> None:
    with pytest.raises(LearnerError, match="16 copies, but n_games is 8"):
        train(Relay(), quick(n_games=8), np.random.default_rng(0))


def test_a_gradient_clip_bounds_every_type_alone() -> None:
    clipped = train(Relay(), quick(episodes=160, grad_clip=1e-3), np.random.default_rng(0))
    free = train(Relay(), quick(episodes=160), np.random.default_rng(0))
    assert not np.array_equal(flat(clipped.policy), flat(free.policy))


def test_a_policy_plays_another_crew_and_calls_the_hook_each_step() -> None:
    policy = train(Relay(), quick(episodes=16), np.random.default_rng(0)).policy
    steps: list[int] = []
    sums = play(
        Relay(n_games=3, population=(2, 3)), policy, seed=0, on_step=lambda t, actions, rewards: steps.append(t)
    )
    assert sums.shape == (3, 5)
    assert steps == [0, 1, 2, 3, 4, 5]
    with pytest.raises(LearnerError, match="n_actions"):
        play(_three_actions(), policy, seed=0)


def _three_actions() -> Relay:
    game = Relay()
    game.n_actions = (3, 3)  # type: ignore[misc]
    return game


def test_acting_checks_the_shapes_that_came() -> None:
    policy = train(Relay(), quick(episodes=16), np.random.default_rng(0)).policy
    rng = np.random.default_rng(0)
    actions = policy.act(np.ones((4, 2, 3), np.float32), np.zeros((4, 2, 5), np.float32), rng, 0.5)
    assert actions.shape == (4, 2)
    assert (actions[:, 0] < 2).all()
    with pytest.raises(LearnerError, match="3 agent_types"):
        policy.act(np.ones((4, 3, 3), np.float32), np.zeros((4, 3, 5), np.float32), rng)
    with pytest.raises(LearnerError, match="observations of shape"):
        policy.act(np.ones((4, 2, 9), np.float32), np.zeros((4, 2, 5), np.float32), rng)


def test_the_policy_is_the_mean_of_the_weights_of_the_last_part(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[float, torch.Tensor]] = []
    update = Learner.update

    def watched(self: Learner, replay: Replay, temperature: float, rng: np.random.Generator) -> float:
        loss = update(self, replay, temperature, rng)
        seen.append((temperature, self.networks.flat.clone()))
        return loss

    monkeypatch.setattr(Learner, "update", watched)
    falling = ((0.0, 1.0), (0.5, 0.1))  # held from half of the training on, so that it tells the halves apart
    config = quick(n_games=8, episodes=80, temperature=falling, average_from=0.5)
    policy = train(Choice(), config, np.random.default_rng(0)).policy
    late = torch.stack([weights for temperature, weights in seen if temperature == 0.1])
    assert 1 < len(late) < len(seen)
    assert torch.allclose(policy.networks.flat, late.mean(dim=0), atol=1e-5)
    last = train(Choice(), replace(config, average_from=None), np.random.default_rng(0)).policy
    assert torch.equal(last.networks.flat, seen[-1][1])
