"""What determines a landscape: game, costs, grid of contracts, and how crews and deviators are trained and played."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanup_env import CleanupConfig, make_config
from contract_wrapper.contracts.contract import Contract, as_int, as_items, as_number
from contract_wrapper.contracts.costs import CostRule, check_cost_roles, get_costs
from contract_wrapper.envs.batch_game import check_game
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.crews import CREWS, SIZES
from contract_wrapper.evaluation.deviators import DEVIATORS
from contract_wrapper.evaluation.judging.code_version import code_version
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.bounds import FloatArray
from contract_wrapper.landscapes.building.measured import Measured, arrays_of, gains_of
from contract_wrapper.landscapes.building.pooling import pooled_gains
from contract_wrapper.landscapes.building.seed_tables import names_of, nearest
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.table.fields import ROLES
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from mtmfq.config import MTMFQConfig

GRID = tuple(round(0.01 * step, 2) for step in range(101))
"""Taxes of the design space."""

TRIED = (0.0, 0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8)
"""Taxes at which every deviation is tried: dense where free riding ends."""


OF_DESIGNS = ("steps", "samples", "tried")
"""Fields that a landscape of taxes has no use for, and does not say."""

MOST = 1_000_000
"""Episodes or contracts, of any kind."""


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

    steps: int = 21
    """Of contracts other than the tax: values of each term on the grid, both bounds among them, if there are at most two
    terms besides the crew."""

    samples: int = 200
    """Of contracts with more terms: contracts of one crew size, a Latin hypercube sample."""

    tried: int = 9
    """Of contracts other than the tax: contracts of one crew size at which all deviations are tried, spread evenly."""

    def __post_init__(self) -> None:
        check_game(self.game, max((n for n in map(as_int, self.sizes) if n is not None), default=1))
        check_cost_roles(self.costs, agents=self.game.agents)
        for name in ("taxes", "tried_taxes"):
            numbers = tuple(as_number(tax) for tax in as_items(getattr(self, name)) or ())
            taxes = tuple(tax for tax in numbers if tax is not None and 0.0 <= tax <= 1.0)
            if not taxes or len(taxes) < len(numbers) or sorted(set(taxes)) != list(taxes):
                raise ContractsError(f"{name} must be rising numbers between 0 and 1, got {shown(getattr(self, name))}")
            object.__setattr__(self, name, taxes)
        least = {"episodes": 2, "tried_episodes": 2, "steps": 2, "samples": 1, "tried": 1}
        for name, low in least.items():
            number = as_int(getattr(self, name))
            if number is None or not low <= number <= MOST:
                raise ContractsError(
                    f"{name} must be an integer of {low} to {MOST:,}, got {shown(getattr(self, name))}"
                )
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

    def none(self) -> Contract:
        """Return the baseline: no contract."""
        return Contract.none()

    def contracts(self) -> list[Contract]:
        """No contract, then every tax with every crew size, by size."""
        return [Contract.none(), *(Contract(tax=tax, n_cleaners=n) for n in self.sizes for tax in self.taxes)]

    @property
    def points(self) -> tuple[tuple[float, ...], ...]:
        """Terms of the contracts that are played with every crew size, (T, 1): the taxes."""
        return tuple((tax,) for tax in self.taxes)

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles whose deviations are measured, in the order of the axis R.

        Raises:
            ContractsError: the costs tell agents of a role apart.
        """
        if self.costs.singled_out:
            raise ContractsError(
                "a landscape of taxes measures one agent of each role for all, but there are prices of "
                f"{', '.join(self.costs.singled_out)} alone: make one of designs (DesignLandscapeSettings with "
                "cleanup_problem('tax', costs=...))"
            )
        return ROLES

    def tried_columns(self) -> list[int]:
        """Numbers of the points at which all deviations are tried: the taxes of the grid nearest to `tried_taxes`."""
        grid = np.array(self.taxes)
        return sorted({int(np.abs(grid - tax).argmin()) for tax in self.tried_taxes})

    def nearest_tried(self) -> NDArray[np.int64]:
        """For every point the place among `tried_columns` of the nearest tax, (T,)."""
        tried = np.array([self.taxes[column] for column in self.tried_columns()])
        places: NDArray[np.int64] = np.abs(np.array(self.taxes)[:, None] - tried).argmin(axis=1)
        return places

    def smooth(self, gains: FloatArray) -> FloatArray:
        """Means of gains (C, ...) over each tried tax and the ones beside it, by which the strongest is chosen."""
        padded = np.concatenate([gains[:1], gains, gains[-1:]])
        pooled: FloatArray = (padded[:-2] + padded[1:-1] + padded[2:]) / 3.0
        return pooled

    def tried_at(self) -> list[int]:
        """Numbers of the contracts at which all deviations are tried."""
        columns, n = self.tried_columns(), len(self.taxes)
        return [1 + i * n + column for i in range(len(self.sizes)) for column in columns]

    def agents_of(self, n_cleaners: int) -> tuple[str, ...]:
        """Names of the agents of the game with so many cleaners."""
        return dataclasses.replace(self.game, n_cleaners=n_cleaners).agents

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

    def table(self, seed: int, none: Outcome, measured: Measured) -> Landscape:
        """Put what one seed measured together: no contract first, then all taxes with each crew size."""
        agents = self.agents_of(max(self.sizes))
        arrays = arrays_of(measured, none, agents, self.sizes, self.agents_of)
        contracts = self.contracts()
        tax, crew = np.array([c.tax for c in contracts]), np.array([c.n_cleaners for c in contracts])
        gains, errors, strongest = gains_of(measured, nearest(self))
        mean, error = pooled_gains(gains, errors, tax, crew)
        return Landscape(
            about=self.about(), seeds=(seed,), agents=agents, deviations=names_of(self.roles),
            tax=tax, n_cleaners=crew, gains=mean, gains_se=error, strongest=strongest,
            tried_at=np.array(self.tried_at()), tried=measured.tried[None, ..., 0],
            tried_se=measured.tried[None, ..., 1], cpu_seconds=measured.cpu_seconds, **arrays,
        )  # fmt: skip


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
        "steps": 5,
        "samples": 20,
        "tried": 4,
    }
)
"""What `landscape --quick` does instead: a look within two minutes; crews are half trained."""
