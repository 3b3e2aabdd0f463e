"""SynthCleanup: a made-up Clean-up of one formula, because the contract paper's own instance was never published.

Harvesters' returns rise with the number of cleaners and fall with the tax, under a smooth noise that
is the same for everybody by half. All 404 contracts can be evaluated, so the best one is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.space import Design, contract_space
from optimiser_bench.problem import Problem

Floats = npt.NDArray[np.float64]

HARVESTERS = 5
MAX_CLEANERS = 3
HARVEST_COST, CLEAN_COST = 40, 120
_SPREAD, _LENGTH = 0.18, 0.04  # of the noise in log returns, and its length over the tax


@dataclass(frozen=True)
class SynthCleanup:
    """One instance; all arrays have the axes (cleaners 0..3, tax 0.00..1.00)."""

    seed: int

    @cached_property
    def returns(self) -> Floats:
        """Gross return R_j of each harvester, (5, 4, 101), integers."""
        rng = np.random.default_rng(self.seed)
        tax, cleaners = np.linspace(0, 1, 101), np.arange(MAX_CLEANERS + 1)
        base = rng.integers(500, 750, HARVESTERS, endpoint=True)[:, None, None]
        crew = 1 + 0.8 * (1 - np.exp(-cleaners / 1.3)) / (1 - np.exp(-MAX_CLEANERS / 1.3))
        mean = base * crew[:, None] * (1 - tax**1.2)
        gaps = tax[:, None] - tax
        values, vectors = np.linalg.eigh(np.exp(-0.5 * (gaps / _LENGTH) ** 2))
        root = vectors * np.sqrt(np.maximum(values, 0))
        draws = rng.standard_normal((1 + HARVESTERS, MAX_CLEANERS, len(tax))) @ root.T
        z = _SPREAD * np.sqrt(0.5) * (draws[:1] + draws[1:])
        noisy = np.maximum(0.0, mean[:, 1:] * np.exp(z - _SPREAD**2 / 2))
        return np.asarray(np.rint(np.concatenate([mean[:, :1], noisy], axis=1)))

    @property
    def baseline(self) -> Floats:
        """What each harvester keeps without a contract, (5,)."""
        return np.asarray(self.returns[:, 0, 0] - HARVEST_COST)

    @cached_property
    def welfare(self) -> Floats:
        """G, (4, 101)."""
        costs = HARVESTERS * HARVEST_COST + CLEAN_COST * np.arange(MAX_CLEANERS + 1)
        return np.asarray(self.returns.sum(axis=0) - costs[:, None])

    @cached_property
    def harvesters(self) -> Floats:
        """IR_j, what each harvester gains by the contract, (5, 4, 101)."""
        kept = (1 - np.linspace(0, 1, 101)) * self.returns - HARVEST_COST
        return np.asarray(kept - self.baseline[:, None, None])

    @cached_property
    def slack(self) -> Floats:
        """What each cleaner has left of its pay, (4, 101); 0 where there is none."""
        tax, cleaners = np.linspace(0, 1, 101), np.arange(1, MAX_CLEANERS + 1)[:, None]
        pay = tax / cleaners * self.returns.sum(axis=0)[1:] - CLEAN_COST
        return np.vstack([np.zeros_like(pay[:1]), pay])

    @cached_property
    def feasible(self) -> npt.NDArray[np.bool_]:
        """Which contracts everybody accepts, (4, 101)."""
        return np.asarray((self.harvesters >= 0).all(axis=0) & (self.slack >= 0))

    @property
    def best(self) -> tuple[int, int]:
        """(cleaners, hundredths of tax) of the best contract that everybody accepts."""
        cleaners, tax = np.unravel_index(np.argmax(np.where(self.feasible, self.welfare, -np.inf)), self.welfare.shape)
        return int(cleaners), int(tax)

    def problem(self, *, slack: bool = False) -> Problem:
        """Return it as optimisers see it: the cleaners' acceptance as 0 or 1, or as their slack."""

        def evaluate(design: Design) -> tuple[float, list[float]]:
            place = int(design[1]), round(100 * design[0])
            accepted = self.slack[place] if slack else float(self.slack[place] >= 0)
            return float(self.welfare[place]), [*map(float, self.harvesters[(slice(None), *place)]), float(accepted)]

        return Problem(
            name=f"cleanup{'-slack' if slack else ''}-{self.seed}",
            space=contract_space(MAX_CLEANERS, min_cleaners=0),
            constraints=(*(f"harvester_{j}" for j in range(HARVESTERS)), "cleaners"),
            evaluate=evaluate,
            best=float(self.welfare[self.best]),
            worst=0.0,  # nothing feasible seen: the regret is the best welfare itself
            participation=HARVESTERS,
            binary=() if slack else (HARVESTERS,),
        )
