"""Batches counted in joint steps, updates by the episode, temperatures by the sample: how `faithful` learns."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mtmfq_small_games import Relay, flat, quick

from mtmfq import MTMFQConfig, Signature, TrainResult, get_profile, train
from mtmfq.learner import Learner
from mtmfq.replay import Replay
from mtmfq.update import td_targets

LIKE_RELEASED = quick(
    episodes=64, n_games=4, batch_size=8, batch_of="joint_steps", updates_per_episode=1.0, n_step=1, timing="paper",
    target_temperature="sample", temperature_between="linear", average_from=None, loss="mse", replay_capacity=70,
)  # fmt: skip
"""16 vector episodes; the replay holds ten of them."""


def told(population: tuple[int, int], config: MTMFQConfig, episodes: int = 2) -> tuple[Replay, Signature]:
    """Rewards name where they came from: 100 * (steps since the beginning) + 10 * game + agent."""
    game = Relay(n_games=config.n_games, population=population)
    signature = Signature.of(game)
    replay, n = Replay(signature, config, 100), sum(population)
    seen = (np.ones((config.n_games, n, 3), np.float32), np.zeros((config.n_games, n, 0), np.uint8))
    places = 10.0 * np.arange(config.n_games)[:, None] + np.arange(n)
    means = np.zeros((config.n_games, n, 5), np.float32)
    for e in range(episodes):
        replay.start(*seen)
        for t in range(6):
            actions = np.zeros((config.n_games, n), np.int64)
            replay.add(actions, 100.0 * (6 * e + t) + places, *seen, means, temperature=1.0 / (e + 1))
    return replay, signature


@pytest.mark.parametrize("population", [(1, 3), (3, 1), (2, 2), (3, 0)])
def test_every_agent_of_a_joint_step_gives_a_row_and_all_types_learn_from_the_same_steps(
    population: tuple[int, int],
) -> None:
    replay, _ = told(population, LIKE_RELEASED)
    batch = replay.sample(np.random.default_rng(0))
    names = [batch.returns[m, : 8 * size].numpy().astype(int).reshape(8, size) for m, size in enumerate(population)]
    agents = np.arange(sum(population))
    for m, members in enumerate((agents[: population[0]], agents[population[0] :])):
        assert (names[m] % 10 == members).all()
    steps = [name[:, 0] // 10 for name in names if name.size]
    assert all(np.array_equal(steps[0], other) for other in steps)
    assert all((name // 10 == steps[0][:, None]).all() for name in names)


def test_joint_steps_are_drawn_evenly_over_steps_and_games_and_with_replacement() -> None:
    replay, _ = told((1, 1), replace(LIKE_RELEASED, batch_size=2_000))
    drawn = replay.sample(np.random.default_rng(0)).returns[0].numpy().astype(int) // 10
    counts = np.bincount(10 * (drawn // 10) + drawn % 10, minlength=120).reshape(12, 10)[:, :4]
    assert counts.sum() == 2_000  # 48 joint steps, each 42 times on average
    assert 15 < counts.min() < counts.max() < 75


@pytest.mark.parametrize("population", [(1, 3), (2, 2), (3, 0)])
def test_the_loss_is_the_sum_over_types_of_the_mean_over_their_own_rows(population: tuple[int, int]) -> None:
    replay, signature = told(population, LIKE_RELEASED)
    replay.arrays["returns"] *= 1e-3
    learner = Learner(signature, LIKE_RELEASED, seed=0)
    first = learner.networks.copy()  # those of the target, too
    value = learner.update(replay, 1.0, np.random.default_rng(0))
    batch, expected = replay.sample(np.random.default_rng(0)), 0.0
    with torch.no_grad():
        q, next_q = first(batch.rows), first(batch.next_rows)
    for m in np.flatnonzero(population):
        n = 8 * population[m]
        targets = td_targets(batch.returns[m], batch.discounts[m], next_q[m], batch.temperatures[m].unsqueeze(1))[:n]
        chosen = q[m, :n].gather(1, batch.actions[m, :n, None])[:, 0]
        expected += ((targets - chosen) ** 2).mean().item()
    assert value == pytest.approx(expected, rel=1e-5)


def test_a_sample_keeps_the_temperature_at_which_it_was_played() -> None:
    replay, _ = told((1, 2), LIKE_RELEASED)
    batch = replay.sample(np.random.default_rng(0))
    for m, size in enumerate((1, 2)):
        played = batch.returns[m, : 8 * size].numpy() // 600  # 6 steps an episode
        assert {0.0, 1.0} == set(played.tolist())
        assert np.array_equal(batch.temperatures[m, : 8 * size].numpy(), 1.0 / (played + 1).astype(np.float32))


def test_a_target_takes_the_temperature_of_its_row() -> None:
    next_q = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    targets = td_targets(torch.zeros(1, 2), torch.ones(1, 2), next_q, torch.tensor([[[1e-3], [1e6]]]))
    assert targets[0].tolist() == pytest.approx([1.0, 0.5], abs=1e-5)


def test_the_learner_asks_for_the_temperature_of_the_sample() -> None:
    replay, signature = told((1, 1), LIKE_RELEASED)
    replay.arrays["returns"] *= 1e-4

    def loss(target_temperature: str, now: float) -> float:
        config = get_profile("fast", **{**LIKE_RELEASED.to_dict(), "target_temperature": target_temperature})
        return Learner(signature, config, seed=0).update(replay, now, np.random.default_rng(0))

    assert loss("sample", 0.01) == loss("sample", 5.0)  # whatever the present temperature is
    assert loss("present", 0.01) != loss("present", 5.0)


@pytest.mark.parametrize("population", [(1, 1), (2, 3)])
def test_one_update_per_episode_whatever_the_crew_and_none_while_the_games_play(
    population: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[int] = []
    update = Learner.update

    def watched(self: Learner, replay: Replay, temperature: float, rng: np.random.Generator) -> float:
        played.append(replay.n_written)
        return update(self, replay, temperature, rng)

    monkeypatch.setattr(Learner, "update", watched)
    result = train(Relay(n_games=4, population=population), LIKE_RELEASED, np.random.default_rng(0))
    assert result.updates == 64
    assert played == [7 * (1 + k // 4) for k in range(64)]  # after whole episodes of 6 steps and a last observation


def test_a_stopped_training_of_this_kind_resumes_bit_for_bit(tmp_path: Path) -> None:
    def run(path: Path | None = None, rounds: int = 100) -> TrainResult:
        left = iter(range(rounds))
        return train(
            Relay(n_games=4, population=(1, 2)), LIKE_RELEASED, np.random.default_rng(0), checkpoint=path,
            should_stop=lambda: next(left, None) is None,
        )  # fmt: skip

    whole, path = run(), tmp_path / "training.npz"
    assert not run(path, 13).finished  # the replay has begun anew by then
    resumed = run(path)
    assert np.array_equal(flat(whole.policy), flat(resumed.policy))
    assert np.array_equal(whole.curve.loss, resumed.curve.loss)


def test_faithful_counts_as_the_released_code_does() -> None:
    config = get_profile("faithful")
    assert (config.batch_size, config.batch_of, config.updates_per_episode) == (400, "joint_steps", 1.0)
    assert config.episodes % config.n_games == 0
    whole_episodes = config.replay_capacity // 201
    assert whole_episodes * 200 * config.n_games == 1_000_000
    assert config.temperature_at(0.1) == pytest.approx((1.0 + 0.1) / 2)  # linear between knots
    assert config.temperature_at(0.75) == pytest.approx((0.01 + 0.001) / 2)
