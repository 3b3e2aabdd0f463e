"""The principal's problem as a Gymnasium environment: one step, same seed, same outcome."""

import dataclasses
import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import contract_wrapper
from cleanup_env import make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation import design_env
from contract_wrapper.evaluation.design_env import ContractDesign
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.evaluate import evaluate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from mtmfq.config import get_profile

TINY = EvaluationSettings(
    game=make_config("contract", horizon=20),
    learner=get_profile("smoke", episodes=8, n_games=8, batch_size=64, replay_capacity=100),
    episodes=4,
)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Contract, int]]:
    """Replace training by arithmetic: a harvester gets 100 * tax, a cleaner its seed; returns what was asked for."""
    asked: list[tuple[Contract, int]] = []

    def made_up(contract: Contract, settings: EvaluationSettings, seed: int, *, folder: Path | None) -> Outcome:
        asked.append((contract, seed))
        utilities = {"harvester_0": Estimate(mean=100 * contract.tax)}
        utilities |= {f"cleaner_{k}": Estimate(mean=float(seed)) for k in range(contract.n_cleaners)}
        welfare = Estimate(mean=sum(u.mean for u in utilities.values()))
        zero = Estimate(mean=0.0)
        return Outcome(
            contract=contract, welfare=welfare, utilities=utilities, harvest=zero, cleaned=zero, shots=zero, seed=seed
        )

    monkeypatch.setattr(design_env, "evaluate", made_up)
    return asked


@pytest.mark.parametrize("name", ["contract_wrapper:ContractDesign-v0", "contract_wrapper/ContractDesign-v0"])
def test_both_names_make_an_environment_that_passes_gymnasiums_check(name: str, trained: Any) -> None:
    env = gymnasium.make(name, max_cleaners=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


def test_an_action_is_a_tax_in_hundredths_and_the_cleaners_less_one() -> None:
    env = ContractDesign(max_cleaners=3)
    assert env.contract((4, 2)) == Contract(tax=0.04, n_cleaners=3)
    assert env.contract(np.array([0, 0])) == Contract(tax=0.0, n_cleaners=1)
    for action in ((0, 0), (29, 1), (100, 2)):
        assert tuple(env.action(env.contract(action))) == action


def test_the_reward_is_welfare_and_the_info_says_who_accepts(trained: Any) -> None:
    env = ContractDesign()
    env.reset(seed=7)
    observation, reward, terminated, truncated, info = env.step((50, 1))
    assert observation.tolist() == [0.0]
    assert (reward, terminated, truncated) == (50.0 + 2 * 7, True, False)
    assert info["welfare"] == {"mean": 64.0, "se": 0.0}
    assert info["contract"] == {"tax": 0.5, "n_cleaners": 2}
    assert info["margins"]["harvester_0"]["mean"] == 50.0  # the baseline's harvester gets nothing
    assert info["margins"]["participation"]["mean"] == 7.0
    assert info["feasible"]


def test_the_baseline_is_trained_once_and_nothing_twice_with_one_seed(trained: list[tuple[Contract, int]]) -> None:
    env = ContractDesign(baseline_seed=9)
    for seed in (1, 2, 1):
        env.reset(seed=seed)
        env.step((10, 0))
    contract = Contract(tax=0.1, n_cleaners=1)
    assert sorted(trained, key=str) == sorted([(contract, 1), (contract, 2), (Contract.none(), 9)], key=str)


def test_resets_without_a_seed_go_on_from_the_first_ones(trained: list[tuple[Contract, int]]) -> None:
    env = ContractDesign()
    runs = []
    for _ in range(2):
        rewards = []
        for seed in (3, None, None):
            env.reset(seed=seed)
            rewards.append(env.step((10, 0))[1])
        runs.append(rewards)
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 3


def test_a_step_with_a_learner_is_the_evaluation_with_the_seed_of_the_reset(tmp_path: Path) -> None:
    env = gymnasium.make("contract_wrapper:ContractDesign-v0", settings=TINY, folder=tmp_path)
    env.reset(seed=5)
    _, reward, _, _, info = env.step(np.array([25, 1]))
    outcome = evaluate(Contract(tax=0.25, n_cleaners=2), TINY, 5)
    assert reward == outcome.welfare.mean
    assert info["utilities"] == {agent: dataclasses.asdict(u) for agent, u in outcome.utilities.items()}
    assert len(list(tmp_path.glob("*.json"))) == 2  # the contract and the baseline are kept


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda: ContractDesign(max_cleaners=0), "max_cleaners must be an integer of at least 1, got 0"),
        (lambda: ContractDesign(baseline_seed=-1), "baseline_seed"),
        (lambda: ContractDesign(render_mode="human"), "nothing to draw"),
        (lambda: ContractDesign().step((1, 1)), "call reset"),
        (lambda: ContractDesign().contract((101, 0)), r"0 to 100.*got \(101, 0\)"),
        (lambda: ContractDesign().contract((4, 5)), "0 to 4"),
        (lambda: ContractDesign().contract((0.04, 3)), "two integers"),
        (lambda: ContractDesign().contract(4), "two integers"),
        (lambda: ContractDesign().action(Contract.none()), "1 to 5"),
    ],
)
def test_mistakes_are_named(mistake: Any, words: str) -> None:
    with pytest.raises(ContractsError, match=words):
        mistake()


def test_an_episode_is_over_after_one_step(trained: Any) -> None:
    env = ContractDesign()
    env.reset(seed=0)
    env.step((1, 1))
    with pytest.raises(ContractsError, match="one step long"):
        env.step((1, 1))


def test_the_class_is_a_name_of_the_package() -> None:
    assert contract_wrapper.ContractDesign is ContractDesign
