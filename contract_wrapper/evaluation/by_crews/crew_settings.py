"""How crews that know every contract are trained, by which contracts are then judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from contract_wrapper.contracts.contract import as_int, as_items
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.by_crews.crew_learners import CrewLearner, check_crew_learner
from contract_wrapper.evaluation.crews import CREWS, SIZES
from contract_wrapper.learners.registry import config_from_dict, config_to_dict

MOST_TRAININGS = 1_000
"""Each takes seconds at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewSettings:
    """Crews of several independent trainings, each of which knows every tax and every crew size."""

    trainings: int = 2
    """Independent trainings, S; every contract is judged by the crews of all of them."""

    learner: CrewLearner = CREWS
    """Settings of one training, of mtmfq or of PPO (`PPO_CREWS`); its `episodes` are those of all crew sizes together."""

    sizes: tuple[int, ...] = SIZES
    """Crew sizes that the agents get to know, in the order in which they take turns."""

    seed: int = 0
    """What the seeds of the trainings are drawn from."""

    def __post_init__(self) -> None:
        for name, (least, most) in {"trainings": (1, MOST_TRAININGS), "seed": (0, 2**63 - 1)}.items():
            number = as_int(getattr(self, name))
            if number is None or not least <= number <= most:
                raise ContractsError(
                    f"{name} of crews must be an integer from {least} to {most:,}, got {shown(getattr(self, name))}"
                )
            object.__setattr__(self, name, number)
        items = as_items(self.sizes)
        sizes = [] if items is None else [as_int(size) for size in items]
        known = tuple(size for size in sizes if size is not None and size >= 1)
        if not known or len(set(known)) < len(sizes):
            raise ContractsError(f"sizes must be distinct numbers of cleaners of at least 1, got {shown(self.sizes)}")
        object.__setattr__(self, "sizes", known)
        check_crew_learner(self.learner, len(known))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the S trainings; more trainings leave those before them as they are."""
        states = (np.random.SeedSequence([self.seed, 40, k]) for k in range(self.trainings))
        return tuple(int(state.generate_state(1, np.uint32)[0]) for state in states)

    def check_knows(self, n_cleaners: int) -> None:
        """Refuse a crew size that the agents never see.

        Raises:
            ContractsError: it is none of `sizes`; nothing is extrapolated.
        """
        if n_cleaners not in self.sizes:
            known = ", ".join(map(str, self.sizes))
            raise ContractsError(
                f"the crews are trained for {known} cleaners, not for {n_cleaners}: name this size in CrewSettings(sizes=...), "
                "or train under this contract alone, from scratch (crews=None, --inner scratch)"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {**values, "learner": config_to_dict(self.learner), "sizes": list(self.sizes)}

    @classmethod
    def from_dict(cls, data: object) -> CrewSettings:
        """Read what `to_dict` wrote.

        Raises:
            ContractsError: something is missing, unknown or out of range.
            LearnerError: a setting of the learner is out of range.
        """
        names = {f.name for f in dataclasses.fields(cls)}
        if not isinstance(data, Mapping) or set(data) != names or not isinstance(data["learner"], Mapping):
            raise ContractsError(f"settings of crews have the names {', '.join(sorted(names))}, got {shown(data)}")
        return cls(**{**data, "learner": config_from_dict(data["learner"])})
