import numpy as np
import pytest
import torch

from mtmfq.config import MTMFQConfig, get_profile
from mtmfq.interface import Signature
from mtmfq.replay import Batch, Replay

ONE = Signature(
    type_names=("a",),
    n_actions=(2,),
    observation_shape=(1,),
    n_classes=0,
    agent_types=(0,),
    horizon=3,
)


def config(**changes: object) -> MTMFQConfig:
    return get_profile("fast", **{"n_games": 1, "gamma": 0.5, "batch_size": 400, **changes})


def filled(episodes: int, settings: MTMFQConfig, n_slots: int = 100, steps: int = 3) -> Replay:
    """Observation 10 e + t, mean action (10 e + t, 0) known at t, action t % 2, reward 10 e + t + 1."""
    replay = Replay(ONE, settings, n_slots)
    empty = np.zeros((1, 1, 0), np.uint8)
    for e in range(episodes):
        replay.start(np.full((1, 1, 1), 10.0 * e, np.float32), empty)
        for t in range(3 if e + 1 < episodes else steps):
            now = 10.0 * e + t + 1
            replay.add(
                np.array([[t % 2]]),
                np.array([[now]]),
                np.full((1, 1, 1), now, np.float32),
                empty,
                np.array([[[now, 0.0]]], np.float32),
            )
    return replay


def by_start(replay: Replay) -> dict[float, list[float]]:
    """Sampled rows by the observation they start from: mean, action, return, discount, then the next row."""
    batch = replay.sample(np.random.default_rng(0))
    found: dict[float, list[float]] = {}
    for i in range(batch.rows.shape[1]):
        row, after = batch.rows[0, i].tolist(), batch.next_rows[0, i].tolist()
        value = [row[1], batch.actions[0, i].item(), batch.returns[0, i].item()]
        found[row[0]] = [*value, batch.discounts[0, i].item(), after[0], after[1]]
    return found


def test_two_step_returns_stop_at_the_end_of_the_episode_and_bootstrap_there() -> None:
    assert by_start(filled(2, config(n_step=2))) == {
        0.0: [0.0, 0, 1 + 0.5 * 2, 0.25, 2.0, 2.0],
        1.0: [1.0, 1, 2 + 0.5 * 3, 0.25, 3.0, 3.0],
        2.0: [2.0, 0, 3.0, 0.5, 3.0, 3.0],  # one step left: the final observation, never the next episode
        10.0: [0.0, 0, 11 + 0.5 * 12, 0.25, 12.0, 12.0],
        11.0: [11.0, 1, 12 + 0.5 * 13, 0.25, 13.0, 13.0],
        12.0: [12.0, 0, 13.0, 0.5, 13.0, 13.0],
    }


def test_one_step_observed_gives_q_the_means_before_and_the_target_those_after() -> None:
    found = by_start(filled(1, config(n_step=1, timing="observed")))
    assert found[1.0] == [1.0, 1, 2.0, 0.5, 2.0, 2.0]


def test_one_step_paper_gives_q_and_target_the_same_means() -> None:
    found = by_start(filled(1, config(n_step=1, timing="paper")))
    assert found[1.0] == [2.0, 1, 2.0, 0.5, 2.0, 2.0]
    assert found[0.0][0] == found[0.0][5] == 1.0


def test_two_step_paper_gives_q_the_means_of_its_step_and_the_target_the_last_ones() -> None:
    found = by_start(filled(1, config(n_step=2, timing="paper")))
    assert found[0.0] == [1.0, 0, 2.0, 0.25, 2.0, 2.0]
    assert found[2.0] == [3.0, 0, 3.0, 0.5, 3.0, 3.0]


def test_an_unfinished_episode_gives_only_steps_whose_targets_are_known() -> None:
    assert filled(1, config(n_step=3), steps=2).starts() == (0, 0)
    assert set(by_start(filled(2, config(n_step=2), steps=2))) == {0.0, 1.0, 2.0, 10.0}


def test_a_full_ring_forgets_the_oldest_steps_and_nothing_else() -> None:
    replay = filled(5, config(n_step=2), n_slots=10)  # 20 slots written: numbers 10 to 19 remain
    found = by_start(replay)
    assert set(found) == {22.0, 30.0, 31.0, 32.0, 40.0, 41.0, 42.0}
    assert found[22.0] == [22.0, 0, 23.0, 0.5, 23.0, 23.0]
    assert found[41.0] == [41.0, 1, 42 + 0.5 * 43, 0.25, 43.0, 43.0]


@pytest.mark.parametrize("n_step", [1, 2, 5])
def test_returns_equal_a_plain_sum_in_a_larger_game(n_step: int) -> None:
    rng, horizon = np.random.default_rng(1), 7
    signature = Signature(
        type_names=("a", "b", "c"),
        n_actions=(2, 2, 2),
        observation_shape=(1,),
        n_classes=0,
        agent_types=(2, 0, 2),  # type b is empty
        horizon=horizon,
    )
    settings = config(n_games=4, n_step=n_step, gamma={"a": 0.9, "b": 0.5, "c": 0.8})
    replay, empty = Replay(signature, settings, 30), np.zeros((4, 3, 0), np.uint8)
    rewards, label = rng.normal(size=(5, horizon, 4, 3)), 0
    numbers = np.arange(12, dtype=np.float32).reshape(4, 3, 1)
    for e in range(5):
        replay.start(numbers + 100 * (e * (horizon + 1)), empty)
        for t in range(horizon):
            label = e * (horizon + 1) + t + 1
            means = np.zeros((4, 3, 6), np.float32)
            replay.add(np.zeros((4, 3), np.int64), rewards[e, t], numbers + 100 * label, empty, means)
    batch: Batch = replay.sample(rng)
    for m, gamma, members in ((0, 0.9, {1}), (2, 0.8, {0, 2})):
        agents = set()
        for i in range(400):
            number, place = divmod(int(batch.rows[m, i, 0]), 100)
            (e, t), (game, agent) = divmod(number, horizon + 1), divmod(place, 3)
            ahead = min(n_step, horizon - t)
            expected = sum(gamma**k * rewards[e, t + k, game, agent] for k in range(ahead))
            assert batch.returns[m, i].item() == pytest.approx(expected, abs=1e-5)
            assert batch.discounts[m, i].item() == pytest.approx(gamma**ahead)
            assert batch.next_rows[m, i, 0].item() == 100 * (number + ahead) + place
            agents.add(agent)
        assert agents == members
    assert not batch.rows[1].any()
    assert torch.isfinite(batch.returns).all()


def test_samples_are_uniform_over_steps() -> None:
    replay = filled(4, config(n_step=1, batch_size=12_000))
    rows = replay.sample(np.random.default_rng(3)).rows[0, :, 0].numpy()
    _, counts = np.unique(rows, return_counts=True)
    assert len(counts) == 12
    assert abs(counts - 1000).max() < 150
