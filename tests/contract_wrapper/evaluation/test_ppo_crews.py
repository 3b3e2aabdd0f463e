"""Crews that know every contract, trained by PPO: what they see and are paid, their files, and who may deviate."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from cleanup_env import Action, make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.envs.conditioned_game import ConditionedGame
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.by_crews.crew_folder import crews_file
from contract_wrapper.evaluation.by_crews.crew_learners import copies_of, hash_of
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.contract_grid import play_grid
from contract_wrapper.evaluation.crews import CREWS, PPO_CREWS, Crews, train_crews
from contract_wrapper.evaluation.deviations import play_deviation
from contract_wrapper.evaluation.deviators import learn_alone_by_ppo, train_deviator
from contract_wrapper.evaluation.evaluate import evaluate
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.landscapes.certifying.subject import subject_of_crews
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.learners.ppo.config import PPOConfig
from contract_wrapper.learners.ppo.policy import PPOPolicy
from contract_wrapper.learners.ppo.train import sb3_vec_env
from mtmfq import LearnerError
from mtmfq.checkpoint import open_arrays, save_arrays

pytest.importorskip("stable_baselines3")

CONFIG = PPOConfig(episodes=20, n_games=5, n_steps=20, batch_size=50, hidden=(8,), epochs=1)
GAME = make_config("contract", horizon=20)
TERMS = np.array([[0.1], [0.6]])


def run(**changes) -> Crews:
    return train_crews(**{"sizes": (1, 3), "config": CONFIG, "game": GAME, "seed": 2, **changes})


@pytest.fixture(scope="module")
def crews() -> Crews:
    return run()


def test_same_arguments_same_agents(crews: Crews):
    assert hash_of(run().policy) == hash_of(crews.policy)
    assert hash_of(run(seed=3).policy) != hash_of(crews.policy)


def test_sizes_are_played_side_by_side_and_told_in_turns():
    told = []
    crews = run(on_progress=lambda p: told.append((p.episode, p.returns)))
    assert copies_of(CONFIG, 2) == [3, 2]
    assert copies_of(CREWS, 2) == [CREWS.n_games] * 2
    assert crews.curve.episode.tolist() == [episode for episode, _ in told] == [3, 5, 8, 10, 13, 15, 18, 20]
    assert np.array_equal(crews.curve.returns, [returns for _, returns in told])
    assert (crews.finished, crews.sizes, crews.policy.signature.n_context) == (True, (1, 3), 5)
    assert isinstance(crews.policy, PPOPolicy)


def test_a_stopped_training_says_so():
    assert not run(should_stop=lambda: True).finished


def test_contexts_stand_between_features_and_types_and_are_drawn_at_every_reset():
    games = [ConditionedGame(1, n_games=2, config=GAME), ConditionedGame(3, n_games=1, config=GAME)]
    env = sb3_vec_env(games)
    assert env.num_envs == 2 * 6 + 8
    env.seed(0)
    seen = env.reset()
    first = [game.context().copy() for game in games]
    assert seen[:, 49:54].tolist() == [row.tolist() for context in first for row in context.reshape(-1, 5)]
    assert seen[:, 54:].tolist() == [[0, 1]] * 5 + [[1, 0]] + [[0, 1]] * 5 + [[1, 0]] + [[0, 1]] * 5 + [[1, 0]] * 3
    for _ in range(20):
        seen, rewards, dones, infos = env.step(np.full(env.num_envs, 4))
    assert dones.all()
    assert rewards.shape == (20,)
    ended = np.stack([info["terminal_observation"] for info in infos])
    assert ended[:12, 49:54].tolist() == first[0].reshape(-1, 5).tolist()  # the contract under which it ended
    assert seen[:12, 49:54].tolist() == games[0].context().reshape(-1, 5).tolist()
    assert not np.array_equal(games[0].context(), first[0])


def test_rewards_are_in_the_units_that_the_contract_of_the_episode_declares():
    game = ConditionedGame(2, terms=[[0.5]], n_games=1, config=GAME, costs="cleaner:per_step=0.25,per_shot=0.125")
    env = sb3_vec_env(game)
    env.reset()
    shot = game.config.action_number("cleaner", Action.CLEAN)
    _, rewards, _, _ = env.step(np.array([4] * 5 + [shot, 4]))
    # A cleaner's utilities count 0.2 * 2 / 0.5 times, without the flat part of the costs.
    assert rewards.tolist() == pytest.approx([0.0] * 5 + [-0.125 * 0.8, 0.0])


class Whispers:
    """Agents are told at reset, as their context, what to do all along; a step pays 1 for it, declared as 2 * (r + 1)."""

    type_names, n_actions, no_op, n_classes = ("pupil", "teacher"), (3, 3), 0, 0
    observation_shape, n_context, horizon = (1,), 3, 4

    def __init__(self, n_games: int, types: tuple[int, ...]) -> None:
        self.n_games, self.n_agents, self.agent_types = n_games, len(types), np.array(types)

    def reset(self, seed: int) -> np.ndarray:
        self.told = np.random.default_rng(seed).integers(0, 3, (self.n_games, self.n_agents))
        return np.zeros((self.n_games, self.n_agents, 1), np.float32)

    def context(self) -> np.ndarray:
        return np.eye(3, dtype=np.float32)[self.told]

    def episode_scale(self) -> np.ndarray:
        return np.full(self.told.shape, 2.0)

    def episode_shift(self) -> np.ndarray:
        return np.full(self.told.shape, 1.0)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros((self.n_games, self.n_agents, 1), np.float32), (actions == self.told) * 1.0

    def visible(self) -> np.ndarray:
        return np.zeros((self.n_games, self.n_agents, self.n_agents), bool)


def test_agents_learn_to_do_what_only_their_context_tells():
    from contract_wrapper.learners.playing import play
    from contract_wrapper.learners.ppo.train import train_ppo

    config = PPOConfig(
        episodes=1_500, n_games=24, n_steps=8, batch_size=64, hidden=(16,), learning_rate=1e-2, greedy=True
    )
    result = train_ppo([Whispers(16, (0,)), Whispers(8, (0, 1, 1))], config, 0)
    first, last = result.curve.returns[:2].sum(axis=0), result.curve.returns[-2:].sum(axis=0)
    assert first.sum() < 8 < 13 < last.sum() <= 16
    assert play(Whispers(50, (1, 0)), result.policy, 5).mean() > 3.9


@pytest.mark.parametrize(
    ("name", "value"),
    [("context", np.zeros((2, 1, 2))), ("episode_scale", np.ones(2)), ("episode_shift", np.full((2, 1), np.nan))],
)
def test_a_game_that_declares_something_else_is_refused(name: str, value: np.ndarray):
    game = Whispers(2, (0,))
    setattr(game, name, lambda: value)
    with pytest.raises(LearnerError, match=r"context, episode_scale and episode_shift of the game must be finite and"):
        sb3_vec_env(game).reset()


def test_a_policy_needs_the_context_of_its_training(crews: Crews):
    seen = np.zeros((1, 6, 49), np.float32)
    with pytest.raises(LearnerError, match="agents of this game see a context"):
        crews.policy.act(seen, np.random.default_rng(0), agent_types=np.zeros(6, int))


def test_crews_come_back_from_their_file_as_they_were_and_need_no_torch(
    crews: Crews, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    crews.save(tmp_path / "crews.npz")
    for name in ("torch", "stable_baselines3"):
        monkeypatch.setitem(sys.modules, name, None)
    back = Crews.load(tmp_path / "crews.npz")
    assert hash_of(back.policy) == hash_of(crews.policy)
    for field in ("family", "sizes", "largest_crew", "costs", "game", "cpu_seconds", "finished"):
        assert getattr(back, field) == getattr(crews, field)
    assert np.array_equal(back.curve.returns, crews.curve.returns)
    one, other = (play_grid(some, 3, TERMS, episodes=3) for some in (crews, back))
    assert np.array_equal(one.utilities, other.utilities)
    assert one.utilities.shape == (2, 3, 8)


def test_a_file_of_crews_of_another_learner_or_a_cut_one_is_refused(crews: Crews, tmp_path: Path):
    path = tmp_path / "crews.npz"
    for said in ({"name": "lucky"}, {"name": ["ppo"]}, 5):
        save_arrays(path, "crews", {"config": said}, {})
        with pytest.raises(LearnerError, match=r"it holds crews of another learner than mtmfq and ppo"):
            Crews.load(path)
    crews.save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(LearnerError, match=r"crews\.npz"):
        Crews.load(path)
    crews.save(path)
    with open_arrays(path, "crews") as file:
        arrays = {n: file.read(n, np.float32, w.shape) for n, w in crews.policy.weights.items()}
        meta = {**file.meta, "config": {**file.meta["config"], "hidden": [9]}}
    save_arrays(path, "crews", meta, arrays)
    with pytest.raises(LearnerError, match=r"its array .* should be"):
        Crews.load(path)


SETTINGS = EvaluationSettings(
    game=GAME,
    learner=dataclasses.replace(CONFIG, episodes=10),
    episodes=4,
    crews=CrewSettings(learner=CONFIG, sizes=(1, 3), trainings=1),
)


def test_settings_of_crews_of_ppo_are_written_and_read():
    assert EvaluationSettings.from_dict(json.loads(json.dumps(SETTINGS.to_dict()))) == SETTINGS
    assert SETTINGS.to_dict()["crews"]["learner"]["name"] == "ppo"
    assert "name" not in CrewSettings().to_dict()["learner"]  # as files say it that were there before
    assert CrewSettings(learner=PPO_CREWS).learner.n_games >= 5


def test_contracts_are_judged_by_crews_of_ppo(tmp_path: Path):
    first = evaluate(Contract(tax=0.3, n_cleaners=3), SETTINGS, 0, folder=tmp_path)
    kept = crews_file(tmp_path, SETTINGS, 0)
    written = kept.stat().st_mtime_ns
    second = evaluate(Contract(tax=0.7, n_cleaners=1), SETTINGS, 0, folder=tmp_path)
    assert kept.stat().st_mtime_ns == written  # one training for both
    assert len(first.by_crew) == len(second.by_crew) == 1
    assert "stable-baselines3" in first.versions


def test_who_may_deviate_from_crews_of_ppo(crews: Crews):
    small = get_mtmfq_profile("smoke", episodes=8, n_games=4, hidden=(8,), n_step=5, updates_per_step=0.1)
    anew = train_deviator(crews, "cleaner", warm=False, config=small)
    assert play_deviation(crews, 3, TERMS, "cleaner", anew, episodes=2).shape == (2, 2)
    assert play_deviation(crews, 3, TERMS, "cleaner", "never work", episodes=2).shape == (2, 2)
    game = crews.games(3, [[0.4]], CONFIG.n_games)
    by_ppo = learn_alone_by_ppo(game, crews.policy, "harvester", config=CONFIG)
    assert play_deviation(crews, 3, TERMS, "harvester", by_ppo, episodes=2).shape == (2, 2)
    with pytest.raises(ContractsError, match="goes on from networks of mtmfq, got a policy with settings PPOConfig"):
        train_deviator(crews, "cleaner", warm=True, config=small)


def test_a_crew_that_does_as_its_policy_gains_nothing_by_leaving_it(crews: Crews):
    # Large weights, so that a context that an agent should not see would change what it does.
    loud = {name: 30 * array for name, array in crews.policy.weights.items()}
    crews = dataclasses.replace(crews, policy=dataclasses.replace(crews.policy, weights=loud))
    from contract_wrapper.evaluation.deviations import episode_seed, play_as
    from contract_wrapper.learners.population import Population

    grid = play_grid(crews, 3, TERMS, episodes=4)
    population = Population(crews.games(3, TERMS[1:], 4), crews.policy)
    alone = play_as(population, 6, lambda chosen: chosen, episode_seed(0))
    assert np.array_equal(alone, grid.utilities[1, :, 6])


def test_a_certificate_can_be_asked_of_them_and_a_landscape_cannot(crews: Crews):
    subject = subject_of_crews(crews, Contract(tax=0.3, n_cleaners=3))
    assert subject.identity["crew"] == hash_of(crews.policy)
    with pytest.raises(ContractsError, match="crews of a landscape must be an MTMFQConfig, as its deviators go on"):
        LandscapeSettings(crews=CONFIG)  # type: ignore[arg-type]
