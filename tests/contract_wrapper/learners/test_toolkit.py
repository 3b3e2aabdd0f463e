"""What learners of users are built from: policies of plain arrays, and the course of a training."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damaged_files import cheap, damaged
from lesson_game import Lesson
from lucky_learner import LuckyConfig

from cleanup_env import Action, make_config
from contract_wrapper import (
    ArrayPolicy,
    Contract,
    ContractedGame,
    ContractsError,
    LearnerSettings,
    TrainingCourse,
    ValuePolicy,
    epsilon_greedy,
)
from contract_wrapper.learners.playing import play
from mtmfq import LearnerError, TrainProgress


class Table(ArrayPolicy):
    """Plays the same action always: the best of its type's row."""

    kind, settings = "table", LuckyConfig

    @staticmethod
    def shapes(config: Any, signature: Any) -> dict[str, tuple[int, ...]]:
        return {"row": (len(signature.n_actions), max(signature.n_actions)), "seen": (config.n_games,)}

    def act(self, observations: np.ndarray, rng: np.random.Generator, *, agent_types: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.weights["row"].argmax(axis=1)[agent_types], observations.shape[:2])


def table(**identity: Any) -> Table:
    made = Table.zeros(LuckyConfig(n_games=3), Lesson(), identity)
    made.weights["row"][:, 1] = 2.5
    return made


def test_a_policy_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    table(contract=(5, 0.04)).save(tmp_path / "table.npz")
    back = Table.load(tmp_path / "table.npz", {"contract": (5, 0.04)})
    assert (back.config, back.signature, back.identity) == (
        LuckyConfig(n_games=3),
        table().signature,
        {"contract": [5, 0.04]},
    )
    assert {name: array.tolist() for name, array in back.weights.items()} == {
        "row": [[0, 2.5, 0, 0, 0, 0, 0]] * 2, "seen": [0, 0, 0],
    }  # fmt: skip
    assert np.array_equal(play(Lesson(), back, 3), play(Lesson(), table(), 3))
    with pytest.raises(
        LearnerError, match=r"table\.npz cannot be used.*its contract is \[5, 0\.04\], but \[4, 0\.04\] is"
    ):
        Table.load(tmp_path / "table.npz", {"contract": (4, 0.04)})


def test_a_damaged_policy_is_refused_or_the_same(tmp_path: Path) -> None:
    path, found = tmp_path / "table.npz", []
    table().save(path)
    with cheap(seconds=30):
        for content in damaged(path.read_bytes(), most=120):
            path.write_bytes(content)
            try:
                assert Table.load(path).weights["row"].tobytes() == table().weights["row"].tobytes()
                found.append("")
            except LearnerError as error:
                found.append(str(error))
    assert sum(map(bool, found)) > 0.7 * len(found)
    assert all("table.npz" in message and "\n" not in message for message in found if message)


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"row": np.zeros((2, 7))},
        {"row": np.zeros((2, 6)), "seen": np.zeros(3)},
        {"row": np.zeros((2, 7), np.float32), "seen": np.zeros(3)},
        {"row": np.zeros((2, 7)), "seen": np.zeros(3), "more": np.zeros(1)},
    ],
)
def test_weights_are_those_that_the_policy_says(weights: dict[str, np.ndarray]) -> None:
    with pytest.raises(LearnerError, match="should be float64 with the shapes"):
        dataclasses.replace(table(), weights=weights)


def test_a_policy_that_does_not_say_its_shapes_is_told_to() -> None:
    class Nameless(ArrayPolicy):
        kind, settings = "nameless", LuckyConfig

    with pytest.raises(NotImplementedError, match=r"write shapes\(config, signature\), a static method"):
        Nameless.zeros(LuckyConfig(), Lesson(), None)


def test_a_course_counts_episodes_over_all_games_and_tells_them() -> None:
    told: list[TrainProgress] = []
    course = TrainingCourse(Lesson(), LuckyConfig(episodes=5), told.append)  # two games: three turns
    while course.goes_on():
        course.add(np.array([[1.0, 2.0, 3.0], [3.0, 0.0, 1.0]]) * (1 + course.done), loss=0.5, updates=7)
    result = course.result("policy")
    assert [(p.episode, p.episodes) for p in told] == [(2, 6), (4, 6), (6, 6)]
    assert told[0].returns.tolist() == [2.0, 3.0]  # a pupil; two teachers together, each mean over the games
    assert (told[0].total, told[0].loss, told[0].updates) == (5.0, 0.5, 7)
    assert math.isnan(told[0].temperature)
    assert result.curve.returns.tolist() == pytest.approx(np.array([[2, 3]]) * [[1], [4 / 3], [5 / 3]])
    assert (result.curve.episode.tolist(), result.curve.loss.tolist()) == ([2, 4, 6], [0.5] * 3)
    assert (result.policy, result.finished) == ("policy", True)


@pytest.mark.parametrize("patience", [0, 2])
def test_a_course_that_was_stopped_says_so(patience: int) -> None:
    asked = iter([False] * patience + [True])
    course = TrainingCourse(Lesson(), LuckyConfig(episodes=9), should_stop=lambda: next(asked))
    while course.goes_on():
        course.add(np.zeros((2, 3)))
    result = course.result(None)
    assert not result.finished
    assert result.curve.returns.shape == (patience, 2)


def test_sums_that_are_no_episode_are_refused() -> None:
    course = TrainingCourse(Lesson(), LuckyConfig())
    with pytest.raises(ContractsError, match=r"sums of an episode must be of shape \(2, 3\), .* got \(3, 2\)"):
        course.add(np.zeros((3, 2)))
    with pytest.raises(LearnerError, match="rewards that are not finite"):
        course.add(np.full((2, 3), np.nan))
    assert course.done == 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class PaceSettings(LearnerSettings):
    pace: float = 0.5


class Level(ValuePolicy):
    kind, settings = "level", PaceSettings

    @staticmethod
    def shapes(config: Any, signature: Any) -> dict[str, tuple[int, ...]]:
        return {"level": (len(signature.n_actions), max(signature.n_actions))}

    def values(self, observations: np.ndarray, agent_types: np.ndarray) -> np.ndarray:
        return self.owned(self.weights["level"][agent_types] + np.zeros((len(observations), 1, 1)), agent_types)


def test_settings_are_plain_values_and_back_and_a_policy_class_makes_its_learner() -> None:
    assert PaceSettings.from_dict(PaceSettings(episodes=3, pace=0.25).to_dict()) == PaceSettings(episodes=3, pace=0.25)
    learner = Level.learner("level", lambda *_, **__: None, quick=7)
    assert (learner.name, learner.kind, learner.config) == ("level", "level", PaceSettings)
    assert learner.profile("fast") == PaceSettings()
    assert learner.profile("smoke", pace=0.1) == PaceSettings(episodes=7, pace=0.1)


def test_values_choose_the_best_action_or_any_that_a_type_has() -> None:
    game, rng = Lesson(), np.random.default_rng(0)
    policy = Level.zeros(PaceSettings(), game, {})
    last = min(game.n_actions) - 1
    policy.weights["level"][:, last] = 1.0
    seen = game.reset(0)
    q = policy.values(seen, game.agent_types)
    assert (epsilon_greedy(q, rng, 0.0) == last).all()
    assert (policy.taken(q, epsilon_greedy(q, rng, 0.0)) == 1.0).all()
    explored = np.array([epsilon_greedy(q, rng, 1.0) for _ in range(200)])
    own = np.array(game.n_actions)[game.agent_types]
    assert (explored < own).all()
    assert all(set(explored[..., i].ravel()) == set(range(own[i])) for i in range(len(own)))
    assert policy.act(seen, rng, agent_types=game.agent_types).shape == seen.shape[:2]


def test_a_course_counts_the_episodes_that_it_plays_and_hands_out_arrays_that_stay() -> None:
    contract = Contract(tax=0.5, n_cleaners=1)
    game = ContractedGame(contract, n_games=2, config=make_config("contract", horizon=3), observation="features")
    course = TrainingCourse(game, PaceSettings(episodes=4, n_games=2))
    rng, actions = np.random.default_rng(0), np.full((2, 6), int(Action.STAY))
    actions[:, 5] = game.config.action_number("cleaner", Action.CLEAN)
    while course.goes_on():
        first = course.reset(rng)
        before = first.copy()
        for _ in range(game.horizon):
            _, utilities = course.step(actions)
        assert (first == before).all()
    cleaner = utilities[0, 5]
    assert cleaner == pytest.approx(-0.02 * 0.2 / 0.5)  # the price of a shot, in the contract's units
    curve = course.result(None).curve
    assert curve.episode.tolist() == [2, 4]
    assert curve.returns[:, game.type_names.index("cleaner")].tolist() == pytest.approx([-0.06, -0.06])
