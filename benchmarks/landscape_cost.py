"""What a landscape costs where many agents play: `python benchmarks/landscape_cost.py` (options: `--help`).

Half of the agents are harvesters; crews are of a fifth, two fifths, ... of the other half, and all of it. The map is the
published one, once for ten agents, tile by tile. Every part of a seed is done on a small scale: one vector episode of
each crew size in a training, one contract of each crew size, `--episodes` episodes of it. Its CPU time is then multiplied
by how many of these a whole landscape has (25,000 episodes of crews, 505 contracts of 50 episodes, and so on), as each
of them costs the same. What it does not tell is how many episodes so many agents need to learn. For ten agents it can
be compared with the landscapes that were made whole (benchmarks/results/landscape-*.txt).
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cleanup_env import CleanupConfig, make_config
from cleanup_env.maps import default_map
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.landscapes.building.one_seed import PARTS, SeedBuilder, parts_of

FULL = LandscapeSettings()

GROUP = 10
"""Agents for which there is one tile of the map."""

SHOWN = {"crews": ("crews",), "deviators": ("deviators",), "playing": PARTS[3:], "baseline": ("baseline",)}
"""Columns of the table, and the parts of a seed that each of them adds up."""


def game_of(agents: int) -> CleanupConfig:
    """Half of the agents, on a map with a tile for every ten."""
    tiles = max(1, agents // GROUP)
    across = next(n for n in range(int(tiles**0.5), 0, -1) if tiles % n == 0)
    rows = [row * (tiles // across) for row in default_map()] * across
    return make_config("contract", n_harvesters=agents // 2, map=tuple(rows), spawn_anywhere=True)


def small(agents: int, episodes: int) -> LandscapeSettings:
    """A landscape of the same parts, of which each is as small as it can be."""
    sizes = tuple(agents // 2 * k // 5 for k in range(1, 6))
    once = {
        name: dataclasses.replace(learner, episodes=learner.n_games * (1 if name == "baseline" else len(sizes)))
        for name, learner in (("crews", FULL.crews), ("deviators", FULL.deviators), ("baseline", FULL.baseline))
    }
    return LandscapeSettings(
        game=game_of(agents), sizes=sizes, taxes=(0.1,), tried_taxes=(0.1,), episodes=episodes, tried_episodes=episodes, **once,
    )  # fmt: skip


def times(part: str, did: LandscapeSettings) -> float:
    """How many times as much of a part a whole landscape has."""
    if part in ("crews", "deviators", "baseline"):
        return float(getattr(FULL, part).episodes / getattr(did, part).episodes)
    if part == "trying deviations":
        return len(FULL.tried_taxes) * FULL.tried_episodes / did.tried_episodes
    return len(FULL.taxes) * FULL.episodes / did.episodes


def measure(agents: int, episodes: int) -> dict[str, float]:
    """CPU seconds of each part of a seed, on a small scale."""
    settings = small(agents, episodes)
    seconds = dict.fromkeys(PARTS, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        builder = SeedBuilder(settings, 0, Path(folder), lambda _: None, lambda: False)
        for part in parts_of(settings):
            began = time.process_time()
            builder.do(part)
            seconds[part.name] += time.process_time() - began
    return seconds


def line(agents: int, episodes: int) -> str:
    """A row of the table: CPU seconds of a whole landscape's seed, by part, and its hours."""
    did, seconds = small(agents, episodes), measure(agents, episodes)
    whole = {part: seconds[part] * times(part, did) for part in PARTS}
    columns = [sum(whole[part] for part in parts) for parts in SHOWN.values()]
    return f"{agents:>7}" + "".join(f"{s:>11,.0f}" for s in columns) + f"{sum(columns) / 3600:>14.2f}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--agents", type=int, nargs="+", default=[10, 50, 500], help="multiples of ten (default: 10 50 500)"
    )
    parser.add_argument(
        "--episodes", type=int, help="of each contract that is played (default: 50; 10 where 100 agents or more play)"
    )
    options = parser.parse_args(arguments)
    if any(agents < GROUP or agents % GROUP for agents in options.agents):
        parser.error(f"--agents must be multiples of {GROUP}")
    measure(GROUP, 2)  # compiles
    print("CPU seconds of one seed of a landscape of 505 contracts, from small parts of it; hours: all together")
    print(f"{'agents':>7}" + "".join(f"{name:>11}" for name in SHOWN) + f"{'hours a seed':>14}")
    for agents in options.agents:
        print(line(agents, options.episodes or (50 if agents < 100 else 10)), flush=True)


if __name__ == "__main__":
    main()
