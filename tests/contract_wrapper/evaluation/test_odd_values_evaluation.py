"""Odd values in settings, outcomes and arguments of evaluations: accepted as plain values, or refused at once."""

import copy
import dataclasses
import io
import itertools
import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from fuzz_values import built, odd, odd_fields

from cleanup_env import CleanupError, make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.envs.batch_game import ContractedGame, check_game
from contract_wrapper.envs.pettingzoo_wrapper import make_contracted
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.best_response import best_response
from contract_wrapper.evaluation.design_env import ContractDesign
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.evaluate import evaluate
from contract_wrapper.evaluation.outcome import Outcome, mean_outcome
from contract_wrapper.evaluation.seeds import evaluate_seeds
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.learners.ppo.config import get_ppo_profile
from mtmfq.interface import LearnerError

OWN = (ContractsError, CleanupError, LearnerError)
CREW = Contract(tax=0.1, n_cleaners=1)
TYPES = {"game": "", "costs": "", "learner": "", "episodes": "int", "payment": ""}

ONE = Estimate(mean=1.0, se=0.1)
OUTCOME = Outcome(
    contract=CREW, welfare=ONE, utilities={"harvester_0": ONE, "cleaner_0": ONE}, harvest=ONE, cleaned=ONE, shots=ONE,
    waste_curve=(0.5, 1.0), training_curve={"episode": (64, 128), "cleaner": (0.5, 0.25)}, versions={"numpy": "2"},
)  # fmt: skip


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where plain data can be changed: the path to each of its values."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in items for place in places(value, (*path, key)))]


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of plain data with another value in one place."""
    if not path:
        return value
    twin = copy.deepcopy(data)
    inner = twin
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return twin


def test_odd_settings() -> None:
    rng, accepted = Random(0), 0
    for _ in range(2_000):
        settings = built(lambda: EvaluationSettings(**odd_fields(rng, TYPES)), *OWN)
        if settings is not None and settings.payment is None:
            assert EvaluationSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
            settings.key(CREW, 0)
            accepted += 1
    assert accepted > 5


def test_odd_values_in_settings_that_are_read() -> None:
    rng = Random(1)
    data = json.loads(json.dumps(EvaluationSettings().to_dict()))
    where = places(data)
    for _ in range(1_500):
        value = odd(rng, rng.choice(["int", "float", "bool"]))
        settings = built(lambda v=value: EvaluationSettings.from_dict(changed(data, rng.choice(where), v)), *OWN)
        if settings is not None:
            json.dumps(settings.to_dict())


def test_odd_values_in_outcomes_that_are_read() -> None:
    rng, accepted = Random(2), 0
    data = json.loads(json.dumps(OUTCOME.to_dict()))
    where = places(data)
    for _ in range(5_000):
        value = odd(rng, rng.choice(["int", "float"]))
        outcome = built(lambda v=value: Outcome.from_dict(changed(data, rng.choice(where), v)), ContractsError)
        if outcome is not None:
            assert outcome.feasible(OUTCOME) in (True, False)
            assert np.isfinite([outcome.welfare.mean, outcome.worst_harvester.mean, outcome.cpu_seconds]).all()
            assert "NaN" not in json.dumps(outcome.to_dict())
            accepted += 1
    assert accepted > 100


def test_odd_arguments() -> None:
    rng = Random(3)
    nobody: Any = None
    for _ in range(300):
        built(lambda: evaluate(odd(rng), odd(rng), odd(rng)), *OWN)
        built(lambda: best_response(odd(rng), odd(rng), odd(rng), odd(rng), odd(rng)), *OWN)
        built(lambda: best_response(CREW, EvaluationSettings(), nobody, "cleaner_0"), *OWN)
        built(lambda: ContractDesign(odd(rng), folder=odd(rng), max_cleaners=odd(rng, "int")), *OWN)
        built(lambda: ContractDesign(max_cleaners=odd(rng, "int"), baseline_seed=odd(rng, "int")), *OWN)
        built(lambda: ContractDesign().contract(odd(rng)), *OWN)
        built(lambda: ContractDesign().reset(seed=odd(rng, "int")), *OWN)
        built(lambda: ContractedGame(odd(rng), n_games=odd(rng)), *OWN)
        built(lambda: ContractedGame(CREW, costs=odd(rng), config=odd(rng)), *OWN)
        built(lambda: ContractedGame(CREW, observation=odd(rng), payment=odd(rng)), *OWN)
        built(lambda: make_contracted(CREW, _game, roles=_no_function(odd(rng)), horizon=odd(rng, "int")), *OWN)
        built(lambda: check_game(odd(rng)), *OWN)


def _no_function(value: Any) -> Any:
    """Leave functions out: what they raise when they are called is their author's."""
    return None if callable(value) else value


def _game(n_cleaners: int) -> Any:
    from cleanup_env import parallel_env

    return parallel_env(n_cleaners=n_cleaners)


# ---- one by one


def test_settings_take_names_where_the_command_line_does() -> None:
    named = EvaluationSettings(game="contract", costs="cleaner:per_step=0.5", learner="smoke")
    assert named == EvaluationSettings(
        game=make_config("contract"), costs=get_costs("cleaner:per_step=0.5"), learner=get_mtmfq_profile("smoke")
    )
    assert named.game.horizon == 200


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"game": "contracts"}, "unknown preset 'contracts': choose one of contract, original, meltingpot-like"),
        ({"game": "original"}, "contracts know the roles cleaner and harvester, but the game has 5 free agents"),
        ({"game": make_config(n_harvesters=10)}, "the game has 10 spawn points, too few for 10 harvesters and 1 cleaner"),
        ({"costs": "papr"}, "unknown costs 'papr': choose one of effort, paper, costly, none"),
        ({"costs": -1}, "costs must be a CostRule, or text such as 'paper', got -1"),
        ({"costs": "cleaners:per_shot=5"}, "name the role 'cleaners', .* cleaner, harvester: did you mean 'cleaner'?"),
        ({"costs": "free:per_shot=5"}, "name the role 'free', which no agent has; the roles are cleaner, harvester$"),
        ({"costs": "cleaner:per_shot=-1"}, "per_shot must be a finite number of apples of at least 0 .* got -1.0"),
        ({"learner": "fats"}, "no learner profile 'fats': choose one of smoke, quick"),
        ({"episodes": 1}, "episodes must be an integer of at least 2, got 1"),
        ({"episodes": 10**9}, "1000000000 evaluation episodes cannot be played at once: .* GiB of memory, at most 2.0 GiB"),
        ({"learner": get_ppo_profile("fast", n_games=10**6, n_steps=10, batch_size=10**6)}, "1000000 training games cannot"),
    ],
)  # fmt: skip
def test_settings_that_no_evaluation_can_have_are_refused_at_birth(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(OWN, match=message):
        EvaluationSettings(**fields)


def test_the_batch_game_refuses_costs_of_roles_that_it_never_has() -> None:
    for role in ("cleaners", "free"):
        with pytest.raises(ContractsError, match=f"the role '{role}', which no agent has"):
            ContractedGame(CREW, costs=f"{role}:per_shot=5")


def test_a_game_is_asked_for_the_room_that_a_crew_needs() -> None:
    check_game(make_config(), 5)
    with pytest.raises(ContractsError, match="10 spawn points, too few for 5 harvesters and 6 cleaners"):
        check_game(make_config(), np.int64(6))
    with pytest.raises(ContractsError, match="n_cleaners must be an integer of at least 0, got '1'"):
        check_game(make_config(), "1")  # type: ignore[arg-type]
    with pytest.raises(ContractsError, match="too few for 5 harvesters and 6 cleaners"):
        ContractDesign(max_cleaners=6)


@pytest.mark.parametrize("policy", ["../a.npz", "a/b.npz", "a\\b", "/etc/passwd", ".", "..", "a\nb", "C:x", 5, None])
def test_a_policy_is_a_plain_file_name(policy: Any) -> None:
    with pytest.raises(ContractsError, match="policy must be a plain file name"):
        dataclasses.replace(OUTCOME, policy=policy)
    with pytest.raises(ContractsError, match="policy must be a plain file name"):
        Outcome.from_dict({**OUTCOME.to_dict(), "policy": policy})


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("welfare", "mean"), "1.0", "a finite mean and standard error for welfare"),
        (("welfare", "mean"), float("nan"), "a finite mean and standard error for welfare"),
        (("harvest", "se"), -0.5, "a standard error of at least 0 for harvest, got -0.5"),
        (
            ("utilities",),
            {"harvester_0": {"mean": 1.0, "se": 0.0}},
            r"cleaners as in its contract \(tax 0.1, 1 cleaner\)",
        ),
        (("utilities",), {"cleaner_0": {"mean": 1.0, "se": 0.0}}, "it has harvesters"),
        (("training_curve", "cleaner"), [0.5], "curves of one length in training_curve, got"),
        (("waste_curve",), [0.5, -1.0], "numbers of cells in waste_curve"),
        (("episodes",), 2.5, "an integer of at least 0 as episodes"),
        (("seed",), True, "an integer of at least 0 as seed"),
        (("versions", "numpy"), 2, "texts in versions"),
    ],
)
def test_an_outcome_that_cannot_be_is_refused_by_the_field(path: tuple[str, ...], value: Any, message: str) -> None:
    with pytest.raises(ContractsError, match=message):
        Outcome.from_dict(changed(json.loads(json.dumps(OUTCOME.to_dict())), path, value))


def test_reading_an_outcome_is_fast_enough_for_thousands() -> None:
    data = {**OUTCOME.to_dict(), "waste_curve": [0.5] * 200}
    assert built(lambda: [Outcome.from_dict(data) for _ in range(2_000)], seconds=5.0)  # 0.4 on a free machine


@pytest.mark.parametrize("key", ["depletion", "n_free", "map"])
def test_settings_that_lack_a_value_are_not_filled_with_defaults(key: str) -> None:
    data = EvaluationSettings().to_dict()
    del data["game"][key]
    with pytest.raises(ContractsError, match="not as this version writes them"):
        EvaluationSettings.from_dict(data)


@pytest.mark.parametrize(
    ("seeds", "got"), [((), "none"), (itertools.count(), "more than 10,000"), (range(10**12), "more than")]
)
def test_no_seeds_and_endless_seeds_are_refused(seeds: Any, got: str, tmp_path: Path) -> None:
    with pytest.raises(ContractsError, match=f"over 1 to 10,000 seeds, got {got}"):
        evaluate_seeds(CREW, EvaluationSettings(), seeds, folder=tmp_path, processes=1, stream=io.StringIO())


def test_a_mean_over_nothing_is_refused() -> None:
    with pytest.raises(ContractsError, match="one outcome at least"):
        mean_outcome([])


@pytest.mark.parametrize("count", [-1, float("nan"), "many", None])
def test_a_game_that_reports_no_count_is_refused(count: Any) -> None:
    env = make_contracted(CREW, _game)
    env.reset(seed=0)
    inner = env.env
    step = inner.step

    def odd_step(actions: Any) -> Any:
        observations, rewards, ended, over, infos = step(actions)
        infos["cleaner_0"]["shots"] = count
        return observations, rewards, ended, over, infos

    inner.step = odd_step
    with pytest.raises(ContractsError, match=r"infos\['cleaner_0'\]\['shots'\] must be a"):
        env.step(dict.fromkeys(env.agents, 4))
