"""The PettingZoo face: its own checkers, and who sees and gets what."""

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pettingzoo
import pytest
from small_trees import pair

import contract_tree
from contract_tree import TreeError

SETTINGS = [{}, {"tree": "random-3-2", "noise": None}]


@pytest.mark.parametrize("settings", SETTINGS)
def test_pettingzoos_checkers_pass(settings: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its tests load old games; it also prefers flat actions and numbered names
        from pettingzoo.test import api_test, seed_test

        api_test(contract_tree.env(**settings), num_cycles=60)
        seed_test(lambda: contract_tree.env(**settings), num_cycles=30)


@pytest.mark.skipif(not hasattr(pettingzoo, "make"), reason="this PettingZoo has no registry")
def test_the_registered_id_makes_the_game() -> None:
    game = pettingzoo.make("aec", "contract_tree/bandit-tree-v0", horizon=3)
    game.reset(seed=0)
    assert game.agents == ["root", "middle", "leaf"]


def test_a_pettingzoo_without_a_registry_plays_the_game() -> None:
    """1.26 and before."""
    code = """
import pettingzoo
vars(pettingzoo).pop("register", None)
import contract_tree
game = contract_tree.env("chain", horizon=3)
game.reset(seed=0)
print(*game.agents)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.split() == ["root", "middle", "leaf"], ran.stderr


def test_a_round_is_offer_action_and_settlement() -> None:
    """The worker follows and gets its 0.4 and 0.25; the boss has 0.8 less that."""
    game = contract_tree.env(pair(), horizon=2, noise=0.0)
    game.reset(seed=0)
    assert game.agent_selection == "boss"
    assert game.observe("worker").tolist() == [-1, 0, -1, 0, 0]
    game.step({"action": 0, "recommended": [1], "payments": [0.25]})
    assert game.observe("worker").tolist() == [1, 0.25, -1, 0, 0]
    assert game.rewards == {"boss": 0, "worker": 0}
    game.step({"action": 1})
    assert game.rewards == pytest.approx({"boss": 0.55, "worker": 0.65})
    assert game.infos["boss"] == pytest.approx({"reward_raw": 0.8, "received": 0.0, "paid": 0.25})
    assert game.observe("boss") == pytest.approx(np.array([-1, 0, 0, 0.8, 0.55, 1], np.float32))


def test_who_does_not_follow_is_not_paid_and_the_horizon_truncates() -> None:
    game = contract_tree.env(pair(), horizon=1, noise=0.0, render_mode="ansi")
    game.reset(seed=0)
    game.step({"action": 0, "recommended": [1], "payments": [0.25]})
    game.step({"action": 0})
    assert game.rewards == pytest.approx({"boss": 0.2, "worker": 0.6})
    assert game.truncations == {"boss": True, "worker": True}
    assert game.render() == "boss: action 0, reward 0.20, utility 0.20\nworker: action 0, reward 0.60, utility 0.60"
    game.step(None)
    game.step(None)
    assert game.agents == []
    with pytest.raises(TreeError, match="step was called before reset, or after the end"):
        game.unwrapped.step({"action": 0})


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (0, "the action of 'boss' must be a dictionary with action, payments, recommended, got 0"),
        ({"action": 0}, "must be a dictionary with"),
        ({"action": 1, "recommended": [0], "payments": [0.0]}, r"the action of 'boss' must be an integer 0\.\.0"),
        ({"action": 0, "recommended": [2], "payments": [0.1]}, "what 'boss' recommends to 'worker'"),
        ({"action": 0, "recommended": [0], "payments": [-0.1]}, r"payment of 'boss' to 'worker' must lie in \[0, 2\]"),
        ({"action": 0, "recommended": [0, 1], "payments": [0.1]}, "one entry for each, got 2 and 1"),
    ],
)
def test_a_bad_action_is_refused(action: Any, message: str) -> None:
    game = contract_tree.raw_env(pair())
    game.reset(seed=0)
    with pytest.raises(TreeError, match=message):
        game.step(action)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon": 0}, "horizon must be an integer of at least 1"),
        ({"noise": -1}, "noise must be a standard deviation"),
        ({"render_mode": "human"}, "unknown render_mode 'human'"),
        ({"tree": "nothing"}, "unknown tree 'nothing'"),
    ],
)
def test_a_bad_environment_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(TreeError, match=message):
        contract_tree.env(**settings)
    with pytest.raises(TreeError, match="seed must be"):
        contract_tree.raw_env().reset(seed=-1)
