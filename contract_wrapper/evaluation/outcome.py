"""What training under a contract gave: welfare, utilities, margins, each with its standard error.

Source: Molina Concha et al. 2024, eqs. 4 to 6. Margins are at least 0 when good, everywhere.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from contract_wrapper.contracts.contract import Contract, as_int, as_items
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.participation import (
    PARTICIPATION,
    Acceptance,
    acceptance,
    accepts,
    crew_margin,
    harvester_margins,
)

if TYPE_CHECKING:
    from contract_wrapper.envs.episode_sums import EpisodeSums


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
    """File name of the learned policy, if it was kept: a name alone, beside the outcome. Of an outcome by crews: that
    of the crews of the first training, in `crews/` beside the outcome."""

    by_crew: tuple[float, ...] = ()
    """Welfare by the crews of each training that knows every contract; empty if agents were trained from scratch.

    The means are then over the crews, and the standard errors are those of their episodes alone: trainings are shared
    by all contracts, so that what a training does to all of them alike is no noise of a comparison. What it does to
    one contract more than to another is not in the errors; the spread of `by_crew` tells of both."""

    def __post_init__(self) -> None:
        if not isinstance(self.policy, str) or not _is_file_name(self.policy):
            raise ContractsError(
                f"policy must be a plain file name without folders, or empty, got {shown(self.policy)}"
            )

    def of_role(self, role: str) -> dict[str, Estimate]:
        """Utilities of the agents of a role."""
        return {a: u for a, u in self.utilities.items() if a.rpartition("_")[0] == role}

    @classmethod
    def of_episodes(cls, contract: Contract, sums: EpisodeSums, seed: int, versions: Mapping[str, str]) -> Outcome:
        """What the episodes of a batch of games tell, each game's being one sample."""
        return cls(
            contract=contract,
            welfare=Estimate.of(sums.welfare),
            utilities={agent: Estimate.of(sums.utilities[:, i]) for i, agent in enumerate(sums.game.roles.agents)},
            harvest=Estimate.of(sums.apples.sum(axis=1)),
            cleaned=Estimate.of(sums.cleaned.sum(axis=1)),
            shots=Estimate.of(sums.shots.sum(axis=1)),
            waste_curve=tuple(sums.waste),
            seed=seed,
            episodes=sums.game.n_games,
            versions=versions,
        )

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
        known, mine = baseline.of_role("harvester"), self.of_role("harvester")
        if self.contract.is_none:
            return {**dict.fromkeys(mine, Estimate(mean=0.0)), PARTICIPATION: Estimate(mean=0.0)}
        return {**harvester_margins(mine, known), PARTICIPATION: crew_margin(self.of_role("cleaner"), c_min)}

    def feasible(self, baseline: Outcome, c_min: float = 0.0) -> bool:
        """Whether every margin is at least 0 as measured (eqs. 4 to 6), without a look at the errors."""
        return all(map(accepts, self.margins(baseline, c_min).values()))

    def acceptance(self, baseline: Outcome, c_min: float = 0.0) -> Acceptance:
        """Whether all agents accept beyond two standard errors, somebody refuses beyond them, or it is undecided."""
        return acceptance(self.margins(baseline, c_min).values())

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON; `by_crew` is left out where it is empty, as in files from before there were crews."""
        plain = {
            **dataclasses.asdict(self),
            "contract": self.contract.as_dict(),
            "utilities": {agent: dataclasses.asdict(u) for agent, u in self.utilities.items()},
        }
        return plain if self.by_crew else {name: value for name, value in plain.items() if name != "by_crew"}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """Read what `to_dict` wrote, and check it: what is read was perhaps not written by this program.

        Raises:
            ContractsError: something is missing, unknown, of another type, not finite, or does not fit the rest.
        """
        names = {f.name for f in dataclasses.fields(cls)}
        if not isinstance(data, Mapping) or set(data) | {"by_crew"} != names:
            raise _no_outcome(f"the names {', '.join(sorted(names))}", data)
        utilities, curves, versions = data["utilities"], data["training_curve"], data["versions"]
        for name, given in (("utilities", utilities), ("training_curve", curves), ("versions", versions)):
            if not isinstance(given, Mapping) or not all(isinstance(k, str) and 0 < len(k) <= 200 for k in given):
                raise _no_outcome(f"a mapping with names in {name}", given)
        if not all(isinstance(version, str) for version in versions.values()):
            raise _no_outcome("texts in versions", versions)
        waste = _curve("waste_curve", data["waste_curve"])
        if waste and min(waste) < 0:
            raise _no_outcome("numbers of cells in waste_curve", min(waste))
        outcome = cls(
            contract=Contract.from_dict(data["contract"]),
            utilities={agent: _estimate(agent, u) for agent, u in utilities.items()},
            waste_curve=waste,
            training_curve={name: _curve(name, curve) for name, curve in curves.items()},
            versions=dict(versions),
            by_crew=_curve("by_crew", data.get("by_crew", ())),
            policy=data["policy"],
            welfare=_estimate("welfare", data["welfare"]),
            harvest=_estimate("harvest", data["harvest"]),
            cleaned=_estimate("cleaned", data["cleaned"]),
            shots=_estimate("shots", data["shots"]),
            seed=_count("seed", data["seed"]),
            episodes=_count("episodes", data["episodes"]),
            cpu_seconds=_seconds("cpu_seconds", data["cpu_seconds"]),
            wall_seconds=_seconds("wall_seconds", data["wall_seconds"]),
        )
        if not outcome.of_role("harvester") or len(outcome.of_role("cleaner")) != outcome.contract.n_cleaners:
            raise _no_outcome(f"harvesters, and cleaners as in its contract ({outcome.contract})", list(utilities))
        if len({len(curve) for curve in outcome.training_curve.values()}) > 1:
            raise _no_outcome("curves of one length in training_curve", [len(c) for c in curves.values()])
        return outcome


def _no_outcome(wanted: str, got: object) -> ContractsError:
    return ContractsError(f"this is no outcome of an evaluation: it has {wanted}, got {shown(got)}; evaluate again")


def _is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number that a float can hold."""
    most = sys.float_info.max
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -most <= value <= most


def _estimate(name: str, data: object) -> Estimate:
    if not isinstance(data, Mapping) or set(data) != {"mean", "se"} or not all(map(_is_number, data.values())):
        raise _no_outcome(f"a finite mean and standard error for {name}", data)
    if data["se"] < 0:
        raise _no_outcome(f"a standard error of at least 0 for {name}", data["se"])
    return Estimate(mean=float(data["mean"]), se=float(data["se"]))


def _curve(name: str, data: object) -> tuple[float, ...]:
    values = as_items(data)
    if values is None or not all(map(_is_number, values)):
        raise _no_outcome(f"finite numbers in {name}", data)
    return tuple(map(float, values))


def _seconds(name: str, value: object) -> float:
    if not _is_number(value) or value < 0:
        raise _no_outcome(f"a number of at least 0 as {name}", value)
    return float(value)


def _count(name: str, value: object) -> int:
    number = as_int(value)
    if number is None or not 0 <= number < 2**63:
        raise _no_outcome(f"an integer of at least 0 as {name}", value)
    return number


def _is_file_name(text: str) -> bool:
    """Whether text is empty or names a file in the folder that it is looked for in, on any system."""
    return text not in (".", "..") and len(text) <= 200 and all(c.isprintable() and c not in '/\\:*?"<>|' for c in text)


def mean_outcome(outcomes: list[Outcome]) -> Outcome:
    """Average evaluations of one contract over independent trainings (seeds).

    Standard errors then come from the spread between trainings, which includes what learning adds;
    a single outcome is returned as it is.
    """
    if not outcomes:
        raise ContractsError("a mean is taken over one outcome at least, got none")
    if len(outcomes) == 1:
        return outcomes[0]
    return _mean(outcomes, lambda estimates: Estimate.of([e.mean for e in estimates]))


def paired_margins(outcomes: list[Outcome], baselines: list[Outcome], c_min: float = 0.0) -> dict[str, Estimate]:
    """Margins over several seeds, each seed's outcome against the baseline of the same seed.

    Standard errors then come from the spread between seeds, which includes what learning adds with the contract and
    without it; those of a single seed are over its episodes.

    Raises:
        ContractsError: there are none, the two have other seeds, or as in `Outcome.margins`.
    """
    seeds, without = [o.seed for o in outcomes], [o.seed for o in baselines]
    if not outcomes or seeds != without:
        raise ContractsError(
            f"margins are taken seed by seed, so the baselines must have the seeds {shown(seeds)}, got {shown(without)}: "
            "evaluate Contract.none() with the seeds of the contract"
        )
    if len(outcomes) == 1 or outcomes[0].contract.is_none:
        return outcomes[0].margins(baselines[0], c_min)
    each = [mine.margins(theirs, c_min) for mine, theirs in zip(outcomes, baselines, strict=True)]
    return {
        **{name: Estimate.of([margins[name].mean for margins in each]) for name in each[0] if name != PARTICIPATION},
        PARTICIPATION: mean_outcome(outcomes).margins(mean_outcome(baselines), c_min)[PARTICIPATION],
    }


def mean_over_crews(outcomes: list[Outcome]) -> Outcome:
    """Average what the crews of several trainings bring about under one contract that all of them know.

    Standard errors are those of the episodes; why, and what they leave out, says `Outcome.by_crew`.
    """
    if not outcomes:
        raise ContractsError("a mean is taken over the crews of one training at least, got none")
    return dataclasses.replace(
        _mean(outcomes, Estimate.mean_of), by_crew=tuple(outcome.welfare.mean for outcome in outcomes)
    )


def _mean(outcomes: list[Outcome], average: Callable[[list[Estimate]], Estimate]) -> Outcome:
    first = outcomes[0]

    def across(get: Callable[[Outcome], Estimate]) -> Estimate:
        return average([get(o) for o in outcomes])

    return dataclasses.replace(
        first,
        welfare=across(lambda o: o.welfare),
        utilities={agent: across(lambda o, a=agent: o.utilities[a]) for agent in first.utilities},  # type: ignore[misc]
        harvest=across(lambda o: o.harvest),
        cleaned=across(lambda o: o.cleaned),
        shots=across(lambda o: o.shots),
        waste_curve=tuple(np.mean([o.waste_curve for o in outcomes], axis=0).tolist()),
        episodes=sum(o.episodes for o in outcomes),
        cpu_seconds=sum(o.cpu_seconds for o in outcomes),
        wall_seconds=sum(o.wall_seconds for o in outcomes),
    )
