"""What a landscape of any contracts measures, and what can be said of it: bounds, verdicts, the best and its rivals.

One seed is one training of crews that know all contracts, and the independent unit of every interval: the seeds are
shared by all contracts, so that two contracts are compared by the differences of their seeds.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes import compare
from contract_wrapper.landscapes.bounds import CONFIDENCE, BoolArray, Bounds, FloatArray, Interval, Unit, simultaneous
from contract_wrapper.landscapes.certificate import Certificate, RoleGain, certify, decided
from contract_wrapper.landscapes.table.csv_table import csv_table
from contract_wrapper.landscapes.table.fields import PER_CONTRACT, Form, check_arrays, check_names, joined_fields
from contract_wrapper.landscapes.table.table_file import read_fields, write_fields
from contract_wrapper.landscapes.table.who_accepts import estimates, who_accepts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContractTable(ABC):
    """What K contracts bring about for crews of S conditioned trainings; contract 0 is no contract.

    Means and standard errors (`*_se`) are over the episodes that one training's crews played, in apples per episode;
    intervals over trainings are taken from the axis S. What does not exist is NaN: the utility of an agent that the
    contract does not recruit, the gain of a cleaner where there is none.
    """

    FORM: ClassVar[Form]
    """Of which arrays and lists it is made."""

    about: Mapping[str, Any]
    """What it was made for and by, in plain values: game, costs, learner, episodes, code, versions, command."""

    seeds: tuple[int, ...]
    """Seeds of the S conditioned trainings."""

    agents: tuple[str, ...]
    """Names of the A agents of the game with the largest crew."""

    welfare: FloatArray
    """Rewards less costs of all agents, (S, K)."""

    welfare_se: FloatArray

    harvest: FloatArray
    """Apples eaten by all agents, (S, K)."""

    harvest_se: FloatArray

    shots: FloatArray
    """Shots of all agents, (S, K)."""

    shots_se: FloatArray

    waste: FloatArray
    """Waste cells, mean over the steps of an episode, (S, K)."""

    waste_se: FloatArray

    utilities: FloatArray
    """What each agent takes home, (S, K, A)."""

    utilities_se: FloatArray

    deviations: tuple[str, ...]
    """Names of the D deviations that were tried."""

    gains: FloatArray
    """What the first agent of each role gains by its strongest deviation alone, (S, K, R), on other episodes than
    those on which the strongest was chosen; the command pools neighbouring taxes (`building.pooling`)."""

    gains_se: FloatArray

    strongest: NDArray[np.int64]
    """Number of that deviation, (S, K, R); -1 where there is none."""

    tried_at: NDArray[np.int64]
    """Numbers of the C contracts at which all deviations were tried, (C,); elsewhere the nearest tax's was taken."""

    tried: FloatArray
    """Gain of every deviation on the episodes of the choice, (S, C, R, D); NaN for those that the role does not have."""

    tried_se: FloatArray

    cpu_seconds: FloatArray
    """CPU time of crews, deviators and playing, (S, 3)."""

    @property
    @abstractmethod
    def tried_roles(self) -> tuple[str, ...]:
        """Roles, or agents by name, whose deviations are measured: the axis R."""

    @abstractmethod
    def contracts(self) -> Sequence[AnyContract]:
        """All contracts, by number."""

    @abstractmethod
    def number(self, contract: Any) -> int:
        """Number of a contract; nothing is interpolated."""

    @abstractmethod
    def margins(self) -> FloatArray:
        """Margins of participation, (S, K, A), >= 0 good; NaN for absent agents, 0 for no contract's own agents."""

    @abstractmethod
    def margins_se(self) -> FloatArray:
        """Standard errors of `margins` over episodes, (S, K, A)."""

    @abstractmethod
    def default_epsilon(self) -> float:
        """What a certificate takes for nothing, in apples per episode."""

    @abstractmethod
    def role_of(self, agent: str) -> str:
        """Role of an agent."""

    @abstractmethod
    def terms_by_name(self) -> dict[str, Any]:
        """The numbers of the contracts by name, (K,) each: the first columns of the CSV."""

    @property
    def maximised(self) -> str:
        """Name of what the principal maximises."""
        return "welfare"

    def objective(self) -> tuple[FloatArray, FloatArray]:
        """What the principal maximises, and its standard errors over episodes, both (S, K): welfare."""
        return self.welfare, self.welfare_se

    def of_role(self, who: str) -> NDArray[np.int64]:
        """Places of the agents of a role on the axis A, or of one agent by name."""
        if who in self.agents:
            return np.array([self.agents.index(who)], np.int64)
        return np.array([i for i, agent in enumerate(self.agents) if self.role_of(agent) == who], np.int64)

    def untried(self) -> dict[str, NDArray[np.int64]]:
        """Roles of which nobody's deviations were tried, with the places of their agents."""
        tried = {self.role_of(who) if who in self.agents else who for who in self.tried_roles}
        roles = dict.fromkeys(map(self.role_of, self.agents))
        return {role: self.of_role(role) for role in roles if role not in tried}

    def check(self) -> None:
        """Refuse names, arrays and numbers that are none.

        Raises:
            ContractsError: naming the first fault.
        """
        fields = self.fields()
        check_names(self.about, {name: fields[name] for name in self.FORM.lists})
        check_arrays(fields, self.FORM)

    def fields(self) -> dict[str, Any]:
        """All fields by name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    def feasible(self) -> BoolArray:
        """Contracts that are feasible as measured: all margins, means over trainings, are at least 0; (K,)."""
        return np.asarray((np.nan_to_num(self.margins().mean(axis=0)) >= 0.0).all(axis=1), np.bool_)

    def bounds(self, *, confidence: float = CONFIDENCE, unit: Unit | None = None) -> Bounds:
        """Bounds on the margins of the A agents and on minus the gains of the R roles, (K, A + R).

        All bounds of one contract hold together; see `simultaneous`.
        """
        values, errors = ((self.margins(), -self.gains), (self.margins_se(), self.gains_se))
        return simultaneous(np.dstack(values), np.dstack(errors), confidence=confidence, unit=unit)

    def certified(
        self, epsilon: float | None = None, *, confidence: float = CONFIDENCE, unit: Unit | None = None
    ) -> BoolArray:
        """Contracts whose margins and minus gains are all at least -epsilon beyond their errors, (K,).

        The bounds of each contract hold together; of K certified ones some may be so by luck.
        """
        return self._decided(epsilon, confidence, unit)[0]

    def refuted(
        self, epsilon: float | None = None, *, confidence: float = CONFIDENCE, unit: Unit | None = None
    ) -> BoolArray:
        """Contracts of which a margin or minus a gain is below -epsilon beyond its error, (K,); the rest is undecided."""
        return self._decided(epsilon, confidence, unit)[1]

    def certificate(
        self, contract: AnyContract, epsilon: float | None = None, *, confidence: float = CONFIDENCE,
        unit: Unit | None = None,
    ) -> Certificate:  # fmt: skip
        """Certificate of one contract of the table.

        Raises:
            ContractsError: the contract is none of the table's.
        """
        k, margins, errors = self.number(contract), self.margins(), self.margins_se()
        there = [i for i in range(len(self.agents)) if np.isfinite(self.utilities[0, k, i])]
        needed = [who for who in (*self.tried_roles, *self.untried()) if set(self.of_role(who)) & set(there)]
        gains = [
            RoleGain(
                role=role,
                gains=estimates(self.gains[:, k, r], self.gains_se[:, k, r]),
                deviations=[self.deviations[d] for d in self.strongest[:, k, r]],
                utility=float(self.utilities[:, k, self.of_role(role)[0]].mean()),
            )
            for r, role in enumerate(self.tried_roles)
            if np.isfinite(self.gains[:, k, r]).all()
        ]
        return certify(
            contract,
            {self.agents[i]: estimates(margins[:, k, i], errors[:, k, i]) for i in there},
            gains,
            epsilon=self.default_epsilon() if epsilon is None else epsilon,
            confidence=confidence,
            unit=unit,
            needed=needed,
        )

    def best(self, among: ArrayLike | None = None, values: FloatArray | None = None) -> int:
        """Number of the contract with the highest objective (or other values, (S, K)), by default of the feasible ones."""
        found = self.objective()[0] if values is None else values
        return compare.best(found, self.feasible() if among is None else among)

    def paired(
        self, x: AnyContract, y: AnyContract, *, confidence: float = CONFIDENCE, unit: Unit | None = None
    ) -> Interval:
        """The objective (welfare) under x less that under y, training by training, with its interval."""
        i, j, (w, se) = self.number(x), self.number(y), self.objective()
        return compare.difference(w[:, i], w[:, j], se[:, i], se[:, j], confidence=confidence, unit=unit)

    def indistinguishable(
        self, among: ArrayLike | None = None, *, confidence: float = CONFIDENCE, unit: Unit | None = None
    ) -> BoolArray:
        """Contracts whose objective (welfare) cannot be told from the best one's, among the feasible ones by default, (K,)."""
        mask = self.feasible() if among is None else among
        return compare.indistinguishable(*self.objective(), mask, confidence=confidence, unit=unit)

    def to_csv(self) -> str:
        """One row per contract: means over trainings, errors over them (or episodes, see `errors_over`), verdicts."""
        found = self.bounds()
        certified, refuted = self._decided(None, CONFIDENCE, found.unit)
        return csv_table(
            {**self.terms_by_name(), "feasible": self.feasible(),
             "acceptance": who_accepts(self.margins(), self.margins_se(), found.unit), "certified": certified,
             "refuted": refuted, "errors_over": [found.unit] * self.welfare.shape[1]},
            {name: (getattr(self, name), getattr(self, f"{name}_se")) for name in PER_CONTRACT},
            {"utility": (self.agents, self.utilities, self.utilities_se),
             "margin": (self.agents, self.margins(), self.margins_se()),
             "gain": (self.tried_roles, self.gains, self.gains_se)},
            {f"gain_{role}_at_most": -found.lower[:, len(self.agents) + r] for r, role in enumerate(self.tried_roles)},
            found.unit,
        )  # fmt: skip

    def _decided(self, epsilon: float | None, confidence: float, unit: Unit | None) -> tuple[BoolArray, BoolArray]:
        found = self.bounds(confidence=confidence, unit=unit)
        there = np.isfinite(self.utilities[0])
        needed = np.column_stack([there, *(there[:, self.of_role(role)].any(axis=1) for role in self.tried_roles)])
        certified, refuted = decided(
            found.lower, found.upper, needed, self.default_epsilon() if epsilon is None else epsilon
        )
        for places in self.untried().values():
            certified &= ~there[:, places].any(axis=1)
        return certified, refuted

    def save(self, path: Path | str) -> None:
        """Write one sealed .npz; an older one at `path` stays whole until the new one is on disk.

        Raises:
            ContractsError: it cannot be written.
        """
        write_fields(path, self.fields(), self.FORM)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what `save` wrote; no code of the file is run.

        Raises:
            ContractsError: the file is missing, damaged, cut short, of another form, or no landscape.
        """
        fields = read_fields(path, cls.FORM)
        try:
            return cls(**fields)
        except ContractsError as error:
            raise ContractsError(f"{Path(path)} is no landscape that can be used: {error}") from error

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put landscapes of the same contracts and making, but of other seeds, side by side.

        Raises:
            ContractsError: there is none, a seed comes twice, or they differ in more than their seeds.
        """
        fields = joined_fields([part.fields() for part in parts], cls.FORM)
        return dataclasses.replace(parts[0], **fields)
