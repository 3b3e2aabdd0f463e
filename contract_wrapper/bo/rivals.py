"""Rival rules, for comparison: the same `ask`, surrogates, batches and pending designs as cPMES.

Sources: Gardner et al. 2014 (cEI); Perrone et al. 2019, arXiv 1910.07003 (cMES); Takeno et al. 2022,
arXiv 2102.09788 (CMES-IBO); Lyu et al. 2018 and Zhang et al. 2022, arXiv 2106.15412 (MACE, with constraints).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo import acquisition
from contract_wrapper.bo.ask import Ask, Rule, Score, SurrogateRule, ask_with, believable, fill, ranked
from contract_wrapper.bo.candidates.pareto import pareto_front_grid, pareto_front_nsga2
from contract_wrapper.bo.candidates.sampling import without
from contract_wrapper.bo.scores import information
from contract_wrapper.bo.suggestion import Suggestion
from contract_wrapper.bo.surrogates import SurrogateSet, best_so_far

Floats = npt.NDArray[np.float64]

_N_PATHS = 32  # as many draws of f* as cPMES takes
_MACE_DELTA = 0.05  # Lyu et al. 2018, section 3
_RANDOM_DRAWS = 64  # in a space that is not enumerated, where nearly all are new


class RandomSearch(Rule):
    """New designs at random; nothing is predicted."""

    def step(self, pending: Floats, t: int, rng: np.random.Generator) -> Iterator[Suggestion]:
        """Yield one design that is not taken."""
        grid = self.space.grid()
        pool = self.space.sample(rng, _RANDOM_DRAWS) if grid is None else grid
        candidates = without(self.space, pool, self.taken(pending))
        if len(candidates):
            yield Suggestion.unpredicted(self.space.as_design(candidates[rng.integers(len(candidates))]))


class ScoreRule(SurrogateRule):
    """The design with the highest score of all; pending designs and earlier picks are believed (kriging believer)."""

    @abstractmethod
    def score(self, believed: SurrogateSet, incumbent: float | None, rng: np.random.Generator) -> Score:
        """Return the score of one step; the incumbent is the best feasible value, as of `best_so_far`."""

    def step(self, pending: Floats, t: int, rng: np.random.Generator) -> Iterator[Suggestion]:
        """Yield designs with falling scores: all of a grid, else those that a search closed in on."""
        space, history = self.space, self.history
        unit_pending = believable(space, pending)
        believed = self.surrogates.believe(unit_pending)
        score = self.score(believed, best_so_far(space, history, believed, unit_pending), rng)
        yield from self.best_scored(believed, score, pending, rng)


class ConstrainedEI(ScoreRule):
    """Constrained expected improvement (Gardner et al. 2014, eq. 7), in logarithms.

    While no result is feasible, the probability of feasibility alone. A pending design that is believed
    feasible counts for the best so far.
    """

    def score(self, believed: SurrogateSet, incumbent: float | None, rng: np.random.Generator) -> Score:
        """Return log EI + log Pr(all margins >= 0)."""
        return lambda mean, sd: acquisition.log_constrained_improvement(mean, sd, incumbent)


class ConstrainedMES(ScoreRule):
    """Constrained max-value entropy search over all designs (Perrone et al. 2019), without a front.

    While no draw holds anything feasible, the bound of `ConstrainedMESBound` is taken.
    """

    kind: ClassVar[Literal["cmes", "ibo"]] = "cmes"

    def score(self, believed: SurrogateSet, incumbent: float | None, rng: np.random.Generator) -> Score:
        """Return the information about draws of f*, as in steps 1 and 4 of cPMES."""
        reference = self.reference(believed, incumbent, rng)
        paths = self.surrogates.posterior_paths(self.space.to_unit(reference), _N_PATHS, rng)
        best = acquisition.best_values(paths)
        return lambda mean, sd: information(mean, sd, best, self.history, self.kind)


class ConstrainedMESBound(ConstrainedMES):
    """The lower bound of that information over all designs (CMES-IBO, Takeno et al. 2022)."""

    kind = "ibo"


class MACE(SurrogateRule):
    """Random picks from the front of several acquisition functions (Zhang et al. 2022), in two stages.

    Until a result is feasible there are three objectives, all about constraints; then UCB, log EI
    and log PI join them. A batch comes from one front; pending designs are believed.
    """

    @property
    def at_once(self) -> bool:
        """A batch comes from one front."""
        return True

    def step(self, pending: Floats, t: int, rng: np.random.Generator) -> Iterator[Suggestion]:
        """Yield the front in random order."""
        space, history = self.space, self.history
        unit_pending = believable(space, pending)
        believed = self.surrogates.believe(unit_pending)
        incumbent = best_so_far(space, history, self.surrogates, unit_pending) if history.feasible().any() else None

        def objectives(designs: Floats) -> Floats:
            return _mace_objectives(*believed.predict(space.to_unit(designs)), incumbent, t, len(space))

        taken, grid = self.taken(pending), space.grid()
        if grid is None:
            front = without(space, pareto_front_nsga2(space, objectives, int(rng.integers(2**31)))[0], taken)
        else:
            candidates = without(space, grid, taken)
            front = pareto_front_grid(candidates, objectives)[0] if len(candidates) else candidates
        if len(front):
            mean, sd = believed.predict(space.to_unit(front))
            unscored = np.full(len(front), math.nan)
            order = rng.permutation(len(front))
            yield from ranked(space, front, mean, sd, unscored, order, front_size=len(front), on_front=True)
        elif grid is None:
            yield from fill(space, history, pending)


def _mace_objectives(mean: Floats, sd: Floats, best: float | None, t: int, d: int) -> Floats:
    """Objectives of MACE, to be maximised: (q, 3) while there is no feasible result, else (q, 6).

    Zhang et al. 2022 with margins in place of their g = -margin <= 0, and logarithms in place of
    PF, EI and PI: the same front, no underflow. The bound's weight is that of Lyu et al. 2018.
    """
    short, lacking = np.maximum(0.0, -mean[1:]), np.maximum(0.0, -mean[1:] / sd[1:])
    columns = [acquisition.log_probability_feasible(mean[1:], sd[1:]), -short.sum(axis=0), -lacking.sum(axis=0)]
    if best is not None:
        weight = (d / 2 + 2) * math.log(t) + math.log(math.pi**2 / (3 * _MACE_DELTA))
        columns += [
            acquisition.ucb(mean[0], sd[0], weight),
            acquisition.log_expected_improvement(mean[0], sd[0], best),
            acquisition.log_probability_feasible(mean[:1] - best, sd[:1]),
        ]
    return np.stack(columns, axis=1)


random_search = ask_with(RandomSearch.prepare)
cei = ask_with(ConstrainedEI.prepare)
cmes = ask_with(ConstrainedMES.prepare)
cmes_ibo = ask_with(ConstrainedMESBound.prepare)
mace = ask_with(MACE.prepare)

RIVALS: dict[str, Ask] = {
    "random": random_search,
    "cEI": cei,
    "cMES": cmes,
    "CMES-IBO": cmes_ibo,
    "MACE": mace,
}
"""Name in tables -> ask."""
