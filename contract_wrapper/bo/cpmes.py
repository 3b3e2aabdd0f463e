"""cPMES: which contract to try next (constrained Pareto max-value entropy search).

Source: Molina Concha et al. 2024, arXiv 2408.09686 (eqs. 7 and 8); scores from `acquisition`.
One step: fit, draw the best value f*, take the designs that no other dominates in the objectives of
eq. 7, and score these by their information about f*.

`ask` is a pure function: the same seed, trial number, history and pending designs
give the same suggestions, after any interruption. `CPMES` is the same with a memory.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo import acquisition
from contract_wrapper.bo.ask import MOST_BELIEVED, Designs, SurrogateRule, ask_by, believable, ranked
from contract_wrapper.bo.candidates.inner_search import refine_front
from contract_wrapper.bo.candidates.pareto import pareto_front_nsga2, pareto_mask
from contract_wrapper.bo.candidates.sampling import without
from contract_wrapper.bo.candidates.trust_region import WORTHWHILE, Box, has_room
from contract_wrapper.bo.cpmes_config import CPMESConfig, check_config
from contract_wrapper.bo.history import History
from contract_wrapper.bo.noise.information import noisy_information
from contract_wrapper.bo.noise.recommend import again, measured
from contract_wrapper.bo.numbers_in import check_seed
from contract_wrapper.bo.scores import conditional_information, count_for_beta, front_objectives, information
from contract_wrapper.bo.space import Design, DesignSpace
from contract_wrapper.bo.suggestion import Suggestion
from contract_wrapper.bo.surrogates import SurrogateSet, fit, leader

Floats = npt.NDArray[np.float64]

AGAIN = 3
"""Where results are noisy, one of so many trials measures a design again that may be the best."""

_DEFAULT = CPMESConfig()


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
        pending: designs under evaluation elsewhere, (p, d), at most `MOST_PENDING` (10,000); treated as earlier
            picks of the same batch. Of more than `MOST_BELIEVED` (200) the last ones are, the others are excluded only.
        number: how many suggestions, at most `LARGEST_BATCH` (1000); fewer come back where fewer designs are left.
        seed: of the whole search.
        trial: number of the first suggested trial; by default the count of results, failures and
            pending designs. It seeds the draws together with `seed`, and is t - 1 in beta_t.
        config: see `CPMESConfig`; None for the default.

    With fewer than 3 results, or none that differ, a space-filling design is suggested: the point farthest
    from all evaluated, failed and pending ones, the middle of the space first; nothing is random.

    Raises:
        SpaceExhausted: nothing is left to suggest.
        ContractsError: an argument is outside these limits, or a design is not one of the space's dimensions.
    """
    prepare = functools.partial(ParetoEntropySearch.prepare, config=check_config(config))
    return ask_by(prepare, space, history, pending, number, seed=seed, trial=trial)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParetoEntropySearch(SurrogateRule):
    """The rule of cPMES: the Pareto front of several acquisition functions, ranked by information about f*."""

    config: CPMESConfig

    @classmethod
    def prepare(cls, space: DesignSpace, history: History, config: CPMESConfig = _DEFAULT) -> Self | None:
        """Fit the surrogates; None where there are too few results, or none that differ."""
        surrogates = fit(space, history, local=config.local_term, varying_noise=config.varying_noise)
        if surrogates is None:
            return None
        return cls(space=space, history=history, surrogates=surrogates, config=config)

    @property
    def repeats(self) -> bool:
        """Where results are noisy, unless the configuration says that nothing is measured again."""
        return self.config.repeats and self.history.is_noisy

    @property
    def at_once(self) -> bool:
        """Whether a batch is the best of one front (paper)."""
        return self.config.batch in ("topk", "random")

    def step(self, pending: Floats, t: int, rng: np.random.Generator) -> Iterator[Suggestion]:
        """Yield candidates, best first: the front, then the designs beside it."""
        space, history, config = self.space, self.history, self.config
        if self.repeats and t % AGAIN == 0:
            yield from self._again(pending, rng)
        unit_pending = believable(space, pending)
        believed = self.surrogates.believe(unit_pending) if config.batch == "believer" else self.surrogates
        lead = leader(space, history, believed, unit_pending)
        incumbent = None if lead is None else lead[0]
        if config.trust_region and config.batch == "believer" and has_room(space):
            yield from self._near(believed, lead, pending, t, rng)

        # 1. f*_k: the best of path k among the designs whose path holds every constraint; -inf if none does.
        # The paths are those of the results alone: a kriging believer's own means tell nothing of f*.
        reference = self.reference(believed, incumbent, rng)
        where = np.vstack([space.to_unit(reference), unit_pending])
        paths = self.surrogates.posterior_paths(where, config.n_paths, rng)
        best = acquisition.best_values(paths)

        # 2. objectives (eq. 7), and 3. the designs that no other dominates in them
        beta = acquisition.beta_t(t, count_for_beta(space, config), config.delta)

        def objectives(designs: Floats) -> Floats:
            return front_objectives(*believed.predict(space.to_unit(designs)), history, incumbent, beta, config)

        entropy = int(rng.integers(2**32)) if self.repeats else 0

        def score(mean: Floats, sd: Floats, unit: Floats) -> Floats:
            if not self.repeats:
                return information(mean, sd, best, history, config.score, incumbent)
            weights = acquisition.gains(best, incumbent) if config.score == "gain" else None
            noise = self.surrogates.noise_at(unit)
            # The same points whenever designs are scored in this step, so that scores can be compared.
            return noisy_information(mean, sd, noise, best, np.random.default_rng(entropy), weights)

        def score_at(designs: Floats) -> Floats:
            unit = space.to_unit(designs)
            return score(*believed.predict(unit), unit)

        front, beside = self._front(objectives, score_at, reference, pending, rng)

        # 4. the scores (eq. 8); the designs beside the front are scored only where the front is short
        for designs, on_front in ((front, True), (beside, False)):
            if not len(designs):
                continue
            unit = space.to_unit(designs)
            mean, sd = believed.predict(unit)
            if config.batch == "cmi":
                scores = conditional_information(believed, unit_pending, paths[:, :, len(reference) :], best, unit)
            else:
                scores = score(mean, sd, unit)
            order = rng.permutation(len(designs)) if config.batch == "random" else np.argsort(-scores, kind="stable")
            yield from ranked(space, designs, mean, sd, scores, order, front_size=len(front), on_front=on_front)

    def _again(self, pending: Floats, rng: np.random.Generator) -> Iterator[Suggestion]:
        """Yield the design to be measured again, of those that may be the best; none where all are pending."""
        for found in again(self.space, self.history, self.surrogates, pending[-MOST_BELIEVED:], rng):
            yield Suggestion(
                design=found.design,
                objective_mean=found.objective_mean,
                objective_sd=found.objective_sd,
                probability_feasible=found.probability_feasible,
                score=found.probability_best,
                again=True,
            )

    def _near(
        self,
        believed: SurrogateSet,
        lead: tuple[float, Floats] | None,
        pending: Floats,
        t: int,
        rng: np.random.Generator,
    ) -> Iterator[Suggestion]:
        """Yield designs near the best one by their constrained expected improvement; none where it is the front's turn.

        While nothing is feasible, the best one is that which misses the least, and by the probability of feasibility.
        """
        space, incumbent = self.space, None if lead is None else lead[0]

        def improvement(mean: Floats, sd: Floats) -> Floats:
            return acquisition.log_constrained_improvement(mean, sd, incumbent)

        known = space.to_unit(np.vstack([self.history.designs, self.history.failed, pending]))
        box = Box.around(space, believed.least_missing(space) if lead is None else lead[1], known)
        near = self.best_scored(believed, improvement, pending, rng, box)
        first = next(near, None)
        enough = WORTHWHILE * (1.0 if lead is None else self.surrogates.parts[0].scale)
        if first is not None and (t % 2 == 0 or math.exp(first.score) >= enough):
            yield first
            yield from near
        elif lead is None:
            yield from self.best_scored(believed, improvement, pending, rng, Box.whole(len(space)))

    def _front(
        self,
        objectives: Callable[[Floats], Floats],
        score_at: Callable[[Floats], Floats],
        reference: Floats,
        pending: Floats,
        rng: np.random.Generator,
    ) -> tuple[Floats, Floats]:
        """Return the Pareto front of what is not taken, (p, d), and designs beside it, (q, d)."""
        space, config, taken = self.space, self.config, self.taken(pending)
        grid = space.grid()
        if grid is not None:
            candidates = without(space, grid, taken)
            on_front = pareto_mask(objectives(candidates)) if len(candidates) else np.zeros(0, dtype=bool)
            return candidates[on_front], candidates[~on_front]
        seed = int(rng.integers(2**31))
        front, _ = pareto_front_nsga2(space, objectives, seed, config.population, config.generations)
        if config.refinements:
            start = np.vstack([front, reference])
            front = refine_front(space, start, objectives, score_at, config.refinements, rng)
        if self.repeats:
            front = np.vstack([front, measured(space, self.surrogates)])
            front = front[pareto_mask(objectives(front))]
        return without(space, front, taken), without(space, reference, taken)


class CPMES:
    """The search with a memory: `ask` for designs, `tell` their results.

    >>> from contract_wrapper.bo.space import contract_space
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
        self.space, self.seed, self.config = space, check_seed(seed, "CPMES"), check_config(config)
        self.history = History.empty(space, constraints, participation=participation, binary=tuple(binary))
        self.pending: list[Design] = []

    def ask(self, number: int = 1) -> list[Suggestion]:
        """Suggest designs, and keep them as pending until they are told.

        Raises:
            SpaceExhausted: nothing is left to suggest.
            ContractsError: the number is none from 1 to `LARGEST_BATCH`.
        """
        picks = ask(self.space, self.history, self.pending, number, seed=self.seed, config=self.config)
        self.pending = [*self.pending, *(suggestion.design for suggestion in picks)]
        return picks

    def tell(
        self,
        design: Sequence[float],
        objective: float,
        margins: Sequence[float] = (),
        *,
        objective_se: float = 0.0,
        margins_se: Sequence[float] | None = None,
    ) -> None:
        """Add a result, asked for or not; a result that is refused changes nothing.

        Raises:
            ContractsError: as in `History.add`, or the design is outside the space's bounds. (A result from elsewhere,
                such as that without a contract, may stand in a `History`, which `ask` takes.)
        """
        history = self.history.add(design, objective, margins, objective_se=objective_se, margins_se=margins_se)
        self.space.check_bounds(design)
        self.pending, self.history = self._without(design), history

    def tell_failed(self, design: Sequence[float]) -> None:
        """Add a failure, asked for or not: the design is neither fitted nor proposed again.

        Raises:
            ContractsError: the design is none, as in `tell`; then nothing changes.
        """
        history = self.history.add_failed(design)
        self.space.check_bounds(design)
        self.pending, self.history = self._without(design), history

    def _without(self, design: Sequence[float]) -> list[Design]:
        """Return the pending designs without one of them, if it is among them."""
        (key,) = self.space.keys([design])
        keys = self.space.keys(self.pending) if self.pending else []
        return [d for i, d in enumerate(self.pending) if key not in keys or i != keys.index(key)]
