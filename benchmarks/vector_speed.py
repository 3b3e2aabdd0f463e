"""How fast the Gymnasium vector face is in each autoreset mode, as ratios to SAME_STEP.

    python benchmarks/vector_speed.py
    python benchmarks/vector_speed.py --against ../another-checkout

Speed: steps of agents played per second of CPU time; a call that only begins an episode plays none. The modes are
measured in turns, so that a busy machine disturbs all alike; a ratio is the median over turns, and beside it stand the
quartiles. `--against` adds the vector face of another checkout of this repository (SAME_STEP), each in processes of its
own, in turns as well.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from cleanup_env import CleanupVectorEnv, vector_env

MODES = ("SameStep", "NextStep", "Disabled")
SIZES = ((1, "symbolic"), (16, "symbolic"), (64, "features"))
HERE = Path(__file__).resolve().parents[1]


def agent_steps_per_second(envs: CleanupVectorEnv, episodes: int) -> float:
    """Play so many episodes of random actions that were drawn in advance."""
    mode = getattr(envs, "autoreset_mode", None)
    horizon = envs.config.horizon
    plan = np.random.default_rng(0).integers(0, envs.single_action_space.n, (horizon, envs.num_envs))
    envs.reset(seed=0)
    start = time.process_time()
    for _ in range(episodes):
        for actions in plan:
            played = envs.step(actions)
        assert played[3].all()
        if mode is not None and mode.value == "NextStep":
            envs.step(plan[0])
        elif mode is not None and mode.value == "Disabled":
            envs.reset()
    return episodes * horizon * envs.num_envs / (time.process_time() - start)


def spread(ratios: list[float]) -> str:
    low, _, high = statistics.quantiles(ratios, n=4)
    return f"{statistics.median(ratios):.2f} ({low:.2f} to {high:.2f})"


def same_step_speeds(checkout: Path, repeats: int) -> list[float]:
    """Speeds of each size in a process of its own, with the package of a checkout."""
    environment = {**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{checkout / 'agents'}"}
    command = [sys.executable, __file__, "--one", str(repeats)]
    return list(json.loads(subprocess.check_output(command, env=environment, cwd=checkout)))


def one(repeats: int) -> None:
    found = []
    for n_games, kind in SIZES:
        envs = vector_env("contract", n_games, n_cleaners=2, observation=kind)
        agent_steps_per_second(envs, 1)
        found.append(statistics.median(agent_steps_per_second(envs, 5) for _ in range(repeats)))
    print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15, help="turns of each mode (default 15)")
    parser.add_argument("--against", type=Path, help="another checkout of this repository")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one)
        return
    print("steps of agents per second of CPU time, preset contract with 2 cleaners (7 agents a game), one thread;")
    print(f"ratios: median of {arguments.repeats} turns (quartiles)")
    print(
        f"{'games':>5} {'observation':>12} {'SAME_STEP':>11} {'NEXT_STEP / SAME_STEP':>24} {'DISABLED / SAME_STEP':>24}"
    )
    for n_games, kind in SIZES:
        faces = [vector_env("contract", n_games, n_cleaners=2, observation=kind, autoreset_mode=m) for m in MODES]
        for envs in faces:
            agent_steps_per_second(envs, 1)
        turns = [[agent_steps_per_second(envs, 5) for envs in faces] for _ in range(arguments.repeats)]
        ratios = [[turn[k] / turn[0] for turn in turns] for k in (1, 2)]
        speed = statistics.median(turn[0] for turn in turns)
        print(f"{n_games:>5} {kind:>12} {speed:>11,.0f} {spread(ratios[0]):>24} {spread(ratios[1]):>24}", flush=True)
    if arguments.against is not None:
        rounds = [[same_step_speeds(checkout, 5) for checkout in (arguments.against.resolve(), HERE)] for _ in range(5)]
        for k, (n_games, kind) in enumerate(SIZES):
            print(
                f"SAME_STEP here / there, {n_games} games, {kind}: {spread([new[k] / old[k] for old, new in rounds])}"
            )


if __name__ == "__main__":
    main()
