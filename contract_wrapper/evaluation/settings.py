"""What determines an evaluation besides contract and seed, and the name of its result in the cache.

The name is a hash of settings, contract, seed and of the code that plays, settles, learns and evaluates, so that
nothing is trained twice by mistake and nothing is taken for what it is not.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from cleanup_env import CleanupConfig, make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import CostRule, get_costs
from contract_wrapper.contracts.settlement import Payment
from contract_wrapper.errors import ContractsError
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.learners.registry import (
    DEFAULT,
    LEARNERS,
    LearnerConfig,
    config_from_dict,
    config_to_dict,
    learner_of,
)

_DECISIVE = {
    "cleanup_env": (),
    "mtmfq": (),
    "contract_wrapper": ("contracts", "envs", "learners", "evaluation"),
}
"""Packages, and folders in them (none: all of it), that every result depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    """What, besides contract and seed, determines an evaluation."""

    game: CleanupConfig = dataclasses.field(default_factory=lambda: make_config("contract"))
    """The game without recruits."""

    costs: CostRule = dataclasses.field(default_factory=lambda: get_costs("effort"))
    """What work costs, by role, in apples."""

    learner: LearnerConfig = dataclasses.field(default_factory=lambda: get_mtmfq_profile("fast"))
    """Settings of the learner, which is chosen by their type: `MTMFQConfig` (default) or `PPOConfig`."""

    episodes: int = 100
    """Greedy episodes after training over which all means are taken (paper: 100)."""

    payment: Callable[[Contract], Payment] | None = None
    """From a contract to its payment rule; None: tax and share. Evaluations under a custom payment rule cannot be
    kept in a folder, because a file cannot tell one function from another: `evaluate` refuses a folder then."""

    def __post_init__(self) -> None:
        if isinstance(self.episodes, bool) or not isinstance(self.episodes, int) or self.episodes < 2:
            raise ContractsError(f"episodes must be an integer of at least 2, got {self.episodes!r}")
        if self.payment is not None and not callable(self.payment):
            raise ContractsError(
                "payment must be a function from a contract to its payment rule, "
                f"got {self.payment!r}: write payment=lambda contract: ..."
            )
        learner_of(self.learner)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON and for the cache key.

        Raises:
            ContractsError: there is a custom payment rule.
        """
        if self.payment is not None:
            name = getattr(self.payment, "__name__", repr(self.payment))
            raise ContractsError(
                f"the settings have a custom payment rule (payment={name}), which cannot be written to a file, so no "
                "outcome can be kept in a folder under it: evaluate without a folder, or leave payment out (tax and share)"
            )
        return {
            "game": {**self.game.as_dict(), "map": list(self.game.map)},
            "costs": str(self.costs),
            "learner": config_to_dict(self.learner),
            "episodes": self.episodes,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> EvaluationSettings:
        """Read what `to_dict` wrote."""
        game = dict(data["game"])
        game["map"] = tuple(game["map"])
        return cls(
            game=CleanupConfig(**game),
            costs=get_costs(data["costs"]) if data["costs"] != "none" else CostRule(),
            learner=config_from_dict(data["learner"]),
            episodes=data["episodes"],
        )

    def key(self, contract: Contract, seed: int) -> str:
        """Name of an evaluation in the cache: a hash of all that determines its result; errors as `to_dict`."""
        everything = {
            "settings": self.to_dict(), "contract": contract.as_dict(), "seed": int(seed),
            "code": code_version(learner_of(self.learner).name),
        }  # fmt: skip
        return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:24]


@lru_cache
def code_version(learner: str = DEFAULT) -> str:
    """Hash of the sources that play, settle, learn (with the learner of that name) and evaluate."""
    folders = [
        folder
        for package, names in (*_DECISIVE.items(), *((name, ()) for name in LEARNERS[learner].packages))
        for folder in ([resources.files(package).joinpath(name) for name in names] or [resources.files(package)])
    ]
    return digest(folders)


def digest(folders: Iterable[Traversable]) -> str:
    """Hash of all modules and maps in some folders, to the bottom: an edit in any of them changes it."""
    total = hashlib.sha256()
    for folder in folders:
        for name, source in sources(folder):
            for part in (f"{folder.name}/{name}".encode(), source):
                total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()[:12]


def sources(folder: Traversable) -> Iterator[tuple[str, bytes]]:
    """Names, relative to a folder, and contents of the modules and maps below it, to the bottom, in one order."""
    for entry in sorted(folder.iterdir(), key=lambda f: f.name):
        if entry.is_dir():
            yield from ((f"{entry.name}/{name}", source) for name, source in sources(entry))
        elif entry.name.endswith((".py", ".txt")):
            yield entry.name, entry.read_bytes()


@lru_cache
def versions(learner: str = DEFAULT) -> dict[str, str]:
    """Versions of the packages that a result depends on."""
    found = {"code": code_version(learner)}
    for name in (
        "cleanup-contracts",
        "numpy",
        "numba",
        "torch",
        "stable-baselines3",
        "scipy",
        "scikit-optimize",
        "pymoo",
        "optuna",
    ):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
