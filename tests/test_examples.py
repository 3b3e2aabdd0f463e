"""Every example runs, in a small size, and says what its docstring promises."""

import importlib.util
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract_wrapper import Contract, Roles, SearchSettings, get_mtmfq_profile
from contract_wrapper.evaluation.participation import acceptance
from tests.contract_wrapper.commands_here import render_nothing

EXAMPLES = Path(__file__).parents[1] / "examples"


MOST_LINES = 60


def load(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / name))


def test_every_example_is_tested_here() -> None:
    text = Path(__file__).read_text()
    assert [path.name for path in sorted(EXAMPLES.glob("*.py")) if path.name not in text] == []


@pytest.mark.parametrize("name", ["04", "11", "12", "13", "14", "15"])
def test_a_game_or_learner_of_ones_own_takes_a_page(name: str) -> None:
    (path,) = EXAMPLES.glob(f"{name}_*.py")
    assert len(path.read_text().splitlines()) <= MOST_LINES


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


def test_05_supersuit_brings_the_game_to_stable_baselines_and_a_seed_fixes_the_training() -> None:
    pytest.importorskip("supersuit")
    example = load("05_sb3_supersuit.py")
    (first, utility), (again, same) = (example["main"](episodes=8, horizon=20, n_games=4) for _ in range(2))
    assert utility == same
    for name, tensor in first.policy.state_dict().items():
        assert (tensor == again.policy.state_dict()[name]).all()


def test_05_the_first_episodes_are_those_of_the_seed_and_monitored() -> None:
    pytest.importorskip("supersuit")
    example = load("05_sb3_supersuit.py")
    first, other = (example["vector_env"](Contract(tax=0.3, n_cleaners=1), 2, seed, horizon=3) for seed in (0, 1))
    seen, again = first.reset(), example["vector_env"](Contract(tax=0.3, n_cleaners=1), 2, 0, horizon=3).reset()
    assert seen.shape == (12, 51)
    assert (seen == again).all()
    assert (seen != other.reset()).any()
    for _ in range(3):
        _, _, dones, infos = first.step([0] * 12)
    assert dones.all()
    assert all(info["episode"]["l"] == 3 and info["terminal_observation"].shape == (51,) for info in infos)


def test_06_our_own_vector_environment_is_many_times_faster(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("supersuit")
    ratios = load("06_sb3_fast.py")["main"](steps=20, n_games=4, horizon=20)
    assert ratios["alone"] > 2
    assert "agent-steps per second" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "packages", "small"),
    [
        ("07_torchrl.py", ["torchrl"], {"episodes": 2, "horizon": 10}),
        ("08_rllib.py", ["ray", "pandas", "tree", "lz4"], {"iterations": 1, "horizon": 10, "steps": 40}),
    ],
)
def test_07_and_08_run_or_say_what_to_install(
    name: str, packages: list[str], small: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    result = load(name)["main"](**small)
    if not all(map(importlib.util.find_spec, packages)):
        assert result is None
        assert "pip install" in capsys.readouterr().out
    else:
        assert result is not None


def test_09_only_contracts_all_the_way_down_help_and_a_player_of_ones_own_plays_along() -> None:
    example = load("09_contract_tree.py")
    nobody, one, learned = (gap.mean for gap in example["chain"](horizon=20_000, n_games=3).values())
    assert nobody == pytest.approx(0.122, abs=0.01)
    assert one == pytest.approx(0.122, abs=0.01)
    assert learned < 0.01
    paid, needed = example["miser"](horizon=20_000)
    assert paid == pytest.approx(needed, abs=0.1)


def test_10_one_training_is_asked_about_every_contract(capsys: pytest.CaptureFixture[str]) -> None:
    example = load("10_every_contract.py")
    small = get_mtmfq_profile("smoke", episodes=24, n_games=4, hidden=(8,), n_step=5, updates_per_step=0.1)
    gains = example["main"](config=small, episodes=3)
    assert {n: len(gain) for n, gain in gains.items()} == {2: 4, 4: 4}
    assert capsys.readouterr().out.count("a free rider gains") == 8


def test_11_the_search_finds_that_fishers_should_share_their_catch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    render_nothing(monkeypatch)
    example = load("11_fishery.py")
    search = SearchSettings(n_initial=3, n_search=1, n_confirm=0)
    record = example["main"](tmp_path / "fishery", search)
    best = record.best()
    assert best.contract.numbers[0][1] >= 0.8
    assert best.outcome.welfare.mean > 2 * record.baseline.welfare.mean
    assert "best found" in capsys.readouterr().out
    assert (tmp_path / "fishery" / "figures" / "report.md").exists()
    again = example["main"](tmp_path / "fishery", search)
    assert [t.outcome for t in again.trials] == [t.outcome for t in record.trials]


def test_12_the_investor_trusts_under_the_tax_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert load("12_aec_by_conversion.py")["main"](episodes=1_600) == {0.0: 0.0, 0.5: 1.0}
    assert "tax 50%: sends in 100% of the games; investor +0.50, trustee +1.50" in capsys.readouterr().out


def test_13_a_learner_of_ones_own_learns_to_eat(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = load("13_your_own_learner.py")["main"](episodes=240)
    assert after > before + 15
    assert capsys.readouterr().out.count("welfare") == 2


def test_14_no_single_tax_suits_unequal_harvesters_and_own_taxes_do(capsys: pytest.CaptureFixture[str]) -> None:
    one, own = load("14_unequal_harvesters.py")["main"](step=0.2).values()
    assert acceptance(one.values()) == "refused"
    assert acceptance(own.values()) == "accepted"
    assert capsys.readouterr().out.count("welfare") == 2


def test_15_a_game_of_mpe2_goes_through_the_whole_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mpe2")
    render_nothing(monkeypatch)
    example = load("15_search_in_mpe2.py")
    transfers = example["hand_over"](*small_hunt(), part=0.5)
    assert transfers.tolist() == [-5.0, -5.0, 0.0, 10.0]
    small = get_mtmfq_profile("smoke", episodes=8, n_games=4, hidden=(8,))
    record = example["main"](tmp_path / "hunt", SearchSettings(n_initial=3, n_search=1, n_confirm=0), small)
    assert [t.failure for t in record.trials] == [""] * 5
    assert set(record.baseline.utilities) == {"adversary_0", "adversary_1", "adversary_2", "agent_0"}
    assert "4 contracts tried" in capsys.readouterr().out
    assert (tmp_path / "hunt" / "figures" / "report.md").exists()


def small_hunt() -> tuple[Any, ...]:
    """Rewards of a step in which two predators earned 10 each and a third lost 2, activity, roles."""
    roles = Roles.from_agents(("adversary_0", "adversary_1", "adversary_2", "agent_0"))
    return np.array([10.0, 10.0, -2.0, -20.0]), None, roles
