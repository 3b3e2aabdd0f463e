"""cPMES: which contract to try next (constrained Pareto max-value entropy search).

Source: Molina Concha et al. 2024, arXiv 2408.09686 (eqs. 7 and 8); scores from `acquisition`.
One step: fit, draw what the best value may be, take the designs that no other beats in the
objectives of eq. 7, and score these by what they would tell of the best value.

`ask` is a function of what is known: the same seed, trial number, history and pending designs
give the same suggestions, after any interruption. `CPMES` is the same with a memory.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from contract_wrapper import acquisition
from contract_wrapper.errors import ContractsError
from contract_wrapper.pareto import pareto_front_nsga2, pareto_mask
from contract_wrapper.space import Design, DesignSpace
from contract_wrapper.surrogate import Kernel, SurrogateSet

Floats = npt.NDArray[np.float64]
Designs = Sequence[Sequence[float]] | Floats

_MINIMUM_RESULTS = 3  # fewer say nothing of length scales; the space is filled evenly instead
_REFERENCE_SIZE = 1024  # designs over which f* is drawn where a space holds more; Sobol wants a power of 2
_CONTINUOUS_COUNT = 100  # values that a continuous dimension counts for in beta_t
_CHOICES = {
    "score": ("cmes", "ibo"),
    "feasibility_objective": ("ucb", "logprob"),
    "beta": ("printed", "designs"),
    "batch": ("believer", "topk", "random", "cmi"),
}


class SpaceExhausted(Exception):
    """Every design of a finite space is evaluated, failed or pending: there is nothing left to ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CPMESConfig:
    """How a step is taken; `CPMESConfig.paper()` is as printed.

    For single suggestions the default is the same search: neither `ibo` nor `logprob` measured better.
    """

    n_paths: int = 32
    """Joint posterior draws, each giving one f* (K)."""

    score: Literal["cmes", "ibo"] = "cmes"
    """`cmes`: eq. 8, Perrone et al. 2019. `ibo`: the lower bound of Takeno et al. 2022, never negative."""

    feasibility_objective: Literal["ucb", "logprob"] = "ucb"
    """AF_phi of eq. 7: upper confidence bound of the participation margin, or log Pr(margin >= 0)."""

    beta: Literal["printed", "designs"] = "printed"
    """D in beta_t: the summed numbers of values |alpha| + |N_a| (paper), or the number of designs (theorem).

    A continuous dimension counts as 100 values."""

    delta: float = 0.1
    """Probability with which the confidence bounds may fail, in (0, 1)."""

    batch: Literal["believer", "topk", "random", "cmi"] = "believer"
    """How several suggestions, and those pending elsewhere, are kept apart.

    `believer`: take the own mean for a result, and step again. `topk`: the best scores of one front
    (paper). `random`: random members of one front. `cmi`: information given what each path takes at
    the designs picked so far (Takeno et al. 2022; scored as `ibo`)."""

    population: int = 100
    """NSGA-II population where the space is not a grid (paper)."""

    generations: int = 100
    """NSGA-II generations where the space is not a grid (paper)."""

    def __post_init__(self) -> None:
        if self.n_paths < 1 or self.population < 4 or self.generations < 1 or not 0 < self.delta < 1:
            raise ContractsError(
                "CPMESConfig needs n_paths >= 1, population >= 4, generations >= 1, 0 < delta < 1, but has "
                f"{self.n_paths}, {self.population}, {self.generations} and {self.delta}"
            )
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ContractsError(f"CPMESConfig.{name} must be one of {allowed}, not {getattr(self, name)!r}")

    @classmethod
    def paper(cls) -> CPMESConfig:
        """As printed: UCB for both AF with D = |alpha| + |N_a|, cMES, and the k best scores for a batch."""
        return cls(score="cmes", feasibility_objective="ucb", beta="printed", batch="topk")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A design to try, and why."""

    design: Design
    """Python numbers in the order of the space's dimensions."""
    objective_mean: float
    """Predicted objective; NaN while the space is only being filled."""
    objective_sd: float
    """Standard deviation of the prediction."""
    probability_feasible: float
    """Pr(every constraint holds)."""
    score: float
    """Information in nats about the constrained best value; distance to known designs while filling."""
    front_size: int
    """Number of candidates on the Pareto front; 0 while filling."""
    on_front: bool
    """Whether the design is one of them (a batch may need more than the front has)."""

    def why(self) -> str:
        """One line for a log."""
        if math.isnan(self.objective_mean):
            return f"{self.design}: fills the space, {self.score:.2f} away from every known design"
        place = "one of" if self.on_front else "beside the"
        return (
            f"{self.design}: objective {self.objective_mean:.4g} +- {self.objective_sd:.2g}, feasible with "
            f"probability {self.probability_feasible:.2f}, score {self.score:.3g}, {place} {self.front_size} "
            "on the front"
        )


def ask(
    space: DesignSpace,
    history: History,
    pending: Designs = (),
    number: int = 1,
    *,
    seed: int,
    trial: int | None = None,
    config: CPMESConfig | None = None,
) -> list[Suggestion]:
    """Suggest the next designs; pure: equal arguments give equal suggestions.

    Args:
        space: where the designs come from.
        history: all results so far.
        pending: designs under evaluation elsewhere, (p, d); treated as earlier picks of the same batch.
        number: how many suggestions; fewer come back where fewer designs are left.
        seed: of the whole search.
        trial: number of the first suggested trial; by default the count of results, failures and
            pending designs. It seeds the draws together with `seed`, and is t - 1 in beta_t.
        config: see `CPMESConfig`; None for the default.

    With fewer than 3 results, the designs farthest from all known ones are suggested, the middle
    of the space first; no chance is involved.

    Raises:
        SpaceExhausted: nothing is left to suggest.
    """
    config = config or CPMESConfig()
    if number < 1:
        raise ContractsError(f"ask needs number >= 1, but came {number}")
    d = len(space)
    waiting = np.asarray(pending, dtype=float).reshape(-1, d)
    known = np.vstack([history.designs, history.failed.reshape(-1, d)])
    trial = len(known) + len(waiting) if trial is None else trial
    picks: list[Suggestion] = []
    with _one_thread():
        surrogates = _fit(space, history) if len(history) >= _MINIMUM_RESULTS else None
        while len(picks) < number:
            now = trial + len(picks)
            if surrogates is None:
                ranked = _fill(space, np.vstack([known, waiting]))
            else:
                rng = np.random.default_rng(np.random.SeedSequence([seed, now]))
                ranked = _step(space, history, surrogates, waiting, config, t=now + 1, rng=rng)
            if not ranked:
                break
            from_one_front = surrogates is not None and config.batch in ("topk", "random")
            new = ranked[: number - len(picks)] if from_one_front else ranked[:1]
            picks += new
            waiting = np.vstack([waiting, [suggestion.design for suggestion in new]])
    if not picks:
        raise SpaceExhausted(
            f"all designs of the space {space.names} are evaluated, failed or pending: take the best of the "
            "history, or search a larger space or a finer grid"
        )
    return picks


def _step(
    space: DesignSpace,
    history: History,
    surrogates: SurrogateSet,
    waiting: Floats,
    config: CPMESConfig,
    *,
    t: int,
    rng: np.random.Generator,
) -> list[Suggestion]:
    """One step of the search: the candidates, best first; front before the rest."""
    held = space.to_unit(waiting)
    if config.batch == "believer":
        surrogates = surrogates.believe(held)
    taken = set(space.keys(np.vstack([history.designs, history.failed.reshape(-1, len(space)), waiting])))

    # 1. f*_k: the best of path k among the designs whose path holds every constraint; -inf if none does
    reference = _reference(space, history, rng)
    paths = surrogates.posterior_paths(np.vstack([space.to_unit(reference), held]), config.n_paths, rng)
    holds = (paths[1:] >= 0).all(axis=0)
    best = np.where(holds, paths[0], -np.inf).max(axis=1)

    # 2. objectives (eq. 7), and 3. the designs that no other beats in all of them
    beta = acquisition.beta_t(t, _count(space, config), config.delta)

    def objectives(designs: Floats) -> Floats:
        return _objectives(*surrogates.predict(space.to_unit(designs)), history, beta, config)

    grid = space.grid()
    if grid is not None:
        candidates = _without(space, grid, taken)
        if not len(candidates):
            return []
        on_front = pareto_mask(objectives(candidates))
        front, rest = candidates[on_front], candidates[~on_front]
    else:
        seed = int(rng.integers(2**31))
        front, _ = pareto_front_nsga2(space, objectives, seed, config.population, config.generations)
        front, rest = _without(space, front, taken), _without(space, reference, taken)

    # 4. the scores (eq. 8); the rest is scored only where the front is short of designs
    ranked: list[Suggestion] = []
    for designs, flag in ((front, True), (rest, False)):
        if not len(designs) or (ranked and config.batch in ("believer", "cmi")):
            continue
        unit = space.to_unit(designs)
        mean, sd = surrogates.predict(unit)
        if config.batch == "cmi":
            score = _conditional_score(surrogates, held, paths[:, :, len(reference) :], best, unit)
        else:
            score = _score(mean, sd, best, history, config)
        feasible = np.exp(acquisition.log_probability_feasible(mean[1:], sd[1:]))
        order = rng.permutation(len(designs)) if config.batch == "random" else np.argsort(-score, kind="stable")
        ranked += [
            Suggestion(
                design=space.as_design(designs[i]),
                objective_mean=float(mean[0, i]),
                objective_sd=float(sd[0, i]),
                probability_feasible=float(feasible[i]),
                score=float(score[i]),
                front_size=len(front),
                on_front=flag,
            )
            for i in order
        ]
    return ranked


def _fit(space: DesignSpace, history: History) -> SurrogateSet:
    """Surrogates of the objective and of every margin; a binary phi is shifted so that >= 0 is good."""
    margins = history.margins.copy()
    margins[:, list(history.binary)] -= 0.5
    n, m = margins.shape
    objective_se = np.zeros(n) if history.objective_se is None else history.objective_se
    margins_se = np.zeros((n, m)) if history.margins_se is None else history.margins_se
    kernels: list[Kernel] = ["matern" if j == history.participation else "se" for j in range(m)]
    return SurrogateSet.fit(
        space.to_unit(history.designs),
        np.column_stack([history.objective, margins]),
        ["se", *kernels],
        np.column_stack([objective_se, margins_se]),
    )


def _objectives(mean: Floats, sd: Floats, history: History, beta: float, config: CPMESConfig) -> Floats:
    """AF_G, AF_phi and sum_j log Pr(IR_j >= 0), as far as there are such: (q, 1 to 3) (eq. 7)."""
    columns = [acquisition.ucb(mean[0], sd[0], beta)]
    others = [1 + j for j in range(len(history.constraints)) if j != history.participation]
    if history.participation is not None:
        row = slice(1 + history.participation, 2 + history.participation)
        if config.feasibility_objective == "ucb":
            columns.append(acquisition.ucb(mean[row][0], sd[row][0], beta))
        else:
            columns.append(acquisition.log_probability_feasible(mean[row], sd[row]))
    if others:
        columns.append(acquisition.log_probability_feasible(mean[others], sd[others]))
    return np.stack(columns, axis=1)


def _score(mean: Floats, sd: Floats, best: Floats, history: History, config: CPMESConfig) -> Floats:
    """Information about f* at q designs, (q,). Where no path holds anything feasible, the bound is taken."""
    if config.score == "ibo" or not np.isfinite(best).any():
        return acquisition.cmes_ibo(mean[0], sd[0], best, mean[1:], sd[1:])
    binary = [1 + j for j in history.binary]
    slack = [j for j in range(1, len(mean)) if j not in binary]
    phi = np.exp([acquisition.log_probability_feasible(mean[[j]], sd[[j]]) for j in binary])
    return acquisition.cmes(mean[0], sd[0], best, mean[slack], sd[slack], phi.reshape(-1, mean.shape[1]))


def _conditional_score(surrogates: SurrogateSet, held: Floats, values: Floats, best: Floats, unit: Floats) -> Floats:
    """Information about f* given each path's own values (outputs, K, b) at the designs held, (q,)."""
    total = np.zeros(len(unit))
    for k in range(len(best)):
        known = surrogates.condition(held, values[:, k]) if len(held) else surrogates
        mean, sd = known.predict(unit)
        total += acquisition.cmes_ibo(mean[0], sd[0], best[k : k + 1], mean[1:], sd[1:])
    return total / len(best)


def _reference(space: DesignSpace, history: History, rng: np.random.Generator | None) -> Floats:
    """Designs over which f* is drawn: the whole grid if small, else a spread-out part and the data."""
    grid = space.grid()
    if grid is not None and len(grid) <= _REFERENCE_SIZE:
        return grid
    from scipy.stats.qmc import Sobol

    points = Sobol(len(space), scramble=False).random(_REFERENCE_SIZE)
    if rng is not None:  # a random shift keeps the spread and moves the points from step to step
        points = (points + rng.random(len(space))) % 1.0
    inside = [row for row in history.designs if space.contains(row)]
    return np.unique(np.vstack([space.from_unit(points), *inside]), axis=0)


def _fill(space: DesignSpace, known: Floats) -> list[Suggestion]:
    """Return the candidate farthest from all known designs; without any, the one nearest the middle."""
    grid = space.grid()
    pool = _reference(space, History.empty(space), None) if grid is None else grid
    candidates = _without(space, pool, set(space.keys(known)))
    if not len(candidates):
        return []
    unit = space.to_unit(candidates)
    if len(known):
        gaps = unit[:, None, :] - space.to_unit(known)[None]
        distance = np.sqrt((gaps**2).sum(axis=2)).min(axis=1)
    else:
        distance = -np.sqrt(((unit - 0.5) ** 2).sum(axis=1))
    i = int(np.argmax(np.round(distance, 9)))  # rounded: equal distances must tie on every machine
    return [
        Suggestion(
            design=space.as_design(candidates[i]),
            objective_mean=math.nan,
            objective_sd=math.nan,
            probability_feasible=math.nan,
            score=float(distance[i]) if len(known) else math.inf,
            front_size=0,
            on_front=False,
        )
    ]


def _without(space: DesignSpace, designs: Floats, taken: set[bytes]) -> Floats:
    return designs[[key not in taken for key in space.keys(designs)]] if len(designs) else designs


def _count(space: DesignSpace, config: CPMESConfig) -> int:
    counts = [_CONTINUOUS_COUNT if count is None else count for count in space.counts]
    return sum(counts) if config.beta == "printed" else math.prod(counts)


def _one_thread() -> Any:
    """Pin BLAS to one thread: on matrices this small a second one costs 4 to 15 times what it gives."""
    return _blas().limit(limits=1, user_api="blas")


@functools.cache
def _blas() -> Any:
    import scipy.linalg  # noqa: F401  # the controller sees only libraries that are loaded by now
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


class CPMES:
    """The search with a memory: `ask` for designs, `tell` what came of them.

    >>> from contract_wrapper.space import contract_space
    >>> search = CPMES(contract_space(), seed=1, constraints=("slack",), participation=0)
    >>> (first,) = search.ask()
    >>> first.design
    (0.5, 3)
    >>> search.tell(first.design, objective=10.0, margins=[0.5])
    """

    def __init__(
        self,
        space: DesignSpace,
        *,
        seed: int,
        constraints: Sequence[str] = (),
        participation: int | None = None,
        binary: Sequence[int] = (),
        config: CPMESConfig | None = None,
    ) -> None:
        self.space, self.seed, self.config = space, seed, config or CPMESConfig()
        self.history = History.empty(space, constraints, participation=participation, binary=tuple(binary))
        self.pending: list[Design] = []

    def ask(self, number: int = 1) -> list[Suggestion]:
        """Suggest designs, and keep them as pending until they are told."""
        picks = ask(self.space, self.history, self.pending, number, seed=self.seed, config=self.config)
        self.pending += [suggestion.design for suggestion in picks]
        return picks

    def tell(self, design: Sequence[float], objective: float, margins: Sequence[float] = (), **errors: Any) -> None:
        """Add a result, asked for or not; `errors` as in `History.add`."""
        self.history = self.history.add(design, objective, margins, **errors)
        self._settle(design)

    def tell_failed(self, design: Sequence[float]) -> None:
        """Add a failure: the design is neither fitted nor proposed again."""
        self.history = self.history.add_failed(design)
        self._settle(design)

    def _settle(self, design: Sequence[float]) -> None:
        (key,) = self.space.keys([design])
        keys = self.space.keys(self.pending) if self.pending else []
        if key in keys:
            del self.pending[keys.index(key)]
