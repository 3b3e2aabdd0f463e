"""What the making of one seed of a landscape asks of its settings, whatever its contracts are."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.bounds import FloatArray
from contract_wrapper.landscapes.building.measured import Measured
from contract_wrapper.landscapes.table.contract_table import ContractTable
from mtmfq.config import MTMFQConfig

Table_co = TypeVar("Table_co", bound=ContractTable, covariant=True)
Table = TypeVar("Table", bound=ContractTable)


class Plan(Protocol[Table_co]):
    """A grid of contracts, crew size by crew size, and how crews and deviators are trained and played."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Crew sizes of the grid, and of the training."""
        ...

    @property
    def deviators(self) -> MTMFQConfig:
        """How deviators learn."""
        ...

    @property
    def episodes(self) -> int:
        """Greedy episodes per contract and training."""
        ...

    @property
    def tried_episodes(self) -> int:
        """Other episodes, on which the strongest deviation is chosen."""
        ...

    @property
    def points(self) -> tuple[tuple[float, ...], ...]:
        """Terms of the contracts that are played with every crew size, (T, P)."""
        ...

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles, or agents by name, whose deviations are measured, in the order of the axis R."""
        ...

    def none(self) -> AnyContract:
        """Return the baseline: no contract."""
        ...

    def tried_columns(self) -> list[int]:
        """Numbers of the points at which all deviations are tried."""
        ...

    def nearest_tried(self) -> NDArray[np.int64]:
        """For every point the place among `tried_columns` of the nearest, (T,)."""
        ...

    def smooth(self, gains: FloatArray) -> FloatArray:
        """Gains (C, ...) at the tried points, as they are compared to choose the strongest."""
        ...

    def agents_of(self, n_cleaners: int) -> tuple[str, ...]:
        """Names of the agents of the game with so many cleaners."""
        ...

    def evaluation(self, seed: int) -> EvaluationSettings:
        """How contracts are evaluated by the crews of one seed, and the baseline by agents of its own."""
        ...

    def about(self) -> dict[str, Any]:
        """Plain values that say all of this, and the code that does it."""
        ...

    def table(self, seed: int, none: Outcome, measured: Measured) -> Table_co:
        """Put what one seed measured together to its landscape."""
        ...
