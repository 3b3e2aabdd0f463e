"""Who has to be tried before a contract is certified: agents of a role that contract and costs treat alike share one."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_certify_problems import CONFIG, TINY, small, without

from contract_wrapper import (
    Contract,
    ContractedGame,
    ContractsError,
    CustomPayment,
    cleanup_problem,
    train_crews,
)
from contract_wrapper.evaluation.deviations import play_deviation
from contract_wrapper.landscapes.building.landscape_folder import make_landscape
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.landscapes.certificate import Verdict
from contract_wrapper.landscapes.certifying.alike import who_deviates
from contract_wrapper.landscapes.certifying.subject import subject_of_crews
from contract_wrapper.landscapes.designs.design_settings import DesignLandscapeSettings

DEAL = Contract(tax=0.4, n_cleaners=2)


def game(payment: Any = None, costs: str = "effort", n_harvesters: int = 3) -> ContractedGame:
    config = dataclasses.replace(TINY, n_harvesters=n_harvesters)
    return ContractedGame(DEAL, n_games=2, config=config, payment=payment, costs=costs)


def test_agents_whom_nothing_tells_apart_have_one_that_stands_for_all() -> None:
    assert who_deviates(game()) == ("cleaner", "harvester")


def test_prices_of_single_agents_tell_them_apart() -> None:
    assert who_deviates(game(costs="cleaner_1:per_shot=0.1")) == ("cleaner_0", "cleaner_1", "harvester")
    assert who_deviates(game(costs="cleaner:per_shot=0.1;harvester_1:per_step=0.2")) == (
        "cleaner", "harvester_0", "harvester_1",
    )  # fmt: skip


@given(taxes=st.lists(st.sampled_from([0.0, 0.3, 0.7]), min_size=3, max_size=3))
def test_taxes_of_their_own_tell_harvesters_apart_as_far_as_they_differ(taxes: list[float]) -> None:
    problem = cleanup_problem("tax-per-harvester", game=dataclasses.replace(TINY, n_harvesters=3))
    contract = problem.contract(**{f"tax_{j}": tax for j, tax in enumerate(taxes)}, n_cleaners=2)
    found = who_deviates(problem.build(contract, 2))
    kinds = [taxes.index(tax) for tax in dict.fromkeys(taxes)]  # the first of each
    assert found == ("cleaner", *([f"harvester_{j}" for j in kinds] if len(kinds) > 1 else ["harvester"]))


def bribe(rewards: Any, activity: Any, roles: Any) -> Any:
    """Harvester 0 pays harvester 2 for each of its apples beyond the second: seldom, and to nobody else."""
    moved = np.zeros_like(rewards)
    moved[..., 2] = np.maximum(rewards[..., 2] - 2.0, 0.0)
    moved[..., 0] = -moved[..., 2]
    return moved


def test_a_function_of_a_user_is_asked_and_not_believed() -> None:
    assert who_deviates(game(CustomPayment(function=bribe))) == (
        "cleaner", "harvester_0", "harvester_1", "harvester_2",
    )  # fmt: skip


def test_a_rule_that_refuses_the_question_treats_nobody_alike() -> None:
    def picky(rewards: Any, activity: Any, roles: Any) -> Any:
        raise ValueError("more apples than there are")

    assert who_deviates(game(CustomPayment(function=picky), n_harvesters=2)) == (
        "cleaner_0", "cleaner_1", "harvester_0", "harvester_1",
    )  # fmt: skip


@pytest.fixture(scope="module")
def own_taxes() -> Any:
    """Crews that learned next to nothing of taxes for each of two harvesters, and their problem."""
    problem = cleanup_problem("tax-per-harvester", game=TINY, max_cleaners=1)
    crews = train_crews(sizes=(1,), config=CONFIG, game=TINY, family=problem.family, largest_crew=5)
    return crews, problem


def test_each_agent_that_the_contract_tells_apart_deviates(own_taxes: Any, tmp_path: Path) -> None:
    crews, problem = own_taxes
    unequal = problem.contract(tax_0=0.9, tax_1=0.0, n_cleaners=1)
    subject = subject_of_crews(crews, unequal, problem=problem)
    found = small(subject, tmp_path, without())
    assert [g.role for g in found.gains] == ["cleaner", "harvester_0", "harvester_1"]
    assert "minus the gain of harvester_1" in [bound.name for bound in found.bounds]
    assert not found.missing
    both = small(subject, tmp_path, without(), roles=["harvester"])
    assert [g.role for g in both.gains] == ["harvester_0", "harvester_1"]
    assert both.missing == ("cleaner",)
    one = small(subject, tmp_path, without(), roles=["harvester_1", "cleaner"])
    assert one.missing == ("harvester_0",)
    assert one.verdict is not Verdict.CERTIFIED
    assert one.gains[0].mean == found.gains[2].mean  # the same trainings, read again
    equal = problem.contract(tax_0=0.5, tax_1=0.5, n_cleaners=1)
    alike = small(subject_of_crews(crews, equal, problem=problem), tmp_path, without())
    assert [g.role for g in alike.gains] == ["cleaner", "harvester"]


def test_what_an_agent_by_name_takes_home_is_its_own(own_taxes: Any) -> None:
    """The first harvester pays everything it earns, the second nothing, whatever they do."""
    crews, _ = own_taxes
    takes = [
        play_deviation(crews, 1, [[1.0, 0.0]], f"harvester_{j}", "greedy harvest", episodes=4).mean() for j in (0, 1)
    ]
    assert takes[0] == 0.0 < takes[1]
    with pytest.raises(ContractsError, match="no role 'harvester_7'"):
        play_deviation(crews, 1, [[1.0, 0.0]], "harvester_7", "random", episodes=4)


def tiny_base(**changes: Any) -> LandscapeSettings:
    few = {"sizes": (1, 2), "samples": 3, "steps": 2, "tried": 1, "episodes": 4, "tried_episodes": 4}
    return LandscapeSettings(**{**few, "crews": CONFIG, "deviators": CONFIG, "baseline": CONFIG, **changes})


def test_a_landscape_tries_every_agent_that_its_contracts_tell_apart(tmp_path: Path, workers_here: None) -> None:
    problem = cleanup_problem("tax-per-harvester", game=TINY, max_cleaners=2, costs="cleaner_1:per_shot=0.3")
    plan = DesignLandscapeSettings(problem=problem, base=tiny_base())
    with (tmp_path / "said").open("w") as said:
        made = make_landscape(plan, [0], tmp_path / "landscape", processes=1, stream=said)
    assert made.roles == ("harvester_0", "harvester_1", "cleaner_0", "cleaner_1")
    alone, two = made.numbers[:, -1] == 1, made.numbers[:, -1] == 2
    assert np.isnan(made.gains[:, alone, 3]).all()
    assert np.isfinite(made.gains[:, alone, :3]).all()
    assert np.isfinite(made.gains[:, two]).all()
    crew_of_one, crew_of_two = (made.certificate(made.contracts()[int(np.flatnonzero(m)[0])]) for m in (alone, two))
    assert [g.role for g in crew_of_one.gains] == list(made.roles[:3])
    assert not crew_of_one.missing
    assert [g.role for g in crew_of_two.gains] == list(made.roles)
    assert not crew_of_two.missing


def test_a_table_in_which_nobody_of_a_role_deviated_certifies_nothing(tmp_path: Path, workers_here: None) -> None:
    problem = cleanup_problem("tax", game=TINY, max_cleaners=1)
    plan = DesignLandscapeSettings(problem=problem, base=tiny_base(sizes=(1,)))
    with (tmp_path / "said").open("w") as said:
        made = make_landscape(plan, [0], tmp_path / "landscape", processes=1, stream=said)
    good = dataclasses.replace(
        made, margin=np.where(np.isfinite(made.margin), 9.0, np.nan), margin_se=made.margin_se * 0.0,
        gains=np.where(np.isfinite(made.gains), -9.0, np.nan), gains_se=made.gains_se * 0.0,
    )  # fmt: skip
    assert good.certified()[1:].all()
    partial = dataclasses.replace(
        good, roles=("harvester",), gains=good.gains[..., :1], gains_se=good.gains_se[..., :1],
        strongest=good.strongest[..., :1], tried=good.tried[:, :, :1], tried_se=good.tried_se[:, :, :1],
    )  # fmt: skip
    assert not partial.certified()[1:].any()
    certificate = partial.certificate(partial.contracts()[1])
    assert certificate.missing == ("cleaner",)
    assert certificate.verdict is Verdict.UNDECIDED


def test_a_landscape_of_taxes_refuses_prices_of_single_agents(tmp_path: Path) -> None:
    from contract_wrapper.contracts.costs import get_costs

    settings = tiny_base(game=TINY, costs=get_costs("cleaner_0:per_shot=0.3"))
    with (tmp_path / "said").open("w") as said, pytest.raises(ContractsError, match=r"cleaner_0 alone.*of designs"):
        make_landscape(settings, [0], tmp_path / "landscape", processes=1, stream=said)
