"""Which design to choose once a search has ended: by what the surrogates believe, not by the luckiest reading.

The highest of many noisy readings is high by luck, and so is its belief, if less. Joint posterior paths of all outputs
say how much of that is left: along a path each design has a value, its objective if the path holds every constraint,
else what there is without it (a contract that somebody refuses is not signed). The recommended design has the highest
mean value over the paths, which is the choice that loses least if the surrogates are right (Frazier & Wang 2016,
section 3). The same paths tell how probable it is that each design is best, which designs cannot be told from the best,
and what the choice may lose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo import acquisition
from contract_wrapper.bo.gp.blas_threads import one_thread
from contract_wrapper.bo.history import History
from contract_wrapper.bo.numbers_in import as_numbers, check_seed
from contract_wrapper.bo.space import Design, DesignSpace
from contract_wrapper.bo.surrogates import ConstantSurrogate, SurrogateSet, fit, fit_output
from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]

N_PATHS = 1000
"""Joint posterior paths of which shares and quantiles are taken."""

CONFIDENCE = 0.95
"""Probability with which the set holds the best design, and the loss stays below its bound."""


NORMAL = 1.959964
"""Half the width of a normal distribution's 95 % interval, in standard deviations."""

CONTENDING = 0.6
"""Share of the measured designs, those with the highest values, among which one is recommended where results are noisy."""

SIGNAL = 0.5
"""What contenders are taken to vary at least, as a share of the noise."""

LEAST = 6
"""Designs at least to which the objective is fitted anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """What is believed of one design."""

    design: Design
    """In the order of the space's dimensions."""
    objective_mean: float
    objective_sd: float
    """Mean and standard deviation of the noise-free objective there."""
    probability_feasible: float
    """That every constraint holds."""
    probability_best: float
    """That it has the highest value of all that were compared."""
    value: float
    """Mean over paths of the objective where all constraints hold, else of what there is without the design; exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The design to choose, and what stands beside it."""

    ranked: tuple[Believed, ...]
    """All designs that were compared, the highest value first; the first is recommended."""
    loss_bound: float
    """What choosing it loses against the best of them, in units of the objective, is at most this with probability 95 %."""
    widening: float
    """By how much intervals and paths of the objective are wider than a normal distribution has them: the noise is known
    from repeats alone."""

    @property
    def best(self) -> Believed:
        """What is recommended."""
        return self.ranked[0]

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the noise-free objective at the recommended design."""
        reach = NORMAL * self.widening * self.best.objective_sd
        return self.best.objective_mean - reach, self.best.objective_mean + reach

    def alike(self) -> tuple[Believed, ...]:
        """Designs that cannot be told from the best: as few as together are best with probability 95 %, likeliest first."""
        likeliest = sorted(self.ranked, key=lambda b: -b.probability_best)
        total = np.cumsum([b.probability_best for b in likeliest])
        return tuple(likeliest[: int(np.searchsorted(total, CONFIDENCE - 1e-12)) + 1])


def recommend(
    space: DesignSpace,
    history: History,
    *,
    otherwise: float | None = None,
    seed: int = 0,
    n_paths: int = N_PATHS,
    varying_noise: bool = False,
) -> Recommendation:
    """Rank the designs that were measured by their mean value over posterior paths; pure: the same arguments, the same ranks.

    Only what was measured is recommended: where nothing was, the surrogates know the least, and what they believe there
    flatters the most.

    Args:
        space: where the designs come from.
        history: all results, repeated ones as often as they were measured.
        otherwise: objective where the chosen design does not hold its constraints, such as that without a contract; None:
            the lowest that was measured.
        seed: of the paths.
        n_paths: number of paths.
        varying_noise: whether noise may vary over designs, where repeated results say that it does.

    Raises:
        ContractsError: there is nothing to choose from, or too little is known to say anything; a value is no number.
    """
    if not any(space.contains(row) for row in history.designs):
        raise ContractsError("no design of the space is measured, so none can be recommended: evaluate one first")
    without = _otherwise(history, otherwise)
    rng = np.random.default_rng(check_seed(seed, "recommend"))
    with one_thread():
        history = history.distinct()
        surrogates = fit(space, history, varying_noise=varying_noise)
        if surrogates is None:
            raise ContractsError(f"{len(history)} results say nothing of other designs: evaluate more")
        candidates = measured(space, surrogates)
        if history.is_noisy:
            candidates = _contenders(space, surrogates, candidates, without)
            surrogates = refitted(space, history, surrogates, candidates)
        return _ranked(space, surrogates, candidates, without, rng, n_paths, _widening(history))


def again(
    space: DesignSpace,
    history: History,
    surrogates: SurrogateSet,
    pending: Floats,
    rng: np.random.Generator,
    n_paths: int = N_PATHS,
) -> tuple[Believed, ...]:
    """Which design to measure again, so that the best is told from the others: two at most, the better choice first.

    The leader and the challenger, the likeliest best of the others; first the one of which a result would tell more
    (top-two sampling, Russo 2020, with probabilities from posterior paths): that which is known less, unless its noise is
    larger. `pending` designs (p, d) count as measured, and are none of them.
    """
    open_now = set(space.keys(pending))
    free = [row for row in measured(space, surrogates) if space.keys([row])[0] not in open_now]
    if not free:
        return ()
    believed = surrogates.believe(space.to_unit(pending))
    ranks = _ranked(space, believed, np.array(free), _otherwise(history, None), rng, n_paths).ranked
    others = sorted(ranks[1:], key=lambda b: -b.probability_best)

    def told(b: Believed) -> tuple[float, float]:
        """By how much one more result is expected to change the belief, and for want of that how uncertain it is."""
        noise = float(believed.parts[0].noise_at(space.to_unit(np.array([b.design])))[0])
        spread = math.hypot(b.objective_sd, noise)
        return (b.objective_sd**2 / spread if spread else 0.0), b.objective_sd

    return tuple(sorted([ranks[0], *others[:1]], key=told, reverse=True))


def measured(space: DesignSpace, surrogates: SurrogateSet) -> Floats:
    """Return the designs of the space to which surrogates are fitted, each once, (q, d).

    These are all that were measured, or of very many those that matter (`training_set`): what is compared stays bounded.
    """
    return np.array([row for row in np.unique(surrogates.designs, axis=0) if space.contains(row)]).reshape(
        -1, len(space)
    )


def _widening(history: History) -> float:
    """Student's t over a normal's quantile, with as many degrees of freedom as there are repeats, 3 at least; 1 without noise."""
    from scipy.stats import t

    if not history.is_noisy:
        return 1.0
    repeats = len(history) - len(np.unique(history.designs, axis=0))
    return float(t.ppf(0.5 + CONFIDENCE / 2, max(repeats, 3))) / NORMAL


def _otherwise(history: History, otherwise: float | None) -> float:
    lowest = float(history.objective.min())
    return lowest if otherwise is None else float(as_numbers(otherwise, "what there is otherwise", ()))


def _values(paths: Floats, otherwise: float) -> Floats:
    """Values of designs along paths (1 + m, n, q), (n, q)."""
    return np.where((paths[1:] >= 0).all(axis=0), paths[0], otherwise)


def _worth(surrogates: SurrogateSet, unit: Floats, otherwise: float) -> Floats:
    """Mean values (q,) over all paths of designs (q, d) of the unit cube, exact as outputs are independent."""
    mean, sd = surrogates.predict(unit)
    feasible = np.exp(acquisition.log_probability_feasible(mean[1:], sd[1:]))
    return np.asarray(feasible * mean[0] + (1 - feasible) * otherwise)


def _contenders(space: DesignSpace, surrogates: SurrogateSet, designs: Floats, otherwise: float) -> Floats:
    """Return the designs (q, d) with the highest values, in their order: `CONTENDING` of all, or `LEAST` at least."""
    value = _worth(surrogates, space.to_unit(designs), otherwise)
    kept = max(math.ceil(CONTENDING * len(designs)), LEAST)
    return designs[np.sort(np.argsort(-value, kind="stable")[:kept])]


def refitted(space: DesignSpace, history: History, surrogates: SurrogateSet, contenders: Floats) -> SurrogateSet:
    """Return surrogates whose objective is fitted anew to the results at some designs (q, d), with the noise as known.

    A surrogate of the whole space has the scale of all that varies there, such as the cliff between contracts under which
    nobody works and all others. On that scale differences of the size of the noise look likely, so that the luckiest of the
    contenders keeps much of its luck. Among themselves, contenders vary less.
    """
    part = surrogates.parts[0]
    keys = space.keys(history.designs)
    of_each = [history.objective[[key == mine for key in keys]] for mine in space.keys(contenders)]
    mean, number = np.array([values.mean() for values in of_each]), np.array([len(values) for values in of_each])
    if isinstance(part, ConstantSurrogate) or len(contenders) < LEAST or np.ptp(mean) == 0.0:
        return surrogates
    # Standardised by what they vary beyond the noise, so that the prior of the amplitude is of that, too. Noise is known,
    # so that the mean of a design's results says as much as each of them. Results count the less the noisier they are.
    unit = space.to_unit(contenders)
    noise = part.noise_at(unit)
    least = float(noise.min())
    weight = (least / noise) ** 2
    of_all, results = np.repeat(weight, number), np.concatenate(of_each)
    spread = float(np.average((results - np.average(results, weights=of_all)) ** 2, weights=of_all))
    usual = least * math.sqrt(len(results) / of_all.sum())  # what results so weighted differ by through noise
    signal = math.sqrt(max(spread - usual**2, (SIGNAL * usual) ** 2))
    anew = fit_output(
        unit,
        mean,
        noise_sd=noise / np.sqrt(number),
        local=True,
        moments=(float(np.average(mean, weights=number * weight)), signal),
        categorical=space.categorical,
    )
    return replace(surrogates, parts=(anew, *surrogates.parts[1:]))


def _ranked(
    space: DesignSpace,
    surrogates: SurrogateSet,
    candidates: Floats,
    otherwise: float,
    rng: np.random.Generator,
    n: int,
    widening: float = 1.0,
) -> Recommendation:
    unit = space.to_unit(candidates)
    mean, sd = surrogates.predict(unit)
    paths = surrogates.posterior_paths(unit, n, rng)
    paths[0] = mean[0] + widening * (paths[0] - mean[0])
    values = _values(paths, otherwise)
    value, top = _worth(surrogates, unit, otherwise), values.max(axis=1)
    # Where nothing holds on a path no design is best there; it is shared among all.
    ties = values == top[:, None]
    probability = (ties / ties.sum(axis=1, keepdims=True)).mean(axis=0)
    feasible = np.exp(acquisition.log_probability_feasible(mean[1:], sd[1:]))
    order = np.argsort(-value, kind="stable")
    ranked = tuple(
        Believed(
            design=space.as_design(candidates[i]),
            objective_mean=float(mean[0, i]),
            objective_sd=float(sd[0, i]),
            probability_feasible=float(feasible[i]),
            probability_best=float(probability[i]),
            value=float(value[i]),
        )
        for i in order
    )
    lost = float(np.quantile(top - values[:, order[0]], CONFIDENCE))
    return Recommendation(ranked=ranked, loss_bound=lost, widening=widening)
