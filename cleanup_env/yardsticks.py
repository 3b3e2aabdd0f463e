"""What scripted players reach: one table, to hold learners against.

python -m cleanup_env yardsticks --episodes 1000
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cleanup_env.batch import BatchCleanup
from cleanup_env.checks import check_seed
from cleanup_env.config import make_config
from cleanup_env.errors import CleanupError, shown
from cleanup_env.limits import as_int
from cleanup_env.scripted import ScriptedCrew, play_episode

CREWS = {
    "random": {"players": "random"},
    "greedy, harvesters err": {"players": "greedy", "noise": {"harvester": 0.15, "cleaner": 0.0}},
    "greedy, no errors": {"players": "greedy"},
}
"""Who plays in the columns of the table: settings of `ScriptedCrew`. Who errs acts at random in 15 % of the steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """Harvest of a scripted crew, in apples per episode, all agents together."""

    mean: float
    """Mean over episodes."""

    half_interval: float
    """Half the width of the 95 % interval of that mean (normal approximation)."""

    sd: float
    """Standard deviation between episodes."""


def yardstick(crew: str, n_cleaners: int, *, episodes: int, seed: int = 0, preset: str = "contract") -> Yardstick:
    """Let a scripted crew play.

    crew: a key of CREWS; n_cleaners: recruits beside the preset's own agents; seed: of the episodes
    and of what the players draw.
    """
    if not isinstance(crew, str) or crew not in CREWS:
        raise CleanupError(f"unknown crew {shown(crew)}: choose one of {', '.join(CREWS)}")
    count = as_int(episodes)
    if count is None or count < 2:
        raise CleanupError(f"episodes must be an integer of at least 2 (an interval needs two), got {shown(episodes)}")
    game = BatchCleanup(make_config(preset, n_cleaners=n_cleaners), count, observation=None)
    rng = np.random.default_rng(np.random.SeedSequence([check_seed(seed), 1]))
    players = ScriptedCrew(game, **CREWS[crew], rng=rng)  # type: ignore[arg-type]
    harvest = play_episode(game, players, seed)["apples"].sum(axis=1)
    sd = float(harvest.std(ddof=1))
    return Yardstick(mean=float(harvest.mean()), half_interval=1.96 * sd / count**0.5, sd=sd)


def table(most_cleaners: int = 5, *, episodes: int = 400, seed: int = 0, preset: str = "contract") -> str:
    """Return the table as text: a row per number of cleaners, a column per crew."""
    config = make_config(preset)
    most = as_int(most_cleaners)
    if most is None or most < 0:
        raise CleanupError(f"most_cleaners must be an integer of at least 0, got {shown(most_cleaners)}")
    make_config(preset, n_cleaners=most)  # refuses what has no room, before anything is played
    lines = [
        f"apples per episode of {config.horizon} steps, preset {preset}: mean ± 95 % interval (sd between episodes), "
        f"{episodes} episodes",
        f"{'cleaners':>8}" + "".join(f"{name:>28}" for name in CREWS),
    ]
    for n_cleaners in range(most + 1):
        cells = [yardstick(name, n_cleaners, episodes=episodes, seed=seed, preset=preset) for name in CREWS]
        texts = [f"{c.mean:.1f} ± {c.half_interval:.1f} ({c.sd:.1f})" for c in cells]
        lines.append(f"{n_cleaners:>8}" + "".join(f"{text:>28}" for text in texts))
    return "\n".join(lines)
