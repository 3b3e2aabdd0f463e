"""What the page of a landscape shows of its contracts, found once for figures and table, whatever their terms are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.landscapes.bounds import BoolArray, FloatArray, chosen_unit, quantile, standard_error
from contract_wrapper.landscapes.designs.design_landscape import DesignLandscape
from contract_wrapper.landscapes.table.contract_table import ContractTable
from contract_wrapper.reports.html.charts import MOST_ROWS, Column
from contract_wrapper.reports.problems.design_landscape_figures import CREW
from contract_wrapper.reports.style import crew_name


class Crew(NamedTuple):
    """The contracts of one crew size; of a problem that recruits nobody all of them."""

    name: str
    """In words; empty where nobody is recruited."""

    size: int
    """Recruited agents."""

    numbers: NDArray[np.int64]
    """Numbers of the contracts in the landscape."""


@dataclass(frozen=True)
class Shown:
    """A landscape, with what figures and table say of it."""

    table: ContractTable

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """Names of the numbers of a contract."""
        return self.table.terms if isinstance(self.table, DesignLandscape) else tuple(self.table.terms_by_name())

    @cached_property
    def numbers(self) -> FloatArray:
        """Numbers of the contracts, (K, P); the first row is no contract's."""
        told = self.table.terms_by_name()
        return np.column_stack([np.asarray(told[name], np.float64) for name in self.terms])

    @property
    def unit(self) -> str:
        """What amounts are counted in; a landscape does not say it of a problem."""
        return "per episode" if isinstance(self.table, DesignLandscape) else "apples per episode"

    @property
    def axis(self) -> str:
        """Name of the axis of what is maximised."""
        return f"{self.table.maximised} ({self.unit})"

    @cached_property
    def free(self) -> list[int]:
        """Columns of the terms besides the size of the crew."""
        return [k for k, name in enumerate(self.terms) if name != CREW]

    @cached_property
    def crews(self) -> list[Crew]:
        """The contracts by crew size, no contract apart."""
        everything: NDArray[np.int64] = np.arange(1, len(self.numbers))
        if CREW not in self.terms:
            return [Crew("", 1, everything)]
        sizes = self.numbers[1:, self.terms.index(CREW)]
        return [Crew(crew_name(int(n)), int(n), everything[sizes == n]) for n in np.unique(sizes)]

    @cached_property
    def some(self) -> BoolArray:
        """All contracts but none, (K,)."""
        return np.asarray(np.arange(len(self.numbers)) > 0)

    @cached_property
    def feasible(self) -> BoolArray:
        """Contracts without a margin below 0 as measured, (K,)."""
        return self.table.feasible() & self.some

    @cached_property
    def certified(self) -> BoolArray:
        """Certified contracts, (K,)."""
        return self.table.certified() & self.some

    @cached_property
    def refuted(self) -> BoolArray:
        """Refuted contracts, (K,)."""
        return self.table.refuted() & self.some

    @property
    def word(self) -> str:
        """What the contracts are among which the best is chosen."""
        return "certified" if self.certified.any() else "feasible"

    @cached_property
    def competing(self) -> BoolArray:
        """Contracts among which the best is chosen, (K,)."""
        return self.certified if self.certified.any() else self.feasible

    @cached_property
    def best(self) -> int | None:
        """Number of the best of them; None: there is none."""
        return self.table.best(self.competing) if self.competing.any() else None

    @cached_property
    def alike(self) -> BoolArray:
        """Those that cannot be told from the best, itself among them, (K,)."""
        return np.zeros_like(self.competing) if self.best is None else self.table.indistinguishable(self.competing)

    @cached_property
    def value(self) -> tuple[FloatArray, FloatArray]:
        """What is maximised: mean over trainings and half the 95 % interval, (K,) each."""
        return self.interval(*self.table.objective())

    @cached_property
    def gains(self) -> tuple[FloatArray, FloatArray]:
        """Gain of the strongest lone deviator of each role: mean and half the 95 % interval, (K, R) each."""
        return self.interval(self.table.gains, self.table.gains_se)

    @cached_property
    def largest_gain(self) -> tuple[FloatArray, FloatArray]:
        """Gain of whoever gains most, and half its interval, (K,) each; NaN where nobody's was measured."""
        mean, beyond = self.gains
        role = np.where(np.isfinite(mean), mean, -np.inf).argmax(axis=1)
        at = (np.arange(len(role)), role)
        return mean[at], beyond[at]

    @cached_property
    def smallest_margin(self) -> FloatArray:
        """Margin of whoever has least over what it could have, mean over trainings, (K,); NaN where it is not known."""
        margins = self.table.margins().mean(axis=0)
        there = np.isfinite(self.table.utilities).any(axis=0)
        least = np.where(there, margins, np.inf).min(axis=1)
        return np.where(np.isfinite(least), least, np.nan)

    def margin_of(self, role: str) -> FloatArray:
        """Smallest margin of the agents of a role, mean over trainings, (K,); NaN where none of them is there."""
        margins = self.table.margins().mean(axis=0)[:, self.table.of_role(role)]
        least = np.where(np.isfinite(margins), margins, np.inf).min(axis=1, initial=np.inf)
        return np.where(np.isfinite(least), least, np.nan)

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """Roles of the agents."""
        return tuple(dict.fromkeys(map(self.table.role_of, self.table.agents)))

    def interval(self, values: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean over axis 0, the trainings, and half its 95 % interval."""
        unit = chosen_unit(None, len(values))
        beyond = quantile(0.975, len(values), unit) * standard_error(values, errors, unit)
        return values.mean(axis=0), np.asarray(beyond)

    @property
    def over(self) -> str:
        """What intervals are over, in words."""
        n = len(self.table.seeds)
        return f"{n} trainings" if n > 1 else "the episodes of one training"

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Numbers of the contracts of the table: all, or those that are worth most and no contract."""
        k = len(self.numbers)
        if k <= MOST_ROWS:
            return np.arange(k)
        most = np.argsort(-self.value[0][1:], kind="stable")[: MOST_ROWS - 1] + 1
        return np.concatenate([[0], np.sort(most)]).astype(np.int64)

    def columns(self, rows: NDArray[np.int64]) -> list[Column]:
        """What figures tell by hover, and the table by columns, of some contracts."""
        table, beyond, (gain, _) = self.table, self.value[1], self.gains
        at_most = -table.bounds().lower[:, len(table.agents) :]
        found = self.few_columns(rows)
        found += [
            Column(key="beyond", title="± 95 %", values=beyond[rows].tolist(), digits=2),
            Column(key="verdict", title="certificate", values=[self.verdict(k) for k in rows]),
            Column(key="feasible", title="feasible", values=["yes" if self.feasible[k] else "" for k in rows]),
            Column(key="alike", title="told from the best", values=[self._told(k) for k in rows]),
            Column(key="margin", title="smallest margin", values=self.smallest_margin[rows].tolist(), digits=2),
        ]
        for r, role in enumerate(table.tried_roles):
            found += [
                Column(key=f"gain{r}", title=f"gain of {role}", values=gain[rows, r].tolist(), digits=2),
                Column(key=f"most{r}", title=f"{role} at most", values=at_most[rows, r].tolist(), digits=2),
                Column(key=f"by{r}", title=f"{role} by", values=[self._strongest(k, r) for k in rows]),
            ]
        return found

    def few_columns(self, rows: NDArray[np.int64] | None = None) -> list[Column]:
        """The first of them, of some contracts or of all: their numbers and what is maximised."""
        rows = np.arange(len(self.numbers)) if rows is None else rows
        return [
            Column(key="number", title="contract", values=rows.tolist(), digits=0),
            *(
                Column(
                    key=f"term{k}", title=name, values=self.numbers[rows, k].tolist(), digits=0 if name == CREW else 3
                )
                for k, name in enumerate(self.terms)
            ),
            Column(key="value", title=self.table.maximised, values=self.value[0][rows].tolist(), digits=2),
        ]

    def verdict(self, k: int) -> str:
        """What is known of a contract; empty of no contract."""
        if k == 0:
            return ""
        return "certified" if self.certified[k] else "refuted" if self.refuted[k] else "undecided"

    def _told(self, k: int) -> str:
        return ("no" if self.alike[k] else "yes") if self.competing[k] else ""

    def _strongest(self, k: int, role: int) -> str:
        numbers = sorted({int(d) for d in self.table.strongest[:, k, role] if d >= 0})
        return " or ".join(self.table.deviations[d] for d in numbers)
