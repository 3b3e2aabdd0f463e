"""Landscapes by name and by path."""

from pathlib import Path

import numpy as np
import pytest
from made_up_landscapes import made_up_landscape

from cleanup_env import make_config
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes import shipped
from contract_wrapper.landscapes.shipped import load_landscape, shipped_names


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that ships made-up landscapes 'effort' and 'paper'."""
    game = make_config("contract")
    about = {"game": {**game.as_dict(), "map": list(game.map)}}
    for name in ("effort", "paper"):
        made_up_landscape(1, about={**about, "costs": str(get_costs(name))}).save(tmp_path / "data" / f"{name}.npz")
    monkeypatch.setattr(shipped.resources, "files", lambda _: tmp_path)
    return tmp_path


def test_a_shipped_landscape_is_loaded_by_its_name(package: Path) -> None:
    assert load_landscape("effort").about["costs"] == str(get_costs("effort"))
    assert shipped_names() == ["effort", "paper", "costly"]


def test_costly_is_paper_with_other_costs(package: Path) -> None:
    paper, costly = load_landscape("paper"), load_landscape("costly")
    assert costly.about["costs"] == str(get_costs("costly"))
    np.testing.assert_allclose(paper.welfare - costly.welfare, (25.0 - 1.84) * paper.n_cleaners[None])


def test_any_other_is_loaded_by_its_path(tmp_path: Path) -> None:
    made_up_landscape(2).save(tmp_path / "mine.npz")
    assert load_landscape(tmp_path / "mine.npz").seeds == load_landscape(str(tmp_path / "mine.npz")).seeds == (0, 1)


def test_an_unknown_name_lists_those_there_are(package: Path) -> None:
    with pytest.raises(ContractsError, match=r"no landscape 'efort'.*effort, paper, costly"):
        load_landscape("efort")


def test_a_package_without_the_file_says_what_it_has(package: Path) -> None:
    (package / "data" / "paper.npz").unlink()
    with pytest.raises(
        ContractsError,
        match=r"'costly' is not shipped with this version, which has effort: make it by .* --costs paper",
    ):
        load_landscape("costly")


@pytest.mark.parametrize("name", [None, 3, ["effort"], "a\0b", "", "x" * 5000])
def test_what_is_neither_name_nor_path_is_refused_in_one_short_line(name: object) -> None:
    with pytest.raises(ContractsError) as caught:
        load_landscape(name)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_what_this_installation_ships_can_be_used() -> None:
    for name in shipped_names():
        landscape = load_landscape(name)
        landscape.check_made_for(game=make_config("contract"), costs=name)
        assert landscape.feasible()[landscape.best()]
