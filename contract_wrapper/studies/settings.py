"""How a search goes, besides what its evaluations have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from contract_wrapper.bo.sampling import initial_designs
from contract_wrapper.bo.space import Design, DesignSpace, contract_space
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """Seed, budgets and design space of a search."""

    seed: int = 0
    """Of the whole study: initial designs, trainings and suggestions derive from it."""

    n_initial: int = 10
    """Initial designs: corners first, then random ones."""

    n_search: int = 20
    """Evaluations that cPMES chooses; a study may be continued with more."""

    batch: int = 2
    """Contracts that cPMES chooses at once."""

    n_confirm: int = 5
    """Fresh trainings that confirm the best contract at the end; 0: none."""

    max_cleaners: int = 5
    """Largest number of cleaners in the design space (taxes: 0.00 to 1.00 in steps of 0.01)."""

    def __post_init__(self) -> None:
        least = {"seed": 0, "n_initial": 3, "n_search": 0, "batch": 1, "n_confirm": 0, "max_cleaners": 1}
        for name, low in least.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise ContractsError(f"{name} must be an integer of at least {low}, got {shown(value)}")

    @property
    def space(self) -> DesignSpace:
        """The designs among which the search chooses."""
        return contract_space(self.max_cleaners)

    def training_seed(self, number: int) -> int:
        """Seed of the training of a trial: a function of the study's seed and the trial's number alone."""
        return int(np.random.SeedSequence([self.seed, 20, number]).generate_state(1, np.uint32)[0])

    def initial_contracts(self) -> list[Contract]:
        """Contracts that every study begins with: none, then the initial designs.

        Raises:
            ContractsError: the design space has fewer designs than are wanted.
        """
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, 10]))
        return [Contract.none(), *map(contract_of, initial_designs(self.space, self.n_initial, rng))]

    def to_dict(self) -> dict[str, int]:
        """Plain data, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SearchSettings:
        """Read what `to_dict` wrote.

        Raises:
            ContractsError: a setting is missing, unknown or out of range.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        if set(data) != known:
            raise ContractsError(f"search settings have the names {sorted(known)}, got {sorted(data)}")
        return cls(**data)


def design_of(contract: Contract) -> Design:
    """Return a contract as the optimiser sees it: (tax, cleaners)."""
    return (contract.tax, contract.n_cleaners)


def contract_of(design: Sequence[float]) -> Contract:
    """Read a design of the optimiser as a contract."""
    tax, cleaners = design
    return Contract(tax=float(tax), n_cleaners=int(cleaners))
