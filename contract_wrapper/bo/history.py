"""What the search knows: the results so far, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """All that the optimiser knows: arrays, one row per finished evaluation; designs may repeat."""

    designs: Floats
    """(n, d), in the order of the space's dimensions; rows outside the space are known, not proposed."""
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
