"""A mean with its standard error."""

from __future__ import annotations

import math
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

    def minus(self, other: Estimate) -> Estimate:
        """Difference of two independent estimates."""
        return Estimate(mean=self.mean - other.mean, se=math.hypot(self.se, other.se))

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.se:.2f}"
