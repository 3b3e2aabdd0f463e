"""The trainings behind the paper's figures: what one is, how it is done, and what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cleanup_env.maps import APPLE
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.evaluation.evaluate import contracted_game, evaluate, evaluation_seed
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.learners.registry import learner_of

TRAINED: Mapping[str, Contract] = {
    "Figure 3": Contract(tax=0.01, n_cleaners=1),
    "Figure 4": Contract(tax=0.01, n_cleaners=5),
    "Figure 5": Contract(tax=0.99, n_cleaners=1),
    "Figure 6": Contract(tax=0.99, n_cleaners=5),
}
"""Contracts whose training curves the paper shows; its Figure 7 is the four together."""

COMPARED: Mapping[str, Contract] = {
    "Figure 8, baseline": Contract.none(),
    "Figure 8, best contract": Contract(tax=0.04, n_cleaners=5),
}
"""Contracts whose behaviour the paper compares."""

ALL: Mapping[str, Contract] = {**COMPARED, **TRAINED}

POINTS = 350
"""Points of a training curve that are kept at most: 100 episodes each, of 35,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What is kept of one training; amounts are apples per episode, means over the greedy episodes after training."""

    tax: float
    n_cleaners: int
    seed: int
    episodes: int
    """Episodes of training."""
    welfare: float
    harvest: float
    least_harvester: float
    """Utility of the harvester that has least."""
    most_harvester: float
    least_cleaner: float | None
    shots: float
    cleaned: float
    curve: tuple[float, ...]
    """Welfare while training (harvest less costs: the collective reward of the released code), means over equal parts."""
    waste: tuple[float, ...]
    """Waste cells after each step of a greedy episode."""
    apples: tuple[float, ...]
    """Apples on the trees after each step of a greedy episode."""
    eaten: tuple[float, ...]
    """Apples eaten by all up to each step of a greedy episode."""
    cpu_seconds: float
    made_by: str
    """Hash of the code and the settings."""

    @property
    def contract(self) -> Contract:
        """The contract."""
        return Contract(tax=self.tax, n_cleaners=self.n_cleaners)

    def level(self, begin: float, end: float) -> float:
        """Mean of the curve between two fractions of the training."""
        points = np.array(self.curve)
        first = min(int(begin * len(points)), len(points) - 1)
        return float(points[first : max(first + 1, round(end * len(points)))].mean())

    def to_line(self) -> str:
        """Write as one line of JSON."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Training:
        """Read what `to_line` wrote."""
        raw: dict[str, Any] = json.loads(line)
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """One training to do in a worker; its result is a `Training`."""

    number: int
    contract: Contract
    seed: int

    def do(self, settings: EvaluationSettings, folder: Path | None, on_progress: Any, should_stop: Any) -> Training:
        """Train, judge, and watch the same greedy episodes."""
        if folder is None:
            raise ValueError("trainings are kept in a folder")
        outcome = evaluate(
            self.contract, settings, self.seed, folder=folder, on_progress=on_progress, should_stop=should_stop
        )
        learner = learner_of(settings.learner)
        policy = learner.load(folder / outcome.policy, settings.identity(self.contract, self.seed))
        game = contracted_game(self.contract, settings, settings.episodes)
        apples, eaten = [], []

        def watch(*_: Any) -> None:
            apples.append(float((game.game.ground() == APPLE).sum()) / game.n_games)
            eaten.append(float(game.activity.apples.sum()) / game.n_games)

        learner.play(game, policy, evaluation_seed(self.seed), on_step=watch)
        curve = sum(np.array(values) for name, values in outcome.training_curve.items() if name != "episode")
        harvesters = [u.mean for u in outcome.of_role("harvester").values()]
        cleaner = outcome.worst_cleaner
        return Training(
            tax=self.contract.tax, n_cleaners=self.contract.n_cleaners, seed=self.seed,
            episodes=round(outcome.training_curve["episode"][-1]),
            welfare=outcome.welfare.mean, harvest=outcome.harvest.mean,
            least_harvester=min(harvesters), most_harvester=max(harvesters),
            least_cleaner=None if cleaner is None else cleaner.mean,
            shots=outcome.shots.mean, cleaned=outcome.cleaned.mean, curve=parts(curve),
            waste=_rounded(outcome.waste_curve), apples=_rounded(apples), eaten=_rounded(np.cumsum(eaten)),
            cpu_seconds=round(outcome.cpu_seconds, 1), made_by=made_by(settings),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.contract}, seed {self.seed}"


def made_by(settings: EvaluationSettings) -> str:
    """What two trainings must have alike to stand in one table: code and settings."""
    return f"{settings.code()}-{settings.fingerprint()}"


def parts(curve: Any, points: int = POINTS) -> tuple[float, ...]:
    """Means over at most `points` equal parts of a curve."""
    values = np.asarray(curve, np.float64)
    return _rounded([part.mean() for part in np.array_split(values, min(points, len(values)))])


def of_contract(trainings: Iterable[Training], contract: Contract) -> list[Training]:
    """Trainings of a contract, by seed."""
    return sorted((t for t in trainings if t.contract == contract), key=lambda t: t.seed)


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 2) for value in values)
