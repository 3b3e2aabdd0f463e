"""What training under a contract gave: welfare, utilities, margins, each with its standard error.

Source: Molina Concha et al. 2024, eqs. 4 to 6. Margins are at least 0 when good, everywhere.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError

PARTICIPATION = "participation"
"""Name of the recruited agents' margin: worst recruited agent's utility above c_min (eqs. 5, 6)."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that one evaluation of a contract tells, in apples per episode."""

    contract: Contract
    """What was evaluated."""

    welfare: Estimate
    """G = E[sum of (reward - cost) over all agents], the principal's objective."""

    utilities: Mapping[str, Estimate]
    """E[u_i] by agent name."""

    harvest: Estimate
    """Apples eaten by all agents."""

    cleaned: Estimate
    """Waste cells cleaned by all agents."""

    shots: Estimate
    """Shots of all agents."""

    waste_curve: tuple[float, ...] = ()
    """Mean waste cells after each step."""

    training_curve: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """`episode` and, per type, its agents' utility per episode while training."""

    seed: int = 0
    """Seed of training and evaluation."""

    episodes: int = 0
    """Episodes over which the means were taken."""

    cpu_seconds: float = 0.0
    """CPU time of training and evaluation."""

    wall_seconds: float = 0.0
    """Elapsed time of training and evaluation."""

    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of what determined the result."""

    policy: str = ""
    """File name of the learned policy, if it was kept."""

    def of_role(self, role: str) -> dict[str, Estimate]:
        """Utilities of the agents of a role."""
        return {a: u for a, u in self.utilities.items() if a.rpartition("_")[0] == role}

    @property
    def worst_harvester(self) -> Estimate:
        """Utility of the harvester with the least."""
        return min(self.of_role("harvester").values(), key=lambda u: u.mean)

    @property
    def worst_cleaner(self) -> Estimate | None:
        """Utility of the cleaner with the least, None without cleaners."""
        return min(self.of_role("cleaner").values(), key=lambda u: u.mean, default=None)

    def margins(self, baseline: Outcome, c_min: float = 0.0) -> dict[str, Estimate]:
        """Individual rationality, >= 0 good: one margin per harvester, and `participation`.

        Harvester j: E[u_j | contract] - E[u_j | baseline] (eq. 4). Participation: the worst
        recruited agent's E[u_k] - c_min (eqs. 5, 6); without recruits it is 0 exactly.
        The baseline's own margins are 0 exactly.

        Raises:
            ContractsError: the baseline has other harvesters, or the outcome has no cleaner's utility.
        """
        if self.contract.is_none:
            return {
                **dict.fromkeys(self.of_role("harvester"), Estimate(mean=0.0)),
                PARTICIPATION: Estimate(mean=0.0),
            }
        known = baseline.of_role("harvester")
        mine = self.of_role("harvester")
        if set(known) != set(mine):
            raise ContractsError(
                f"the baseline has the harvesters {sorted(known)}, the outcome {sorted(mine)}: "
                "evaluate both with the same game"
            )
        margins = {agent: mine[agent].minus(known[agent]) for agent in mine}
        worst = self.worst_cleaner
        if worst is None:
            raise ContractsError(
                f"the contract recruits {self.contract.n_cleaners} cleaners, but the outcome has no cleaner's utility: "
                "name cleaners 'cleaner_0', 'cleaner_1', ..."
            )
        return {**margins, PARTICIPATION: Estimate(mean=worst.mean - c_min, se=worst.se)}

    def feasible(self, baseline: Outcome, c_min: float = 0.0) -> bool:
        """Whether all agents accept: every margin is at least 0 (eqs. 4 to 6)."""
        return all(margin.mean >= 0.0 for margin in self.margins(baseline, c_min).values())

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            **dataclasses.asdict(self),
            "contract": self.contract.as_dict(),
            "utilities": {agent: dataclasses.asdict(u) for agent, u in self.utilities.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """Read what `to_dict` wrote; raises ContractsError if something is missing or malformed."""
        try:
            values = dict(data)
            values["contract"] = Contract.from_dict(values["contract"])
            values["utilities"] = {agent: Estimate(**u) for agent, u in values["utilities"].items()}
            for name in ("welfare", "harvest", "cleaned", "shots"):
                values[name] = Estimate(**values[name])
            values["waste_curve"] = tuple(values["waste_curve"])
            values["training_curve"] = {k: tuple(v) for k, v in values["training_curve"].items()}
            return cls(**values)
        except (KeyError, TypeError, AttributeError) as error:
            raise ContractsError(
                f"this is no outcome of an evaluation ({error}): evaluate the contract again"
            ) from error


def mean_outcome(outcomes: list[Outcome]) -> Outcome:
    """Average evaluations of one contract over independent trainings (seeds).

    Standard errors then come from the spread between trainings, which includes what learning adds;
    a single outcome is returned as it is.
    """
    first = outcomes[0]
    if len(outcomes) == 1:
        return first

    def across(get: Any) -> Estimate:
        return Estimate.of([get(o).mean for o in outcomes])

    return dataclasses.replace(
        first,
        welfare=across(lambda o: o.welfare),
        utilities={agent: across(lambda o, a=agent: o.utilities[a]) for agent in first.utilities},
        harvest=across(lambda o: o.harvest),
        cleaned=across(lambda o: o.cleaned),
        shots=across(lambda o: o.shots),
        waste_curve=tuple(np.mean([o.waste_curve for o in outcomes], axis=0).tolist()),
        episodes=sum(o.episodes for o in outcomes),
        cpu_seconds=sum(o.cpu_seconds for o in outcomes),
        wall_seconds=sum(o.wall_seconds for o in outcomes),
    )
