"""What a learner is: how it trains, plays and keeps agents, and what an evaluation asks of its settings and policies."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import as_items
from contract_wrapper.errors import ContractsError, MissingPackage, require_package, shown
from contract_wrapper.learners.playing import play

if TYPE_CHECKING:
    from mtmfq.interface import Curve

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
"""Names of learners: they are words of a command line, and parts of names of folders."""

_SETTINGS = ("episodes", "n_games", "observation")
"""What an evaluation reads of a learner's settings."""

_CALLS: Mapping[str, tuple[int, tuple[str, ...], str]] = {
    "profile": (1, ("episodes",), "profile(name, **changes)"),
    "train": (
        3,
        ("on_progress", "should_stop", "checkpoint", "identity"),
        "train(game, config, seeds, *, on_progress, should_stop, checkpoint, identity)",
    ),
    "play": (3, ("on_step",), "play(game, policy, seed, *, on_step)"),
    "load": (2, (), "load(path, identity)"),
}
"""How each function of a learner is called: with how many arguments by position, and which by name."""


class LearnerConfig(Protocol):
    """Settings of a learner, as far as an evaluation reads them; a frozen dataclass."""

    @property
    def episodes(self) -> int:
        """Length of the training."""
        ...

    @property
    def n_games(self) -> int:
        """Games played in lockstep."""
        ...

    @property
    def observation(self) -> str:
        """What the game should show."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        ...


class LearnedPolicy(Protocol):
    """What a training yields.

    One that also has `signature` and `act` (`playing.play`) can be played step by step, beside agents that deviate.
    """

    @property
    def config(self) -> Any:
        """Settings of the training (a `LearnerConfig`)."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """What it was trained for besides these settings, in plain values: rules of the game, contract, seed."""
        ...

    def save(self, path: Path | str) -> None:
        """Write it into one file, with the kind that the learner reads."""
        ...


class Training(Protocol):
    """What a training gives."""

    @property
    def policy(self) -> LearnedPolicy:
        """The policy as it stands."""
        ...

    @property
    def curve(self) -> Curve:
        """The course of the training."""
        ...

    @property
    def finished(self) -> bool:
        """False if it was asked to stop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """One way to train agents; `register_learner` makes it known.

    Raises:
        ContractsError: a member is not what it must be.
    """

    name: str
    """As in `--learner`, and in files: small letters, digits, `-` and `_`, beginning with a letter."""

    config: Any
    """Type of its settings: a frozen dataclass with `episodes`, `n_games`, `observation`, `to_dict` and `from_dict`."""

    profile: Callable[..., Any]
    """Settings by the name of a profile, some of them replaced: `profile("fast", episodes=100)`. The command line asks
    for `fast` where none is named, and `optimize --quick` for `quick`."""

    train: Callable[..., Training]
    """(game, settings, seeds, on_progress, should_stop, checkpoint, identity) -> result. game: `n_games` copies, with
    `reward_scale()` and `reward_shift()` per type; seeds: a numpy SeedSequence; on_progress: called with
    `mtmfq.TrainProgress`, or None; should_stop: asked between episodes, or None; checkpoint: a path that a stopped
    training may write and the same call resume, or None; identity: what else the training is for, in plain values or
    None, kept in checkpoint and policy and compared on resuming."""

    load: Callable[[Path, Mapping[str, Any] | None], LearnedPolicy]
    """(path, identity) -> policy; refuses one with another identity, unless that is None. It runs no code of a file."""

    kind: str
    """What its policy files say that they are (`mtmfq.checkpoint.save_arrays`); no other learner's."""

    play: Callable[..., NDArray[np.float64]] = play
    """(game, policy, seed, on_step) -> utilities (B, N) of one greedy episode in every game; calls
    `on_step(t, actions, rewards)` after every step. Default: for policies with `signature` and `act`."""

    needs: str = ""
    """Package that training needs, as it is imported; empty: none."""

    extra: str = ""
    """Extra of this package that installs it; empty: it is installed by its own name."""

    packages: tuple[str, ...] = ()
    """Importable packages or modules outside this project whose sources its results depend on: a change there is a new
    result. Empty: the modules that define its members."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ContractsError(
                "the name of a learner must be 1 to 40 small letters, digits, - and _, beginning with a letter, "
                f"got {shown(self.name)}"
            )
        self._check_config()
        for member, (n_positions, names, form) in _CALLS.items():
            self._check(_takes(getattr(self, member), n_positions, names), member, f"a function {form}")
        self._check(isinstance(self.kind, str) and self.kind.strip() != "", "kind", "text, such as 'dqn-policy'")
        for member in ("needs", "extra"):
            self._check(isinstance(getattr(self, member), str), member, "text, or empty")
        packages = as_items(self.packages)
        for package in packages or ():
            if not isinstance(package, str) or not _is_there(package):
                raise ContractsError(
                    f"the learner {self.name}: packages must name what can be imported, got {shown(package)}"
                )
        self._check(packages is not None, "packages", "a tuple of names, such as ('my_package',)")
        object.__setattr__(self, "packages", packages)

    def _check_config(self) -> None:
        made = isinstance(self.config, type) and dataclasses.is_dataclass(self.config)
        frozen = made and self.config.__dataclass_params__.frozen
        self._check(frozen, "config", "a frozen dataclass (the class, not an instance)")
        fields = {field.name for field in dataclasses.fields(self.config)}
        lacks = [name for name in _SETTINGS if name not in fields and not hasattr(self.config, name)]
        lacks += [name for name in ("to_dict", "from_dict") if not callable(getattr(self.config, name, None))]
        if lacks:
            raise ContractsError(
                f"the learner {self.name}: its settings {self.config.__name__} lack {' and '.join(lacks)}: an evaluation "
                "reads episodes, n_games and observation, and files are made by to_dict and read by from_dict"
            )

    def _check(self, holds: bool, member: str, rule: str) -> None:
        if not holds:
            raise ContractsError(
                f"the learner {self.name}: {member} must be {rule}, got {shown(getattr(self, member))}"
            )

    def check_installed(self) -> None:
        """Make sure that training can be begun, without loading anything.

        Raises:
            ContractsError: a package is missing.
        """
        if not self.needs:
            return
        try:
            require_package(self.needs, self.extra, f"the learner {self.name}")
        except MissingPackage as error:
            if self.extra:
                raise
            raise MissingPackage(
                f"the learner {self.name} needs the package {self.needs}, which is not installed: install it first"
            ) from error

    def check_training(self, training: Any, n_types: int) -> None:
        """Refuse a result of `train` that an evaluation cannot use.

        Raises:
            ContractsError: policy, curve or finished is missing, or the curve has other shapes than it must have.
        """
        lacks = [name for name in ("policy", "curve", "finished") if not hasattr(training, name)]
        if lacks:
            raise ContractsError(
                f"train of the learner {self.name} must return a result with policy, curve and finished, but "
                f"{shown(training)} lacks {' and '.join(lacks)}"
            )
        if not isinstance(getattr(training.policy, "config", None), self.config):
            raise ContractsError(
                f"the policy of the learner {self.name} must keep the settings of its training as config "
                f"({self.config.__name__}), got {shown(getattr(training.policy, 'config', None))}"
            )
        course: list[Any] = [getattr(training.curve, name, ()) for name in ("episode", "returns")]
        shapes = [np.shape(values) for values in course]
        if len(shapes[0]) != 1 or shapes[1] != (*shapes[0], n_types):
            raise ContractsError(
                f"the curve of the learner {self.name} must have episode (E,) and returns (E, {n_types}), got shapes "
                f"{shapes[0]} and {shapes[1]}"
            )


def check_play(learner: Learner, steps: int, horizon: int) -> None:
    """Refuse an episode of which `play` did not tell every step: its sums would be too small, and nobody would see it.

    Raises:
        ContractsError: `on_step` was not called once for each step.
    """
    if steps != horizon:
        raise ContractsError(
            f"play of the learner {learner.name} must call on_step(t, actions, rewards) after each of the {horizon} steps "
            f"of an episode, and did {steps} times"
        )


def _takes(function: object, n_positions: int, names: tuple[str, ...]) -> bool:
    """Whether something can be called with so many arguments by position and these by name."""
    if not callable(function):
        return False
    try:
        inspect.signature(function).bind(*range(n_positions), **dict.fromkeys(names))
    except TypeError:
        return False
    except ValueError:  # some functions of compiled code do not say what they take
        return True
    return True


def _is_there(name: str) -> bool:
    """Whether a package or module can be imported; those around it are loaded."""
    try:
        return all(name.split(".")) and importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False
