"""Every example runs, in a small size, and says what its docstring promises."""

import runpy
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def load(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / name))


def test_every_example_is_tested_here() -> None:
    text = Path(__file__).read_text()
    assert [path.name for path in sorted(EXAMPLES.glob("*.py")) if path.name not in text] == []


def test_01_cleaners_make_apples_grow() -> None:
    example = load("01_play_the_game.py")
    assert example["one_game"](steps=5) >= 0
    harvest = example["many_games"](n_games=8)
    assert harvest[5] > 2 * harvest[0]


def test_02_a_quarter_of_three_nuggets_goes_to_the_guard() -> None:
    assert load("02_contract_any_game.py")["main"]() == {"miner_0": 1.5, "miner_1": 0.75, "guard_0": 0.75}


def test_03_the_search_finds_a_design_that_all_accept(capsys: pytest.CaptureFixture[str]) -> None:
    example = load("03_search_your_own_black_box.py")
    (tax, cleaners), welfare = example["main"](evaluations=12)
    _, harvester, cleaner = example["world"](tax, cleaners)
    assert min(harvester, cleaner) >= 0
    assert welfare > 250
    assert "front" in capsys.readouterr().out


def test_04_the_leader_takes_half_of_what_the_other_predators_earn(capsys: pytest.CaptureFixture[str]) -> None:
    home = load("04_contract_in_mpe2.py")["main"](seed=0, steps=60)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    earned = {row[0]: float(row[2].rstrip(",")) for row in rows}
    catches = earned["adversary_1"]
    assert catches > 0
    assert home["adversary_1"] == home["adversary_2"] == pytest.approx(catches / 2)
    assert home["adversary_0"] == pytest.approx(2 * catches)
    assert sum(home.values()) == pytest.approx(sum(earned.values()), abs=0.05)
