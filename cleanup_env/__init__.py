"""Clean-up: a river, an orchard, and agents who would all rather eat than clean.

>>> import cleanup_env
>>> game = cleanup_env.parallel_env(n_cleaners=3)
>>> observations, infos = game.reset(seed=0)

The same game wears five faces: PettingZoo's `parallel_env` and `env`, Gymnasium's
`CentralizedCleanup` (one player moves all) and `vector_env` (every agent a sub-environment), and
`BatchCleanup`, arrays in, arrays out.
"""

import gymnasium
import pettingzoo

from cleanup_env.actions import Action
from cleanup_env.batch import BatchCleanup
from cleanup_env.centralized import CentralizedCleanup
from cleanup_env.config import PRESETS, CleanupConfig, make_config
from cleanup_env.errors import CleanupError
from cleanup_env.maps import CLASS_NAMES, default_map
from cleanup_env.observe import FEATURE_NAMES
from cleanup_env.parallel import CleanupParallelEnv, env, parallel_env, raw_env
from cleanup_env.vector import CleanupVectorEnv, vector_env

__version__ = "0.1.0"

__all__ = [
    "CLASS_NAMES",
    "FEATURE_NAMES",
    "PRESETS",
    "Action",
    "BatchCleanup",
    "CentralizedCleanup",
    "CleanupConfig",
    "CleanupError",
    "CleanupParallelEnv",
    "CleanupVectorEnv",
    "default_map",
    "env",
    "make_config",
    "parallel_env",
    "raw_env",
    "vector_env",
]

pettingzoo.register("parallel", "cleanup/cleanup-v0", entry_point="cleanup_env:parallel_env")
pettingzoo.register("aec", "cleanup/cleanup-v0", entry_point="cleanup_env:env")
# The bare name is for `gymnasium.make("cleanup_env:CentralizedCleanup-v0")`, which imports us by itself.
for _name in ("CentralizedCleanup-v0", "cleanup_env/CentralizedCleanup-v0"):
    gymnasium.register(_name, entry_point="cleanup_env.centralized:CentralizedCleanup")
