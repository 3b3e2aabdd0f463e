"""Landscapes made: every contract played, the strongest deviation measured on other episodes, stops and resumes."""

import dataclasses
import io
import shutil
from pathlib import Path

import numpy as np
import pytest

from cleanup_env import make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.by_crews.crew_folder import read_crews
from contract_wrapper.evaluation.contract_grid import play_grid
from contract_wrapper.evaluation.evaluate import EvaluationStopped
from contract_wrapper.landscapes.building.landscape_folder import _Making, make_landscape
from contract_wrapper.landscapes.building.landscape_settings import GRID, LandscapeSettings
from contract_wrapper.landscapes.building.one_seed import BUILDS_ON, Part, SeedBuilder, kinds_of_deviators, parts_of
from contract_wrapper.landscapes.building.seed_tables import names_of, nearest, seed_of_contract
from contract_wrapper.landscapes.landscape import ROLES, Landscape
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile

LEARNER = get_mtmfq_profile("smoke", episodes=24, n_games=4, hidden=(8,), n_step=5, updates_per_step=0.5)
SETTINGS = LandscapeSettings(
    game=make_config("contract", horizon=20), taxes=(0.0, 0.1, 0.3, 0.5), sizes=(1, 3), tried_taxes=(0.1, 0.5),
    crews=LEARNER, deviators=LEARNER, baseline=LEARNER, episodes=3, tried_episodes=4,
)  # fmt: skip


def build(folder: Path, settings: LandscapeSettings = SETTINGS, seed: int = 1, stop_after: int = 10**9, told=None):
    """Make a seed in this process; it is asked to stop after it has been asked so many times."""
    asked = iter(range(stop_after))
    tell = (lambda _: None) if told is None else told.append
    return SeedBuilder(settings, seed, folder, tell, lambda: next(asked, None) is None).table()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Landscape, Path, list]:
    folder, told = tmp_path_factory.mktemp("landscape") / "seed-1", []
    return build(folder, told=told), folder, told


def same(one: Landscape, other: Landscape) -> bool:
    return all(
        np.array_equal(value, other.fields()[name], equal_nan=value.dtype.kind == "f")
        for name, value in one.fields().items()
        if isinstance(value, np.ndarray) and name != "cpu_seconds"
    )


def test_every_contract_of_the_grid_is_there_after_no_contract(made):
    landscape, _, _ = made
    assert landscape.contracts() == [
        Contract.none(), *(Contract(tax=t, n_cleaners=n) for n in (1, 3) for t in (0.0, 0.1, 0.3, 0.5)),
    ]  # fmt: skip
    assert landscape.tax[landscape.tried_at].tolist() == [0.1, 0.5, 0.1, 0.5]
    assert landscape.n_cleaners[landscape.tried_at].tolist() == [1, 1, 3, 3]
    assert landscape.deviations == names_of(ROLES)
    assert landscape.about["costs"] == str(get_costs("effort"))


def test_the_table_holds_what_the_crews_play(made):
    landscape, folder, _ = made
    (crews,) = read_crews(folder, SETTINGS.evaluation(1))
    k = landscape.number(Contract(tax=0.3, n_cleaners=3))
    grid = play_grid(crews, 3, [[0.3]], episodes=3, seed=seed_of_contract(1, k))
    assert landscape.welfare[0, k] == grid.welfare[0].mean()
    assert landscape.shots_se[0, k] == pytest.approx(grid.shots[0].std(ddof=1) / 3**0.5)
    for i, agent in enumerate(grid.agents):
        assert landscape.utilities[0, k, landscape.agents.index(agent)] == grid.utilities[0, :, i].mean()


def test_money_is_neither_made_nor_lost(made):
    landscape, _, _ = made
    assert np.nansum(landscape.utilities, axis=2) == pytest.approx(landscape.welfare)


def test_the_strongest_deviation_is_that_of_the_nearest_tax(made):
    landscape, _, _ = made
    assert nearest(SETTINGS).tolist() == [[0, 0, 0, 1], [2, 2, 2, 3]]  # 0.3 lies as near to 0.1 as to 0.5
    one, other = landscape.tried[0, :2], landscape.tried[0, 2:]  # of the two crew sizes
    pooled = np.concatenate([[2 * x[0] + x[1], x[0] + 2 * x[1]] for x in (one, other)])
    best = np.where(np.isnan(pooled), -np.inf, pooled).argmax(axis=2)
    assert np.array_equal(landscape.strongest[0, 1:], best[nearest(SETTINGS)].reshape(-1, 2))
    assert (landscape.strongest[0, 0] == -1).all()
    assert np.isfinite(landscape.gains[0, 1:]).all()
    assert np.isnan(landscape.gains[0, 0]).all()
    assert np.isnan(
        landscape.tried[0, :, 1, names_of(ROLES).index("never work")]
    ).all()  # harvesters have no such deviation


@pytest.mark.parametrize("stop_after", [3, 16, 40, 90, 130])
def test_a_stopped_seed_goes_on_and_ends_as_if_it_had_not_stopped(made, tmp_path, stop_after):
    landscape, _, _ = made
    with pytest.raises(EvaluationStopped):
        build(tmp_path / "seed-1", stop_after=stop_after)
    assert same(build(tmp_path / "seed-1"), landscape)


def test_a_finished_seed_is_read_and_not_made_again(made, tmp_path):
    landscape, folder, _ = made
    shutil.copytree(folder, tmp_path / "seed-1")
    told: list = []
    again = build(tmp_path / "seed-1", told=told)
    assert same(again, landscape)
    assert len(told) <= len(kinds_of_deviators(SETTINGS))  # read, not played


def test_a_part_is_given_to_a_worker_once_what_it_builds_on_is_there():
    making = _Making(SETTINGS, (7, 8))
    waiting, order = making.first(), []
    assert [job.part.name for job in waiting] == ["crews", "crews", "baseline", "baseline"]
    done: dict[int, set[Part]] = {7: set(), 8: set()}
    rng = np.random.default_rng(0)
    while waiting:
        job = waiting.pop(int(rng.integers(len(waiting))))  # workers end in any order
        order.append(job)
        for kind in () if job.part is None else BUILDS_ON[job.part.kind]:
            assert {part for part in parts_of(SETTINGS) if part.kind == kind} <= done[job.seed]
        if job.part is None:
            assert done[job.seed] == set(parts_of(SETTINGS))
        else:
            assert job.part not in done[job.seed]
            done[job.seed].add(job.part)
        waiting += making.after(job)
    assert sorted(job.seed for job in order if job.part is None) == [7, 8]
    assert [job.number for job in sorted(order, key=lambda job: job.number)] == list(range(len(order)))
    assert making.done() == pytest.approx(2.0)
    assert making.running() == []


@pytest.mark.parametrize("name", ["played-3.npz", "tried-1.npz", "gains-3.npz"])
def test_a_table_that_was_cut_short_is_named(made, tmp_path, name):
    _, folder, _ = made
    shutil.copytree(folder, tmp_path / "seed-1")
    path = tmp_path / "seed-1" / name
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ContractsError, match=f"a table of the landscape is not as it should be: .*{name}"):
        build(tmp_path / "seed-1")


def test_a_table_of_other_settings_is_refused(made, tmp_path):
    _, folder, _ = made
    shutil.copytree(folder, tmp_path / "seed-1")
    with pytest.raises(ContractsError, match="made for another training: its landscape is"):
        build(tmp_path / "seed-1", dataclasses.replace(SETTINGS, tried_episodes=5))


def test_several_seeds_lie_side_by_side_and_processes_change_nothing(made, tmp_path):
    landscape, folder, _ = made
    shutil.copytree(folder, tmp_path / "land" / "seed-1")
    whole = make_landscape(SETTINGS, [1, 2], tmp_path / "land", processes=2, stream=io.StringIO(), command="this one")
    assert whole.seeds == (1, 2)
    assert whole.about["command"] == "this one"
    assert whole.about["versions"]["numpy"] == np.__version__
    assert np.array_equal(whole.welfare[0], landscape.welfare[0].astype(np.float32))
    alone = build(tmp_path / "alone" / "seed-2", seed=2)
    assert np.array_equal(whole.utilities[1], alone.utilities[0].astype(np.float32), equal_nan=True)
    assert (tmp_path / "land" / "landscape.csv").read_text().count("\n") == 10  # a head, no contract and 8 contracts
    with pytest.raises(ContractsError, match="was begun with another episodes"):
        make_landscape(dataclasses.replace(SETTINGS, episodes=5), [1], tmp_path / "land", stream=io.StringIO())


@pytest.mark.parametrize("seeds", [[], [1, 1], [-1], ["a"]])
def test_seeds_are_distinct(tmp_path, seeds):
    with pytest.raises(ContractsError, match="seed"):
        make_landscape(SETTINGS, seeds, tmp_path, stream=io.StringIO())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"taxes": ()}, "taxes must be rising numbers between 0 and 1"),
        ({"taxes": (0.2, 0.1)}, "taxes must be rising"),
        ({"taxes": (0.2, float("nan"))}, "taxes must be rising"),
        ({"tried_taxes": (0.2, 1.1)}, "tried_taxes must be rising"),
        ({"sizes": (1, 1)}, "sizes must be distinct numbers"),
        ({"sizes": (99,)}, "too few for 5 harvesters and 99 cleaners"),
        ({"episodes": 1}, "episodes must be an integer of 2 to"),
        ({"tried_episodes": True}, "tried_episodes must be an integer of 2 to"),
    ],
)
def test_settings_are_checked_at_birth(changes, message):
    with pytest.raises(ContractsError, match=message):
        LandscapeSettings(**changes)


def test_the_default_is_all_contracts_of_the_design_space():
    assert len(GRID) == 101
    assert len(LandscapeSettings().contracts()) == 506
