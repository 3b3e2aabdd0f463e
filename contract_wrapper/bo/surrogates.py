"""Surrogates of the objective and of every margin.

One independent surrogate per output: a Gaussian process (`gp`), or a constant where the output never
varied. Inputs lie in the unit cube; outliers are winsorised before the fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.gp.blas_threads import one_thread
from contract_wrapper.bo.gp.hyperparameters import fit_hyper
from contract_wrapper.bo.gp.kernels import Kernel, squared_gaps
from contract_wrapper.bo.gp.regression import GaussianProcess
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.bo.winsorize import winsorize_margins, winsorize_objective
from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]

_MINIMUM_RESULTS = 3  # fewer say nothing of length scales


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantSurrogate:
    """The surrogate of an output that never varied: its value, with one wide standard deviation everywhere."""

    value: float
    sd: float

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the value and the standard deviation at each of x (q, d): two arrays (q,)."""
        return np.full(len(x), self.value), np.full(len(x), self.sd)

    def posterior_paths(self, x: Floats, n: int, rng: np.random.Generator) -> Floats:
        """Draw (n, q) values, independent between designs: nothing is known of how the output varies."""
        return self.value + self.sd * rng.standard_normal((n, len(x)))

    def condition(self, x: Floats, y: Floats) -> ConstantSurrogate:
        """Return the same surrogate: there is no kernel by which one design could tell of another."""
        return self


Surrogate = GaussianProcess | ConstantSurrogate


def fit_output(
    x: Floats, y: Floats, *, kernel: Kernel = "se", noise_sd: Floats | None = None, local: bool = True
) -> Surrogate:
    """Fit one output: x (n, d) in the unit cube, y (n,), known standard errors (n,) -> a surrogate.

    `local`: whether the kernel has its second term, for what happens over short distances.

    Outputs that are all equal get a constant whose standard deviation is its own size (1 if it is
    0): a margin that has always been good is then good elsewhere with probability 0.84.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    se = np.zeros(len(y)) if noise_sd is None else np.asarray(noise_sd, dtype=float)
    if x.ndim != 2 or y.shape != (len(x),) or se.shape != y.shape or len(y) == 0:
        raise ContractsError(
            f"a surrogate needs x (n, d), y (n,) and noise_sd (n,) with n >= 1, "
            f"but got {x.shape}, {y.shape} and {se.shape}"
        )
    shift, scale = float(y.mean()), float(y.std())
    if scale <= 1e-12 * max(1.0, abs(shift)):
        return ConstantSurrogate(value=shift, sd=abs(shift) or 1.0)
    hyper = fit_hyper(squared_gaps(x, x), (y - shift) / scale, (se / scale) ** 2, kernel, local)
    return GaussianProcess(x=x, y=y, noise_sd=se, kernel=kernel, hyper=hyper, shift=shift, scale=scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurrogateSet:
    """Independent surrogates of several outputs."""

    parts: tuple[Surrogate, ...]

    @property
    def varies(self) -> bool:
        """Whether any output varied, so that designs can be told apart."""
        return any(isinstance(part, GaussianProcess) for part in self.parts)

    @classmethod
    def fit(
        cls,
        x: Floats,
        y: Floats,
        kernels: Sequence[Kernel],
        noise_sd: Floats | None = None,
        *,
        local: bool = True,
    ) -> SurrogateSet:
        """Fit one surrogate per column of y (n, outputs), with known standard errors of the same shape."""
        se = np.zeros_like(y) if noise_sd is None else noise_sd
        columns = zip(y.T, kernels, se.T, strict=True)
        return cls(parts=tuple(fit_output(x, column, kernel=k, noise_sd=s, local=local) for column, k, s in columns))

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Means and standard deviations at x (q, d): two arrays (outputs, q)."""
        moments = [part.predict(x) for part in self.parts]
        return np.stack([m for m, _ in moments]), np.stack([s for _, s in moments])

    def posterior_paths(self, x: Floats, n: int, rng: np.random.Generator) -> Floats:
        """Draw `n` joint samples at x (q, d): (outputs, n, q)."""
        return np.stack([part.posterior_paths(x, n, rng) for part in self.parts])

    def condition(self, x: Floats, y: Floats) -> SurrogateSet:
        """Return the set conditioned on y (outputs, q) at x (q, d) as well."""
        return SurrogateSet(parts=tuple(part.condition(x, column) for part, column in zip(self.parts, y, strict=True)))

    def believe(self, x: Floats) -> SurrogateSet:
        """Return the kriging believer: the set conditioned on its own means at x (q, d)."""
        return self.condition(x, self.predict(x)[0]) if len(x) else self


def fit(space: DesignSpace, history: History, *, local: bool = True) -> SurrogateSet | None:
    """Surrogates of the objective and of every margin; a binary phi is shifted so that >= 0 is good.

    `local`: whether kernels have a second term, of short range. None while the results say nothing of
    where to look: too few, or no output that varies.
    """
    margins = history.margins.copy()
    margins[:, list(history.binary)] -= 0.5
    n, m = margins.shape
    if n < _MINIMUM_RESULTS:
        return None
    objective_se = np.zeros(n) if history.objective_se is None else history.objective_se
    margins_se = np.zeros((n, m)) if history.margins_se is None else history.margins_se
    kernels: list[Kernel] = ["matern" if j == history.participation else "se" for j in range(m)]
    surrogates = SurrogateSet.fit(
        space.to_unit(history.designs),
        np.column_stack([winsorize_objective(history.objective), winsorize_margins(margins)]),
        ["se", *kernels],
        np.column_stack([objective_se, margins_se]),
        local=local,
    )
    return surrogates if surrogates.varies else None


def believe_objective(
    space: DesignSpace, history: History, designs: Sequence[Sequence[float]] | Floats
) -> tuple[Floats, Floats]:
    """What the results say of the objective at designs (q, d): mean and standard deviation, two arrays (q,).

    One measurement flatters the best of many designs; this also counts what was measured near it.

    Raises:
        ContractsError: there are too few results, or none that differ, to say anything.
    """
    with one_thread():
        surrogates = fit(space, history)
        if surrogates is None:
            raise ContractsError(f"{len(history)} results say nothing of other designs: evaluate more")
        mean, sd = surrogates.parts[0].predict(space.to_unit(np.asarray(designs, dtype=float).reshape(-1, len(space))))
    return mean, sd


def best_so_far(history: History, surrogates: SurrogateSet, pending: Floats) -> float | None:
    """The best feasible value, measured or predicted at pending designs (p, d) of the unit cube; None if none is."""
    values = history.objective[history.feasible()]
    if len(pending):
        mean, _ = surrogates.predict(pending)
        values = np.append(values, mean[0, (mean[1:] >= 0).all(axis=0)])
    return float(values.max()) if len(values) else None
