"""Games as stable-baselines3 sees them: who sees what, and what happens at the horizon."""

from typing import Any

import numpy as np
import pytest
from lesson_game import SCHOOL, Lesson

from cleanup_env import Action, make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.envs.batch_game import ContractedGame
from contract_wrapper.envs.conditioned_game import ConditionedGame
from contract_wrapper.learners.ppo.policy import legal
from contract_wrapper.learners.ppo.train import sb3_vec_env, train_ppo
from mtmfq.interface import LearnerError, Signature

pytest.importorskip("stable_baselines3")


def test_an_agent_sees_its_features_and_its_type() -> None:
    env = sb3_vec_env(Lesson())
    assert env.num_envs == 6
    seen = env.reset()
    assert seen.shape == (6, 4)
    assert seen[:, 2:].tolist() == [[1, 0], [0, 1], [0, 1]] * 2


def test_stable_baselines_own_checks_of_a_vector_environment_pass() -> None:
    from stable_baselines3.common.vec_env import VecCheckNan, VecMonitor

    env = VecMonitor(VecCheckNan(sb3_vec_env(Lesson()), raise_exception=True))
    env.seed(0)
    env.reset()
    for _ in range(9):
        seen, rewards, dones, infos = env.step(np.zeros(6, int))
    assert env.observation_space.contains(seen[0])
    assert (rewards.shape, dones.shape, len(infos)) == ((6,), (6,), 6)
    assert env.episode_count == 12


def test_at_the_horizon_infos_say_what_was_cut_and_the_next_episode_begins() -> None:
    env = sb3_vec_env(Lesson())
    env.seed(1)
    env.reset()
    for _ in range(3):
        _, _, dones, infos = env.step(np.full(6, 5))
        assert not dones.any()
        assert infos == [{}] * 6
    seen, _, dones, infos = env.step(np.full(6, 5))
    assert dones.all()
    for row, info in zip(seen, infos, strict=True):
        assert info["TimeLimit.truncated"] is True
        assert info["terminal_observation"][1] == 1.0  # the clock at the end ...
        assert row[1] == 0.0  # ... and of the episode that has begun
    assert [info["episode"] for info in infos[:2]] == [{"r": 0.0, "l": 4}, {"r": -4.0, "l": 4}]
    assert env.returns[0].tolist() == [0.0, -8.0]


def test_ppo_adds_the_value_of_what_would_have_come_at_the_horizon() -> None:
    from stable_baselines3 import PPO

    env = sb3_vec_env(Lesson())
    model = PPO("MlpPolicy", env, n_steps=4, batch_size=24, n_epochs=1, gamma=0.5, seed=0, device="cpu")
    terminal: dict[str, np.ndarray] = {}

    def watch(known: dict[str, Any], _: Any) -> bool:
        if known["dones"].all():
            seen = np.stack([info["terminal_observation"] for info in known["infos"]])
            terminal["values"] = model.policy.predict_values(model.policy.obs_to_tensor(seen)[0]).detach().numpy()
            terminal["rewards"] = known["rewards"].copy()
        return True

    model.learn(24, callback=watch)
    expected = terminal["rewards"] + 0.5 * terminal["values"][:, 0]
    np.testing.assert_allclose(model.rollout_buffer.rewards[3], expected, atol=1e-6)


def test_rewards_are_shifted_and_scaled_by_type() -> None:
    env = sb3_vec_env(Lesson(), reward_scale=[2.0, 10.0], reward_shift=[0.0, 1.0])
    env.reset()
    _, rewards, _, _ = env.step(np.full(6, 5))
    assert rewards.tolist() == [0.0] * 6  # a teacher's loss of 1 a step is shifted away
    bits = env.game._bits.ravel()  # type: ignore[attr-defined]
    assert env.step(bits)[1].tolist() == [2.0, 10.0, 10.0] * 2


def test_an_action_that_a_type_lacks_is_played_as_the_one_that_the_game_says_does_nothing() -> None:
    assert legal(np.array([[6, 6, 3]]), np.array([0, 1, 1]), Signature.of(Lesson())).tolist() == [[4, 6, 3]]
    game = Lesson()
    game.no_op = 2  # type: ignore[misc]
    env = sb3_vec_env(game)
    env.reset()
    env.step(np.array([6, 6, 6, 0, 0, 0]))
    assert game.played[0].tolist() == [[2, 6, 6], [0, 0, 0]]


def test_types_that_differ_in_their_actions_need_one_that_does_nothing() -> None:
    game = Lesson()
    game.no_op = None  # type: ignore[misc]
    with pytest.raises(LearnerError, match=r"\('pupil', 'teacher'\) have \(6, 7\): give the game an attribute no_op"):
        sb3_vec_env(game)
    game.n_actions = (7, 7)  # type: ignore[misc]
    env = sb3_vec_env(game)
    env.reset()
    env.step(np.full(6, 6))
    assert game.played[0].tolist() == [[6, 6, 6], [6, 6, 6]]


def test_clean_up_says_that_staying_does_nothing() -> None:
    game = ContractedGame(Contract(tax=0.3, n_cleaners=1))
    assert [game.config.actions(role)[game.no_op] for role in game.type_names] == [Action.STAY] * 2


def test_what_was_seen_stays_as_it_was_seen() -> None:
    env = sb3_vec_env(Lesson())
    first = env.reset()
    copy = first.copy()
    env.step(np.zeros(6, int))
    np.testing.assert_array_equal(first, copy)


def test_a_seed_fixes_all_episodes() -> None:
    games = [Lesson(), Lesson(), Lesson()]
    for game, seed in zip(games, (3, 3, 4), strict=True):
        env = sb3_vec_env(game)
        env.seed(seed)
        env.reset()
        for _ in range(8):
            env.step(np.zeros(6, int))
    assert games[0].seeds == games[1].seeds
    assert len(set(games[0].seeds)) == 3
    assert games[0].seeds != games[2].seeds


def test_masks_tell_the_actions_that_a_type_has() -> None:
    env = sb3_vec_env(Lesson())
    assert np.stack(env.env_method("action_masks")).sum(axis=1).tolist() == [6, 7, 7] * 2
    pupil, teacher = env.env_method("action_masks", indices=[3, 1])
    assert (pupil.tolist(), teacher.tolist()) == ([True] * 6 + [False], [True] * 7)
    assert env.has_attr("action_masks")
    assert [mask().tolist() for mask in env.get_attr("action_masks", [3])] == [pupil.tolist()]
    assert env.get_attr("horizon", [0]) == [4]


def test_masks_of_clean_up_are_those_of_the_game_at_every_step() -> None:
    """A beam that was fired is masked for as long as it cools down, the cleaners' action for harvesters always."""
    game = ContractedGame(Contract(tax=0.3, n_cleaners=1), n_games=2, config=make_config(cooldown=2, horizon=6))
    env = sb3_vec_env(game)
    env.reset()
    clean = game.n_actions[0] - 1  # the cleaners' beam
    found = []
    for action in (Action.STAY, clean, Action.STAY, Action.STAY, clean, clean, Action.STAY):
        masks = np.stack(env.env_method("action_masks"))
        np.testing.assert_array_equal(masks, game.game.action_mask().reshape(12, -1))
        found.append(masks[5, clean])
        assert not masks[:5, clean].any()
        env.step(np.full(12, action))
    # Fired in the second step; the sixth step is the last, and the beam works at once in the next episode.
    assert found == [True, True, False, False, True, False, True]


class Masked(Lesson):
    """A lesson in which a pupil may not name a 1, nor a teacher a 0."""

    mask = np.array([[1, 0, 0, 0, 1, 0, 0], [0, 1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 1, 0, 0]], bool)

    def action_mask(self) -> np.ndarray:
        return np.stack([self.mask] * self.n_games)


def test_sb3_contribs_maskable_ppo_never_plays_what_is_masked() -> None:
    maskable = pytest.importorskip("sb3_contrib")
    from sb3_contrib.common.maskable.evaluation import evaluate_policy
    from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
    from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

    game = Masked(4)
    env = VecNormalize(VecMonitor(sb3_vec_env(game)))
    assert is_masking_supported(env)
    assert get_action_masks(env).shape == (12, 7)
    model = maskable.MaskablePPO("MlpPolicy", env, n_steps=8, batch_size=48, n_epochs=2, seed=0, device="cpu")
    model.learn(8 * 12 * 3)
    evaluate_policy(model, env, n_eval_episodes=12)
    played = np.concatenate(game.played)
    assert len(played) > 4 * 24
    assert set(played[:, 0].tolist()) == {0, 4}
    assert set(played[:, 1:].ravel().tolist()) == {1, 4}


def test_maskable_ppo_trains_across_the_horizon_of_a_contracted_game() -> None:
    maskable = pytest.importorskip("sb3_contrib")
    config = make_config(cooldown=3, horizon=5)
    env = sb3_vec_env(ContractedGame(Contract(tax=0.3, n_cleaners=1), n_games=2, config=config))
    model = maskable.MaskablePPO("MlpPolicy", env, n_steps=12, batch_size=72, n_epochs=1, seed=0, device="cpu")
    model.learn(12 * 12 * 2)
    assert len(env.returns) == 24 // 5
    masks = np.stack(env.env_method("action_masks"))
    actions, _ = model.predict(env.reset(), action_masks=masks)
    assert masks[np.arange(12), actions].all()


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.ones((3, 6), bool), r"bool of shape \(2, 3, 7\), got bool of shape \(2, 3, 6\)"),
        (np.ones((3, 7)), r"got float64 of shape \(2, 3, 7\)"),
        (np.eye(3, 7) > 2, "leaves an agent no action"),
        (np.arange(7) >= np.array([[6], [0], [0]]), "leaves an agent no action"),  # a pupil has no seventh
    ],
)
def test_wrong_masks_of_a_game_are_named(mask: np.ndarray, words: str) -> None:
    game = Masked()
    game.mask = mask  # type: ignore[misc]
    with pytest.raises(LearnerError, match=words):
        sb3_vec_env(game).env_method("action_masks")


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda: sb3_vec_env(ContractedGame(Contract.none(), observation="symbolic")), "observation='features'"),
        (lambda: sb3_vec_env(ConditionedGame(1), reward_scale=[1, 1]), "declares its own reward scale and shift"),
        (lambda: sb3_vec_env([]), "nothing to learn without a game"),
        (lambda: sb3_vec_env([ConditionedGame(1), ContractedGame(Contract.none())]), "need the same n_context"),
        (lambda: sb3_vec_env(Lesson(), reward_scale=[1.0]), "reward_scale must hold one finite number"),
        (lambda: sb3_vec_env(Lesson()).set_attr("horizon", 3), "horizon cannot be set"),
        (lambda: sb3_vec_env(Lesson()).env_method("render"), "render cannot be called"),
        (lambda: train_ppo(Lesson(3), SCHOOL, 0), "plays 3 copies, but n_games is 2"),
    ],
)
def test_mistakes_are_named(mistake: Any, words: str) -> None:
    with pytest.raises(LearnerError, match=words):
        mistake()
