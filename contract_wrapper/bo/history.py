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

from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]


def as_constraints(margins: Mapping[str, float]) -> dict[str, float]:
    """Return constraints by name, <= 0 good, of margins by name, >= 0 good."""
    return {name: -margin for name, margin in margins.items()}


def as_margins(constraints: Mapping[str, float]) -> dict[str, float]:
    """Return margins by name, >= 0 good, of constraints by name, <= 0 good."""
    return {name: -constraint for name, constraint in constraints.items()}


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
    """All that the optimiser knows: arrays, one row per finished evaluation; designs may repeat."""

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

    def __post_init__(self) -> None:
        n, m = len(self.objective), len(self.constraints)
        shapes = {"objective": (n,), "margins": (n, m), "objective_se": (n,), "margins_se": (n, m)}
        for name in ("designs", *shapes, "failed"):
            if getattr(self, name) is None:
                continue
            value = np.asarray(getattr(self, name), dtype=float)
            object.__setattr__(self, name, value)
            if name == "designs" and value.ndim == 2 and len(value) == n:
                shapes["designs"] = value.shape  # defines d
            if value.shape != shapes.get(name, value.shape) or (name == "designs" and name not in shapes):
                raise ContractsError(
                    f"History.{name} has the shape {value.shape}, but {n} objective values and constraints "
                    f"{self.constraints} ask for {shapes.get(name, (n, 'd'))}"
                )
            if not np.isfinite(value).all():
                raise ContractsError(
                    f"History.{name} holds a value that is not finite: put that design into `failed` instead"
                )
        columns = [*self.binary, *([] if self.participation is None else [self.participation])]
        if any(not 0 <= column < m for column in columns):
            raise ContractsError(f"binary and participation name the columns {columns}, but there are {m}")
        if not np.isin(self.margins[:, list(self.binary)], (0.0, 1.0)).all():
            raise ContractsError(f"binary columns {self.binary} must hold 0 or 1; leave margins out of `binary`")

    def __len__(self) -> int:
        """Return the number of finished evaluations n."""
        return len(self.objective)

    @classmethod
    def empty(cls, space: DesignSpace, constraints: Sequence[str] = (), **kinds: Any) -> History:
        """Return a history without results; `kinds` may give `participation` and `binary`."""
        designs, m = np.empty((0, len(space))), len(constraints)
        return cls(
            designs=designs,
            objective=np.empty(0),
            margins=np.empty((0, m)),
            constraints=tuple(constraints),
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
                finite, counts as failed.
            constraints: names of the margins; None for all that a result has, in alphabetical order.
            participation: name of the recruited agents' constraint.
            binary: names of the constraints that are 0 or 1.

        Standard errors that some results lack are 0, which leaves the noise to the fit; where no result has one
        there are none.

        Raises:
            ContractsError: `participation` or `binary` is none of the constraints, or a binary value not 0 or 1.
        """
        rows = list(results)
        if constraints is None:
            constraints = sorted({name for row in rows if not row.failed for name in row.margins})
        if unknown := sorted({*binary, *([] if participation is None else [participation])} - set(constraints)):
            raise ContractsError(
                f"participation and binary must be among the constraints {tuple(constraints)}, but got {unknown}: "
                "rename or leave out"
            )

        def values(row: Result) -> list[float]:
            return [row.objective, *(row.margins.get(name, math.nan) for name in constraints)]

        def errors(row: Result) -> list[float]:
            return [row.objective_se or 0.0, *(row.margins_se.get(name, 0.0) for name in constraints)]

        complete = [not row.failed and bool(np.isfinite(values(row)).all()) for row in rows]
        finished = [row for row, ok in zip(rows, complete, strict=True) if ok]
        failed = [row.design for row, ok in zip(rows, complete, strict=True) if not ok]
        outputs, d = 1 + len(constraints), len(space)
        y = np.array([values(row) for row in finished], dtype=float).reshape(-1, outputs)
        se = np.array([errors(row) for row in finished], dtype=float).reshape(-1, outputs)
        return cls(
            designs=np.array([row.design for row in finished], dtype=float).reshape(-1, d),
            objective=y[:, 0],
            margins=y[:, 1:],
            constraints=tuple(constraints),
            participation=None if participation is None else constraints.index(participation),
            binary=tuple(constraints.index(name) for name in binary),
            objective_se=se[:, 0] if any(row.objective_se is not None for row in finished) else None,
            margins_se=se[:, 1:] if any(row.margins_se for row in finished) else None,
            failed=np.array(failed, dtype=float).reshape(-1, d),
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
        """Return the history with one more result; standard errors of 0 leave the noise to the fit."""
        n, m = len(self), len(self.constraints)
        old_se = np.zeros(n) if self.objective_se is None else self.objective_se
        old_margins_se = np.zeros((n, m)) if self.margins_se is None else self.margins_se
        row = np.asarray(margins, dtype=float)
        if row.shape != (m,):
            raise ContractsError(f"a result needs one margin for each of {self.constraints}, but has {row.shape}")
        return replace(
            self,
            designs=np.vstack([self.designs, np.asarray([design], dtype=float)]),
            objective=np.append(self.objective, objective),
            margins=np.vstack([self.margins, row]),
            objective_se=np.append(old_se, objective_se),
            margins_se=np.vstack([old_margins_se, np.zeros(m) if margins_se is None else margins_se]),
        )

    def add_failed(self, design: Sequence[float]) -> History:
        """Return the history with one more failed design."""
        row = np.asarray([design], dtype=float)
        return replace(self, failed=np.vstack([self.failed.reshape(-1, row.shape[1]), row]))

    def feasible(self) -> npt.NDArray[np.bool_]:
        """Tell which results (n,) hold every constraint, as measured."""
        offset = np.zeros(len(self.constraints))
        offset[list(self.binary)] = 0.5
        return np.asarray((self.margins >= offset).all(axis=1))
