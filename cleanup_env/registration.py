"""Names of the game in the registries of PettingZoo and Gymnasium."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import gymnasium
import pettingzoo
from gymnasium.vector import AutoresetMode

from cleanup_env.config import make_config
from cleanup_env.errors import CleanupError, shown
from cleanup_env.limits import as_int
from cleanup_env.vector import CleanupVectorEnv

PETTINGZOO_NAME = "cleanup/cleanup-v0"


def register_with_gymnasium() -> None:
    """Register `CentralizedCleanup-v0` for `gymnasium.make` and `CleanupVector-v0` for `gymnasium.make_vec`."""
    # A bare name is for `gymnasium.make("cleanup_env:CentralizedCleanup-v0")`, which imports us by itself.
    for space in ("", "cleanup_env/"):
        gymnasium.register(f"{space}CentralizedCleanup-v0", entry_point="cleanup_env.centralized:CentralizedCleanup")
        gymnasium.register(f"{space}CleanupVector-v0", vector_entry_point="cleanup_env.registration:vector_env_of")


def has_registry() -> bool:
    """Whether the installed PettingZoo has a registry; 1.27 is the first that has one."""
    return hasattr(pettingzoo, "register")


def register_with_pettingzoo() -> None:
    """Register `cleanup/cleanup-v0` for `pettingzoo.make`; importing the package does it where it can be done.

    Raises:
        CleanupError: the installed PettingZoo has no registry.
    """
    if not has_registry():
        raise CleanupError(
            f"PettingZoo {version('pettingzoo')} has no registry, so that pettingzoo.make cannot find the game: "
            "call cleanup_env.parallel_env() or cleanup_env.env(), or install pettingzoo>=1.27"
        )
    if PETTINGZOO_NAME not in pettingzoo.parallel_registry:
        pettingzoo.register("parallel", PETTINGZOO_NAME, entry_point="cleanup_env:parallel_env")
    if PETTINGZOO_NAME not in pettingzoo.aec_registry:
        pettingzoo.register("aec", PETTINGZOO_NAME, entry_point="cleanup_env:env")


def vector_env_of(
    num_envs: int = 1,
    preset: str = "contract",
    *,
    observation: str = "symbolic",
    copy: bool = True,
    autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    max_episode_steps: int | None = None,
    **settings: Any,
) -> CleanupVectorEnv:
    """Build games for `gymnasium.make_vec("cleanup_env:CleanupVector-v0", num_envs=10)`.

    num_envs: sub-environments, that is agents of all games together, a multiple of the agents of
    one. autoreset_mode: NEXT_STEP, as Gymnasium's own vector environments have it and its wrappers
    of observations need it. max_episode_steps: Gymnasium's name for the setting `horizon`.

    Raises:
        CleanupError: so many sub-environments are not a number of whole games, or a setting is wrong.
    """
    if max_episode_steps is not None:
        if "horizon" in settings:
            raise CleanupError("max_episode_steps and horizon are one setting: give one of them")
        settings["horizon"] = max_episode_steps
    config = make_config(preset, **settings)
    count = as_int(num_envs)
    if count is None or count < 1 or count % config.n_agents:
        raise CleanupError(
            f"num_envs={shown(num_envs)} is not a number of whole games: every agent is a sub-environment, and a game "
            f"has {config.n_agents}, so take num_envs={config.n_agents} for one game, {2 * config.n_agents} for two; "
            "CentralizedCleanup-v0 has one sub-environment per game"
        )
    n_games = count // config.n_agents
    return CleanupVectorEnv(config, n_games, observation=observation, copy=copy, autoreset_mode=autoreset_mode)
