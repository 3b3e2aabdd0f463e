"""Clean-up: a river, an orchard, and agents who would all rather eat than clean.

>>> import cleanup_env
>>> game = cleanup_env.parallel_env(n_cleaners=3)
>>> observations, infos = game.reset(seed=0)

The same game wears five faces: PettingZoo's `parallel_env` and `env`, Gymnasium's
`CentralizedCleanup` (one player moves all) and `vector_env` (every agent a sub-environment), and
`BatchCleanup`, arrays in, arrays out.
"""

from cleanup_env.actions import Action
from cleanup_env.batch import BatchCleanup
from cleanup_env.centralized import CentralizedCleanup
from cleanup_env.config import PRESETS, CleanupConfig, make_config
from cleanup_env.errors import CleanupError
from cleanup_env.maps import CLASS_NAMES, default_map
from cleanup_env.observe import FEATURE_NAMES
from cleanup_env.parallel import CleanupParallelEnv, env, parallel_env, raw_env
from cleanup_env.registration import has_registry, register_with_gymnasium, register_with_pettingzoo
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
    "register_with_pettingzoo",
    "vector_env",
]

register_with_gymnasium()
if has_registry():
    register_with_pettingzoo()
