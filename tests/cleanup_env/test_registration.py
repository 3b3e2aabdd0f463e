"""Names in the registries, with every PettingZoo that is allowed, and the window with either pygame."""

import subprocess
import sys
from importlib.metadata import version
from types import ModuleType

import pettingzoo
import pytest

import cleanup_env
from cleanup_env import CleanupError
from cleanup_env.registration import has_registry


@pytest.mark.skipif(not has_registry(), reason="this PettingZoo has no registry")
def test_the_game_is_in_pettingzoos_registry():
    game = pettingzoo.make("parallel", "cleanup/cleanup-v0", preset="original", observation="features")
    observations, _ = game.reset(seed=0)
    assert observations["free_0"].shape == (49,)
    turn_based = pettingzoo.make("aec", "cleanup/cleanup-v0", n_cleaners=1)
    turn_based.reset(seed=0)
    assert turn_based.agents[-1] == "cleaner_0"


def test_a_pettingzoo_without_a_registry_plays_the_game_and_says_so_when_asked_to_register():
    """1.26 and before."""
    code = """
import pettingzoo
vars(pettingzoo).pop("register", None)
import cleanup_env
print(len(cleanup_env.parallel_env().reset(seed=0)[0]))
try:
    cleanup_env.register_with_pettingzoo()
except cleanup_env.CleanupError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.startswith(f"5\nPettingZoo {version('pettingzoo')} has no registry"), ran.stderr
    assert "parallel_env()" in ran.stdout
    assert "pettingzoo>=1.27" in ran.stdout


@pytest.mark.skipif(not has_registry(), reason="this PettingZoo has no registry")
def test_registering_again_changes_nothing(recwarn):
    cleanup_env.register_with_pettingzoo()
    assert [str(warning.message) for warning in recwarn] == []
    assert len(pettingzoo.make("parallel", "cleanup/cleanup-v0").possible_agents) == 5


@pytest.mark.parametrize("build", [cleanup_env.parallel_env, cleanup_env.CentralizedCleanup])
def test_a_window_without_pygame_is_refused_with_the_way_out(monkeypatch, build):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(CleanupError, match=r"pygame-ce or pygame: pip install \"cleanup-contracts\[window\]\""):
        build(render_mode="human")


def test_the_rest_of_a_pygame_is_refused_with_the_way_out(monkeypatch):
    """What is left when two distributions shared a folder and one was removed: a package without its modules."""
    monkeypatch.setitem(sys.modules, "pygame", ModuleType("pygame"))
    with pytest.raises(CleanupError, match="pip uninstall pygame pygame-ce, then pip install pygame-ce"):
        cleanup_env.parallel_env(render_mode="human")
