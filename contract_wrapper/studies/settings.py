"""How a search goes, besides what its evaluations have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from contract_wrapper.bo.candidates.sampling import MOST_INITIAL, initial_designs
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.space import DesignSpace, contract_space
from contract_wrapper.bo.suggestion import LARGEST_BATCH
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.problems.problem import DesignProblem
from contract_wrapper.studies.designs import Designs

_RANGES = {
    "seed": (0, 2**63 - 1),
    "n_initial": (3, MOST_INITIAL),
    "n_search": (0, 100_000),
    "batch": (1, LARGEST_BATCH),
    "n_confirm": (0, 10_000),
    "max_cleaners": (1, 1000),
}
"""Name of a setting -> smallest and largest value; more than that no search gets through."""

MAY_CHANGE = ("n_search", "n_confirm", "certify")
"""Settings that a study may be continued with other values of."""


_LATER = {"optimiser", "certify"}


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
    """Fresh trainings that confirm the best contract at the end; 0: none, and crews have one contract certified at most."""

    certify: bool = True
    """Whether the best contract is certified at the end, where crews judge; each agent that the contract tells apart costs time."""

    max_cleaners: int = 5
    """Largest number of cleaners in the design space (taxes: 0.00 to 1.00 in steps of 0.01)."""

    optimiser: CPMESConfig = dataclasses.field(default_factory=CPMESConfig)
    """How cPMES chooses contracts."""

    def __post_init__(self) -> None:
        if not isinstance(self.optimiser, CPMESConfig):
            raise ContractsError(
                f"optimiser must be a CPMESConfig, for example CPMESConfig(), got {shown(self.optimiser)}"
            )
        if not isinstance(self.certify, bool):
            raise ContractsError(f"certify must be true or false, got {shown(self.certify)}")
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise ContractsError(f"{name} must be an integer from {least} to {most}, got {shown(value)}")

    def designs(self, problem: DesignProblem | None = None) -> Designs:
        """The contracts among which the search chooses, of a design problem or Clean-up's."""
        return Designs.of(problem, self.max_cleaners)

    @property
    def space(self) -> DesignSpace:
        """The designs among which the search chooses in Clean-up."""
        return contract_space(self.max_cleaners)

    def training_seed(self, number: int) -> int:
        """Seed of the training of a trial: a function of the study's seed and the trial's number alone."""
        return int(np.random.SeedSequence([self.seed, 20, number]).generate_state(1, np.uint32)[0])

    def initial_contracts(self, problem: DesignProblem | None = None) -> list[AnyContract]:
        """Contracts that every study begins with: none, then the initial designs, of a problem or Clean-up's.

        Raises:
            ContractsError: the design space has fewer designs than are wanted.
        """
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, 10]))
        designs = self.designs(problem)
        return [designs.none(), *map(designs.contract, initial_designs(designs.space, self.n_initial, rng))]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        choosing = dataclasses.asdict(self.optimiser)
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in choosing.items()}
        return {**dataclasses.asdict(self), "optimiser": plain}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SearchSettings:
        """Read what `to_dict` wrote.

        Raises:
            ContractsError: a setting is missing, unknown or out of range.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        if set(data) | _LATER != known:  # studies from before these could be chosen have the defaults
            raise ContractsError(f"search settings have the names {sorted(known)}, got {sorted(data)}")
        choosing, names = data.get("optimiser", {}), {f.name for f in dataclasses.fields(CPMESConfig)}
        if not isinstance(choosing, Mapping) or not set(choosing) <= names:
            raise ContractsError(f"settings of the optimiser have the names {sorted(names)}, got {shown(choosing)}")
        return cls(**{**data, "optimiser": CPMESConfig(**choosing)})
