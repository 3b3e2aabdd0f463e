"""What pictures, page and summary of a landscape say, gathered once, so that all of them say the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.participation import Acceptance
from contract_wrapper.landscapes.bounds import (
    CONFIDENCE,
    BoolArray,
    Bounds,
    FloatArray,
    Unit,
    chosen_unit,
    quantile,
    simultaneous,
    standard_error,
)  # fmt: skip
from contract_wrapper.landscapes.compare import TieBreak
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.table.fields import ROLES
from contract_wrapper.landscapes.table.who_accepts import who_accepts
from contract_wrapper.landscapes.thresholds import Threshold, predicted_threshold, threshold

LEARNED = ("learned", "PPO")
"""How the names of deviations begin that were learned against the frozen crew."""


class Band(NamedTuple):
    """Means over trainings with their pointwise 95 % intervals; all of one shape, NaN where something is missing."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray


class Rows(NamedTuple):
    """The contracts of one crew size, by rising tax."""

    n_cleaners: int
    numbers: NDArray[np.int64]
    """Their numbers in the landscape."""

    tax: FloatArray


NEAR = 0.95
"""Part of the best welfare that a contract must have on average for a tie-break to prefer it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """A landscape, and what can be said of it with 95 % confidence and the default epsilon."""

    landscape: Landscape

    def named(self, number: int) -> str:
        """A contract in words, its tax in at most six digits: 'tax 0.3, 2 cleaners'."""
        n = int(self.landscape.n_cleaners[number])
        return f"tax {self.landscape.tax[number]:g}, {n} cleaner{'s' if n != 1 else ''}"

    @cached_property
    def unit(self) -> Unit:
        """What errors are over: trainings, or the episodes of the only one."""
        return chosen_unit(None, len(self.landscape.seeds))

    @cached_property
    def epsilon(self) -> float:
        """Apples per episode that a certificate takes for nothing."""
        return self.landscape.default_epsilon()

    @cached_property
    def crews(self) -> tuple[Rows, ...]:
        """The contracts by crew size; no contract is none of them."""
        table = self.landscape
        found = []
        for crew in sorted({int(n) for n in table.n_cleaners if n > 0}):
            numbers = np.flatnonzero(table.n_cleaners == crew)
            numbers = numbers[np.argsort(table.tax[numbers])]
            found.append(Rows(crew, numbers, table.tax[numbers]))
        return tuple(found)

    @cached_property
    def feasible(self) -> BoolArray:
        """Contracts with cleaners that are feasible: no margin is below 0 as measured, (K,)."""
        return self.landscape.feasible() & (self.landscape.n_cleaners > 0)

    @cached_property
    def certified(self) -> BoolArray:
        """Contracts with cleaners that are certified, (K,)."""
        return self.landscape.certified() & (self.landscape.n_cleaners > 0)

    @cached_property
    def refuted(self) -> BoolArray:
        """Contracts with cleaners that are refuted, (K,)."""
        return self.landscape.refuted() & (self.landscape.n_cleaners > 0)

    @property
    def competing(self) -> BoolArray:
        """Contracts among which the best is chosen: the certified, or if there are none, the feasible, (K,)."""
        return self.certified if self.certified.any() else self.feasible

    @property
    def competing_word(self) -> str:
        """What the competing contracts are: 'certified', 'feasible', or '' where there are none."""
        return "certified" if self.certified.any() else "feasible" if self.feasible.any() else ""

    @cached_property
    def acceptance(self) -> Mapping[Acceptance, int]:
        """How many contracts with cleaners everybody accepts, somebody refuses, and of how many it is undecided."""
        table = self.landscape
        words = who_accepts(table.margins(), table.margins_se(), self.unit)[table.n_cleaners > 0]
        return {word: int((words == word.value).sum()) for word in Acceptance}

    @cached_property
    def best(self) -> int | None:
        """Number of the competing contract with most welfare; None: nothing competes."""
        return self.landscape.best(self.competing) if self.competing.any() else None

    @cached_property
    def alike(self) -> BoolArray:
        """Competing contracts that cannot be told from the best, itself among them, (K,)."""
        if self.best is None:
            return np.zeros_like(self.competing)
        return self.landscape.indistinguishable(self.competing)

    @cached_property
    def behind(self) -> Bounds:
        """Welfare of the competing contracts less that of the best, (1, K), with bounds that hold for all together."""
        table, best = self.landscape, self.best
        others = self.competing.copy()
        if best is None:
            raise ContractsError("no contract is feasible, so there is no best one to compare others with")
        others[best] = False
        values = np.where(others, table.welfare - table.welfare[:, best, None], np.nan)
        errors = np.where(others, np.hypot(table.welfare_se, table.welfare_se[:, best, None]), np.nan)
        return simultaneous(values[:, None], errors[:, None], unit=self.unit)

    @cached_property
    def preferred(self) -> dict[TieBreak, int]:
        """Number of the contract of the set alike that each tie-break prefers; empty where nothing competes.

        A contract whose welfare differs widely between trainings cannot be told from the best, and may be much worse;
        so only those count whose mean is at least `NEAR` of the best.
        """
        if self.best is None:
            return {}
        mean = self.welfare.mean
        among = self.alike & (mean >= NEAR * mean[self.best])
        return {rule: self.landscape.tie_break(rule, among) for rule in get_args(TieBreak)}

    @cached_property
    def welfare(self) -> Band:
        """Welfare of every contract, (K,)."""
        return self.band(self.landscape.welfare, self.landscape.welfare_se)

    @cached_property
    def gains(self) -> Band:
        """Gains by the strongest deviation, (K, R)."""
        return self.band(self.landscape.gains, self.landscape.gains_se)

    @cached_property
    def gains_at_most(self) -> FloatArray:
        """Upper bounds on gains, which hold together with all other bounds of their contract, (K, R)."""
        return -self.landscape.bounds().lower[:, -len(ROLES) :]

    @cached_property
    def thresholds(self) -> dict[int, Threshold | ContractsError]:
        """Tax from which nobody free-rides, by crew size, or why it is not known."""
        return {crew.n_cleaners: _or_why(threshold, self.landscape, crew.n_cleaners) for crew in self.crews}

    @cached_property
    def predictions(self) -> dict[int, Threshold | ContractsError]:
        """The same as predicted from the marginal harvest of one cleaner."""
        return {crew.n_cleaners: _or_why(predicted_threshold, self.landscape, crew.n_cleaners) for crew in self.crews}

    def tried(self, role: int, deviation: int) -> Band:
        """Gain of one deviation at the contracts where all were tried, (C,)."""
        table = self.landscape
        return self.band(table.tried[:, :, role, deviation], table.tried_se[:, :, role, deviation])

    @cached_property
    def worst_margin(self) -> FloatArray:
        """Smallest margin of any agent, each a mean over trainings, (K,); NaN where somebody's is not known."""
        margins = self.landscape.margins().mean(axis=0)
        there = np.isfinite(self.landscape.utilities).any(axis=0)
        return np.asarray(np.where(there, margins, np.inf).min(axis=1), np.float64)

    def margins_of(self, role: str, which: Literal["worst", "best"]) -> Band:
        """Margin of the agent of a role that is worst or best off, training by training, (K,); NaN where there is none."""
        table = self.landscape
        places = table.of_role(role)
        margins, errors = table.margins()[:, :, places], table.margins_se()[:, :, places]
        there = np.isfinite(margins)
        filled = np.where(there, margins, np.inf if which == "worst" else -np.inf)
        chosen = (filled.argmin(axis=2) if which == "worst" else filled.argmax(axis=2))[..., None]
        values, beside = (np.take_along_axis(array, chosen, axis=2)[..., 0] for array in (margins, errors))
        return self.band(values, beside)

    def band(self, values: FloatArray, errors: FloatArray) -> Band:
        """Mean over axis 0, the trainings, with its pointwise interval."""
        mean = values.mean(axis=0)
        beyond = quantile(0.5 + CONFIDENCE / 2, len(values), self.unit) * standard_error(values, errors, self.unit)
        return Band(mean, mean - beyond, mean + beyond)

    @property
    def over(self) -> str:
        """What bands and intervals are over, in words."""
        n = len(self.landscape.seeds)
        return f"{n} trainings" if self.unit == "trainings" else "the episodes of one training"


def _or_why(
    measure: Callable[[Landscape, int], Threshold], landscape: Landscape, n_cleaners: int
) -> Threshold | ContractsError:
    try:
        return measure(landscape, n_cleaners)
    except ContractsError as error:
        return error
