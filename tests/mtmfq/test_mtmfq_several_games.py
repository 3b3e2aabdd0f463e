"""Games with other populations, learned in turns by the same networks."""

from pathlib import Path

import numpy as np
import pytest
from mtmfq_small_games import Relay, Wish, flat, quick

from mtmfq import LearnerError, MTMFQConfig, Signature, TrainResult, play, train
from mtmfq.learner import Learner
from mtmfq.policy import Actor, one_thread
from mtmfq.replay import Replay
from mtmfq.rollout import Rollout
from mtmfq.update import fill_mean_actions

CONFIG = quick(episodes=320, updates_per_step=0.75)


def crews() -> list[Relay]:
    return [Relay(population=(1, n)) for n in (1, 2, 3)]


def run(path: Path | None = None, stop_after: int = 10_000, games: list[Relay] | None = None) -> TrainResult:
    rounds = iter(range(stop_after))
    return train(
        crews() if games is None else games, CONFIG, np.random.default_rng(0), checkpoint=path,
        should_stop=lambda: next(rounds, None) is None,
    )  # fmt: skip


def by_hand(game: Relay, config: MTMFQConfig, scale: np.ndarray) -> np.ndarray:
    """The weights that one game leads to, written out: play a step, then learn as often as is due."""
    one_thread()
    rng, signature = np.random.default_rng(0), Signature.of(game)
    types, sizes = np.array(signature.agent_types), np.array(signature.n_actions)
    learner = Learner(signature, config, seed=int(rng.integers(2**62)))
    total = config.episodes // config.n_games
    replay = Replay(signature, config, config.replay_capacity)
    actor = Actor(learner.networks, types, config.n_games)
    means = np.zeros((config.n_games, len(types), 5), np.float32)
    for episode in range(total):
        temperature = config.temperature_at(episode / total)
        features, cells = signature.split(game.reset(int(rng.integers(2**31))))
        means[:] = 0.0
        replay.start(features, cells)
        for t in range(game.horizon):
            actions = actor.act(features, cells, means, temperature, rng)
            fill_mean_actions(actions, game.visible(), types, sizes, means)
            observations, rewards = game.step(actions)
            features, cells = signature.split(observations)
            replay.add(actions, rewards * scale[types], features, cells, means)
            due = int(config.updates_per_step * (episode * game.horizon + t + 1))
            first, stop = replay.starts()
            while first < stop and learner.updates < due:
                learner.update(replay, temperature, rng)
                if episode >= 0.9 * total:
                    learner.add_to_average()
    return learner.learned().flat.numpy()


def test_one_game_is_learned_as_if_there_were_no_others() -> None:
    config, scale = quick(episodes=320), np.array([2.0, 3.0])
    expected = by_hand(Relay(population=(2, 1)), config, scale)
    for games in (Relay(population=(2, 1)), [Relay(population=(2, 1))]):
        result = train(games, config, np.random.default_rng(0), reward_scale=scale)
        assert np.array_equal(flat(result.policy), expected)


def test_games_take_turns_and_every_size_is_learned() -> None:
    games = crews()
    result = train(games, quick(episodes=4_800), np.random.default_rng(0))
    assert [len(game.seeds) for game in games] == [100, 100, 100]
    for game in games:
        assert play(game, result.policy, seed=1).mean() > 4.5  # of 5: horizon 6 less the first step
    assert result.agent_steps == 100 * 6 * 16 * (2 + 3 + 4)


def test_gradient_steps_are_the_same_for_every_population() -> None:
    updates = [train(Relay(population=p), CONFIG, np.random.default_rng(0)).updates for p in ((1, 1), (5, 0), (1, 4))]
    assert updates == [int(0.75 * 20 * 6)] * 3  # 320 episodes in 16 games, 6 steps each
    together = run().updates
    assert together == updates[0]


def test_each_gradient_step_is_on_a_game_drawn_among_those_that_have_been_played(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learned, update = [], Learner.update

    def note(self: Learner, replay: Replay, temperature: float, rng: np.random.Generator) -> float:
        assert replay.is_ready()
        learned.append(int(replay.choices[1]) // 16)  # number of cooks, which tells the games apart
        return update(self, replay, temperature, rng)

    monkeypatch.setattr(Learner, "update", note)
    run()
    first, later = learned[:4], learned[20:]
    assert set(first) == {1}  # the first episode knows the first game only
    counts = np.bincount(later, minlength=4)[1:]
    assert (counts > len(later) / 3 - 4 * np.sqrt(len(later) * 2 / 9)).all()


def test_a_gradient_step_leaves_a_type_alone_that_its_game_does_not_have() -> None:
    game = Relay(population=(2, 0))
    signature = Signature.of(game)
    learner = Learner(signature, CONFIG, seed=0)
    learner.networks.flat.add_(0.1)  # networks that have learned say something of empty rows, too
    rollout = Rollout(game, signature, CONFIG, learner.networks, 50, np.ones(2), np.zeros(2))
    rollout.start(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(game.horizon):
        rollout.step(0.5, rng)
    learner.update(rollout.replay, 0.5, rng)
    guests, cooks = learner.moments[0]  # of Adam: after one step a tenth of the gradient
    assert guests.abs().sum() > 0
    assert cooks.abs().sum() == 0


@pytest.mark.parametrize("stop", [1, 2, 3, 4, 11, 19])  # before each game was played, in the middle, at the end
def test_a_stopped_training_resumes_bit_for_bit_wherever_it_stops(tmp_path: Path, stop: int) -> None:
    path, whole = tmp_path / "training.npz", run()
    first = run(path, stop_after=stop)
    assert len(first.curve.episode) == stop
    resumed = run(path)
    assert np.array_equal(flat(whole.policy), flat(resumed.policy))
    assert np.array_equal(whole.curve.loss, resumed.curve.loss, equal_nan=True)
    assert (whole.updates, whole.agent_steps) == (resumed.updates, resumed.agent_steps)
    assert np.array_equal(flat(run(path).policy), flat(whole.policy))  # finished: given at once


def test_a_training_of_other_games_is_not_resumed(tmp_path: Path) -> None:
    run(tmp_path / "training.npz", stop_after=2)
    with pytest.raises(LearnerError, match=r"populations=\[\[0, 1\], \[0, 1, 1\], \[0, 1, 1, 1\]\]"):
        run(tmp_path / "training.npz", games=crews()[:2])


@pytest.mark.parametrize(
    ("games", "message"),
    [
        ([], "pass at least one"),
        ([Relay(), Relay(horizon=7)], "need the same horizon, but one has 6 and another 7"),
        ([Relay(), Relay(n_games=3)], "plays 3 copies, but n_games is 16"),
        ([Relay(), Wish()], "need the same type_names"),
    ],
)
def test_games_of_another_kind_are_not_learned_together(games: list[Relay], message: str) -> None:
    with pytest.raises(LearnerError, match=message):
        train(games, CONFIG, np.random.default_rng(0))


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_gradient_steps_per_step_are_a_number_of_at_least_0(wrong: float) -> None:
    with pytest.raises(LearnerError, match="updates_per_step must be at least 0"):
        quick(updates_per_step=wrong)


@pytest.mark.parametrize("neighbours", ["visible", "all", "none"])
def test_mean_actions_are_those_of_the_neighbours_that_the_settings_name(neighbours: str) -> None:
    game, config = Relay(population=(2, 1)), quick(neighbours=neighbours)
    signature = Signature.of(game)
    rollout = Rollout(
        game, signature, config, Learner(signature, config, 0).networks, 50, scale=np.ones(3), shift=np.zeros(3)
    )
    rollout.start(seed=1)
    rollout.step(0.5, np.random.default_rng(0))
    means = rollout.replay.arrays["rows"][1, :, :, 3:]
    guests, cooks = means[..., :2].sum(axis=2), means[..., 2:].sum(axis=2)
    heard = 0.0 if neighbours == "none" else 1.0
    assert (guests == heard).all()  # each guest hears the other one, the cook both
    assert np.array_equal(cooks, np.tile([heard, heard, 0.0], (16, 1)))
