"""The `ask` of any rule: batches, pending designs, a generator of its own for every trial, space-filling, exhaustion.

A `Rule` says which design comes next once the results are seen; everything around it is the same for
all rules, so that a comparison measures the rule alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo import acquisition
from contract_wrapper.bo.candidates.inner_search import dense_near_best, maximise
from contract_wrapper.bo.candidates.sampling import farthest, without
from contract_wrapper.bo.candidates.trust_region import Box
from contract_wrapper.bo.gp.blas_threads import one_thread
from contract_wrapper.bo.history import History
from contract_wrapper.bo.numbers_in import as_numbers, check_count, check_seed
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.bo.suggestion import LARGEST_BATCH, SpaceExhausted, Suggestion
from contract_wrapper.bo.surrogates import SurrogateSet, fit
from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]
Designs = Sequence[Sequence[float]] | Floats
Score = Callable[[Floats, Floats], Floats]
"""Means and standard deviations of all outputs, two arrays (1 + m, q) -> score to be maximised, (q,)."""

MOST_PENDING = 10_000
"""Largest number of pending designs."""

MOST_BELIEVED = 200
"""The surrogates are conditioned on the last of the pending designs, this many; none of the others is proposed."""


class Ask(Protocol):
    """The signature that every optimiser here has: equal arguments give equal suggestions."""

    def __call__(
        self,
        space: DesignSpace,
        history: History,
        pending: Designs = (),
        number: int = 1,
        *,
        seed: int,
        trial: int | None = None,
    ) -> list[Suggestion]:
        """Suggest the next designs; arguments, batches and errors as in `cpmes.ask`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule(ABC):
    """How the next design is chosen, given the results so far."""

    space: DesignSpace
    history: History

    @classmethod
    def prepare(cls, space: DesignSpace, history: History) -> Self | None:
        """Make the rule for these results; None while they say nothing of where to look, and the space is filled."""
        return cls(space=space, history=history)

    @abstractmethod
    def step(self, pending: Floats, t: int, rng: np.random.Generator) -> Iterator[Suggestion]:
        """Yield candidates, best first, built as they are taken; none where no design is left.

        Args:
            pending: designs under evaluation, and earlier picks of the same batch, (p, d).
            t: number of the trial, from 1.
            rng: of this trial alone.
        """

    @property
    def at_once(self) -> bool:
        """Whether a batch is the best of one step; if not, each pick is pending in the next step."""
        return False

    @property
    def repeats(self) -> bool:
        """Whether an evaluated design may be proposed again; by default never."""
        return False

    def taken(self, pending: Floats) -> Floats:
        """Return every design that is not to be proposed, (k, d): failed, pending (p, d), and evaluated unless it `repeats`."""
        return taken(self.history, pending, repeats=self.repeats)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurrogateRule(Rule):
    """A rule that predicts: it has surrogates of all outputs, fitted once to the results."""

    surrogates: SurrogateSet

    @classmethod
    def prepare(cls, space: DesignSpace, history: History) -> Self | None:
        """Fit the surrogates; None where there are too few results, or none that differ."""
        surrogates = fit(space, history)
        return None if surrogates is None else cls(space=space, history=history, surrogates=surrogates)

    @property
    def repeats(self) -> bool:
        """Where results are noisy."""
        return self.history.is_noisy

    def reference(self, believed: SurrogateSet, incumbent: float | None, rng: np.random.Generator) -> Floats:
        """Return designs (q, d) that stand for the space, the denser the larger the constrained improvement is."""

        def improvement(designs: Floats) -> Floats:
            prediction = believed.predict(self.space.to_unit(designs))
            return acquisition.log_constrained_improvement(*prediction, incumbent)

        return dense_near_best(self.space, improvement, self.surrogates.designs, rng)

    def best_scored(
        self,
        believed: SurrogateSet,
        score: Score,
        pending: Floats,
        rng: np.random.Generator,
        within: Box | None = None,
    ) -> Iterator[Suggestion]:
        """Yield designs that are not taken, with falling scores: all of a grid, else those that a search closed in on."""
        space = self.space

        def score_at(designs: Floats) -> Floats:
            return score(*believed.predict(space.to_unit(designs)))

        found = maximise(space, score_at, self.surrogates.designs, rng, within)
        designs = without(space, found, self.taken(pending))
        if not len(designs):
            return
        mean, sd = believed.predict(space.to_unit(designs))
        scores = score(mean, sd)
        yield from ranked(space, designs, mean, sd, scores, np.argsort(-scores, kind="stable"))


Prepare = Callable[[DesignSpace, History], Rule | None]
"""Space and results -> the rule that chooses, as `Rule.prepare`."""


def ask_by(
    prepare: Prepare,
    space: DesignSpace,
    history: History,
    pending: Designs,
    number: int,
    *,
    seed: int,
    trial: int | None,
) -> list[Suggestion]:
    """Suggest designs by any rule; the other arguments are those of `cpmes.ask`.

    Raises:
        SpaceExhausted: no design is left to suggest.
        ContractsError: an argument is outside the limits above.
    """
    number = check_count(number, "number of suggestions", 1, LARGEST_BATCH)
    seed = check_seed(seed, "ask")
    designs = as_numbers(pending if len(pending) else np.empty((0, len(space))), "pending designs", ("p", len(space)))
    if len(designs) > MOST_PENDING:
        raise ContractsError(
            f"at most {MOST_PENDING} designs may be pending, but got {len(designs)}: tell the old ones"
        )
    known = len(history) + len(history.failed) + len(designs)
    first = known if trial is None else check_count(trial, "trial", 0, 2**53)
    picks: list[Suggestion] = []
    history = history.distinct()  # a constraint that is told twice holds or fails once
    history = replace(history, noisy=history.is_noisy)  # found once
    with one_thread():
        rule = prepare(space, history)
        if rule is None:
            picks = list(islice(fill(space, history, designs), number))
        while rule is not None and (left := number - len(picks)) > 0:
            now = first + len(picks)
            rng = np.random.default_rng(np.random.SeedSequence([seed, now]))
            chosen = list(islice(rule.step(designs, now + 1, rng), left if rule.at_once else 1))
            if not chosen:
                break
            picks += chosen
            designs = np.vstack([designs, [suggestion.design for suggestion in chosen]])
    if not picks:
        raise SpaceExhausted(
            f"all designs of the space {space.names} are evaluated, failed or pending: take the best of the "
            "history, or search a larger space or a finer grid"
        )
    return picks


def ask_with(prepare: Prepare) -> Ask:
    """Make an `ask` of a rule."""

    def ask(
        space: DesignSpace,
        history: History,
        pending: Designs = (),
        number: int = 1,
        *,
        seed: int,
        trial: int | None = None,
    ) -> list[Suggestion]:
        return ask_by(prepare, space, history, pending, number, seed=seed, trial=trial)

    return ask


def ranked(
    space: DesignSpace,
    designs: Floats,
    mean: Floats,
    sd: Floats,
    score: Floats,
    order: npt.NDArray[np.intp],
    *,
    front_size: int = 0,
    on_front: bool = False,
) -> Iterator[Suggestion]:
    """Yield designs (q, d) in an order, with what is predicted there, mean and sd (outputs, q), and scores (q,)."""
    feasible = np.exp(acquisition.log_probability_feasible(mean[1:], sd[1:]))
    for i in order:
        yield Suggestion(
            design=space.as_design(designs[i]),
            objective_mean=float(mean[0, i]),
            objective_sd=float(sd[0, i]),
            probability_feasible=float(feasible[i]),
            score=float(score[i]),
            front_size=front_size,
            on_front=on_front,
        )


def taken(history: History, pending: Floats, *, repeats: bool = False) -> Floats:
    """Return every design that is not to be proposed, (k, d): failed, pending (p, d), and evaluated unless `repeats`."""
    return np.vstack([*([] if repeats else [history.designs]), history.failed, pending])


def fill(space: DesignSpace, history: History, pending: Floats) -> Iterator[Suggestion]:
    """Yield the points of a space-filling design, each farthest from all taken and earlier ones; nothing is predicted."""
    for design, distance in farthest(space, taken(history, pending)):
        yield Suggestion.unpredicted(design, distance)


def believable(space: DesignSpace, pending: Floats) -> Floats:
    """Return in the unit cube the pending designs (p, d) that surrogates are conditioned on: the last `MOST_BELIEVED`."""
    return space.to_unit(pending[-MOST_BELIEVED:])
