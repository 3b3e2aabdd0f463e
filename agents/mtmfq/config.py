"""Every hyper-parameter of the learner, and the named profiles; importing this loads no torch."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

from mtmfq.interface import LearnerError

Observation = Literal["features", "symbolic"]
Join = Literal["input", "after_first"]
Timing = Literal["paper", "observed"]
Neighbours = Literal["visible", "all"]
Loss = Literal["huber", "mse"]

DEFAULT_GAMMA = 0.99
"""Discount per step of every type for which none is given: a look ahead of 1 / (1 - 0.99) = 100 steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MTMFQConfig:
    """Settings of multi-type mean-field Q-learning; the defaults are the profile `fast`.

    Sources: Yang et al. 2018 (arXiv 1802.05438), Ganapathi Subramanian et al. 2020 (arXiv 2002.02513);
    the defaults come from trials on a commons game of five to ten agents in two types, `faithful` from
    Molina Concha et al. 2024 (there "published").
    """

    episodes: int = 5_000
    """Training length in episodes, counted over all games: 64 games finish 64 episodes at once."""

    n_games: int = 64
    """Games played in lockstep by one learner; must equal the `n_games` of the game."""

    observation: Observation = "features"
    """What the game should show: float features, or classes of cells (for whoever builds the game)."""

    hidden: tuple[int, ...] = (64, 64)
    """Widths of the hidden ReLU layers, first to last (trials: 64-64; published: 256-128-64-32)."""

    mean_actions_join: Join = "input"
    """Where the mean actions enter the network: at its `input`, or `after_first` hidden layer (published)."""

    gamma: float | Mapping[str, float] = field(default=DEFAULT_GAMMA, hash=False)
    """Discount per step: one number for all types (published: 0.90), or a mapping from names of types to numbers.

    A type that the mapping does not name has the default; a name that the game does not have changes nothing."""

    n_step: int = 40
    """Rewards summed in a target, in steps; never across the end of an episode (trials; published: 1)."""

    timing: Timing = "observed"
    """Mean actions given to Q at t: `observed` those of t-1, as in acting; `paper` those of t (published)."""

    neighbours: Neighbours = "visible"
    """Whose actions are averaged: agents inside the own window (`visible`, published), or `all` others."""

    learning_rate: float = 5e-4
    """Adam's step size at the start (trials; published: 1e-3)."""

    learning_rate_decay: float = 1.0
    """Factor on the step size every `decay_every` updates (1: none; published: 0.999)."""

    decay_every: int = 10
    """Updates between two decays of the step size (published)."""

    batch_size: int = 256
    """Rows drawn per type and update, with replacement (512 in one call for two types; published: 400
    steps of all agents). Half the rows and twice the updates made the worst seeds of trials better, twice."""

    replay_ratio: float = 0.9
    """Rows learned from per agent-step played, over all types; 0 plays without learning."""

    updates_per_step: float | None = None
    """Gradient steps per vector step, whatever the population, in place of `replay_ratio`. None: as `replay_ratio`
    asks, by which five agents of one type get as many as five of each of two types, and six agents of two fewer."""

    replay_capacity: int = 1_500
    """Replay length in vector steps (one step of all games); an episode takes its horizon plus one."""

    tau: float = 0.005
    """Polyak factor of the target network per update (trials; published: 0.01)."""

    temperature: tuple[tuple[float, float], ...] = ((0.0, 0.5), (0.7, 0.005), (0.9, 0.001))
    """Boltzmann temperature in units of reward at fractions of training, geometric in between, then held.

    The last tenth is played as it will be judged (`test_temperature`): agents that end training at 0.005 may
    block each other for good when they play greedily, and lose up to a third of their reward."""

    average_from: float | None = 0.9
    """Fraction of training from which on all weights are averaged into the learned policy (the last weights
    earned less in trials); None: the last weights as they are (published)."""

    test_temperature: float = 0.001
    """Temperature of evaluation, in units of reward: close to the argmax (published); 0 is the argmax."""

    loss: Loss = "huber"
    """Loss of Q against its target: `huber` (width 1 in units of reward), or `mse` (published)."""

    grad_clip: float | None = None
    """Largest Euclidean norm of one type's gradient; None leaves gradients as they are."""

    scaled_rewards: bool = True
    """Whether a reward scale per type may be given to `train`; False keeps absolute rewards (published)."""

    device: str = "cpu"
    """Where the networks live; only `cpu`, which these small networks leave no reason to leave."""

    def __post_init__(self) -> None:
        if not isinstance(self.gamma, Mapping):
            object.__setattr__(self, "gamma", float(self.gamma))
        else:
            object.__setattr__(self, "gamma", {str(k): float(v) for k, v in self.gamma.items()})
        object.__setattr__(self, "hidden", tuple(int(width) for width in self.hidden))
        object.__setattr__(self, "temperature", tuple((float(x), float(t)) for x, t in self.temperature))
        for name in ("episodes", "n_games", "n_step", "decay_every", "batch_size", "replay_capacity"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            self._check(whole and value >= 1, name, "a whole number of at least 1")
        self._check(bool(self.hidden) and min(self.hidden) >= 1, "hidden", "one or more positive widths")
        self._check(self.replay_capacity > self.n_step + 1, "replay_capacity", "more than n_step + 1")
        for gamma in self.gamma.values() if isinstance(self.gamma, Mapping) else [self.gamma]:
            self._check(0 <= gamma <= 1, "gamma", "between 0 and 1")
        self._check(0 < self.learning_rate < math.inf, "learning_rate", "above 0")
        self._check(0 < self.learning_rate_decay <= 1, "learning_rate_decay", "above 0 and at most 1")
        self._check(0 <= self.replay_ratio < math.inf, "replay_ratio", "at least 0")
        updates = self.updates_per_step
        self._check(updates is None or 0 <= updates < math.inf, "updates_per_step", "at least 0, or None")
        self._check(0 < self.tau <= 1, "tau", "above 0 and at most 1")
        self._check(0 <= self.test_temperature < math.inf, "test_temperature", "at least 0")
        self._check(self.average_from is None or 0 <= self.average_from <= 1, "average_from", "0 to 1, or None")
        self._check(self.grad_clip is None or self.grad_clip > 0, "grad_clip", "above 0, or None")
        self._check(self.device == "cpu", "device", "'cpu'")
        places = [place for place, _ in self.temperature]
        self._check(
            bool(places) and places[0] == 0 and places[-1] <= 1 and places == sorted(set(places)),
            "temperature",
            "knots at rising fractions of training, from 0 to at most 1",
        )
        self._check(all(0 < t < math.inf for _, t in self.temperature), "temperature", "above 0 at each knot")
        for name, choices in _CHOICES.items():
            self._check(getattr(self, name) in choices, name, f"one of {', '.join(choices)}")

    def _check(self, holds: bool, name: str, rule: str) -> None:
        if not holds:
            raise LearnerError(f"{name} must be {rule}, but is {getattr(self, name)!r}")

    def temperature_at(self, fraction: float) -> float:
        """Temperature after `fraction` of training: geometric between knots, held after the last one."""
        before = self.temperature[0]
        for after in self.temperature[1:]:
            if fraction < after[0]:
                part = (fraction - before[0]) / (after[0] - before[0])
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
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise LearnerError(f"the learner has no setting {', '.join(sorted(unknown))}: remove it")
        return cls(**values)


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "observation": get_args(Observation),
    "mean_actions_join": get_args(Join),
    "timing": get_args(Timing),
    "neighbours": get_args(Neighbours),
    "loss": get_args(Loss),
}

_FAST = MTMFQConfig()
_FAITHFUL = MTMFQConfig(
    episodes=35_000,
    n_games=1,
    observation="symbolic",
    hidden=(256, 128, 64, 32),
    mean_actions_join="after_first",
    gamma=0.90,
    n_step=1,
    timing="paper",
    learning_rate=1e-3,
    learning_rate_decay=0.999,
    decay_every=10,
    batch_size=2_000,  # 400 joint steps of five agents of a type: one update per episode of 200 steps
    replay_ratio=2.0,
    replay_capacity=1_000_000,
    tau=0.01,
    temperature=((0.0, 1.0), (0.2, 0.1), (0.5, 0.01), (1.0, 0.001)),
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
            tau=0.01,
            replay_capacity=3_000,
        ),
        "fast": _FAST,
        "paper": replace(_FAST, episodes=35_000, replay_ratio=0.25),
        "faithful": _FAITHFUL,
    }
)
"""Named configurations: `smoke` for tests, `quick` for a look (many small updates), `fast` the default, `paper`
the paper's budget, `faithful` its network too."""


def get_profile(name: str, **overrides: Any) -> MTMFQConfig:
    """Profile `name` with some fields replaced, for example `get_profile("fast", episodes=1_000)`."""
    if name not in PROFILES:
        raise LearnerError(f"there is no learner profile {name!r}: choose one of {', '.join(PROFILES)}")
    return MTMFQConfig.from_dict({**PROFILES[name].to_dict(), **overrides})
