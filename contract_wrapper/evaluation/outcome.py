"""What training under a contract gave: welfare, utilities, margins, each with its standard error.

Source: Molina Concha et al. 2024, eqs. 4 to 6. Margins are at least 0 when good, everywhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.designed_contract import AnyContract, read_contract
from contract_wrapper.contracts.outside_options import OutsideOptions, as_outside_options
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.judging.outcome_values import (
    a_count,
    a_curve,
    an_estimate,
    is_file_name,
    no_outcome,
    some_roles,
    some_seconds,
)
from contract_wrapper.evaluation.participation import (
    PARTICIPATION,
    Acceptance,
    acceptance,
    accepts,
    binding_options,
    crew_margin,
    harvester_margins,
    stay_margins,
)

if TYPE_CHECKING:
    from contract_wrapper.envs.episode_sums import EpisodeSums


_NOTHING = 1e-6
"""Sum of transfers that rounding may leave, in apples per episode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that one evaluation of a contract tells, in apples per episode."""

    contract: AnyContract
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

    roles: Mapping[str, str] = field(default_factory=dict)
    """Role of each agent; empty where its name says it, up to the last underscore."""

    income: Estimate = field(default_factory=lambda: Estimate(mean=0.0))
    """What is left to the principal: minus the sum of all transfers, 0 where they conserve money."""

    def __post_init__(self) -> None:
        if not isinstance(self.policy, str) or not is_file_name(self.policy):
            raise ContractsError(
                f"policy must be a plain file name without folders, or empty, got {shown(self.policy)}"
            )

    def of_role(self, role: str) -> dict[str, Estimate]:
        """Utilities of the agents of a role."""
        return {a: u for a, u in self.utilities.items() if self.role(a) == role}

    def role(self, agent: str) -> str:
        """Role of an agent."""
        return self.roles.get(agent) or agent.rpartition("_")[0] or agent

    @classmethod
    def of_episodes(cls, contract: AnyContract, sums: EpisodeSums, seed: int, versions: Mapping[str, str]) -> Outcome:
        """What the episodes of a batch of games tell, each game's being one sample."""
        roles = sums.game.roles
        told = dict(zip(roles.agents, roles.names, strict=True))
        minted = -sums.transfers.sum(axis=1)
        return cls(
            contract=contract,
            welfare=Estimate.of(sums.welfare),
            utilities={agent: Estimate.of(sums.utilities[:, i]) for i, agent in enumerate(roles.agents)},
            harvest=Estimate.of(sums.apples.sum(axis=1)),
            cleaned=Estimate.of(sums.cleaned.sum(axis=1)),
            shots=Estimate.of(sums.shots.sum(axis=1)),
            waste_curve=tuple(sums.waste),
            seed=seed,
            episodes=sums.game.n_games,
            versions=versions,
            roles={a: role for a, role in told.items() if role != (a.rpartition("_")[0] or a)},
            income=Estimate.of(minted) if np.abs(minted).max(initial=0.0) > _NOTHING else Estimate(mean=0.0),
        )

    @property
    def worst_harvester(self) -> Estimate:
        """Utility of the harvester with the least."""
        return min(self.of_role("harvester").values(), key=lambda u: u.mean)

    @property
    def worst_cleaner(self) -> Estimate | None:
        """Utility of the cleaner with the least, None without cleaners."""
        return min(self.of_role("cleaner").values(), key=lambda u: u.mean, default=None)

    def margins(self, baseline: Outcome, c_min: OutsideOptions | str | float = 0.0) -> dict[str, Estimate]:
        """Individual rationality, >= 0 good: one margin per harvester, and `participation`.

        Harvester j: E[u_j | contract] - E[u_j | baseline] (eq. 4). Participation: the worst
        recruited agent's E[u_k] - c_min (eqs. 5, 6); without recruits it is 0 exactly.
        The baseline's own margins are 0 exactly, unless a harvester has a better option elsewhere.

        c_min is that of all cleaners, or outside options by role or agent, also as text 'cleaner:5;cleaner_2:8'.

        Raises:
            ContractsError: the baseline has other harvesters, no cleaner's utility is there, or an option is nobody's.
        """
        options = as_outside_options(c_min)
        options.check(self.utilities)
        known, mine = baseline.of_role("harvester"), self.of_role("harvester")
        if self.contract.is_none:
            return {**stay_margins(mine, options), PARTICIPATION: Estimate(mean=0.0)}
        return {**harvester_margins(mine, known, options), PARTICIPATION: crew_margin(self.of_role("cleaner"), options)}

    def feasible(self, baseline: Outcome, c_min: OutsideOptions | str | float = 0.0) -> bool:
        """Whether every margin is at least 0 as measured (eqs. 4 to 6), without a look at the errors."""
        return all(map(accepts, self.margins(baseline, c_min).values()))

    def acceptance(self, baseline: Outcome, c_min: OutsideOptions | str | float = 0.0) -> Acceptance:
        """Whether all agents accept beyond two standard errors, somebody refuses beyond them, or it is undecided."""
        return acceptance(self.margins(baseline, c_min).values())

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON; what few outcomes have is left out where it is empty, as in older files."""
        plain = {
            **dataclasses.asdict(self),
            "contract": self.contract.as_dict(),
            "utilities": {agent: dataclasses.asdict(u) for agent, u in self.utilities.items()},
        }
        empty = {"by_crew": self.by_crew, "roles": self.roles, "income": self.income != Estimate(mean=0.0)}
        return {name: value for name, value in plain.items() if empty.get(name, True)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """Read what `to_dict` wrote, and check it: what is read was perhaps not written by this program.

        Raises:
            ContractsError: something is missing, unknown, of another type, not finite, or does not fit the rest.
        """
        names = {f.name for f in dataclasses.fields(cls)}
        if not isinstance(data, Mapping) or set(data) | {"by_crew", "roles", "income"} != names:
            raise no_outcome(f"the names {', '.join(sorted(names))}", data)
        utilities, curves, versions = data["utilities"], data["training_curve"], data["versions"]
        for name, given in (("utilities", utilities), ("training_curve", curves), ("versions", versions)):
            if not isinstance(given, Mapping) or not all(isinstance(k, str) and 0 < len(k) <= 200 for k in given):
                raise no_outcome(f"a mapping with names in {name}", given)
        if not all(isinstance(version, str) for version in versions.values()):
            raise no_outcome("texts in versions", versions)
        waste = a_curve("waste_curve", data["waste_curve"])
        if waste and min(waste) < 0:
            raise no_outcome("numbers of cells in waste_curve", min(waste))
        outcome = cls(
            contract=read_contract(data["contract"]),
            utilities={agent: an_estimate(agent, u) for agent, u in utilities.items()},
            waste_curve=waste,
            training_curve={name: a_curve(name, curve) for name, curve in curves.items()},
            versions=dict(versions),
            by_crew=a_curve("by_crew", data.get("by_crew", ())),
            roles=some_roles(data.get("roles", {}), utilities),
            income=an_estimate("income", data.get("income", {"mean": 0.0, "se": 0.0})),
            policy=data["policy"],
            welfare=an_estimate("welfare", data["welfare"]),
            harvest=an_estimate("harvest", data["harvest"]),
            cleaned=an_estimate("cleaned", data["cleaned"]),
            shots=an_estimate("shots", data["shots"]),
            seed=a_count("seed", data["seed"]),
            episodes=a_count("episodes", data["episodes"]),
            cpu_seconds=some_seconds("cpu_seconds", data["cpu_seconds"]),
            wall_seconds=some_seconds("wall_seconds", data["wall_seconds"]),
        )
        if isinstance(outcome.contract, Contract) and (
            not outcome.of_role("harvester") or len(outcome.of_role("cleaner")) != outcome.contract.n_cleaners
        ):
            raise no_outcome(f"harvesters, and cleaners as in its contract ({outcome.contract})", list(utilities))
        if len({len(curve) for curve in outcome.training_curve.values()}) > 1:
            raise no_outcome("curves of one length in training_curve", [len(c) for c in curves.values()])
        return outcome


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


def pooled_outcome(outcomes: list[Outcome]) -> Outcome:
    """Average as `mean_outcome`, with errors that are at least those over episodes: two trainings may agree by chance."""

    def larger(estimates: list[Estimate]) -> Estimate:
        spread, episodes = Estimate.of([e.mean for e in estimates]), Estimate.mean_of(estimates)
        return Estimate(mean=spread.mean, se=max(spread.se, episodes.se))

    return _mean(outcomes, larger)


def paired_margins(
    outcomes: list[Outcome], baselines: list[Outcome], c_min: OutsideOptions | str | float = 0.0
) -> dict[str, Estimate]:
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
    each = [mine.margins(theirs) for mine, theirs in zip(outcomes, baselines, strict=True)]
    mean, expected = mean_outcome(outcomes), mean_outcome(baselines)
    over_means = mean.margins(expected, c_min)
    # An option binds against the expected baseline: the larger of the two seed by seed would be too large on average.
    elsewhere = binding_options(expected.of_role("harvester"), c_min)
    return {
        name: margin if name in elsewhere or name == PARTICIPATION else Estimate.of([m[name].mean for m in each])
        for name, margin in over_means.items()
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
