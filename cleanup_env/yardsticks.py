"""What scripted players reach: one table, to hold learners against.

python -m cleanup_env yardsticks --episodes 1000
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cleanup_env.batch import BatchCleanup
from cleanup_env.config import make_config
from cleanup_env.errors import CleanupError
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
    if crew not in CREWS:
        raise CleanupError(f"unknown crew {crew!r}: choose one of {', '.join(CREWS)}")
    if isinstance(episodes, bool) or not isinstance(episodes, int) or episodes < 2:
        raise CleanupError(f"episodes must be an integer of at least 2 (an interval needs two), got {episodes!r}")
    game = BatchCleanup(make_config(preset, n_cleaners=n_cleaners), episodes, observation=None)
    players = ScriptedCrew(game, **CREWS[crew], rng=np.random.default_rng(np.random.SeedSequence([seed, 1])))  # type: ignore[arg-type]
    harvest = play_episode(game, players, seed)["apples"].sum(axis=1)
    sd = float(harvest.std(ddof=1))
    return Yardstick(mean=float(harvest.mean()), half_interval=1.96 * sd / episodes**0.5, sd=sd)


def table(most_cleaners: int = 5, *, episodes: int = 400, seed: int = 0, preset: str = "contract") -> str:
    """Return the table as text: a row per number of cleaners, a column per crew."""
    config = make_config(preset)
    lines = [
        f"apples per episode of {config.horizon} steps, preset {preset}: mean ± 95 % interval (sd between episodes), "
        f"{episodes} episodes",
        f"{'cleaners':>8}" + "".join(f"{name:>28}" for name in CREWS),
    ]
    for n_cleaners in range(most_cleaners + 1):
        cells = [yardstick(name, n_cleaners, episodes=episodes, seed=seed, preset=preset) for name in CREWS]
        texts = [f"{c.mean:.1f} ± {c.half_interval:.1f} ({c.sd:.1f})" for c in cells]
        lines.append(f"{n_cleaners:>8}" + "".join(f"{text:>28}" for text in texts))
    return "\n".join(lines)
