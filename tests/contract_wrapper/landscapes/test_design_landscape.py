"""Landscapes of designed contracts: their numbers, verdicts, files and grids, on made-up tables."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_designs import made_up_designs
from made_up_landscapes import made_up_landscape

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.designed_contract import DesignedContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.landscapes.designs.design_landscape import DesignLandscape
from contract_wrapper.landscapes.designs.design_settings import DesignLandscapeSettings
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.problems.cleanup import cleanup_problem


def designs(problem: Any, **changes: Any) -> DesignLandscapeSettings:
    return DesignLandscapeSettings(problem=problem, base=LandscapeSettings(**changes))


def test_contracts_have_their_numbers_and_are_found_by_them() -> None:
    table = made_up_designs()
    assert table.contracts()[0].is_none
    assert table.contracts()[-1].numbers == (("tax", 1.0), ("piece_rate", 1.0), ("n_cleaners", 2))
    assert isinstance(dict(table.contracts()[-1].numbers)["n_cleaners"], int)
    for k, contract in enumerate(table.contracts()):
        assert table.number(contract) == k


def test_a_contract_that_is_not_in_the_table_is_not_interpolated() -> None:
    table = made_up_designs()
    with pytest.raises(ContractsError, match=r"the nearest that is: tax 0\.333333333"):
        table.number(DesignedContract.of("made-up", {"tax": 0.3, "piece_rate": 0.0, "n_cleaners": 1}))
    with pytest.raises(ContractsError, match="no contract of made-up"):
        table.number(DesignedContract.of("another", {"tax": 0.0, "piece_rate": 0.0, "n_cleaners": 1}))
    with pytest.raises(ContractsError, match="no contract of made-up"):
        table.number(Contract(tax=0.5, n_cleaners=1))
    with pytest.raises(ContractsError, match="has tax, piece_rate, n_cleaners"):
        table.number(DesignedContract.of("made-up", {"tax": 0.0}))


def test_a_contract_is_feasible_by_margins_and_certified_by_margins_and_gains() -> None:
    table = made_up_designs()
    tax, rate = np.nan_to_num(table.numbers[1:, 0]), table.numbers[1:, 1]
    assert np.array_equal(table.feasible()[1:], rate < 0.8)  # harvester_0 has 2 less than without a contract above it
    assert np.array_equal(table.certified()[1:], (rate < 0.8) & (tax > 0.2))  # a deviator gains 1 - 4 tax
    best = table.contracts()[table.best(table.certified())]
    assert dict(best.numbers) == {"tax": 1.0, "piece_rate": 0.0, "n_cleaners": 2}
    assert "certified" in str(table.certificate(best))
    assert table.paired(best, table.contracts()[0]).mean == pytest.approx(120.0)
    assert table.indistinguishable(table.certified()).sum() == 1


def test_what_counts_as_nothing_is_what_the_problem_says() -> None:
    """A lone deviator gains 1 - 4 x the first term: 1 at 0, below 0 from a third on."""
    usual = made_up_designs()
    said = {**usual.about, "problem": {**usual.about["problem"], "epsilon": 2.0}}
    loose = dataclasses.replace(usual, about=said)
    assert usual.default_epsilon() != loose.default_epsilon() == 2.0
    zero = int(np.flatnonzero((usual.numbers[:, :2] == 0.0).all(axis=1))[0])
    assert not usual.certified()[zero]
    assert loose.certified()[zero]
    assert loose.certificate(loose.contracts()[zero]).epsilon == 2.0
    for wrong in (-1.0, "much", float("nan")):
        with pytest.raises(ContractsError, match="epsilon must be a number"):
            dataclasses.replace(usual, about={"problem": {**said["problem"], "epsilon": wrong}})


def test_the_best_is_that_of_the_objective_and_not_of_welfare() -> None:
    table = made_up_designs()
    fair = dataclasses.replace(table, value=-table.welfare)
    assert fair.best() != table.best()
    assert fair.best() == int(np.where(fair.feasible(), -table.welfare.mean(axis=0), -np.inf).argmax())


def test_a_file_gives_the_table_back_and_no_other_kind_of_landscape(tmp_path: Path) -> None:
    table, path = made_up_designs(), tmp_path / "landscape.npz"
    table.save(path)
    again = DesignLandscape.load(path)
    assert again.contracts() == table.contracts()
    assert np.allclose(again.value, table.value, rtol=1e-6)
    assert again.about == table.about
    with pytest.raises(ContractsError, match="no landscape that can be used"):
        Landscape.load(path)
    made_up_landscape().save(path)
    with pytest.raises(ContractsError, match="no landscape that can be used"):
        DesignLandscape.load(path)


def test_seeds_are_put_side_by_side_and_other_problems_are_not() -> None:
    whole, parts = made_up_designs(n_seeds=2), []
    for s in range(2):
        axes = DesignLandscape.FORM.axes
        one = {name: getattr(whole, name)[s : s + 1] for name, letters in axes.items() if letters[0] == "S"}
        parts.append(dataclasses.replace(whole, seeds=(s,), **one))
    assert np.array_equal(DesignLandscape.joined(parts).value, whole.value)
    other = dataclasses.replace(parts[1], about={"problem": {**whole.about["problem"], "name": "another"}})
    with pytest.raises(ContractsError, match="differ in more than their seeds"):
        DesignLandscape.joined([parts[0], other])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"about": {}}, r"says of which problem it is"),
        ({"terms": ("tax", "rate", "n_cleaners")}, "says of which problem it is"),
        ({"terms": ("tax", "tax", "n_cleaners")}, "must differ from each other"),
        ({"roles": ("harvester", "Cleaner!")}, "roles of a landscape is a tuple"),
        ({"numbers": np.zeros((33, 3))}, "but for no contract, the first"),
        ({"value": np.full((3, 33), np.nan)}, "a value for every contract|must be finite"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ContractsError, match=words):
        dataclasses.replace(made_up_designs(), **changes)


def test_a_contract_that_comes_twice_is_refused() -> None:
    numbers = made_up_designs().numbers.copy()
    numbers[2] = numbers[1]
    with pytest.raises(ContractsError, match="comes twice"):
        made_up_designs(numbers=numbers)


def test_two_terms_make_a_grid_with_both_bounds_and_more_a_sample() -> None:
    grid = designs(cleanup_problem("tax-and-piece-rate", max_cleaners=2), steps=3)
    assert grid.points == tuple((x, y) for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5, 1.0))
    assert [str(c) for c in grid.contracts()[:2]] == ["no contract", "tax 0, piece_rate 0, n_cleaners 1"]
    assert len(grid.contracts()) == 1 + 2 * 9
    sample = designs(cleanup_problem("tax-per-harvester"), samples=7)
    assert np.array(sample.points).shape == (7, 5)
    assert sample.points == designs(sample.problem, samples=7).points


def test_every_contract_takes_the_deviation_of_the_nearest_point_where_all_were_tried() -> None:
    settings = designs(cleanup_problem("tax-and-piece-rate", max_cleaners=1), steps=5, tried=4)
    points, tried = np.array(settings.points), settings.tried_columns()
    assert points[tried].tolist() == [[0.25, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.75]]
    near = points[tried][settings.nearest_tried()]
    away = np.abs(points[:, None] - points[tried]).sum(axis=2)
    assert np.array_equal(np.abs(points - near).sum(axis=1), away.min(axis=1))


def test_a_game_without_recruits_has_one_crew_and_one_role() -> None:
    from cleanup_env import make_config

    settings = designs(cleanup_problem("free-tax", game=make_config("original")), steps=3)
    assert (settings.sizes, settings.roles) == ((0,), ("free",))
    assert "n_cleaners" not in dict(settings.contracts()[1].numbers)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 1}, "steps must be an integer of 2 to"),
        ({"steps": 1_000}, "at most 10,000 contracts"),
        ({"episodes": 1}, "episodes must be an integer of 2 to"),
        ({"problem": "tax"}, "agents that know all contracts"),
        ({"problem": cleanup_problem("tax-and-piece-rate", max_cleaners=2), "sizes": (1, 5)}, "know crews of 1 to 2"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ContractsError, match=words):
        designs(**{"problem": cleanup_problem("tax-and-piece-rate"), **changes})


def test_the_tax_has_the_same_landscape_as_a_designed_contract(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from cleanup_env import make_config
    from contract_wrapper.landscapes.building.one_seed import SeedBuilder
    from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile

    learner = get_mtmfq_profile("smoke", episodes=20, n_games=4, hidden=(8,), n_step=3, updates_per_step=0.5)
    game = make_config("contract", horizon=6)
    base = LandscapeSettings(
        game=game, taxes=(0.0, 0.5, 1.0), sizes=(1, 2, 3, 4, 5), tried_taxes=(0.0, 0.5, 1.0), crews=learner, deviators=learner,
        baseline=learner, episodes=2, tried_episodes=2, steps=3, tried=3,
    )  # fmt: skip
    problem = cleanup_problem("tax", game=game)
    plans: list[Any] = [base, DesignLandscapeSettings(problem=problem, base=dataclasses.replace(base, game=game))]
    taxed, designed = (
        SeedBuilder(plan, 3, tmp_path / str(i), lambda _: None, lambda: False).table() for i, plan in enumerate(plans)
    )
    assert np.array_equal(designed.numbers[1:, 0], taxed.tax[1:])
    for name in ("welfare", "welfare_se", "harvest", "shots", "waste", "utilities", "utilities_se"):
        assert np.array_equal(getattr(designed, name), getattr(taxed, name), equal_nan=True), name
    assert np.allclose(designed.margins(), taxed.margins(), equal_nan=True)
    assert np.array_equal(designed.value, taxed.welfare)
    roles, names = ([one.index(name) for name in other] for one, other in (
        (designed.roles, taxed.tried_roles), (designed.deviations, taxed.deviations),
    ))  # fmt: skip
    assert np.array_equal(designed.tried[:, :, roles][..., names], taxed.tried, equal_nan=True)
