"""What every `ask` does around its rule: draws of its own per trial, batches, designs that are known, filling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo import acquisition
from contract_wrapper.bo.blas_threads import one_thread
from contract_wrapper.bo.history import History
from contract_wrapper.bo.sampling import farthest
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.bo.suggestion import SpaceExhausted, Suggestion
from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]
Designs = Sequence[Sequence[float]] | Floats
Step = Callable[[Floats, int, np.random.Generator], list[Suggestion]]
"""Pending designs (w, d), t >= 1 and a generator -> candidates, best first; none where nothing is left."""


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


def ask_by(
    step: Step,
    space: DesignSpace,
    history: History,
    pending: Designs,
    number: int,
    *,
    seed: int,
    trial: int | None,
    at_once: bool = False,
) -> list[Suggestion]:
    """Suggest designs by any rule: `ask` with a step of one's own.

    Each pick waits among the pending designs of the next step; with `at_once` one step gives all.

    Raises:
        SpaceExhausted: the step finds nothing left to suggest.
    """
    if number < 1:
        raise ContractsError(f"ask needs number >= 1, but came {number}")
    waiting = np.asarray(pending, dtype=float).reshape(-1, len(space))
    trial = len(history) + len(history.failed) + len(waiting) if trial is None else trial
    picks: list[Suggestion] = []
    with one_thread():
        while len(picks) < number:
            now = trial + len(picks)
            ranked = step(waiting, now + 1, np.random.default_rng(np.random.SeedSequence([seed, now])))
            if not ranked:
                break
            new = ranked[: number - len(picks)] if at_once else ranked[:1]
            picks += new
            waiting = np.vstack([waiting, [suggestion.design for suggestion in new]])
    if not picks:
        raise SpaceExhausted(
            f"all designs of the space {space.names} are evaluated, failed or pending: take the best of the "
            "history, or search a larger space or a finer grid"
        )
    return picks


def ask_with(begin: Callable[[DesignSpace, History], tuple[Step, bool]]) -> Ask:
    """Make an `ask` of a rule: space and results -> its step, and whether one step gives a whole batch."""

    def ask(
        space: DesignSpace,
        history: History,
        pending: Designs = (),
        number: int = 1,
        *,
        seed: int,
        trial: int | None = None,
    ) -> list[Suggestion]:
        step, at_once = begin(space, history)
        return ask_by(step, space, history, pending, number, seed=seed, trial=trial, at_once=at_once)

    return ask


def suggestions(
    space: DesignSpace,
    designs: Floats,
    mean: Floats,
    sd: Floats,
    score: Floats,
    order: npt.NDArray[np.intp],
    *,
    front_size: int = 0,
    on_front: bool = False,
) -> list[Suggestion]:
    """Designs (q, d) with what is predicted there, mean and sd (outputs, q), and scores (q,), in an order."""
    feasible = np.exp(acquisition.log_probability_feasible(mean[1:], sd[1:]))
    return [
        Suggestion(
            design=space.as_design(designs[i]),
            objective_mean=float(mean[0, i]),
            objective_sd=float(sd[0, i]),
            probability_feasible=float(feasible[i]),
            score=float(score[i]),
            front_size=front_size,
            on_front=on_front,
        )
        for i in order
    ]


def all_known(space: DesignSpace, history: History, waiting: Floats) -> Floats:
    """Every design that is not to be proposed, (k, d): evaluated, failed or pending (w, d)."""
    return np.vstack([history.designs, history.failed.reshape(-1, len(space)), waiting])


def fill(space: DesignSpace, history: History, waiting: Floats) -> list[Suggestion]:
    """Suggest the design farthest from all known ones; nothing is predicted."""
    found = farthest(space, all_known(space, history, waiting))
    if found is None:
        return []
    return [Suggestion.unpredicted(*found)]
