"""What the surrogates are fitted to: all results, or beyond `EXACT_RESULTS` a stated part of them.

An exact Gaussian process costs the cube of the number of its rows. Beyond the limit

1. results at one design become one row, their mean with its standard error and their number. For results of equal
   standard errors that loses nothing: fit and posterior are those of all results (Binois et al. 2018,
   arXiv 1611.05902, eqs. 2.7 and 2.9).
2. where more designs are left than the limit, a subset of them is kept (subset of data, Quinonero-Candela &
   Rasmussen 2005). Half of it is chosen by place and time alone, `spread`; the other half by what surrogates of the
   first predict, `surrogates.fit`. No row is kept for its own result: those with lucky errors would be preferred,
   and all predictions there too high.

All of it depends on the history alone, so that a search that is stopped and resumed goes on as if it had not been.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.fitting.winsorize import compress_margins, winsorize_margins, winsorize_objective
from contract_wrapper.bo.gp.covariance import squared_distances
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import DesignSpace

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

EXACT_RESULTS = 250
"""Up to so many results every one is a row of the fit; beyond it, so many designs at most are."""

_RECENT = 5  # one of so many rows of a spread is among the most recent


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingSet:
    """The rows of a fit; o outputs, the objective first."""

    designs: Floats
    """(n, d), in the order of the space's dimensions."""
    y: Floats
    """Outputs, winsorised or compressed, (n, o), each row the mean of the results at its design."""
    se: Floats
    """Standard errors of these means, as far as they are known, (n, o)."""
    repeats: Floats | None = None
    """Number of results of each row, (n,); None: one each."""
    within: Floats | None = None
    """Sums of squared differences of the results of a row from their mean, (n, o); None: one result each."""
    noisy: bool = False
    """Whether results are noisy (`History.is_noisy`)."""
    moments: Floats | None = None
    """Mean and standard deviation of all results, (2, o), also of those left out; None: those of the rows."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    def take(self, kept: Rows | slice) -> TrainingSet:
        """Return some of the rows, standardised as all of them."""
        return replace(
            self,
            designs=self.designs[kept],
            y=self.y[kept],
            se=self.se[kept],
            repeats=None if self.repeats is None else self.repeats[kept],
            within=None if self.within is None else self.within[kept],
        )


def outputs_of(history: History) -> tuple[Floats, Floats]:
    """Return all results as they are fitted, winsorised, and their standard errors as far as they are known: (n, o) each.

    Margins of results without noise are compressed where they are of several orders of magnitude.
    """
    margins = history.margins.copy()
    margins[:, list(history.binary)] -= 0.5
    n, m = margins.shape
    if history.is_noisy:  # whose errors are stated in the margins' own units
        margins = winsorize_margins(margins)
    else:
        margins = compress_margins(margins, bool(history.feasible().any()))
    y = np.column_stack([winsorize_objective(history.objective), margins])
    objective_se = np.zeros(n) if history.objective_se is None else history.objective_se
    margins_se = np.zeros((n, m)) if history.margins_se is None else history.margins_se
    return y, np.column_stack([objective_se, margins_se])


def rows_of(space: DesignSpace, history: History, limit: int = EXACT_RESULTS) -> TrainingSet:
    """Return all results of a history as rows; beyond the limit one for each design, in the order of its last."""
    y, se = outputs_of(history)
    if len(y) <= limit:
        return TrainingSet(designs=history.designs, y=y, se=se, noisy=history.is_noisy)

    keys = space.keys(history.designs)
    last = np.sort(list({key: i for i, key in enumerate(keys)}.values()))
    number = {keys[i]: row for row, i in enumerate(last)}
    row = np.array([number[key] for key in keys])
    repeats = np.bincount(row).astype(float)

    def means(values: Floats) -> Floats:
        sums = [np.bincount(row, weights=column) for column in values.T]
        return np.asarray(np.stack(sums, axis=1) / repeats[:, None])

    mean = means(y)
    return TrainingSet(
        designs=history.designs[last],
        y=mean,
        se=np.sqrt(means(se**2) / repeats[:, None]),
        repeats=repeats,
        noisy=history.is_noisy,
        within=means((y - mean[row]) ** 2) * repeats[:, None],
        moments=np.stack([y.mean(axis=0), y.std(axis=0)]),
    )


def spread(unit: Floats, size: int, categorical: tuple[int, ...] = ()) -> Rows:
    """Choose `size` of the rows unit (n, d), in the unit cube and in the order of time, by their places: (size,), rising.

    A fifth are the most recent; each of the others is the farthest from all chosen ones. In `categorical` columns
    different values are 1 apart.
    """
    chosen = np.zeros(len(unit), dtype=bool)
    chosen[-(size // _RECENT) :] = True
    distance = np.full(len(unit), np.inf)
    for point in unit[chosen]:
        distance = np.minimum(distance, squared_distances(unit, point, categorical))
    for _ in range(size - int(chosen.sum())):
        i = int(np.argmax(np.where(chosen, -1.0, np.round(distance, 12))))
        chosen[i] = True
        distance = np.minimum(distance, squared_distances(unit, unit[i], categorical))
    return np.flatnonzero(chosen)
