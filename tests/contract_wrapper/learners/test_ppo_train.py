"""PPO as a learner: same seed same weights, progress, stops, and the policy that comes out."""

import dataclasses
import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lesson_game import SCHOOL, Lesson
from process_table import environment

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.envs.batch_game import ContractedGame
from contract_wrapper.learners.playing import play
from contract_wrapper.learners.ppo.policy import PPOPolicy, legal
from contract_wrapper.learners.ppo.train import PPOResult, sb3_vec_env, train_ppo
from contract_wrapper.learners.registry import load_policy
from mtmfq.interface import LearnerError, Signature, TrainProgress

pytest.importorskip("stable_baselines3")


def weights(result: PPOResult) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in result.policy.weights.items()}


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, again, other = (train_ppo(Lesson(), SCHOOL, seed) for seed in (1, 1, 2))
    assert weights(first) == weights(again)
    assert weights(first) != weights(other)


def test_training_leaves_the_random_streams_of_the_process_alone(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    expected = random.Random(5).random(), np.random.RandomState(5).random()
    train_ppo(Lesson(), SCHOOL, 0)
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002
    assert list(tmp_path.iterdir()) == []  # nor does it litter


def test_pupils_and_teachers_learn_to_name_their_bits() -> None:
    config = dataclasses.replace(
        SCHOOL, episodes=1_600, n_games=16, n_steps=16, batch_size=64, learning_rate=1e-2, hidden=(16,), epochs=4
    )
    result = train_ppo(Lesson(16), config, 0, reward_shift=[0.0, 1.0])
    assert result.curve.returns[0].sum() < 0 < result.curve.returns[-1].sum()
    pupils, teachers = play(Lesson(16), result.policy, seed=9).mean(axis=0)[:2]
    assert (pupils, teachers) == (pytest.approx(4.0), pytest.approx(0.0))


def test_progress_is_told_after_every_episode() -> None:
    told: list[TrainProgress] = []
    result = train_ppo(Lesson(), SCHOOL, 0, on_progress=told.append)
    assert [p.episode for p in told] == [2, 4, 6, 8, 10, 12, 14, 16]
    assert {p.episodes for p in told} == {16}
    assert all(p.total == pytest.approx(p.returns.sum()) and math.isnan(p.temperature) for p in told)
    assert math.isnan(told[0].loss)  # nothing had been learned from the first episode yet
    assert math.isfinite(told[-1].loss)
    np.testing.assert_array_equal(result.curve.returns, [p.returns for p in told])
    assert result.finished
    assert result.agent_steps == 16 * 4 * 3
    assert result.updates == 4 * 2 * 3  # rollouts, epochs, batches of 16 in 8 * 2 * 3 rows


def test_a_training_is_rounded_up_to_whole_rollouts() -> None:
    result = train_ppo(Lesson(), dataclasses.replace(SCHOOL, episodes=1), 0)
    assert result.curve.episode.tolist() == [2, 4]


@pytest.mark.parametrize("patience", [0, 1, 3])
def test_a_training_stops_when_it_is_asked_to(patience: int) -> None:
    asked = iter([False] * patience + [True])
    result = train_ppo(Lesson(), SCHOOL, 0, should_stop=lambda: next(asked))
    assert not result.finished
    assert len(result.curve.episode) == patience


def test_rewards_that_are_not_finite_are_refused() -> None:
    game = Lesson()
    step = game.step
    game.step = lambda actions: (step(actions)[0], np.full((2, 3), np.nan))  # type: ignore[method-assign]
    with pytest.raises(LearnerError, match="finite"):
        train_ppo(game, SCHOOL, 0)


def test_a_learner_that_diverges_says_so() -> None:
    with pytest.raises(LearnerError, match=r"diverged.*lower learning_rate") as caught:
        train_ppo(Lesson(), dataclasses.replace(SCHOOL, learning_rate=1e30), 0)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def trained() -> PPOResult:
    return train_ppo(Lesson(), SCHOOL, 0)


def test_a_policy_acts_like_the_network_that_stable_baselines_trained(trained: PPOResult) -> None:
    import torch
    from stable_baselines3 import PPO

    env = sb3_vec_env(Lesson())
    model = PPO("MlpPolicy", env, n_steps=8, batch_size=48, policy_kwargs={"net_arch": [8]}, device="cpu")
    model.policy.load_state_dict({name: torch.from_numpy(array) for name, array in trained.policy.weights.items()})
    seen = np.random.default_rng(0).normal(size=(50, 3, 2)).astype(np.float32) * 5
    types = np.eye(2, dtype=np.float32)[Lesson.agent_types]
    rows = np.concatenate([seen, np.broadcast_to(types, (50, 3, 2))], axis=2).reshape(150, 4)
    chosen, _ = model.predict(rows, deterministic=True)
    expected = legal(chosen.reshape(50, 3), Lesson.agent_types, Signature.of(Lesson()))
    np.testing.assert_array_equal(trained.policy.act(seen, np.random.default_rng(0), greedy=True), expected)


def test_a_policy_that_draws_draws_from_its_softmax(trained: PPOResult) -> None:
    seen = np.zeros((20_000, 3, 2), np.float32)
    drawn = trained.policy.act(seen, np.random.default_rng(0), greedy=False)[:, 1]
    logits = trained.policy.logits(np.array([0, 0, 0, 1], np.float32))
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(np.bincount(drawn, minlength=7) / 20_000, expected, atol=0.015)


def test_a_policy_comes_back_from_its_file_as_it_was(trained: PPOResult, tmp_path: Path) -> None:
    path = tmp_path / "crew.policy.npz"
    trained.policy.save(path)
    for back in (PPOPolicy.load(path), load_policy(path)):
        assert isinstance(back, PPOPolicy)
        assert (back.config, back.signature) == (trained.policy.config, trained.policy.signature)
        np.testing.assert_array_equal(play(Lesson(), back, 3), play(Lesson(), trained.policy, 3))


def test_a_policy_is_read_and_played_without_stable_baselines(trained: PPOResult, tmp_path: Path) -> None:
    path = tmp_path / "crew.policy.npz"
    trained.policy.save(path)
    program = (
        "import sys\nsys.modules['stable_baselines3'] = sys.modules['torch'] = None\n"
        "import numpy as np\nfrom contract_wrapper.learners.registry import load_policy\n"
        f"policy = load_policy({str(path)!r})\n"
        "print(policy.act(np.zeros((1, 3, 2), np.float32), np.random.default_rng(0)).shape)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment())
    assert result.stdout.strip() == "(1, 3)", result.stderr


def test_a_policy_of_another_size_is_refused(trained: PPOResult, tmp_path: Path) -> None:
    with pytest.raises(LearnerError, match="should be float32 with the shapes"):
        dataclasses.replace(trained.policy, config=dataclasses.replace(SCHOOL, hidden=(9,)))
    path = tmp_path / "crew.policy.npz"
    trained.policy.save(path)
    broken = tmp_path / "broken.policy.npz"
    broken.write_bytes(path.read_bytes()[:300])
    with pytest.raises(LearnerError, match=r"broken\.policy\.npz"):
        PPOPolicy.load(broken)


def test_a_policy_for_another_game_does_not_fit(trained: PPOResult) -> None:
    with pytest.raises(LearnerError, match="trained on a game with type_names"):
        play(ContractedGame(Contract.none()), trained.policy, 0)
