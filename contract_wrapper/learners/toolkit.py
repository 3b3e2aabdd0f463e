"""What most learners need besides their idea: a policy kept in one file of plain arrays, and the course of a training."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.errors import ContractsError, shown
from mtmfq.checkpoint import check_identity, open_arrays, plain, save_arrays
from mtmfq.interface import BatchGame, Curve, LearnerError, Signature, TrainProgress


@dataclass(kw_only=True)
class ArrayPolicy:
    """A policy that is arrays of numbers: subclass it, name `kind` and `settings`, and write `shapes` and `act`.

    `act(observations, rng, *, agent_types)` takes what agents see, (B, N, ...), a numpy Generator and the agents' types,
    (N,), and returns actions, (B, N). `load` is the member of that name of a `Learner`.

    Raises:
        LearnerError: the weights are others than `shapes` says, or not of float64.
    """

    kind: ClassVar[str]
    """What its files say that they are."""

    settings: ClassVar[type]
    """Type of its settings, with `to_dict` and `from_dict`."""

    config: Any
    """Settings of the training."""

    signature: Signature
    """Game of the training; a policy also plays other numbers of agents and games of the same kind."""

    weights: dict[str, NDArray[np.float64]]
    """Arrays by name."""

    identity: Mapping[str, Any] = field(default_factory=dict)
    """What else it was trained for, in plain values, as `train` got it."""

    def __post_init__(self) -> None:
        expected = dict(self.shapes(self.config, self.signature))
        found = {name: array.shape for name, array in self.weights.items()}
        if found != expected or any(array.dtype != np.float64 for array in self.weights.values()):
            raise LearnerError(f"the weights should be float64 with the shapes {expected}, but have {found}")
        self.identity = plain(self.identity)

    @staticmethod
    def shapes(config: Any, signature: Signature) -> Mapping[str, tuple[int, ...]]:
        """Shapes of all arrays by name, from settings and game alone: a file with others is refused."""
        raise NotImplementedError("write shapes(config, signature), a static method, in the class of the policy")

    @classmethod
    def zeros(cls, config: Any, game: BatchGame, identity: Mapping[str, Any] | None) -> Self:
        """Make a policy for a game whose arrays are all zero."""
        signature = Signature.of(game)
        weights = {name: np.zeros(shape) for name, shape in cls.shapes(config, signature).items()}
        return cls(config=config, signature=signature, weights=weights, identity=identity or {})

    def save(self, path: Path | str) -> None:
        """Write it into one file of plain arrays, with JSON beside them.

        Raises:
            LearnerError: the file cannot be written.
        """
        meta = {
            "config": self.config.to_dict(), "signature": dataclasses.asdict(self.signature), "identity": self.identity,
        }  # fmt: skip
        save_arrays(Path(path), self.kind, meta, self.weights)

    @classmethod
    def load(cls, path: Path | str, identity: Mapping[str, Any] | None = None) -> Self:
        """Read what `save` wrote; with an `identity`, one that was trained for just that. No code of the file is run.

        Raises:
            LearnerError: the file is missing, damaged, of another kind, or trained for something else.
        """
        with open_arrays(Path(path), cls.kind) as file:
            if identity is not None:
                check_identity(file.meta["identity"], identity)
            config = cls.settings.from_dict(file.meta["config"])  # type: ignore[attr-defined]
            signature = Signature.from_dict(file.meta["signature"])
            shapes = cls.shapes(config, signature)
            weights = {name: file.read(name, np.float64, shape) for name, shape in shapes.items()}
            return cls(config=config, signature=signature, weights=weights, identity=file.meta["identity"])


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """What `Learner.train` returns; made by `TrainingCourse.result`."""

    policy: Any
    """The policy as it stands."""

    curve: Curve
    """The course of the training."""

    finished: bool
    """False if it was asked to stop."""


class TrainingCourse:
    """Counts the episodes of a training, tells how it stands, and asks whether it goes on.

    course = TrainingCourse(game, config, on_progress, should_stop)
    while course.goes_on():
        ...  # one episode in every game
        course.add(sums)
    return course.result(policy)
    """

    def __init__(
        self, game: BatchGame, config: Any, on_progress: Callable[[TrainProgress], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        """Begin at episode 0; `config.episodes` over all `game.n_games` games are to come, rounded up."""
        self._game, self._on_progress, self._should_stop = game, on_progress, should_stop
        self.length = -(-config.episodes // game.n_games)
        """Vector episodes of the whole training, one episode in every game each."""
        self._rows: list[tuple[NDArray[np.float64], float, float]] = []
        self._began = time.process_time()

    @property
    def done(self) -> float:
        """Part of the training that is done, 0 to 1."""
        return float(len(self._rows) / self.length)

    def goes_on(self) -> bool:
        """Whether another episode is to be played: there are some left, and nobody asked to stop."""
        return len(self._rows) < self.length and not (self._should_stop is not None and self._should_stop())

    def add(
        self, sums: NDArray[np.float64], *, temperature: float = math.nan, loss: float = math.nan, updates: int = 0
    ) -> None:
        """Count an episode that was played in every game.

        Args:
            sums: raw reward sums of the agents, (B, N).
            temperature, loss: of the episode; NaN where there is none.
            updates: steps of learning so far.

        Raises:
            ContractsError: the sums have another shape.
            LearnerError: they are not finite.
        """
        game, types = self._game, np.asarray(self._game.agent_types)
        array = np.asarray(sums, np.float64)
        if array.shape != (game.n_games, game.n_agents):
            raise ContractsError(
                f"sums of an episode must be of shape {(game.n_games, game.n_agents)}, (games, agents), got {shown(array.shape)}"
            )
        if not np.isfinite(array).all():
            raise LearnerError("the game paid rewards that are not finite: check how it pays")
        returns = np.array([array[:, types == m].sum() / game.n_games for m in range(len(game.type_names))])
        self._rows.append((returns, temperature, loss))
        if self._on_progress is not None:
            self._on_progress(
                TrainProgress(
                    episode=len(self._rows) * game.n_games, episodes=self.length * game.n_games, returns=returns.copy(),
                    total=float(returns.sum()), temperature=temperature, loss=loss, updates=updates,
                    cpu_seconds=time.process_time() - self._began,
                )
            )  # fmt: skip

    def result(self, policy: Any) -> TrainingResult:
        """Return what `Learner.train` is to return."""
        n, types = len(self._rows), len(self._game.type_names)
        curve = Curve(
            episode=np.arange(1, n + 1) * self._game.n_games,
            returns=np.array([returns for returns, _, _ in self._rows]).reshape(n, types),
            temperature=np.array([temperature for _, temperature, _ in self._rows], np.float64),
            loss=np.array([loss for _, _, loss in self._rows], np.float64),
        )
        return TrainingResult(policy=policy, curve=curve, finished=n == self.length)
