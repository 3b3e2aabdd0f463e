"""What determines a landscape: game, costs, grid of contracts, and how crews and deviators are trained and played."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from cleanup_env import CleanupConfig, make_config
from contract_wrapper.contracts.contract import Contract, as_int, as_items, as_number
from contract_wrapper.contracts.costs import CostRule, check_cost_roles, get_costs
from contract_wrapper.envs.batch_game import check_game
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.crews import CREWS, SIZES
from contract_wrapper.evaluation.deviators import DEVIATORS
from contract_wrapper.evaluation.judging.code_version import code_version
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from mtmfq.config import MTMFQConfig

GRID = tuple(round(0.01 * step, 2) for step in range(101))
"""Taxes of the design space."""

TRIED = (0.0, 0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8)
"""Taxes at which every deviation is tried: dense where free riding ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandscapeSettings:
    """What, besides its seeds, determines a landscape."""

    game: CleanupConfig = dataclasses.field(default_factory=lambda: make_config("contract"))
    """The game without recruits."""

    costs: CostRule = dataclasses.field(default_factory=lambda: get_costs("effort"))
    """What work costs, by role, in apples."""

    taxes: tuple[float, ...] = GRID
    """Taxes of the grid, rising; each is played with every crew size."""

    sizes: tuple[int, ...] = SIZES
    """Crew sizes of the grid, and of the training."""

    tried_taxes: tuple[float, ...] = TRIED
    """Taxes at which all deviations are tried to choose the strongest, which is then measured at every tax nearby."""

    crews: MTMFQConfig = CREWS
    """How the crews learn, once for all contracts."""

    deviators: MTMFQConfig = DEVIATORS
    """How deviators learn, once per role and kind for all contracts."""

    baseline: MTMFQConfig = dataclasses.field(default_factory=lambda: get_mtmfq_profile("fast"))
    """How agents without a contract learn."""

    episodes: int = 50
    """Greedy episodes per contract and training, over which means and gains are taken."""

    tried_episodes: int = 40
    """Other episodes, on which the strongest deviation is chosen."""

    def __post_init__(self) -> None:
        check_game(self.game, max((n for n in map(as_int, self.sizes) if n is not None), default=1))
        check_cost_roles(self.costs, agents=self.game.agents)
        for name in ("taxes", "tried_taxes"):
            numbers = tuple(as_number(tax) for tax in as_items(getattr(self, name)) or ())
            taxes = tuple(tax for tax in numbers if tax is not None and 0.0 <= tax <= 1.0)
            if not taxes or len(taxes) < len(numbers) or sorted(set(taxes)) != list(taxes):
                raise ContractsError(f"{name} must be rising numbers between 0 and 1, got {shown(getattr(self, name))}")
            object.__setattr__(self, name, taxes)
        for name in ("episodes", "tried_episodes"):
            number = as_int(getattr(self, name))
            if number is None or number < 2:
                raise ContractsError(f"{name} must be an integer of at least 2, got {shown(getattr(self, name))}")
            object.__setattr__(self, name, number)
        for name in ("crews", "deviators"):
            if not isinstance(getattr(self, name), MTMFQConfig):
                raise ContractsError(
                    f"{name} of a landscape must be an MTMFQConfig, as its deviators go on from the crews' own networks, "
                    f"which only mtmfq can, got {shown(getattr(self, name))}: judge crews of PPO by play_grid or certify"
                )
        object.__setattr__(self, "sizes", self.crew_settings(0).sizes)

    def crew_settings(self, seed: int) -> CrewSettings:
        """How the crews of one seed are trained."""
        return CrewSettings(trainings=1, learner=self.crews, sizes=self.sizes, seed=seed)

    def evaluation(self, seed: int) -> EvaluationSettings:
        """How contracts are evaluated by the crews of one seed, and the baseline by agents of its own."""
        return EvaluationSettings(
            game=self.game, costs=self.costs, learner=self.baseline, episodes=self.episodes,
            crews=self.crew_settings(seed),
        )  # fmt: skip

    def contracts(self) -> list[Contract]:
        """No contract, then every tax with every crew size, by size."""
        return [Contract.none(), *(Contract(tax=tax, n_cleaners=n) for n in self.sizes for tax in self.taxes)]

    def tried_at(self) -> list[int]:
        """Numbers of the contracts at which all deviations are tried: the taxes of the grid nearest to `tried_taxes`."""
        grid = np.array(self.taxes)
        columns = sorted({int(np.abs(grid - tax).argmin()) for tax in self.tried_taxes})
        return [1 + i * len(grid) + column for i in range(len(self.sizes)) for column in columns]

    def about(self) -> dict[str, Any]:
        """Plain values that say all of this, and the code that does it."""
        return {
            "game": {**self.game.as_dict(), "map": list(self.game.map)},
            "costs": str(self.costs),
            "taxes": list(self.taxes),
            "sizes": list(self.sizes),
            "tried_taxes": list(self.tried_taxes),
            "crews": self.crews.to_dict(),
            "deviators": self.deviators.to_dict(),
            "baseline": self.baseline.to_dict(),
            "episodes": self.episodes,
            "tried_episodes": self.tried_episodes,
            "code": code_version(),
        }


def agents_of(settings: LandscapeSettings, n_cleaners: int) -> tuple[str, ...]:
    """Names of the agents of the game with so many cleaners."""
    return dataclasses.replace(settings.game, n_cleaners=n_cleaners).agents


QUICK: Mapping[str, Any] = MappingProxyType(
    {
        "taxes": (0.0, 0.02, 0.05, *(round(0.1 * step, 1) for step in range(1, 11))),
        "tried_taxes": (0.02, 0.1, 0.3, 0.8),
        "crews": dataclasses.replace(get_mtmfq_profile("quick", episodes=4_800), replay_capacity=300),
        "deviators": dataclasses.replace(
            DEVIATORS, episodes=1_280, n_games=32, hidden=(64, 64), updates_per_step=0.5625
        ),
        "baseline": get_mtmfq_profile("quick"),
        "episodes": 20,
        "tried_episodes": 20,
    }
)
"""What `landscape --quick` does instead: a look within two minutes; crews are half trained."""
