"""Every hyper-parameter of the PPO learner, and its named profiles; importing this loads no torch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mtmfq.checks import MOST_LAYERS, as_float, as_int, as_widths, check_memory, check_networks, shown
from mtmfq.interface import LearnerError


@dataclass(frozen=True, slots=True, kw_only=True)
class PPOConfig:
    """Settings of proximal policy optimisation with one network for all agents; defaults: profile `fast`.

    Source: Schulman et al. 2017 (arXiv 1707.06347), as stable-baselines3 implements it. The
    numbers are ours, from trials on Clean-up with five harvesters.
    """

    episodes: int = 2_500
    """Training length in episodes, counted over all games; rounded up to whole rollouts."""

    n_games: int = 64
    """Games played in lockstep; every agent of every game is a sub-environment of its own."""

    n_steps: int = 100
    """Steps of every game between two updates (a rollout); may cross the end of an episode."""

    learning_rate: float = 3e-3
    """Adam's step size."""

    gamma: float = 0.99
    """Discount per step."""

    gae_lambda: float = 0.98
    """Decay of generalised advantage estimation (Schulman et al. 2016); 1 sums whole rollouts.
    Long, since what a cleaner does pays only when apples have grown and been eaten."""

    clip_range: float = 0.2
    """How far a probability ratio counts, as a distance from 1."""

    ent_coef: float = 0.003
    """Weight of the policy's entropy in the loss, in units of scaled reward."""

    batch_size: int = 3_200
    """Rows (steps of one agent) of a gradient step; divides n_games * n_steps, so that no population leaves a rest."""

    epochs: int = 4
    """Passes over each rollout."""

    hidden: tuple[int, ...] = (64, 64)
    """Widths of the hidden tanh layers; policy and value function each have their own."""

    greedy: bool = False
    """Whether a trained policy plays its likeliest action; False draws from the distribution that was trained."""

    def __post_init__(self) -> None:
        for name in ("episodes", "n_games", "n_steps", "batch_size", "epochs"):
            value = as_int(getattr(self, name))
            whole = value if value is not None and 1 <= value < 2**31 else None
            self._set(name, whole, "a whole number of at least 1 (below 2**31)")
        for name, (holds, rule) in _RANGES.items():
            number = as_float(getattr(self, name))
            self._set(name, number if number is not None and holds(number) else None, rule)
        self._set("hidden", as_widths(self.hidden), f"one or more positive widths, at most {MOST_LAYERS}")
        self._check(isinstance(self.greedy, bool), "greedy", "True or False")
        rows = self.n_games * self.n_steps
        self._check(
            self.batch_size > 1 and rows % self.batch_size == 0,
            "batch_size",
            f"above 1 and a divisor of n_games * n_steps = {self.n_games} * {self.n_steps} = {rows}",
        )
        check_networks(self.hidden, self.batch_size)
        # Per row: 49 features and what PPO keeps of a step, in float32, of one agent at least.
        what = f"a rollout of n_games * n_steps = {rows} rows"
        check_memory(what, 256 * rows, "lower one of them")
        what = f"the course of episodes={self.episodes} episodes"
        check_memory(what, 48 * -(-self.episodes // self.n_games), "train for fewer episodes")

    def _set(self, name: str, value: object, rule: str) -> None:
        """Keep the plain value of a field; None says that it breaks the rule."""
        self._check(value is not None, name, rule)
        object.__setattr__(self, name, value)

    def _check(self, holds: bool, name: str, rule: str) -> None:
        if not holds:
            raise LearnerError(f"{name} must be {rule}, but is {shown(getattr(self, name))}")

    @property
    def observation(self) -> str:
        """What the game should show: always float features."""
        return "features"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON (which keeps tuples as lists)."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PPOConfig:
        """Configuration from `to_dict`, before or after a trip through JSON.

        Raises:
            LearnerError: a setting is unknown or out of range.
        """
        if not isinstance(values, Mapping):
            raise LearnerError(f"settings are a mapping from names to values, got {shown(values)}")
        unknown = set(values) - {f.name for f in dataclasses.fields(cls)}
        if unknown:
            raise LearnerError(f"the PPO learner has no setting {', '.join(sorted(map(str, unknown)))}: remove it")
        return cls(**values)


_RANGES: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "learning_rate": (lambda x: 0 < x < math.inf, "above 0"),
    "gamma": (lambda x: 0 <= x <= 1, "between 0 and 1"),
    "gae_lambda": (lambda x: 0 <= x <= 1, "between 0 and 1"),
    "clip_range": (lambda x: 0 < x < math.inf, "above 0"),
    "ent_coef": (lambda x: 0 <= x < math.inf, "at least 0"),
}

PPO_PROFILES: Mapping[str, PPOConfig] = MappingProxyType(
    {
        "smoke": PPOConfig(episodes=64, n_games=16, batch_size=800),
        "quick": PPOConfig(episodes=704, n_games=16, batch_size=800),
        "fast": PPOConfig(),
    }
)
"""Named configurations: `smoke` for tests, `quick` for a look, `fast` the default."""


def get_ppo_profile(name: str, **overrides: Any) -> PPOConfig:
    """Profile `name` with some fields replaced, for example `get_ppo_profile("fast", episodes=1_000)`."""
    if not isinstance(name, str) or name not in PPO_PROFILES:
        raise LearnerError(f"there is no PPO profile {shown(name)}: choose one of {', '.join(PPO_PROFILES)}")
    return PPOConfig.from_dict({**PPO_PROFILES[name].to_dict(), **overrides})
