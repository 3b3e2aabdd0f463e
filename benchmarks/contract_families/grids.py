"""Crews of several trainings, played on a grid of contracts: kept in a folder, so that a command goes on where it was."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from contract_wrapper import ContractGrid, Crews, CrewSettings, EvaluationSettings, play_deviation, play_grid
from contract_wrapper.evaluation.by_crews.crew_folder import one_crews
from contract_wrapper.evaluation.by_crews.crew_learners import hash_of
from contract_wrapper.evaluation.crews import CREWS
from contract_wrapper.landscapes.bounds import interval
from contract_wrapper.problems.cleanup import CleanupProblem

CHOICE, FRESH = 7, 11
"""Seeds of the episodes on which contracts are chosen, and of others on which they are measured."""


def crew_settings(options: argparse.Namespace, problem: CleanupProblem) -> EvaluationSettings:
    """Settings by which crews of all sizes up to the largest judge the contracts of a problem."""
    learner = dataclasses.replace(CREWS, episodes=options.crews_episodes)
    crews = CrewSettings(trainings=options.trainings, learner=learner, sizes=tuple(range(1, options.largest_crew + 1)))
    return EvaluationSettings(problem=problem, crews=crews, learner=options.learner, episodes=options.episodes)


def trained(folder: Path, settings: EvaluationSettings) -> list[Crews]:
    """Crews of all trainings; what is missing is trained, one after another."""
    assert settings.crews is not None
    found = []
    for k in range(settings.crews.trainings):
        began = time.monotonic()
        crews = one_crews(folder, settings, k)
        assert crews is not None  # nobody asks it to stop
        say(f"crews {k + 1} of {settings.crews.trainings}: {crews.cpu_seconds:.0f} CPU-s", began)
        found.append(crews)
    return found


def grid(
    folder: Path, crews: Crews, n: int, terms: Sequence[Sequence[float]], episodes: int, seed: int
) -> ContractGrid:
    """`play_grid`, from the folder if it was played before."""
    fields = [field.name for field in dataclasses.fields(ContractGrid) if field.name not in ("n_cleaners", "agents")]

    def play() -> dict[str, np.ndarray]:
        played = play_grid(crews, n, terms, episodes=episodes, seed=seed)
        return {"agents": np.array(played.agents), **{name: getattr(played, name) for name in fields}}

    found = kept(folder, ["grid", hash_of(crews.policy), n, terms, episodes, seed], play)
    agents = tuple(map(str, found.pop("agents")))
    return ContractGrid(n_cleaners=n, agents=agents, **found)


def deviation(
    folder: Path, crews: Crews, n: int, terms: Sequence[Sequence[float]], role: str, how: Any, episodes: int, seed: int
) -> np.ndarray:
    """`play_deviation`, (K, E), from the folder if it was played before; `how`: a scripted one, or a `Deviator`."""
    name = how if isinstance(how, str) else f"{how.name} {hash_of(how.policy)}"

    def play() -> dict[str, np.ndarray]:
        return {"home": play_deviation(crews, n, terms, role, how, episodes=episodes, seed=seed)}

    return kept(folder, ["deviation", hash_of(crews.policy), n, terms, role, name, episodes, seed], play)["home"]


def kept(folder: Path, what: list[Any], make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Arrays from a file that is named by what determines them; made and written if it is not there."""
    path = folder / "played" / f"{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:24]}.npz"
    if not path.is_file():
        began, arrays = time.monotonic(), make()
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part.npz")
        np.savez(partial, **arrays)
        partial.replace(path)
        say(f"played {what[0]}, {what[2]} cleaners, {len(what[3])} contracts", began)
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def over_trainings(values: Sequence[float], form: str = ".2f") -> str:
    """Mean with its 95 % interval over trainings; with one training the mean alone."""
    if len(values) < 2 or not np.isfinite(values).all():
        return " ".join(format(value, form) for value in values)
    found = interval(values)
    return f"{found.mean:{form}} ({found.low:{form}} to {found.high:{form}})"


def say(text: str, began: float) -> None:
    """Tell what was done, and how long it took."""
    print(f"{text}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
