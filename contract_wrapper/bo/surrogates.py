"""Surrogates of the objective and of every margin.

One independent surrogate per output: a Gaussian process (`gp`), or a constant where the output never
varied. Inputs lie in the unit cube; `training_set` says which results are fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo import acquisition
from contract_wrapper.bo.fitting.repeated import varying_noises
from contract_wrapper.bo.fitting.training_set import EXACT_RESULTS, TrainingSet, rows_of, spread
from contract_wrapper.bo.gp.blas_threads import one_thread
from contract_wrapper.bo.gp.covariance import Kernel, gaps_among
from contract_wrapper.bo.gp.hyperparameters import fit_hyper
from contract_wrapper.bo.gp.likelihood import NegativeLogPosterior
from contract_wrapper.bo.gp.regression import GaussianProcess, columns_of
from contract_wrapper.bo.gp.varying_noise import VaryingNoise
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]

_MOST_GAPS = 20_000_000  # numbers in memory at once, of a prediction
_MINIMUM_RESULTS = 3  # fewer say nothing of length scales


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantSurrogate:
    """The surrogate of an output that never varied: its value, with one wide standard deviation everywhere."""

    value: float
    sd: float

    @property
    def scale(self) -> float:
        """What counts as one standard deviation of the output."""
        return self.sd

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the value and the standard deviation at each of x (q, d): two arrays (q,)."""
        return np.full(len(x), self.value), np.full(len(x), self.sd)

    def posterior_paths(self, x: Floats, n: int, rng: np.random.Generator) -> Floats:
        """Draw (n, q) values, independent between designs: nothing is known of how the output varies."""
        return self.value + self.sd * rng.standard_normal((n, len(x)))

    def noise_at(self, x: Floats) -> Floats:
        """Standard deviations (q,) of an evaluation at x (q, d) about the output: none is known."""
        return np.zeros(len(x))

    def condition(self, x: Floats, y: Floats) -> ConstantSurrogate:
        """Return the same surrogate: there is no kernel by which one design could tell of another."""
        return self


Surrogate = GaussianProcess | ConstantSurrogate


def fit_output(
    x: Floats,
    y: Floats,
    *,
    kernel: Kernel = "se",
    noise_sd: Floats | None = None,
    local: bool = True,
    repeats: Floats | None = None,
    within: Floats | None = None,
    moments: tuple[float, float] | None = None,
    noisy: bool = False,
    categorical: tuple[int, ...] = (),
    varying: VaryingNoise | None = None,
    gaps: Floats | None = None,
) -> Surrogate:
    """Fit one output: x (n, d) in the unit cube, y (n,), known standard errors (n,) -> a surrogate.

    `local`: whether the kernel has its second term, for what happens over short distances. Where y are means of
    repeated results: `repeats` (n,), how many, and `within` (n,), their sums of squared differences from the mean.
    `moments`: mean and standard deviation by which outputs are standardised, by default those of y. `noisy`: whether a
    result is known to vary from one evaluation to the next, more than its standard error may say. `categorical`: columns
    of x without order. `varying`: noise that varies over designs, as repeated results tell; what is fitted is then
    beyond it. `gaps`: squared differences of x, (d, n, n), if they are known already.

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
    shift, scale = (float(y.mean()), float(y.std())) if moments is None else moments
    if scale <= 1e-12 * max(1.0, abs(shift)):
        return ConstantSurrogate(value=shift, sd=abs(shift) or 1.0)
    spread = None if within is None else within / scale**2
    gaps = gaps_among(x, categorical) if gaps is None else gaps
    known = (se / scale) ** 2
    if varying is not None:
        known, noisy = known + varying.at(x) / scale**2 / (1 if repeats is None else repeats), False
    hyper = fit_hyper(
        NegativeLogPosterior(
            gaps, (y - shift) / scale, known, kernel, local=local, repeats=repeats, within=spread, noisy=noisy
        )
    )
    return GaussianProcess(
        x=x, y=y, noise_sd=se, kernel=kernel, hyper=hyper, shift=shift, scale=scale, repeats=repeats,
        categorical=categorical, varying=varying, gaps=gaps,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SurrogateSet:
    """Independent surrogates of several outputs."""

    parts: tuple[Surrogate, ...]
    designs: Floats
    """(n, d), in their own units, to which they are fitted."""

    @property
    def varies(self) -> bool:
        """Whether any output varied, so that designs can be told apart."""
        return any(isinstance(part, GaussianProcess) for part in self.parts)

    @classmethod
    def fit(
        cls,
        x: Floats,
        rows: TrainingSet,
        kernels: Sequence[Kernel],
        *,
        local: bool = True,
        categorical: tuple[int, ...] = (),
        varying: Sequence[VaryingNoise | None] | None = None,
    ) -> SurrogateSet:
        """Fit one surrogate per output; x (n, d) are the designs of the rows in the unit cube.

        `varying`: of each output, as in `fit_output`; None: of none.
        """
        varying = [None] * len(kernels) if varying is None else varying
        gaps = gaps_among(x, categorical)
        parts = tuple(
            fit_output(
                x,
                y,
                kernel=kernel,
                noise_sd=rows.se[:, j],
                local=local,
                repeats=rows.repeats,
                within=None if rows.within is None else rows.within[:, j],
                moments=None if rows.moments is None else (float(rows.moments[0, j]), float(rows.moments[1, j])),
                noisy=rows.noisy,
                categorical=categorical,
                varying=noise,
                gaps=gaps,
            )
            for j, (y, kernel, noise) in enumerate(zip(rows.y.T, kernels, varying, strict=True))
        )
        return cls(parts=parts, designs=rows.designs)

    def noise_at(self, x: Floats) -> Floats:
        """Standard deviations of one more evaluation at x (q, d) about its outputs, (outputs, q)."""
        return np.stack([part.noise_at(x) for part in self.parts])

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Means and standard deviations at x (q, d): two arrays (outputs, q)."""
        first = self._first
        at_once = len(x) if first is None else max(_MOST_GAPS // max(first.x.size, 1), 1)
        if len(x) > at_once:
            pieces = [self.predict(x[i : i + at_once]) for i in range(0, len(x), at_once)]
            return np.hstack([m for m, _ in pieces]), np.hstack([s for _, s in pieces])
        common = () if first is None else (first.gaps_to(x),)
        moments = [part.predict(x, *(common if same else ())) for part, same in self._sharing(first)]
        return np.stack([m for m, _ in moments]), np.stack([s for _, s in moments])

    def posterior_paths(self, x: Floats, n: int, rng: np.random.Generator) -> Floats:
        """Draw `n` joint samples at x (q, d): (outputs, n, q)."""
        first = self._first
        common = () if first is None else (first.gaps_to(x), columns_of(np.vstack([x, first.x]), first.categorical))
        drawn = [part.posterior_paths(x, n, rng, *(common if same else ())) for part, same in self._sharing(first)]
        return np.stack(drawn)

    @property
    def _first(self) -> GaussianProcess | None:
        return next((part for part in self.parts if isinstance(part, GaussianProcess)), None)

    def _sharing(self, first: GaussianProcess | None) -> list[tuple[Surrogate, bool]]:
        """Each part, and whether it is fitted at the inputs of the first process, as all are but one that was fitted anew."""
        return [
            (part, first is not None and isinstance(part, GaussianProcess) and np.array_equal(part.x, first.x))
            for part in self.parts
        ]

    def condition(self, x: Floats, y: Floats) -> SurrogateSet:
        """Return the set conditioned on y (outputs, q) at x (q, d) as well."""
        return replace(self, parts=tuple(part.condition(x, column) for part, column in zip(self.parts, y, strict=True)))

    def least_missing(self, space: DesignSpace) -> Floats:
        """Return of the fitted designs, in the unit cube, that (d,) whose margins lack the least of 0, each in its scale."""
        unit = space.to_unit(self.designs)
        mean, _ = self.predict(unit)
        scales = np.array([part.scale for part in self.parts[1:]])
        return np.asarray(unit[np.argmin((np.maximum(0.0, -mean[1:]) / scales[:, None]).sum(axis=0))])

    def believe(self, x: Floats) -> SurrogateSet:
        """Return the kriging believer: the set conditioned on its own means at x (q, d)."""
        return self.condition(x, self.predict(x)[0]) if len(x) else self


def fit(
    space: DesignSpace, history: History, *, local: bool = True, limit: int = EXACT_RESULTS, varying_noise: bool = False
) -> SurrogateSet | None:
    """Surrogates of the objective and of every margin; a binary phi is shifted so that >= 0 is good.

    `local`: whether kernels have a second term, of short range; `limit`: the largest number of rows of the fit, beyond
    which `training_set` says what is kept; `varying_noise`: whether the noise may vary over designs, where repeated
    results say that it does. None while the results say nothing of
    where to look: too few, or no output that varies.
    """
    if len(history) < _MINIMUM_RESULTS:
        return None
    kernels: list[Kernel] = ["matern" if j == history.participation else "se" for j in range(len(history.constraints))]
    rows = rows_of(space, history, limit)
    unit = space.to_unit(rows.designs)
    varying = varying_noises(space, history) if varying_noise else None

    def fitted(kept: npt.NDArray[np.intp] | slice) -> SurrogateSet:
        return SurrogateSet.fit(
            unit[kept], rows.take(kept), ["se", *kernels], local=local, categorical=space.categorical, varying=varying
        )

    if len(rows) <= limit:
        surrogates = fitted(slice(None))
    else:
        first = spread(unit, limit // 2, space.categorical)
        surrogates = fitted(np.sort(np.append(first, _promising(fitted(first), unit, first, limit - len(first)))))
    return surrogates if surrogates.varies else None


def _promising(
    surrogates: SurrogateSet, unit: Floats, first: npt.NDArray[np.intp], number: int
) -> npt.NDArray[np.intp]:
    """Return a number of rows of unit (n, d), none of the first (k,), where these predict the most to be gained."""
    mean, sd = surrogates.predict(unit)
    feasible = (mean[1:] >= 0).all(axis=0)
    incumbent = float(mean[0, feasible].max()) if feasible.any() else None
    improvement = acquisition.log_constrained_improvement(mean, sd, incumbent)
    improvement[first] = -np.inf
    return np.argsort(-improvement, kind="stable")[:number]


def believe_objective(
    space: DesignSpace,
    history: History,
    designs: Sequence[Sequence[float]] | Floats,
    *,
    varying_noise: bool = False,
) -> tuple[Floats, Floats]:
    """What the results say of the objective at designs (q, d): mean and standard deviation, two arrays (q,).

    One measurement flatters the best of many designs; this also counts what was measured near it.

    Raises:
        ContractsError: there are too few results, or none that differ, to say anything.
    """
    with one_thread():
        surrogates = fit(space, history, varying_noise=varying_noise)
        if surrogates is None:
            raise ContractsError(f"{len(history)} results say nothing of other designs: evaluate more")
        mean, sd = surrogates.parts[0].predict(space.to_unit(np.asarray(designs, dtype=float).reshape(-1, len(space))))
    return mean, sd


def leader(
    space: DesignSpace, history: History, surrogates: SurrogateSet, pending: Floats
) -> tuple[float, Floats] | None:
    """The best feasible value so far, and where it is in the unit cube, (d,); None if none is.

    It is measured, or predicted at pending designs (p, d) of the unit cube. Where results are noisy, it is predicted at
    the evaluated ones, too: the luckiest of many readings is no value to improve on.
    """
    noisy, unit, held = history.is_noisy, space.to_unit(history.designs), history.feasible()
    values, places = history.objective[held][: 0 if noisy else None], unit[held][: 0 if noisy else None]
    predicted = np.vstack([unit, pending]) if noisy else pending
    if len(predicted):
        mean, _ = surrogates.predict(predicted)
        holds = (mean[1:] >= 0).all(axis=0)
        values, places = np.append(values, mean[0, holds]), np.vstack([places, predicted[holds]])
    if not len(values):
        return None
    best = int(np.argmax(values))
    return float(values[best]), places[best]


def best_so_far(space: DesignSpace, history: History, surrogates: SurrogateSet, pending: Floats) -> float | None:
    """The best feasible value so far, as of `leader`; None if none is."""
    found = leader(space, history, surrogates, pending)
    return None if found is None else found[0]
