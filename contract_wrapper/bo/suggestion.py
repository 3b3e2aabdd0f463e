"""The answer of a search: a design to try, or that none is left."""

from __future__ import annotations

import math
from dataclasses import dataclass

from contract_wrapper.bo.space import Design

LARGEST_BATCH = 1000
"""Largest number of suggestions of one ask."""


class SpaceExhausted(Exception):
    """Every design of a finite space is evaluated, failed or pending: there is nothing left to ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A design to try, and why."""

    design: Design
    """Python numbers in the order of the space's dimensions; of a choice its place (`DesignSpace.named`)."""
    objective_mean: float
    """Predicted objective; NaN while the space is only being filled."""
    objective_sd: float
    """Standard deviation of the prediction."""
    probability_feasible: float
    """Pr(every constraint holds)."""
    score: float
    """Information in nats about the constrained best value, by default weighted by gains; in a box the logarithm of the
    constrained expected improvement; distance to the nearest taken design while filling. Another rule's own score; NaN
    where the choice is random."""
    front_size: int = 0
    """Number of candidates on the Pareto front; 0 while filling, and for rules without a front."""
    on_front: bool = False
    """Whether the design is one of them (a batch may need more than the front has)."""
    again: bool = False
    """Whether it is measured and may be the best, so that it is measured again; the score is the probability of that."""

    @classmethod
    def unpredicted(cls, design: Design, score: float = math.nan) -> Suggestion:
        """Suggest a design of which nothing is predicted."""
        return cls(
            design=design,
            objective_mean=math.nan,
            objective_sd=math.nan,
            probability_feasible=math.nan,
            score=score,
        )

    def why(self, design: object = None) -> str:
        """One line for a log; `design` is written in place of the design, such as one with names of choices."""
        named = self.design if design is None else design
        if math.isnan(self.objective_mean):
            if math.isnan(self.score):
                return f"{named}: drawn at random"
            where = (
                "nearest to the middle" if math.isinf(self.score) else f"{self.score:.2f} from the nearest other design"
            )
            return f"{named}: space-filling, {where}"
        if self.again:
            return (
                f"{named}: measured again, as it may be the best (probability {self.score:.2f}): objective "
                f"{self.objective_mean:.4g} +- {self.objective_sd:.2g}"
            )
        place = f", {'one of' if self.on_front else 'beside the'} {self.front_size} on the front"
        return (
            f"{named}: objective {self.objective_mean:.4g} +- {self.objective_sd:.2g}, feasible with "
            f"probability {self.probability_feasible:.2f}, score {self.score:.3g}{place if self.front_size else ''}"
        )
