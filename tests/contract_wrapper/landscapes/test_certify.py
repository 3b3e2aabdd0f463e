"""Certificates of one contract, from crews at hand or trained from scratch, by the function and by the command."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from cleanup_env import make_config
from contract_wrapper.cli import main
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.families import CellTaxContracts, TaxContracts
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.contract_grid import play_grid
from contract_wrapper.evaluation.crews import Crews, train_crews
from contract_wrapper.evaluation.deviations import SCRIPTED
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.evaluate import EvaluationStopped
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.certify import certify_command, measure_certificate
from contract_wrapper.landscapes.certifying.subject import subject_of_crews
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.learners.ppo.config import PPOConfig

GAME = make_config("contract", horizon=20)
CONFIG = get_mtmfq_profile("smoke", episodes=16, n_games=4, hidden=(8,), n_step=5)
CONTRACT = Contract(tax=0.3, n_cleaners=1)
BASELINE = Outcome(
    contract=Contract.none(),
    utilities={f"harvester_{n}": Estimate(mean=5.0, se=0.1) for n in range(5)},
    **dict.fromkeys(("welfare", "harvest", "cleaned", "shots"), Estimate(mean=25.0)),
)


def trained(**changes: Any) -> Crews:
    return train_crews(**{"sizes": (1, 2), "config": CONFIG, "game": GAME, **changes})


@pytest.fixture(scope="module")
def crews() -> Crews:
    return trained()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that keeps the deviators from `crews`, for tests of something else than their training."""
    return tmp_path_factory.mktemp("kept")


def certificate(crews: Crews, folder: Path, **changes: Any) -> Any:
    subject = dataclasses.replace(subject_of_crews(crews, CONTRACT), deviators=CONFIG)
    given = {"folder": folder, "choosing": 4, "measuring": 6, **changes}
    return measure_certificate([subject] * given.pop("trainings", 1), given.pop("baseline", BASELINE), **given)


def test_margins_are_of_all_agents_and_gains_of_each_role(crews: Crews, kept: Path) -> None:
    found = certificate(crews, kept)
    assert [m.name for m in found.margins] == [*(f"harvester_{n}" for n in range(5)), "cleaner_0"]
    assert [g.role for g in found.gains] == ["cleaner", "harvester"]
    for g in found.gains:
        assert g.deviation in (*SCRIPTED[g.role], "learned anew", "learned on")
    assert (found.contract, found.epsilon, found.unit, found.missing) == (CONTRACT, 0.1, "episodes", ())


def test_margins_are_those_of_the_crew_on_the_measured_episodes(crews: Crews, kept: Path) -> None:
    found = certificate(crews, kept, measuring=200)
    grid = play_grid(crews, 1, [[0.3]], episodes=200, seed=9)  # other episodes of the same crew
    for place, margin in enumerate(found.margins):
        mean = grid.utilities[0, :, place].mean() - (5.0 if place < 5 else 0.0)
        assert margin.mean == pytest.approx(mean, abs=5 * margin.se + 0.05)


def test_deviators_are_trained_once_and_the_same_call_says_the_same(crews: Crews, tmp_path: Path) -> None:
    said: list[str] = []
    first = certificate(crews, tmp_path, say=said.append)
    assert any("a harvester alone, learned on: episode 16/16" in line for line in said)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert len(files) == 4  # two roles, learned anew and on
    said.clear()
    assert certificate(crews, tmp_path, say=said.append) == first
    assert not any("alone" in line for line in said)
    certificate(trained(seed=1), tmp_path)
    assert len(list(tmp_path.iterdir())) == 8  # those of other crews are others


def test_a_stopped_certificate_goes_on_to_the_same_end(crews: Crews, tmp_path: Path) -> None:
    whole = certificate(crews, tmp_path / "whole")
    for rounds in (2, 6):
        left = iter(range(rounds))
        with pytest.raises(EvaluationStopped, match="run the same command to go on"):
            certificate(crews, tmp_path / "parts", should_stop=lambda left=left: next(left, None) is None)
    assert certificate(crews, tmp_path / "parts") == whole


def test_several_trainings_are_the_unit_of_error(crews: Crews, kept: Path) -> None:
    found = certificate(crews, kept, trainings=2)
    assert (found.unit, found.n_trainings) == ("trainings", 2)
    assert all(m.se == 0.0 for m in found.margins)  # twice the same training


def test_each_training_is_judged_against_a_baseline_of_its_own(crews: Crews, kept: Path) -> None:
    """Twice the same crew against baselines of 5 and 7: margins differ by 2, which is a standard error of 1."""
    higher = {name: Estimate(mean=7.0, se=0.1) for name in BASELINE.utilities}
    both = [BASELINE, dataclasses.replace(BASELINE, utilities=higher)]
    one, found = certificate(crews, kept), certificate(crews, kept, trainings=2, baseline=both)
    assert found.epsilon == pytest.approx(0.12)  # 2 % of 6
    for alone, margin in zip(one.margins, found.margins, strict=True):
        against = margin.name.startswith("harvester")
        assert margin.mean == pytest.approx(alone.mean - against)
        assert margin.se == pytest.approx(float(against))
    with pytest.raises(ContractsError, match="1 trainings need a baseline each, or one for all, got 2"):
        certificate(crews, kept, baseline=both)


def test_a_role_that_is_left_out_leaves_the_contract_undecided(crews: Crews, kept: Path) -> None:
    found = certificate(crews, kept, roles=["cleaner"])
    assert found.missing == ("harvester",)
    assert not found.certified


def test_ppo_may_deviate_too_and_is_kept(crews: Crews, tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3")
    ppo, said = PPOConfig(episodes=8, n_games=4, n_steps=20, batch_size=80, hidden=(8,)), []
    first = certificate(crews, tmp_path, roles=["cleaner"], ppo=ppo, say=said.append)
    assert any("cleaner alone, PPO" in line for line in said)
    assert "6 deviations of a cleaner" in said[-1]
    said.clear()
    assert certificate(crews, tmp_path, roles=["cleaner"], ppo=ppo, say=said.append) == first
    assert not any("alone" in line for line in said)


def test_what_cannot_be_certified_is_named(crews: Crews, tmp_path: Path) -> None:
    with pytest.raises(ContractsError, match="know crews of 1, 2 cleaners, got 3"):
        subject_of_crews(crews, Contract(tax=0.3, n_cleaners=3))
    with pytest.raises(ContractsError, match=r"tax must lie in \[0.2, 0.6\] here, got 0.7"):
        subject_of_crews(trained(family=TaxContracts(low=0.2, high=0.6)), Contract(tax=0.7, n_cleaners=1))
    with pytest.raises(ContractsError, match="these crews know CellTaxContracts: give crews of TaxContracts"):
        subject_of_crews(trained(family=CellTaxContracts()), CONTRACT)
    with pytest.raises(ContractsError, match="no role 'judge'"):
        certificate(crews, tmp_path, roles=["judge"])
    with pytest.raises(ContractsError, match="measuring must be an integer of at least 2 episodes, got 1"):
        certificate(crews, tmp_path, measuring=1)
    with pytest.raises(ContractsError, match="at least one training, got 0"):
        measure_certificate([], BASELINE, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_game_or_other_costs_is_refused(crews: Crews, tmp_path: Path, capsys: Any) -> None:
    crews.save(tmp_path / "crews.npz")
    options = ["certify", "--tax", "0.3", "--cleaners", "1", "--crews", str(tmp_path / "crews.npz")]
    assert main([*options, "--folder", str(tmp_path / "kept")]) == 2
    assert "play another game than asked for: give its --preset, or other crews" in capsys.readouterr().err
    settings = EvaluationSettings(game=GAME, costs="paper")
    with pytest.raises(
        ContractsError, match=r"trained for the costs cleaner:per_shot=0.02, got .*: give --costs 'clea"
    ):
        certify_command(
            CONTRACT, settings, [0], crews=[tmp_path / "crews.npz"], folder=tmp_path, processes=1, stream=None
        )  # type: ignore[arg-type]
    (tmp_path / "cut.npz").write_bytes((tmp_path / "crews.npz").read_bytes()[:500])
    assert main([*options[:-1], str(tmp_path / "cut.npz")]) == 2
    assert "is no whole checkpoint" in capsys.readouterr().err


SHORT = ["--set", "game.horizon=50", "--set", "learner.hidden=[16]", "--set", "episodes=10"]


def test_the_command_certifies_crews_of_a_file(tmp_path: Path, workers_here: None, capsys: Any) -> None:
    trained(game=make_config("contract", horizon=50)).save(tmp_path / "crews.npz")
    options = ["--tax", "0.3", "--cleaners", "2", "--crews", str(tmp_path / "crews.npz"), "--folder", str(tmp_path)]
    small = ["--profile", "smoke", "--episodes", "64", *SHORT, "--deviator-episodes", "64"]
    assert main(["certify", *options, *small]) == 0
    told = capsys.readouterr().out
    assert told.startswith("tax 0.3, 2 cleaners: ")
    assert re.search("^by the margins alone, to 2 standard errors: (accepted|refused|undecided)$", told, re.MULTILINE)
    rows = [line.split()[0] for line in told.splitlines()]
    assert rows[rows.index("margin") + 1 : rows.index("gain")][-2:] == ["cleaner_0", "cleaner_1"]


@pytest.mark.parametrize("learner", ["mtmfq", "ppo"])
def test_the_command_certifies_crews_trained_from_scratch(
    learner: str, tmp_path: Path, workers_here: None, capsys: Any
) -> None:
    if learner == "ppo":
        pytest.importorskip("stable_baselines3")
    options = ["--tax", "0.5", "--cleaners", "1", "--learner", learner, "--profile", "smoke", "--episodes", "64"]
    seeds = 2 if learner == "mtmfq" else 1  # PPO's trainings take long
    small = [*SHORT, "--deviator-episodes", "64", "--folder", str(tmp_path), "--seeds", str(seeds)]
    assert main(["best-response", *options, *small]) == 0  # its old name
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert rows[rows.index("gain") + 1 : rows.index("the")] == ["cleaner", "strongest:", "harvester", "strongest:"]
    assert len(list(tmp_path.glob("*.deviator.npz"))) == (8 if learner == "mtmfq" else 2)  # none goes on from PPO
    assert len(list(tmp_path.glob("*.json"))) == 2 * seeds  # as many trainings without the contract as with it


def test_wrong_options_are_refused_in_one_line(tmp_path: Path, capsys: Any) -> None:
    contract = ["certify", "--tax", "0.3", "--cleaners", "1", "--folder", str(tmp_path / "kept")]
    for options, message in (
        (["--seeds", "0"], "--seeds must be at least 1"),
        (["--crews", str(tmp_path / "none.npz")], "there is no checkpoint"),
    ):
        assert main([*contract, *options]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "kept").exists()
