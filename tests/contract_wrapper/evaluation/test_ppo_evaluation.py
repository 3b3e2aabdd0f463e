"""Contracts judged with PPO as the learner, by the function and by the command."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from commands_here import Command
from process_table import environment
from test_cli import refused

from cleanup_env import make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.best_response import best_response
from contract_wrapper.evaluation.evaluate import EvaluationStopped, evaluate
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.learners.ppo.config import PPOConfig
from contract_wrapper.learners.ppo.policy import PPOPolicy
from contract_wrapper.learners.registry import load_policy
from contract_wrapper.playback.recording import record_episode

pytest.importorskip("stable_baselines3")

TINY = EvaluationSettings(
    game=make_config("contract", horizon=20),
    learner=PPOConfig(episodes=16, n_games=8, n_steps=20, batch_size=160, hidden=(16,)),
    episodes=4,
)
CREW = Contract(tax=0.25, n_cleaners=2)


def test_an_evaluation_trains_measures_keeps_and_repeats(tmp_path: Path) -> None:
    first = evaluate(CREW, TINY, 3, folder=tmp_path)
    assert evaluate(CREW, TINY, 3, folder=tmp_path) == first  # equal to the CPU seconds: read, not trained
    assert evaluate(CREW, TINY, 3).utilities == first.utilities
    assert first.welfare.mean == pytest.approx(sum(u.mean for u in first.utilities.values()), abs=1e-9)
    assert first.training_curve["episode"] == (8, 16)
    assert "stable-baselines3" in first.versions
    assert isinstance(load_policy(tmp_path / first.policy), PPOPolicy)


def test_a_trained_crew_can_be_watched(tmp_path: Path) -> None:
    path = tmp_path / evaluate(CREW, TINY, 0, folder=tmp_path).policy
    by_file = record_episode(CREW, TINY, path, steps=5)
    by_object = record_episode(CREW, TINY, load_policy(path), steps=5)
    assert [by_file.caption(k) for k in range(6)] == [by_object.caption(k) for k in range(6)]


def test_a_stopped_evaluation_begins_anew(tmp_path: Path) -> None:
    asked = iter([False, True])
    with pytest.raises(EvaluationStopped):
        evaluate(CREW, TINY, 0, folder=tmp_path, should_stop=lambda: next(asked))
    assert list(tmp_path.iterdir()) == []
    assert evaluate(CREW, TINY, 0, folder=tmp_path).utilities == evaluate(CREW, TINY, 0).utilities


def test_the_cache_key_knows_the_learner_and_its_settings() -> None:
    keys = {
        dataclasses.replace(TINY, learner=learner).key(CREW, 0)
        for learner in (TINY.learner, PPOConfig(), PPOConfig(greedy=True), EvaluationSettings().learner)
    }
    assert len(keys) == 4


def test_without_the_package_an_evaluation_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    with pytest.raises(ContractsError, match=r"cleanup-contracts\[sb3\]"):
        evaluate(CREW, TINY, 0)


def test_the_command_evaluates_with_ppo(command: Command, tmp_path: Path) -> None:
    arguments = ["evaluate", "--tax", "0.3", "--cleaners", "2", "--learner", "ppo", "--profile", "smoke"]
    result = command(*arguments, "--episodes", "16", "--set", "game.horizon=100", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "accepted by everybody" in result.stdout or "refused by" in result.stdout


def test_the_command_names_wrong_learners_and_profiles(command: Command, tmp_path: Path) -> None:
    contract = ["evaluate", "--tax", "0.3", "--cleaners", "2"]
    assert "choose one of mtmfq, ppo" in refused(command(*contract, "--learner", "dqn", cwd=tmp_path))
    line = refused(command(*contract, "--learner", "ppo", "--profile", "faithful", cwd=tmp_path))
    assert "choose one of smoke, quick, fast" in line


def test_a_best_response_is_to_a_policy_of_the_settings_learner() -> None:
    with pytest.raises(ContractsError, match="policy must be a policy of ppo, as the settings are"):
        best_response(CREW, TINY, None, "cleaner_0")  # type: ignore[arg-type]


def test_the_command_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys\nsys.modules['stable_baselines3'] = None\nfrom contract_wrapper.cli import main\n"
        "sys.exit(main(['optimize', '--learner', 'ppo']))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, env=environment()
    )
    assert 'pip install "cleanup-contracts[sb3]"' in refused(result)
    assert list(tmp_path.iterdir()) == []
