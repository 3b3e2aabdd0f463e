"""Landscapes: their rules, their file, and what they say of contracts."""

import csv
import dataclasses
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_landscapes import made_up_landscape

from cleanup_env import make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.landscape import KIND, Landscape
from contract_wrapper.landscapes.table.fields import TAX_FORM
from mtmfq.checkpoint import save_arrays

GAME = make_config("contract")
MADE_FOR = {"game": {**GAME.as_dict(), "map": list(GAME.map)}, "costs": str(get_costs("paper")), "code": "abc"}


def plain(landscape: Landscape) -> tuple[dict[str, Any], dict[str, Any]]:
    """What its file holds: the plain part, and the arrays in the types of a file."""
    whole = ("n_cleaners", "strongest", "tried_at")
    arrays = {
        name: getattr(landscape, name).astype(
            np.int16 if name in whole else np.float64 if name == "tax" else np.float32
        )
        for name in TAX_FORM.axes
    }
    meta = {name: getattr(landscape, name) for name in ("about", "seeds", "agents", "deviations")}
    return meta, arrays


# Rules.


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"welfare": np.zeros((2, 3))}, r"welfare .*\(2, 56\), got float64 \(2, 3\)"),
        ({"welfare": np.full((2, 56), np.nan)}, "welfare of a landscape must be finite"),
        ({"gains": np.full((2, 56, 2), np.inf)}, "gains of a landscape must be finite or NaN"),
        ({"welfare_se": np.full((2, 56), np.nan)}, "welfare .*finite error"),
        ({"welfare_se": np.full((2, 56), -1.0)}, "welfare .*error of at least 0"),
        ({"strongest": np.full((2, 56, 2), 6)}, "numbers its 6 deviations"),
        ({"strongest": np.full((2, 56, 2), -1)}, "names the deviation of every gain"),
        ({"strongest": np.full((2, 56, 2), 0.5)}, "must be integers"),
        ({"tried_at": np.full(28, 56)}, "numbers its 56 contracts"),
        ({"seeds": (1, 1)}, "seeds .*differ"),
        ({"seeds": (-1, 1)}, "seeds .*integers"),
        ({"seeds": (True, 3)}, "seeds .*integers"),
        ({"agents": ("<b>x</b>",) * 10}, "agents .*role_number"),
        ({"deviations": ("<script>", "b", "c", "d", "e", "f")}, "deviations .*punctuation"),
        ({"about": [1]}, "about .*mapping"),
        ({"tax": np.linspace(0.1, 1, 56)}, "contract 0"),
        ({"tax": np.zeros(56)}, "none comes twice"),
        ({"tax": np.full(56, np.nan)}, "contract 0"),
    ],
)
def test_what_breaks_a_rule_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractsError, match=words):
        made_up_landscape(2, **changes)


def test_a_number_where_nobody_is_and_none_where_somebody_is_are_refused() -> None:
    for place, value in (((0, 1, 6), 3.0), ((0, 1, 5), np.nan), ((1, 0, 0), np.nan)):
        utilities = made_up_landscape(2).utilities.copy()
        utilities[place] = value
        with pytest.raises(ContractsError, match="utilities of a landscape"):
            made_up_landscape(2, utilities=utilities, utilities_se=np.zeros_like(utilities))


# The file.


@given(st.integers(1, 3), st.integers(0, 20))
def test_a_landscape_comes_back_from_its_file(tmp_path_factory: Any, n_seeds: int, seed: int) -> None:
    path = tmp_path_factory.mktemp("landscape") / "x.npz"
    first = made_up_landscape(n_seeds, seed)
    first.save(path)
    again = Landscape.load(path)
    for field in dataclasses.fields(Landscape):
        mine, its = getattr(first, field.name), getattr(again, field.name)
        if isinstance(mine, np.ndarray):
            assert mine.dtype == its.dtype
            np.testing.assert_allclose(its, mine, rtol=1e-6)
        else:
            assert mine == its
    np.testing.assert_array_equal(first.tax, again.tax)


def test_a_file_cut_short_anywhere_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    made_up_landscape(1).save(path)
    whole = path.read_bytes()
    for size in [0, 1, 100, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(ContractsError, match="no landscape that can be used") as caught:
            Landscape.load(path)
        assert "\n" not in str(caught.value)


def test_a_file_with_one_byte_changed_is_refused_or_the_same(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    first = made_up_landscape(1, n_taxes=2)
    first.save(path)
    whole = path.read_bytes()
    refused = 0
    for at in range(0, len(whole), 97):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            np.testing.assert_allclose(Landscape.load(path).welfare, first.welfare, rtol=1e-6)
        except ContractsError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    ("meta", "arrays", "words"),
    [
        ({"seeds": "01"}, {}, "list of seeds is damaged"),
        ({"seeds": [0, [1]]}, {}, "seeds .*integers"),
        ({"seeds": [0, 1, 2]}, {}, r"should be .* \(3, 56"),
        ({"deviations": [f"d{i}" for i in range(50_000)]}, {}, "should be"),
        ({"about": None}, {}, "about .*mapping"),
        ({"version": 99}, {}, "form 99.*reads form 1"),
        ({"agents": ["<img src=x>", *made_up_landscape().agents[1:]]}, {}, "agents .*role_number"),
        ({}, {"tax": None}, "no landscape"),
        ({}, {"waste": None}, "waste is missing"),
        ({}, {"welfare": np.full((2, 56), np.nan, np.float32)}, "welfare of a landscape must be finite"),
        ({}, {"welfare": np.zeros((2, 56), np.float64)}, "welfare should be <f4"),
        ({}, {"tax": np.full(56, np.nan)}, "contract 0"),
        ({}, {"tax": np.float64(3.0)}, "no landscape"),
        ({}, {"tried_at": np.full(28, -3, np.int16)}, "numbers its 56 contracts"),
    ],
)
def test_a_file_made_by_hand_is_refused(
    tmp_path: Path, meta: dict[str, Any], arrays: dict[str, Any], words: str
) -> None:
    path = tmp_path / "x.npz"
    had, kept = plain(made_up_landscape(2))
    kept = {name: array for name, array in {**kept, **arrays}.items() if array is not None}
    save_arrays(path, KIND, {**had, **meta}, kept)
    with pytest.raises(ContractsError, match=words):
        Landscape.load(path)


@pytest.mark.parametrize("shape", [b"(9999999999999, )", b"(1, 99999999999  ", b"\n  1\n 1           "])
def test_an_array_whose_header_lies_takes_no_memory_and_is_refused(tmp_path: Path, shape: bytes) -> None:
    path, other = tmp_path / "x.npz", tmp_path / "y.npz"
    made_up_landscape(1).save(path)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for member in source.infolist():
            data = source.read(member)
            if member.filename == "welfare.npy":
                data = data.replace(b"(1, 56), }        ", shape + b"}", 1)
                assert shape in data
            target.writestr(member, data)
    with pytest.raises(ContractsError, match="no landscape"):
        Landscape.load(other)


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    save_arrays(path, "policy", {}, {"a": np.zeros(3)})
    with pytest.raises(ContractsError, match=r"kind 'policy'.*'landscape'"):
        Landscape.load(path)
    path.write_text(json.dumps({"seeds": [0]}))
    with pytest.raises(ContractsError, match="no landscape"):
        Landscape.load(path)
    with pytest.raises(ContractsError, match="there is no"):
        Landscape.load(tmp_path / "none.npz")


def test_a_landscape_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ContractsError, match="could not be written"):
        made_up_landscape(1).save(tmp_path / "file" / "x.npz")
    with pytest.raises(ContractsError, match="could not be written"):
        made_up_landscape(1, about={"x": object()}).save(tmp_path / "x.npz")


# Seeds side by side.


def test_landscapes_of_other_seeds_stand_side_by_side() -> None:
    both, one = made_up_landscape(2), made_up_landscape(1)
    second = dataclasses.replace(
        one, seeds=(1,), **{n: getattr(both, n)[1:] for n, axes in TAX_FORM.axes.items() if axes[0] == "S"}
    )
    joined = Landscape.joined([one, second])
    assert joined.seeds == (0, 1)
    np.testing.assert_array_equal(joined.welfare, both.welfare)
    np.testing.assert_array_equal(joined.tried, both.tried)


def test_landscapes_that_differ_in_more_than_seeds_do_not_join() -> None:
    one = made_up_landscape(1)
    for other in (made_up_landscape(1, seeds=(1,), about={}), made_up_landscape(1, n_taxes=3, seeds=(1,))):
        with pytest.raises(ContractsError, match="more than their seeds"):
            Landscape.joined([one, other])
    with pytest.raises(ContractsError, match="differ from each other"):
        Landscape.joined([one, one])
    with pytest.raises(ContractsError, match="at least one seed"):
        Landscape.joined([])


# What it says.


def test_margins_are_against_no_contract_for_harvesters_and_against_nothing_for_cleaners() -> None:
    land = made_up_landscape(2)
    margins = land.margins()
    np.testing.assert_array_equal(margins[:, 0, :5], 0.0)
    np.testing.assert_allclose(margins[:, 7, 0], land.utilities[:, 7, 0] - land.utilities[:, 0, 0])
    np.testing.assert_array_equal(margins[:, 7, 5], land.utilities[:, 7, 5])
    assert np.isnan(margins[:, 7, 6]).all()  # a crew of one


def test_a_contract_is_accepted_if_the_means_of_all_margins_are() -> None:
    land = made_up_landscape(3)
    for k in (0, 5, 30, 55):
        margins = land.margins()[:, k].mean(axis=0)
        assert land.feasible()[k] == (margins[~np.isnan(margins)] >= 0).all()
    assert 0 < land.feasible().sum() < len(land.tax)


@pytest.mark.parametrize("n_seeds", [1, 2, 5])
def test_masks_and_certificates_say_the_same_of_every_contract(n_seeds: int) -> None:
    land = made_up_landscape(n_seeds)
    certified, refuted = land.certified(), land.refuted()
    for k, contract in enumerate(land.contracts()):
        found = land.certificate(contract)
        words = "certified" if certified[k] else "refuted" if refuted[k] else "undecided"
        assert found.verdict == words
        assert len(found.margins) == 5 + contract.n_cleaners
    assert certified.any()
    assert refuted.any()


def test_what_was_not_tried_is_not_certified() -> None:
    land = made_up_landscape(2)
    gains, errors, strongest = land.gains.copy(), land.gains_se.copy(), land.strongest.copy()
    k = int(np.flatnonzero(land.certified())[-1])
    gains[1, k, 1] = errors[1, k, 1] = np.nan
    strongest[1, k, 1] = -1
    less = dataclasses.replace(land, gains=gains, gains_se=errors, strongest=strongest)
    assert not less.certified()[k]
    assert less.certificate(less.contracts()[k]).missing == ("harvester",)


def test_epsilon_is_two_percent_of_the_baseline() -> None:
    land = made_up_landscape(2)
    assert land.default_epsilon() == pytest.approx(0.02 * land.utilities[:, 0, :5].mean())
    assert land.certified(100.0).sum() > land.certified(0.0).sum()


@given(st.permutations(range(4)))
def test_the_order_of_the_seeds_changes_no_verdict(order: list[int]) -> None:
    land = made_up_landscape(4, n_taxes=3)
    moved = {n: getattr(land, n)[order] for n, axes in TAX_FORM.axes.items() if axes[0] == "S"}
    other = dataclasses.replace(land, seeds=tuple(order), **moved)
    for verdict in ("feasible", "certified", "refuted", "indistinguishable"):
        np.testing.assert_array_equal(getattr(land, verdict)(), getattr(other, verdict)())
    assert land.best() == other.best()


def test_the_best_and_those_beside_it_are_accepted_by_default() -> None:
    land = made_up_landscape(5)
    assert land.feasible()[land.best()]
    assert not (land.indistinguishable() & ~land.feasible()).any()
    assert land.indistinguishable()[land.best()]
    assert land.welfare[:, land.best(land.tax >= 0)].mean() == land.welfare.mean(axis=0).max()
    assert land.best(values=-land.waste) == land.best()  # in the made-up landscape waste falls with welfare


def test_ties_go_to_the_lowest_tax_the_smallest_crew_or_the_worst_off() -> None:
    land = made_up_landscape(2, noise=30.0)
    these = land.feasible()
    assert land.tax[land.tie_break("lowest tax", these)] == land.tax[these].min()
    assert land.n_cleaners[land.tie_break("smallest crew", these)] == land.n_cleaners[these].min()
    worst = np.nanmin(land.utilities.mean(axis=0), axis=1)
    assert worst[land.tie_break("fairest", these)] == worst[these].max()


def test_two_contracts_are_compared_training_by_training() -> None:
    land = made_up_landscape(5, spread=100.0, noise=0.0)
    x, y = land.contracts()[50], land.contracts()[5]
    assert land.paired(x, y).se == pytest.approx(0.0, abs=1e-9)
    assert land.paired(x, y).mean == pytest.approx(-land.paired(y, x).mean)


def test_a_contract_that_is_not_there_is_not_guessed() -> None:
    with pytest.raises(ContractsError, match=r"11 taxes from 0\.02 to 1 with 2 cleaners"):
        made_up_landscape().certificate(Contract(tax=0.5, n_cleaners=2))


# Other costs, and what it was made for.


def test_other_flat_costs_shift_utilities_and_welfare_and_nothing_else() -> None:
    land = made_up_landscape(2, about=MADE_FOR)
    dear = land.recosted("costly")
    more = 25.0 - 0.0092 * 200
    np.testing.assert_allclose(dear.utilities[:, :, 5:], land.utilities[:, :, 5:] - more)
    np.testing.assert_array_equal(dear.utilities[:, :, :5], land.utilities[:, :, :5])
    np.testing.assert_allclose(dear.welfare, land.welfare - more * land.n_cleaners)
    for name in ("harvest", "shots", "gains", "tried"):
        np.testing.assert_array_equal(getattr(dear, name), getattr(land, name))
    assert dear.about["costs"] == str(get_costs("costly"))
    back = dear.recosted("paper")
    np.testing.assert_allclose(back.utilities, land.utilities)
    np.testing.assert_allclose(back.welfare, land.welfare)


def test_other_flat_costs_of_one_agent_shift_its_utility_alone() -> None:
    land = made_up_landscape(2, about=MADE_FOR)
    dear = land.recosted("cleaner:per_step=0.0092;harvester_3:per_step=0.05")
    np.testing.assert_allclose(dear.utilities[:, :, 3], land.utilities[:, :, 3] - 0.05 * 200)
    np.testing.assert_array_equal(np.delete(dear.utilities, 3, 2), np.delete(land.utilities, 3, 2))
    np.testing.assert_allclose(dear.welfare, land.welfare - 0.05 * 200)
    with pytest.raises(ContractsError, match="the costs name the agent 'harvester_5', which the game does not have"):
        land.recosted("harvester_5:per_step=0.05")


def test_costs_of_shots_cannot_be_exchanged() -> None:
    with pytest.raises(ContractsError, match=r"per_shot=0\.02 of a cleaner do"):
        made_up_landscape(about=MADE_FOR).recosted("effort")
    with pytest.raises(ContractsError, match=r"per_shot=0\.02 of a cleaner do"):
        made_up_landscape(about={**MADE_FOR, "costs": "effort"}).recosted("paper")
    with pytest.raises(ContractsError, match="does not say its costs"):
        made_up_landscape(about={}).recosted("paper")
    with pytest.raises(ContractsError, match="horizon"):
        made_up_landscape(about={"costs": "paper"}).recosted("costly")


def test_a_landscape_of_another_making_is_refused_by_its_first_difference(tmp_path: Path) -> None:
    made_up_landscape(about=MADE_FOR).save(tmp_path / "x.npz")
    land = Landscape.load(tmp_path / "x.npz")
    land.check_made_for(game=GAME, costs="paper", code="abc")
    with pytest.raises(ContractsError, match="its horizon is 200, but 50 is needed"):
        land.check_made_for(game=make_config("contract", horizon=50))
    with pytest.raises(ContractsError, match=r"per_step=0.0092, but cleaner:per_shot=0.02 are needed"):
        land.check_made_for(costs="effort")
    with pytest.raises(ContractsError, match="another version of the code, 'abc'"):
        land.check_made_for(code="def")
    game = {name: value for name, value in GAME.as_dict().items() if name != "map"}
    with pytest.raises(ContractsError, match="another game: its map is nothing"):
        made_up_landscape(about={"game": game}).check_made_for(game=GAME)


# CSV.


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_the_csv_has_a_row_per_contract_and_says_what_its_errors_are_over(n_seeds: int) -> None:
    land = made_up_landscape(n_seeds)
    rows = list(csv.DictReader(io.StringIO(land.to_csv())))
    assert len(rows) == 56
    row = rows[7]
    assert float(row["tax"]) == pytest.approx(land.tax[7], rel=1e-5)
    assert float(row["welfare"]) == pytest.approx(land.welfare[:, 7].mean(), rel=1e-5)
    error = land.welfare[:, 7].std(ddof=1) / np.sqrt(3) if n_seeds > 1 else land.welfare_se[0, 7]
    assert float(row["welfare_se"]) == pytest.approx(error, rel=1e-5)
    assert row["errors_over"] == ("trainings" if n_seeds > 1 else "episodes")
    assert row["utility_cleaner_4"] == row["margin_cleaner_4"] == ""
    assert [r["certified"] == "yes" for r in rows] == land.certified().tolist()
    assert [r["feasible"] == "yes" for r in rows] == land.feasible().tolist()
    mean, se = (
        land.margins().mean(axis=0),
        land.margins_se()[0] if n_seeds == 1 else land.margins().std(axis=0, ddof=1) / np.sqrt(3),
    )
    assert [r["acceptance"] == "accepted" for r in rows] == (np.nan_to_num(mean - 2 * se) >= 0).all(axis=1).tolist()
    assert [r["acceptance"] == "refused" for r in rows] == (np.nan_to_num(mean + 2 * se) < 0).any(axis=1).tolist()
    assert all(r["acceptance"] != ("refused" if r["feasible"] == "yes" else "accepted") for r in rows)
    at_most = land.certificate(land.contracts()[7]).gains[0].upper
    assert float(row["gain_cleaner_at_most"]) == pytest.approx(at_most, rel=1e-5)
