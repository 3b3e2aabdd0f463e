"""What makes crews that know every contract better: trials of their training, one table.

    python benchmarks/crew_trials.py                                  # about 45 minutes of CPU time for two seeds
    python benchmarks/crew_trials.py --trials shared,played --seeds 1

Rows: `shared`, the settings of the package (one network for all crew sizes, half of the samples relabelled); `played`,
nothing relabelled; `own`, a network for each size, each with the episodes that this size gets in the others;
`own-long`, a network for the crew of one with all episodes; `one-more`, the crew of one takes two turns of six;
`adapted`, from `shared` a short training under one contract, tax 0.4, for 1, 3 and 5 cleaners.

A figure is the welfare of the best of 13 taxes (of tax 0.4 for `adapted`, beside what `shared` has there), over 100
greedy episodes, in apples per episode. Trainings are kept in --folder and not repeated.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.contracts.families import TaxContracts
from contract_wrapper.envs.conditioned_game import LARGEST_CREW, ConditionedGame
from contract_wrapper.evaluation.contract_grid import play_grid
from contract_wrapper.evaluation.crews import CREWS, SIZES, Crews, train_crews
from contract_wrapper.files import write_text
from mtmfq.config import MTMFQConfig

TAXES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Taxes at which crews are judged."""

AT = 0.4
"""Tax of the contracts to which crews are adapted."""

ADAPTED = (1, 3, 5)
"""Crew sizes that are adapted."""

TRIALS = ("shared", "played", "own", "own-long", "one-more", "adapted")


def crews_of(trial: str, seed: int, costs: str, config: MTMFQConfig) -> dict[int, Crews]:
    """Train what a trial is about; the crews that know each size."""
    if trial == "own":
        each = dataclasses.replace(config, episodes=config.episodes // len(SIZES))
        return {n: train_crews(costs, (n,), each, seed, largest_crew=LARGEST_CREW) for n in SIZES}
    if trial == "own-long":
        return {1: train_crews(costs, (1,), config, seed, largest_crew=LARGEST_CREW)}
    if trial == "one-more":
        return dict.fromkeys(SIZES, more_turns((1, *SIZES), seed, costs, config))
    changed = dataclasses.replace(config, relabel=0.0) if trial == "played" else config
    return dict.fromkeys(SIZES, train_crews(costs, SIZES, changed, seed))


def more_turns(turns: Sequence[int], seed: int, costs: str, config: MTMFQConfig) -> Crews:
    """Train crews whose sizes take the given turns, some of them more than one."""
    from mtmfq.training import train

    rule = get_costs(costs)
    games = [ConditionedGame(n, n_games=config.n_games, costs=rule, observation=config.observation) for n in turns]
    result = train(games, config, np.random.default_rng(np.random.SeedSequence([seed, 0])))
    return Crews(
        policy=result.policy, family=TaxContracts(), sizes=tuple(sorted(set(turns))), largest_crew=LARGEST_CREW,
        costs=rule, game=games[0].config, curve=result.curve, cpu_seconds=result.cpu_seconds, finished=True,
    )  # fmt: skip


def adapted(crews: Crews, n_cleaners: int, seed: int) -> Crews:
    """Let crews go on learning under one contract alone, from where they are, and at their last temperatures."""
    from mtmfq.training import train

    config = crews.policy.config
    short = dataclasses.replace(
        config, episodes=config.episodes // 10, relabel=0.0, temperature=((0.0, 0.01), (0.7, 0.005), (0.9, 0.001))
    )
    game = crews.games(n_cleaners, [[AT]], short.n_games)
    result = train(game, short, np.random.default_rng(np.random.SeedSequence([seed, 7])), initial=crews.policy)
    return dataclasses.replace(crews, policy=result.policy, cpu_seconds=result.cpu_seconds)


def best(crews: Crews, n_cleaners: int, taxes: Sequence[float] = TAXES) -> float:
    """Welfare of the best tax, mean over 100 episodes."""
    played = play_grid(crews, n_cleaners, [[tax] for tax in taxes], episodes=100, seed=1)
    return float(played.welfare.mean(axis=1).max())


def measured(trial: str, seed: int, costs: str, config: MTMFQConfig, folder: Path) -> tuple[dict[int, float], float]:
    """Welfare by crew size, and CPU-seconds of the training(s)."""
    shared = folder / f"shared-{seed}.npz"
    if trial == "adapted":
        crews = Crews.load(shared) if shared.exists() else crews_of("shared", seed, costs, config)[1]
        after = {n: adapted(crews, n, seed) for n in ADAPTED}
        gained = {n: best(after[n], n, (AT,)) - best(crews, n, (AT,)) for n in ADAPTED}
        return gained, sum(c.cpu_seconds for c in after.values())
    found = crews_of(trial, seed, costs, config)
    if trial == "shared":
        found[1].save(shared)
    seconds = sum({id(c): c.cpu_seconds for c in found.values()}.values())
    return {n: best(c, n) for n, c in found.items()}, seconds


def kept(job: tuple[str, int, str, MTMFQConfig, Path]) -> list[float]:
    """Do one job unless its result is in the folder; welfare of the sizes (nan: none), and CPU-seconds."""
    trial, seed, costs, config, folder = job
    file = folder / f"{trial}-{seed}.txt"
    if not file.exists():
        welfare, seconds = measured(trial, seed, costs, config, folder)
        row = [*(welfare.get(n, float("nan")) for n in SIZES), seconds]
        write_text(file, " ".join(map(repr, row)))
        print(f"{trial}, seed {seed}: done", file=sys.stderr, flush=True)
    return [float(number) for number in file.read_text().split()]


def table(rows: dict[str, list[list[float]]], line: Callable[[str], None]) -> None:
    """Print a row for each trial and seed."""
    line(f"{'trial':10}{'seed':>5}" + "".join(f"{n:>9}" for n in SIZES) + f"{'CPU-s':>9}")
    for trial, results in rows.items():
        for seed, (*welfare, seconds) in enumerate(results):
            form = "{:+9.1f}" if trial == "adapted" else "{:9.1f}"
            cells = "".join(" " * 9 if np.isnan(w) else form.format(w) for w in welfare)
            line(f"{trial:10}{seed:>5}{cells}{seconds:>9.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", default=",".join(TRIALS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--costs", default="effort")
    parser.add_argument("--episodes", type=int, default=CREWS.episodes)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("studies/crew-trials"))
    options = parser.parse_args()
    trials = options.trials.split(",")
    if set(trials) - set(TRIALS):
        parser.error(f"--trials are some of {','.join(TRIALS)}")
    config = dataclasses.replace(CREWS, episodes=options.episodes)
    options.folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    jobs = [(trial, seed, options.costs, config, options.folder) for seed in range(options.seeds) for trial in trials]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        results = pool.map(kept, jobs, chunksize=1)
    rows = {trial: [row for job, row in zip(jobs, results, strict=True) if job[0] == trial] for trial in trials}
    print(
        f"welfare in apples per episode, best of {len(TAXES)} taxes, by crew size; costs {options.costs}, "
        f"{config.episodes} episodes in all\nadapted: gained at tax {AT} over shared, by a tenth of the episodes\n"
    )
    table(rows, print)


if __name__ == "__main__":
    main()
