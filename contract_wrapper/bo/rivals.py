"""Other ways to choose the next design, for comparison: the same `ask` with another step.

Sources: Gardner et al. 2014 (cEI); Perrone et al. 2019, arXiv 1910.07003 (cMES); Takeno et al. 2022,
arXiv 2102.09788 (CMES-IBO); Lyu et al. 2018 and Zhang et al. 2022, arXiv 2106.15412 (MACE, with constraints).
Surrogates, batches and pending designs are those of `cpmes`; what is measured is the rule alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo import acquisition
from contract_wrapper.bo.ask import Ask, Step, all_known, ask_with, fill, suggestions
from contract_wrapper.bo.blas_threads import one_thread
from contract_wrapper.bo.cpmes import information
from contract_wrapper.bo.history import History
from contract_wrapper.bo.inner_search import dense_near_best, maximise
from contract_wrapper.bo.pareto import pareto_front_grid, pareto_front_nsga2
from contract_wrapper.bo.sampling import without
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.bo.suggestion import Suggestion
from contract_wrapper.bo.surrogates import SurrogateSet, best_so_far, fit

Floats = npt.NDArray[np.float64]
Score = Callable[[Floats, Floats], Floats]
"""Means and standard deviations of all outputs, two arrays (1 + m, q) -> what a design is worth, (q,)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """What a rule sees."""

    space: DesignSpace
    history: History
    measured: SurrogateSet
    """Fitted to the results."""
    believed: SurrogateSet
    """The same with belief in what is pending."""
    held: Floats
    """Pending designs in the unit cube, (w, d)."""
    rng: np.random.Generator

    @property
    def incumbent(self) -> float | None:
        """Best feasible result, or belief about a pending design."""
        return best_so_far(self.history, self.believed, self.held)


Rule = Callable[[State], Score]
_N_PATHS = 32  # as many draws of f* as cPMES takes
_MACE_DELTA = 0.05  # Lyu et al. 2018, section 3


def _by_chance(space: DesignSpace, history: History) -> tuple[Step, bool]:
    def step(waiting: Floats, t: int, rng: np.random.Generator) -> list[Suggestion]:
        grid = space.grid()
        pool = space.sample(rng, 64) if grid is None else grid  # in a large space one of 64 is new
        candidates = without(space, pool, all_known(space, history, waiting))
        if not len(candidates):
            return []
        design = space.as_design(candidates[rng.integers(len(candidates))])
        return [Suggestion.unpredicted(design)]

    return step, False


random_search = ask_with(_by_chance)
"""New designs by chance; nothing is predicted."""


def _scored(rule: Rule) -> Ask:
    """An ask for the design with the highest score; pending designs and earlier picks are believed."""

    def begin(space: DesignSpace, history: History) -> tuple[Step, bool]:
        with one_thread():
            surrogates = fit(space, history)

        def step(waiting: Floats, t: int, rng: np.random.Generator) -> list[Suggestion]:
            if surrogates is None:
                return fill(space, history, waiting)
            held = space.to_unit(waiting)
            believed = surrogates.believe(held)
            score = rule(
                State(space=space, history=history, measured=surrogates, believed=believed, held=held, rng=rng)
            )

            def worth(designs: Floats) -> Floats:
                return score(*believed.predict(space.to_unit(designs)))

            found = maximise(space, worth, history.designs, rng)
            designs = without(space, found, all_known(space, history, waiting))
            if not len(designs):
                return []
            mean, sd = believed.predict(space.to_unit(designs))
            values = score(mean, sd)
            return suggestions(space, designs, mean, sd, values, np.argsort(-values, kind="stable"))

        return step, False

    return ask_with(begin)


def _improvement(state: State) -> Score:
    best = state.incumbent
    return lambda mean, sd: acquisition.log_constrained_improvement(mean, sd, best)


def _information(kind: Literal["cmes", "ibo"]) -> Rule:
    def rule(state: State) -> Score:
        space, promise = state.space, _improvement(state)
        reference = dense_near_best(
            space, lambda x: promise(*state.believed.predict(space.to_unit(x))), state.history.designs, state.rng
        )
        paths = state.measured.posterior_paths(space.to_unit(reference), _N_PATHS, state.rng)
        best = acquisition.best_values(paths)
        return lambda mean, sd: information(mean, sd, best, state.history, kind)

    return rule


cei = _scored(_improvement)
"""Constrained expected improvement (Gardner et al. 2014, eq. 7), in logarithms.

While no result is feasible, the probability of feasibility alone. A pending design that is believed
feasible counts for the best so far.
"""

cmes = _scored(_information("cmes"))
"""Constrained max-value entropy search over all designs (Perrone et al. 2019), without a front.

While no draw holds anything feasible, the bound of `cmes_ibo` is taken.
"""

cmes_ibo = _scored(_information("ibo"))
"""The information lower bound of Takeno et al. 2022 over all designs."""


def _ensemble(space: DesignSpace, history: History) -> tuple[Step, bool]:
    with one_thread():
        surrogates = fit(space, history)

    def step(waiting: Floats, t: int, rng: np.random.Generator) -> list[Suggestion]:
        if surrogates is None:
            return fill(space, history, waiting)
        believed = surrogates.believe(space.to_unit(waiting))
        best = best_so_far(history, surrogates, space.to_unit(waiting)) if history.feasible().any() else None

        def objectives(designs: Floats) -> Floats:
            return _mace_objectives(*believed.predict(space.to_unit(designs)), best, t, len(space))

        known, grid = all_known(space, history, waiting), space.grid()
        if grid is None:
            front, _ = pareto_front_nsga2(space, objectives, int(rng.integers(2**31)))
            front = without(space, front, known)
        else:
            candidates = without(space, grid, known)
            front = pareto_front_grid(candidates, objectives)[0] if len(candidates) else candidates
        if not len(front):
            return [] if grid is not None else fill(space, history, waiting)
        mean, sd = believed.predict(space.to_unit(front))
        chance = np.full(len(front), math.nan)
        order = rng.permutation(len(front))
        return suggestions(space, front, mean, sd, chance, order, front_size=len(front), on_front=True)

    return step, surrogates is not None


mace = ask_with(_ensemble)
"""Random picks from the front of several acquisition functions (Zhang et al. 2022), in two stages.

Until a result is feasible there are three objectives, all about constraints; then UCB, log EI
and log PI join them. A batch comes from one front; pending designs are believed.
"""


RIVALS: dict[str, Ask] = {
    "random": random_search,
    "cEI": cei,
    "cMES": cmes,
    "CMES-IBO": cmes_ibo,
    "MACE": mace,
}
"""Name in tables -> ask."""


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
