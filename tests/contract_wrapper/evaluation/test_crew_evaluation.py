"""Contracts judged by crews that know all of them."""

import dataclasses
import logging
import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest
from small_crews import LEARNER, SETTINGS

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.by_crews import crew_folder
from contract_wrapper.evaluation.by_crews.crew_folder import crews_file, crews_in, missing_crews, one_crews, read_crews
from contract_wrapper.evaluation.by_crews.crew_outcome import play_crews
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.evaluate import EvaluationStopped, evaluate
from contract_wrapper.evaluation.outcome import Outcome, mean_over_crews
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.learners.ppo.config import get_ppo_profile

CREW, OTHER = Contract(tax=0.25, n_cleaners=3), Contract(tax=0.5, n_cleaners=1)


def weights(crews: Crews) -> np.ndarray:
    return crews.policy.networks.flat.numpy()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one contract was evaluated, so that the crews are there."""
    there: Path = tmp_path_factory.mktemp("outcomes")
    evaluate(CREW, SETTINGS, 5, folder=there)
    return there


def same(first: Outcome, second: Outcome) -> bool:
    """Whether two outcomes are equal but for the time that they took."""
    times = {"cpu_seconds": 0.0, "wall_seconds": 0.0}
    return dataclasses.replace(first, **times) == dataclasses.replace(second, **times)


def test_crews_are_trained_once_for_all_contracts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def train_again(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(crew_folder, "train_crews", train_again)
    assert missing_crews(folder, SETTINGS) == []
    outcome = evaluate(OTHER, SETTINGS, 6, folder=folder)
    assert len(outcome.of_role("cleaner")) == 1
    assert outcome.episodes == 2 * 4  # two trainings, four episodes each
    assert outcome.policy == crews_file(folder, SETTINGS, 0).name
    assert sorted(p.name for p in (folder / "crews").iterdir() if p.suffix == ".npz") == sorted(
        crews_file(folder, SETTINGS, k).name for k in range(2)
    )


def test_an_outcome_is_the_mean_over_crews_with_the_error_of_the_episodes(folder: Path) -> None:
    crews = read_crews(folder, SETTINGS)
    both = play_crews(crews, CREW, episodes=4, seed=5)
    assert same(both, dataclasses.replace(evaluate(CREW, SETTINGS, 5, folder=folder), policy=""))
    first = play_crews(crews[:1], CREW, episodes=4, seed=5)
    assert both.by_crew[0] == first.welfare.mean
    assert both.welfare.mean == pytest.approx(np.mean(both.by_crew))
    far = [Estimate(mean=100.0, se=3.0), Estimate(mean=500.0, se=4.0)]  # errors of 3 and 4: 5 together, 2.5 of the mean
    apart = mean_over_crews([dataclasses.replace(first, welfare=welfare) for welfare in far])
    assert apart.welfare == Estimate(mean=300.0, se=2.5)
    assert apart.by_crew == (100.0, 500.0)


def test_same_seed_same_episodes_and_another_seed_others(folder: Path) -> None:
    crews = read_crews(folder, SETTINGS)
    assert play_crews(crews, CREW, episodes=4, seed=1) == play_crews(crews, CREW, episodes=4, seed=1)
    assert play_crews(crews, CREW, episodes=4, seed=1) != play_crews(crews, CREW, episodes=4, seed=2)
    assert not np.array_equal(weights(crews[0]), weights(crews[1]))


def test_no_contract_is_trained_from_scratch_as_without_crews(folder: Path) -> None:
    outcome = evaluate(Contract.none(), SETTINGS, 3, folder=folder)
    assert outcome.by_crew == ()
    assert (folder / f"{SETTINGS.from_scratch().key(Contract.none(), 3)}.json").is_file()


def test_an_outcome_by_crews_reads_back(folder: Path) -> None:
    outcome = evaluate(CREW, SETTINGS, 5, folder=folder)
    assert Outcome.from_dict(outcome.to_dict()) == outcome
    assert "by_crew" not in evaluate(Contract.none(), SETTINGS, 3, folder=folder).to_dict()


def test_a_stopped_training_goes_on_to_the_same_crews(folder: Path, tmp_path: Path) -> None:
    rounds = iter(range(3))
    with pytest.raises(EvaluationStopped, match="run the same command to go on"):
        evaluate(CREW, SETTINGS, 5, folder=tmp_path, should_stop=lambda: next(rounds, None) is None)
    assert missing_crews(tmp_path, SETTINGS) == [0, 1]
    assert len(list((tmp_path / "crews").glob("*.training.npz"))) == 1
    assert same(evaluate(CREW, SETTINGS, 5, folder=tmp_path), evaluate(CREW, SETTINGS, 5, folder=folder))
    assert list((tmp_path / "crews").glob("*.training.npz")) == []


def _train_and_tell(folder: Path, said: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    trained = []
    one_crews(folder, SETTINGS, 0, on_progress=lambda p: trained.append(p.episode))
    said.put(len(trained))


def test_two_processes_that_ask_at_once_train_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    said = context.Queue()
    both = [context.Process(target=_train_and_tell, args=(tmp_path, said)) for _ in range(2)]
    for process in both:
        process.start()
    counts = sorted(said.get(timeout=120) for _ in both)
    for process in both:
        process.join()
    assert counts == [0, 6]  # six vector episodes of four games


def test_whoever_waits_for_another_training_can_be_stopped(tmp_path: Path) -> None:
    path = crews_file(tmp_path, SETTINGS, 0)
    path.parent.mkdir(parents=True)
    with crew_folder._alone(path, None):
        began = time.monotonic()
        assert one_crews(tmp_path, SETTINGS, 0, should_stop=lambda: True) is None
        assert time.monotonic() - began < 10


def test_damaged_or_foreign_crews_are_set_aside_and_trained_again(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine, other = crews_file(tmp_path, SETTINGS, 0), crews_file(folder, SETTINGS, 1)
    good = weights(read_crews(folder, SETTINGS)[0])
    mine.parent.mkdir(parents=True)
    for content in (other.read_bytes(), other.read_bytes()[:-100]):
        mine.write_bytes(content)
        with caplog.at_level(logging.WARNING):
            again = one_crews(tmp_path, SETTINGS, 0)
        assert again is not None
        assert np.array_equal(weights(again), good)
        assert "trained again" in caplog.text
        assert mine.with_name(f"{mine.name}.broken").read_bytes() == content


def test_a_crew_that_nobody_was_trained_for_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(ContractsError, match=r"trained for 1, 3 cleaners, not for 2: .*--inner scratch"):
        evaluate(Contract(tax=0.1, n_cleaners=2), SETTINGS, folder=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_crews_need_a_folder() -> None:
    with pytest.raises(ContractsError, match="give evaluate a folder"):
        evaluate(CREW, SETTINGS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learner": get_ppo_profile("smoke")}, "without a contract agents are trained by ppo, but the crews by mtmfq"),
        ({"payment": lambda contract: None}, "crews know the contracts of tax and share"),
        ({"crews": 3}, "crews must be CrewSettings"),
        ({"crews": CrewSettings(sizes=(1, 6))}, "10 spawn points"),
    ],
)
def test_settings_that_do_not_go_with_crews_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ContractsError, match=message):
        dataclasses.replace(SETTINGS, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trainings": 0}, "trainings of crews must be an integer from 1"),
        ({"trainings": 1.5}, "trainings"),
        ({"seed": -1}, "seed of crews"),
        ({"sizes": ()}, "sizes must be distinct"),
        ({"sizes": (0, 1)}, "sizes must be distinct"),
        ({"sizes": (2, 2)}, "sizes must be distinct"),
        ({"learner": 5}, "trained by mtmfq or ppo: learner must be an MTMFQConfig or a PPOConfig, .* got 5"),
        ({"learner": get_ppo_profile("smoke", n_games=4, batch_size=400)}, "n_games must be at least 5, got 4"),
    ],
)
def test_settings_of_crews_are_checked(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ContractsError, match=message):
        CrewSettings(**changes)  # type: ignore[arg-type]


def test_settings_say_by_which_crews_and_read_back() -> None:
    assert EvaluationSettings.from_dict(SETTINGS.to_dict()) == SETTINGS
    assert "crews" not in SETTINGS.from_scratch().to_dict()  # as before there were crews
    assert EvaluationSettings.from_dict(SETTINGS.from_scratch().to_dict()) == SETTINGS.from_scratch()
    assert SETTINGS.key(CREW, 0) != SETTINGS.from_scratch().key(CREW, 0)
    for crews in (3, {}, {**CrewSettings().to_dict(), "more": 1}, {**CrewSettings().to_dict(), "learner": 5}):
        with pytest.raises(ContractsError, match="settings of crews have the names"):
            EvaluationSettings.from_dict({**SETTINGS.to_dict(), "crews": crews})


def test_more_trainings_leave_the_first_ones_as_they_are(tmp_path: Path) -> None:
    one, three = (CrewSettings(learner=LEARNER, trainings=n, seed=7) for n in (1, 3))
    assert three.seeds[:1] == one.seeds
    assert len(set(three.seeds)) == 3
    with_one, with_three = (dataclasses.replace(SETTINGS, crews=crews) for crews in (one, three))
    assert crews_file(tmp_path, with_one, 0) == crews_file(tmp_path, with_three, 0)


def test_all_trainings_can_be_asked_for_at_once(folder: Path) -> None:
    crews = crews_in(folder, SETTINGS)
    assert crews is not None
    assert [c.sizes for c in crews] == [(1, 3), (1, 3)]
