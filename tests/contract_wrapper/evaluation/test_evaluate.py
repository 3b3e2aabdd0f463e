"""The black box: same arguments, same outcome; nothing trained twice; stopped trainings go on."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cleanup_env import make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.contracts.payment_rules import PayPerCell
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.envs.batch_game import ContractedGame
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.evaluate import EvaluationStopped, evaluate
from contract_wrapper.evaluation.settings import EvaluationSettings
from mtmfq.config import get_profile
from mtmfq.interface import LearnerError

TINY = EvaluationSettings(
    game=make_config("contract", horizon=30),
    learner=get_profile("smoke", episodes=24, n_games=8, batch_size=64, replay_capacity=100),
    episodes=6,
)
CREW = Contract(tax=0.25, n_cleaners=2)


def test_the_same_seed_gives_the_same_outcome_and_another_seed_another() -> None:
    first, again, other = (evaluate(CREW, TINY, seed) for seed in (3, 3, 4))
    drop = {"cpu_seconds": 0.0, "wall_seconds": 0.0}
    assert dataclasses.replace(first, **drop) == dataclasses.replace(again, **drop)
    assert first.utilities != other.utilities


def test_welfare_is_the_sum_of_all_utilities() -> None:
    outcome = evaluate(CREW, TINY, 0)
    assert outcome.welfare.mean == pytest.approx(sum(u.mean for u in outcome.utilities.values()), abs=1e-9)


def test_an_evaluation_is_kept_and_not_repeated(tmp_path: Path) -> None:
    first = evaluate(CREW, TINY, 0, folder=tmp_path)
    assert evaluate(CREW, TINY, 0, folder=tmp_path) == first  # equal to the CPU seconds: read, not trained
    assert (tmp_path / first.policy).exists()


@pytest.mark.parametrize(
    "changed",
    [
        dataclasses.replace(TINY, costs=get_costs("paper")),
        dataclasses.replace(TINY, game=make_config("contract", horizon=31)),
        dataclasses.replace(TINY, learner=get_profile("smoke", episodes=25)),
        dataclasses.replace(TINY, episodes=7),
    ],
    ids=["costs", "game", "learner", "episodes"],
)
def test_the_cache_key_knows_every_setting(changed: EvaluationSettings) -> None:
    assert changed.key(CREW, 0) != TINY.key(CREW, 0)
    assert changed.key(CREW, 0) == changed.key(Contract(tax=0.25, n_cleaners=2), 0)
    assert changed.key(CREW, 0) != changed.key(CREW, 1)


def test_a_broken_outcome_is_set_aside_and_trained_again(tmp_path: Path) -> None:
    first = evaluate(CREW, TINY, 0, folder=tmp_path)
    path = tmp_path / f"{TINY.key(CREW, 0)}.json"
    path.write_text(path.read_text()[:100])
    again = evaluate(CREW, TINY, 0, folder=tmp_path)
    assert again.utilities == first.utilities
    assert path.with_suffix(".json.broken").exists()


def test_a_stopped_training_goes_on_and_ends_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    whole = evaluate(CREW, TINY, 0)
    asked = iter([False, True])
    with pytest.raises(EvaluationStopped):
        evaluate(CREW, TINY, 0, folder=tmp_path, should_stop=lambda: next(asked))
    assert list(tmp_path.glob("*.training.npz"))
    assert evaluate(CREW, TINY, 0, folder=tmp_path).utilities == whole.utilities
    assert not list(tmp_path.glob("*.training.npz"))


def test_a_truncated_checkpoint_is_named(tmp_path: Path) -> None:
    asked = iter([False, True])
    with pytest.raises(EvaluationStopped):
        evaluate(CREW, TINY, 0, folder=tmp_path, should_stop=lambda: next(asked))
    (path,) = tmp_path.glob("*.training.npz")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(LearnerError, match=path.name):
        evaluate(CREW, TINY, 0, folder=tmp_path)


def test_settings_survive_json() -> None:
    assert EvaluationSettings.from_dict(json.loads(json.dumps(TINY.to_dict()))) == TINY


def test_scaled_rewards_mean_the_same_under_every_contract() -> None:
    # One apple a step for all: a harvester's learner sees 1, a cleaner's 0.2 apples per harvester, at any tax.
    for tax, cleaners in ((0.1, 1), (0.5, 4)):
        game = ContractedGame(Contract(tax=tax, n_cleaners=cleaners))
        cleaner, harvester = game.reward_scale()
        assert harvester * (1 - tax) == pytest.approx(1.0)
        assert cleaner * tax / cleaners == pytest.approx(0.2)


def test_the_shift_takes_out_the_flat_part_of_the_costs() -> None:
    game = ContractedGame(CREW, costs=get_costs("costly"))
    np.testing.assert_allclose(game.reward_shift(), [25 / 200, 0.0])


class Minting:
    """A payment rule of an apple a step for everybody, which says that it conserves money."""

    mints = False
    needs = ()

    def transfers(self, rewards: np.ndarray, _activity: Activity, _roles: Roles) -> np.ndarray:
        return np.ones_like(rewards)


def nan_everywhere(rewards: np.ndarray, _activity: Activity, _roles: Roles) -> np.ndarray:
    return rewards * np.nan


@pytest.mark.parametrize(
    ("payment", "contract", "message"),
    [
        (lambda _: Minting(), CREW, "the payment rule Minting conserves money, .* they sum to 7.0 apples"),
        (lambda _: nan_everywhere, CREW, "the payment function nan_everywhere pays 'harvester_0' nan apples"),
        (
            lambda _: PayPerCell(price=0.1),
            CREW,
            r"the contract's tax is 0\.25, but the payment rule PayPerCell takes 0\.0",
        ),
    ],
    ids=["minting", "not a number", "another tax"],
)
def test_a_payment_that_cannot_be_settled_ends_in_one_line(payment: Any, contract: Contract, message: str) -> None:
    with pytest.raises(ContractsError, match=message) as caught:
        evaluate(contract, dataclasses.replace(TINY, payment=payment), 0)
    assert "\n" not in str(caught.value)


def test_a_custom_payment_rule_is_evaluated_without_a_folder_and_refused_with_one(tmp_path: Path) -> None:
    def share(rewards: np.ndarray, _activity: Activity, _roles: Roles) -> np.ndarray:
        return rewards.mean(axis=-1, keepdims=True) - rewards

    custom = dataclasses.replace(TINY, payment=lambda _: share, costs=get_costs("none"))
    outcome = evaluate(CREW, custom, 0)
    assert len({u.mean for u in outcome.utilities.values()}) == 1
    folder = tmp_path / "outcomes"
    with pytest.raises(ContractsError, match=r"custom payment rule .*: evaluate without a folder"):
        evaluate(CREW, custom, 0, folder=folder)
    assert not folder.exists()


def test_payment_that_is_a_rule_instead_of_a_function_of_contracts_is_refused() -> None:
    with pytest.raises(ContractsError, match=r"got PayPerCell\(.*write payment=lambda contract: \.\.\."):
        dataclasses.replace(TINY, payment=PayPerCell(price=0.1))


def test_a_game_of_free_agents_is_refused() -> None:
    with pytest.raises(ValueError, match="free agents"):
        evaluate(CREW, dataclasses.replace(TINY, game=make_config("original", n_free=3)), 0)
