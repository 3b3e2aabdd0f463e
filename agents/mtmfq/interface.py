"""What learners and games know of each other: the game's protocol, and what a training reports; loads no torch."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

StepHook = Callable[[int, NDArray[np.int64], NDArray[np.float64]], None]
"""Called after each step with its number, the actions (B, N) and the rewards (B, N)."""


KIND = ("type_names", "n_actions", "observation_shape", "n_classes", "n_context")
"""Fields of a `Signature` in which games that the same networks can play are equal."""


class LearnerError(ValueError):
    """Anything a user can put right: a bad setting, game or checkpoint, or a learner that diverged."""


class BatchGame(Protocol):
    """B independent copies of an N-agent game, in lockstep.

    All copies begin at `reset` and end together after `horizon` steps, by the time limit and never by
    a terminal state. Returned arrays may be reused by the game at its next step.

    A game may also have `no_op`, the number of the action that does nothing, the same for all types.
    A learner whose network offers every type's actions to all agents (PPO) plays it in place of an
    action that a type lacks; mean-field Q-learning never chooses such an action and needs no `no_op`.
    """

    n_games: int
    """Copies in lockstep, B."""

    n_agents: int
    """Agents of one copy, N."""

    horizon: int
    """Steps of one episode."""

    type_names: tuple[str, ...]
    """Names of the M types."""

    agent_types: NDArray[np.int64]
    """Type of each agent, (N,), values 0..M-1; a type may be empty."""

    n_actions: tuple[int, ...]
    """Number of actions of each type."""

    observation_shape: tuple[int, ...]
    """Shape of one agent's observation: (F,) float32 features, or (height, width) uint8 classes."""

    n_classes: int
    """Number of classes of a symbolic observation; 0 for features."""

    def reset(self, seed: int) -> NDArray[Any]:
        """Start an episode in every copy; observations (B, N, *observation_shape)."""
        ...

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Play actions (B, N); observations (B, N, *observation_shape) and rewards (B, N)."""
        ...

    def visible(self) -> NDArray[np.bool_]:
        """Whether agent i sees agent j in the present state, (B, N, N), False on the diagonal."""
        ...


class ContextGame(BatchGame, Protocol):
    """A game whose agents also see a context: numbers drawn at reset that stay the same through the episode.

    A learner shows them to its networks beside the observations, so that one training serves all contexts.
    A context may also change the units of the rewards; the game then says how to bring them back to common units.
    """

    n_context: int
    """Numbers in the context of one agent, C, at least 1."""

    def context(self) -> NDArray[np.float32]:
        """Context of the present episode, (B, N, C), finite."""
        ...

    def episode_scale(self) -> NDArray[np.float64]:
        """Factors (B, N) on the rewards of the present episode, positive; ones where there is nothing to scale."""
        ...

    def episode_shift(self) -> NDArray[np.float64]:
        """What is added to each reward of the present episode before it is scaled, (B, N)."""
        ...


class RelabelGame(ContextGame, Protocol):
    """A game that can say what its rewards would have been under another context, whatever was done.

    A reward in common units (shifted and scaled) is a weighted sum of P parts; the parts are what happened, the
    weights depend on context and agent alone. So what was played under one context can be learned from under another.
    """

    n_parts: int
    """Parts of a reward, P; 0: the game cannot say."""

    def reward_parts(self) -> NDArray[np.float64]:
        """Parts of the last step's rewards, (P, B, N)."""
        ...

    def other_contexts(
        self, rng: np.random.Generator, agents: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Contexts drawn anew, one for each of R agents (their numbers, (R,)): (R, C), and weights of the parts (R, P)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What of a game shapes networks and replay; checked once, and written into every checkpoint."""

    type_names: tuple[str, ...]
    """Names of the M types."""

    n_actions: tuple[int, ...]
    """Number of actions of each type."""

    observation_shape: tuple[int, ...]
    """Shape of one agent's observation."""

    n_classes: int
    """Number of classes of a symbolic observation; 0 for features."""

    agent_types: tuple[int, ...]
    """Type of each agent."""

    horizon: int
    """Steps of one episode."""

    no_op: int | None = None
    """Number of the action that does nothing, the same for all types; None if the game names none."""

    n_context: int = 0
    """Numbers in the context that each agent sees beside its observation (`ContextGame`); 0 without one."""

    def __post_init__(self) -> None:
        self._check_types()
        m = len(self.type_names)
        if m == 0 or len(set(self.type_names)) != m or len(self.n_actions) != m:
            raise LearnerError(
                f"a game needs distinct type names and one number of actions for each, but has "
                f"type_names {self.type_names} and n_actions {self.n_actions}"
            )
        if min(self.n_actions) < 1 or max(self.n_actions) > 127:
            raise LearnerError(f"n_actions must lie between 1 and 127, but are {self.n_actions}")
        if not self.agent_types or min(self.agent_types) < 0 or max(self.agent_types) >= m:
            raise LearnerError(f"agent_types must lie between 0 and {m - 1}, but are {self.agent_types}")
        if self.horizon < 1 or min(self.observation_shape, default=0) < 1 or self.n_classes < 0:
            raise LearnerError(
                "horizon and observation_shape must be positive and n_classes at least 0, but are "
                f"{self.horizon}, {self.observation_shape} and {self.n_classes}"
            )
        if self.n_context < 0:
            raise LearnerError(f"n_context must be at least 0, but is {self.n_context}")
        if self.no_op is not None and not 0 <= self.no_op < min(self.n_actions):
            raise LearnerError(
                f"no_op must be an action of every type, below {min(self.n_actions)}, but is {self.no_op}"
            )

    def _check_types(self) -> None:
        """Refuse what a damaged file may hold in place of names and whole numbers."""
        for name in ("type_names", "n_actions", "observation_shape", "agent_types"):
            values, kind = getattr(self, name), str if name == "type_names" else int
            if not isinstance(values, tuple) or any(type(value) is not kind for value in values):
                raise LearnerError(f"{name} must be a tuple of {kind.__name__}, but is {values!r:.80}")
        for name in ("n_classes", "horizon", "n_context", *(() if self.no_op is None else ("no_op",))):
            if type(getattr(self, name)) is not int:
                raise LearnerError(f"{name} must be a whole number, but is {getattr(self, name)!r:.80}")

    @classmethod
    def of(cls, game: BatchGame) -> "Signature":
        """Signature of `game`."""
        no_op = getattr(game, "no_op", None)
        return cls(
            type_names=tuple(map(str, game.type_names)),
            n_actions=tuple(int(n) for n in game.n_actions),
            observation_shape=tuple(int(n) for n in game.observation_shape),
            n_classes=int(game.n_classes),
            agent_types=tuple(int(m) for m in np.asarray(game.agent_types)),
            horizon=int(game.horizon),
            no_op=None if no_op is None else int(no_op),
            n_context=int(getattr(game, "n_context", 0)),
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Signature":
        """Signature from its JSON form, where tuples have become lists."""
        plain: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return cls(**plain)

    def of_same_kind(self, game: BatchGame) -> "Signature":
        """Signature of a game that a policy trained on this one can play; agents and horizon may differ."""
        other = Signature.of(game)
        for name in KIND:
            if getattr(other, name) != getattr(self, name):
                raise LearnerError(
                    f"the policy was trained on a game with {name} {getattr(self, name)}, "
                    f"but this one has {getattr(other, name)}: build the game as in training"
                )
        return other

    @property
    def n_features(self) -> int:
        """Floats that an agent sees: its observation, unless that is symbolic, and its context."""
        return self.n_context + (0 if self.n_classes else math.prod(self.observation_shape))

    @property
    def n_cells(self) -> int:
        """Cells in one symbolic observation; 0 for features."""
        return math.prod(self.observation_shape) if self.n_classes else 0

    @property
    def n_means(self) -> int:
        """Length of a mean-action vector: the action sets of all types, one after the other."""
        return sum(self.n_actions)

    @property
    def population(self) -> tuple[int, ...]:
        """Number of agents of each type."""
        return tuple(self.agent_types.count(m) for m in range(len(self.type_names)))

    def split(
        self, observations: NDArray[Any], context: NDArray[np.float32] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Features (B, N, n_features), those of the context last, and cells (B, N, n_cells) of what agents see."""
        b, n = observations.shape[:2]
        if observations.shape[2:] != self.observation_shape:
            raise LearnerError(
                f"the game shows observations of shape {observations.shape[2:]}, "
                f"but declares observation_shape {self.observation_shape}"
            )
        shown = (b, n, self.n_context)
        if context is None and self.n_context:
            raise LearnerError(
                f"agents of this game see a context beside their observations: pass one of shape {shown}"
            )
        if context is not None and context.shape != shown:
            raise LearnerError(f"a context of shape {shown} was declared, got one of shape {context.shape}")
        flat = observations.reshape(b, n, -1)
        features = np.empty((b, n, 0), np.float32) if self.n_classes else np.ascontiguousarray(flat, np.float32)
        if context is not None:
            features = np.concatenate([features, context], axis=2, dtype=np.float32)
        return features, np.ascontiguousarray(flat, np.uint8) if self.n_classes else np.empty((b, n, 0), np.uint8)

    def per_type(
        self, values: Sequence[float] | NDArray[np.float64] | None, default: float, name: str
    ) -> NDArray[np.float64]:
        """One finite number per type, (M,): `values`, or `default` for all; `name` is what an error calls them."""
        m = len(self.type_names)
        array = np.full(m, default) if values is None else np.asarray(values, np.float64)
        if array.shape != (m,) or not np.isfinite(array).all():
            raise LearnerError(f"{name} must hold one finite number for each of {m} types, but is {values}")
        return array


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainProgress:
    """What is known after a vector episode (one episode in every game)."""

    episode: int
    """Episodes finished so far, over all games."""

    episodes: int
    """Episodes of the whole training, over all games."""

    returns: NDArray[np.float64]
    """Raw reward sum of each type's agents over the last episode, averaged over games, (M,)."""

    total: float
    """Sum of `returns`: the raw reward of everybody."""

    temperature: float
    """Temperature of the last episode, in units of reward."""

    loss: float
    """Mean loss of the last episode's updates, summed over types; NaN if there were none."""

    updates: int
    """Gradient steps so far."""

    cpu_seconds: float
    """CPU time of the training so far, over all its runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The course of a training, one entry per vector episode."""

    episode: NDArray[np.int64]
    """Episodes finished, over all games, (E,)."""

    returns: NDArray[np.float64]
    """Raw reward sum of each type's agents per episode, averaged over games, (E, M); 0 for an empty type."""

    temperature: NDArray[np.float64]
    """Temperature in units of reward, (E,)."""

    loss: NDArray[np.float64]
    """Mean loss of the episode's updates, summed over types, (E,); NaN where there were none."""
