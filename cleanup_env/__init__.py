"""Clean-up: a river, an orchard, and agents who would all rather eat than clean.

>>> import cleanup_env
>>> game = cleanup_env.parallel_env(n_cleaners=3)
>>> observations, infos = game.reset(seed=0)
"""

from pettingzoo import register

from cleanup_env.batch import BatchCleanup
from cleanup_env.config import PRESETS, CleanupConfig, make_config
from cleanup_env.errors import CleanupError
from cleanup_env.maps import CLASS_NAMES, default_map
from cleanup_env.observe import FEATURE_NAMES
from cleanup_env.parallel import CleanupParallelEnv, env, parallel_env, raw_env

__version__ = "0.1.0"

__all__ = [
    "CLASS_NAMES",
    "FEATURE_NAMES",
    "PRESETS",
    "BatchCleanup",
    "CleanupConfig",
    "CleanupError",
    "CleanupParallelEnv",
    "default_map",
    "env",
    "make_config",
    "parallel_env",
    "raw_env",
]

register("parallel", "cleanup/cleanup-v0", entry_point="cleanup_env:parallel_env")
register("aec", "cleanup/cleanup-v0", entry_point="cleanup_env:env")
