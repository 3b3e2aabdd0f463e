"""What determines a landscape of a design problem: its grid of contracts, and how crews and deviators learn and play."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.designed_contract import DesignedContract
from contract_wrapper.contracts.families import latin_hypercube, stratified_terms
from contract_wrapper.contracts.roles import Roles
from contract_wrapper.contracts.settlement import StepSettlement
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.crews import SIZES
from contract_wrapper.evaluation.judging.code_version import code_version
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.bounds import FloatArray
from contract_wrapper.landscapes.building.landscape_settings import OF_DESIGNS, LandscapeSettings
from contract_wrapper.landscapes.building.measured import Measured, arrays_of, gains_of
from contract_wrapper.landscapes.building.seed_tables import names_of, nearest
from contract_wrapper.landscapes.certifying.alike import N_STEPS, who_differs
from contract_wrapper.landscapes.designs.design_landscape import DesignLandscape
from contract_wrapper.landscapes.designs.judged import judged
from contract_wrapper.problems.cleanup import CREW, CleanupProblem
from mtmfq.config import MTMFQConfig

MOST_ON_A_GRID = 2
"""Terms up to which contracts form a grid; more of them are sampled."""

MOST_POINTS = 10_000
"""Contracts of one crew size that a landscape may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignLandscapeSettings:
    """What, besides its seeds, determines a landscape of a design problem whose contracts agents can be conditioned on."""

    problem: CleanupProblem
    """The problem: `cleanup_problem(...)`."""

    base: LandscapeSettings = dataclasses.field(default_factory=LandscapeSettings)
    """How crews and deviators are trained and played, which crew sizes there are where contracts recruit, and how fine
    the grid is. Game and costs are the problem's; nothing is pooled over neighbours."""

    sizes: tuple[int, ...] = dataclasses.field(init=False)
    """Crew sizes of the landscape and of the training; 0 alone: contracts recruit nobody."""

    def __post_init__(self) -> None:
        if not isinstance(self.problem, CleanupProblem):
            raise ContractsError(
                f"a landscape needs agents that know all contracts, which the problem must make possible (cleanup_problem), "
                f"got {shown(self.problem)}"
            )
        n_terms, base = len(self.free_terms), self.base
        n_points = base.steps**n_terms if n_terms <= MOST_ON_A_GRID else base.samples
        if n_points > MOST_POINTS:
            raise ContractsError(
                f"a landscape has at most {MOST_POINTS:,} contracts of one crew size, got {n_points:,}"
            )
        crew = next((term for term in self.problem.terms if term.name == CREW), None)
        known = (0,) if crew is None else tuple(size for size in base.sizes if size <= crew.high)
        if crew is not None and set(known) != set(range(1, int(crew.high) + 1)):
            raise ContractsError(
                f"agents that know all contracts of {self.problem.name} know crews of 1 to {crew.high:g} cleaners, got the sizes "
                f"{shown(base.sizes)}: give all of them, or a problem with fewer (search.max_cleaners)"
            )
        object.__setattr__(self, "sizes", known)

    @property
    def deviators(self) -> MTMFQConfig:
        """How deviators learn."""
        return self.base.deviators

    @property
    def episodes(self) -> int:
        """Greedy episodes per contract and training."""
        return self.base.episodes

    @property
    def tried_episodes(self) -> int:
        """Other episodes, on which the strongest deviation is chosen."""
        return self.base.tried_episodes

    @property
    def free_terms(self) -> tuple[str, ...]:
        """Names of the terms besides the size of the crew."""
        return tuple(self.problem.family.terms)

    @property
    def points(self) -> tuple[tuple[float, ...], ...]:
        """Terms of the contracts that are played with every crew size, (T, P): a grid, or a sample."""
        bounds = self.problem.family.bounds
        if len(bounds) <= MOST_ON_A_GRID:
            axes = [np.linspace(low, high, self.base.steps).round(9).tolist() for low, high in bounds]
            return tuple(itertools.product(*axes))
        drawn = latin_hypercube(bounds, self.base.samples, np.random.default_rng(0)).round(4)
        return tuple(map(tuple, drawn.tolist()))

    @property
    def roles(self) -> tuple[str, ...]:
        """Who deviates, in the order of the axis R: roles, or agents by name where contracts or costs tell them apart."""
        problem, agents = self.problem, self.agents_of(max(self.sizes))
        roles = Roles.from_agents(agents)
        rng = np.random.default_rng(0)
        drawn = stratified_terms(problem.family, N_STEPS, rng)  # what no drawn contract tells apart, none does
        settlement = StepSettlement(
            roles=roles, payment=problem.family.payment(drawn), costs=problem.costs, horizon=problem.game.horizon
        )
        return who_differs(settlement, tuple(dict.fromkeys(roles.names)), N_STEPS)

    def none(self) -> DesignedContract:
        """Return the baseline: no contract."""
        return self.problem.none()

    def contracts(self) -> list[DesignedContract]:
        """No contract, then every point with every crew size, by size."""
        return [self.none(), *(self._contract(point, n) for n in self.sizes for point in self.points)]

    def tried_columns(self) -> list[int]:
        """Numbers of the points at which all deviations are tried."""
        unit = self._unit()
        per_axis = max(1, round(self.base.tried ** (1 / unit.shape[1])))
        if per_axis == 1:  # more terms than can be spread over: a sample
            rng = np.random.default_rng(0)
            wanted = latin_hypercube(tuple((0.0, 1.0) for _ in range(unit.shape[1])), self.base.tried, rng)
        else:
            cells = (np.arange(per_axis) + 0.5) / per_axis
            wanted = np.array(list(itertools.product(cells, repeat=unit.shape[1])))
        return sorted({int(np.abs(unit - place).sum(axis=1).argmin()) for place in wanted})

    def nearest_tried(self) -> NDArray[np.int64]:
        """For every point the place among `tried_columns` of the nearest, every range taken for 1, (T,)."""
        unit = self._unit()
        away = np.abs(unit[:, None] - unit[self.tried_columns()]).sum(axis=2)
        places: NDArray[np.int64] = away.argmin(axis=1)
        return places

    def smooth(self, gains: FloatArray) -> FloatArray:
        """Gains (C, ...) at the tried points as they are: neighbours differ in too many ways to be averaged."""
        return gains

    def agents_of(self, n_cleaners: int) -> tuple[str, ...]:
        """Names of the agents of the game with so many cleaners."""
        return dataclasses.replace(self.problem.game, n_cleaners=n_cleaners).agents

    def evaluation(self, seed: int) -> EvaluationSettings:
        """How contracts are evaluated by the crews of one seed, and the baseline by agents of its own."""
        sizes = self.sizes if max(self.sizes) else SIZES
        crews = CrewSettings(trainings=1, learner=self.base.crews, sizes=sizes, seed=seed)
        return EvaluationSettings(
            problem=self.problem, learner=self.base.baseline, episodes=self.base.episodes, crews=crews
        )

    def about(self) -> dict[str, Any]:
        """Plain values that say all of this, and the code that does it."""
        base = self.base
        return {
            "problem": self.problem.to_dict(), "problem_code": self.problem.code_version(), "sizes": list(self.sizes),
            **{name: getattr(base, name) for name in (*OF_DESIGNS, "episodes", "tried_episodes")},
            **{name: getattr(base, name).to_dict() for name in ("crews", "deviators", "baseline")},
            "code": code_version(),
        }  # fmt: skip

    def table(self, seed: int, none: Outcome, measured: Measured) -> DesignLandscape:
        """Put what one seed measured together: no contract first, then all points with each crew size."""
        agents = self.agents_of(max(self.sizes))
        arrays = arrays_of(measured, none, agents, self.sizes, self.agents_of)
        gains, errors, strongest = gains_of(measured, nearest(self))
        contracts = self.contracts()
        rows = [list(dict(contract.numbers).values()) for contract in contracts[1:]]
        names = [term.name for term in self.problem.terms]
        columns, n = self.tried_columns(), len(self.points)
        return DesignLandscape(
            about=self.about(), seeds=(seed,), agents=agents, deviations=names_of(self.roles, agents),
            roles=self.roles,
            terms=tuple(names), numbers=np.array([[np.nan] * len(names), *rows], np.float64),
            gains=gains, gains_se=errors, strongest=strongest,
            tried_at=np.array([1 + i * n + c for i in range(len(self.sizes)) for c in columns]),
            tried=measured.tried[None, ..., 0], tried_se=measured.tried[None, ..., 1], cpu_seconds=measured.cpu_seconds,
            **arrays, **judged(self.problem, contracts, none, agents, arrays),
        )  # fmt: skip

    def _contract(self, point: tuple[float, ...], n_cleaners: int) -> DesignedContract:
        crew = {CREW: n_cleaners} if n_cleaners else {}
        return self.problem.contract(**dict(zip(self.free_terms, point, strict=True)), **crew)

    def _unit(self) -> FloatArray:
        """The points with every range taken for 1, (T, P)."""
        low, high = np.array(self.problem.family.bounds).T
        return np.asarray((np.array(self.points) - low) / np.where(high > low, high - low, 1.0))
