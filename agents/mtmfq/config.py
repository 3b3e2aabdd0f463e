"""Every hyper-parameter of the learner, and the named profiles; importing this loads no torch."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

from mtmfq.checks import MOST_LAYERS, as_float, as_int, as_items, as_widths, check_memory, check_networks, shown
from mtmfq.interface import LearnerError

Observation = Literal["features", "symbolic"]
Join = Literal["input", "after_first"]
Timing = Literal["paper", "observed"]
Neighbours = Literal["visible", "all", "none"]
Loss = Literal["huber", "mse"]
Counted = Literal["rows", "joint_steps"]
Between = Literal["geometric", "linear"]
TargetTemperature = Literal["present", "sample"]

DEFAULT_GAMMA = 0.99
"""Discount per step of every type for which none is given: a look ahead of 1 / (1 - 0.99) = 100 steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MTMFQConfig:
    """Settings of multi-type mean-field Q-learning; the defaults are the profile `fast`.

    Sources: Yang et al. 2018 (arXiv 1802.05438), Ganapathi Subramanian et al. 2020 (arXiv 2002.02513);
    the defaults come from trials on a commons game of five to ten agents in two types. "Released" is what the code
    released with Molina Concha et al. 2024 (arXiv 2408.09686) does, as in `faithful`; of all settings their paper's text
    gives the number of episodes alone.
    """

    episodes: int = 5_000
    """Training length in episodes, counted over all games: 64 games finish 64 episodes at once."""

    n_games: int = 64
    """Games played in lockstep by one learner; must equal the `n_games` of the game."""

    observation: Observation = "features"
    """What the game should show: float features, or classes of cells (for whoever builds the game)."""

    hidden: tuple[int, ...] = (64, 64)
    """Widths of the hidden ReLU layers, first to last (trials: 64-64; released: 256-128-64-32)."""

    mean_actions_join: Join = "input"
    """Where the mean actions enter the network: at its `input`, or `after_first` hidden layer (released)."""

    gamma: float | Mapping[str, float] = field(default=DEFAULT_GAMMA, hash=False)
    """Discount per step: one number for all types (released: 0.90), or a mapping from names of types to numbers.

    A type that the mapping does not name has the default; a name that the game does not have changes nothing."""

    n_step: int = 40
    """Rewards summed in a target, in steps; never across the end of an episode (trials; released: 1)."""

    timing: Timing = "observed"
    """Mean actions given to Q at t: `observed` those of t-1, as in acting; `paper` those of t (released)."""

    neighbours: Neighbours = "visible"
    """Whose actions are averaged: agents inside the own window (`visible`, released), `all` others, or those of
    nobody (`none`): the mean actions are then zeros, and the learner is independent Q-learning by type."""

    learning_rate: float = 5e-4
    """Adam's step size at the start (trials; released: 1e-3)."""

    learning_rate_decay: float = 1.0
    """Factor on the step size every `decay_every` updates (1: none; released: 0.999)."""

    decay_every: int = 10
    """Updates between two decays of the step size (released)."""

    batch_size: int = 256
    """Rows per type and update, or joint steps per update, drawn with replacement (512 rows in one call for two types;
    released: 400 joint steps). Half the rows and twice the updates made the worst seeds of trials better, twice."""

    batch_of: Counted = "rows"
    """What `batch_size` counts: `rows`, each one agent's and drawn alone, or `joint_steps`, one step of one game each,
    drawn once for all types, of which every agent gives a row to its type's batch (released)."""

    updates_per_step: float = 1.125
    """Gradient steps per vector step, the same for every population; 0 plays without learning. With a number that
    grows with the rows played, a crew of one would be trained less than one of five."""

    updates_per_episode: float | None = None
    """Gradient steps per episode of a game, all taken when the games have ended it, in place of `updates_per_step`
    (released: 1); None: `updates_per_step` holds."""

    replay_capacity: int = 1_500
    """Replay length in vector steps (one step of all games); an episode takes its horizon plus one."""

    relabel: float = 0.0
    """Part of the samples that are learned from under a context drawn anew, in place of the one they were played under
    (hindsight: Andrychowicz et al. 2017); for games that say what rewards would have been (`RelabelGame`)."""

    tau: float = 0.005
    """Polyak factor of the target network per update (trials; released: 0.01)."""

    temperature: tuple[tuple[float, float], ...] = ((0.0, 0.5), (0.7, 0.005), (0.9, 0.001))
    """Boltzmann temperature in units of reward at fractions of training, then held.

    The last tenth is played as it will be judged (`test_temperature`): agents that end training at 0.005 may
    block each other for good when they play greedily, and lose up to a third of their reward."""

    temperature_between: Between = "geometric"
    """How the temperature falls from knot to knot: `geometric`, or `linear` (released)."""

    target_temperature: TargetTemperature = "present"
    """Temperature of the value in a target: the `present` one, or the one at which the `sample` was played (released)."""

    average_from: float | None = 0.9
    """Fraction of training from which on all weights are averaged into the learned policy (the last weights
    earned less in trials); None: the last weights as they are (released)."""

    test_temperature: float = 0.001
    """Temperature of evaluation, in units of reward: close to the argmax (released); 0 is the argmax."""

    loss: Loss = "huber"
    """Loss of Q against its target: `huber` (width 1 in units of reward), or `mse` (released)."""

    grad_clip: float | None = None
    """Largest Euclidean norm of one type's gradient; None leaves gradients as they are."""

    scaled_rewards: bool = True
    """Whether a reward scale per type may be given to `train`; False keeps absolute rewards (released)."""

    device: str = "cpu"
    """Where the networks live; only `cpu`, which these small networks leave no reason to leave."""

    def __post_init__(self) -> None:
        for name in ("episodes", "n_games", "n_step", "decay_every", "batch_size", "replay_capacity"):
            value = as_int(getattr(self, name))
            self._set(name, value if value is not None and 1 <= value < 2**31 else None, _WHOLE)
        for name, (holds, rule) in _RANGES.items():
            if getattr(self, name) is None and name in _MAY_BE_NONE:
                continue
            number = as_float(getattr(self, name))
            self._set(name, number if number is not None and holds(number) else None, rule)
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            self._check(isinstance(value, str) and value in choices, name, f"one of {', '.join(map(repr, choices))}")
        self._check(isinstance(self.scaled_rewards, bool), "scaled_rewards", "True or False")
        self._set(
            "gamma", _gamma(self.gamma), "between 0 and 1, one number or a mapping from names of types to numbers"
        )
        self._set("hidden", as_widths(self.hidden), f"one or more positive widths, at most {MOST_LAYERS}")
        self._set("temperature", _knots(self.temperature), _KNOTS)
        self._check(self.replay_capacity > self.n_step + 1, "replay_capacity", "more than n_step + 1")
        self._check_memory()

    def _check_memory(self) -> None:
        """Refuse what no game, however small, leaves room for; `Replay` knows the game and asks again."""
        check_networks(self.hidden, self.batch_size)
        vector_episodes = -(-self.episodes // self.n_games)
        slots = min(self.replay_capacity, 2 * vector_episodes)
        what = f"a replay of n_games={self.n_games} games and replay_capacity={self.replay_capacity} steps"
        check_memory(what, 9 * slots * self.n_games, "lower one of them")
        what = f"the course of episodes={self.episodes} episodes"
        check_memory(what, 48 * vector_episodes, "train for fewer episodes")

    def _set(self, name: str, value: object, rule: str) -> None:
        """Keep the plain value of a field; None says that it breaks the rule."""
        self._check(value is not None, name, rule)
        object.__setattr__(self, name, value)

    def _check(self, holds: bool, name: str, rule: str) -> None:
        if not holds:
            raise LearnerError(f"{name} must be {rule}, but is {shown(getattr(self, name))}")

    def temperature_at(self, fraction: float) -> float:
        """Temperature after `fraction` of training: `temperature_between` two knots, held after the last one."""
        before = self.temperature[0]
        for after in self.temperature[1:]:
            if fraction < after[0]:
                part = (fraction - before[0]) / (after[0] - before[0])
                if self.temperature_between == "linear":
                    return before[1] + part * (after[1] - before[1])
                return float(before[1] * (after[1] / before[1]) ** part)
            before = after
        return before[1]

    def gammas(self, type_names: tuple[str, ...]) -> tuple[float, ...]:
        """Discounts (M,) in the order of `type_names`, by the rule of the field `gamma`."""
        if not isinstance(self.gamma, Mapping):
            return (self.gamma,) * len(type_names)
        return tuple(self.gamma.get(name, DEFAULT_GAMMA) for name in type_names)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as written into a checkpoint (JSON keeps tuples as lists)."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "MTMFQConfig":
        """Configuration from `to_dict`, before or after a trip through JSON."""
        if not isinstance(values, Mapping):
            raise LearnerError(f"settings are a mapping from names to values, got {shown(values)}")
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise LearnerError(f"the learner has no setting {', '.join(sorted(map(str, unknown)))}: remove it")
        return cls(**values)


def _gamma(value: object) -> float | dict[str, float] | None:
    """A discount, or discounts by type, as plain numbers in [0, 1]; None for anything else."""
    if not isinstance(value, Mapping):
        number = as_float(value)
        return number if number is not None and 0 <= number <= 1 else None
    numbers = {name: as_float(gamma) for name, gamma in value.items() if isinstance(name, str)}
    plain = {name: gamma for name, gamma in numbers.items() if gamma is not None and 0 <= gamma <= 1}
    return plain if len(plain) == len(value) else None


def _knots(value: object) -> tuple[tuple[float, float], ...] | None:
    """Knots (fraction of training, temperature) as plain numbers, None if they break the rule."""
    pairs = [as_items(pair) or () for pair in as_items(value) or ()]
    numbers = [tuple(as_float(x) for x in pair) for pair in pairs]
    knots = tuple((x[0], x[1]) for x in numbers if len(x) == 2 and x[0] is not None and x[1] is not None)
    places = [place for place, _ in knots]
    rising = bool(places) and places[0] == 0 and places[-1] <= 1 and places == sorted(set(places))
    return knots if rising and len(knots) == len(pairs) and all(0 < t < math.inf for _, t in knots) else None


_WHOLE = "a whole number of at least 1 (below 2**31)"
_KNOTS = "knots at rising fractions of training, from 0 to at most 1, with a temperature above 0 at each"

_RANGES: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "learning_rate": (lambda x: 0 < x < math.inf, "above 0"),
    "learning_rate_decay": (lambda x: 0 < x <= 1, "above 0 and at most 1"),
    "updates_per_step": (lambda x: 0 <= x < math.inf, "at least 0"),
    "updates_per_episode": (lambda x: 0 <= x < math.inf, "at least 0, or None"),
    "relabel": (lambda x: 0 <= x <= 1, "0 to 1"),
    "tau": (lambda x: 0 < x <= 1, "above 0 and at most 1"),
    "test_temperature": (lambda x: 0 <= x < math.inf, "at least 0"),
    "average_from": (lambda x: 0 <= x <= 1, "0 to 1, or None"),
    "grad_clip": (lambda x: 0 < x < math.inf, "above 0, or None"),
}
_MAY_BE_NONE = ("average_from", "grad_clip", "updates_per_episode")


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "observation": get_args(Observation),
    "mean_actions_join": get_args(Join),
    "timing": get_args(Timing),
    "batch_of": get_args(Counted),
    "temperature_between": get_args(Between),
    "target_temperature": get_args(TargetTemperature),
    "neighbours": get_args(Neighbours),
    "loss": get_args(Loss),
    "device": ("cpu",),
}

_FAST = MTMFQConfig()
_FAITHFUL = MTMFQConfig(
    episodes=35_000,
    n_games=25,  # released: one; a vector episode is then 25 episodes, with their 25 updates at its end
    observation="symbolic",
    hidden=(256, 128, 64, 32),
    mean_actions_join="after_first",
    gamma=0.90,
    n_step=1,
    timing="paper",
    learning_rate=1e-3,
    learning_rate_decay=0.999,
    decay_every=10,
    batch_size=400,
    batch_of="joint_steps",
    updates_per_episode=1.0,
    replay_capacity=40_200,  # of 25 games: 1,000,000 joint steps in 5,000 episodes of 200 steps and a last observation
    tau=0.01,
    temperature=((0.0, 1.0), (0.2, 0.1), (0.5, 0.01), (1.0, 0.001)),
    temperature_between="linear",
    target_temperature="sample",
    average_from=None,
    loss="mse",
    scaled_rewards=False,
)

PROFILES: Mapping[str, MTMFQConfig] = MappingProxyType(
    {
        "smoke": replace(_FAST, episodes=200),
        "quick": replace(
            _FAST,
            episodes=1_280,
            n_games=32,
            learning_rate=1e-3,
            updates_per_step=0.5625,
            tau=0.01,
            replay_capacity=3_000,
        ),
        "fast": _FAST,
        "paper": replace(_FAST, episodes=35_000, updates_per_step=0.3125),
        "faithful": _FAITHFUL,
    }
)
"""Named configurations: `smoke` for tests, `quick` for a look (many small updates), `fast` the default, `paper`
the paper's budget, `faithful` what the code released with it does."""


def get_profile(name: str, **overrides: Any) -> MTMFQConfig:
    """Profile `name` with some fields replaced, for example `get_profile("fast", episodes=1_000)`."""
    if not isinstance(name, str) or name not in PROFILES:
        raise LearnerError(f"there is no learner profile {shown(name)}: choose one of {', '.join(PROFILES)}")
    return MTMFQConfig.from_dict({**PROFILES[name].to_dict(), **overrides})
