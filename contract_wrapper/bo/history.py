"""What the search knows: the results so far, as arrays.

Margins are good when >= 0, in this package everywhere. Optuna and the literature store constraints that are good
when <= 0: `as_constraints` and `as_margins` turn the sign, and nothing else does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.numbers_in import as_numbers, in_range, is_number
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.errors import ContractsError, shown

Floats = npt.NDArray[np.float64]


def as_constraints(margins: Mapping[str, float]) -> dict[str, float]:
    """Return constraints by name, <= 0 good, of margins by name, >= 0 good."""
    return {name: -margin for name, margin in margins.items()}


def as_margins(constraints: Mapping[str, float]) -> dict[str, float]:
    """Return margins by name, >= 0 good, of constraints by name, <= 0 good."""
    return {name: -constraint for name, constraint in constraints.items()}


MOST_RESULTS = 100_000
"""Largest number of results of a history, and of failures."""

MOST_CONSTRAINTS = 200
"""Largest number of constraints: each is fitted on its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One finished evaluation in plain values, as a study stores it."""

    design: Sequence[float]
    """In the order of the space's dimensions."""
    objective: float = math.nan
    """To be maximised."""
    margins: Mapping[str, float] = field(default_factory=dict)
    """Constraint -> margin, >= 0 good, or 0 or 1 where it is binary."""
    objective_se: float | None = None
    """Standard error of the objective; None: not known."""
    margins_se: Mapping[str, float] = field(default_factory=dict)
    """Constraint -> standard error of its margin, as far as they are known."""
    failed: bool = False
    """Whether the evaluation failed; everything but the design is then ignored."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """All that the optimiser knows: arrays, one row per finished evaluation; designs may repeat.

    The arrays are copied and read-only. Numbers are finite, of at most `LARGEST` in size (1e60), standard errors
    not negative; a history holds at most `MOST_RESULTS` results (100,000) and `MOST_CONSTRAINTS` constraints (200).
    """

    designs: Floats
    """(n, d), in the order of the space's dimensions; rows outside the space are learned from, never proposed."""
    objective: Floats
    """(n,), to be maximised."""
    margins: Floats
    """(n, m), one column per constraint, >= 0 good; a binary column holds 0 (bad) or 1 (good)."""
    constraints: tuple[str, ...] = ()
    """Names of the m constraints."""
    participation: int | None = None
    """Column of the recruited agents' constraint (phi), which gets an objective of its own (eq. 7)."""
    binary: tuple[int, ...] = ()
    """Columns that hold 0 or 1 instead of a margin."""
    objective_se: Floats | None = None
    """(n,) standard errors of the objective; None: not known, the noise is fitted."""
    margins_se: Floats | None = None
    """(n, m) standard errors of the margins; None as above."""
    failed: Floats = field(default_factory=lambda: np.empty((0, 0)))
    """(k, d) designs whose evaluation failed: never fitted, never proposed again."""
    noisy: bool | None = None
    """Whether a design measured again may read otherwise; None: if errors are stated, or results of one design differ."""

    def __post_init__(self) -> None:
        constraints = _names(self.constraints)
        m = len(constraints)
        objective = as_numbers(self.objective, "History.objective", ("n",))
        n = len(objective)
        if n > MOST_RESULTS:
            raise ContractsError(f"a History holds at most {MOST_RESULTS} results, but got {n}: leave old ones out")
        designs = as_numbers(self.designs, "History.designs", (n, "d"))
        failed = np.asarray(self.failed)
        failed = designs[:0] if not failed.size else as_numbers(self.failed, "History.failed", ("k", designs.shape[1]))
        if len(failed) > MOST_RESULTS:
            raise ContractsError(
                f"a History holds at most {MOST_RESULTS} failures, but got {len(failed)}: leave old ones out"
            )
        arrays: dict[str, Floats] = {
            "objective": objective,
            "designs": designs,
            "failed": failed,
            "margins": as_numbers(self.margins, "History.margins", (n, m)),
        }
        if self.objective_se is not None:
            arrays["objective_se"] = as_numbers(self.objective_se, "History.objective_se", (n,), least=0.0)
        if self.margins_se is not None:
            arrays["margins_se"] = as_numbers(self.margins_se, "History.margins_se", (n, m), least=0.0)
        put = object.__setattr__  # the instance is frozen for everyone else, and so are its arrays
        put(self, "constraints", constraints)
        for name, array in arrays.items():
            array.flags.writeable = False
            put(self, name, array)
        put(self, "participation", None if self.participation is None else _column(self.participation, m))
        put(self, "binary", tuple(_column(column, m) for column in self.binary))
        if not np.isin(self.margins[:, list(self.binary)], (0.0, 1.0)).all():
            raise ContractsError(f"binary columns {self.binary} must hold 0 or 1; leave margins out of `binary`")

    def __len__(self) -> int:
        """Return the number of finished evaluations n."""
        return len(self.objective)

    @classmethod
    def empty(cls, space: DesignSpace, constraints: Sequence[str] = (), **kinds: Any) -> History:
        """Return a history without results; `kinds` may give `participation` and `binary`."""
        constraints = _names(constraints)
        designs, m = np.empty((0, len(space))), len(constraints)
        return cls(
            designs=designs,
            objective=np.empty(0),
            margins=np.empty((0, m)),
            constraints=constraints,
            objective_se=np.empty(0),
            margins_se=np.empty((0, m)),
            failed=designs,
            **kinds,
        )

    @classmethod
    def of(
        cls,
        space: DesignSpace,
        results: Iterable[Result],
        *,
        constraints: Sequence[str] | None = None,
        participation: str | None = None,
        binary: Sequence[str] = (),
    ) -> History:
        """Return the history of results as studies store them, in their order.

        Args:
            space: where the designs come from; they may lie outside its bounds.
            results: finished evaluations. One that lacks a margin, or has an objective or a margin that is not
                finite or larger than `LARGEST` in size, counts as failed.
            constraints: names of the margins; None for all that a result has, in alphabetical order.
            participation: name of the recruited agents' constraint.
            binary: names of the constraints that are 0 or 1.

        Standard errors that some results lack are 0, which leaves the noise to the fit; where no result has one
        there are none.

        Raises:
            ContractsError: `participation` or `binary` is none of the constraints, or a binary value not 0 or 1;
                a value is no number, a design not finite, a standard error negative or not finite.
        """
        rows = list(results)
        if constraints is None:
            constraints = sorted({name for row in rows if not row.failed for name in row.margins})
        constraints = _names(constraints)
        if unknown := sorted({*binary, *([] if participation is None else [participation])} - set(constraints)):
            raise ContractsError(
                f"participation and binary must be among the constraints {constraints}, but got {unknown}: "
                "rename or leave out"
            )

        def values(row: Result) -> list[float]:
            return [row.objective, *(row.margins.get(name, math.nan) for name in constraints)]

        def errors(row: Result) -> list[float]:
            return [row.objective_se or 0.0, *(row.margins_se.get(name, 0.0) for name in constraints)]

        for row in rows:
            if not row.failed and not all(map(is_number, values(row))):
                raise ContractsError(
                    f"a result's objective and margins must be numbers, no text, booleans or complex numbers, but got "
                    f"{shown(values(row))} at the design {shown(row.design)}: convert them, or mark "
                    "the result as failed"
                )
        complete = [not row.failed and all(map(in_range, values(row))) for row in rows]
        finished = [row for row, ok in zip(rows, complete, strict=True) if ok]
        failed = [row.design for row, ok in zip(rows, complete, strict=True) if not ok]
        n, m, d = len(finished), len(constraints), len(space)
        se = [errors(row) for row in finished] or np.empty((0, 1 + m)).tolist()
        return cls(
            designs=as_numbers([row.design for row in finished] or np.empty((0, d)), "designs", (n, d)),
            objective=np.array([row.objective for row in finished], dtype=float),
            margins=np.array([values(row)[1:] for row in finished], dtype=float).reshape(n, m),
            constraints=constraints,
            participation=None if participation is None else constraints.index(participation),
            binary=tuple(constraints.index(name) for name in binary),
            objective_se=as_numbers([row[0] for row in se], "standard errors of objectives", (n,), least=0.0)
            if any(row.objective_se is not None for row in finished)
            else None,
            margins_se=as_numbers([row[1:] for row in se], "standard errors of margins", (n, m), least=0.0)
            if any(row.margins_se for row in finished)
            else None,
            failed=as_numbers(failed or np.empty((0, d)), "failed designs", ("k", d)),
        )

    def add(
        self,
        design: Sequence[float],
        objective: float,
        margins: Sequence[float] = (),
        *,
        objective_se: float = 0.0,
        margins_se: Sequence[float] | None = None,
    ) -> History:
        """Return the history with one more result; standard errors of 0 leave the noise to the fit.

        Raises:
            ContractsError: a value is no finite number, larger than `LARGEST` in size, a negative standard error,
                or the shape is another than that of the results before.
        """
        n, m = len(self), len(self.constraints)
        old_se = np.zeros(n) if self.objective_se is None else self.objective_se
        old_margins_se = np.zeros((n, m)) if self.margins_se is None else self.margins_se
        one_each = f"margins, one for each of {self.constraints},"
        row_se = (
            np.zeros(m)
            if margins_se is None
            else as_numbers(margins_se, f"standard errors of {one_each}", (m,), least=0.0)
        )
        return replace(
            self,
            designs=np.vstack([self.designs, self._design(design)]),
            objective=np.append(self.objective, as_numbers(objective, "an objective", ())),
            margins=np.vstack([self.margins, as_numbers(margins, one_each, (m,))]),
            objective_se=np.append(old_se, as_numbers(objective_se, "a standard error", (), least=0.0)),
            margins_se=np.vstack([old_margins_se, row_se]),
        )

    def add_failed(self, design: Sequence[float]) -> History:
        """Return the history with one more failed design.

        Raises:
            ContractsError: the design is none, as in `add`.
        """
        return replace(self, failed=np.vstack([self.failed, self._design(design)]))

    def _design(self, design: Sequence[float]) -> Floats:
        return as_numbers(design, "a design", (self.designs.shape[1],))

    @property
    def is_noisy(self) -> bool:
        """Whether a design measured again may read otherwise, as `noisy` says or the results do."""
        if self.noisy is not None:
            return self.noisy
        if any(se is not None and se.any() for se in (self.objective_se, self.margins_se)):
            return True
        values = np.column_stack([self.designs, self.objective, self.margins])
        return len(np.unique(self.designs, axis=0)) < len(np.unique(values, axis=0))

    def distinct(self) -> History:
        """Return the history with each constraint once: of columns that are equal, errors included, one is kept.

        It is the recruited agents' if that is among them, else the first. A constraint that is told five times is one.
        """
        m = len(self.constraints)
        se = np.zeros_like(self.margins) if self.margins_se is None else self.margins_se
        first: dict[tuple[bytes, bytes, bool], int] = {}
        for j in sorted(range(m), key=lambda j: j != self.participation):
            first.setdefault(((self.margins[:, j] + 0.0).tobytes(), se[:, j].tobytes(), j in self.binary), j)
        kept = sorted(first.values())
        if len(kept) == m:
            return self
        return replace(
            self,
            margins=self.margins[:, kept],
            margins_se=None if self.margins_se is None else self.margins_se[:, kept],
            constraints=tuple(self.constraints[j] for j in kept),
            participation=None if self.participation is None else kept.index(self.participation),
            binary=tuple(kept.index(j) for j in self.binary if j in kept),
        )

    def feasible(self) -> npt.NDArray[np.bool_]:
        """Tell which results (n,) hold every constraint, as measured."""
        offset = np.zeros(len(self.constraints))
        offset[list(self.binary)] = 0.5
        return np.asarray((self.margins >= offset).all(axis=1))


def _names(constraints: Sequence[str]) -> tuple[str, ...]:
    names = () if isinstance(constraints, str) else tuple(constraints)
    if isinstance(constraints, str) or not all(isinstance(name, str) for name in names):
        raise ContractsError(
            f'constraints are a sequence of names, but got {shown(constraints)}: pass them like ("harvest", "slack")'
        )
    if len(names) > MOST_CONSTRAINTS:
        raise ContractsError(
            f"at most {MOST_CONSTRAINTS} constraints are fitted, each on its own, but got {len(names)}: "
            "take the smallest margin of several as one"
        )
    return names


def _column(column: int, m: int) -> int:
    if isinstance(column, bool) or not isinstance(column, (int, np.integer)) or not 0 <= column < m:
        raise ContractsError(
            f"binary and participation are columns of constraints, from 0, of which there are {m}, "
            f"but got {shown(column)}"
        )
    return int(column)
