"""A landscape: what every contract of a grid brings about, for several conditioned trainings.

One seed is one training of crews that know all contracts, and the independent unit of every interval: the seeds are
shared by all contracts, so that two contracts are compared by the differences of their seeds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanup_env import CleanupConfig
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import CostRule
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes import compare, making
from contract_wrapper.landscapes.bounds import CONFIDENCE, BoolArray, Bounds, FloatArray, Interval, Unit, simultaneous
from contract_wrapper.landscapes.certificate import Certificate, RoleGain, certify, decided, default_epsilon
from contract_wrapper.landscapes.csv_table import csv_table
from contract_wrapper.landscapes.fields import (
    PER_CONTRACT,
    check_arrays,
    check_names,
    check_presence,
    joined_fields,
    number_of,
)
from contract_wrapper.landscapes.fields import ROLES as ROLES
from contract_wrapper.landscapes.landscape_file import KIND as KIND
from contract_wrapper.landscapes.landscape_file import read_fields, write_fields
from contract_wrapper.landscapes.who_accepts import estimates, who_accepts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Landscape:
    """What K contracts bring about for crews of S conditioned trainings; contract 0 is no contract.

    Means and standard errors (`*_se`) are over the episodes that one training's crews played, in apples per episode;
    intervals over trainings are taken from the axis S. What does not exist is NaN: the utility of an agent that the
    contract does not recruit, the gain of a cleaner where there is none.
    """

    about: Mapping[str, Any]
    """What it was made for and by, in plain values: game, costs, learner, episodes, code, versions, command."""

    seeds: tuple[int, ...]
    """Seeds of the S conditioned trainings."""

    agents: tuple[str, ...]
    """Names of the A agents of the game with the largest crew."""

    tax: FloatArray
    """Taxes, (K,)."""

    n_cleaners: NDArray[np.int64]
    """Crew sizes, (K,)."""

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

    def __post_init__(self) -> None:
        check_names(self.about, self.seeds, self.agents, self.deviations)
        check_arrays(self.fields())
        if (self.tax[0], self.n_cleaners[0]) != (0, 0) or len(set(self.contracts())) < len(self.tax):
            raise ContractsError("contract 0 of a landscape is no contract (tax 0, no cleaners), and none comes twice")
        check_presence(self.agents, self.n_cleaners, self.utilities)

    def fields(self) -> dict[str, Any]:
        """All fields by name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    def contracts(self) -> list[Contract]:
        """All contracts, by number."""
        return [Contract(tax=float(t), n_cleaners=int(n)) for t, n in zip(self.tax, self.n_cleaners, strict=True)]

    def number(self, contract: Contract) -> int:
        """Number of a contract.

        Raises:
            ContractsError: it is none of the table's; nothing is interpolated.
        """
        return number_of(self.tax, self.n_cleaners, contract)

    def of_role(self, role: str) -> NDArray[np.int64]:
        """Places of the agents of a role on the axis A."""
        return np.array([i for i, agent in enumerate(self.agents) if agent.rpartition("_")[0] == role], np.int64)

    def margins(self) -> FloatArray:
        """Margins of participation, (S, K, A), >= 0 good: harvesters against no contract (eq. 4), cleaners against 0 (eq. 5).

        Source: Molina Concha et al. 2024. NaN for absent agents; no contract has margins of 0.
        """
        margins = self.utilities.copy()
        places = self.of_role("harvester")
        margins[:, :, places] -= self.utilities[:, :1, places]
        return margins

    def check_made_for(
        self, *, game: CleanupConfig | None = None, costs: CostRule | str | None = None, code: str | None = None
    ) -> None:
        """Refuse a landscape of another game, cost rule or version of the code; what is None is not compared.

        Raises:
            ContractsError: naming the first difference.
        """
        making.check_made_for(self.about, game, costs, code)

    def feasible(self) -> BoolArray:
        """Contracts that are feasible as measured: all margins, means over trainings, are at least 0; (K,)."""
        return np.asarray((np.nan_to_num(self.margins().mean(axis=0)) >= 0.0).all(axis=1), np.bool_)

    def default_epsilon(self) -> float:
        """2 % of the baseline harvester's utility: apples that a certificate takes for nothing."""
        return default_epsilon(self.utilities[:, 0, self.of_role("harvester")])

    def margins_se(self) -> FloatArray:
        """Standard errors of `margins` over episodes, (S, K, A): a harvester's adds that of its baseline."""
        errors = self.utilities_se.copy()
        places = self.of_role("harvester")
        errors[:, :, places] = np.hypot(errors[:, :, places], errors[:, :1, places])
        errors[:, 0, places] = 0.0
        return errors

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
        self, contract: Contract, epsilon: float | None = None, *, confidence: float = CONFIDENCE,
        unit: Unit | None = None,
    ) -> Certificate:  # fmt: skip
        """Certificate of one contract of the table.

        Raises:
            ContractsError: the contract is none of the table's.
        """
        k, margins, errors = self.number(contract), self.margins(), self.margins_se()
        there = [i for i in range(len(self.agents)) if np.isfinite(self.utilities[0, k, i])]
        gains = [
            RoleGain(
                role=role,
                gains=estimates(self.gains[:, k, r], self.gains_se[:, k, r]),
                deviations=[self.deviations[d] for d in self.strongest[:, k, r]],
                utility=float(self.utilities[:, k, self.of_role(role)[0]].mean()),
            )
            for r, role in enumerate(ROLES)
            if np.isfinite(self.gains[:, k, r]).all()
        ]
        return certify(
            contract,
            {self.agents[i]: estimates(margins[:, k, i], errors[:, k, i]) for i in there},
            gains,
            epsilon=self.default_epsilon() if epsilon is None else epsilon,
            confidence=confidence,
            unit=unit,
        )

    def best(self, among: ArrayLike | None = None, values: FloatArray | None = None) -> int:
        """Number of the contract with most welfare (or other values, (S, K)), among the feasible ones by default."""
        return compare.best(self.welfare if values is None else values, self.feasible() if among is None else among)

    def paired(self, x: Contract, y: Contract, *, confidence: float = CONFIDENCE, unit: Unit | None = None) -> Interval:
        """Welfare of x less that of y, training by training, with its interval."""
        i, j, w, se = self.number(x), self.number(y), self.welfare, self.welfare_se
        return compare.difference(w[:, i], w[:, j], se[:, i], se[:, j], confidence=confidence, unit=unit)

    def indistinguishable(
        self, among: ArrayLike | None = None, *, confidence: float = CONFIDENCE, unit: Unit | None = None
    ) -> BoolArray:
        """Contracts whose welfare cannot be told from the best one's, among the feasible ones by default, (K,)."""
        mask = self.feasible() if among is None else among
        return compare.indistinguishable(self.welfare, self.welfare_se, mask, confidence=confidence, unit=unit)

    def tie_break(self, rule: compare.TieBreak, among: ArrayLike) -> int:
        """Number of the contract of a set that is preferred by 'lowest tax', 'smallest crew' or 'fairest'."""
        worst_off = np.nanmin(self.utilities.mean(axis=0), axis=1)
        return compare.tie_break(rule, among, self.tax, self.n_cleaners, worst_off, self.welfare)

    def recosted(self, costs: CostRule | str) -> Landscape:
        """Return the landscape of another flat cost rule: nobody's play depends on a cost that no action changes.

        Raises:
            ContractsError: one of the rules has a price per shot or cell, or the landscape does not say what it
                was made for.
        """
        costs_now, shift = making.shifts(self.about, costs, self.agents)
        there = np.isfinite(self.utilities)
        return dataclasses.replace(
            self,
            about={**self.about, "costs": costs_now, "recosted_from": self.about["costs"]},
            utilities=self.utilities - shift,
            welfare=self.welfare - (there * shift).sum(axis=2),
        )

    def to_csv(self) -> str:
        """One row per contract: means over trainings, errors over them (or episodes, see `errors_over`), verdicts."""
        found = self.bounds()
        certified, refuted = self._decided(None, CONFIDENCE, found.unit)
        return csv_table(
            {"tax": self.tax, "n_cleaners": self.n_cleaners, "feasible": self.feasible(),
             "acceptance": who_accepts(self.margins(), self.margins_se(), found.unit), "certified": certified,
             "refuted": refuted, "errors_over": [found.unit] * len(self.tax)},
            {name: (getattr(self, name), getattr(self, f"{name}_se")) for name in PER_CONTRACT},
            {"utility": (self.agents, self.utilities, self.utilities_se),
             "margin": (self.agents, self.margins(), self.margins_se()),
             "gain": (ROLES, self.gains, self.gains_se)},
            {f"gain_{role}_at_most": -found.lower[:, len(self.agents) + r] for r, role in enumerate(ROLES)},
            found.unit,
        )  # fmt: skip

    def _decided(self, epsilon: float | None, confidence: float, unit: Unit | None) -> tuple[BoolArray, BoolArray]:
        found = self.bounds(confidence=confidence, unit=unit)
        crew = self.n_cleaners > 0
        needed = np.column_stack([np.isfinite(self.utilities[0]), crew, np.ones_like(crew)])
        return decided(found.lower, found.upper, needed, self.default_epsilon() if epsilon is None else epsilon)

    def save(self, path: Path | str) -> None:
        """Write one sealed .npz; an older one at `path` stays whole until the new one is on disk.

        Raises:
            ContractsError: it cannot be written.
        """
        write_fields(path, self.fields())

    @classmethod
    def load(cls, path: Path | str) -> Landscape:
        """Read what `save` wrote; no code of the file is run.

        Raises:
            ContractsError: the file is missing, damaged, cut short, of another form, or no landscape.
        """
        fields = read_fields(path)
        try:
            return cls(**fields)
        except ContractsError as error:
            raise ContractsError(f"{Path(path)} is no landscape that can be used: {error}") from error

    @classmethod
    def joined(cls, parts: Sequence[Landscape]) -> Landscape:
        """Put landscapes of the same contracts and making, but of other seeds, side by side.

        Raises:
            ContractsError: there is none, a seed comes twice, or they differ in more than their seeds.
        """
        fields = joined_fields([part.fields() for part in parts])
        return dataclasses.replace(parts[0], **fields)
