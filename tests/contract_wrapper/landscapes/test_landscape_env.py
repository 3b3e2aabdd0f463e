"""Landscapes as a Gymnasium environment of one step, and all environments that the package registers."""

import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from made_up_landscapes import made_up_landscape

import contract_wrapper
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.landscape_env import LandscapeDesign

LAND = made_up_landscape(3)
NAMES = ("Landscape-v0", "contract_wrapper/Landscape-v0")


def test_the_package_registers_these_environments_and_no_others() -> None:
    ours = {n for n, spec in gymnasium.registry.items() if str(spec.entry_point).startswith("contract_wrapper.")}
    assert ours == {*NAMES, "ContractDesign-v0", "contract_wrapper/ContractDesign-v0"}


@pytest.mark.parametrize("name", [f"contract_wrapper:{NAMES[0]}", *NAMES])
def test_every_name_makes_an_environment_that_passes_gymnasiums_check(name: str) -> None:
    env = gymnasium.make(name, landscape=LAND)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


def test_an_action_numbers_a_tax_and_a_crew_size() -> None:
    env = LandscapeDesign(LAND)
    assert env.contract((0, 0)) == Contract(tax=0.02, n_cleaners=1)
    for i in range(11):
        for j in range(5):
            assert env.action(env.contract((i, j))).tolist() == [i, j]


def test_the_reward_is_welfare_of_a_training_and_the_info_says_who_accepts() -> None:
    env = LandscapeDesign(LAND)
    env.reset(seed=1)
    observation, reward, terminated, truncated, info = env.step(np.array([3, 4]))
    k = LAND.number(env.contract((3, 4)))
    assert reward in LAND.welfare[:, k].tolist()
    assert (observation.tolist(), terminated, truncated) == ([0.0], True, False)
    assert info["contract"] == LAND.contracts()[k].as_dict()
    assert info["feasible"] == all(margin["mean"] >= 0 for margin in info["margins"].values())
    assert info["regret"] == env.problem.regret(LAND.contracts()[k])


def test_the_same_seed_draws_the_same_trainings() -> None:
    def rewards(seed: int) -> list[float]:
        env, found = LandscapeDesign(LAND), []
        for i in range(12):
            env.reset(seed=seed if i == 0 else None)
            found.append(env.step((3, 4))[1])
        return found

    assert rewards(1) == rewards(1) != rewards(2)
    assert len(set(rewards(1))) == 3


def test_a_landscape_is_taken_from_its_file(tmp_path: Path) -> None:
    LAND.save(tmp_path / "x.npz")
    assert LandscapeDesign(tmp_path / "x.npz").problem.landscape.seeds == LAND.seeds


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda: LandscapeDesign(LAND, render_mode="human"), "nothing to draw"),  # type: ignore[arg-type]
        (lambda: LandscapeDesign(LAND).step((1, 1)), "call reset"),
        (lambda: LandscapeDesign(LAND).contract((11, 0)), r"0 to 10.*got \(11, 0\)"),
        (lambda: LandscapeDesign(LAND).contract((0, -1)), "0 to 4"),
        (lambda: LandscapeDesign(LAND).contract((0.5, 1)), "two integers"),
        (lambda: LandscapeDesign(LAND).contract(np.array([[1, 1], [2, 2]])), "two integers"),
        (lambda: LandscapeDesign(LAND).contract(4), "two integers"),
        (lambda: LandscapeDesign(LAND).action(Contract.none()), "recruits somebody|not in"),
        (lambda: LandscapeDesign("nowhere"), "no landscape 'nowhere'"),
        (lambda: LandscapeDesign(made_up_landscape(tax=np.arange(56) / 56)), "every tax must be there"),
    ],
)
def test_mistakes_are_named(mistake: Any, words: str) -> None:
    with pytest.raises(ContractsError, match=words):
        mistake()


def test_an_episode_is_over_after_one_step() -> None:
    env = LandscapeDesign(LAND)
    env.reset(seed=0)
    env.step((1, 1))
    with pytest.raises(ContractsError, match="one step long"):
        env.step((1, 1))


def test_the_class_is_a_name_of_the_package() -> None:
    assert contract_wrapper.LandscapeDesign is LandscapeDesign
