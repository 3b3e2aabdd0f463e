"""A mean with its standard error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over episodes, with its standard error; both per episode, mostly in apples."""

    mean: float
    se: float = 0.0

    @classmethod
    def of(cls, samples: Any) -> Estimate:
        """Estimate from independent samples, one per episode."""
        values = np.asarray(samples, dtype=np.float64)
        spread = float(values.std(ddof=1)) if values.size > 1 else 0.0
        return cls(mean=float(values.mean()), se=spread / math.sqrt(values.size))

    @classmethod
    def mean_of(cls, estimates: Sequence[Estimate]) -> Estimate:
        """Mean of independent estimates; its error is theirs, and not the spread between them.

        >>> Estimate.mean_of([Estimate(mean=1.0, se=3.0), Estimate(mean=5.0, se=4.0)])
        Estimate(mean=3.0, se=2.5)
        """
        n = len(estimates)
        return cls(mean=sum(e.mean for e in estimates) / n, se=math.hypot(*(e.se for e in estimates)) / n)

    def minus(self, other: Estimate) -> Estimate:
        """Difference of two independent estimates."""
        return Estimate(mean=self.mean - other.mean, se=math.hypot(self.se, other.se))

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.se:.2f}"
