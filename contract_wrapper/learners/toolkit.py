"""What most learners need besides their idea: settings, a policy in one file of plain arrays, the course of a training."""

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
from contract_wrapper.learners.learner import Learner
from mtmfq.checkpoint import check_identity, open_arrays, plain, save_arrays
from mtmfq.interface import BatchGame, Curve, LearnerError, Signature, TrainProgress


@dataclass(frozen=True, kw_only=True)
class LearnerSettings:
    """What an evaluation reads of a learner's settings; subclass it as a frozen dataclass with fields of your own.

    >>> @dataclass(frozen=True, kw_only=True)
    ... class Mine(LearnerSettings):
    ...     pace: float = 0.1
    >>> Mine.from_dict(Mine(pace=0.2).to_dict()).pace
    0.2
    """

    episodes: int = 640
    """Episodes of the training, over all games."""

    n_games: int = 16
    """Games in lockstep, B."""

    observation: str = "features"
    """What the game shows."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(**values)


def epsilon_greedy(values: NDArray[np.float64], rng: np.random.Generator, epsilon: float) -> NDArray[np.int64]:
    """Return the action of highest value, or with probability epsilon any that is not ruled out, (..., A) -> (...).

    An action of value -inf is ruled out (`ArrayPolicy.owned`).

    >>> epsilon_greedy(np.array([[1.0, 2.0, -np.inf]]), np.random.default_rng(0), 0.0).tolist()
    [1]
    """
    anything = np.where(np.isneginf(values), -1.0, rng.random(values.shape)).argmax(axis=-1)
    chosen: NDArray[np.int64] = np.where(rng.random(values.shape[:-1]) < epsilon, anything, values.argmax(axis=-1))
    return chosen


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

    @classmethod
    def learner(cls, name: str, train: Callable[..., Any], *, quick: int | None = None, **members: Any) -> Learner:
        """Return the learner that yields policies of this class, for `register_learner`.

        Args:
            name, train: as in `Learner`.
            quick: episodes of every profile but `fast`, which is the settings' defaults; None: as many as there.
            members: others of `Learner`, such as `needs`.

        Raises:
            ContractsError: as `Learner`.
        """

        def profile(name: str, **changes: Any) -> Any:
            shorter = {} if quick is None or name == "fast" else {"episodes": quick}
            return cls.settings(**{**shorter, **changes})

        return Learner(
            name=name, config=cls.settings, profile=profile, train=train, load=cls.load, kind=cls.kind, **members
        )

    def owned(self, values: NDArray[np.float64], agent_types: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return values of actions, (B, N, A), with -inf for actions that an agent's type, (N,), does not have."""
        n_actions = np.array(self.signature.n_actions)[agent_types, None]
        return np.where(np.arange(values.shape[2]) < n_actions, values, -np.inf)

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


@dataclass(kw_only=True)
class ValuePolicy(ArrayPolicy):
    """A policy by the values of actions: write `shapes`, and `values` in place of `act`."""

    epsilon: ClassVar[float] = 0.05
    """Probability with which an agent does anything, in play too: who is stuck comes loose."""

    def values(self, observations: NDArray[Any], agent_types: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values of all actions, (B, N, A), -inf for those that a type does not have (`owned`)."""
        raise NotImplementedError("write values(observations, agent_types) in the class of the policy")

    @staticmethod
    def taken(values: NDArray[np.float64], actions: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the values of the actions that were taken, (B, N, A) and (B, N) -> (B, N)."""
        return np.take_along_axis(values, actions[..., None], axis=2)[..., 0]

    def act(
        self, observations: NDArray[Any], rng: np.random.Generator, *, agent_types: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Take the action of highest value, or with probability `epsilon` any; (B, N, ...) -> (B, N)."""
        return epsilon_greedy(self.values(observations, agent_types), rng, self.epsilon)


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
        seen = course.reset(rng)
        for _ in range(game.horizon):
            seen, utilities = course.step(policy.act(seen, rng, agent_types=game.agent_types))
    return course.result(policy)

    A learner that plays by itself tells of each episode in every game by `course.add(sums)` in place of reset and step.
    """

    def __init__(
        self, game: BatchGame, config: Any, on_progress: Callable[[TrainProgress], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        """Begin at episode 0; `config.episodes` over all `game.n_games` games are to come, rounded up."""
        self._game: Any = game  # reward_scale and reward_shift are asked of it by `step` alone
        self._on_progress, self._should_stop = on_progress, should_stop
        self.length = -(-config.episodes // game.n_games)
        """Vector episodes of the whole training, one episode in every game each."""
        self._rows: list[tuple[NDArray[np.float64], float, float]] = []
        self._sums, self._time = np.zeros((game.n_games, game.n_agents)), 0
        self._began = time.process_time()

    @property
    def done(self) -> float:
        """Part of the training that is done, 0 to 1."""
        return float(len(self._rows) / self.length)

    def reset(self, rng: np.random.Generator) -> NDArray[Any]:
        """Begin an episode in every game, which the steps after it count; observations (B, N, ...)."""
        self._sums, self._time = np.zeros((self._game.n_games, self._game.n_agents)), 0
        return np.array(self._game.reset(int(rng.integers(2**31))))

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Play actions (B, N); observations, and utilities (B, N) in the units that the contract declares.

        In these units all contracts are alike to learn. The arrays are the caller's: later steps do not overwrite them, as
        a game may do. The last step of an episode counts it (`add`).
        """
        game, types = self._game, np.asarray(self._game.agent_types)
        seen, rewards = game.step(actions)
        self._sums, self._time = self._sums + rewards, self._time + 1
        if self._time == game.horizon:
            self.add(self._sums)
        return np.array(seen), (rewards + game.reward_shift()[types]) * game.reward_scale()[types]

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
